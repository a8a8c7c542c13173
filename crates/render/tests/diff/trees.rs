//! Trees that were rendered, as sides.

use secrecy::SecretString;
use stageplot_render::diff::{SideError, Which};
use stageplot_render::output::{self, Options, OutputFile};
use stageplot_topology::{SecretError, SecretRef, SecretSource};

use super::*;

/// Writes a rendering as `stageplot render` does.
pub(crate) fn write(rendering: &Rendering, dir: &Path) {
    let of_nodes = rendering.bundles.iter().flat_map(|bundle| {
        bundle.artifacts.iter().map(|file| (format!("{}/{}", bundle.node, file.path), file))
    });
    let overview = rendering.overview.iter().map(|file| (file.path.clone(), file));
    let files: Vec<_> = of_nodes.chain(overview).collect();
    let files: Vec<_> = files
        .iter()
        .map(|(path, file)| OutputFile::new(path, &file.bytes, file.mode).expect("a path"))
        .collect();
    output::write(dir, &files, Options::default()).expect("written");
}

#[test]
fn a_tree_is_as_the_plot_it_was_rendered_from() {
    let dir = tempfile::tempdir().expect("a directory");
    let topology = topology(&example("cluster"));
    write(&rendered(&topology), dir.path());
    let tree = Side::read(dir.path()).expect("a tree");
    assert!(diff::between(&tree, &side(&topology)).is_empty());

    // What somebody edits by hand shows, with what it would do, and is called so.
    let caddyfile = dir.path().join("front/live/edge/Caddyfile");
    let text = fs::read_to_string(&caddyfile).expect("a Caddyfile");
    rewrite(&caddyfile, &text.replace("max_fails 3", "max_fails 5"));
    fs::remove_file(dir.path().join("media-1/README.md")).expect("removed");
    rewrite(&dir.path().join("front/firewall/stageplot.nft"), "\u{0}{{{");
    let edited = Side::read(dir.path()).expect("a tree");
    let diff = diff::between(&tree, &edited);
    let file = |path: &str| {
        let mut files = diff.nodes.iter().flat_map(|node| &node.files);
        files.find(|file| file.path == path).unwrap_or_else(|| panic!("{path} in {diff:?}"))
    };
    assert_eq!(file("live/edge/Caddyfile").edited, [Which::After]);
    assert_eq!(file("README.md").status, Status::Removed);
    assert_eq!(file("README.md").edited, [Which::After]);
    assert!(!file("firewall/stageplot.nft").lines.is_empty());
    assert_eq!(impact(&diff, "front", "edge"), Impact::Reload);

    // How a Caddyfile is written means nothing to Caddy.
    rewrite(&caddyfile, &text.replace("\tmax_fails 3", "  max_fails   3 # why"));
    rewrite(
        &dir.path().join("front/firewall/stageplot.nft"),
        &fs::read_to_string(golden("cluster/front/firewall/stageplot.nft")).expect("rules"),
    );
    write_bytes(
        &dir.path().join("media-1/README.md"),
        &fs::read(golden("cluster/media-1/README.md")).expect("a README"),
    );
    let diff = diff::between(&tree, &Side::read(dir.path()).expect("a tree"));
    assert!(diff.is_empty(), "{diff:?}");

    // What tells of the other files has to be ours.
    rewrite(&dir.path().join("front/manifest.json"), "{}");
    assert!(
        matches!(Side::read(dir.path()), Err(SideError::Broken { path, .. }) if path == "front/manifest.json")
    );
}

/// A custom template may write the same in another way; where its directory is named by
/// its bytes, its container is replaced all the same.
#[test]
fn what_is_mounted_by_its_bytes_takes_a_new_container_whatever_it_says() {
    let topology = topology(&example("cluster"));
    let template =
        include_str!("../../templates/redis.conf").replace("\nport ", "\n# another comment\nport ");
    let mut custom = Custom::default();
    custom.templates.insert("redis.conf".to_owned(), template);
    let rendering = render(&topology, Secrets::SEALED, &custom).expect("it renders");
    let diff = diff::between(&side(&topology), &Side::of(&topology, rendering).expect("sealed"));
    let file =
        diff.nodes.iter().flat_map(|node| &node.files).find(|file| file.service.is_some()).expect("a file");
    assert!(file.rewritten && file.fields.is_empty(), "{file:?}");
    assert_eq!(impact(&diff, "media-1", "cache"), Impact::Recreate);
    assert_eq!(impact(&diff, "media-1", "sfu"), Impact::None);
}

