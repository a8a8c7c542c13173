//! The promises of the output directory, one by one.

use std::fs;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, symlink};
use std::path::{Path, PathBuf};

use tempfile::TempDir;

use super::{Options, OutputError, OutputFile, OutputPath, Writer, Written, write};

mod faults;
mod model;

/// A directory to render into, and a parent that should hold nothing else afterwards.
struct Place {
    parent: TempDir,
}

impl Place {
    fn new() -> Self {
        Self { parent: tempfile::tempdir().unwrap() }
    }

    fn dir(&self) -> PathBuf {
        self.parent.path().join("out")
    }

    fn at(&self, path: &str) -> PathBuf {
        self.dir().join(path)
    }

    fn write(&self, files: &[(&str, &str)]) -> Result<Written, OutputError> {
        self.write_with(files, Options::default())
    }

    fn write_with(&self, files: &[(&str, &str)], options: Options<'_>) -> Result<Written, OutputError> {
        let files: Vec<_> = files.iter().map(|(path, text)| file(path, text, 0o644)).collect();
        let result = write(&self.dir(), &files, options);
        let siblings: Vec<_> =
            fs::read_dir(self.parent.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        assert!(siblings.iter().all(|name| name == "out"), "{siblings:?}");
        result
    }

    fn read(&self, path: &str) -> String {
        fs::read_to_string(self.at(path)).unwrap()
    }
}

fn file<'a>(path: &str, text: &'a str, mode: u32) -> OutputFile<'a> {
    OutputFile::new(path, text.as_bytes(), mode).unwrap()
}

fn overwrite() -> Options<'static> {
    Options::default().overwrite(true)
}

fn identity(path: &Path) -> (u64, i64, i64) {
    let meta = path.symlink_metadata().unwrap();
    (meta.ino(), meta.mtime(), meta.mtime_nsec())
}

#[test]
fn a_render_is_created_then_left_alone() {
    let place = Place::new();
    let files = [("a/x", "1"), ("a/y", "2"), ("b", "3")];
    assert_eq!(place.write(&files).unwrap().created, ["a/x", "a/y", "b"]);
    let before: Vec<_> =
        ["", "a", "a/x", "b", ".stageplot.json"].map(|path| identity(&place.at(path))).into();
    let again = place.write(&files).unwrap();
    assert!(again.is_noop());
    assert_eq!(again.unchanged, ["a/x", "a/y", "b"]);
    let after: Vec<_> = ["", "a", "a/x", "b", ".stageplot.json"].map(|path| identity(&place.at(path))).into();
    assert_eq!(before, after);
}

#[test]
fn a_second_render_writes_only_what_changed() {
    let place = Place::new();
    place.write(&[("a/x", "1"), ("a/y", "2"), ("old/z", "3")]).unwrap();
    let kept = identity(&place.at("a/x"));
    let written = place.write(&[("a/x", "1"), ("a/y", "other"), ("new", "4")]).unwrap();
    assert_eq!(written.created, ["new"]);
    assert_eq!(written.changed, ["a/y"]);
    assert_eq!(written.unchanged, ["a/x"]);
    assert_eq!(written.removed, ["old/z"]);
    assert_eq!(identity(&place.at("a/x")), kept);
    assert_eq!(place.read("a/y"), "other");
    assert!(!place.at("old").exists());
}

#[test]
fn files_are_staged_as_they_come_and_seen_at_last() {
    let place = Place::new();
    place.write(&[("a/x", "1"), ("b", "1")]).unwrap();
    let siblings = || {
        let names = fs::read_dir(place.parent.path()).unwrap().map(|entry| entry.unwrap().path());
        names.filter(|path| *path != place.dir()).collect::<Vec<_>>()
    };
    let writer = Writer::open(&place.dir(), Options::default()).unwrap();
    writer.put(&file("a/x", "1", 0o644)).unwrap();
    assert!(siblings().is_empty(), "nothing is to be written yet");
    writer.put(&file("b", "2", 0o644)).unwrap();
    let staged = siblings().pop().expect("it is staged");
    assert_eq!(fs::read_to_string(staged.join("b")).unwrap(), "2");
    assert_eq!(place.read("b"), "1");
    // An error of the caller's, late: the old tree stays whole.
    drop(writer);
    assert!(siblings().is_empty());
    assert_eq!((place.read("a/x"), place.read("b")), ("1".into(), "1".into()));
}

