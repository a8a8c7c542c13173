//! Asks the outside world about a stack: all sockets of Stageplot are here.
//!
//! Whatever is asked has a deadline, what comes back has a bound, and no answer is
//! never taken for a good one. Everything is async and wants a tokio runtime with
//! its drivers for I/O and time.

pub mod registry;
mod tls;

pub use tls::TrustError;
