//! Seals show that a secret changed, and nothing else of it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;

use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::SecretString;
use sha2::{Digest as _, Sha256};
use stageplot_render::{Custom, SealKey, Seals, Secrets, render};
use stageplot_topology::{
    App, Document, EnvValue, FieldPath, Format, Literal, NodeSpec, Plot, Redis, SecretError, SecretRef,
    SecretSource, Topology,
};

const KEY: &str = "7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47";
const OTHER_KEY: &str = "e5b49fb0a4b6cbb6a04bd3c3a1fb1e54e6cf0d2d4b8d9b2f3b0f2ab7ee5f8a10";

/// Values by label; a secret that has none is told by its label, many times over.
#[derive(Default)]
struct Told(BTreeMap<String, String>);

impl SecretSource for Told {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let label = secret.label();
        let value = self.0.get(&label).cloned();
        let value = value.unwrap_or_else(|| format!("canary-{}-", label.replace(' ', "-")).repeat(4));
        // As much of PEM as a certificate and its key have to have.
        Ok(match label.rsplit_once('.') {
            Some((_, "crt")) => format!("-----BEGIN CERTIFICATE-----{value}"),
            Some((_, "key")) => format!("-----BEGIN PRIVATE KEY-----{value}"),
            _ => value,
        }
        .into())
    }
}

impl Told {
    fn with(label: &str, value: &str) -> Self {
        Self([(label.to_owned(), value.to_owned())].into())
    }
}

fn key() -> SealKey {
    SealKey::parse(KEY).expect("a key")
}

fn env(name: &str) -> SecretRef {
    SecretRef::Env(name.to_owned())
}

/// A plot with one Redis, and an app that has these secrets.
fn topology(name: &str, secrets: &[SecretRef]) -> Topology {
    let variable =
        |(index, secret): (usize, &SecretRef)| (format!("S{index}"), EnvValue::Secret(secret.clone()));
    let app = App {
        image: Some("example.com/app:1".parse().expect("an image")),
        env: secrets.iter().enumerate().map(variable).collect(),
        ..App::default()
    };
    let redis = Redis { password: Some(env("REDIS_PASSWORD")), ..Redis::default() };
    let node = NodeSpec::private("10.0.0.1".parse().expect("an address"));
    let plot = Plot::new(name.parse().expect("a name")).service("cache", redis).service("app", app);
    plot.node("front", node.role("cache").role("app")).build().expect("a sound plot").topology
}

fn read(text: &str) -> Result<Seals, String> {
    let document =
        Document::parse(Format::Toml, "stageplot.seals", text).map_err(|findings| findings.to_string())?;
    Seals::read(&document).map_err(|findings| findings.to_string())
}

/// All files by path.
fn files(topology: &Topology, secrets: Secrets<'_>) -> BTreeMap<String, Vec<u8>> {
    let rendering = render(topology, secrets, &Custom::default()).expect("it renders");
    let bundles = rendering.bundles.into_iter().flat_map(|bundle| {
        let node = bundle.node;
        bundle.artifacts.into_iter().map(move |file| (format!("{node}/{}", file.path), file.bytes))
    });
    bundles.chain(rendering.overview.into_iter().map(|file| (file.path, file.bytes))).collect()
}

