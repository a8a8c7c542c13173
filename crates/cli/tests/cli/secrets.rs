//! Where the values of secrets come from.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::ExitStatusExt as _;
use std::time::{Duration, Instant};

use rustix::process::{Pid, Signal, kill_process};

use crate::place::{Ended, PLOT, Place, tree};

const LONG: &str = "0123456789abcdef0123456789abcdef";

/// The plot with another password.
fn plot(password: &str) -> String {
    PLOT.replace("{ env = \"REDIS_PASSWORD\" }", password)
        .replace("{ env = \"LIVEKIT_API_SECRET\" }", &format!("{{ command = [\"echo\", \"{LONG}\"] }}"))
}

#[test]
fn every_missing_secret_is_named() {
    let place = Place::with_plot();
    let ended = place.run(&["render", "--out", "out"]).code(2);
    ended
        .says("the value of LIVEKIT_API_SECRET cannot be had: it is not in the environment")
        .says("the value of REDIS_PASSWORD cannot be had")
        .says("--> stageplot.toml:17:12")
        .says("password = { env = \"REDIS_PASSWORD\" }")
        .says("2 errors in stageplot.toml");
    assert_eq!(place.names(), ["stageplot.toml"]);
}

/// The program of a command is shown, and its arguments nowhere: in no message, no
/// snippet and no file.
#[test]
fn arguments_of_commands_are_starred_everywhere() {
    let place = Place::with("stageplot.toml", plot("{ command = [\"false\", \"hunter2\", \"x\"] }"));
    let ended = place.run(&["render", "--out", "out"]).code(2);
    let ended =
        ended.says("the value of command false ******** (").says("command = [\"false\", ********, ********]");
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
    let json = place.run(&["render", "--out", "out", "--format", "json"]).code(2).out;
    assert!(!json.contains("hunter2"), "{json}");
    place.run(&["render", "--sealed", "--out", "out"]).code(0);
    let sealed = tree(&place, "out");
    assert!(sealed.contains("command false ********") && !sealed.contains("hunter2"));
    // Another argument is another secret.
    place.write("stageplot.toml", plot("{ command = [\"false\", \"hunter3\", \"x\"] }"));
    place.run(&["render", "--sealed", "--out", "out"]).code(0);
    assert_ne!(tree(&place, "out"), sealed);
}

#[test]
fn the_environment_comes_before_the_secrets_file() {
    let place = Place::with("stageplot.toml", format!("secrets-file = \"s.env\"\n{PLOT}"));
    place.write(
        "s.env",
        format!("LIVEKIT_API_SECRET='{LONG}' # ours\nexport REDIS_PASSWORD=\"from the file\"\n"),
    );
    fs::set_permissions(place.at("s.env"), fs::Permissions::from_mode(0o600)).expect("its mode");
    let ended = place.run(&["render", "--out", "out"]).code(0);
    assert!(!ended.err.contains("warning"), "{}", ended.err);
    assert!(tree(&place, "out").contains("from the file"));

    let mut command = place.command(&["render", "--out", "out"]);
    let output = command.env("REDIS_PASSWORD", "from the environment").output().expect("the command runs");
    Ended::from(output).code(0);
    assert!(tree(&place, "out").contains("from the environment"));

    // What is set to nothing is not set.
    let mut command = place.command(&["render", "--out", "out"]);
    Ended::from(command.env("REDIS_PASSWORD", "").output().expect("the command runs")).code(0);
    assert!(tree(&place, "out").contains("from the file"));

    fs::set_permissions(place.at("s.env"), fs::Permissions::from_mode(0o640)).expect("its mode");
    place.run(&["render", "--out", "out"]).code(0).says("s.env can be read by other users");
    fs::remove_file(place.at("s.env")).expect("the file");
    place.run(&["render", "--out", "out"]).code(2).says("and s.env does not exist");
}

#[test]
fn a_line_that_sets_nothing_is_told_without_its_text() {
    let place = Place::with("stageplot.toml", format!("secrets-file = \"s.env\"\n{PLOT}"));
    place.write("s.env", "hunter2\nREDIS_PASSWORD='hunter2\n");
    let ended = place.run(&["render", "--out", "out"]).code(2).says("s.env:1").says("s.env:2");
    assert!(!ended.err.contains("hunter2"), "{}", ended.err);
}

#[test]
fn files_and_commands_give_secrets() {
    for (password, value) in [
        ("{ file = \"secrets/redis\" }", "a $ecret"),
        ("{ command = [\"cat\", \"secrets/redis\"] }", "a $ecret"),
        ("{ command = \"pwd\" }", "/"),
    ] {
        let place = Place::with("sub/stageplot.toml", plot(password));
        place.write("sub/secrets/redis", "a $ecret\n");
        place.run(&["render", "sub", "--out", "out"]).code(0);
        assert!(tree(&place, "out").contains(value), "{password}");
    }
}

