//! `stageplot pin`, and what `check` and `render` make of a lock file. The registry is
//! a few lines here; the real one is among the end-to-end tests.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::TcpListener;
use std::sync::{Arc, Mutex};
use std::thread;

use serde_json::Value;

use crate::place::{Ended, Place};

/// A registry on the loopback that has one manifest for each image and tag.
struct Registry {
    name: String,
    manifests: Arc<Mutex<BTreeMap<String, String>>>,
}

impl Registry {
    fn new() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let name = listener.local_addr().expect("an address").to_string();
        let manifests = Arc::new(Mutex::new(BTreeMap::<String, String>::new()));
        let held = Arc::clone(&manifests);
        thread::spawn(move || {
            for mut stream in listener.incoming().flatten() {
                let mut lines = BufReader::new(&stream).lines().map_while(Result::ok);
                let first = lines.next().unwrap_or_default();
                lines.by_ref().take_while(|line| !line.is_empty()).for_each(drop);
                let path = first.split(' ').nth(1).unwrap_or_default();
                let found = held.lock().expect("no poison").get(path).cloned();
                let (status, body) =
                    found.map_or(("404 Not Found", "{}".to_owned()), |body| ("200 OK", body));
                let kind = "application/vnd.oci.image.index.v1+json";
                let size = body.len();
                let head = format!("HTTP/1.1 {status}\r\nconnection: close\r\ncontent-type: {kind}\r\n");
                let _ = stream.write_all(format!("{head}content-length: {size}\r\n\r\n{body}").as_bytes());
            }
        });
        Self { name, manifests }
    }

    fn push(&self, image: &str, content: &str) {
        let (path, tag) = image.split_once(':').expect("a tag");
        let mut manifests = self.manifests.lock().expect("no poison");
        manifests.insert(format!("/v2/{path}/manifests/{tag}"), content.to_owned());
    }
}

/// A place with a plot that runs these images of a registry, and Redis from its mirror.
fn place(registry: &Registry, images: &[&str]) -> Place {
    let place = Place::new();
    plot(&place, registry, images, "");
    place
}

fn plot(place: &Place, registry: &Registry, images: &[&str], more: &str) {
    let name = &registry.name;
    let mut text = format!(
        "name = \"live\"\n[nodes.main]\naddress = \"10.0.0.1\"\nroles = [{}\"redis\"]\n[redis]\n\
         [access]\nssh = {{ from = \"10.0.0.0/8\" }}\n[registries]\n\"docker.io\" = \"{name}\"\n\"{name}\" = {{ http = true }}\n\
         [severity]\nplain-registry = \"allow\"\n{more}\n",
        (1..=images.len()).map(|n| format!("\"app-{n}\", ")).collect::<String>(),
    );
    for (n, image) in (1..).zip(images) {
        text.push_str(&format!("[services.app-{n}]\nkind = \"app\"\nimage = \"{name}/{image}\"\n"));
    }
    place.write("stageplot.toml", text);
}

/// Calls the command without the logins and proxies of whoever runs the tests.
fn run(place: &Place, args: &[&str]) -> Ended {
    let mut command = place.command(args);
    command.env("DOCKER_CONFIG", place.path()).env("NO_PROXY", "*");
    command.output().expect("the command runs").into()
}

#[test]
fn a_lock_is_written_whole_and_rendered() {
    let registry = Registry::new();
    registry.push("library/redis:7-alpine", "redis");
    let place = place(&registry, &["team/rooms:1"]);
    let ended = run(&place, &["pin"])
        .code(2)
        .says("error[image-unresolved]")
        .says("has no team/rooms with the tag 1");
    assert!(ended.err.contains("--> stageplot.toml:"), "{}", ended.err);
    assert_eq!(place.names(), ["stageplot.toml"]);

    registry.push("team/rooms:1", "rooms");
    run(&place, &["pin"]).code(0).says("Locked 2 images in stageplot.lock: 2 new");
    let lock = place.read("stageplot.lock");
    let expected = format!(
        "version = 1\n\n[images]\n\"redis:7-alpine\" = \"sha256:{}\"\n\"{}/team/rooms:1\" = \"sha256:{}\"\n",
        "34fb46c847bb9df96e5205a39d382f648a6e8dce1e014cd85b4ca6a88d88ed03",
        registry.name,
        "5d88c569d2370098e73150849dfd00558e22d05eb827ee0e2cfa3e4dc01e2227",
    );
    assert!(lock.starts_with("# Written by `stageplot pin`") && lock.ends_with(&expected), "{lock}");
    run(&place, &["pin"]).code(0).says("Locked 2 images in stageplot.lock: 2 as before");
    assert_eq!(place.read("stageplot.lock"), lock);

    run(&place, &["render", "--out", "rendered"]).code(0);
    let compose = place.read("rendered/main/compose.yaml");
    for line in lock.lines().filter(|line| line.contains("sha256:")) {
        let digest = line.rsplit('"').nth(1).expect("a digest");
        assert_eq!(compose.matches(digest).count(), 1, "{compose}");
    }
    assert!(
        compose.contains(&format!("image: \"{}/library/redis:7-alpine@sha256:", registry.name)),
        "{compose}"
    );
}

