//! The `stageplot` command.
fn main() {}
