//! The `.env` files of several machines, made into one plot.
//!
//! Scripts and Compose files were run on every machine, each with a `.env` of its
//! own, and nothing held the files against each other. [`import`] does, and writes
//! down what they describe together. Whose files they are their variables say: see
//! [`Stack`]. What they do not say is inferred by the rules below, and a finding
//! (`env-inferred`) tells each time.
//!
//! For every stack: variables that are empty are not set. What the documents have
//! where a value of one's own belongs (`your_secret`, `changeme`, `<password>`)
//! counts as not set; a domain set aside for examples stays, and is told of. An
//! address from a private range is a node's `address`, any other is its `public`.
//! Two values of what there is only one of are a contradiction, told with both lines.
//!
//! # LiveKit's shell scripts
//!
//! **Who runs LiveKit.** Every machine that `NODES` or `CADDY_UPSTREAM` of any
//! file names. `localhost` is the machine whose file says it. `CADDY_UPSTREAM`
//! outweighs a `NODES` of only `localhost` beside it. Where no file has
//! `NODES`, its default is `localhost`: then it is the machines without
//! `DOMAIN`, those with `LIVEKIT_API_KEY` before others, or if all have
//! `DOMAIN`, all.
//!
//! **Who runs Caddy.** Of the machines with `DOMAIN` or `CADDY_UPSTREAM`: those
//! that run no LiveKit or have `CADDY_UPSTREAM`. If there is no such machine,
//! all of them: that is the documents' Caddy on every node.
//!
//! **Where Redis is.** Where `REDIS_HOST` says. `localhost` and `redis` are the
//! machine whose file says it, and on a machine with a Caddy alone they say
//! nothing. An address that is neither given nor named by a list of LiveKit
//! machines is somebody else's Redis. Where no file has `REDIS_HOST`, it is on
//! the LiveKit machine with the lowest address. `REDIS_SLAVE_OF` makes a replica.
//!
//! **What counts.** LiveKit's settings come from the machines that run it, and
//! from others where those say nothing; Redis' from the machine with the
//! primary, then from those that use it. LiveKit's keys are the same on all
//! machines. `devkey` of its own documentation is no key.
//!
//! **Addresses.** LiveKit's own `NODE_IP`, where it is another, is the machine's
//! `public`, which something in front of the machine translates.
//!
//! # FluxCode's Compose files
//!
//! **Who runs what.** A file is of Caddy and the application where it has
//! `CADDY_ADDRESS`, `HTTP_PORT`, `HTTPS_PORT`, `BIND_HOST` or
//! `CADDY_LB_COOKIE_SECRET`; of the application alone where it has another of its
//! variables; of Postgres and Redis where it has `POSTGRES_BIND_HOST`,
//! `POSTGRES_EXPOSE_PORT` and the like, or nothing but their names and passwords. A
//! machine may have a file of each sort, or one with the variables of several.
//!
//! **Where Postgres and Redis are.** Where `DATABASE_HOST` and `REDIS_HOST` say.
//! `host.docker.internal` and `172.17.0.1` are the machine whose file says it, and so
//! is `localhost`, with a warning. An address that is no given machine's is
//! somebody else's, and a name is, unless one file alone is of Postgres and Redis.
//!
//! **What counts.** What all nodes have to agree on, such as secrets, users and
//! `RUN_MODE`, they contradict each other in; of what may differ, such as pools and
//! the image, the value of the machine with Caddy counts, and a warning tells.
//! `NODE_PORT` is the application's port where all nodes have the same.
//!
//! **Who clients are.** Without a domain and a public address, those of the range for
//! private use that the machine with Caddy is in (`access.clients`).
//!
//! **Addresses.** An address that a variable such as `POSTGRES_BIND_HOST` binds is
//! one of the machine's own.
//!
//! # Example
//!
//! ```
//! use stageplot_topology::dotenv::{EnvFile, import};
//!
//! let text = "DOMAIN=live.example.com\nLIVEKIT_API_KEY=main\nREDIS_PASSWORD=correct-horse\n";
//! let import = import(&[EnvFile { address: "203.0.113.10".parse()?, name: "front.env", text }])?;
//! println!("{}", import.plot.to_toml()?); // the plot, without a secret in it
//! for finding in &import.findings {
//!     println!("{finding}"); // what was inferred, and what is missing
//! }
//! let asked: Vec<_> = import.secrets.missing().collect();
//! assert_eq!(asked, ["LIVEKIT_API_SECRET"]);
//! # Ok::<(), Box<dyn std::error::Error>>(())
//! ```

