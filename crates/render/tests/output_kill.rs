//! A writing process is killed at random instants; the directory is the old or the new one.

use std::fs;
use std::io::Read as _;
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use stageplot_render::output::{self, Options, OutputFile};

/// Set in the process that writes until it is killed.
const CHILD: &str = "STAGEPLOT_TEST_OUTPUT_KILL";
const FILES: usize = 60;
const KILLS: u64 = 250;

/// One of two trees: most files differ, some are in one alone.
fn tree(version: u8) -> Vec<(String, Vec<u8>)> {
    (0..FILES)
        .filter(|n| n % 7 != 0 || n % 2 == usize::from(version % 2))
        .map(|n| {
            let content = if n % 5 == 0 { b'=' } else { b'0' + version % 2 };
            (format!("node-{}/file-{n}", n % 10), vec![content; 1500])
        })
        .collect()
}

fn render(dir: &Path, version: u8) {
    let tree = tree(version);
    let files: Vec<_> =
        tree.iter().map(|(path, bytes)| OutputFile::new(path, bytes, 0o640).unwrap()).collect();
    output::write(dir, &files, Options::default()).unwrap();
}

/// Which of the trees the directory holds; panics if it is neither.
fn version(dir: &Path) -> u8 {
    let mut found: Vec<(String, Vec<u8>)> = Vec::new();
    for node in fs::read_dir(dir).unwrap().map(|entry| entry.unwrap().path()).filter(|path| path.is_dir()) {
        for file in fs::read_dir(node).unwrap().map(|entry| entry.unwrap().path()) {
            let path = file.strip_prefix(dir).unwrap().to_str().unwrap().to_owned();
            found.push((path, fs::read(file).unwrap()));
        }
    }
    let mine = found.iter().position(|(path, _)| path == "node-0/mine").expect("the foreign file is there");
    assert_eq!(found.swap_remove(mine).1, b"mine");
    found.sort();
    let index = fs::read_to_string(dir.join(".stageplot.json")).unwrap();
    assert_eq!(index.matches("node-").count(), found.len(), "the index is of another tree");
    [0, 1]
        .into_iter()
        .find(|&version| {
            let mut tree = tree(version);
            tree.sort();
            tree == found
        })
        .expect("the directory is neither the old tree nor the new one")
}

/// The process that is killed; as a test of its own it does nothing.
#[test]
fn child() {
    let Some(dir) = std::env::var_os(CHILD) else {
        return;
    };
    println!("ready");
    for version in (0..2).cycle() {
        render(Path::new(&dir), version);
    }
}

#[test]
fn a_killed_run_leaves_the_old_tree_or_the_new_one() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    render(&dir, 0);
    fs::write(dir.join("node-0/mine"), "mine").unwrap();
    // A kill may hit anywhere in the first two renderings, however slow the machine is today.
    let started = Instant::now();
    [1, 0].iter().for_each(|version| render(&dir, *version));
    let span = u64::try_from(started.elapsed().as_micros()).unwrap();

    let mut seen = [0, 0];
    let mut left = 0;
    let mut random = 0x9E37_79B9_7F4A_7C15_u64;
    for _ in 0..KILLS {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, &dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = [0; 64];
        let mut text = Vec::new();
        while !text.ends_with(b"ready\n") {
            let read = child.stdout.as_mut().unwrap().read(&mut out[..1]).unwrap();
            assert_ne!(read, 0, "the child said nothing");
            text.push(out[0]);
        }
        random = random.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        std::thread::sleep(Duration::from_micros((random >> 33) % span));
        child.kill().unwrap();
        let status = child.wait().unwrap();
        let mut error = String::new();
        child.stderr.take().unwrap().read_to_string(&mut error).unwrap();
        assert_eq!(std::os::unix::process::ExitStatusExt::signal(&status), Some(9), "{error}");

        seen[usize::from(version(&dir))] += 1;
        left += usize::from(fs::read_dir(parent.path()).unwrap().count() > 1);
    }
    eprintln!("after {KILLS} kills: {seen:?} of the two trees, {left} times a staging was left");
    assert!(seen.iter().all(|&times| times > 0) && left > 0, "the kills did not hit");

    render(&dir, 0);
    render(&dir, 1);
    assert_eq!(version(&dir), 1);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "a staging was not removed");
}

#[test]
fn a_killed_first_run_leaves_nothing_or_the_tree() {
    let parent = tempfile::tempdir().unwrap();
    let dir = parent.path().join("out");
    for micros in (0..60).map(|n| n * 100) {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "child", "--nocapture"])
            .env(CHILD, &dir)
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .unwrap();
        let mut out = Vec::new();
        let mut byte = [0];
        while !out.ends_with(b"ready\n") {
            assert_ne!(child.stdout.as_mut().unwrap().read(&mut byte).unwrap(), 0);
            out.push(byte[0]);
        }
        std::thread::sleep(Duration::from_micros(micros));
        child.kill().unwrap();
        child.wait().unwrap();
        if dir.exists() {
            fs::create_dir_all(dir.join("node-0")).unwrap();
            fs::write(dir.join("node-0/mine"), "mine").unwrap();
            version(&dir);
            fs::remove_dir_all(&dir).unwrap();
        }
    }
    render(&dir, 0);
    assert_eq!(fs::read_dir(parent.path()).unwrap().count(), 1, "a staging was not removed");
}
