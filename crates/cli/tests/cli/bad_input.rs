//! Plots that nobody should give the command.

use std::fs::{self, File, Permissions};
use std::io::Write as _;
use std::os::unix::fs::{PermissionsExt as _, symlink};
use std::process::Stdio;
use std::time::{Duration, Instant};

use crate::place::{Ended, Place, as_nobody};

#[test]
fn an_empty_file_is_told_what_it_lacks() {
    let place = Place::with("stageplot.toml", "");
    place.run(&["check"]).code(2).prints("the plot has no name").prints("add [nodes.NAME]");
    for (name, text) in [("p.json", ""), ("p.yaml", ""), ("p.yaml", "---\n"), ("p.json", "null")] {
        place.write(name, text);
        place.run(&["check", name]).code(2);
    }
}

#[test]
fn a_large_file_is_refused_unread() {
    let place = Place::new();
    File::create(place.at("stageplot.toml")).expect("a file").set_len(100 << 20).expect("100 MiB");
    let begin = Instant::now();
    place.run(&["check"]).code(2).prints("the file has 100 MiB, and a plot 16 at most");
    place.run(&["render", "--out", "out"]).code(2);
    assert!(begin.elapsed() < Duration::from_secs(2), "it was read");
    // Of what does not tell its size no more is read than a plot may have.
    let plot = Stdio::from(File::open("/dev/zero").expect("zeros"));
    let ended = place.command(&["check", "-"]).stdin(plot).output().expect("the command runs");
    Ended::from(ended).code(2).prints("a plot 16 at most");
}

#[test]
fn what_is_not_utf8_is_told_where() {
    let place = Place::with("stageplot.toml", b"name = \"live\"\n[nodes.a]\naddress = \"\xff\"\n");
    place.run(&["check"]).code(2).prints("byte 35 (0xff) is not UTF-8").prints("stageplot.toml:3:12");
    place.write("utf16.toml", b"\xff\xfen\0a\0m\0e\0");
    place.run(&["check", "utf16.toml"]).code(2).prints("save it as UTF-8");
}

#[test]
fn a_directory_holds_one_plot() {
    let place = Place::new();
    place.run(&["check"]).code(1).says("there is no stageplot.toml here").says("stageplot init");
    place.run(&["check", "/"]).code(1).says("there is no stageplot.toml in /");
    place.write("stageplot.yml", "name: live\n");
    place.run(&["check"]).code(2).prints("stageplot.yml");
    place.write("stageplot.toml", "");
    place.run(&["check"]).code(1).says("there are several plots: ./stageplot.toml, ./stageplot.yml");
}

#[test]
fn what_is_not_there_is_said_so() {
    let place = Place::new();
    place.run(&["check", "no.toml"]).code(1).says("failed to read no.toml: no such file or directory");
    place.write("notes.txt", "");
    place.run(&["check", "notes.txt"]).code(1).says("--plot-format");
    symlink("loop.toml", place.at("loop.toml")).expect("a link");
    place.run(&["check", "loop.toml"]).code(1).says("too many levels of symbolic links");
}

#[test]
fn no_permission_is_said_so() {
    let place = Place::with_plot();
    fs::set_permissions(place.path(), Permissions::from_mode(0o755)).expect("its mode");
    fs::set_permissions(place.at("stageplot.toml"), Permissions::from_mode(0o000)).expect("its mode");
    let run = || as_nobody(&mut place.command(&["check", "."])).output().map(Ended::from);
    match run() {
        Ok(ended) => ended.code(1).says("failed to read stageplot.toml: permission denied"),
        Err(error) => return println!("skipped: the command cannot be run as another user: {error}"),
    };
    fs::create_dir(place.at("closed")).expect("a directory");
    fs::set_permissions(place.at("closed"), Permissions::from_mode(0o000)).expect("its mode");
    let mut command = place.command(&["check", "closed"]);
    let ended = Ended::from(as_nobody(&mut command).output().expect("it ran before"));
    ended.code(1).says("failed to read closed/stageplot.toml: permission denied");
}

