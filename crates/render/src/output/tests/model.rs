//! Any sequence of renders and of people's edits, against a map in memory.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use proptest::prelude::*;

use super::{Options, OutputError, OutputFile, Place, write};

#[derive(Clone, Debug)]
enum Act {
    Render {
        files: BTreeMap<&'static str, (u8, u32)>,
        overwrite: bool,
    },
    /// Somebody writes a file.
    Edit(&'static str, u8),
    /// Somebody deletes a file.
    Delete(&'static str),
}

const PATHS: [&str; 7] = ["a", "a-b", "d/a", "d/b", "d/e/f", "x/y", "z"];

fn act() -> impl Strategy<Value = Act> {
    let path = prop::sample::select(PATHS.to_vec());
    let mode = prop::sample::select(vec![0o600, 0o644]);
    let files = prop::collection::btree_map(path.clone(), (0..3u8, mode), 0..6);
    prop_oneof![
        3 => (files, prop::bool::weighted(0.3)).prop_map(|(files, overwrite)| Act::Render { files, overwrite }),
        1 => (path.clone(), 0..3u8).prop_map(|(path, byte)| Act::Edit(path, byte)),
        1 => path.prop_map(Act::Delete),
    ]
}

/// What is on the disk, and what we wrote there.
#[derive(Default)]
struct Model {
    disk: BTreeMap<&'static str, (u8, u32)>,
    ours: BTreeMap<&'static str, u8>,
}

impl Model {
    fn conflicts(&self, files: &BTreeMap<&str, (u8, u32)>) -> (Vec<&'static str>, Vec<&'static str>) {
        let (mut foreign, mut edited) = (Vec::new(), Vec::new());
        for (path, (byte, _)) in &self.disk {
            let wanted = files.get(path).map(|(byte, _)| byte);
            match self.ours.get(path) {
                None if wanted.is_some() => foreign.push(*path),
                Some(ours) if ours != byte && wanted != Some(byte) => edited.push(*path),
                _ => {}
            }
        }
        (foreign, edited)
    }

    fn render(&mut self, files: &BTreeMap<&'static str, (u8, u32)>) {
        for path in self.ours.keys() {
            self.disk.remove(path);
        }
        self.disk.extend(files);
        self.ours = files.iter().map(|(path, (byte, _))| (*path, *byte)).collect();
    }
}

fn on_disk(dir: &Path) -> BTreeMap<&'static str, (u8, u32)> {
    use std::os::unix::fs::PermissionsExt as _;
    let read = |path: &'static str| {
        let at = dir.join(path);
        let byte = fs::read(&at).ok()?[0];
        Some((path, (byte, at.metadata().ok()?.permissions().mode() & 0o7777)))
    };
    PATHS.into_iter().filter_map(read).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(200))]

    #[test]
    fn every_history_ends_as_the_model_says(acts in prop::collection::vec(act(), 1..12)) {
        let place = Place::new();
        fs::create_dir(place.dir()).unwrap();
        let mut model = Model::default();
        for act in acts {
            match act {
                Act::Edit(path, byte) => {
                    use std::os::unix::fs::PermissionsExt as _;
                    let at = place.at(path);
                    fs::create_dir_all(at.parent().unwrap()).unwrap();
                    fs::write(&at, [byte]).unwrap();
                    fs::set_permissions(&at, fs::Permissions::from_mode(0o644)).unwrap();
                    model.disk.insert(path, (byte, 0o644));
                }
                Act::Delete(path) => {
                    let _ = fs::remove_file(place.at(path));
                    model.disk.remove(path);
                }
                Act::Render { files, overwrite } => {
                    let bytes: Vec<_> = files.iter().map(|(path, (byte, mode))| (path, [*byte], *mode)).collect();
                    let output: Vec<_> = bytes.iter().map(|(path, bytes, mode)| OutputFile::new(path, bytes, *mode).unwrap()).collect();
                    let (foreign, edited) = model.conflicts(&files);
                    match write(&place.dir(), &output, Options::default().overwrite(overwrite)) {
                        Ok(written) => {
                            prop_assert!(overwrite || foreign.is_empty() && edited.is_empty());
                            prop_assert_eq!(written.created.len() + written.changed.len() + written.unchanged.len(), files.len());
                            model.render(&files);
                        }
                        Err(OutputError::Conflict { foreign: f, edited: e, .. }) => {
                            prop_assert!(!overwrite);
                            prop_assert_eq!(f, foreign.iter().map(|p| Path::new(p).to_path_buf()).collect::<Vec<_>>());
                            prop_assert_eq!(e, edited.iter().map(|p| Path::new(p).to_path_buf()).collect::<Vec<_>>());
                        }
                        Err(error) => prop_assert!(false, "{}", error),
                    }
                }
            }
            prop_assert_eq!(on_disk(&place.dir()), model.disk.clone());
            prop_assert_eq!(fs::read_dir(place.parent.path()).unwrap().count(), 1);
        }
    }
}
