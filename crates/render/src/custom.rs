//! What the user puts in the place of, or beside, what is rendered.

use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::fmt;
use std::sync::Arc;

use stageplot_topology::{Node, Service, Topology};

use crate::RenderError;
use crate::artifact::Artifact;
use crate::bundle::Manifest;
use crate::output::{OutputFile, OutputPath};

/// What the user puts in the place of, or beside, what is rendered.
///
/// ```
/// use stageplot_render::{Custom, Secrets, render, template_names};
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// assert!(template_names().iter().any(|name| name == "runbook.md"));
/// let custom = Custom::default().template("runbook.md", "Call the one on duty.\n");
/// let rendering = render(&topology, Secrets::SEALED, &custom)?;
/// let runbook = rendering.overview.iter().find(|file| file.path == "runbook.md").ok_or("a runbook")?;
/// assert_eq!(runbook.bytes, b"Call the one on duty.\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Default)]
#[non_exhaustive]
pub struct Custom {
    /// Templates that take the place of ours, by name; [`template_names`](crate::template_names)
    /// has those that there are.
    pub templates: BTreeMap<String, String>,
    /// What adds files to the bundles.
    pub sources: Vec<Arc<dyn ArtifactSource>>,
}

impl Custom {
    /// Puts a template in the place of ours.
    ///
    /// ```
    /// use stageplot_render::{Custom, RenderError, Secrets, render};
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// // A template that does not load is told of by its place.
    /// let custom = Custom::default().template("runbook.md", "{{ plot.nmae }\n");
    /// let error = render(&topology, Secrets::SEALED, &custom).expect_err("a brace is missing");
    /// assert!(matches!(error, RenderError::Templates(errors) if errors.len() == 1));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn template(mut self, name: impl Into<String>, text: impl Into<String>) -> Self {
        self.templates.insert(name.into(), text.into());
        self
    }

    /// Adds files to the bundles.
    ///
    /// ```
    /// use stageplot_render::{Artifact, ArtifactSource, Custom, Secrets, SourceError, render};
    /// use stageplot_topology::{Node, Service, Topology};
    ///
    /// /// An access list beside each Redis' own files.
    /// struct Users;
    ///
    /// impl ArtifactSource for Users {
    ///     fn of_service(&self, _: &Topology, _: &Node, service: &Service) -> Result<Vec<Artifact>, SourceError> {
    ///         let is_redis = service.kind.kind() == "redis";
    ///         Ok(is_redis.then(|| Artifact::open("users.acl", "user default off\n")).into_iter().collect())
    ///     }
    /// }
    ///
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// let rendering = render(&topology, Secrets::SEALED, &Custom::default().source(Users))?;
    /// assert!(rendering.bundles[0].artifacts.iter().any(|file| file.path.ends_with("/users.acl")));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    #[must_use]
    pub fn source(mut self, source: impl ArtifactSource + 'static) -> Self {
        self.sources.push(Arc::new(source));
        self
    }

    /// The files that are added to a node's own.
    pub(crate) fn of_node(&self, topology: &Topology, node: &Node) -> Result<Vec<Artifact>, RenderError> {
        let files = self.all(&node.name, |source| source.of_node(topology, node))?;
        for file in &files {
            let mounted = ["services/", "live/", "data/"].iter().any(|dir| file.path.starts_with(dir));
            if mounted {
                let why =
                    "containers mount what is in this directory; give a service its files with of_service";
                return Err(refused(node, file, why));
            }
            check(node, file)?;
        }
        Ok(files)
    }

    /// The files that are added to those of a service on a node.
    pub(crate) fn of_service(
        &self,
        topology: &Topology,
        node: &Node,
        service: &Service,
    ) -> Result<Vec<Artifact>, RenderError> {
        let of = format_args!("{} on {}", service.name, node.name);
        let files = self.all(&of, |source| source.of_service(topology, node, service))?;
        files.iter().try_for_each(|file| check(node, file))?;
        Ok(files)
    }

    fn all(
        &self,
        of: &dyn fmt::Display,
        files: impl Fn(&dyn ArtifactSource) -> Result<Vec<Artifact>, SourceError>,
    ) -> Result<Vec<Artifact>, RenderError> {
        let mut all = Vec::new();
        for source in &self.sources {
            let made = files(&**source);
            all.extend(made.map_err(|error| RenderError::Source { of: of.to_string(), error })?);
        }
        Ok(all)
    }
}