/// The first 128 bits of everything that somebody without the key would try.
fn guesses(file: &str, plot: &str, name: &str, word: &str) -> Vec<String> {
    let framed = |parts: &[&str]| {
        parts.iter().fold(Vec::new(), |mut bytes, part| {
            bytes.extend((part.len() as u64).to_be_bytes());
            bytes.extend(part.as_bytes());
            bytes
        })
    };
    let messages: Vec<Vec<u8>> = vec![
        word.into(),
        format!("{word}\n").into(),
        format!("{name}{word}").into(),
        format!("{name}={word}").into(),
        format!("{name}:{word}").into(),
        format!("{plot}{name}{word}").into(),
        framed(&[word]),
        framed(&[name, word]),
        framed(&[plot, name, word]),
        framed(&["stageplot seal 1", plot, name, word]),
    ];
    let made_with = file.split("made-with = \"").nth(1).and_then(|rest| rest.get(..32)).unwrap_or_default();
    let zeros = "\0".repeat(32);
    let keys = ["", name, plot, word, made_with, "stageplot", "stageplot seal 1", &zeros];
    let hex = |bytes: &[u8]| bytes[..16].iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let mut guesses: Vec<_> = messages.iter().map(|message| hex(&Sha256::digest(message))).collect();
    for key in keys {
        for message in messages.iter().map(Vec::as_slice).chain([name.as_bytes(), plot.as_bytes()]) {
            let mut mac = Hmac::<Sha256>::new_from_slice(key.as_bytes()).expect("any length");
            mac.update(message);
            guesses.push(hex(&mac.finalize().into_bytes()));
        }
    }
    guesses
}

/// The words that somebody who has the file alone finds in it.
fn found(file: &str, words: &[String]) -> Vec<String> {
    let is_found = |word: &&String| {
        guesses(file, "live", "REDIS_PASSWORD", word)
            .iter()
            .any(|guess| file.contains(&format!("\"{guess}\"")))
    };
    words.iter().filter(is_found).cloned().collect()
}

#[test]
fn a_dictionary_finds_nothing_without_the_key() {
    let right = "hunter2";
    let animals = ["hunter", "horse", "tiger", "letmein", "dragon"];
    let words: Vec<String> =
        animals.iter().flat_map(|animal| (0..40).map(move |number| format!("{animal}{number}"))).collect();
    assert!(words.iter().any(|word| word == right));
    let topology = topology("live", &[]);
    let sealed = Seals::new(&topology, &Told::with("REDIS_PASSWORD", right), &key()).expect("seals");
    let file = sealed.to_string();
    assert_eq!(found(&file, &words), <[&str; 0]>::default());

    // With the key the right word is found, and no other.
    let fits = |word: &&String| {
        Seals::new(&topology, &Told::with("REDIS_PASSWORD", word), &key()).expect("seals") == sealed
    };
    assert_eq!(words.iter().filter(fits).collect::<Vec<_>>(), [right]);

    // The attack can win: every seal that takes no key is found out.
    let seal = sealed.get(&env("REDIS_PASSWORD")).expect("a seal").to_string();
    for guess in guesses(&file, "live", "REDIS_PASSWORD", right) {
        assert_eq!(found(&file.replace(&seal, &guess), &[right.to_owned()]), [right], "{guess}");
    }
}

#[test]
fn a_key_that_could_be_guessed_is_refused() {
    let why = |text: &str| SealKey::parse(text).map(drop).map_err(|error| error.to_string());
    assert_eq!(why(KEY), Ok(()));
    assert_eq!(why(&KEY.to_uppercase()), Ok(()));
    assert_eq!(why(&KEY[2..]), Err("it has 31 bytes, and 32 are needed".to_owned()));
    assert_eq!(why(""), Err("it has 0 bytes, and 32 are needed".to_owned()));
    for text in ["hunter2", &KEY[1..], &format!("0x{}", &KEY[2..]), &format!("{KEY}\n"), "ключ"] {
        assert_eq!(why(text), Err("it is not hexadecimal".to_owned()), "{text}");
    }
    for text in ["00".repeat(32), "deadbeef".repeat(8), "0123456789abcdef".repeat(4)] {
        assert_eq!(why(&text), Err("it is not random: it repeats few bytes over and over".to_owned()));
    }
}

