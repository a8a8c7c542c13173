//! Files of one's own in the bundles.

use std::sync::Mutex;

use stageplot_render::diff::{self, Impact, Side};
use stageplot_render::{
    Artifact, ArtifactSource, Bundle, Custom, Owner, RenderError, Secrets, SourceError, render,
};
use stageplot_topology::{
    App, Edge, Livekit, Node, NodeSpec, Plot, Redis, Run, SecretRef, Service, Topology,
};

/// Gives every node and every service the same file.
struct Same {
    of_node: Option<Artifact>,
    of_service: Option<(&'static str, Artifact)>,
}

impl Same {
    fn of_node(file: Artifact) -> Custom {
        Custom::default().source(Self { of_node: Some(file), of_service: None })
    }

    fn of_service(service: &'static str, file: Artifact) -> Custom {
        Custom::default().source(Self { of_node: None, of_service: Some((service, file)) })
    }
}

impl ArtifactSource for Same {
    fn of_node(&self, _: &Topology, _: &Node) -> Result<Vec<Artifact>, SourceError> {
        Ok(self.of_node.iter().cloned().collect())
    }

    fn of_service(&self, _: &Topology, _: &Node, service: &Service) -> Result<Vec<Artifact>, SourceError> {
        let mine = self.of_service.iter().filter(|(name, _)| service.name.as_str() == *name);
        Ok(mine.map(|(_, file)| file.clone()).collect())
    }
}

fn topology() -> Topology {
    let app = App { image: "registry.example.com/rooms:1".parse().ok(), ..App::default() };
    let livekit = Livekit {
        keys: [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into(),
        ..Livekit::default()
    };
    let roles = ["edge", "sfu", "cache", "rooms", "own"];
    Plot::new("live".parse().expect("a name"))
        .service("edge", Edge::new("live.example.com".parse().expect("a host")))
        .service("sfu", livekit)
        .service("cache", Redis::default())
        .service("rooms", app)
        .service("own", App { run: Some(Run::Host), ..App::default() })
        .node("front", {
            roles
                .into_iter()
                .fold(NodeSpec::public("203.0.113.10".parse().expect("an address")), NodeSpec::role)
        })
        .build()
        .expect("a sound plot")
        .topology
}

fn bundle(custom: &Custom) -> Result<Bundle, RenderError> {
    let mut rendering = render(&topology(), Secrets::SEALED, custom)?;
    Ok(rendering.bundles.remove(0))
}

fn text(bundle: &Bundle, path: &str) -> String {
    String::from_utf8(bundle.artifact(path).expect(path).bytes.clone()).expect("text")
}

#[test]
fn a_nodes_file_is_in_the_manifest_and_put_in_place() {
    let file = Artifact::private("monitoring/it's.json", "{}", Owner::new(65534, 65534));
    let bundle = bundle(&Same::of_node(file)).expect("a bundle");
    let manifest: serde_json::Value = serde_json::from_str(&text(&bundle, "manifest.json")).expect("JSON");
    let entry = &manifest["files"]["monitoring/it's.json"];
    assert_eq!((&entry["mode"], &entry["owner"]), (&"0400".into(), &"65534:65534".into()));
    assert!(text(&bundle, "install.sh").contains(r#""$1" 'monitoring/it'\''s.json' '65534:65534' '0400'"#));
}

#[test]
fn a_services_file_is_where_the_service_finds_it() {
    for (service, beside, mounted) in [
        ("edge", "live/edge/", "/etc/caddy"),
        ("sfu", "services/sfu/", "/etc/livekit"),
        ("cache", "services/cache/", "/usr/local/etc/redis"),
        ("rooms", "services/rooms/", "/etc/rooms"),
        ("own", "live/own/", ""),
    ] {
        let bundle =
            bundle(&Same::of_service(service, Artifact::open("extra/words", "x"))).expect("a bundle");
        let file = bundle.artifacts.iter().find(|file| file.path.ends_with("/extra/words")).expect(service);
        assert!(file.path.starts_with(beside), "{}", file.path);
        assert_eq!(file.service.as_deref(), Some(service));
        if !mounted.is_empty() {
            let source = file.path.trim_end_matches("/extra/words");
            let mount = format!("source: ./{source}\n      target: {mounted}\n");
            assert!(text(&bundle, "compose.yaml").contains(&mount), "{mount}");
        }
    }
}

#[test]
fn a_diff_tells_what_a_change_does() {
    let topology = topology();
    let side = |custom: &Custom| {
        let rendering = render(&topology, Secrets::SEALED, custom).expect("it renders");
        Side::of(&topology, rendering).expect("a side")
    };
    let one = side(&Same::of_service("rooms", Artifact::open("words", "one")));
    let two = side(&Same::of_service("rooms", Artifact::open("words", "two")));
    assert_eq!(diff::between(&one, &two).impact, Impact::Recreate);
    let one = side(&Same::of_node(Artifact::open("words", "one")));
    let two = side(&Same::of_node(Artifact::open("words", "two")));
    assert_eq!(diff::between(&one, &two).impact, Impact::Live);
}

#[test]
fn what_cannot_be_in_a_bundle_is_refused() {
    for (file, says) in [
        (Artifact::open("compose.yaml", ""), "two files have this path"),
        (Artifact::open("manifest.json", ""), "two files have this path"),
        (Artifact::open("install.sh", ""), "two files have this path"),
        (Artifact::open("firewall", ""), "firewall is a file"),
        (Artifact::open("install.sh/words", ""), "install.sh is a file"),
        (Artifact::open("manifest.json/words", ""), "manifest.json is a file"),
        (Artifact::open("services/rooms/words", ""), "of_service"),
        (Artifact::open("live/edge/words", ""), "of_service"),
        (Artifact::open("../words", ""), "has a component `.` or `..`"),
        (Artifact::open("/etc/words", ""), "it is absolute"),
        (Artifact::open("", ""), "it is empty"),
        (Artifact::open("a\nb", ""), "control characters"),
        (Artifact::open("file", "").mode(0o4755), "bits beyond 0o777"),
    ] {
        let path = file.path.clone();
        let error = bundle(&Same::of_node(file)).expect_err(&path);
        let RenderError::Artifact { node, path: refused, why } = error else { panic!("{error}") };
        assert!(node == "front" && refused.starts_with(&path) && why.contains(says), "{refused}: {why}");
    }
    for (service, path) in
        [("sfu", "livekit.yaml"), ("cache", "redis.conf"), ("edge", "Caddyfile"), ("own", "env")]
    {
        let error = bundle(&Same::of_service(service, Artifact::open(path, ""))).expect_err(path);
        assert!(error.to_string().contains("two files have this path"), "{error}");
    }
    let error = bundle(&Same::of_service("rooms", Artifact::open("../words", ""))).expect_err("a path");
    assert!(error.to_string().contains("`..`"), "{error}");
}

#[test]
fn what_a_source_says_is_told() {
    struct Broken(Mutex<u32>);

    impl ArtifactSource for Broken {
        fn of_node(&self, _: &Topology, _: &Node) -> Result<Vec<Artifact>, SourceError> {
            *self.0.lock().expect("a count") += 1;
            Err("the inventory does not answer".into())
        }
    }

    let error = bundle(&Custom::default().source(Broken(Mutex::default()))).expect_err("an error");
    assert_eq!(
        error.to_string(),
        "the files of your own for front cannot be made: the inventory does not answer"
    );
}
