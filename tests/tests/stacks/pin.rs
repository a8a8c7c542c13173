//! Images pinned at a real registry: a mirror with a password and an authority of its
//! own, from which a machine that has nothing pulls by digest.

use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stageplot_render::{Custom, Rendering, Secrets};
use stageplot_tests::{
    Authority, Engine, Lan, Machine, Namespace, Output, Registry, Scratch, run, stageplot, wait_for, want,
};
use stageplot_topology::{Document, Format, Lock, Plot};

const MIRROR: &str = "10.9.0.5:5000";
const REDIS: &str = "redis:7-alpine";
const ECHO: &str = "stageplot/echo:1";

/// What the command may take: its own deadlines are shorter.
const COMMAND: Duration = Duration::from_secs(60);

fn plot(root: &Path) -> String {
    format!(
        r#"
name = "live"
root = "{}"
[access]
ssh = {{ from = "10.9.0.0/24" }}
[registries]
"docker.io" = "{MIRROR}/hub"
[nodes.front]
address = "10.9.0.2"
roles = ["redis", "rooms"]
[redis]
[services.rooms]
kind = "app"
image = "{ECHO}"
"#,
        root.display()
    )
}

/// An operator's place: a plot, and a machine that trusts the house's authority as its
/// Docker does.
struct Desk {
    machine: Namespace,
    scratch: Scratch,
}

impl Desk {
    fn new(machine: &Namespace, authority: &Authority, plot: &str) -> Self {
        let scratch = Scratch::new();
        let certificates = scratch.path().join("docker/certs.d").join(MIRROR);
        fs::create_dir_all(&certificates).expect("a directory");
        fs::write(certificates.join("ca.crt"), authority.pem()).expect("written");
        fs::write(scratch.path().join("stageplot.toml"), plot).expect("written");
        Self { machine: machine.clone(), scratch }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.scratch.path().join(name)
    }

    /// Runs the command with the logins in a directory.
    fn stageplot(&self, arguments: &[&str], logins: &Path) -> Output {
        let docker = (self.path("docker"), PathBuf::from("/etc/docker"));
        let mut command = self.machine.command_seeing(&[docker], stageplot());
        // Nothing here is for a proxy that this machine may have.
        command.env("NO_PROXY", "*").env("DOCKER_CONFIG", logins).env("PATH", self.search_path());
        run(command.args(arguments).current_dir(self.scratch.path()), COMMAND)
    }

    fn search_path(&self) -> String {
        format!("{}:{}", self.path("bin").display(), std::env::var("PATH").unwrap_or_default())
    }

    fn lock(&self) -> Lock {
        let text = fs::read_to_string(self.path("stageplot.lock")).expect("a lock");
        Lock::read(&Document::parse(Format::Toml, "stageplot.lock", &text).expect("TOML")).expect("a lock")
    }

    /// What the command renders, from the same files.
    fn rendering(&self) -> Rendering {
        let text = fs::read_to_string(self.path("stageplot.toml")).expect("a plot");
        let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
        let built = Plot::read(&document).and_then(|built| built.locked(self.lock())).expect("a sound plot");
        stageplot_render::render(&built.topology, Secrets::SEALED, &Custom::default()).expect("it renders")
    }
}

/// Pushes an image of an engine under a name at the mirror.
fn push(engine: &Engine, image: &str, name: &str) {
    let name = format!("{MIRROR}/hub/{name}");
    engine.docker(&["tag", image, &name]).success();
    engine.docker(&["push", "--quiet", &name]).success();
}