#[test]
fn threads_share_a_writer() {
    let place = Place::new();
    for text in ["1", "2"] {
        let writer = Writer::open(&place.dir(), Options::default()).unwrap();
        std::thread::scope(|scope| {
            for thread in 0..4 {
                let writer = &writer;
                scope.spawn(move || {
                    for n in 0..50 {
                        // All four want the same directories.
                        let path = format!("d/{}/{n}-{thread}", n % 5);
                        writer.put(&file(&path, if n % 2 == 0 { text } else { "=" }, 0o644)).unwrap();
                    }
                });
            }
        });
        let written = writer.finish().unwrap();
        assert!(written.created.is_sorted() && written.changed.is_sorted() && written.unchanged.is_sorted());
        let counts = (written.created.len(), written.changed.len(), written.unchanged.len());
        assert_eq!(counts, if text == "1" { (200, 0, 0) } else { (0, 100, 100) });
        assert_eq!(place.read("d/4/4-3"), text);
    }
}

#[test]
fn modes_are_exact() {
    let place = Place::new();
    let modes = [0o600, 0o644, 0o444, 0o777, 0o400, 0o640, 0o466];
    let names: Vec<_> = modes.iter().map(|mode| format!("d/{mode:o}")).collect();
    let files: Vec<_> = names.iter().zip(modes).map(|(name, mode)| file(name, "x", mode)).collect();
    write(&place.dir(), &files, Options::default()).unwrap();
    for (name, mode) in names.iter().zip(modes) {
        assert_eq!(fs::metadata(place.at(name)).unwrap().mode() & 0o7777, mode);
    }
    assert_eq!(fs::metadata(place.at("")).unwrap().mode() & 0o7777, 0o755);
    // Others may not read all of it, so they may not look in either.
    assert_eq!(fs::metadata(place.at("d")).unwrap().mode() & 0o7777, 0o700);
    // A mode alone is a change, and is put right again.
    let written = write(&place.dir(), &[file("d/600", "x", 0o640)], Options::default()).unwrap();
    assert_eq!(written.changed, ["d/600"]);
    fs::set_permissions(place.at("d/600"), fs::Permissions::from_mode(0o777)).unwrap();
    write(&place.dir(), &[file("d/600", "x", 0o640)], Options::default()).unwrap();
    assert_eq!(fs::metadata(place.at("d/600")).unwrap().mode() & 0o7777, 0o640);
}

#[test]
fn modes_are_exact_where_directories_hand_their_group_on() {
    let place = Place::new();
    fs::set_permissions(place.parent.path(), fs::Permissions::from_mode(0o2700)).unwrap();
    write(&place.dir(), &[file("a/b/c", "x", 0o400), file("d", "x", 0o644)], Options::default()).unwrap();
    for (path, mode) in [("", 0o755), ("a", 0o700), ("a/b", 0o755), ("a/b/c", 0o400), ("d", 0o644)] {
        assert_eq!(fs::metadata(place.at(path)).unwrap().mode() & 0o7777, mode, "{path}");
    }
}

#[test]
fn foreign_files_are_carried() {
    let place = Place::new();
    place.write(&[("a/x", "1"), ("gone/x", "1")]).unwrap();
    fs::write(place.at("a/mine"), "mine").unwrap();
    fs::write(place.at("gone/mine"), "mine").unwrap();
    fs::create_dir_all(place.at("empty/dir")).unwrap();
    fs::set_permissions(place.at("empty"), fs::Permissions::from_mode(0o1570)).unwrap();
    symlink("/nowhere", place.at("link")).unwrap();
    let before = identity(&place.at("a/mine"));
    place.write(&[("a/x", "2")]).unwrap();
    assert_eq!(identity(&place.at("a/mine")), before);
    assert_eq!(fs::metadata(place.at("a/mine")).unwrap().nlink(), 1);
    assert_eq!(place.read("gone/mine"), "mine");
    assert!(!place.at("gone/x").exists());
    assert!(place.at("empty/dir").is_dir());
    assert_eq!(fs::metadata(place.at("empty")).unwrap().mode() & 0o7777, 0o1570);
    assert_eq!(fs::read_link(place.at("link")).unwrap(), Path::new("/nowhere"));
}

#[test]
fn conflicts_are_listed_together() {
    let place = Place::new();
    place.write(&[("a", "1"), ("b", "1"), ("c", "1")]).unwrap();
    for path in ["a", "b", "d"] {
        fs::write(place.at(path), "by hand").unwrap();
    }
    fs::create_dir(place.at("e")).unwrap();
    symlink("d", place.at("e/f")).unwrap();
    let files = [("a", "2"), ("c", "2"), ("d", "2"), ("e/f", "2")];
    let before = identity(&place.dir());
    let error = place.write(&files).unwrap_err();
    let OutputError::Conflict { foreign, edited, .. } = &error else { panic!("{error}") };
    assert_eq!(foreign, &[Path::new("d"), Path::new("e/f")]);
    assert_eq!(edited, &[Path::new("a"), Path::new("b")]);
    assert_eq!(identity(&place.dir()), before);
    assert_eq!(place.read("a"), "by hand");

    let written = place.write_with(&files, overwrite()).unwrap();
    assert_eq!(written.changed, ["a", "c", "d", "e/f"]);
    assert_eq!(written.removed, ["b"]);
    assert_eq!(place.read("e/f"), "2");
}

