//! What the machine can refuse.

use std::fs::{self, File};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::os::unix::net::UnixListener;
use std::path::Path;
use std::process::Command;

use super::{Options, OutputError, Place, file, overwrite, write};

#[test]
fn a_missing_parent_is_named() {
    let place = Place::new();
    let error = write(&place.at("deep/er"), &[], Options::default()).unwrap_err();
    assert!(
        matches!(&error, OutputError::ParentMissing { parent, .. } if parent.ends_with("out/deep")),
        "{error}"
    );
}

#[test]
fn a_target_must_be_a_directory() {
    let place = Place::new();
    fs::write(place.dir(), "").unwrap();
    assert!(matches!(place.write(&[]), Err(OutputError::NotADirectory { .. })));
    assert!(matches!(write(&place.at("x"), &[], Options::default()), Err(OutputError::ParentMissing { .. })));
    fs::remove_file(place.dir()).unwrap();
    symlink("nowhere", place.dir()).unwrap();
    assert!(matches!(place.write(&[]), Err(OutputError::NotADirectory { .. })));
    for root in ["/", "/proc"] {
        assert!(matches!(
            write(Path::new(root), &[], Options::default()),
            Err(OutputError::MountPoint { .. })
        ));
    }
}

#[test]
fn a_second_run_gives_way() {
    let place = Place::new();
    place.write(&[("a", "1")]).unwrap();
    let held = File::open(place.dir()).unwrap();
    held.lock().unwrap();
    assert!(matches!(place.write(&[("a", "2")]), Err(OutputError::Busy { .. })));
    held.unlock().unwrap();
    place.write(&[("a", "2")]).unwrap();
}

#[test]
fn concurrent_runs_leave_one_whole_tree() {
    let place = Place::new();
    std::thread::scope(|scope| {
        for n in 0..4 {
            let dir = place.dir();
            scope.spawn(move || {
                for round in 0..20 {
                    let text = format!("{n} {round}");
                    let files = [file("a", &text, 0o644), file("d/b", &text, 0o644)];
                    match write(&dir, &files, Options::default()) {
                        Ok(_) | Err(OutputError::Busy { .. }) => {}
                        Err(error) => panic!("{error}"),
                    }
                }
            });
        }
    });
    assert_eq!(place.read("a"), place.read("d/b"));
    place.write(&[("a", "last")]).unwrap();
}

#[test]
fn a_broken_index_is_an_error() {
    let place = Place::new();
    place.write(&[("a", "1")]).unwrap();
    for text in [
        "",
        "{",
        "{\"version\":2,\"files\":{}}",
        "{\"version\":1,\"files\":{\"../x\":\"00\"}}",
        "{\"version\":1,\"files\":{\"x\":\"00\"}}",
    ] {
        fs::write(place.at(".stageplot.json"), text).unwrap();
        let error = place.write(&[("a", "2")]).unwrap_err();
        assert!(matches!(error, OutputError::Index { .. }), "{error}");
    }
    place.write_with(&[("a", "2")], overwrite()).unwrap();
    assert_eq!(place.read("a"), "2");
}

#[test]
fn what_cannot_be_carried_is_named() {
    let place = Place::new();
    place.write(&[("a", "1")]).unwrap();
    let _socket = UnixListener::bind(place.at("socket")).unwrap();
    assert!(place.write(&[("a", "1")]).unwrap().is_noop());
    let error = place.write(&[("a", "2")]).unwrap_err();
    assert!(
        matches!(&error, OutputError::CannotCarry { path, why } if path.ends_with("out/socket") && why.contains("socket")),
        "{error}"
    );
    assert_eq!(place.read("a"), "1");
}

#[test]
fn stale_stagings_go_and_live_or_strange_ones_stay() {
    let place = Place::new();
    place.write(&[("a", "1")]).unwrap();
    let sibling = |name: &str| place.parent.path().join(name);
    let [stale, live, kept, strange] = [
        ".out.stageplot-1-0123456789abcdef",
        ".out.stageplot-2-0123456789abcdef",
        ".out.stageplot-3-0123456789abcdef",
        ".out.stageplot-notes",
    ]
    .map(sibling);
    for dir in [&stale, &live, &kept, &strange] {
        fs::create_dir(dir).unwrap();
        fs::copy(place.at(".stageplot.json"), dir.join(".stageplot.json")).unwrap();
        fs::write(dir.join("a"), "half").unwrap();
    }
    fs::write(kept.join("late"), "somebody's").unwrap();
    // Killed before it had its index: all that is in it is ours, or a link.
    let unfinished = sibling(".out.stageplot-4-0123456789abcdef.part");
    fs::create_dir_all(unfinished.join("d")).unwrap();
    fs::write(unfinished.join("d/x"), "half").unwrap();
    fs::hard_link(place.at("a"), unfinished.join("a")).unwrap();
    let lock = File::open(&live).unwrap();
    lock.lock().unwrap();
    let written = write(&place.dir(), &[file("a", "1", 0o644)], Options::default()).unwrap();
    assert!(written.is_noop());
    assert_eq!(written.left_behind, std::slice::from_ref(&kept));
    assert!(!stale.exists() && !unfinished.exists() && live.exists() && strange.exists());
    assert_eq!(place.read("a"), "1");
    assert_eq!(fs::read_to_string(kept.join("late")).unwrap(), "somebody's");
    assert!(!kept.join("a").exists());
}

