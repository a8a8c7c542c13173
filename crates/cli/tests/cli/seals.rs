//! Seals: written where the secrets are, read where they are not.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Command;

use crate::place::{Ended, PLOT, Place, tree};

const KEY: &str = "7cbb7e4c6f8e3e6a43b1fcb1ae5d0bbd0d3a1c9f54d8ea6e21b5b0f1ce0a9d47";
const SEALS: &str = "seals = { key = { env = \"STAGEPLOT_SEAL_KEY\" } }\n";

/// A place with a plot that names seals.
fn place() -> Place {
    Place::with("stageplot.toml", format!("{SEALS}{PLOT}"))
}

/// Where the secrets are: this command with them, and with the key.
fn with_secrets<'c>(command: &'c mut Command, password: &str) -> &'c mut Command {
    command
        .env("STAGEPLOT_SEAL_KEY", KEY)
        .env("REDIS_PASSWORD", password)
        .env("LIVEKIT_API_SECRET", "canary".repeat(8))
}

fn run_with_secrets(place: &Place, args: &[&str], password: &str) -> Ended {
    let mut command = place.command(args);
    let ended: Ended = with_secrets(&mut command, password).output().expect("the command runs").into();
    for secret in [KEY, "canary", password] {
        assert!(!ended.out.contains(secret) && !ended.err.contains(secret), "{}{}", ended.out, ended.err);
    }
    ended
}

/// What stands for the secrets in the sealed rendering, rendered without them.
fn sealed(place: &Place) -> String {
    place.run(&["render", "--sealed", "--out", "sealed"]).code(0);
    let text = tree(place, "sealed");
    let marks: Vec<_> = text.lines().filter(|line| line.contains("sealed:")).collect();
    assert!(marks.len() > 1, "{marks:?}");
    marks.join("\n")
}

#[test]
fn a_changed_secret_shows_where_nobody_has_it() {
    let place = place();
    let names = sealed(&place);
    place.run(&["render", "--sealed", "--out", "sealed"]).code(0).says("REDIS_PASSWORD has no seal");
    run_with_secrets(&place, &["seal", "--check"], "correct horse")
        .code(2)
        .says("REDIS_PASSWORD has no seal");
    assert!(!place.at("stageplot.seals").exists());
    run_with_secrets(&place, &["seal"], "correct horse").code(0).says("2 secrets (2 new). Commit it");
    let first = place.read("stageplot.seals");
    assert!(!first.contains("correct horse") && !first.contains("canary"), "{first}");
    let before = sealed(&place);
    assert_ne!(before, names);

    // The same again is the same, and leaves the file alone.
    let when = fs::metadata(place.at("stageplot.seals")).and_then(|meta| meta.modified()).expect("its time");
    run_with_secrets(&place, &["seal"], "correct horse").code(0).says("up to date: 2 secrets");
    let then = fs::metadata(place.at("stageplot.seals")).and_then(|meta| meta.modified()).expect("its time");
    assert_eq!(when, then);
    run_with_secrets(&place, &["seal", "--check"], "correct horse").code(0).says("up to date");

    // With the values at hand, the change is seen before it is sealed.
    run_with_secrets(&place, &["render", "--out", "out"], "battery staple")
        .code(0)
        .says("warning[seal-stale]: REDIS_PASSWORD is not what was sealed");
    run_with_secrets(&place, &["seal", "--check"], "battery staple").code(2).says("seal-stale");
    assert_eq!(place.read("stageplot.seals"), first);
    run_with_secrets(&place, &["seal"], "battery staple").code(0).says("2 secrets (1 changed)");
    assert_eq!(differing(&first, &place.read("stageplot.seals")), 1, "one line for each secret");
    assert_ne!(sealed(&place), before);
    let ended = run_with_secrets(&place, &["render", "--out", "out"], "battery staple").code(0);
    assert!(!ended.err.contains("warning"), "{}", ended.err);
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    assert_eq!(place.read("stageplot.seals"), first);
}

