//! What the machine itself reads: the script that installs, systemd's units, kernel
//! settings; and the manifest, by `sha256sum`.

use std::collections::BTreeMap;
use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use serde_json::Value;
use stageplot_tests::{
    Namespace, Program, Root, SHARED_SETTINGS, Scratch, Station, kernel_settings, run, sysctl_load,
    systemd_verify, units, want, write_bundle,
};

use super::Example;

const SOON: Duration = Duration::from_secs(30);

#[test]
fn every_bundle_is_installed_as_its_manifest_says() {
    want!(Namespace::new("probe"));
    let mut files = 0;
    for example in want!(Example::all()) {
        for bundle in &example.rendering.bundles {
            let what = format!("{}, {}", example.name, bundle.node);
            let scratch = Scratch::new();
            let (copied, installed) = (scratch.path().join("copied"), scratch.path().join("installed"));
            write_bundle(bundle, &copied);
            let mut install = Command::new("sh");
            run(install.arg(copied.join("install.sh")).arg(&installed), SOON).success();
            let release = installed.join("current");
            let manifest: Value =
                serde_json::from_slice(&fs::read(release.join("manifest.json")).expect("a manifest"))
                    .expect("JSON");
            let listed = manifest["files"].as_object().expect("files");
            let sums: String =
                listed.iter().map(|(path, file)| format!("{}  {path}\n", text(&file["sha256"]))).collect();
            fs::write(scratch.path().join("sums"), sums).expect("a list");
            let check = || {
                let mut check = Command::new("sha256sum");
                check.args(["--strict", "--quiet", "--check"]).arg(scratch.path().join("sums"));
                run(check.current_dir(&release), SOON)
            };
            check().success();
            // Nothing else is there, and each is whose and as open as it says.
            let found = tree(&release.canonicalize().expect("a release"));
            for (path, (mode, owner)) in &found {
                let (wanted_mode, wanted_owner) = match listed.get(path) {
                    Some(file) => (text(&file["mode"]), text(&file["owner"])),
                    None if path == "manifest.json" => ("0400", "0:0"),
                    None => panic!("{what}: {path} is not in the manifest"),
                };
                assert_eq!((mode.as_str(), owner.as_str()), (wanted_mode, wanted_owner), "{what}: {path}");
                if path.starts_with("services/") || path.starts_with("live/") {
                    let mounted = tree(&installed);
                    assert_eq!(mounted.get(path), Some(&(mode.clone(), owner.clone())), "{what}: {path}");
                    let bytes = fs::read(installed.join(path)).expect("a file");
                    assert_eq!(bytes, bundle.artifact(path).expect("an artifact").bytes, "{what}: {path}");
                }
            }
            assert_eq!(found.len(), listed.len() + 1, "{what}");
            files += found.len();

            let changed = release.join("README.md");
            fs::write(&changed, "another").expect("a changed file");
            assert!(check().stdout.contains("README.md: FAILED"), "{what}");
        }
    }
    println!("{files} files");
}

/// Every file below a directory with its mode and owner.
fn tree(directory: &Path) -> BTreeMap<String, (String, String)> {
    fn walk(root: &Path, directory: &Path, found: &mut BTreeMap<String, (String, String)>) {
        for entry in fs::read_dir(directory).expect("a directory") {
            let path = entry.expect("an entry").path();
            let about = fs::symlink_metadata(&path).expect("a file");
            if about.is_dir() {
                walk(root, &path, found);
            } else {
                let name = path.strip_prefix(root).expect("below").display().to_string();
                let mode = format!("{:04o}", about.permissions().mode() & 0o7777);
                found.insert(name, (mode, format!("{}:{}", about.uid(), about.gid())));
            }
        }
    }
    let mut found = BTreeMap::new();
    walk(directory, directory, &mut found);
    found
}

