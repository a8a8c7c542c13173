//! render

pub mod output;
pub mod template;
