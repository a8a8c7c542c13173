//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod render;
pub(crate) mod show;
