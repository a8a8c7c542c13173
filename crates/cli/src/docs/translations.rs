//! Documents in another language: the same commands, the same names.

use std::fs;
use std::path::{Path, PathBuf};

/// How the name of a page in Chinese ends.
const CHINESE: &str = ".zh-CN.md";

#[test]
fn a_translation_has_the_commands_of_its_original() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let pages: Vec<PathBuf> = [root.clone(), root.join("docs")]
        .iter()
        .flat_map(|directory| fs::read_dir(directory).expect("a directory"))
        .map(|entry| entry.expect("a file").path())
        .filter(|path| path.to_string_lossy().ends_with(CHINESE))
        .collect();
    assert!(pages.len() >= 2, "{pages:?}");
    for page in pages {
        let name = page.to_string_lossy().into_owned();
        let original = name.replace(CHINESE, ".md");
        let [one, other] = [original.as_str(), &name].map(|path| fs::read_to_string(path).expect("a page"));
        assert_eq!(blocks(&other), blocks(&one), "{name}: blocks of code");
        assert_eq!(spans(&other), spans(&one), "{name}: what stands in code style");
        let is_linked = |text: &str, to: &str| text.contains(&format!("]({})", file(to)));
        assert!(is_linked(&one, &name) && is_linked(&other, &original), "{name}: each leads to the other");
    }
}

fn file(path: &str) -> &str {
    path.rsplit('/').next().unwrap_or(path)
}

/// The lines of all blocks of code, without comments, which are translated.
fn blocks(text: &str) -> Vec<String> {
    let mut inside = false;
    let mut lines = Vec::new();
    for line in text.lines() {
        if line.starts_with("```") {
            inside = !inside;
            lines.push(line.to_owned());
        } else if inside {
            let code = line.split(" #").next().unwrap_or_default().trim_end();
            lines.push(code.to_owned());
        }
    }
    lines
}

/// What stands in code style, in the order of the letters: sentences are turned about.
fn spans(text: &str) -> Vec<&str> {
    let mut inside = false;
    let prose = text.lines().filter(|line| {
        inside ^= line.starts_with("```");
        !inside && !line.starts_with("```")
    });
    let mut spans: Vec<_> = prose.flat_map(|line| line.split('`').skip(1).step_by(2)).collect();
    spans.sort_unstable();
    spans
}
