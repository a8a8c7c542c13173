//! From a topology to bundles.

use std::collections::BTreeMap;

use stageplot_topology::{Attachment, Node, Topology};

use crate::artifact::{Artifact, Change, Owner};
use crate::bundle::Bundle;
use crate::compose::{Bridge, Project};
use crate::custom::{self, Custom};
use crate::kind::{self, Part, RestrictedPeers, Scene};
use crate::output::{OutputFile, PathError};
use crate::secrets::{Secrets, Values};
use crate::summary::Sealed;
use crate::template::{Template, Templates};
use crate::{RenderError, SealKey, Seals, firewall, judge, overview, parallel, system, yaml};

/// Everything rendered for a topology.
///
/// ```
/// use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let rendering = render(&topology, Secrets::SEALED, &Custom::default())?;
/// assert_eq!(rendering.bundles[0].node, "front");
/// assert!(rendering.overview.iter().any(|file| file.path == "runbook.md"));
/// println!("{} files, those of `front` in a directory of that name", rendering.files()?.len());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Rendering {
    /// One bundle for each node, by name.
    pub bundles: Vec<Bundle>,
    /// Files about the whole: DNS records, the runbook, the diagram.
    pub overview: Vec<Artifact>,
    /// The seals that it was rendered with.
    pub(crate) sealed: Option<Sealed>,
}

impl Rendering {
    /// All files as [`output::write`](crate::output::write()) takes them, those of a
    /// machine in a directory of its name.
    ///
    /// # Errors
    ///
    /// See [`PathError`]; what [`render`] made has none.
    pub fn files(&self) -> Result<Vec<OutputFile<'_>>, PathError> {
        let of_nodes = self.bundles.iter().flat_map(|bundle| {
            bundle.artifacts.iter().map(move |file| (format!("{}/{}", bundle.node, file.path), file))
        });
        let overview = self.overview.iter().map(|file| (file.path.clone(), file));
        of_nodes.chain(overview).map(|(path, file)| OutputFile::of(&path, file)).collect()
    }
}

/// Renders a topology.
///
/// The result depends on the arguments and on the version of this crate alone.
///
/// ```
/// use stageplot_render::{Custom, Secrets, render};
/// use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// let topology = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
///     .build()?
///     .topology;
/// let rendering = render(&topology, Secrets::SEALED, &Custom::default())?;
/// assert!(rendering.bundles[0].artifact("compose.yaml").is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
///
/// # Errors
///
/// [`RenderError`]: secrets that are missing, templates of the user's that fail,
/// values that a format cannot hold.
pub fn render(topology: &Topology, secrets: Secrets<'_>, custom: &Custom) -> Result<Rendering, RenderError> {
    let renderer = Renderer::new(topology, secrets, custom)?;
    let (bundles, overview) = renderer.everything(Ok::<_, RenderError>, Ok)?;
    Ok(Rendering { bundles, overview, sealed: renderer.values.with_seals().cloned() })
}

/// Renders node by node, for callers that want one, or not all at once.
///
/// ```
/// use stageplot_render::{Custom, Renderer, Secrets};
/// use stageplot_topology::{SecretError, SecretRef, SecretSource, SecretString};
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
///
/// struct Vault;
///
/// impl SecretSource for Vault {
///     fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
///         Ok("correct horse battery staple".to_owned().into())
///     }
/// }
///
/// # let redis = Redis { password: Some(SecretRef::env("REDIS_PASSWORD")), ..Redis::default() };
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", redis)
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let custom = Custom::default();
/// let renderer = Renderer::new(&topology, Secrets::From(&Vault), &custom)?;
/// let front = topology.node_named("front").ok_or("a node")?;
/// let bundle = renderer.bundle(front)?;
/// assert_eq!(bundle.node, "front");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Renderer<'a> {
    topology: &'a Topology,
    values: Values,
    templates: Templates,
    restricted: RestrictedPeers,
    custom: &'a Custom,
}

