//! Standard output, for data, and standard error, for talk.

use std::io::{self, Write as _};

use annotate_snippets::{Group, Level, Renderer};
use anstream::AutoStream;

use crate::failure::{Failure, reason};

/// Writes data to standard output, without colours where it is no terminal.
///
/// That nobody reads on, as in `stageplot show flows | head`, is no failure.
pub(crate) fn data(text: &str) -> Result<(), Failure> {
    let text = plain_unless_terminal(text, &io::stdout());
    let mut out = io::stdout().lock();
    let written = out.write_all(&text).and_then(|()| out.flush());
    match written {
        Err(error) if error.kind() != io::ErrorKind::BrokenPipe => {
            Err(Failure::new(format!("failed to write to standard output: {}", reason(&error))))
        }
        _ => Ok(()),
    }
}

/// Writes a value as JSON to standard output.
pub(crate) fn json(value: &impl serde::Serialize) -> Result<(), Failure> {
    let text = serde_json::to_string_pretty(value)
        .map_err(|error| Failure::new(format!("failed to write JSON: {error}")))?;
    data(&(text + "\n"))
}

/// Says something on standard error; where that is closed, nobody listens.
pub(crate) fn talk(text: &str) {
    let _ = io::stderr().lock().write_all(&plain_unless_terminal(text, &io::stderr()));
}

/// The text for a stream, without colours where it shows none: whole, so that it is
/// written at once and not colour by colour.
fn plain_unless_terminal(text: &str, stream: &impl anstream::stream::RawStream) -> Vec<u8> {
    let mut plain = AutoStream::new(Vec::with_capacity(text.len()), AutoStream::choice(stream));
    // Memory takes everything.
    let _ = plain.write_all(text.as_bytes());
    plain.into_inner()
}

/// Warns on standard error of something that is not about the plot's text.
pub(crate) fn warn(message: &str) {
    let text = Renderer::styled().render(&[Group::with_title(Level::WARNING.primary_title(message))]);
    talk(&harmless(text + "\n"));
}

/// Text without the control characters that some terminals obey beyond those
/// of ASCII (C1), which may come from a plot.
pub(crate) fn harmless(text: String) -> String {
    let obeyed = |c: char| matches!(c, '\u{80}'..='\u{9f}');
    if text.contains(obeyed) { text.replace(obeyed, "\u{fffd}") } else { text }
}

/// How many columns a table may take on standard output; any number where it is
/// no terminal.
pub(crate) fn width() -> Option<u16> {
    terminal_size::terminal_size_of(io::stdout()).map(|(width, _)| width.0)
}