/// Seals that come alone do nothing to anybody, and the reviewer is told.
#[test]
fn the_first_seals_are_said_and_break_no_rule() {
    let place = place();
    place.run(&["render", "--sealed", "--out", "before"]).code(0);
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    let said = "REDIS_PASSWORD is sealed for the first time; whether it changed cannot be told";
    let diff = ["diff", "before", "stageplot.toml", "--deny", "internet,data,rooms"];
    place.run(&diff).code(2).prints("live: what happens cannot be told.").prints(said);
    place
        .run(&[&diff[..], &["--format", "markdown"]].concat())
        .code(2)
        .prints("`REDIS_PASSWORD` is sealed for the first time");
    let ended = place.run(&[&diff[..], &["--format", "json"]].concat()).code(2);
    let json: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(json["untold"]["impact"], "drain");
    place.write("policy.toml", "[rules.passwords]\nkind = \"secret\"\n");
    place.run(&[&diff[..], &["--policy", "policy.toml"]].concat()).code(3).prints(said);
    // Seals that go take away what rules were held against.
    let back = ["diff", "stageplot.toml", "before", "--deny", "rooms"];
    place.run(&back).code(3).prints("that is if a secret changed, which cannot be told");
    assert_eq!((&json["impact"], &json["secrets"][1]["status"]), (&"none".into(), &"sealed".into()));
}

fn differing(a: &str, b: &str) -> usize {
    assert_eq!(a.lines().count(), b.lines().count());
    a.lines().zip(b.lines()).filter(|(a, b)| a != b).count()
}

#[test]
fn without_secrets_nothing_but_the_file_counts() {
    let place = place();
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    let ci = sealed(&place);
    run_with_secrets(&place, &["render", "--sealed", "--out", "sealed"], "another").code(0).says("as before");
    assert_eq!(sealed(&place), ci);
    let ended = place.run(&["check"]).code(0);
    assert!(!ended.out.contains("warning"), "{}", ended.out);
}

#[test]
fn a_key_that_is_none_is_refused() {
    let place = place();
    let mut command = place.command(&["seal"]);
    let ended = Ended::from(
        with_secrets(&mut command, "correct horse")
            .env("STAGEPLOT_SEAL_KEY", "hunter2")
            .output()
            .expect("runs"),
    );
    assert!(!ended.err.contains("hunter2"));
    ended
        .code(2)
        .says("error[seal-key]")
        .says("is no key: it is not hexadecimal")
        .says("stageplot.toml:1:17");
    // Everything that is missing is said at once.
    place.run(&["seal"]).code(2).says("STAGEPLOT_SEAL_KEY").says("REDIS_PASSWORD").says("LIVEKIT_API_SECRET");
    // To render takes no key, and that nobody looked is said.
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    let mut command = place.command(&["render", "--out", "out"]);
    let ended =
        with_secrets(&mut command, "correct horse").env_remove("STAGEPLOT_SEAL_KEY").output().expect("runs");
    Ended::from(ended).code(0).says("warning[secret-missing]").says("nobody looked");
    assert!(!place.read("stageplot.seals").is_empty());
    for (key, why) in [
        ("\"0123\"", "everybody who can read the plot has the key"),
        ("{ env = \"REDIS_PASSWORD\" }", "services.redis.password as well"),
    ] {
        place.write("stageplot.toml", format!("seals = {{ key = {key} }}\n{PLOT}"));
        place.run(&["check"]).code(2).prints("error[seal-key]").prints(why);
    }
}

