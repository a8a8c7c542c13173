//! The same plot renders to the same bytes, whatever it is written in, in which
//! order, by whom and where.

use std::io::{Read as _, Write as _};
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::Value;
use sha2::{Digest as _, Sha256};
use stageplot_render::{Custom, Secrets, render};
use stageplot_topology::{Document, Format, Plot};

/// In a child of these tests: read a plot, print the digest of what it renders to.
const CHILD: &str = "STAGEPLOT_TEST_DIGEST";

fn example(name: &str) -> String {
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    std::fs::read_to_string(plots.join(name).join("stageplot.toml")).expect("an example")
}

fn digest(format: Format, text: &str) -> String {
    let document = Document::parse(format, "stageplot", text).expect("a document");
    let topology = Plot::read(&document).expect("a sound plot").topology;
    let rendering = render(&topology, Secrets::Sealed, &Custom::default()).expect("it renders");
    let mut hash = Sha256::new();
    let bundles = rendering.bundles.iter().flat_map(|bundle| &bundle.artifacts);
    for file in bundles.chain(&rendering.overview) {
        for part in [file.path.as_bytes(), &file.bytes, file.owner.to_string().as_bytes()] {
            hash.update((part.len() as u64).to_be_bytes());
            hash.update(part);
        }
        hash.update(file.mode.to_be_bytes());
    }
    hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
}

#[test]
fn format_and_order_mean_nothing() {
    for name in ["single", "cluster", "turn-edge", "ipv6", "redis-external"] {
        let text = example(name);
        let expected = digest(Format::Toml, &text);
        let value: Value = toml::from_str(&text).expect("TOML");
        for seed in 1..=8 {
            let shuffled = shuffled(&value, &mut { seed }).to_string();
            assert_eq!(digest(Format::Json, &shuffled), expected, "{name} as JSON, order {seed}");
            assert_eq!(digest(Format::Yaml, &shuffled), expected, "{name} as YAML, order {seed}");
        }
    }
}

#[test]
fn another_plot_renders_to_other_bytes() {
    assert_ne!(digest(Format::Toml, &example("single")), digest(Format::Toml, &example("pair")));
}

/// The same value, the entries of every table in another order.
fn shuffled(value: &Value, state: &mut u64) -> Value {
    match value {
        Value::Object(table) => {
            let mut entries: Vec<_> =
                table.iter().map(|(key, value)| (key.clone(), shuffled(value, state))).collect();
            for last in (1..entries.len()).rev() {
                // Knuth's multiplier; any order will do, so long as it is another.
                *state =
                    state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
                let other = usize::try_from(*state >> 33).expect("31 bits") % (last + 1);
                entries.swap(last, other);
            }
            Value::Object(entries.into_iter().collect())
        }
        Value::Array(list) => Value::Array(list.iter().map(|value| shuffled(value, state)).collect()),
        other => other.clone(),
    }
}

#[test]
fn place_time_language_and_user_mean_nothing() {
    if std::env::var_os(CHILD).is_some() {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).expect("a plot on standard input");
        println!("\ndigest {}", digest(Format::Toml, &text));
        return;
    }
    let text = example("cluster");
    let expected = digest(Format::Toml, &text);
    // Copied, so that every user may run it.
    let copy = tempfile::tempdir().expect("a directory");
    let program = copy.path().join("tests");
    std::fs::copy(std::env::current_exe().expect("this program"), &program).expect("a copy");
    for path in [copy.path(), &program] {
        std::fs::set_permissions(path, std::os::unix::fs::PermissionsExt::from_mode(0o755)).expect("a mode");
    }
    let program = program.to_str().expect("a path in UTF-8");
    let test = ["place_time_language_and_user_mean_nothing", "--exact", "--nocapture"];
    let mut ways = vec![
        vec!["sh", "-c", "cd / && umask 077 && exec \"$0\" \"$@\"", program],
        vec!["env", "TZ=Asia/Shanghai", "LC_ALL=zh_CN.UTF-8", "LANG=tr_TR.UTF-8", "HOME=/nowhere", program],
    ];
    if rustix::process::geteuid().is_root() {
        ways.push(vec!["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups", program]);
    }
    for way in ways {
        let mut child = Command::new(way[0])
            .args(&way[1..])
            .args(test)
            .env(CHILD, "1")
            .current_dir("/")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .expect("a child");
        child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("the plot is read");
        let output = child.wait_with_output().expect("it ends");
        let said = String::from_utf8_lossy(&output.stdout);
        let found = said.lines().find_map(|line| line.strip_prefix("digest "));
        assert_eq!(found, Some(expected.as_str()), "{way:?}: {said}");
    }
}
