//! The typed model of a self-hosted real-time media stack.

mod code;
pub mod decode;
mod diagnostic;
mod document;
mod path;
mod suggest;

pub use code::{Code, UnknownCode};
pub use diagnostic::{Diagnostic, Findings, Location, Severity, Span};
pub use document::{Document, Entry, Format, Kind, Table, Value, redact_source};
pub use path::{FieldPath, Segment};
