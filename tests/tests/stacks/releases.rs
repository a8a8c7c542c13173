//! Releases: a change reaches exactly the containers that it concerns, and whatever
//! ends an installation leaves a whole release in place.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::Value;
use stageplot_render::{Bundle, Change, Custom, Manifest, Rendering};
use stageplot_tests::{
    Client, Engine, Image, Lan, Machine, Namespace, Process, Scratch, Visitor, on_front, render, render_with,
    run, wait_for, want, write_bundle,
};

const SERVICES: [&str; 4] = ["cache", "edge", "rooms", "sfu"];
const DOMAIN: &str = "live.example.com";
const SOON: Duration = Duration::from_secs(30);

const PASSWORD: &str = "first-password";
const ROTATED: &str = "second-password";

/// The services of the machine.
const STACK: &str = r#"
[services.edge]
kind = "edge"
domain = "live.example.com"
tls = "internal"

[services.rooms]
kind = "app"
image = "stageplot/echo:1"
port = 8080
health = "/health"
routes = ["/api/*", "/ws"]
needs = ["cache"]
env = { MODE = "one", PORT = "8080", REDIS_PASSWORD = { env = "REDIS_PASSWORD" } }

[services.sfu]
kind = "livekit"
keys = { main = { env = "LIVEKIT_API_SECRET" } }

[services.cache]
kind = "redis"
password = { env = "REDIS_PASSWORD" }
"#;

