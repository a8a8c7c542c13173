//! `stageplot diff`

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::place::{PLOT, Place};

/// Telling changes of the example cluster, each with the text that a reviewer reads, in
/// `tests/diff`. `STAGEPLOT_BLESS=1` takes what is said over.
#[test]
fn telling_changes_read_well() {
    let plots = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../examples/plots");
    let cluster = fs::read_to_string(plots.join("cluster/stageplot.toml")).expect("the cluster");
    let place = Place::with("before.toml", &cluster);
    let new_node = "[nodes.media-5]\naddress = \"192.168.1.6\"\npublic  = \"203.0.113.15\"\nroles   = [\"sfu\"]\n\n[services.edge]";
    let last = "password = { env = \"REDIS_PASSWORD\" }\n\n[";
    assert!(format!("{cluster}\n[").contains(last), "the cluster ends with Redis' password");
    let off = format!("{cluster}persistence = \"none\"\n");
    for (name, code, after) in [
        ("comment", 0, cluster.replace("[services.sfu]", "# The rooms.\n[services.sfu]")),
        ("redis-moves", 2, replaced(&cluster, "primary  = \"media-1\"", "primary  = \"media-2\"")),
        ("port-opens", 2, replaced(&cluster, "selector =", "turn     = { udp-port = 3478 }\nselector =")),
        ("node-comes", 2, replaced(&cluster, "[services.edge]", new_node)),
        ("domain-changes", 2, replaced(&cluster, "domain = \"livekit.", "domain = \"rooms.")),
        ("image-bump", 2, replaced(&cluster, "rooms:1.4.0", "rooms:1.5.0")),
        ("drain-changes", 2, replaced(&cluster, "max = \"2h\"", "max = \"30m\"")),
        ("persistence-off", 2, off),
    ] {
        place.write("after.toml", after);
        let ended = place.run(&["diff", "before.toml", "after.toml"]).code(code);
        let kept = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/diff").join(format!("{name}.txt"));
        if std::env::var_os("STAGEPLOT_BLESS").is_some() {
            fs::write(&kept, &ended.out).expect("written");
        }
        assert_eq!(ended.err, "", "{name}");
        assert_eq!(
            ended.out,
            fs::read_to_string(&kept).unwrap_or_default(),
            "{name}: STAGEPLOT_BLESS=1 takes it over"
        );
    }
}

fn replaced(text: &str, from: &str, to: &str) -> String {
    assert!(text.contains(from), "{from}");
    text.replacen(from, to, 1)
}

#[test]
fn both_sides_may_be_left_out() {
    let place = Place::with_plot();
    for args in [&["diff", "a", "b", "--nope"][..], &["diff", "a", "b", "c"]] {
        place.run(args).code(1).says("Usage: stageplot diff [OPTIONS] [BEFORE] [AFTER]");
    }
}

#[test]
fn trees_and_plots_are_compared_with_each_other() {
    let place = Place::with_plot();
    place.run(&["render", "--sealed", "--out", "tree"]).code(0);
    place.run(&["diff", "tree", "stageplot.toml"]).code(0).prints("No changes.");
    place.write("other.toml", PLOT.replace("203.0.113.10", "203.0.113.20"));
    let ended = place.run(&["diff", "tree", "other.toml", "--format", "json"]).code(2);
    let diff: Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!((&diff["version"], &diff["impact"]), (&1.into(), &"drain".into()));
    let ended = place.run(&["diff", "tree", "other.toml", "--summary"]).code(2);
    assert!(!ended.out.contains("rtc.node_ip: "), "{}", ended.out);
}

#[test]
fn what_cannot_be_compared_is_refused() {
    let place = Place::with_plot();
    let mut render = place.command(&["render", "--out", "told"]);
    let secret = "hunter2-hunter2-hunter2-hunter2-hunter2";
    render.envs([("LIVEKIT_API_SECRET", secret), ("REDIS_PASSWORD", secret)]);
    assert!(render.status().expect("it runs").success());
    let ended = place.run(&["diff", "told", "stageplot.toml"]).code(1);
    assert!(!format!("{}{}", ended.out, ended.err).contains("hunter2"));
    ended.says("told cannot be compared: the files of main hold the values of secrets").says("--sealed");

    place.write("broken.toml", PLOT.replace("livekit.example.com", "not a name"));
    place.run(&["diff", "stageplot.toml", "broken.toml"]).code(1).says("broken.toml:");
    place.run(&["diff", "stageplot.toml", "nothing"]).code(1).says("failed to read nothing");
    place.run(&["diff", "-"]).code(1).says("name both sides");
}

/// A repository with a plot below its top, committed.
fn repository() -> Place {
    let place = Place::with("deploy/stageplot.toml", PLOT);
    git(&place, &["init", "--quiet", "--initial-branch", "main"]);
    commit(&place);
    place
}

fn commit(place: &Place) {
    git(place, &["add", "--all"]);
    git(place, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "--message", "A change"]);
}

fn git(place: &Place, args: &[&str]) {
    let mut git = Command::new("git");
    git.args(args).current_dir(place.path());
    git.env("GIT_CONFIG_GLOBAL", "/dev/null").env("GIT_CONFIG_SYSTEM", "/dev/null");
    assert!(git.status().expect("git runs").success(), "{args:?}");
}

