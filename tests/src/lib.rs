//! Finds, starts and ends the real programs that the end-to-end tests talk to.
