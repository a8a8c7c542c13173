//! Asks registries what an image is: the digest behind a tag.
//!
//! Written after the OCI distribution specification ("Pulling manifests", "Checking
//! if content exists in the registry") and, for logins, the distribution project's
//! token authentication and Docker's own configuration.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use futures_util::{StreamExt as _, stream};
use stageplot_topology::{Code, Digest, Findings, ImageRef, Lock, Registry, Topology};

mod error;
mod login;
mod remote;
mod session;

pub use error::RegistryError;
pub use login::{LoginError, Logins};

use crate::TrustError;
use remote::Remote;

/// How long, and how much at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Limits {
    /// What it may take to reach a registry. Default: 5 seconds.
    pub connect: Duration,
    /// What it may take to learn about one image, logging in included. Default:
    /// 20 seconds.
    pub answer: Duration,
    /// How many images are asked for at once. Default: 8.
    pub at_once: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self { connect: Duration::from_secs(5), answer: Duration::from_secs(20), at_once: 8 }
    }
}

/// What registries say of images, by the plot's own names for them.
pub type Answers = BTreeMap<ImageRef, Result<Digest, RegistryError>>;

/// Asks for the digests of images of a plot: each at the mirror of its registry,
/// where the plot has one.
///
/// An image for several architectures has one digest for all, that of its index:
/// what Docker pulls by it is the image for its own. A registry that still says
/// what is `known` of an image is asked for a header alone, which those that count
/// pulls do not count.
///
/// ```no_run
/// use stageplot_health::registry::{self, Limits, Logins};
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// # async fn example() -> Result<(), Box<dyn std::error::Error>> {
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let images = topology.images().into_keys();
/// let answers = registry::ask(&topology, images, topology.lock(), &Logins::none(), Limits::default()).await?;
/// for (image, answer) in answers {
///     println!("{image} is {}", answer?);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`TrustError`] where TLS cannot be had at all. What is wrong with a registry or
/// an image is among the answers.
pub async fn ask(
    topology: &Topology,
    images: impl IntoIterator<Item = ImageRef>,
    known: &Lock,
    logins: &Logins,
    limits: Limits,
) -> Result<Answers, TrustError> {
    let sources: Vec<_> = images.into_iter().map(|image| (topology.source(&image), image)).collect();
    let mut remotes = BTreeMap::<Registry, Remote>::new();
    for registry in sources.iter().map(|(source, _)| source.registry()).collect::<BTreeSet<_>>() {
        let remote = Remote::new(&registry, topology.is_plain_http(&registry), logins, limits).await?;
        remotes.insert(registry, remote);
    }
    let remotes = &remotes;
    let questions = sources.into_iter().map(|(source, image)| async move {
        let answer = remotes[&source.registry()].digest(&source, known.digest(&image)).await;
        (image, answer)
    });
    Ok(stream::iter(questions).buffer_unordered(limits.at_once.max(1)).collect().await)
}

/// What the answers mean for a plot: tags that have moved away from what is locked,
/// and images that were asked for in vain. Severities are as the plot has them.
pub fn review(topology: &Topology, answers: &Answers) -> Findings {
    let mut findings = Findings::new();
    for (image, fields) in topology.images() {
        let locked = image.digest().or_else(|| topology.lock().digest(&image));
        let (code, message, help) = match answers.get(&image) {
            Some(Ok(digest)) if locked.is_some_and(|locked| locked != digest) => (
                Code::ImageMoved,
                format!("{image} has moved: it is {digest} now, and not what is locked"),
                "`stageplot pin` takes what it is now; until then what is locked goes on running".to_owned(),
            ),
            Some(Err(error)) => {
                (Code::ImageUnresolved, format!("{image} is not known: {error}"), error.help())
            }
            Some(Ok(_)) | None => continue,
        };
        for field in fields {
            findings.add(code, field, &message, &help);
        }
    }
    topology.plot().apply_severity(&mut findings);
    findings
}
