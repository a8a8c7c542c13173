//! Promise 1: the same plot gives the same bytes, however it is written down and
//! wherever it is rendered.

use std::collections::BTreeMap;
use std::fs;
use std::hash::{DefaultHasher, Hash as _, Hasher as _};
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::process::Command;

use proptest::prelude::*;
use secrecy::SecretString;
use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stageplot_render::{Artifact, Custom, RenderError, Renderer, Secrets, render};
use stageplot_topology::{Document, Format, Plot, SecretError, SecretRef, SecretSource};

/// Every file of a rendering by its path: `NODE/PATH`, and what is about the whole.
type Files = BTreeMap<String, Artifact>;

fn files(format: Format, text: &str, secrets: Secrets<'_>) -> Files {
    let plot = Document::parse(format, "stageplot", text).and_then(|document| Plot::read(&document));
    let topology = plot.unwrap_or_else(|findings| panic!("{findings}\n{text}")).topology;
    let rendering = render(&topology, secrets, &Custom::default()).unwrap_or_else(|error| panic!("{error}"));
    let of_nodes = rendering.bundles.into_iter().flat_map(|bundle| {
        let node = bundle.node;
        bundle.artifacts.into_iter().map(move |file| (format!("{node}/{}", file.path), file))
    });
    of_nodes.chain(rendering.overview.into_iter().map(|file| (file.path.clone(), file))).collect()
}

/// The text of every example plot by name, in a directory that holds them.
fn plots(directory: &Path) -> BTreeMap<String, String> {
    let entries = fs::read_dir(directory).unwrap_or_else(|error| panic!("{}: {error}", directory.display()));
    let plots = entries.filter_map(|entry| {
        let path = entry.expect("an entry").path();
        let text = fs::read_to_string(path.join("stageplot.toml")).ok()?;
        Some((path.file_name()?.to_str()?.to_owned(), text))
    });
    let plots: BTreeMap<_, _> = plots.collect();
    assert!(!plots.is_empty(), "no plots in {}", directory.display());
    plots
}

