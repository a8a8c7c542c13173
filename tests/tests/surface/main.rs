//! What the libraries offer others, and what they bring with them.
//!
//! `api.txt` in a library's directory lists all that is public. A change of it is
//! taken over with `STAGEPLOT_BLESS=1 cargo test -p stageplot-tests --test surface`.

mod shown;

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::{env, fs};

use shown::Library;

use stageplot_tests::{Cargo, Package, want};

/// Libraries that open no socket and wait for nothing, and how many crates one may
/// compile at most to have it. To add one is a decision: raise the number with it.
const PURE: [(&str, usize); 2] = [("stageplot-topology", 68), ("stageplot-render", 107)];

/// Crates that whoever talks to a network, or waits for one, has among its own.
const NETWORK: [&str; 19] = [
    "async-io",
    "async-std",
    "curl",
    "futures",
    "futures-util",
    "h2",
    "hickory-resolver",
    "hyper",
    "mio",
    "native-tls",
    "polling",
    "quinn",
    "reqwest",
    "rustls",
    "smol",
    "socket2",
    "tokio",
    "tower",
    "ureq",
];

#[test]
fn who_only_renders_compiles_no_network_code() {
    for (package, limit) in PURE {
        let crates = dependencies(package);
        let found: Vec<_> = NETWORK.into_iter().filter(|name| crates.contains(*name)).collect();
        assert!(found.is_empty(), "{package} brings {}", found.join(", "));
        println!("{package}: {} crates, {limit} at most", crates.len());
        assert!(crates.len() <= limit, "{package} brings {} crates, and may {limit}", crates.len());
    }
}

/// The list that the test above looks for is one that would find something.
#[test]
fn what_asks_the_network_is_known_by_its_crates() {
    let crates = dependencies("stageplot-health");
    assert!(NETWORK.iter().any(|name| crates.contains(*name)), "{crates:?}");
}

#[test]
fn features_are_those_that_the_front_page_names() {
    for package in libraries() {
        let page = fs::read_to_string(package.directory.join("README.md")).expect("a README");
        let (_, section) = page.split_once("## Features\n").expect("a section on features");
        let section = section.split("\n## ").next().unwrap_or(section);
        let rows = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
        let told: BTreeSet<_> = rows.collect();
        let features: BTreeSet<_> = package.features.iter().map(String::as_str).collect();
        assert_eq!(told, features, "{}", package.name);
    }
}

#[test]
fn what_is_public_is_what_was_agreed() {
    let cargo = want!(Cargo::nightly());
    let mut wrong = Vec::new();
    for package in libraries() {
        let path = package.directory.join("api.txt");
        let public = public(&cargo, &package.name);
        if env::var_os("STAGEPLOT_BLESS").is_some() {
            fs::write(&path, &public).expect("a list that can be written");
        }
        let agreed = fs::read_to_string(&path).unwrap_or_default();
        let (before, after) = (agreed.lines().collect::<BTreeSet<_>>(), public.lines().collect());
        wrong.extend(before.difference(&after).map(|line| format!("- {line}")));
        wrong.extend(after.difference(&before).map(|line| format!("+ {line}")));
    }
    assert!(wrong.is_empty(), "take it over with STAGEPLOT_BLESS=1 if it is meant:\n{}", wrong.join("\n"));
}

/// The libraries that show all of themselves in use, and what in them is whole: whoever
/// has one may name all of its fields, or match it to its end. Each is a decision; what is
/// not here, and no struct that a plot is written with, is `#[non_exhaustive]`.
const SHOWN: [(&str, &[&str]); 2] = [
    (
        "stageplot-topology",
        &[
            "Acme",
            "Attachment",
            "ContainerNetwork",
            "EnvValue",
            "FirewallInput",
            "Format",
            "Hook",
            "Level",
            "Location",
            "LogLevel",
            "Probe",
            "Protocol",
            "Recording",
            "Run",
            "Scope",
            "Segment",
            "ServiceSpec",
            "Severity",
            "SocketTarget",
            "Source",
            "Sources",
            "Span",
            "Sticky",
            "TargetHost",
            "TurnTls",
            "UnknownCode",
            "decode::ByKind",
            "dotenv::EnvFile",
        ],
    ),
    ("stageplot-render", &["diff::Status", "diff::Which"]),
];

#[test]
fn all_that_is_public_is_shown_in_use() {
    let cargo = want!(Cargo::nightly());
    let mut wrong = Vec::new();
    for (package, decided) in SHOWN {
        let json = fs::read(documented(&cargo, package)).expect("what rustdoc wrote");
        let library = Library::new(serde_json::from_slice(&json).expect("JSON"));
        wrong.extend(library.unshown());
        wrong.extend(library.brittle());
        let decided: BTreeSet<_> =
            decided.iter().map(|name| format!("{}::{name}", package.replace('-', "_"))).collect();
        let whole: BTreeSet<_> = library.whole().into_iter().collect();
        wrong.extend(whole.difference(&decided).map(|name| format!("{name} may get no more, undecided")));
        wrong.extend(decided.difference(&whole).map(|name| format!("{name} may get more, or is gone")));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

fn libraries() -> impl Iterator<Item = Package> {
    Cargo::at_hand().packages().into_iter().filter(|package| package.is_library)
}

/// All crates that are compiled for a package where no feature is asked for: those that it
/// is made from, and those that their build scripts are.
fn dependencies(package: &str) -> BTreeSet<String> {
    let tree = ["tree", "--locked", "--package", package, "--edges", "normal,build", "--prefix", "none"];
    let said = Cargo::at_hand().run(&[&tree[..], &["--format", "{p}"]].concat());
    said.lines().filter_map(|line| Some(line.split_whitespace().next()?.to_owned())).collect()
}

/// Where rustdoc's JSON of a library is.
fn documented(cargo: &Cargo, package: &str) -> PathBuf {
    // Apart from what stable Rust compiles, to be removed with the rest.
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api");
    let target = target.to_str().expect("a path in UTF-8");
    let rustdoc = ["rustdoc", "--quiet", "--locked", "--package", package, "--lib", "--all-features"];
    let json = ["--target-dir", target, "-Z", "unstable-options", "--output-format", "json"];
    cargo.run(&[&rustdoc[..], &json].concat());

    PathBuf::from(target).join("doc").join(package.replace('-', "_")).with_extension("json")
}

/// All that a library offers, one item a line. Of traits that are derived the
/// traits alone.
fn public(cargo: &Cargo, package: &str) -> String {
    let json = documented(cargo, package);
    let items = |derived: bool| {
        let mut builder = public_api::Builder::from_rustdoc_json(&json);
        builder = builder.omit_blanket_impls(true).omit_auto_trait_impls(true);
        let api = builder.omit_auto_derived_impls(!derived).build();
        let api = api.unwrap_or_else(|error| panic!("{package}: {error}; another nightly may help"));
        api.into_items().map(|item| item.to_string())
    };
    let written: BTreeSet<_> = items(false).collect();
    let is_shown = |line: &String| {
        written.contains(line) || line.starts_with("impl") && !line.contains("StructuralPartialEq")
    };
    items(true).filter(is_shown).map(|line| line + "\n").collect()
}
