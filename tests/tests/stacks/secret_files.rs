//! Secrets on a machine: read by whom they are for, and found nowhere else.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::Value;
use stageplot_render::Rendering;
use stageplot_tests::{Engine, Image, Lan, Machine, Program, on_front, render, run, wait_for, want};

/// The user of each image, and a few that are nobody's or a neighbour's.
const USERS: [(&str, u32); 5] = [("cache", 999), ("db", 0), ("edge", 0), ("rooms", 1000), ("sfu", 0)];
const STRANGERS: [u32; 6] = [12345, 65534, 1000, 999, 70, 1];

const SOON: Duration = Duration::from_secs(90);

/// The services of the machine.
const STACK: &str = r#"
[services.edge]
kind = "edge"
domain = "live.example.com"
tls = { cert = { env = "SITE_CERT" }, key = { env = "SITE_KEY" } }

[services.rooms]
kind = "app"
image = "stageplot/echo:1"
port = 8080
health = "/health"
routes = ["/api/*"]
needs = ["cache", "db"]
env = { TOKEN = { env = "APP_TOKEN" } }

[services.sfu]
kind = "livekit"
log-level = "debug"
keys = { main = { env = "LIVEKIT_API_SECRET" } }
turn = {}

[services.cache]
kind = "redis"
password = { env = "REDIS_PASSWORD" }

[services.db]
kind = "postgres"
password = { env = "POSTGRES_PASSWORD" }
"#;