fn examples() -> BTreeMap<String, String> {
    plots(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plots")))
}

/// Gives every secret a value that follows from its name.
struct Told;

impl SecretSource for Told {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let label = secret.label();
        // Of a certificate and its key only the outside is looked at.
        let kind = if label.ends_with(".crt") { "CERTIFICATE" } else { "PRIVATE KEY" };
        Ok(match label.starts_with("file ") {
            true => format!("-----BEGIN {kind}-----\n{label}\n-----END {kind}-----"),
            false => format!("{label} with 'quotes' and $dollars, long enough for all"),
        }
        .into())
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Tables and fields in another order, in any language, are the same plot.
    #[test]
    fn order_and_language_mean_nothing(seed in any::<u64>()) {
        for (name, text) in examples() {
            let straight = files(Format::Toml, &text, Secrets::From(&Told));
            let plot = shuffled(&toml::from_str(&text).expect("TOML"), seed);
            let json = plot.to_string();
            // JSON is YAML as well.
            for (format, text) in [(Format::Toml, document(&plot)), (Format::Json, json.clone()), (Format::Yaml, json)] {
                let other = files(format, &text, Secrets::From(&Told));
                prop_assert!(straight == other, "{}: {}", name, text);
            }
        }
    }
}

/// The same value, the fields of every table in an order that the seed says.
fn shuffled(value: &Value, seed: u64) -> Value {
    match value {
        Value::Object(table) => {
            let mut fields: Vec<_> =
                table.iter().map(|(key, value)| (key.clone(), shuffled(value, seed))).collect();
            fields.sort_by_key(|(key, _)| {
                let mut hash = DefaultHasher::new();
                (seed, key).hash(&mut hash);
                hash.finish()
            });
            Value::Object(fields.into_iter().collect())
        }
        Value::Array(items) => items.iter().map(|item| shuffled(item, seed)).collect(),
        other => other.clone(),
    }
}

/// A plot in TOML, with everything below the top written inline.
fn document(plot: &Value) -> String {
    let fields = plot.as_object().into_iter().flatten();
    fields.map(|(key, value)| format!("{key:?} = {}\n", inline(value))).collect()
}

fn inline(value: &Value) -> String {
    match value {
        Value::Object(table) => {
            let fields: Vec<_> =
                table.iter().map(|(key, value)| format!("{key:?} = {}", inline(value))).collect();
            format!("{{ {} }}", fields.join(", "))
        }
        Value::Array(items) => {
            let items: Vec<_> = items.iter().map(inline).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

/// Many nodes are rendered on all cores, one after the other gives the same.
#[test]
fn cores_mean_nothing() {
    let mut text = examples()["cluster"].clone();
    for n in 5..120 {
        let (address, public) = (format!("192.168.1.{}", n + 1), format!("203.0.113.{}", n + 20));
        text.push_str(&format!(
            "\n[nodes.media-{n}]\naddress = \"{address}\"\npublic = \"{public}\"\nroles = [\"sfu\"]\n"
        ));
    }
    let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("a document");
    let topology = Plot::read(&document).expect("a sound plot").topology;
    let custom = Custom::default();
    let renderer = Renderer::new(&topology, Secrets::From(&Told), &custom).expect("templates");
    let one_by_one: Result<Vec<_>, _> = topology.nodes().iter().map(|node| renderer.bundle(node)).collect();
    let one_by_one = one_by_one.expect("it renders");
    for _ in 0..5 {
        let together = render(&topology, Secrets::From(&Told), &custom).expect("it renders").bundles;
        assert!(together == one_by_one);
    }
    let last = one_by_one.last().expect("a node").node.clone();
    let failed = renderer.bundles(topology.nodes(), |bundle| match bundle.node.as_str() {
        node if node == "front" || node == last => Err(RenderError::Format(node.to_owned())),
        _ => Ok(()),
    });
    assert!(
        matches!(failed, Err(RenderError::Format(node)) if node == "front"),
        "the first one's error is told"
    );
}

/// Where a child of these tests finds plots, and says what it rendered from them.
const CHILD: &str = "STAGEPLOT_DETERMINISM";

/// Rendered in other places, by other users, at other hours: the same digest.
#[test]
fn the_surroundings_mean_nothing() {
    if let Some(directory) = std::env::var_os(CHILD) {
        let digest = digest(Path::new(&directory));
        println!("digest {digest}");
        return;
    }
    let here = digest(Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/../../examples/plots")));
    let elsewhere = elsewhere();
    let plots = elsewhere.path().join("plots");
    let binary = elsewhere.path().join("tests");
    let mut surroundings: Vec<(&str, Vec<&str>)> = vec![
        ("the same", vec!["env"]),
        ("no environment", vec!["env", "-i"]),
        ("the other side of the world", vec!["env", "TZ=Pacific/Kiritimati"]),
        ("another language", vec!["env", "LC_ALL=tr_TR.UTF-8", "LANG=tr_TR.UTF-8", "LANGUAGE=tr"]),
        ("another home", vec!["env", "HOME=/nonexistent", "USER=somebody", "TMPDIR=/nonexistent"]),
        ("a directory of its own", vec!["env", "--chdir=/"]),
        ("a narrow umask", vec!["sh", "-c", "umask 0777; exec \"$@\"", "sh"]),
        ("a wide umask", vec!["sh", "-c", "umask 0; exec \"$@\"", "sh"]),
    ];
    match rustix::process::geteuid().is_root() {
        true => surroundings.push((
            "nobody",
            vec!["setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups", "--"],
        )),
        false => println!("not as another user, for that takes root"),
    }
    for (what, with) in surroundings {
        let mut command = Command::new(with[0]);
        command.args(&with[1..]);
        // `env` takes what it sets last, and -i empties the rest.
        match with[0] {
            "env" => command.arg(format!("{CHILD}={}", plots.display())),
            _ => command.env(CHILD, &plots),
        };
        command.arg(&binary).args(["--exact", "the_surroundings_mean_nothing", "--nocapture"]);
        let output = command.output().unwrap_or_else(|error| panic!("{what}: {error}"));
        let said = String::from_utf8_lossy(&output.stdout);
        assert!(output.status.success(), "{what}: {said}{}", String::from_utf8_lossy(&output.stderr));
        assert!(said.contains(&format!("digest {here}")), "{what}: not {here}\n{said}");
    }
    // Another plot has another digest: the comparison can fail.
    let some = plots.join("single/stageplot.toml");
    let text = fs::read_to_string(&some).expect("a plot").replace("203.0.113.10", "203.0.113.20");
    fs::write(some, text).expect("a plot");
    assert_ne!(digest(&plots), here);
}

/// A digest of everything that is rendered from the plots in a directory.
fn digest(directory: &Path) -> String {
    let mut hash = Sha256::new();
    for (name, text) in plots(directory) {
        for (path, file) in files(Format::Toml, &text, Secrets::From(&Told)) {
            let about = format!("{name}/{path} {:o} {} {}\n", file.mode, file.owner, file.bytes.len());
            hash.update(about);
            hash.update(&file.bytes);
        }
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

/// The plots and these tests, in a directory that everybody can read.
fn elsewhere() -> tempfile::TempDir {
    let directory = tempfile::tempdir().expect("a directory");
    let open = |path: PathBuf| fs::set_permissions(path, fs::Permissions::from_mode(0o755)).expect("opened");
    let binary = directory.path().join("tests");
    fs::copy(std::env::current_exe().expect("these tests"), &binary).expect("a copy");
    for (name, text) in examples() {
        let plot = directory.path().join("plots").join(name);
        fs::create_dir_all(&plot).expect("a directory");
        fs::write(plot.join("stageplot.toml"), text).expect("a plot");
        open(plot);
    }
    open(directory.path().join("plots"));
    open(directory.path().to_owned());
    open(binary);
    directory
}