/// Gives every secret a value that is easily found again.
pub(crate) struct Canary;

impl SecretSource for Canary {
    fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok("hunter2-hunter2-hunter2-hunter2-hunter2".to_owned().into())
    }
}

/// The same with other values.
pub(crate) struct Renewed;

impl SecretSource for Renewed {
    fn secret(&self, _: &SecretRef) -> Result<SecretString, SecretError> {
        Ok("another-hunter-another-hunter-another".to_owned().into())
    }
}

#[test]
fn a_tree_with_secrets_is_refused_and_says_nothing_of_them() {
    let topology = topology(&example("cluster"));
    let rendering = render(&topology, Secrets::From(&Canary), &Custom::default()).expect("it renders");
    let dir = tempfile::tempdir().expect("a directory");
    write(&rendering, dir.path());
    for error in
        [Side::read(dir.path()).expect_err("secrets"), Side::of(&topology, rendering).expect_err("secrets")]
    {
        assert!(matches!(&error, SideError::Secrets { node } if node == "front"));
        assert!(!format!("{error} {error:?} {}", error.help()).contains("hunter2"));
    }
}

#[test]
fn nothing_outside_of_a_tree_is_read() {
    let dir = tempfile::tempdir().expect("a directory");
    let topology = topology(&example("cluster"));
    write(&rendered(&topology), dir.path());
    let secret = tempfile::NamedTempFile::new().expect("a file");
    fs::write(secret.path(), "hunter2").expect("written");
    let file = dir.path().join("front/compose.yaml");
    fs::remove_file(&file).expect("removed");
    std::os::unix::fs::symlink(secret.path(), &file).expect("a link");
    let front = dir.path().join("front/live");
    fs::remove_dir_all(&front).expect("removed");
    std::os::unix::fs::symlink(dir.path().join("media-1"), &front).expect("a link");
    let diff = diff::between(&side(&topology), &Side::read(dir.path()).expect("a tree"));
    let json = serde_json::to_string(&diff).expect("JSON");
    assert!(!json.contains("hunter2") && json.contains("compose.yaml"), "{json}");
}

/// Where nobody can tell how containers run, none is taken for a process of the user's own.
#[test]
fn a_compose_file_that_is_missing_is_no_process_of_the_users_own() {
    let dir = tempfile::tempdir().expect("a directory");
    let topology = topology(&example("cluster"));
    write(&rendered(&topology), dir.path());
    let file = dir.path().join("media-1/compose.yaml");
    for broken in [None, Some("services: [")] {
        let _ = fs::remove_file(&file);
        if let Some(text) = broken {
            fs::write(&file, text).expect("written");
        }
        let tree = Side::read(dir.path()).expect("a tree");
        for (diff, when) in [
            (diff::between(&side(&topology), &tree), "after"),
            (diff::between(&tree, &side(&topology)), "before"),
        ] {
            let told: Vec<_> = diff
                .effects()
                .flat_map(|(_, effect)| &effect.reasons)
                .map(|reason| reason.text.as_str())
                .collect();
            let said = format!("compose.yaml is missing {when} the change");
            assert_eq!(told.iter().filter(|text| text.starts_with(&said)).count(), 2, "{told:?}");
            assert!(
                told.iter().all(|text| !text.contains("you run it") && !text.contains("your own")),
                "{told:?}"
            );
        }
        let diff = diff::between(&side(&topology), &tree);
        assert_eq!(
            (impact(&diff, "media-1", "cache"), impact(&diff, "media-1", "sfu")),
            (Impact::Recreate, Impact::Drain)
        );
        assert!(
            diff::Comment::new(&diff).to_string().contains("edited by hand on the second side"),
            "{diff:?}"
        );
    }
}

fn golden(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden").join(path)
}

fn rewrite(path: &Path, text: &str) {
    write_bytes(path, text.as_bytes());
}

/// In the place of a file that may not be written to.
fn write_bytes(path: &Path, bytes: &[u8]) {
    let _ = fs::remove_file(path);
    fs::write(path, bytes).expect("written");
}