/// Puts an index in the place of a manifest, as images for several machines have, and
/// returns its digest.
fn make_index(builder: &Engine, path: &str, tag: &str) -> String {
    let scratch = Scratch::new();
    let url = format!("https://{MIRROR}/v2/{path}/manifests/{tag}");
    let user = format!("{}:{}", Registry::USER, Registry::PASSWORD);
    let curl = |more: &[&str]| {
        let base = ["-sS", "-f", "-k", "--noproxy", "*", "-u", &user];
        let mut command = builder.machine().command("curl");
        run(command.args(base).args(more).current_dir(scratch.path()), COMMAND).success()
    };
    const MANIFEST: &str = "application/vnd.docker.distribution.manifest.v2+json";
    let manifest = curl(&["-H", &format!("Accept: {MANIFEST}"), &url]);
    let digest = curl(&[
        "-I",
        "-H",
        &format!("Accept: {MANIFEST}"),
        "-o",
        "/dev/null",
        "-w",
        "%header{docker-content-digest}",
        &url,
    ]);
    let index = serde_json::json!({
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.index.v1+json",
        "manifests": [{
            "mediaType": MANIFEST, "digest": digest, "size": manifest.len(),
            "platform": { "architecture": if cfg!(target_arch = "aarch64") { "arm64" } else { "amd64" }, "os": "linux" },
        }],
    });
    fs::write(scratch.path().join("index"), index.to_string()).expect("written");
    let kind = "Content-Type: application/vnd.oci.image.index.v1+json";
    curl(&["-X", "PUT", "-H", kind, "--data-binary", "@index", &url]);
    let sum =
        run(std::process::Command::new("sha256sum").arg(scratch.path().join("index")), COMMAND).success();
    format!("sha256:{}", sum.split_whitespace().next().unwrap_or_default())
}

