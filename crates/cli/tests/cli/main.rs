//! The command as it is called: what it prints where, how it ends, and what it
//! does with input that nobody should give it.

mod bad_input;
mod check;
mod diff;
mod init;
mod output;
mod pin;
mod place;
mod policy;
mod remote;
mod render;
mod seals;
mod secrets;
mod templates;
mod transcripts;