#[test]
fn a_certificate_may_be_read_by_everybody_and_a_key_may_not() {
    let plot =
        plot("\"literal\"").replace("[edge]\n", "[edge]\ntls = { cert = \"a.pem\", key = \"a.key\" }\n");
    let place = Place::with("stageplot.toml", plot);
    place.write("a.pem", "-----BEGIN CERTIFICATE-----\nAA==\n-----END CERTIFICATE-----\n");
    place.write("a.key", "-----BEGIN PRIVATE KEY-----\nAA==\n-----END PRIVATE KEY-----\n");
    for name in ["a.pem", "a.key"] {
        fs::set_permissions(place.at(name), fs::Permissions::from_mode(0o644)).expect("its mode");
    }
    let ended = place.run(&["render", "--out", "out"]).code(0).says("a.key can be read by other users");
    assert!(!ended.err.contains("a.pem can be read"), "{}", ended.err);
}

#[test]
fn a_secret_that_cannot_be_had_is_told_why() {
    let place = Place::new();
    place.write("empty", "\n");
    place.write("binary", b"\xff\xfe");
    fs::File::create(place.at("large")).and_then(|file| file.set_len(2 << 20)).expect("2 MiB");
    for (password, why) in [
        ("{ file = \"no\" }", "no does not exist"),
        ("{ file = \".\" }", "cannot be read: is a directory"),
        ("{ file = \"empty\" }", "empty gives nothing"),
        ("{ file = \"binary\" }", "binary gives no UTF-8"),
        ("{ file = \"large\" }", "large has more than 1 MiB"),
        ("{ file = \"/dev/zero\" }", "has more than 1 MiB"),
        ("{ command = [\"no-such-program\"] }", "no-such-program cannot be run: no such file"),
        ("{ command = [\"false\"] }", "false failed: exit status: 1"),
        ("{ command = [\"yes\"] }", "yes printed more than 1 MiB"),
    ] {
        place.write("stageplot.toml", plot(password));
        let begin = Instant::now();
        place.run(&["render", "--out", "out"]).code(2).says(why).says("secret-missing");
        assert!(begin.elapsed() < Duration::from_secs(10), "{password}");
    }
}

#[test]
fn a_short_livekit_secret_is_refused() {
    let place = Place::with_plot();
    let mut command = place.command(&["render", "--out", "out"]);
    command.env("LIVEKIT_API_SECRET", "hunter2").env("REDIS_PASSWORD", "x");
    let ended = Ended::from(command.output().expect("the command runs")).code(2);
    assert!(!ended.err.contains("hunter2"));
    ended.says("livekit-short-secret").says("LIVEKIT_API_SECRET has 7 characters");
}

#[test]
fn a_short_livekit_secret_that_is_allowed_is_still_told() {
    let place = Place::with_plot();
    place.write(
        "stageplot.toml",
        place.read("stageplot.toml") + "\n[severity]\nlivekit-short-secret = \"warning\"\n",
    );
    let mut command = place.command(&["render", "--out", "out"]);
    command.env("LIVEKIT_API_SECRET", "hunter2").env("REDIS_PASSWORD", "x");
    let ended = Ended::from(command.output().expect("the command runs")).code(0);
    assert!(!ended.err.contains("hunter2"));
    ended.says("warning[livekit-short-secret]").says("Rendered");
}

#[test]
fn an_interrupt_ends_an_endless_command_too() {
    let place =
        Place::with("stageplot.toml", plot("{ command = [\"sh\", \"-c\", \"echo $$ >pid; sleep 600\"] }"));
    let mut child = place.command(&["render", "--out", "out"]).spawn().expect("the command runs");
    let end = Instant::now() + Duration::from_secs(20);
    let pid = loop {
        match fs::read_to_string(place.at("pid")) {
            Ok(pid) if pid.ends_with('\n') => break pid.trim().to_owned(),
            _ => assert!(Instant::now() < end, "it does not start"),
        }
        std::thread::sleep(Duration::from_millis(5));
    };
    kill_process(Pid::from_child(&child), Signal::INT).expect("it is there");
    let status = child.wait().expect("it ends");
    assert_eq!(status.signal(), Some(Signal::INT.as_raw()), "{status}");
    assert!(!std::path::Path::new("/proc").join(pid).exists(), "the command is left");
    assert!(!place.at("out").exists());
}