#[test]
fn one_value_has_another_seal_under_another_name_in_another_plot_and_with_another_key() {
    let secrets = [env("A"), env("B"), SecretRef::File("A".into()), SecretRef::Command(vec!["A".into()])];
    let values = Told(
        ["A", "B", "file A", "command A", "REDIS_PASSWORD"]
            .map(|label| (label.to_owned(), "the same".to_owned()))
            .into(),
    );
    let mut seals = BTreeSet::new();
    for plot in ["live", "test"] {
        for key in [KEY, OTHER_KEY] {
            let key = SealKey::parse(key).expect("a key");
            let all = Seals::new(&topology(plot, &secrets), &values, &key).expect("seals");
            seals.extend(all.iter().map(|(_, seal)| *seal));
        }
    }
    assert_eq!(seals.len(), 2 * 2 * 5);
}

#[test]
fn commands_that_read_alike_have_two_names() {
    let words = |words: &[&str]| SecretRef::Command(words.iter().map(ToString::to_string).collect());
    let secrets =
        [words(&["a", "b c"]), words(&["a b", "c"]), words(&["a", "b", "c"]), words(&["a", "b c", ""])];
    let seals = Seals::new(&topology("live", &secrets), &Told::default(), &key()).expect("seals");
    assert_eq!(seals.iter().count(), 5);
}

#[test]
fn no_output_holds_a_value_or_the_key() {
    let secrets =
        [env("TOKEN"), SecretRef::File("secrets/token".into()), SecretRef::Literal(Literal::new("canary"))];
    let topology = topology("live", &secrets);
    let key = key();
    let seals = Seals::new(&topology, &Told::default(), &key).expect("seals");
    let changed = Seals::new(&topology, &Told::with("TOKEN", "canary"), &key).expect("seals");
    let mut said = format!("{seals}{seals:?}{key:?}{}", seals.review(&topology, Some(&changed)));
    for bytes in files(&topology, Secrets::Sealed(&seals)).values() {
        said.push_str(&String::from_utf8_lossy(bytes));
    }
    assert!(!said.contains("canary"), "{said}");
    assert!(!said.contains(&KEY[..8]) && !said.contains(&KEY[56..]), "{said}");
    // The canaries are where they can be found.
    let values = files(&topology, Secrets::From(&Told::default()));
    assert!(values.values().any(|bytes| String::from_utf8_lossy(bytes).contains("canary-TOKEN")));
}

/// In every example: a secret changes, and sealed the same files change as with
/// values, and the mark stands where the value does.
#[test]
fn a_changed_secret_shows_in_exactly_the_files_that_hold_it() {
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let mut tried = 0;
    for entry in fs::read_dir(plots).expect("the examples") {
        let path = entry.expect("an example").path().join("stageplot.toml");
        let text = fs::read_to_string(&path).expect("a plot");
        let document = Document::parse(Format::Toml, "stageplot.toml", &text).expect("TOML");
        let topology = Plot::read(&document).expect("a sound plot").topology;
        let before = Seals::new(&topology, &Told::default(), &key()).expect("seals");
        let secrets: BTreeSet<_> = topology.secrets().into_iter().map(|(_, secret)| secret).collect();
        for secret in secrets {
            let label = secret.label();
            let changed = format!("changed-{}-", label.replace(' ', "-")).repeat(4);
            let told = Told::with(&label, &changed);
            let after = Seals::new(&topology, &told, &key()).expect("seals");
            let sealed = [&before, &after].map(|seals| files(&topology, Secrets::Sealed(seals)));
            let values = [&Told::default(), &told].map(|told| files(&topology, Secrets::From(told)));
            // For those who compare, that one tells the seals.
            let mut shown = different(&sealed);
            assert!(shown.remove("topology.json"), "{label} of {}", path.display());
            assert_eq!(shown, different(&values), "{label} of {}", path.display());
            let mark = format!("sealed:{label}:{}", after.get(secret).expect("a seal"));
            assert_eq!(
                holding(&sealed[1], &mark),
                holding(&values[1], &changed),
                "{label} of {}",
                path.display()
            );
            tried += 1;
        }
    }
    assert!(tried > 15, "{tried} secrets");
}

