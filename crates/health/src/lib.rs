#![doc = include_str!("../README.md")]
//!
//! # Where to find what
//!
//! | to do | here |
//! |---|---|
//! | know what a machine has to try | [`trials`], [`Trial`], [`Place`], [`Stand`] |
//! | know what must be closed to it | [`closed`], [`Witness`] |
//! | try it | [`run`], [`Options`], [`Secrets`]; on another machine [`Ssh`], [`Told`] |
//! | know what runs, and how busy it is | [`containers`], [`usage`], [`activity`] |
//! | know what else to look at | [`examinations`], [`Group`] |
//! | try something of one's own | [`CustomCheck`] |
//! | know what came of it | [`Observation`], [`Outcome`], [`Problem`], [`Cause`]; [`Report`] |
//! | ask registries what images are | [`registry::ask`] |
//! | log in as Docker does | [`registry::Logins`] |
//! | know what the answers mean for a plot | [`registry::review`] |

mod cause;
mod closed;
mod custom;
mod docker;
mod examination;
mod group;
mod observation;
mod place;
mod probe;
pub mod registry;
mod report;
mod run;
mod secrets;
mod sockets;
mod ssh;
mod tls;
mod told;
mod trial;
mod vitals;
mod witness;

pub use cause::{Cause, UnknownCause};
pub use closed::closed;
pub use custom::{Custom, CustomCheck};
pub use examination::examinations;
pub use group::Group;
pub use observation::{Evidence, Observation, Outcome, Problem};
pub use place::{Place, Stand};
pub use report::{Line, Report};
pub use run::{Observations, Options, Waited, run};
pub use secrets::Secrets;
pub use ssh::Ssh;
pub use tls::TrustError;
pub use told::Told;
pub use trial::{Host, Subject, Target, Trial, What, trials};
pub use vitals::{Activity, Container, NodeActivity, RedisActivity, Usage, activity, containers, usage};
pub use witness::{Witness, WitnessError};
