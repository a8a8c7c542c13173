#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! | to do | here |
//! |---|---|
//! | render all machines, or one | [`render`](render()), [`Renderer`]; [`Rendering`], [`Bundle`], [`Artifact`] |
//! | give values for secrets, or seal them | [`Secrets`], `SecretSource` of stageplot-topology; [`Seals`], [`SealKey`] |
//! | put templates and files of one's own in | [`Custom`], [`ArtifactSource`], [`template`] |
//! | write it all to a directory, safely | [`output`] |
//! | know before rendering what no file can hold | [`judge`](judge()) |
//! | compare two renderings, and what that does to what runs | [`diff`](mod@diff) |
//! | hold a change against rules of one's own | [`diff::policy`] |
//! | draw the flows | [`diagram`] |
//! | read what stands where from a rendered tree | [`summary`], [`Manifest`] |
//!
//! # What may grow
//!
//! All structs with public fields and all enums are `#[non_exhaustive]`, but for
//! [`diff::Status`] and [`diff::Which`], which are whole. What a program fills in, such
//! as [`Artifact`], [`Custom`] and the rules of a [`diff::policy`], it makes by a
//! constructor or a default, and sets what it means by methods or in the fields.

mod artifact;
mod bundle;
mod compose;
mod custom;
pub mod diagram;
pub mod diff;
mod error;
mod firewall;
mod judge;
mod kind;
pub mod output;
mod overview;
mod parallel;
mod render;
mod seals;
mod secrets;
pub mod summary;
mod system;
pub mod template;
mod tryout;
mod yaml;

pub use artifact::{Artifact, Change, Owner};
pub use bundle::{Bundle, Manifest, ManifestEntry, ManifestService};
pub use custom::{ArtifactSource, Custom, SourceError};
pub use error::RenderError;
pub use judge::judge;
pub use overview::{DnsName, DnsRecord, dns_names};
pub use render::{Renderer, Rendering, render, template_names};
pub use seals::{InvalidSeal, InvalidSealKey, Seal, SealKey, Seals};
pub use secrets::Secrets;
pub use tryout::{Door, Ground, Tryout, TryoutError, tryout};

use stageplot_topology::Topology;

/// The name of the plot's container network on every node. The kernel takes 15
/// bytes; a longer name keeps a piece of its digest, so that two stay two.
///
/// ```
/// use stageplot_render::bridge_name;
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// // As `ip link` and the rendered firewall have it.
/// assert_eq!(bridge_name(&topology), "sp-live");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn bridge_name(topology: &Topology) -> String {
    let name = topology.name().as_str();
    match name.len() {
        0..=12 => format!("sp-{name}"),
        _ => format!("sp-{}{}", &name[..6], &bundle::sha256(name.as_bytes())[..6]),
    }
}

/// Compiles the program of the project's README.
#[cfg(doctest)]
#[doc = include_str!("../../../README.md")]
struct Readme;
