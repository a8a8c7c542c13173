#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! | to do | here |
//! |---|---|
//! | ask registries what images are | [`registry::ask`] |
//! | log in as Docker does | [`registry::Logins`] |
//! | know what the answers mean for a plot | [`registry::review`] |

pub mod registry;
mod tls;

pub use tls::TrustError;