#[test]
fn without_permission_nothing_changes() {
    if fs::metadata("/proc/self").unwrap().uid() == 0 {
        // Root has every permission, so somebody else tries.
        return as_nobody("output::tests::faults::without_permission_nothing_changes");
    }
    let place = Place::new();
    place.write(&[("a", "1")]).unwrap();
    fs::set_permissions(place.parent.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let error = place.write(&[("a", "2")]).unwrap_err();
    fs::set_permissions(place.parent.path(), fs::Permissions::from_mode(0o755)).unwrap();
    assert!(matches!(error, OutputError::Denied { .. }), "{error}");
    assert_eq!(place.read("a"), "1");
}

/// Runs one of these tests as a user who may do little.
fn as_nobody(test: &str) {
    let copy = tempfile::tempdir().unwrap();
    let program = copy.path().join("tests");
    fs::copy(std::env::current_exe().unwrap(), &program).unwrap();
    for path in [copy.path(), &program] {
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let output = std::process::Command::new("setpriv")
        .args(["--reuid=65534", "--regid=65534", "--clear-groups"])
        .arg(&program)
        .args([test, "--exact"])
        .output()
        .unwrap();
    let said = String::from_utf8_lossy(&output.stdout);
    assert!(output.status.success() && said.contains("1 passed"), "{said}");
}

/// A small file system, mounted over the parent of the output directory while the value lives.
struct Mount<'a>(&'a Place);

impl<'a> Mount<'a> {
    fn new(place: &'a Place, options: &str) -> Option<Self> {
        if mount(&["-t", "tmpfs", "-o", options, "tmpfs"], place.parent.path()) {
            return Some(Self(place));
        }
        eprintln!("skipped: mounting a tmpfs takes root");
        None
    }
}

impl Drop for Mount<'_> {
    fn drop(&mut self) {
        let _ = Command::new("umount").args(["-R", "-l"]).arg(self.0.parent.path()).output();
    }
}

fn mount(args: &[&str], at: &Path) -> bool {
    Command::new("mount").args(args).arg(at).output().is_ok_and(|out| out.status.success())
}

#[test]
fn a_full_disk_changes_nothing() {
    let place = Place::new();
    let Some(_mount) = Mount::new(&place, "size=256k") else {
        return;
    };
    let half = "x".repeat(150 << 10);
    place.write(&[("a", &half)]).unwrap();
    let other = "y".repeat(150 << 10);
    let error = place.write(&[("a", &other)]).unwrap_err();
    assert!(matches!(&error, OutputError::Full { path, .. } if path.ends_with("out/a")), "{error}");
    assert_eq!(place.read("a"), half);
}

#[test]
fn a_read_only_file_system_changes_nothing() {
    let place = Place::new();
    let Some(_mount) = Mount::new(&place, "size=1m") else {
        return;
    };
    place.write(&[("a", "1")]).unwrap();
    assert!(mount(&["-o", "remount,ro"], place.parent.path()));
    assert!(place.write(&[("a", "1")]).unwrap().is_noop());
    let error = place.write(&[("a", "2")]).unwrap_err();
    assert!(matches!(error, OutputError::ReadOnly { .. }), "{error}");
}

#[test]
fn mounts_are_never_touched() {
    let place = Place::new();
    let Some(_mount) = Mount::new(&place, "size=1m") else {
        return;
    };
    place.write(&[("a", "1"), ("d/x", "1")]).unwrap();
    fs::create_dir(place.at("data")).unwrap();
    // Of the same device, so that only the mount itself tells.
    let source = place.at("d");
    assert!(mount(&["--bind", source.to_str().unwrap()], &place.at("data")));
    let error = place.write(&[("a", "2"), ("d/x", "1")]).unwrap_err();
    assert!(matches!(&error, OutputError::CannotCarry { path, .. } if path.ends_with("out/data")), "{error}");
    assert_eq!(place.read("data/x"), "1");
    assert!(Command::new("umount").arg(place.at("data")).status().unwrap().success());

    assert!(mount(&["--bind", place.dir().to_str().unwrap()], &place.dir()));
    let error = place.write(&[("a", "2")]).unwrap_err();
    assert!(matches!(error, OutputError::MountPoint { .. }), "{error}");
}