#[test]
fn a_new_key_goes_where_the_plot_looks_for_it() {
    let place = Place::with("stageplot.toml", format!("secrets-file = \"s.env\"\n{SEALS}{PLOT}"));
    let long = "x".repeat(32);
    place.write("s.env", format!("REDIS_PASSWORD=a\nLIVEKIT_API_SECRET={long}"));
    fs::set_permissions(place.at("s.env"), fs::Permissions::from_mode(0o600)).expect("its mode");
    let ended = place.run(&["seal", "--new-key"]).code(0).says("Wrote a new key to s.env").says("(2 new)");
    let text = place.read("s.env");
    let lines: Vec<_> = text.lines().collect();
    assert_eq!(lines[..2], ["REDIS_PASSWORD=a".to_owned(), format!("LIVEKIT_API_SECRET={long}")]);
    let key = lines[2].strip_prefix("STAGEPLOT_SEAL_KEY='").expect("the key").trim_end_matches('\'');
    assert!(key.len() == 64 && !ended.err.contains(key) && !ended.out.contains(key));
    place.run(&["seal", "--new-key"]).code(1).says("there is a key already: STAGEPLOT_SEAL_KEY");
    assert_eq!(place.read("s.env"), text);

    // A file of its own, which nobody else may read.
    let seals = "seals = { key = { file = \"seal.key\" } }\n";
    place.write("stageplot.toml", format!("secrets-file = \"s.env\"\n{seals}{PLOT}"));
    place
        .run(&["seal", "--new-key"])
        .code(0)
        .says("Wrote a new key to seal.key")
        .says("2 secrets (2 changed)");
    let mode = fs::metadata(place.at("seal.key")).expect("the key").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    place.run(&["seal", "--new-key"]).code(1).says("there is a key already");

    place.write("stageplot.toml", format!("{SEALS}{PLOT}"));
    place.run(&["seal", "--new-key"]).code(1).says("no secrets-file").says("openssl rand -hex 32");
    place.write("stageplot.toml", PLOT);
    place.run(&["seal"]).code(1).says("names no seals file").says("seals = { key = ");
}

#[test]
fn a_conflict_is_told_and_mended_by_sealing_again() {
    let place = place();
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    let whole = place.read("stageplot.seals");
    place.write("stageplot.seals", whole.replace("REDIS", "<<<<<<< HEAD\nREDIS"));
    for args in [&["check"][..], &["render", "--sealed", "--out", "out"], &["seal", "--check"]] {
        run_with_secrets(&place, args, "correct horse")
            .code(1)
            .says("stageplot.seals:8: ")
            .says("stageplot seal");
    }
    assert!(!place.at("out").exists());
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    assert_eq!(place.read("stageplot.seals"), whole);
}

#[test]
fn the_file_is_replaced_whole_and_a_link_stays_one() {
    let place = place();
    place.write("shared/seals", "");
    symlink("shared/seals", place.at("stageplot.seals")).expect("a link");
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    assert!(place.at("stageplot.seals").is_symlink());
    assert!(place.read("shared/seals").contains("REDIS_PASSWORD = \""));
    let names = fs::read_dir(place.at("shared")).expect("the directory").count();
    assert_eq!(names, 1, "no temporary file is left");
    let mode = fs::metadata(place.at("shared/seals")).expect("the file").permissions().mode();
    assert_eq!(mode & 0o600, 0o600);
}

#[test]
fn a_diff_of_revisions_shows_that_a_secret_changed_and_what_that_does() {
    let place = place();
    let git = |args: &[&str]| {
        let mut git = Command::new("git");
        git.args(["-c", "user.name=a", "-c", "user.email=a@example.com"])
            .args(args)
            .current_dir(place.path());
        assert!(git.output().expect("git runs").status.success(), "{args:?}");
    };
    run_with_secrets(&place, &["seal"], "correct horse").code(0);
    git(&["init", "--quiet"]);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "first"]);
    place.run(&["diff"]).code(0).prints("No changes.");
    run_with_secrets(&place, &["seal"], "battery staple").code(0);
    place
        .run(&["diff"])
        .code(2)
        .prints("requirepass: sealed:REDIS_PASSWORD:")
        .prints("redis: recreate")
        .prints("livekit: drain");
    // Seals elsewhere in the repository are found as well.
    place.write(
        "stageplot.toml",
        place.read("stageplot.toml").replace("key = {", "file = \"a/b.seals\", key = {"),
    );
    fs::create_dir(place.at("a")).expect("a directory");
    run_with_secrets(&place, &["seal"], "battery staple").code(0);
    git(&["add", "."]);
    git(&["commit", "--quiet", "--message", "second"]);
    place.run(&["diff"]).code(0).prints("No changes.");
}