fn different([a, b]: &[BTreeMap<String, Vec<u8>>; 2]) -> BTreeSet<String> {
    // A directory for one service's files is named by what they hold.
    let plain = |path: &String| {
        let steps = path.split('/').map(|step| {
            match step.len() == 12 && step.bytes().all(|b| b.is_ascii_hexdigit()) {
                true => "DIGEST",
                false => step,
            }
        });
        steps.collect::<Vec<_>>().join("/")
    };
    let paths = a.keys().chain(b.keys()).filter(|path| a.get(*path) != b.get(*path));
    paths.map(plain).collect()
}

fn holding(files: &BTreeMap<String, Vec<u8>>, text: &str) -> usize {
    files.values().filter(|bytes| String::from_utf8_lossy(bytes).contains(text)).count()
}

#[test]
fn the_file_is_read_as_it_was_written() {
    let odd =
        ["a \"b\"\\\n\t\u{1}\u{7f}", "ключ # = [x]", "", "'"].map(|path| SecretRef::File(path.to_owned()));
    let seals = Seals::new(&topology("live", &odd), &Told::default(), &key()).expect("seals");
    let text = seals.to_string();
    assert_eq!(text.lines().filter(|line| line.contains(" = \"")).count(), 1 + 1 + odd.len(), "{text}");
    assert_eq!(read(&text), Ok(seals));
    let empty = Seals::default();
    assert_eq!(empty.iter().count(), 0);
}

#[test]
fn a_file_that_is_not_whole_is_refused_with_its_place() {
    let seals = Seals::new(&topology("live", &[env("A")]), &Told::default(), &key()).expect("seals");
    let text = seals.to_string();
    let conflict = text.replace("A = ", "<<<<<<< HEAD\nA = ");
    let line = text.lines().find(|line| line.starts_with("A = ")).expect("its line");
    for (text, why) in [
        (conflict, "error[syntax]: 7:1"),
        (text.replace(line, &format!("{line}\n{line}")), "error[syntax]: 8:1"),
        (text.replace("version = 1", "version = 2"), "3:11: version: version 2 of seals is not known here"),
        (text.replace("A = \"", "A = \"0"), "7:5: seals.A: "),
        (text.replace("version = 1\n", ""), "missing field `version`"),
        (text.replace("[seals]", "[saels]"), "unknown field `saels`"),
        (String::new(), "missing field `version`"),
    ] {
        let error = read(&text).expect_err(&text);
        assert!(error.contains(why), "{why}: {error}");
    }
}

#[test]
fn what_is_sealed_is_held_against_what_is() {
    let key = key();
    let had = topology("live", &[env("A"), env("GONE")]);
    let sealed = Seals::new(&had, &Told::default(), &key).expect("seals");
    let literal = SecretRef::Literal(Literal::new("x"));
    let now = topology("live", &[env("A"), env("NEW"), literal]);
    let present = |told: &Told, key: &SealKey| Seals::new(&now, told, key).expect("seals");

    let codes = |findings: stageplot_topology::Findings| {
        let mut codes: Vec<_> =
            findings.iter().map(|finding| format!("{} {}", finding.code, finding.location.path)).collect();
        codes.sort();
        codes
    };
    let apart = ["seal-missing services.app.env.S1", "seal-missing services.app.env.S2", "seal-unused seals"];
    assert_eq!(codes(sealed.review(&now, None)), apart);
    assert_eq!(codes(sealed.review(&now, Some(&present(&Told::default(), &key)))), apart);
    let rotated = present(&Told::with("A", "other"), &key);
    let stale = codes(sealed.review(&now, Some(&rotated)));
    assert_eq!(stale[2], "seal-stale services.app.env.S0");
    assert_eq!(stale.len(), 4);
    // One word about the key, not one about each secret.
    let other = present(&Told::default(), &SealKey::parse(OTHER_KEY).expect("a key"));
    let stale = codes(sealed.review(&now, Some(&other)));
    assert_eq!(stale[2], format!("seal-stale {}", FieldPath::root().key("seals").key("key")));
    assert_eq!(stale.len(), 4);
}
