//! A render of a thousand nodes, beside what the bare writes cost.

use std::fs;
use std::time::Instant;

use super::{Options, OutputFile, Place, write};

#[test]
#[ignore = "a measurement: run it alone, in release, with --nocapture"]
fn a_thousand_nodes() {
    let place = Place::new();
    let texts: Vec<(String, Vec<u8>)> = (0..6000)
        .map(|n| {
            (format!("node-{:04}/file-{}.conf", n / 6, n % 6), format!("{n}\n").repeat(300).into_bytes())
        })
        .map(|(path, mut bytes)| {
            bytes.resize(1500, b'x');
            (path, bytes)
        })
        .collect();
    let files: Vec<_> =
        texts.iter().map(|(path, bytes)| OutputFile::new(path, bytes, 0o644).unwrap()).collect();
    let mut changed = texts.clone();
    changed.iter_mut().step_by(100).for_each(|(_, bytes)| bytes[0] = b'!');
    let changed: Vec<_> =
        changed.iter().map(|(path, bytes)| OutputFile::new(path, bytes, 0o644).unwrap()).collect();

    for _ in 0..3 {
        let bare = place.parent.path().join("bare");
        let clock = Instant::now();
        for (path, bytes) in &texts {
            let at = bare.join(path);
            if path.ends_with("file-0.conf") {
                fs::create_dir_all(at.parent().unwrap()).unwrap();
            }
            fs::write(at, bytes).unwrap();
        }
        eprintln!("bare writes      {:?}", clock.elapsed());
        for (what, files) in
            [("first render", &files), ("nothing changed", &files), ("60 files changed", &changed)]
        {
            let clock = Instant::now();
            write(&place.dir(), files, Options::default()).unwrap();
            eprintln!("{what:16} {:?}", clock.elapsed());
        }
        let clock = Instant::now();
        fs::remove_dir_all(&bare).unwrap();
        eprintln!("bare removal     {:?}", clock.elapsed());
        fs::remove_dir_all(place.dir()).unwrap();
    }
}