#[test]
fn images_are_pulled_from_the_mirror_as_they_were_pinned() {
    let lan = want!(Lan::new("lan"));
    let authority = want!(Authority::new());
    let house = lan.machine("registry", &["10.9.0.5/24", "10.9.0.6/24"]);
    let mut registry = want!(Registry::start(&house, &authority.issue(&["IP:10.9.0.5"])));
    let builder = lan.machine("builder", &["10.9.0.3/24"]);
    let builder = want!(Engine::trusting(&builder, &[REDIS, ECHO], &authority.pem()));
    let login = ["login", "--username", Registry::USER, "--password", Registry::PASSWORD, MIRROR];
    builder.docker(&login).success();
    push(&builder, REDIS, "library/redis:7-alpine");
    push(&builder, ECHO, ECHO);
    let index = make_index(&builder, "hub/library/redis", "7-alpine");

    // Nothing is written before all is known, and each image says what it lacks.
    let node = lan.machine("front", &["10.9.0.2/24"]);
    let front = Machine::new(want!(Engine::trusting(&node, &[], &authority.pem())), "front");
    let desk = Desk::new(&node, &authority, &plot(&front.root()));
    let nobody = desk.path("nobody");
    let refused = desk.stageplot(&["pin"], &nobody);
    assert_eq!(refused.status.code(), Some(2), "{refused:?}");
    for said in [REDIS, ECHO, &format!("docker login {MIRROR}")] {
        assert!(refused.stderr.contains(said), "{said}:\n{}", refused.stderr);
    }
    assert!(!desk.path("stageplot.lock").exists());

    // With a login as Docker keeps it, and by a helper.
    front.engine().docker(&login).success();
    let compose =
        front.engine().environment(stageplot_tests::Program::versions("compose").next().unwrap_or_default());
    let logins = compose.iter().find(|(name, _)| *name == "DOCKER_CONFIG").expect("a place");
    let logins = PathBuf::from(&logins.1);
    desk.stageplot(&["pin"], &logins).success();
    let pinned = fs::read_to_string(desk.path("stageplot.lock")).expect("a lock");
    let locked = desk.lock();
    assert_eq!(locked.digest(&REDIS.parse().expect("an image")).expect("locked").as_str(), index);
    helper(&desk);
    fs::remove_file(desk.path("stageplot.lock")).expect("removed");
    desk.stageplot(&["pin"], &desk.path("helped")).success();
    assert_eq!(fs::read_to_string(desk.path("stageplot.lock")).expect("a lock"), pinned);

    // A machine that has nothing pulls by digest, from the mirror alone.
    let rendering = desk.rendering();
    let compose =
        String::from_utf8_lossy(&rendering.bundles[0].artifact("compose.yaml").expect("a file").bytes)
            .into_owned();
    assert!(compose.contains(&format!("image: \"{MIRROR}/hub/library/{REDIS}@{index}\"\n")), "{compose}");
    desk.stageplot(&["render", "--sealed", "--out", "rendered"], &nobody).success();
    let rendered = fs::read_to_string(desk.path("rendered/front/compose.yaml")).expect("a file");
    assert_eq!(rendered, compose);
    front.bring_up(&rendering);
    let before = front.containers();
    assert_eq!(before.len(), 2);
    assert!(before.values().all(|container| container.running));
    let images =
        front.engine().docker(&["image", "ls", "--digests", "--format", "{{.Repository}}@{{.Digest}}"]);
    let images = images.success();
    for (image, digest) in locked.iter() {
        let repository = image.path().into_owned();
        assert!(images.contains(&format!("{MIRROR}/hub/{repository}@{digest}")), "{images}");
    }

    // The tag moves: that is told where it is asked for, and nothing happens.
    let quiet = desk.stageplot(&["check"], &nobody).success();
    assert!(quiet.contains("2 locked images, registries not asked"), "{quiet}");
    let unmoved = desk.stageplot(&["check", "--online"], &logins).success();
    assert!(unmoved.contains("; 2 locked images, registries asked"), "{unmoved}");
    push(&builder, ECHO, "library/redis:7-alpine");
    let moved = desk.stageplot(&["check", "--online"], &logins).success();
    assert!(moved.contains("warning[image-moved]: redis:7-alpine has moved"), "{moved}");
    let denied = desk.stageplot(&["check", "--online", "--deny-warnings", "--format", "json"], &logins);
    assert_eq!(denied.status.code(), Some(2), "{denied:?}");
    let report = denied.json();
    assert_eq!(report["online"], true);
    assert_eq!(report["findings"].as_array().map(Vec::len), Some(1), "{report}");
    front.bring_up(&rendering);
    let ids = |of: &std::collections::BTreeMap<_, stageplot_tests::Container>| {
        of.values().map(|c| c.id.clone()).collect::<Vec<_>>()
    };
    assert_eq!(ids(&front.containers()), ids(&before));
    // It is taken when the operator says so.
    let told = desk.stageplot(&["pin"], &logins);
    assert!(told.stderr.contains("1 moved, 1 as before"), "{told:?}");
    assert_ne!(desk.lock(), locked);

    // The certificate is not for every name of the machine.
    let other =
        fs::read_to_string(desk.path("stageplot.toml")).expect("a plot").replace(MIRROR, "10.9.0.6:5000");
    fs::write(desk.path("other.toml"), other).expect("written");
    let wrong = desk.stageplot(&["pin", "other.toml"], &logins);
    assert_eq!(wrong.status.code(), Some(2));
    // Its authority is not known there either: Docker keeps that for each name.
    assert!(wrong.stderr.contains("the certificate of 10.9.0.6:5000 is not accepted"), "{wrong:?}");
    let certificates = desk.path("docker/certs.d/10.9.0.6:5000");
    fs::create_dir_all(&certificates).expect("a directory");
    fs::write(certificates.join("ca.crt"), authority.pem()).expect("written");
    let wrong = desk.stageplot(&["pin", "other.toml"], &logins);
    assert!(wrong.stderr.contains("10.9.0.6:5000 is not accepted: it is for another name"), "{wrong:?}");

    // Who does not answer has said nothing.
    registry.stop();
    wait_for("gone", COMMAND, || !house.run("nc", &["-z", "127.0.0.1", "5000"]).succeeded());
    let silent = desk.stageplot(&["check", "--online"], &logins);
    assert_eq!(silent.status.code(), Some(2), "{silent:?}");
    assert!(silent.stdout.contains("error[image-unresolved]") && silent.stdout.contains("cannot be reached"));
    desk.stageplot(&["check"], &nobody).success();
}

/// A credential helper, and a configuration that names it.
fn helper(desk: &Desk) {
    use std::os::unix::fs::PermissionsExt as _;
    let script = format!(
        "#!/bin/sh\nread -r server || [ -n \"$server\" ]\n[ \"$1 $server\" = \"get {MIRROR}\" ] || exit 1\n\
         printf '{{\"ServerURL\":\"%s\",\"Username\":\"{}\",\"Secret\":\"{}\"}}' \"$server\"\n",
        Registry::USER,
        Registry::PASSWORD
    );
    fs::create_dir_all(desk.path("bin")).expect("a directory");
    let path = desk.path("bin/docker-credential-house");
    fs::write(&path, script).expect("written");
    fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).expect("set");
    fs::create_dir_all(desk.path("helped")).expect("a directory");
    let config = format!(r#"{{"credHelpers":{{"{MIRROR}":"house"}}}}"#);
    fs::write(desk.path("helped/config.json"), config).expect("written");
}