#[test]
fn revisions_are_compared() {
    let place = repository();
    place.run(&["diff", "deploy"]).code(0).prints("No changes.");
    place.write("deploy/stageplot.toml", PLOT.replace("[redis]", "[redis]\nport = 6380"));
    for sides in [
        &["deploy"][..],
        &["main:deploy"],
        &["HEAD:deploy/stageplot.toml", "deploy"],
        &["HEAD:./deploy", "deploy"],
        &["deploy/stageplot.toml"],
    ] {
        let ended = place.run(&[&["diff"], sides].concat()).code(2);
        ended.prints("redis: recreate");
    }
    let here = ["diff", "main:./stageplot.toml", "stageplot.toml"];
    let output = place.command(&here).current_dir(place.at("deploy")).output().expect("it runs");
    assert_eq!(output.status.code(), Some(2));
    commit(&place);
    let sides = ["diff", "HEAD~1:deploy", "HEAD:deploy"];
    place
        .run(&sides)
        .code(2)
        .prints("redis: recreate")
        .prints("live, from HEAD~1:deploy to HEAD:deploy: changes on 1 node");
    // A comment says whose it is, and of what.
    let markdown = place.run(&[&sides[..], &["--format", "markdown"]].concat()).code(2);
    let start = "<!-- stageplot live deploy -->\n## Stageplot live: drain\n\nFrom `HEAD~1:deploy` to `HEAD:deploy`.\n";
    assert!(markdown.out.starts_with(start), "{}", markdown.out);

    place.run(&["diff", "nope:deploy", "deploy"]).code(1).says("git knows no revision nope here");
    place.run(&["diff", "main"]).code(1).says("main is a git revision").says("main:stageplot.toml");
    place.run(&["diff", "HEAD:nope", "deploy"]).code(1).says("there is no HEAD:nope");
    place.run(&["diff", "HEAD:../deploy", "deploy"]).code(1).says("leads out of the repository");
    place.run(&["diff", "--", "-x:deploy", "deploy"]).code(1).says("is no revision");
    let young = Place::with_plot();
    git(&young, &["init", "--quiet"]);
    young.run(&["diff", "stageplot.toml"]).code(1).says("the git repository has no commit yet");
    let apart = Place::with_plot();
    let mut diff = apart.command(&["diff"]);
    let output = diff.env("GIT_CEILING_DIRECTORIES", "/").output().expect("it runs");
    assert!(String::from_utf8_lossy(&output.stderr).contains("is in no git repository"));
}

#[test]
fn a_revision_brings_what_belongs_to_its_plot() {
    let place = repository();
    let plot = PLOT.replace("name = \"live\"", "name = \"live\"\ntemplates = \"../templates\"");
    place.write("deploy/stageplot.toml", &plot);
    place.write("templates/files/redis/extra.conf", "maxclients 100\n");
    commit(&place);
    place.run(&["diff", "HEAD~1:deploy", "HEAD:deploy"]).code(2).prints("extra.conf is new");
    place.write("templates/files/redis/extra.conf", "maxclients 200\n");
    place.run(&["diff", "deploy"]).code(2).prints("extra.conf");

    // A tree, and in it a link that leads out.
    place.run(&["render", "deploy", "--sealed", "--out", "tree"]).code(0);
    place.write("secret", "hunter2");
    fs::remove_file(place.at("tree/dns.txt")).expect("removed");
    symlink(place.at("secret"), place.at("tree/dns.txt")).expect("a link");
    commit(&place);
    let ended = place.run(&["diff", "HEAD:tree", "deploy", "--format", "json"]).code(2);
    assert!(!ended.out.contains("hunter2") && ended.out.contains("dns.txt"), "{}", ended.out);

    // Nothing of the repository was touched.
    let status = Command::new("git").args(["status", "--porcelain"]).current_dir(place.path()).output();
    assert_eq!(String::from_utf8_lossy(&status.expect("git runs").stdout), "");
}

#[test]
fn the_summary_leaves_files_out_and_keeps_dns_in_every_format() {
    let place = Place::with("before.toml", PLOT);
    place.write("after.toml", PLOT.replace("203.0.113.10", "203.0.113.20"));
    let summary = ["diff", "before.toml", "after.toml", "--summary", "--format"];
    for format in ["text", "markdown"] {
        let ended = place.run(&[&summary[..], &[format]].concat()).code(2);
        ended.prints("DNS").prints("livekit.example.com A 203.0.113.20");
    }
    let ended = place.run(&[&summary[..], &["json"]].concat()).code(2);
    let json: serde_json::Value = serde_json::from_str(&ended.out).expect("JSON");
    assert_eq!(json["records"]["set"][0]["value"], "203.0.113.20");
    assert!(!ended.out.contains("\"files\"") && json.get("overview").is_none(), "{}", ended.out);
}

#[test]
fn a_finding_that_the_change_brings_is_told() {
    let place = Place::with("before.toml", PLOT);
    place.write("after.toml", format!("{PLOT}\n[nodes.spare]\npublic = \"203.0.113.30\"\n"));
    let ended = place.run(&["diff", "before.toml", "after.toml", "--summary"]).code(2);
    ended.prints("New findings").prints("warning idle-node: nodes.spare");
    place.run(&["diff", "after.toml", "after.toml"]).code(0).prints("No changes.");
}

#[test]
fn a_rule_that_names_nothing_is_warned_about() {
    let place = Place::with("before.toml", PLOT);
    place.write("policy.toml", "[rules.media]\nkind = \"rooms\"\nnodes = \"medai-*\"\n");
    place
        .run(&["diff", "before.toml", "before.toml", "--policy", "policy.toml"])
        .code(0)
        .says("warning: rule media names nodes that neither side has: medai-*");
}