fn secrets(password: &str) -> [(&'static str, &str); 2] {
    [("LIVEKIT_API_SECRET", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4"), ("REDIS_PASSWORD", password)]
}

/// A reload takes up what only the edge reads, and closes nothing; a secret's new value
/// recreates what reads it, and no other; words do nothing. Data stays.
#[test]
fn a_change_reaches_what_it_concerns() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let visitor = want!(Visitor::new(&lan.machine("visitor", &["198.51.100.7/24"]), DOMAIN, "203.0.113.10"));
    let front = Machine::new(want!(Engine::start(&node, &Image::STACK)), "front");
    let installed = front.root().join("live");

    let plot = on_front(&front.root(), STACK);
    let first = render(&plot, &secrets(PASSWORD));
    front.bring_up(&first);
    wait_for("up", SOON, || redis(&front, PASSWORD, &["set", "kept", "yes"]) == "OK");
    let root = installed.join("data/edge/data/caddy/pki/authorities/local/root.crt");
    wait_for("an authority", SOON, || root.exists());
    visitor.trust(&root);
    let answered = |path: &str| visitor.curl(&[&format!("https://{DOMAIN}{path}")]).stdout;
    wait_for("answered", SOON, || answered("/api/").contains(r#""path":"/api/""#));

    let plot = plot.replace(r#"["/api/*", "/ws"]"#, r#"["/api/*", "/ws", "/extra/*"]"#);
    let routed = render(&plot, &secrets(PASSWORD));
    let changes = apply(&front, "a route", &first, &routed, &[]);
    assert_eq!(changes, [("edge".to_owned(), Change::Reload)].into());
    assert!(!answered("/extra/").contains(r#""path":"/extra/""#), "before the reload");
    let mut socket = visitor.socket(&format!("wss://{DOMAIN}/ws"));
    socket.wait_for("echoed", SOON);
    front.reload(&routed);
    assert!(answered("/extra/").contains(r#""path":"/extra/""#), "after the reload");
    stays_open(&mut socket);

    let rotated = render(&plot, &secrets(ROTATED));
    apply(&front, "a secret", &routed, &rotated, &["cache", "rooms", "sfu"]);
    wait_for("up again", SOON, || redis(&front, ROTATED, &["get", "kept"]) == "yes");
    assert!(redis(&front, PASSWORD, &["get", "kept"]).contains("WRONGPASS"));

    let mut custom = Custom::default();
    custom.templates.insert("README.md".to_owned(), "# Other words\n\n    sh install.sh\n".to_owned());
    let readme = render_with(&plot, &secrets(ROTATED), &custom);
    let bundle = front.bundle(&readme);
    assert_ne!(bundle.release, front.bundle(&rotated).release);
    front.bring_up(&readme);
    assert_eq!(current(&installed), bundle.release[..16]);
    apply(&front, "words", &readme, &rotated, &[]);

    wait_for("all well", SOON, || front.containers().values().all(|one| one.health == "healthy"));
    assert_eq!(redis(&front, ROTATED, &["get", "kept"]), "yes");
}

/// What `compose.yaml` says of a service reaches that service and no other: its image,
/// its port, its limits, the time that it is given to end.
#[test]
fn what_compose_says_of_a_service_reaches_that_service_alone() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let front = Machine::new(want!(Engine::start(&node, &Image::STACK)), "front");
    front.engine().docker(&["tag", "stageplot/echo:1", "stageplot/echo:2"]).success();

    let mut plot = on_front(&front.root(), STACK);
    let mut before = render(&plot, &secrets(PASSWORD));
    front.bring_up(&before);
    let keys = "keys = { main = { env = \"LIVEKIT_API_SECRET\" } }\n";
    let changes = [
        ("image", "stageplot/echo:1", "stageplot/echo:2".to_owned(), &["rooms"][..], &[][..]),
        ("a port, also in its environment", "8080", "8090".to_owned(), &["rooms"], &["edge"]),
        ("limits", keys, format!("{keys}limits = {{ memory = \"300mb\" }}\n"), &["sfu"], &[]),
        ("a drain", keys, format!("{keys}drain = {{ max = \"1m\" }}\n"), &["sfu"], &[]),
        (
            "Redis's port",
            "kind = \"redis\"",
            "kind = \"redis\"\nport = 6390".to_owned(),
            &["cache", "sfu"],
            &[],
        ),
    ];
    for (what, old, new, recreated, reloaded) in changes {
        assert!(plot.contains(old), "{what}");
        plot = plot.replace(old, &new);
        let after = render(&plot, &secrets(PASSWORD));
        let told = apply(&front, what, &before, &after, recreated);
        let reloads = told.iter().filter(|(_, change)| **change == Change::Reload);
        assert_eq!(reloads.map(|(name, _)| name.as_str()).collect::<Vec<_>>(), reloaded, "{what}");
        before = after;
    }
}

/// Whatever ends an installation, and whenever, one release is in place whole, and
/// the next installation does all that was to be done.
#[test]
fn a_killed_installation_leaves_a_whole_release() {
    const KILLS: u32 = 60;
    // To give files away takes root, as on a machine.
    want!(Namespace::new("root"));
    let scratch = Scratch::new();
    let text = on_front(&scratch.path().join("opt"), STACK);
    let installed = scratch.path().join("opt/live");
    let other = text.replace("MODE = \"one\"", "MODE = \"two\"").replace("/api/*", "/other/*");
    let releases = [&text, &other].map(|plot| render(plot, &secrets(PASSWORD)));
    let scripts = [0, 1].map(|index| {
        let directory = scratch.path().join(format!("upload-{index}"));
        write_bundle(&releases[index].bundles[0], &directory);
        directory.join("install.sh")
    });
    let ids = [0, 1].map(|index| &releases[index].bundles[0].release[..16]);
    let install = |index: usize| Process::start("install.sh", Command::new("sh").arg(&scripts[index]));
    let finish = |index: usize| {
        let ended = install(index).ended_within(SOON).expect("an end");
        assert!(ended.success());
        assert_eq!(current(&installed), ids[index]);
        holds(&installed, &releases[index]);
    };
    finish(0);
    let started = Instant::now();
    finish(1);
    let whole = started.elapsed();

    let mut seen = BTreeMap::new();
    for kill in 0..KILLS {
        let mut running = install(kill as usize % 2);
        std::thread::sleep(whole * kill / KILLS);
        running.kill();
        let current = current(&installed);
        let release = ids.iter().position(|id| *id == current).expect("one of the two");
        whole_release(&installed.join("current"), &releases[release]);
        *seen.entry(release == kill as usize % 2).or_insert(0) += 1;
    }
    println!("{KILLS} installations of {whole:?} killed: switched already? {seen:?}");
    assert_eq!(seen.len(), 2, "killed before and after the switch");

    finish(0);
    let mut kept: Vec<_> = names(&installed.join("releases"));
    kept.sort();
    let mut both = ids.map(str::to_owned).to_vec();
    both.sort();
    assert_eq!(kept, both);

    // An earlier one is put back by its own script.
    let own = installed.join("releases").join(ids[1]).join("install.sh");
    run(Command::new("sh").arg(own), SOON).success();
    assert_eq!(current(&installed), ids[1]);
    holds(&installed, &releases[1]);

    // Two people at once: one after the other.
    let (mut one, mut two) = (install(0), install(1));
    for running in [&mut one, &mut two] {
        assert!(running.ended_within(SOON).expect("an end").success());
    }
    let last = ids.iter().position(|id| *id == current(&installed)).expect("one of the two");
    holds(&installed, &releases[last]);
}

/// A copy that was cut short leaves an older file beside newer ones: it is refused, and what
/// was in place stays. What is in place already is said to be.
#[test]
fn a_copy_that_mixes_two_releases_is_refused() {
    want!(Namespace::new("root"));
    let scratch = Scratch::new();
    let text = on_front(&scratch.path().join("opt"), STACK);
    let installed = scratch.path().join("opt/live");
    let other = text.replace("MODE = \"one\"", "MODE = \"two\"");
    let [one, two] = [&text, &other].map(|plot| render(plot, &secrets(PASSWORD)));
    let uploads = ["one", "two"].map(|name| scratch.path().join(name));
    write_bundle(&one.bundles[0], &uploads[0]);
    write_bundle(&two.bundles[0], &uploads[1]);
    let install = |upload: &Path| run(Command::new("sh").arg(upload.join("install.sh")), SOON);
    assert!(install(&uploads[0]).success().ends_with("is in place\n"));
    assert!(install(&uploads[0]).success().contains("was in place already"));

    let whole = uploads[1].join("services/rooms");
    let kept = scratch.path().join("kept");
    fs::rename(&whole, &kept).expect("a directory");
    assert!(install(&uploads[1]).failure().contains("is not what manifest.json says"));
    fs::rename(&kept, &whole).expect("a directory");
    let compose = uploads[1].join("compose.yaml");
    let whole = fs::read(&compose).expect("a file");
    fs::copy(uploads[0].join("compose.yaml"), &compose).expect("a file");
    assert!(install(&uploads[1]).failure().contains("compose.yaml is not what manifest.json says"));
    assert_eq!(current(&installed), &one.bundles[0].release[..16]);
    holds(&installed, &one);

    fs::write(&compose, whole).expect("a file");
    install(&uploads[1]).success();
    assert_eq!(current(&installed), &two.bundles[0].release[..16]);
    holds(&installed, &two);
}

/// What a reload reads goes with the release that brought it, a private key above all,
/// and comes back with it; what is no release's stays.
#[test]
fn what_a_release_has_no_more_goes_from_live() {
    want!(Namespace::new("root"));
    let scratch = Scratch::new();
    let own = STACK.replace(
        r#"tls = "internal""#,
        r#"tls = { cert = { env = "SITE_CERT" }, key = { env = "SITE_KEY" } }"#,
    );
    let values = [
        &secrets(PASSWORD)[..],
        &[("SITE_CERT", "-----BEGIN CERTIFICATE-----"), ("SITE_KEY", "-----BEGIN PRIVATE KEY-----")],
    ]
    .concat();
    let releases = [own.as_str(), STACK].map(|stack| render(&on_front(scratch.path(), stack), &values));
    let scripts = [0, 1].map(|index| {
        let directory = scratch.path().join(format!("upload-{index}"));
        write_bundle(&releases[index].bundles[0], &directory);
        directory.join("install.sh")
    });
    let install = |script: &Path| run(Command::new("sh").arg(script), SOON).success();
    let live = scratch.path().join("live/live/edge");
    let seen = || {
        let mut seen = names(&live);
        seen.sort();
        seen
    };
    install(&scripts[0]);
    assert_eq!(seen(), ["Caddyfile", "site.crt", "site.key"]);
    fs::write(live.join("by-hand.txt"), "mine").expect("a file");
    install(&scripts[1]);
    assert_eq!(seen(), ["Caddyfile", "by-hand.txt"]);
    install(&scripts[0]);
    assert_eq!(seen(), ["Caddyfile", "by-hand.txt", "site.crt", "site.key"]);
}

/// Every file of a release is in its place, and what containers mount beside it too.
fn holds(installed: &Path, release: &Rendering) {
    whole_release(&installed.join("current"), release);
    for file in &release.bundles[0].artifacts {
        if file.path.starts_with("live/") || file.path.starts_with("services/") {
            assert_eq!(fs::read(installed.join(&file.path)).expect("a file"), file.bytes, "{}", file.path);
        }
    }
    assert_eq!(names(&installed.join("live/edge")), ["Caddyfile"]);
}

/// A release is as its own manifest says: content, mode and owner of every file.
fn whole_release(directory: &Path, release: &Rendering) {
    let manifest: Value =
        serde_json::from_slice(&fs::read(directory.join("manifest.json")).expect("a manifest"))
            .expect("JSON");
    let files = manifest["files"].as_object().expect("files");
    assert_eq!(files.len() + 1, release.bundles[0].artifacts.len());
    let mut sums = String::new();
    for (path, file) in files {
        writeln!(sums, "{}  {path}", file["sha256"].as_str().expect("a sum")).expect("a line");
        let metadata = fs::metadata(directory.join(path)).unwrap_or_else(|error| panic!("{path}: {error}"));
        assert_eq!(format!("{:04o}", metadata.mode() & 0o7777), file["mode"], "{path}");
        assert_eq!(format!("{}:{}", metadata.uid(), metadata.gid()), file["owner"], "{path}");
    }
    let list = tempfile::NamedTempFile::new().expect("a file");
    fs::write(list.path(), sums).expect("a list");
    let mut check = Command::new("sha256sum");
    run(check.args(["--check", "--strict", "--quiet"]).arg(list.path()).current_dir(directory), SOON)
        .success();
}

fn names(directory: &Path) -> Vec<String> {
    let entries = fs::read_dir(directory).expect("a directory");
    entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned()).collect()
}

/// Nobody needs us: a bundle that root has copied somewhere runs by what Docker itself
/// is told there, and its firewall by what nft is told.
#[test]
fn a_copied_bundle_runs_by_itself() {
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let front = Machine::new(want!(Engine::start(&node, &Image::STACK)), "front");
    let directory = front.upload(&render(&on_front(&front.root(), STACK), &secrets(PASSWORD)));
    let commands = "nft -f firewall/stageplot.nft\ndocker compose up -d --wait";
    front.shell(commands, &directory).success();
    assert!(front.containers().values().all(|one| one.health == "healthy"));
    assert_eq!(redis(&front, PASSWORD, &["ping"]), "PONG");
}

/// Brings a release up in the place of another one, and compares which containers are
/// others then with which were to be by the two manifests. Returns what those say.
fn apply(
    front: &Machine,
    what: &str,
    before: &Rendering,
    after: &Rendering,
    recreated: &[&str],
) -> BTreeMap<String, Change> {
    let told = told(&manifest(front.bundle(before)), &manifest(front.bundle(after)));
    let renewed = told.iter().filter(|(_, change)| **change == Change::Recreate);
    assert_eq!(renewed.map(|(service, _)| service.as_str()).collect::<Vec<_>>(), recreated, "{what}");
    let old = front.containers();
    front.bring_up(after);
    let new = front.containers();
    assert_eq!(new.keys().collect::<Vec<_>>(), SERVICES.iter().collect::<Vec<_>>());
    let is_new = |service: &&str| old[*service].id != new[*service].id;
    let was_started = |service: &&str| old[*service].started != new[*service].started;
    assert_eq!(SERVICES.into_iter().filter(is_new).collect::<Vec<_>>(), recreated, "{what}");
    assert_eq!(SERVICES.into_iter().filter(was_started).collect::<Vec<_>>(), recreated, "{what}");
    assert_eq!(current(&front.root().join("live")), front.bundle(after).release[..16]);
    told
}

fn manifest(bundle: &Bundle) -> Manifest<'static> {
    let file = bundle.artifact(Manifest::PATH).expect("a manifest");
    serde_json::from_str::<Value>(std::str::from_utf8(&file.bytes).expect("text"))
        .and_then(serde_json::from_value)
        .expect("a manifest")
}

/// What two manifests alone say becomes of each service that is in both; what is left
/// as it is is left out.
fn told(before: &Manifest<'_>, after: &Manifest<'_>) -> BTreeMap<String, Change> {
    let mut told = BTreeMap::new();
    for (path, file) in &after.files {
        let Some(service) = &file.service else { continue };
        if file.change == Change::Reload && before.files.get(path) != Some(file) {
            told.insert(service.to_string(), Change::Reload);
        }
    }
    for (name, service) in &after.services {
        if before.services.get(name) != Some(service) {
            told.insert(name.to_string(), service.change);
        }
    }
    told
}

fn current(installed: &Path) -> String {
    let link = fs::read_link(installed.join("current")).expect("a link");
    link.file_name().expect("a name").to_string_lossy().into_owned()
}

/// Asks the plot's Redis, in its container.
fn redis(front: &Machine, password: &str, question: &[&str]) -> String {
    let auth = format!("REDISCLI_AUTH={password}");
    let ask = ["exec", "--env", &auth, "live-cache-1", "redis-cli"];
    let output = front.engine().docker(&[&ask[..], question].concat());
    (output.stdout + &output.stderr).trim().to_owned()
}

/// A WebSocket goes on being answered for two seconds.
fn stays_open(socket: &mut Client) {
    let so_far = socket.count("echoed");
    wait_for("echoed on", SOON, || socket.count("echoed") >= so_far + 2);
    assert!(socket.event("closed").is_none());
}