impl<'a> Renderer<'a> {
    /// Loads templates and asks for all secrets.
    ///
    /// # Errors
    ///
    /// As for [`render`].
    pub fn new(
        topology: &'a Topology,
        secrets: Secrets<'_>,
        custom: &'a Custom,
    ) -> Result<Self, RenderError> {
        let templates = Templates::new(all_templates()).map_err(RenderError::Templates)?;
        let templates = match custom.templates.is_empty() {
            true => templates,
            false => templates.with_overrides(custom.templates.clone()).map_err(RenderError::Templates)?,
        };
        let unwritable = judge::judge(topology);
        if unwritable.has_errors() {
            return Err(unwritable.into());
        }
        let values = Values::collect(topology, secrets)?;
        Ok(Self { topology, values, templates, restricted: RestrictedPeers::new(topology), custom })
    }

    /// What there is to say of the secrets' values that is no error.
    pub fn findings(&self) -> &stageplot_topology::Findings {
        self.values.findings()
    }

    /// The seals of the secrets' values, to hold against those that are committed;
    /// none where it renders names and not values.
    ///
    /// ```
    /// use stageplot_render::{Custom, Renderer, SealKey, Secrets};
    /// use stageplot_topology::{SecretError, SecretRef, SecretSource, SecretString};
    /// # use stageplot_topology::{NodeSpec, Plot, Redis};
    ///
    /// struct Vault;
    ///
    /// impl SecretSource for Vault {
    ///     fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
    ///         Ok("correct horse battery staple".to_owned().into())
    ///     }
    /// }
    ///
    /// # let redis = Redis { password: Some(SecretRef::env("REDIS_PASSWORD")), ..Redis::default() };
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", redis)
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// let custom = Custom::default();
    /// let renderer = Renderer::new(&topology, Secrets::From(&Vault), &custom)?;
    /// assert!(renderer.findings().is_empty());
    /// let key = SealKey::parse("7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47")?;
    /// let present = renderer.seals(&key).ok_or("it renders values")?;
    /// // Held against those that are committed: here against the same.
    /// assert!(present.review(&topology, Some(&present)).is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn seals(&self, key: &SealKey) -> Option<Seals> {
        (!self.values.is_sealed()).then(|| self.values.seals(self.topology, key))
    }

    /// The bundle of one node.
    ///
    /// # Errors
    ///
    /// As for [`render`].
    pub fn bundle(&self, node: &Node) -> Result<Bundle, RenderError> {
        let topology = self.topology;
        let (project, mut artifacts) = self.project(node)?;
        if !project.services.is_empty() {
            let compose =
                format!("# Rendered: change the stage plot, not this file.\n{}", yaml::to_string(&project)?);
            artifacts.push(Artifact::private("compose.yaml", compose, Owner::ROOT).changes(Change::Live));
        }
        artifacts.extend(firewall::render(topology, node.id, &self.templates)?);
        let sealed = self.values.is_sealed();
        artifacts.push(overview::readme(topology, node, &self.templates, &project, sealed)?);
        artifacts.extend(self.custom.of_node(topology, node)?);
        let system = system::render(topology, node.id, &self.templates, &project, &artifacts, sealed)?;
        artifacts.extend(system);
        if !self.custom.sources.is_empty() {
            custom::check_places(node, &artifacts)?;
        }
        Bundle::new(node.name.to_string(), artifacts, &project, !self.values.are_told())
    }

    /// What a node runs, and the files of its services.
    pub(crate) fn project(&self, node: &Node) -> Result<(Project, Vec<Artifact>), RenderError> {
        let topology = self.topology;
        let mut artifacts = Vec::new();
        let mut project = Project {
            name: topology.name().to_string(),
            services: BTreeMap::new(),
            networks: BTreeMap::new(),
        };
        let mut bridged = false;
        for placement in topology.placements_on(node.id) {
            let service = topology.service(placement.service);
            let extra = &self.custom.of_service(topology, node, service)?;
            let Self { values, templates, restricted, .. } = self;
            let Part { artifacts: files, container } = kind::render(Scene {
                topology,
                node,
                service,
                placement,
                values,
                templates,
                restricted,
                extra,
            })?;
            artifacts.extend(files);
            if let Some(container) = container {
                bridged |= placement.attachment == Attachment::Bridge;
                project.insert(service, container);
            }
        }
        if bridged {
            project
                .networks
                .insert("default", Bridge::new(topology, topology.plot().bridge.ipv6 && node.has_v6()));
        }
        Ok((project, artifacts))
    }

    /// The bundles of several nodes, rendered on all cores. Each is handed over as
    /// soon as it is done, so that no more than a few need to be held; what `each`
    /// makes of them comes back in the order of the nodes.
    ///
    /// ```
    /// use stageplot_render::{Custom, RenderError, Renderer, Secrets};
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// let custom = Custom::default();
    /// let renderer = Renderer::new(&topology, Secrets::SEALED, &custom)?;
    /// // What is made of a bundle here may as well be an upload.
    /// let sizes = renderer.bundles(topology.nodes(), |bundle| Ok::<_, RenderError>(bundle.artifacts.len()))?;
    /// assert_eq!(sizes.len(), topology.nodes().len());
    /// assert!(!renderer.overview()?.is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`render`], or an error of `each`: that of the first node that has one.
    pub fn bundles<T, E>(
        &self,
        nodes: &[Node],
        each: impl Fn(Bundle) -> Result<T, E> + Sync,
    ) -> Result<Vec<T>, E>
    where
        T: Send,
        E: From<RenderError> + Send,
    {
        parallel::map(nodes, |node| each(self.bundle(node)?))
    }

    /// The bundles of all nodes, as [`bundles`](Self::bundles) has them, and the files about the whole
    /// beside them; what `each` and `whole` make of them.
    ///
    /// ```
    /// use stageplot_render::{Custom, RenderError, Renderer, Secrets};
    /// # use stageplot_topology::*;
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("cache", Redis::default())
    /// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    /// #     .build()?
    /// #     .topology;
    /// let custom = Custom::default();
    /// let renderer = Renderer::new(&topology, Secrets::SEALED, &custom)?;
    /// let (nodes, files) =
    ///     renderer.everything(|bundle| Ok::<_, RenderError>(bundle.node), |files| Ok(files.len()))?;
    /// assert_eq!(nodes, ["front"]);
    /// assert_eq!(files, renderer.overview()?.len());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`bundles`](Self::bundles), and then an error of `whole`.
    pub fn everything<T, U, E>(
        &self,
        each: impl Fn(Bundle) -> Result<T, E> + Sync,
        whole: impl Fn(Vec<Artifact>) -> Result<U, E> + Sync,
    ) -> Result<(Vec<T>, U), E>
    where
        T: Send,
        U: Send,
        E: From<RenderError> + Send,
    {
        let bundles = || self.bundles(self.topology.nodes(), each);
        let (bundles, overview) = parallel::both(bundles, || whole(self.overview()?));
        Ok((bundles?, overview?))
    }

    /// The files about the whole.
    ///
    /// # Errors
    ///
    /// As for [`render`].
    pub fn overview(&self) -> Result<Vec<Artifact>, RenderError> {
        overview::render(self.topology, &self.templates, self.values.with_seals())
    }
}

/// Every template of ours; a test holds each against what it is given.
fn all_templates() -> impl Iterator<Item = Template> {
    [kind::TEMPLATES, firewall::TEMPLATES, system::TEMPLATES, overview::TEMPLATES]
        .into_iter()
        .flatten()
        .cloned()
}

/// The names of the templates that a user may put another text in the place of.
///
/// ```
/// use stageplot_render::template_names;
///
/// let names = template_names();
/// assert!(names.is_sorted() && names.iter().any(|name| name == "Caddyfile"));
/// ```
pub fn template_names() -> Vec<String> {
    let mut names: Vec<_> = all_templates().map(|template| template.name().to_owned()).collect();
    names.sort();
    names
}