#[test]
fn a_hundred_thousand_nodes_are_answered_in_seconds() {
    let mut text = String::from(
        "name = \"live\"\naccess.ssh.from = \"any\"\n[networks.lan]\ncidr = \"10.0.0.0/8\"\n[edge]\ndomain = \"a.example.com\"\n\
         [livekit]\nkeys = { main = { env = \"K\" } }\n[redis]\nprimary = \"n-0\"\npassword = { env = \"P\" }\n",
    );
    for n in 0..100_000_u32 {
        let [_, a, b, c] = (n + 1).to_be_bytes();
        let more = if n == 0 { ", \"edge\", \"redis\"" } else { "" };
        text.push_str(&format!(
            "[nodes.n-{n}]\naddress = \"10.{a}.{b}.{c}\"\npublic = \"203.{}.{b}.{c}\"\nroles = [\"livekit\"{more}]\n",
            64 + a
        ));
    }
    let place = Place::with("stageplot.toml", &text);
    let begin = Instant::now();
    place.run(&["check"]).code(0).prints("3 services on 100000 nodes");
    let sound = begin.elapsed();
    place.write("stageplot.toml", text.replace("public =", "publc ="));
    let broken = place.run(&["check"]).code(2).prints("the first 200 are shown");
    assert!(broken.out.len() < 200 << 10, "{} bytes", broken.out.len());
    // About a second where it is optimised and has a processor.
    assert!(sound < Duration::from_secs(60), "{sound:?}");
}

#[test]
fn a_reader_that_goes_away_is_no_failure() {
    let place = Place::with_plot();
    for args in [&["show", "flows"][..], &["schema"], &["help"], &["completions", "bash"]] {
        let (reader, writer) = std::io::pipe().expect("a pipe");
        drop(reader);
        let output = place.command(args).stdout(writer).output().expect("the command runs");
        let ended = Ended::from(output).code(0);
        assert_eq!(ended.err, "", "{args:?}");
    }
    // What is wrong with the plot still shows in how it ends.
    place.write("stageplot.toml", "");
    let (reader, writer) = std::io::pipe().expect("a pipe");
    drop(reader);
    let output = place.command(&["check"]).stdout(writer).output().expect("the command runs");
    Ended::from(output).code(2);
}

#[test]
fn a_full_disk_behind_standard_output_is_a_failure() {
    let place = Place::with_plot();
    let full = || File::options().write(true).open("/dev/full").expect("a full device");
    let output = place.command(&["show", "flows"]).stdout(full()).output().expect("the command runs");
    Ended::from(output).code(1).says("failed to write to standard output: no space left on device");
    // Nobody hears of a full standard error, and nothing else changes.
    let output = place.command(&["check", "no.toml"]).stderr(full()).output().expect("the command runs");
    Ended::from(output).code(1);
}

#[test]
fn a_plot_is_read_from_standard_input() {
    let place = Place::new();
    let run = |args: &[&str], text: &str| {
        let mut child = place
            .command(args)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the command runs");
        child.stdin.take().expect("its input").write_all(text.as_bytes()).expect("it reads");
        Ended::from(child.wait_with_output().expect("it ends"))
    };
    run(&["check", "-"], crate::place::PLOT).code(0).prints("<stdin> is well");
    run(
        &["check", "-", "--plot-format", "yaml"],
        "name: live\nnodes: {a: {address: 10.0.0.1, roles: [redis]}}\nredis: {}\n",
    )
    .code(0);
    run(&["check", "-"], "{}").code(2);
    let place = Place::new();
    Ended::from(place.command(&["check", "-"]).output().expect("the command runs")).code(2);
}

#[test]
fn what_is_mistyped_on_the_command_line_is_an_error() {
    let place = Place::with_plot();
    for args in [
        &["chekc"][..],
        &["check", "--no-such"],
        &["render"],
        &["show"],
        &[],
        &["show", "nodes", "--format", "xml"],
    ] {
        let ended = place.run(args).code(1);
        assert_eq!(ended.out, "", "{args:?}");
    }
    place.run(&["show", "nodes", "--node", "mian"]).code(1).says("did you mean main?");
    place.run(&["explain", "port-conflcit"]).code(1).says("did you mean port-conflict?");
}