#[test]
fn every_script_is_a_shell_script() {
    let shellcheck = want!(Program::named("shellcheck"));
    let scratch = Scratch::new();
    let mut scripts = Vec::new();
    for example in want!(Example::all()) {
        for bundle in &example.rendering.bundles {
            for artifact in bundle.artifacts.iter().filter(|artifact| artifact.path.ends_with(".sh")) {
                let name = format!("{}-{}-{}", example.name, bundle.node, artifact.path.replace('/', "-"));
                let path = scratch.path().join(name);
                fs::write(&path, &artifact.bytes).expect("a script");
                run(Command::new("sh").arg("-n").arg(&path), SOON).success();
                scripts.push(path);
            }
        }
    }
    run(shellcheck.command().args(&scripts), SOON).success();
    println!("{} scripts", scripts.len());

    let broken = scratch.path().join("broken.sh");
    fs::write(&broken, "#!/bin/sh\nfor file in $(ls); do echo $file; done\n").expect("a script");
    run(shellcheck.command().arg(&broken), SOON).failure();
    fs::write(&broken, "#!/bin/sh\nif true; then echo\n").expect("a script");
    run(Command::new("sh").arg("-n").arg(&broken), SOON).failure();
}

#[test]
fn every_unit_is_valid() {
    want!(Program::named("systemd-analyze"));
    let mut verified = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        let root = want!(Root::new());
        for (node, station) in stage.stations() {
            let what = format!("{}, {node}", example.name);
            let units = units(station);
            root.bind(&station.installed().directory(), &example.install_dir());
            let said = systemd_verify(station, &root, &units);
            assert!(said.succeeded() && said.stderr.is_empty(), "{what}: {}", said.stderr);
            verified += units.len();
            if verified == units.len() {
                refuses_corrupted_ones(station, &root, &units);
            }
        }
    }
    println!("{verified} units");
}

fn refuses_corrupted_ones(station: &Station, root: &Root, units: &[(String, String)]) {
    for (what, from, to) in [
        ("a type that there is none of", "Type=oneshot", "Type=onceshot"),
        ("a program that is not there", "/usr/sbin/nft", "/usr/sbin/nfft"),
        ("a setting that there is none of", "RemainAfterExit", "RemainsAfterExit"),
        ("a requirement that is not there", "Requires=docker.service", "Requires=dokker.service"),
        ("no program at all", "ExecStart=", "ExecHalt="),
    ] {
        let corrupted: Vec<_> =
            units.iter().map(|(name, unit)| (name.clone(), unit.replace(from, to))).collect();
        assert_ne!(corrupted, units, "{what}");
        let said = systemd_verify(station, root, &corrupted);
        assert!(said.stderr.contains("stageplot-"), "{what}: {said:?}");
    }
}

#[test]
fn every_kernel_setting_is_one() {
    want!(Program::named("sysctl"));
    let mut set = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            let what = format!("{}, {node}", example.name);
            let machine = station.machine();
            let text = kernel_settings(station);
            let settings: Vec<_> = text.lines().filter_map(|line| line.split_once(" = ")).collect();
            assert!(settings.len() < text.lines().count(), "{what}: settings are lines between comments");

            let said = sysctl_load(station, &text);
            assert_eq!(said.stderr, "", "{what}");
            for (key, value) in settings {
                let path = format!("/proc/sys/{}", key.replace('.', "/"));
                assert!(Path::new(&path).exists(), "{what}: no {key}");
                if !SHARED_SETTINGS.contains(&key) {
                    let kept = machine.run("sysctl", &["--values", key]).success();
                    assert_eq!(ports(kept.trim()), ports(value), "{what}: {key}");
                    set += 1;
                }
            }
            sysctl_load(station, "net.core.somaxcon = 4096\n").failure();
        }
    }
    println!("{set} settings");
}

/// A list of ports and ranges as a set: the kernel joins what touches.
fn ports(list: &str) -> Vec<u16> {
    let mut ports: Vec<u16> = list
        .split(',')
        .flat_map(|part| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            first.parse().unwrap_or(0)..=last.parse().unwrap_or(0)
        })
        .collect();
    ports.sort_unstable();
    ports.dedup();
    ports
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}
