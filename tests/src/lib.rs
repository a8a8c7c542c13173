//! Finds, starts and ends the real programs that the end-to-end tests talk to.
//!
//! A test names what it wants and gets it, or says that it was skipped; see
//! [`want!`]. Machines are network namespaces on a bridge ([`Lan`]), each with a
//! Docker engine of its own where it needs one ([`Engine`]). A whole plot with all that
//! is around it is a [`Rig`], which `tests/rig` brings up by hand. Every guard takes away
//! what it made when it is dropped, and what a killed run left is swept away by the
//! next one. Nothing waits without a deadline.
//!
//! Where the rig itself breaks, these functions panic and show what the programs
//! said: a test has nothing better to do with such an error.
//!
//! ```no_run
//! use stageplot_tests::{Engine, Lan, want};
//!
//! # fn main() {
//! let lan = want!(Lan::new("lan"));
//! let node = lan.machine("node", &["192.168.1.2/24"]);
//! let peer = lan.machine("peer", &["192.168.1.3/24"]);
//! let engine = want!(Engine::start(&node, &["stageplot/echo:1"]));
//! engine.docker(&["run", "-d", "-p", "8080:8080", "stageplot/echo:1"]).success();
//! let answer = peer.run("curl", &["-sS", "http://192.168.1.2:8080/hello"]).success();
//! assert!(answer.contains("/hello"));
//! # }
//! ```

mod bundle;
mod cargo;
mod certificate;
mod cgroup;
mod engine;
mod image;
mod installed;
mod machine;
mod namespace;
mod plots;
mod process;
mod program;
mod random;
mod referee;
mod registry;
mod rig;
mod root;
mod scan;
mod scratch;
mod socket;
mod stage;
mod stageplot;
mod sweep;
mod token;
mod vault;
mod visitor;

pub use bundle::{code_blocks, render, render_with};
pub use cargo::{Cargo, Package};
pub use certificate::{Authority, Certificate};
pub use engine::Engine;
pub use image::Image;
pub use installed::{Declared, Installed};
pub use machine::{Container, Machine, write_bundle};
pub use namespace::{Lan, Namespace};
pub use plots::{examples, on_front, topology};
pub use process::{Output, Process, run, wait_for};
pub use program::{Missing, Program, wanted};
pub use random::random;
pub use referee::{
    SHARED_SETTINGS, caddy_validate, compose_config, kernel_settings, nft_load, nginx_test, sh_read,
    sysctl_load, systemd_verify, ufw_load, units,
};
pub use registry::Registry;
pub use rig::{Given, Names, Rig};
pub use root::Root;
pub use scan::{knock, scan};
pub use scratch::Scratch;
pub use socket::{Answer, Listening, Responder, Transport, ask, inside, lookup};
pub use stage::{Running, Stage, Station};
pub use stageplot::stageplot;
pub use sweep::sweep_after;
pub use token::{sign, token};
pub use vault::Vault;
pub use visitor::{Client, Visitor};