#[test]
fn files_and_directories_trade_places() {
    let place = Place::new();
    place.write(&[("a", "1"), ("b/c/d", "1")]).unwrap();
    place.write(&[("a/x", "2"), ("b", "2")]).unwrap();
    assert_eq!((place.read("a/x"), place.read("b")), ("2".into(), "2".into()));

    fs::create_dir(place.at("c")).unwrap();
    let error = place.write_with(&[("c", "3")], overwrite()).unwrap_err();
    assert!(matches!(&error, OutputError::DirectoryInTheWay { path } if path.ends_with("out/c")), "{error}");
    fs::write(place.at("d"), "mine").unwrap();
    assert!(
        matches!(place.write(&[("d/e", "3")]).unwrap_err(), OutputError::Conflict { foreign, .. } if foreign == [Path::new("d")])
    );
    place.write_with(&[("d/e", "3")], overwrite()).unwrap();
    assert_eq!(place.read("d/e"), "3");
}

#[test]
fn an_existing_directory_without_an_index_is_foreign() {
    let place = Place::new();
    fs::create_dir(place.dir()).unwrap();
    fs::write(place.at("notes"), "mine").unwrap();
    place.write(&[("a", "1")]).unwrap();
    assert_eq!(place.read("notes"), "mine");
    place.write(&[]).unwrap();
    assert_eq!(place.read("notes"), "mine");
    assert!(!place.at("a").exists());
}

#[test]
fn a_link_to_the_directory_stays_a_link() {
    let place = Place::new();
    let real = place.parent.path().join("out");
    fs::create_dir(&real).unwrap();
    let elsewhere = tempfile::tempdir().unwrap();
    let link = elsewhere.path().join("link");
    symlink(&real, &link).unwrap();
    write(&link, &[file("a", "1", 0o644)], Options::default()).unwrap();
    assert!(link.symlink_metadata().unwrap().is_symlink());
    assert_eq!(place.read("a"), "1");
}

#[test]
fn paths_stay_inside() {
    for path in [
        "",
        "/a",
        "a//b",
        "a/",
        "./a",
        "a/../b",
        "..",
        "a\0",
        ".stageplot.json",
        ".stageplot.json/x",
        &"x".repeat(256),
        &"x/".repeat(2000),
    ] {
        assert!(OutputPath::parse(path).is_err(), "{path:?}");
    }
    for path in ["a", "a/b.c", "..a/b..", "a b/ü", ".env"] {
        assert!(OutputPath::parse(path).is_ok(), "{path:?}");
    }
    assert!(OutputFile::new("a", b"", 0o4755).is_err());
    let place = Place::new();
    assert!(matches!(place.write(&[("a", ""), ("a", "")]), Err(OutputError::Duplicate { .. })));
    let nested = place.write(&[("a", ""), ("a-b", ""), ("a/b", "")]);
    assert!(
        matches!(nested, Err(OutputError::FileAndDirectory { path, below }) if path == "a" && below == "a/b")
    );
    assert!(!place.dir().exists());
}

#[test]
fn one_directory_is_rendered_anew_and_the_others_stay() {
    let place = Place::new();
    place.write(&[("a/x", "1"), ("a/y", "2"), ("b/x", "3"), ("dns.txt", "4")]).unwrap();
    let written = place.write_with(&[("a/x", "5")], Options::default().within("a")).unwrap();
    assert_eq!(written.changed, ["a/x"]);
    assert_eq!(written.removed, ["a/y"]);
    assert_eq!((place.read("b/x"), place.read("dns.txt")), ("3".into(), "4".into()));
    assert!(place.write_with(&[("a/x", "5")], Options::default().within("a")).unwrap().is_noop());

    // They are still known as rendered: the next whole render changes and removes them.
    let written = place.write(&[("a/x", "5"), ("b/x", "6")]).unwrap();
    assert_eq!((written.changed, written.removed), (vec!["b/x".into()], vec!["dns.txt".into()]));

    // An edit elsewhere is nobody's concern, until everything is rendered.
    fs::write(place.at("b/x"), "edited").unwrap();
    assert!(place.write_with(&[("a/x", "7")], Options::default().within("a")).is_ok());
    assert!(matches!(place.write(&[("a/x", "7"), ("b/x", "6")]), Err(OutputError::Conflict { .. })));
}
