//! The machine of one node: an engine, and a place for its bundle.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use stageplot_render::Bundle;
use stageplot_topology::{Edge, ServiceSpec, Topology};

use super::app;
use super::wire::bind;
use crate::engine::Engine;
use crate::image::Image;
use crate::installed::Declared;
use crate::machine::Machine;
use crate::namespace::Namespace;
use crate::program::Missing;

/// Starts the engine of a node with the images that it runs, and gives its machine the
/// place where the plot has bundles installed.
pub(super) fn start(namespace: &Namespace, topology: &Topology, bundle: &Bundle) -> Result<Machine, Missing> {
    let declared = Declared::all(bundle, Path::new(""));
    let images: BTreeMap<_, _> = declared
        .into_iter()
        .map(|(service, declared)| {
            let stand_in = stand_in(topology, &service, &declared.image);
            (declared.image, stand_in)
        })
        .collect();
    let mut loaded: Vec<_> = images.values().map(String::as_str).collect();
    loaded.extend(app::on(topology, &bundle.node).map(|_| Image::ECHO));
    loaded.sort_unstable();
    loaded.dedup();
    // Earlier versions of Docker than 27 have to be told.
    let settings = match topology.plot().bridge.ipv6 {
        true => r#"{ "experimental": true, "ip6tables": true }"#,
        false => "{}",
    };
    let engine = Engine::configured(namespace, &loaded, settings)?;
    for (image, stand_in) in images.iter().filter(|(image, stand_in)| image != stand_in) {
        engine.docker(&["tag", stand_in, image]).success();
    }
    let machine = Machine::new(engine, &bundle.node);
    place(namespace, &machine.root(), Path::new(&topology.plot().root));
    Ok(machine)
}

/// The image that is run in the place of one that nobody can have here.
fn stand_in(topology: &Topology, service: &str, image: &str) -> String {
    let kind = topology.service_named(service).map(|service| &service.kind);
    let stand_in = match kind {
        _ if Image::named(image).is_ok() => image,
        Some(ServiceSpec::App(_)) => Image::ECHO,
        Some(ServiceSpec::Edge(Edge { layer4: true, .. })) => Image::CADDY_L4,
        Some(ServiceSpec::Edge(_)) => Image::CADDY,
        _ => image,
    };
    stand_in.to_owned()
}

/// Lets a machine see a directory at a place that this one may lack.
fn place(machine: &Namespace, directory: &Path, target: &Path) {
    let there = target.ancestors().find(|ancestor| ancestor.is_dir()).unwrap_or(target);
    if there != target {
        let missing = target.strip_prefix(there).unwrap_or(target);
        let skeleton = directory.with_extension("skeleton");
        fs::create_dir_all(skeleton.join(missing))
            .unwrap_or_else(|error| panic!("failed to make {}: {error}", skeleton.display()));
        let layers = format!("lowerdir={}:{}", skeleton.display(), there.display());
        let overlay = ["-t", "overlay", "overlay", "-o", &layers].map(AsRef::as_ref);
        machine.run("mount", &[&overlay[..], &[there.as_os_str()]].concat()).success();
    }
    bind(machine, directory, target);
}
