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
use sha2::{Digest as _, Sha256};
use stageplot_render::{Artifact, Custom, SecretError, SecretSource, Secrets, render};
use stageplot_topology::{Document, Format, Plot, SecretRef};

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
        Ok(format!("{} with 'quotes' and $dollars, long enough for all", secret.label()).into())
    }
}

/// The rendered files are those under `tests/golden`. After a change that is meant,
/// `STAGEPLOT_BLESS=1` writes them anew; the diff is for review.
#[test]
fn every_example_is_as_it_was() {
    let golden = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden");
    let bless = std::env::var_os("STAGEPLOT_BLESS").is_some_and(|set| set == "1");
    let mut differences = Vec::new();
    for (name, text) in examples() {
        let directory = golden.join(&name);
        let rendered = files(Format::Toml, &text, Secrets::Sealed);
        if bless {
            write(&directory, &rendered);
        }
        let mut kept = tree(&directory);
        for (path, artifact) in &rendered {
            let rendered = String::from_utf8_lossy(&artifact.bytes);
            match kept.remove(path) {
                None => differences.push(format!("{name}/{path} is new")),
                Some(kept) if kept == rendered => {}
                Some(kept) => differences.push(format!("{name}/{path}:\n{}", difference(&kept, &rendered))),
            }
        }
        differences.extend(kept.keys().map(|path| format!("{name}/{path} is not rendered any more")));
    }
    let known =
        fs::read_dir(&golden).expect("golden trees").map(|entry| entry.expect("an entry").file_name());
    let known: Vec<_> = known.map(|name| name.to_string_lossy().into_owned()).collect();
    let gone = known.iter().filter(|name| !examples().contains_key(*name));
    differences.extend(gone.map(|name| format!("{name} is no example any more: remove tests/golden/{name}")));
    assert!(
        differences.is_empty(),
        "{}\n\nif that is meant: STAGEPLOT_BLESS=1 cargo test -p stageplot-render --test determinism",
        differences.join("\n")
    );
}

/// A changed line, a new file and a lost one are told apart: the test above can fail.
#[test]
fn a_difference_is_shown() {
    assert_eq!(difference("a\nb\nc\nd\n", "a\nx\nc\nd\n"), "  line 2\n- b\n+ x\n");
    assert_eq!(difference("a\n", "a\nb\n"), "  line 2\n+ b\n");
    assert_eq!(difference("a\nb", "a\nb\n"), "  the last line ends otherwise\n");
}

fn write(directory: &Path, files: &Files) {
    if directory.exists() {
        fs::remove_dir_all(directory).expect("the old tree goes");
    }
    for (path, artifact) in files {
        let path = directory.join(path);
        fs::create_dir_all(path.parent().expect("a directory")).expect("a directory");
        fs::write(path, &artifact.bytes).expect("a file");
    }
}

fn tree(directory: &Path) -> BTreeMap<String, String> {
    fn walk(root: &Path, directory: &Path, found: &mut BTreeMap<String, String>) {
        for entry in fs::read_dir(directory).into_iter().flatten() {
            let path = entry.expect("an entry").path();
            if path.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).expect("below").display().to_string();
                found.insert(name, fs::read_to_string(&path).expect("text"));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(directory, directory, &mut found);
    found
}

/// The lines that differ, between the first and the last that do.
fn difference(old: &str, new: &str) -> String {
    let (old, new): (Vec<_>, Vec<_>) = (old.lines().collect(), new.lines().collect());
    if old == new {
        return "  the last line ends otherwise\n".to_owned();
    }
    let same = |(one, other): &(&&str, &&str)| one == other;
    let before = old.iter().zip(&new).take_while(same).count();
    let rest = old.len().min(new.len()) - before;
    let after = old.iter().rev().zip(new.iter().rev()).take(rest).take_while(same).count();
    let lines =
        |sign, lines: &[&str]| lines.iter().map(|line| format!("{sign} {line}\n")).collect::<String>();
    let (old, new) = (&old[before..old.len() - after], &new[before..new.len() - after]);
    format!("  line {}\n{}{}", before + 1, lines('-', old), lines('+', new))
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 8, ..ProptestConfig::default() })]

    /// Tables and fields in another order, written another way, are the same plot.
    #[test]
    fn the_order_of_fields_means_nothing(seed in any::<u64>()) {
        for (name, text) in examples() {
            let plot: toml::Table = text.parse().expect("TOML");
            let straight = files(Format::Toml, &text, Secrets::From(&Told));
            let shuffled = files(Format::Toml, &document(&plot, seed), Secrets::From(&Told));
            prop_assert!(straight == shuffled, "{}: {}", name, document(&plot, seed));
        }
    }
}

/// The same plot in JSON gives the same bytes.
#[test]
fn the_language_means_nothing() {
    for (name, text) in examples() {
        let plot: toml::Table = text.parse().expect("TOML");
        let json = serde_json::to_string(&plot).expect("JSON");
        let straight = files(Format::Toml, &text, Secrets::Sealed);
        assert!(straight == files(Format::Json, &json, Secrets::Sealed), "{name}");
        // JSON is YAML as well.
        assert!(straight == files(Format::Yaml, &json, Secrets::Sealed), "{name}");
    }
}

/// A plot with everything below the top written inline, in an order that the seed says.
fn document(plot: &toml::Table, seed: u64) -> String {
    in_order(plot, seed).map(|(key, value)| format!("{key:?} = {}\n", inline(value, seed))).collect()
}

fn inline(value: &toml::Value, seed: u64) -> String {
    match value {
        toml::Value::Table(table) => {
            let fields =
                in_order(table, seed).map(|(key, value)| format!("{key:?} = {}", inline(value, seed)));
            format!("{{ {} }}", fields.collect::<Vec<_>>().join(", "))
        }
        toml::Value::Array(items) => {
            let items: Vec<_> = items.iter().map(|item| inline(item, seed)).collect();
            format!("[{}]", items.join(", "))
        }
        other => other.to_string(),
    }
}

fn in_order(table: &toml::Table, seed: u64) -> impl Iterator<Item = (&String, &toml::Value)> {
    let mut fields: Vec<_> = table.iter().collect();
    fields.sort_by_key(|(key, _)| {
        let mut hash = DefaultHasher::new();
        (seed, key).hash(&mut hash);
        hash.finish()
    });
    fields.into_iter()
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
