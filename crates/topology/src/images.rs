//! The images that a plot's containers run, and where each is pulled from.

use std::collections::BTreeMap;

use crate::plot::RegistrySpec;
use crate::resolve::service_path;
use crate::{Code, FieldPath, Findings, ImageRef, Registry, Topology};

impl Topology {
    /// Every image that containers of the plot run, as the plot names it, with the
    /// fields that do; in the order of images.
    ///
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot, Redis};
    ///
    /// let topology = Plot::new("live".parse()?)
    ///     .service("cache", Redis::default())
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    ///     .build()?
    ///     .topology;
    /// let images = topology.images();
    /// let (image, fields) = images.first_key_value().ok_or("one of Redis")?;
    /// assert_eq!((image.to_string(), fields[0].to_string()), ("redis:7-alpine".into(), "services.cache.image".into()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn images(&self) -> BTreeMap<ImageRef, Vec<FieldPath>> {
        let mut images = BTreeMap::<_, Vec<_>>::new();
        for service in &self.services {
            if let Some(image) = service.kind.image() {
                images.entry(image).or_default().push(service_path(&service.name).key("image"));
            }
        }
        images
    }

    /// How many images of the plot are locked.
    pub fn locked_count(&self) -> usize {
        self.images().keys().filter(|image| self.lock.digest(image).is_some()).count()
    }

    /// What Docker pulls for an image of the plot: from the mirror of its registry
    /// where there is one, and by its digest where the lock has one.
    ///
    /// ```
    /// use stageplot_topology::{Lock, NodeSpec, Plot, Redis, Registry, RegistrySpec};
    ///
    /// let mut plot = Plot::new("live".parse()?)
    ///     .service("cache", Redis::default())
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"));
    /// let mirror = RegistrySpec::Mirror("mirror.example.com:5000/hub".parse()?);
    /// plot.registries.insert(Registry::docker_hub(), mirror);
    /// let image = Redis::default().image;
    /// let mut lock = Lock::new();
    /// lock.insert(image.clone(), format!("sha256:{}", "5".repeat(64)).parse()?);
    /// let topology = plot.build()?.locked(lock)?.topology;
    ///
    /// assert_eq!(topology.source(&image).to_string(), "mirror.example.com:5000/hub/library/redis:7-alpine");
    /// assert!(topology.pulled(&image).to_string().starts_with("mirror.example.com:5000/hub/library/redis:7-alpine@sha256:"));
    /// assert!(!topology.is_plain_http(&topology.source(&image).registry()));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn pulled(&self, image: &ImageRef) -> ImageRef {
        let source = self.source(image);
        match (image.digest(), self.lock.digest(image)) {
            (None, Some(locked)) => source.pinned(locked.clone()),
            _ => source,
        }
    }

    /// Where an image of the plot is to be had: at the mirror of its registry where
    /// there is one, else where it says itself.
    pub fn source(&self, image: &ImageRef) -> ImageRef {
        match self.plot.registries.get(&image.registry()) {
            Some(RegistrySpec::Mirror(mirror)) => image.at(mirror),
            _ => image.clone(),
        }
    }

    /// Whether a registry is spoken to in plain HTTP because the plot says so.
    pub fn is_plain_http(&self, registry: &Registry) -> bool {
        matches!(self.plot.registries.get(registry), Some(RegistrySpec::Itself(access)) if access.http)
    }
}

/// Adds findings about registries.
pub(crate) fn review(topology: &Topology, findings: &mut Findings) {
    let images = topology.images();
    for (name, registry) in &topology.plot.registries {
        let path = FieldPath::root().key("registries").key(name.as_str());
        match registry {
            RegistrySpec::Itself(access) if access.http => findings.add(
                Code::PlainRegistry,
                path,
                format!(
                    "{name} is spoken to in plain HTTP: who is between can read passwords and change images"
                ),
                "give it a certificate, or at least pin every image",
            ),
            RegistrySpec::Mirror(mirror) => {
                let mut of_it = images.keys().filter(|image| image.registry() == *name);
                if let Some(image) = of_it.find(|image| image.at(mirror).is_too_long()) {
                    findings.add(
                        Code::InvalidValue,
                        path,
                        format!(
                            "{} is longer than the {} characters that Docker takes",
                            image.at(mirror),
                            ImageRef::MAX_NAME
                        ),
                        "let the mirror have its images below a shorter path",
                    );
                }
            }
            RegistrySpec::Itself(_) => {}
        }
    }
}
