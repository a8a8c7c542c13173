//! Checks of one's own.

use std::fmt;
use std::pin::Pin;
use std::sync::Arc;

use crate::{Evidence, Problem};

/// A check of one's own, which is run beside all others: within a deadline, in the network
/// of its place, and with its observation among theirs.
///
/// ```
/// use std::pin::Pin;
/// use std::sync::Arc;
///
/// use stageplot_health::{
///     Cause, CustomCheck, Evidence, Options, Outcome, Place, Problem, Report, Secrets, Stand, Trial, run,
/// };
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// /// There is a backup from today.
/// #[derive(Debug)]
/// struct Backup;
///
/// impl CustomCheck for Backup {
///     fn check<'a>(
///         &'a self,
///         evidence: &'a mut Evidence,
///     ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + 'a>> {
///         Box::pin(async move {
///             evidence.note("directory", "/var/backups/live");
///             Err(Problem::failed(Cause::Custom, "there is no backup from today"))
///         })
///     }
/// }
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let node = topology.node_named("front").ok_or("a node")?.id;
/// let trials = vec![Trial::custom("backup: front", node, Place::Node(node), Backup)];
/// let topology = Arc::new(topology);
/// let seen = run(topology.clone(), trials.clone(), Secrets::none(), Options::default())?;
/// let report = Report::new(&topology, Stand::Node(node), &trials, seen.into_iter().collect());
/// assert_eq!(report.outcome, Outcome::Failed);
/// # Ok(())
/// # }
/// ```
pub trait CustomCheck: fmt::Debug + Send + Sync {
    /// Tries it, and notes down what is seen. It runs on a tokio runtime with its drivers for
    /// I/O and time, and is dropped when the deadline has passed.
    ///
    /// # Errors
    ///
    /// Why it did not pass. [`Cause::Custom`](crate::Cause::Custom) is for what none of the
    /// other causes fits.
    fn check<'a>(
        &'a self,
        evidence: &'a mut Evidence,
    ) -> Pin<Box<dyn Future<Output = Result<(), Problem>> + 'a>>;
}

/// A [`CustomCheck`] in a [`Trial`](crate::Trial); made by
/// [`Trial::custom`](crate::Trial::custom).
#[derive(Clone, Debug)]
pub struct Custom(pub(crate) Arc<dyn CustomCheck>);

impl PartialEq for Custom {
    /// Whether they are the same one.
    fn eq(&self, other: &Self) -> bool {
        Arc::ptr_eq(&self.0, &other.0)
    }
}