impl fmt::Debug for Custom {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Custom")
            .field("templates", &self.templates)
            .field("sources", &self.sources.len())
            .finish()
    }
}

/// Adds files to the bundles, made from the topology.
///
/// A file is an [`Artifact`]: it has a place in the manifest, is put in place by
/// `install.sh` with its mode and owner, and a diff tells what its change does.
/// Files must follow from the arguments alone, so that rendering stays
/// deterministic, and hold no secrets, which a sealed rendering would show.
///
/// Nodes may be rendered on several threads at once.
///
/// ```
/// use stageplot_render::{Artifact, ArtifactSource, Custom, Secrets, SourceError, render};
/// use stageplot_topology::{Node, NodeSpec, Plot, Redis, Topology};
///
/// /// A message that a machine greets with.
/// struct Greeting;
///
/// impl ArtifactSource for Greeting {
///     fn of_node(&self, topology: &Topology, node: &Node) -> Result<Vec<Artifact>, SourceError> {
///         Ok(vec![Artifact::open("system/motd", format!("{} of {}\n", node.name, topology.name()))])
///     }
/// }
///
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let custom = Custom::default().source(Greeting);
/// let rendering = render(&topology, Secrets::SEALED, &custom)?;
/// let greeting = rendering.bundles[0].artifact("system/motd").expect("a file");
/// assert_eq!(greeting.bytes, b"front of live\n");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait ArtifactSource: Send + Sync {
    /// Files for a machine, or for a person there. Their paths are those in the
    /// bundle.
    ///
    /// # Errors
    ///
    /// Why they cannot be made.
    fn of_node(&self, topology: &Topology, node: &Node) -> Result<Vec<Artifact>, SourceError> {
        let _ = (topology, node);
        Ok(Vec::new())
    }

    /// Files for a service on a node, added to its own: by names that ours do not
    /// have, relative to the directory where the service finds them.
    ///
    /// | service | finds them in | and is, when one changes, |
    /// |---|---|---|
    /// | edge | `/etc/caddy` | told to load them |
    /// | LiveKit | `/etc/livekit` | given a new container |
    /// | Redis | `/usr/local/etc/redis` | given a new container |
    /// | Postgres | `/etc/postgresql` | given a new container |
    /// | app | `/etc/NAME`, with its own name | given a new container |
    /// | app that the user runs | `live/NAME` beside its `env` | started again |
    ///
    /// # Errors
    ///
    /// Why they cannot be made.
    fn of_service(
        &self,
        topology: &Topology,
        node: &Node,
        service: &Service,
    ) -> Result<Vec<Artifact>, SourceError> {
        let _ = (topology, node, service);
        Ok(Vec::new())
    }
}

/// Why files of one's own cannot be made: any error.
///
/// See [`RenderError`].
pub type SourceError = Box<dyn Error + Send + Sync>;

/// Refuses what could not be a file of a bundle.
fn check(node: &Node, file: &Artifact) -> Result<(), RenderError> {
    if let Err(error) = OutputFile::new(&file.path, &[], file.mode) {
        return Err(refused(node, file, error));
    }
    if file.path.contains(char::is_control) {
        return Err(refused(node, file, "its path has control characters"));
    }
    Ok(())
}

/// Refuses files that are in each other's place.
pub(crate) fn check_places(node: &Node, artifacts: &[Artifact]) -> Result<(), RenderError> {
    let mut places = BTreeSet::from([Manifest::PATH]);
    for file in artifacts {
        if !places.insert(&file.path) {
            return Err(refused(node, file, "two files have this path; give your own another"));
        }
    }
    for file in artifacts {
        let path = OutputPath::parse(&file.path).map_err(|error| refused(node, file, error))?;
        if let Some(above) = path.ancestors().find(|above| places.contains(above)) {
            return Err(refused(node, file, format_args!("{above} is a file; give your own another path")));
        }
    }
    Ok(())
}

fn refused(node: &Node, file: &Artifact, why: impl fmt::Display) -> RenderError {
    RenderError::Artifact { node: node.name.to_string(), path: file.path.clone(), why: why.to_string() }
}
