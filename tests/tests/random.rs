//! Random topologies: what is rendered for any of them is the same each time, and is
//! accepted by the programs that read it.
//!
//! `STAGEPLOT_CASES` sets how many are tried.

use std::cell::Cell;
use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;
use std::time::Duration;

use proptest::strategy::Strategy as _;
use stageplot_render::{Custom, Rendering, Secrets, bridge_name, render};
use stageplot_tests::{
    Declared, Engine, Image, Missing, Namespace, Program, Root, Running, Scratch, Stage, Station, Vault,
    caddy_validate, compose_config, kernel_settings, nft_load, nginx_test, random, run, sh_read, sysctl_load,
    systemd_verify, ufw_load, units, want, write_bundle,
};
use stageplot_topology::{Livekit, Service, ServiceSpec, Topology, arbitrary};

const SOON: Duration = Duration::from_secs(20);

#[test]
fn files_are_accepted() {
    let caddy = want!(Program::named("caddy-l4"));
    let nginx = want!(Program::named("nginx"));
    let mut composes = Vec::new();
    for version in Program::versions("compose") {
        composes.push(want!(Program::versioned("compose", version)));
    }
    want!(found(&["nft", "openssl", "sysctl", "systemd-analyze", "ufw"]));
    let (files, guarded) = (Cell::new(0), Cell::new(0));
    let tried = random(16, file!()).run(&arbitrary::topology(), |topology| {
        let stage = stage(&topology);
        for (node, station) in stage.stations() {
            let installed = station.installed();
            for service in station.services("edge") {
                let root = station.root(service).expect("found before");
                let said = caddy_validate(station, &root, &caddy);
                assert!(said.succeeded(), "{node}: {}", said.stderr);
            }
            for service in station.services("rtmp") {
                let root = station.root(service).expect("found before");
                let said = nginx_test(station, &root, &nginx);
                assert!(said.succeeded(), "{node}: {}", said.stderr);
            }
            for compose in composes.iter().filter(|_| !installed.containers().is_empty()) {
                let said = compose_config(compose, installed);
                assert!(said.succeeded() && said.stderr.is_empty(), "{node}, {compose}: {}", said.stderr);
            }
            nft_load(station).success();
            nft_load(station).success();
            let said = sysctl_load(station, &kernel_settings(station));
            assert!(said.succeeded() && said.stderr.is_empty(), "{node}: {said:?}");
            let root = Root::new().expect("found before");
            root.bind(&installed.directory(), &format!("{}/{}", topology.plot().root, topology.name()));
            let said = systemd_verify(station, &root, &units(station));
            assert!(said.succeeded() && said.stderr.is_empty(), "{node}: {said:?}");
            if let Some(said) = ufw_load(station, &root) {
                assert!(said.succeeded(), "{node}: {said:?}");
                // Again, it has nothing to do.
                let again = ufw_load(station, &root).expect("a script");
                assert!(again.succeeded() && again.stdout.is_empty(), "{node}: {again:?}");
                guarded.set(guarded.get() + 1);
            }
            for script in installed.bundle().artifacts.iter().filter(|file| file.path.ends_with(".sh")) {
                sh_read(station, &script.path).success();
            }
            files.set(files.get() + installed.bundle().artifacts.len());
        }
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    println!("{} files, {} machines with ufw", files.get(), guarded.get());
    assert!(guarded.get() > 0 || std::env::var_os("STAGEPLOT_CASES").is_some());
}

/// Every container is made and started, by both majors of Compose, of images that stand in
/// for those that the plot names.
#[test]
fn containers_are_brought_up() {
    for version in Program::versions("compose") {
        want!(Program::versioned("compose", version));
    }
    want!(Namespace::new("probe"));
    let (started, turn) = (Cell::new(0), Cell::new(0));
    let tried = random(4, file!()).run(&arbitrary::topology(), |topology| {
        let stage = stage(&topology);
        let containers = |station: &Station| station.installed().containers().len();
        let Some((node, station)) = stage.stations().max_by_key(|(_, station)| containers(station)) else {
            return Ok(());
        };
        let declared = station.installed().containers();
        let stand_in = |(service, container): (&String, &Declared)| {
            (container.image.clone(), Image::in_place_of(&topology, service, &container.image))
        };
        let images: BTreeMap<String, String> = declared.iter().map(stand_in).collect();
        let load: BTreeSet<&str> = images.values().map(String::as_str).collect();
        let machine = station.machine();
        // Docker makes the network itself.
        machine.ip(&["link", "delete", &bridge_name(&topology)]);
        let engine = Engine::start(machine, &load.into_iter().collect::<Vec<_>>()).expect("found before");
        for (image, stand_in) in images.iter().filter(|(image, stand_in)| image != stand_in) {
            engine.docker(&["tag", stand_in, image]).success();
        }
        let scratch = Scratch::new();
        let (copied, installed) = (scratch.path().join("copied"), scratch.path().join("installed"));
        write_bundle(station.installed().bundle(), &copied);
        run(Command::new("sh").arg(copied.join("install.sh")).arg(&installed), SOON).success();
        let project = ["--project-directory", ".", "--file", "current/compose.yaml"];
        // Each major in its turn, and each time an engine of its own: one that has just
        // taken containers down may hold on to their ports for a moment.
        let versions: Vec<_> = Program::versions("compose").collect();
        let version = versions[turn.get() % versions.len()];
        turn.set(turn.get() + 1);
        let compose = |words: &[&str]| engine.compose(version, &[&project, words].concat(), &installed);
        let up = compose(&["up", "--detach"]);
        let file = || std::fs::read_to_string(installed.join("current/compose.yaml")).unwrap_or_default();
        assert!(up.succeeded(), "{node}, {version}: {}\n{}", up.stderr, file());
        let made = compose(&["ps", "--all", "--format", "{{.Service}}"]).success();
        assert_eq!(made.lines().count(), declared.len(), "{node}, {version}: {made}");
        started.set(started.get() + declared.len());
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    println!("{} containers", started.get());
    assert!(started.get() > 0 || std::env::var_os("STAGEPLOT_CASES").is_some());
}

#[test]
fn servers_start() {
    let redis = want!(Program::named("redis-server"));
    let postgres = want!(Program::named("postgres"));
    for version in Program::versions("livekit-server") {
        want!(Program::versioned("livekit-server", version));
    }
    want!(found(&["curl", "openssl"]));
    // Here is no STUN server to ask, no external Redis, and nothing that translates
    // addresses between machines.
    let alone = arbitrary::topology().prop_filter_map("servers of its own", |topology| {
        let mut plot = topology.plot().clone();
        for public in plot.nodes.values_mut().filter_map(|node| node.public.as_mut()) {
            public.bound = true;
        }
        let mut external = false;
        for service in plot.services.values_mut() {
            match service {
                ServiceSpec::Livekit(livekit) => livekit.use_external_ip = false,
                service => external |= service.is_external(),
            }
        }
        let built = plot.build().ok().filter(|_| !external)?.topology;
        let databases = |service: &Service| matches!(service.kind.kind(), "redis" | "postgres");
        built.services().iter().any(databases).then_some(built)
    });
    let started = Cell::new(0);
    let tried = random(6, file!()).run(&alone, |topology| {
        let stage = stage(&topology);
        let mut caches = start(&stage, "redis", |_| redis.clone());
        for (.., cache) in &mut caches {
            cache.process.wait_until("ready", SOON, |cache| cache.output().contains("Ready to accept"));
        }
        let server = |service: &str| {
            let version = livekit(&topology, service).version.to_string();
            Program::versioned("livekit-server", &version).expect("found before")
        };
        // A replica is ready when it has copied its primary.
        let mut databases = start(&stage, "postgres", |_| postgres.clone());
        for (.., database) in &mut databases {
            let ready = "database system is ready to accept";
            database.process.wait_until("ready", SOON, |database| {
                // The server of the first start is there for its scripts alone.
                let said = database.output();
                let begun = said.rsplit("ready for start up.").next().unwrap_or_default();
                said.contains(ready) && begun.contains(ready)
            });
        }
        started.set(started.get() + databases.len());
        for (station, service, mut running) in start(&stage, "livekit", server) {
            let url = format!("http://127.0.0.1:{}/", livekit(&topology, service).port);
            let get = || station.machine().run("curl", &["--silent", "--fail", &url]);
            running.process.wait_for("well", SOON, || get().succeeded());
            // Told to end within a second of its start, it drains forever.
            running.process.kill();
            started.set(started.get() + 1);
        }
        started.set(started.get() + caches.len());
        Ok(())
    });
    tried.unwrap_or_else(|error| panic!("{error}"));
    println!("{} servers", started.get());
}

/// Rendered twice, for the one must be the other.
fn rendered(topology: &Topology) -> Rendering {
    let vault = Vault::new(topology).expect("found before");
    let once = || render(topology, Secrets::From(&vault), &Custom::default());
    let (one, other) = (once().expect("a rendering"), once().expect("a rendering"));
    assert!(one.bundles == other.bundles && one.overview == other.overview, "not the same twice");
    one
}

fn stage(topology: &Topology) -> Stage {
    Stage::new(topology, &rendered(topology)).expect("found before")
}

/// Starts every service of a kind, each by its program.
fn start<'a>(
    stage: &'a Stage,
    kind: &str,
    program: impl Fn(&str) -> Program,
) -> Vec<(&'a Station, &'a str, Running)> {
    let mut all = Vec::new();
    for (_, station) in stage.stations() {
        for service in station.services(kind) {
            let running = station.start(service, &program(service)).expect("found before");
            all.push((station, service, running));
        }
    }
    all
}

fn livekit<'a>(topology: &'a Topology, service: &str) -> &'a Livekit {
    match &topology.service_named(service).expect("a service").kind {
        ServiceSpec::Livekit(livekit) => livekit,
        other => panic!("{service} is {}", other.kind()),
    }
}

/// Whether all that a case needs is here.
fn found(programs: &[&str]) -> Result<(), Missing> {
    Namespace::new("probe")?;
    programs.iter().try_for_each(|program| Program::named(program).map(drop))
}
