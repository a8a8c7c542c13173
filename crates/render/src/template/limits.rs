//! What one rendering may use up.
//!
//! Bounded, and the same on every machine: the bytes written, the bytes of values that pass
//! through the escape hook (so those of captured blocks too), the elements that `range` makes.
//! Nesting of tags, expressions and components is bounded by the engine, chains of includes by
//! `links`. Not bounded: the time and memory of a template that loops
//! over one big list within itself and writes nothing. A template is the operator's own program;
//! this keeps mistakes from filling a disk, it is no sandbox for strangers.

use std::cell::Cell;
use std::io::{self, Write};

use tera::{Kwargs, State};

/// The most bytes that one template may write: 16 MiB.
///
/// ```
/// use stageplot_render::template::{Dialect, MAX_OUTPUT, Template, TemplateError, Templates};
///
/// let templates = Templates::new([Template::new("a.txt", Dialect::Markdown, "{{ text }}")]).expect("well-formed");
/// let values = serde_json::json!({ "text": "a".repeat(MAX_OUTPUT + 1) });
/// let error = templates.render("a.txt", &values).expect_err("it is too much");
/// assert!(matches!(error, TemplateError::TooLarge { .. }));
/// ```
pub const MAX_OUTPUT: usize = 16 << 20;

/// The most elements that all calls of `range` in one rendering may make.
///
/// ```
/// use stageplot_render::template::{Dialect, MAX_RANGE, Template, TemplateError, Templates};
///
/// let loops = "{% for n in range(end=end) %}{% endfor %}";
/// let templates = Templates::new([Template::new("a.txt", Dialect::Markdown, loops)]).expect("well-formed");
/// let values = serde_json::json!({ "end": MAX_RANGE + 1 });
/// let error = templates.render("a.txt", &values).expect_err("it runs too often");
/// assert!(matches!(error, TemplateError::TooLarge { .. }));
/// ```
pub const MAX_RANGE: u64 = 1_000_000;

/// Starts counting anew, for the rendering that follows on this thread.
pub(super) fn start() {
    BYTES.set(0);
    ELEMENTS.set(0);
    OVERDRAWN.set(false);
}

/// Whether the rendering on this thread failed for having used too much.
pub(super) fn overdrawn() -> bool {
    OVERDRAWN.get()
}

pub(super) fn spend_bytes(bytes: usize) -> io::Result<()> {
    let spent = BYTES.get().saturating_add(bytes);
    BYTES.set(spent);
    if spent > 4 * MAX_OUTPUT {
        OVERDRAWN.set(true);
        return Err(io::ErrorKind::FileTooLarge.into());
    }
    Ok(())
}

/// The `range` function of templates: the engine's own, with a budget for the whole rendering.
pub(super) fn range(args: Kwargs, _: &State) -> tera::TeraResult<Vec<i64>> {
    let start = args.get::<i64>("start")?.unwrap_or(0);
    let end = args.must_get::<i64>("end")?;
    let step = args.get::<i64>("step_by")?.unwrap_or(1);
    if step < 1 {
        return Err(tera::Error::message("`step_by` of `range` must be 1 or more"));
    }
    let elements = end.saturating_sub(start).max(0).unsigned_abs().div_ceil(step.unsigned_abs());
    let spent = ELEMENTS.get().saturating_add(elements);
    ELEMENTS.set(spent);
    if spent > MAX_RANGE {
        OVERDRAWN.set(true);
        return Err(tera::Error::message(format!(
            "`range` made {spent} elements in this rendering, and {MAX_RANGE} is the limit"
        )));
    }
    Ok((start..end).step_by(usize::try_from(step).unwrap_or(usize::MAX)).collect())
}

/// A buffer that takes so much and no more.
#[derive(Default)]
pub(super) struct Bounded {
    pub(super) bytes: Vec<u8>,
}

impl Write for Bounded {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        if self.bytes.len() + bytes.len() > MAX_OUTPUT {
            OVERDRAWN.set(true);
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        self.bytes.extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

// The engine's hooks are plain functions, so the counters live beside the thread that renders.
thread_local! {
    static BYTES: Cell<usize> = const { Cell::new(0) };
    static ELEMENTS: Cell<u64> = const { Cell::new(0) };
    static OVERDRAWN: Cell<bool> = const { Cell::new(false) };
}