#[test]
fn what_is_locked_can_be_kept() {
    let registry = Registry::new();
    for image in ["library/redis:7-alpine", "a:1", "b:1"] {
        registry.push(image, "old");
    }
    let place = place(&registry, &["a:1"]);
    run(&place, &["pin"]).code(0);
    for image in ["library/redis:7-alpine", "a:1"] {
        registry.push(image, "new");
    }
    plot(&place, &registry, &["a:1", "b:1"], "image-unlocked = \"error\"");
    run(&place, &["check"]).code(2).prints("error[image-unlocked]").prints("b:1 is not locked");
    run(&place, &["pin", "--missing"]).code(0).says("Locked 3 images in stageplot.lock: 1 new, 2 as before");
    run(&place, &["check"]).code(0).prints("; 3 locked images, registries not asked (--online)\n");
    let ended =
        run(&place, &["check", "--online"]).code(0).prints("warning[image-moved]: redis:7-alpine has moved");
    assert!(ended.out.contains("2 warnings in stageplot.toml"), "{}", ended.out);
    run(&place, &["check", "--online", "--deny-warnings"]).code(2);

    plot(&place, &registry, &["b:1"], "");
    run(&place, &["check"])
        .code(0)
        .prints("\n2 locked images, registries not asked (--online)\n")
        .prints("info[lock-unused]")
        .prints("a:1 is locked, and the plot");
    let ended = run(&place, &["pin", "--format", "json"]).code(0);
    let summary: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(summary["removed"], serde_json::json!([format!("{}/a:1", registry.name)]));
    let redis = &summary["images"][0];
    assert_eq!(redis["image"], "redis:7-alpine");
    assert_ne!(redis["digest"], redis["before"]);
    run(&place, &["check", "--online"]).code(0).prints("; 2 locked images, registries asked\n");
}

#[test]
fn programs_are_told_whether_anybody_was_asked() {
    let registry = Registry::new();
    registry.push("library/redis:7-alpine", "redis");
    let place = place(&registry, &[]);
    run(&place, &["pin"]).code(0);
    for (args, online) in
        [(&["check", "--format", "json"][..], false), (&["check", "--online", "--format", "json"], true)]
    {
        let report: Value = serde_json::from_str(&run(&place, args).code(0).out).expect("JSON");
        assert_eq!((&report["locked"], &report["online"]), (&1.into(), &online.into()));
    }
}

#[test]
fn a_broken_lock_is_never_passed_over() {
    let registry = Registry::new();
    let place = place(&registry, &[]);
    let conflict = "version = 1\n\n[images]\n<<<<<<< ours\n\"redis:7-alpine\" = \"sha256:00\"\n=======\n";
    for (lock, says) in [
        (conflict, "stageplot.lock:4:"),
        (
            "version = 1\n[images]\n\"redis:7-alpine\" = \"sha256:00\"\n",
            "stageplot.lock:3:20: \"sha256:00\" is not a digest",
        ),
        ("version = 7\n", "reads locks of version 1"),
    ] {
        place.write("stageplot.lock", lock);
        for args in [&["check"][..], &["render", "--out", "rendered"], &["pin"]] {
            run(&place, args).code(1).says(says);
        }
        assert_eq!(place.read("stageplot.lock"), lock);
    }
    assert!(!place.at("rendered").exists());
}

#[test]
fn a_lock_belongs_to_one_plot() {
    let registry = Registry::new();
    registry.push("library/redis:7-alpine", "redis");
    let place = place(&registry, &[]);
    place.write("live.toml", place.read("stageplot.toml"));
    run(&place, &["pin", "live.toml"]).code(0).says("in live.lock");
    assert_eq!(place.names(), ["live.lock", "live.toml", "stageplot.toml"]);
    let ended = run(&place, &["check"]).code(0);
    assert!(!ended.out.contains("locked"), "{}", ended.out);
    // A plot that comes from nowhere has no place for one.
    let plot = std::fs::File::open(place.at("live.toml")).expect("a plot");
    let ended: Ended = place.command(&["pin", "-"]).stdin(plot).output().expect("the command runs").into();
    ended.code(1).says("standard input has no lock file");
}