mod addresses;
mod fluxcode;
mod livekit;
mod parse;
mod placeholder;
mod reader;
mod seat;
mod secrets;
mod stack;
mod survey;
mod text;
mod variables;

use std::net::IpAddr;

pub use secrets::Secrets;
pub use stack::Stack;
pub use text::{Dotenv, Variable};
pub use variables::{KnownVariable, Meaning};

use crate::{Findings, Name, Plot};
use survey::Survey;
use variables::review;

/// One machine's `.env` file.
///
/// See [`import`].
#[derive(Clone, Copy)]
pub struct EnvFile<'a> {
    /// The machine's address, as the other machines' files have it.
    pub address: IpAddr,
    /// What findings call the file.
    pub name: &'a str,
    /// Its text.
    pub text: &'a str,
}

/// What `.env` files describe.
///
/// See [`import`].
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Import {
    /// Whose files they are.
    pub stack: Stack,
    /// The plot. It names secrets and holds none.
    pub plot: Plot,
    /// The secrets, for a file of their own.
    pub secrets: Secrets,
    /// What is to be done (warnings), and what was inferred, changed or left
    /// out (information); no errors.
    pub findings: Findings,
}

/// Makes one plot of the `.env` files of one or several machines.
///
/// The order of the files does not matter. A finding about a line has a path of
/// the file's name and the variable, and a span of that file's text.
///
/// # Errors
///
/// All findings, where a file cannot be read or two contradict each other.
///
/// ```
/// use stageplot_topology::dotenv::{EnvFile, import};
///
/// let front = EnvFile {
///     address: "203.0.113.10".parse()?,
///     name: "front.env",
///     text: "DOMAIN=live.example.com\n",
/// };
/// let media = EnvFile {
///     address: "203.0.113.11".parse()?,
///     name: "media.env",
///     text: "NODES=localhost\nREDIS_HOST=localhost\nLIVEKIT_API_KEY=main\nLIVEKIT_API_SECRET=0123456789abcdef0123456789abcdef\n",
/// };
/// let import = import(&[front, media])?;
/// assert!(import.plot.build().is_ok());
/// assert_eq!(import.plot.nodes["media"].roles.len(), 2);
/// assert!(import.secrets.render().contains("LIVEKIT_API_SECRET='0123"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn import(machines: &[EnvFile<'_>]) -> Result<Import, Findings> {
    let mut survey = Survey::new(machines);
    if survey.machines.is_empty() {
        return Err(survey.findings);
    }
    let stack = survey.stack;
    let (plot, secrets) = match stack {
        Stack::Livekit => livekit::import(&mut survey),
        Stack::Fluxcode => fluxcode::import(&mut survey),
    };
    let findings = survey.findings();
    if findings.has_errors() { Err(findings) } else { Ok(Import { stack, plot, secrets, findings }) }
}

/// A name for each machine by a word for what it does; numbered in the order of
/// the addresses where several have the same word.
fn names(words: &[&str]) -> Vec<Name> {
    let number = |index: usize| words[..=index].iter().filter(|word| **word == words[index]).count();
    let is_alone = |index: usize| words.iter().filter(|word| **word == words[index]).count() == 1;
    let name = |index: usize| match is_alone(index) {
        true => words[index].to_owned(),
        false => format!("{}-{}", words[index], number(index)),
    };
    (0..words.len()).map(|index| fixed_name(&name(index))).collect()
}

/// A name that is made here, of letters, digits and hyphens.
fn fixed_name(name: &str) -> Name {
    name.parse().expect("a short word, with a number or without")
}
