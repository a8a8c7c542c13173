//! The commands, one file each.

pub(crate) mod check;
pub(crate) mod completions;
pub(crate) mod diff;
pub(crate) mod doctor;
pub(crate) mod explain;
pub(crate) mod init;
pub(crate) mod man;
pub(crate) mod node_checks;
pub(crate) mod pin;
pub(crate) mod render;
pub(crate) mod schema;
pub(crate) mod seal;
pub(crate) mod serve;
pub(crate) mod show;
pub(crate) mod tryout;
pub(crate) mod verify;
pub(crate) mod vitals;
pub(crate) mod watch;
pub(crate) mod witness;
