//! The typed model of a self-hosted real-time media stack.

mod code;
mod diagnostic;
mod path;

pub use code::{Code, UnknownCode};
pub use diagnostic::{Diagnostic, Findings, Location, Severity, Span};
pub use path::{FieldPath, Segment};
