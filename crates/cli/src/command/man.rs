//! `stageplot man`

use std::io;

use clap::CommandFactory as _;
use clap_mangen::Man as Page;
use clap_mangen::roff::{Roff, roman};

use crate::args::Args;
use crate::exit::{self, Exit};
use crate::failure::{Failure, reason};
use crate::screen;

/// Print the manual page
///
/// To read it at once: stageplot man | man -l -
#[derive(clap::Args)]
pub(crate) struct Man {}

impl Man {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let page = page().map_err(|error| Failure::new(format!("failed to write the page: {}", reason(&error))))?;
        screen::data(&String::from_utf8_lossy(&page))?;
        Ok(Exit::Well)
    }
}
