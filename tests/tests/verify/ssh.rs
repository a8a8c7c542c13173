//! A node's checks from a workstation, through OpenSSH.

use std::collections::BTreeSet;
use std::fs;
use std::path::Path;

use serde_json::Value;
use stageplot_tests::{Process, Program, Rig, run, stageplot, wait_for};

use crate::{RUN, SOON, report, shell, verify};

/// The node that is reached, and the address by which it is.
const NODE: &str = "media-2";
const ADDRESS: &str = "203.0.113.12";

/// The workstation is where the plot's clients are.
pub(crate) fn look(rig: &Rig, plot: &str) {
    let keys = tempfile::tempdir().expect("a directory");
    let sshd = serve(rig, keys.path());
    let config = config(keys.path());
    // The machine's own environment, in which the commands of a bundle find its engine.
    let environment = shell(rig, NODE, "export -p | grep -E '^export (DOCKER|PATH)'");
    let program = stageplot();
    let script = keys.path().join("stageplot-there");
    let text = format!("{environment}\nexec {} \"$@\"\n", program.display());
    fs::write(&script, text).expect("a script");
    let runs = format!("sh {}", script.display());
    let through = |runs: &str| -> Value {
        let options = ["--via", "ssh", "--node", NODE, "--ssh-config", &config, "--ssh-run", runs];
        report(rig, plot, "a workstation", &options, RUN)
    };
    let well = || {
        let report = through(&runs);
        if report["outcome"] != "passed" {
            println!("through SSH: not well yet: {}", report["checks"][0]);
        }
        report["outcome"] == "passed"
    };
    wait_for("all is well through SSH", SOON, well);

    let here = ids(&verify(rig, plot, NODE, &[]), |_| true);
    let there = through(&runs);
    assert_eq!(ids(&there, |_| true), here, "what is tried from elsewhere is what is tried there");
    let by_tcp = ids(&there, |line| line["evidence"]["via"] == ADDRESS);
    assert!(by_tcp.len() >= 4 && by_tcp.len() < here.len(), "{by_tcp:?}");
    println!("{} checks through SSH, {} of them by ssh -W", here.len(), by_tcp.len());

    // Without the program there what goes over TCP is known, and the rest is not.
    let alone = through("/nowhere/stageplot");
    assert_eq!(alone["outcome"], "not-tried", "{alone:#}");
    assert_eq!(ids(&alone, |line| line["outcome"] == "passed"), by_tcp);
    let rest = ids(&alone, |line| line["cause"] == "program-absent");
    assert_eq!(rest.len(), here.len() - by_tcp.len());

    // What is wrong is told apart as it is on the node itself.
    for (on, bring, mend, cause) in [
        (NODE, "docker stop --time 1 live-sfu-1", "docker start live-sfu-1", "refused"),
        ("media-1", "docker pause live-cache-1", "docker unpause live-cache-1", "no-answer"),
        ("media-1", "shut forward tcp dport 6379", "open", "silence"),
    ] {
        shell(rig, on, bring);
        let seen = through(&runs);
        shell(rig, on, mend);
        let found = ids(&seen, |line| line["cause"] == cause && line["evidence"]["via"] == ADDRESS);
        assert!(!found.is_empty(), "{bring}: {seen:#}");
        wait_for("all is well again", SOON, well);
    }
    drop(sshd);
    let gone = through(&runs);
    assert_eq!(gone["outcome"], "not-tried");
    let causes: BTreeSet<_> =
        gone["checks"].as_array().into_iter().flatten().map(|line| line["cause"].to_string()).collect();
    assert_eq!(causes, BTreeSet::from(["\"ssh-failed\"".to_owned()]), "{gone:#}");
}

/// The ids of the checks that are meant.
fn ids(report: &Value, meant: impl Fn(&Value) -> bool) -> BTreeSet<String> {
    let all = report["checks"].as_array().expect("checks");
    all.iter().filter(|line| meant(line)).map(|line| line["id"].to_string()).collect()
}

/// An sshd of the node's own, that lets in whoever has the key.
fn serve(rig: &Rig, keys: &Path) -> Process {
    for key in ["host", "user"] {
        let mut keygen = Program::named("ssh-keygen").expect("found before").command();
        run(keygen.args(["-q", "-t", "ed25519", "-N", "", "-f"]).arg(keys.join(key)), RUN).success();
    }
    let config = keys.join("sshd_config");
    let settings = format!(
        "Port 22\nHostKey {keys}/host\nAuthorizedKeysFile {keys}/user.pub\nStrictModes no\nUsePAM no\n\
         PermitRootLogin yes\nPasswordAuthentication no\nPidFile none\n",
        keys = keys.display()
    );
    fs::write(&config, settings).expect("a configuration");
    // Where an init system starts it, that makes it.
    shell(rig, NODE, "mkdir -p /run/sshd");
    let sshd = Program::named("sshd").expect("found before");
    let mut command = rig.command(NODE, sshd.path().to_str().expect("a path")).expect("a machine");
    Process::start("sshd", command.args(["-D", "-e", "-f"]).arg(&config))
}

/// The operator's configuration of ssh.
fn config(keys: &Path) -> String {
    let known = fs::read_to_string(keys.join("host.pub")).expect("a key");
    fs::write(keys.join("known"), format!("{ADDRESS} {known}")).expect("known hosts");
    let settings = format!(
        "User root\nIdentityFile {keys}/user\nIdentitiesOnly yes\nUserKnownHostsFile {keys}/known\n\
         StrictHostKeyChecking yes\n",
        keys = keys.display()
    );
    let path = keys.join("ssh_config");
    fs::write(&path, settings).expect("a configuration");
    path.to_str().expect("a path").to_owned()
}
