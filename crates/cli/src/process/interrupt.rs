//! Holds off Ctrl-C and its like while a program runs for us: the program is
//! in a process group of its own, and would go on without us.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, LazyLock};

use signal_hook::consts::{SIGHUP, SIGINT, SIGTERM};
use signal_hook::{flag, low_level};

/// While it lives, a signal that would end this process is noted only; it does
/// its work when this is dropped.
pub(super) struct Interrupt(());

impl Interrupt {
    /// Holds signals off.
    pub(super) fn hold() -> Self {
        STATE.idle.store(false, Ordering::SeqCst);
        Self(())
    }

    /// Whether one came.
    pub(super) fn came(&self) -> bool {
        STATE.signal.load(Ordering::SeqCst) != 0
    }
}

impl Drop for Interrupt {
    fn drop(&mut self) {
        STATE.idle.store(true, Ordering::SeqCst);
        if let Ok(signal @ 1..) = i32::try_from(STATE.signal.load(Ordering::SeqCst)) {
            // Ends the process as the signal would have.
            let _ = low_level::emulate_default_handler(signal);
        }
    }
}

struct State {
    /// Whether signals end the process as usual.
    idle: Arc<AtomicBool>,
    /// The one that came meanwhile, or 0.
    signal: Arc<AtomicUsize>,
}

static STATE: LazyLock<State> = LazyLock::new(|| {
    let state = State { idle: Arc::new(AtomicBool::new(true)), signal: Arc::new(AtomicUsize::new(0)) };
    for (signal, number) in
        [(SIGINT, SIGINT as usize), (SIGTERM, SIGTERM as usize), (SIGHUP, SIGHUP as usize)]
    {
        // Without these a signal ends us at once, and the program is left alone.
        let _ = flag::register_conditional_default(signal, Arc::clone(&state.idle));
        let _ = flag::register_usize(signal, Arc::clone(&state.signal), number);
    }
    state
});