/// Every secret file is read by the user of the image that it is for, and by no other
/// but root; and no secret is found in what anybody else may see.
#[test]
fn secrets_stay_where_they_belong() {
    let openssl = want!(Program::named("openssl"));
    let setpriv = want!(Program::named("setpriv"));
    let lan = want!(Lan::new("wire"));
    let node = lan.machine("front", &["203.0.113.10/24"]);
    let front =
        Machine::new(want!(Engine::start(&node, &[&Image::STACK[..], &[Image::POSTGRES]].concat())), "front");
    let (certificate, key) = certificate(&openssl);
    let secrets = [
        ("LIVEKIT_API_SECRET", "canary-livekit-0f9d7c1b6a5e4d3c2b1a"),
        ("REDIS_PASSWORD", "canary-redis-1b6a5e4d"),
        ("POSTGRES_PASSWORD", "canary-postgres-6a5e4d3c"),
        ("APP_TOKEN", "canary-app-5e4d3c2b"),
        ("SITE_CERT", certificate.as_str()),
        ("SITE_KEY", key.as_str()),
    ];
    // A line of a key says as much as it needs to.
    let line = key.lines().nth(2).expect("a line of the key").to_owned();
    let mut canaries: Vec<String> = secrets[..4].iter().map(|(_, value)| (*value).to_owned()).collect();
    canaries.push(line);

    let plot = on_front(&front.root(), STACK).replace(r#""cache"]"#, r#""cache", "db"]"#);
    let rendering = render(&plot, &secrets);
    let (seen, _) = watch_arguments(|| {
        front.bring_up(&rendering);
        front.reload(&rendering);
        wait_for("well", SOON, || front.containers().values().all(|one| one.health == "healthy"));
        // Two rounds of health checks.
        thread::sleep(Duration::from_secs(8));
    });
    for program in ["redis-cli", "psql"] {
        assert!(seen.iter().any(|line| line.contains(program)), "health checks were seen");
    }
    no_canary("arguments", &seen.join("\n"), &canaries);

    let files = files(&front, &rendering);
    readable_by_its_own(&front, &files);
    unreadable_on_the_machine(&front, &rendering, &setpriv);

    let engine = front.engine();
    for service in front.containers().keys() {
        let logs = engine.docker(&["logs", &format!("live-{service}-1")]);
        no_canary(&format!("log of {service}"), &(logs.stdout + &logs.stderr), &canaries);
    }
    no_canary("docker ps", &engine.docker(&["ps", "--all", "--no-trunc"]).success(), &canaries);
    no_canary(
        "docker events",
        &engine.docker(&["events", "--since", "1h", "--until", "0s"]).success(),
        &canaries,
    );
    no_canary("log of the engine", &engine.log(), &canaries);

    for artifact in &front.bundle(&rendering).artifacts {
        let text = String::from_utf8_lossy(&artifact.bytes);
        let holds = canaries.iter().any(|canary| text.contains(canary.as_str()));
        // These are for one service alone, and nothing else is to hold a secret.
        let own = artifact.service.is_some();
        assert!(!holds || (own && artifact.is_private()), "{}", artifact.path);
    }
    open_files_hold_none(&front.root(), &canaries);
}

/// A secret file as its container finds it.
struct SecretFile {
    service: String,
    inside: String,
    outside: PathBuf,
}

/// The private files of all services that are mounted into containers.
fn files(front: &Machine, rendering: &Rendering) -> Vec<SecretFile> {
    let mut files = Vec::new();
    let installed = front.root().join("live");
    for service in front.containers().keys() {
        let mounts =
            front.engine().docker(&["inspect", "--format", "{{json .Mounts}}", &format!("live-{service}-1")]);
        let mounts: Vec<Value> = serde_json::from_str(&mounts.success()).expect("mounts");
        for artifact in &front.bundle(rendering).artifacts {
            let outside = installed.join(&artifact.path);
            let mount = mounts.iter().find_map(|mount| {
                let rest = outside.strip_prefix(mount["Source"].as_str()?).ok()?;
                Some(format!("{}/{}", mount["Destination"].as_str()?, rest.display()))
            });
            if let Some(inside) = mount.filter(|_| artifact.is_private()) {
                files.push(SecretFile { service: service.clone(), inside, outside });
            }
        }
    }
    let mut names: Vec<_> = files.iter().map(|file| file.inside.as_str()).collect();
    names.sort_unstable();
    assert_eq!(
        names,
        [
            "/etc/caddy/Caddyfile",
            "/etc/caddy/site.crt",
            "/etc/caddy/site.key",
            "/etc/livekit/livekit.yaml",
            "/etc/postgresql/password",
            "/etc/postgresql/roles.sql",
            "/usr/local/etc/redis/password",
            "/usr/local/etc/redis/redis.conf",
        ]
    );
    files
}

/// Inside its container, a file is read as the image's user, and as no other but root.
fn readable_by_its_own(front: &Machine, files: &[SecretFile]) {
    let users: BTreeMap<_, _> = USERS.into();
    for SecretFile { service, inside, outside } in files {
        let own = users[service.as_str()];
        let name = format!("live-{service}-1");
        let read = |user: u32| {
            let user = format!("{user}:{user}");
            front.engine().docker(&["exec", "--user", &user, &name, "cat", inside])
        };
        assert_eq!(read(own).success(), fs::read_to_string(outside).expect("a file"), "{inside}");
        for stranger in STRANGERS.into_iter().filter(|stranger| *stranger != own) {
            let refused = read(stranger).failure();
            assert!(refused.contains("Permission denied"), "{inside} as {stranger}: {refused}");
        }
    }
}

/// On the machine, nobody but root and its own user reads a private file: neither
/// where it is installed, nor where it was copied to.
fn unreadable_on_the_machine(front: &Machine, rendering: &Rendering, setpriv: &Program) {
    let read = |user: u32, file: &Path| {
        let user = user.to_string();
        let mut command = setpriv.command();
        command.args(["--reuid", &user, "--regid", &user, "--clear-groups", "cat"]);
        run(command.arg(file), SOON)
    };
    let installed = front.root().join("live");
    let copied = front.upload(rendering);
    assert!(read(65534, &copied.join("README.md")).succeeded(), "nothing else stands in the way");
    for artifact in front.bundle(rendering).artifacts.iter().filter(|artifact| artifact.is_private()) {
        let mut places = vec![copied.join(&artifact.path), installed.join("current").join(&artifact.path)];
        if artifact.service.is_some() {
            places.push(installed.join(&artifact.path));
        }
        for place in places {
            for stranger in [65534, 1000, 999] {
                let refused = read(stranger, &place).failure();
                assert!(refused.contains("Permission denied"), "{} as {stranger}", place.display());
            }
            let metadata = fs::metadata(&place).expect("a file");
            assert_eq!(metadata.mode() & 0o077, 0, "{}", place.display());
        }
    }
}

/// Below a directory, no file that others may read holds a secret, whatever made it.
fn open_files_hold_none(directory: &Path, canaries: &[String]) {
    for entry in fs::read_dir(directory).expect("a directory") {
        let entry = entry.expect("an entry");
        let (path, kind) = (entry.path(), entry.file_type().expect("a type"));
        if kind.is_dir() {
            open_files_hold_none(&path, canaries);
        } else if kind.is_file() {
            let mode = entry.metadata().expect("metadata").permissions().mode();
            let bytes = fs::read(&path).expect("a file");
            if mode & 0o077 != 0 {
                no_canary(&path.display().to_string(), &String::from_utf8_lossy(&bytes), canaries);
            }
        }
    }
}

#[track_caller]
fn no_canary(place: &str, text: &str, canaries: &[String]) {
    for canary in canaries {
        assert!(!text.contains(canary.as_str()), "{place} holds a secret: {canary}");
    }
}

/// Does something, and notes the arguments of every process that there is meanwhile.
fn watch_arguments<T>(work: impl FnOnce() -> T) -> (Vec<String>, T) {
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        let watcher = scope.spawn(|| {
            let mut seen = BTreeSet::new();
            while !done.load(Ordering::Relaxed) {
                for entry in fs::read_dir("/proc").expect("processes").flatten() {
                    if let Ok(line) = fs::read(entry.path().join("cmdline")) {
                        seen.insert(String::from_utf8_lossy(&line).replace('\0', " "));
                    }
                }
                thread::sleep(Duration::from_millis(2));
            }
            seen.into_iter().collect()
        });
        let finish = Finish(&done);
        let result = work();
        drop(finish);
        (watcher.join().expect("a watcher"), result)
    })
}

/// Ends the watching, also where the work panics.
struct Finish<'a>(&'a AtomicBool);

impl Drop for Finish<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// A certificate for the site, signed by itself, and its key.
fn certificate(openssl: &Program) -> (String, String) {
    let directory = tempfile::tempdir().expect("a directory");
    let (certificate, key) = (directory.path().join("site.crt"), directory.path().join("site.key"));
    let mut command = openssl.command();
    command.args(["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2"]);
    command.args(["-subj", "/CN=live.example.com", "-addext", "subjectAltName=DNS:live.example.com"]);
    run(command.arg("-keyout").arg(&key).arg("-out").arg(&certificate), SOON).success();
    let read = |path: &Path| fs::read_to_string(path).expect("a file").trim_end().to_owned();
    (read(&certificate), read(&key))
}
