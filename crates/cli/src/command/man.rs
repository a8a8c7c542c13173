//! `stageplot man`

use clap_mangen::roff::{Inline, Roff, bold, roman};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::reference::{self, Entry};
use crate::screen;

/// Print the manual page
///
/// To read it at once: stageplot man | man -l -
#[derive(clap::Args)]
pub(crate) struct Man {}

impl Man {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        screen::data(&page())?;
        Ok(Exit::Well)
    }
}

/// The page: one for all commands, so that it can be searched.
fn page() -> String {
    let entries = reference::entries();
    let version = concat!("stageplot ", env!("CARGO_PKG_VERSION"));
    let mut roff = Roff::new();
    roff.control("TH", ["STAGEPLOT", "1", "", version, "User Commands"]);
    section(&mut roff, "NAME");
    roff.text([roman(
        "stageplot - one file for a self-hosted LiveKit stack, every machine's configuration from it",
    )]);
    section(&mut roff, "SYNOPSIS");
    roff.text([bold("stageplot"), roman(" COMMAND [OPTIONS]")]);
    section(&mut roff, "DESCRIPTION");
    let [root, commands @ ..] = entries.as_slice() else { return String::new() };
    paragraphs(&mut roff, &root.about);
    section(&mut roff, "OPTIONS");
    parameters(&mut roff, root);
    section(&mut roff, "COMMANDS");
    for entry in commands.iter().filter(|entry| !entry.is_group) {
        roff.control("SS", [entry.usage.as_str()]);
        paragraphs(&mut roff, &entry.about);
        parameters(&mut roff, entry);
    }
    section(&mut roff, "EXIT STATUS");
    for exit in Exit::ALL {
        term(&mut roff, [bold((exit as u8).to_string())]);
        roff.text([roman(exit.meaning())]);
    }
    section(&mut roff, "ENVIRONMENT");
    term(&mut roff, [bold("NO_COLOR"), roman(", "), bold("CLICOLOR"), roman(", "), bold("CLICOLOR_FORCE")]);
    roff.text([roman("Whether there is colour; it is never needed to understand.")]);
    term(&mut roff, [roman("what secrets are called")]);
    roff.text([roman(
        "A secret that the plot has as { env = \"NAME\" } is taken from NAME, and from the plot's secrets-file \
         where NAME is not set.",
    )]);
    roff.to_roff()
}

fn section(roff: &mut Roff, title: &str) {
    roff.control("SH", [title]);
}

fn term<const N: usize>(roff: &mut Roff, term: [Inline; N]) {
    roff.control("TP", []);
    roff.text(term);
}

fn parameters(roff: &mut Roff, entry: &Entry) {
    for parameter in &entry.parameters {
        term(roff, [bold(&parameter.term)]);
        for (index, part) in parameter.help.iter().enumerate() {
            if index > 0 {
                // A paragraph within the list, indented as it is.
                roff.control("IP", []);
            }
            roff.text([roman(part)]);
        }
    }
}

fn paragraphs(roff: &mut Roff, parts: &[String]) {
    for (index, part) in parts.iter().enumerate() {
        if index > 0 {
            roff.control("PP", []);
        }
        roff.text([roman(part)]);
    }
}
