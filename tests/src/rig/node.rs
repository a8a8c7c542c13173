//! The machine of one node: an engine, and a place for its bundle.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use stageplot_render::Bundle;
use stageplot_topology::Topology;

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
            let stand_in = Image::in_place_of(topology, &service, &declared.image);
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
