//! Bundles: rendered here, copied to a machine, and brought up as their own README
//! says.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use secrecy::SecretString;
use stageplot_render::{Bundle, Custom, Rendering, SecretError, SecretSource, Secrets};
use stageplot_topology::{Document, Format, Plot, SecretRef};

use crate::engine::Engine;
use crate::process::{Output, run};
use crate::scratch::Scratch;

/// What the commands of a README may take: images are there, containers start.
const BRING_UP: Duration = Duration::from_secs(60);

/// Kernel parameters that the kernel has once, for all our machines together. A
/// machine of the rig sees files in their place, so that a bundle sets them as on a
/// real one and this machine keeps its own.
const GLOBAL_PARAMETERS: [&str; 3] = ["net/core/rmem_max", "net/core/wmem_max", "vm/overcommit_memory"];

/// Renders a plot, written in TOML, with the values of the secrets that it takes from
/// the environment.
///
/// # Panics
///
/// If the plot has mistakes or cannot be rendered, with all findings.
pub fn render(plot: &str, secrets: &[(&str, &str)]) -> Rendering {
    let document = Document::parse(Format::Toml, "stageplot.toml", plot)
        .unwrap_or_else(|findings| panic!("failed to read the plot: {findings:#?}\n{plot}"));
    let built = Plot::read(&document)
        .unwrap_or_else(|findings| panic!("a plot with mistakes: {findings:#?}\n{plot}"));
    stageplot_render::render(&built.topology, Secrets::From(&Given(secrets)), &Custom::default())
        .unwrap_or_else(|error| panic!("failed to render: {error}"))
}

struct Given<'a>(&'a [(&'a str, &'a str)]);

impl SecretSource for Given<'_> {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let SecretRef::Env(wanted) = secret else {
            return Err(SecretError::new("the test gives none but the environment's"));
        };
        let found = self.0.iter().find(|(name, _)| name == wanted);
        found
            .map(|(_, value)| SecretString::from(*value))
            .ok_or_else(|| SecretError::new("the test has none"))
    }
}

/// The disk of a machine: where bundles are copied to, and where plots are installed.
#[derive(Debug)]
pub struct Disk {
    scratch: Scratch,
}

impl Disk {
    /// Makes an empty one. Everybody on the machine may look into it, as into `/opt`.
    ///
    /// # Panics
    ///
    /// If it cannot be made.
    pub fn new() -> Self {
        let scratch = Scratch::new();
        open(scratch.path());
        for directory in ["opt", "upload", "kernel"] {
            let path = scratch.path().join(directory);
            fs::create_dir(&path)
                .unwrap_or_else(|error| panic!("failed to make {}: {error}", path.display()));
            open(&path);
        }
        Self { scratch }
    }

    /// What a plot of this machine says as `root`.
    pub fn root(&self) -> PathBuf {
        self.scratch.path().join("opt")
    }

    /// Copies a bundle here, as `stageplot render` writes it and `scp` brings it, and
    /// returns its directory, which is named by its release.
    ///
    /// # Panics
    ///
    /// If it cannot be written.
    pub fn upload(&self, bundle: &Bundle) -> PathBuf {
        let directory = self.scratch.path().join("upload").join(&bundle.release[..16]);
        for artifact in &bundle.artifacts {
            let path = directory.join(&artifact.path);
            let written = fs::create_dir_all(path.parent().unwrap_or(&directory))
                .and_then(|()| fs::write(&path, &artifact.bytes))
                .and_then(|()| fs::set_permissions(&path, fs::Permissions::from_mode(artifact.mode)));
            written.unwrap_or_else(|error| panic!("failed to write {}: {error}", path.display()));
        }
        directory
    }

    /// Runs the lines of a script as root on an engine's machine, in a directory, and
    /// stops at the first that fails.
    ///
    /// # Panics
    ///
    /// If it takes longer than a minute.
    #[track_caller]
    pub fn shell(&self, engine: &Engine, script: &str, directory: &Path) -> Output {
        let stand_ins = GLOBAL_PARAMETERS.map(|name| {
            let file = self.parameter(name);
            if !file.exists() {
                fs::write(&file, "0\n")
                    .unwrap_or_else(|error| panic!("failed to write {}: {error}", file.display()));
            }
            (file, Path::new("/proc/sys").join(name))
        });
        let compose = crate::Program::versions("compose").next().unwrap_or_default();
        let mut command = engine.machine().command_seeing(&stand_ins, "sh");
        command.envs(engine.environment(compose)).args(["-e", "-c", script]).current_dir(directory);
        run(&mut command, BRING_UP)
    }

    /// What a script of [`Disk::shell`] has set a global kernel parameter to.
    ///
    /// # Panics
    ///
    /// If no script ran.
    pub fn kernel_parameter(&self, name: &str) -> String {
        let file = self.parameter(name);
        let text = fs::read_to_string(&file);
        text.unwrap_or_else(|error| panic!("failed to read {}: {error}", file.display())).trim().to_owned()
    }

    fn parameter(&self, name: &str) -> PathBuf {
        self.scratch.path().join("kernel").join(name.replace('/', "."))
    }
}

impl Default for Disk {
    fn default() -> Self {
        Self::new()
    }
}

/// The blocks of commands in a README: those indented by four spaces, or fenced.
pub fn code_blocks(markdown: &str) -> Vec<String> {
    let (mut blocks, mut block, mut fenced) = (Vec::new(), String::new(), false);
    for line in markdown.lines() {
        let fence = line.trim_start().starts_with("```");
        let code = match fenced {
            true if !fence => Some(line),
            false => line.strip_prefix("    "),
            true => None,
        };
        fenced ^= fence;
        if let Some(code) = code {
            block.push_str(code);
            block.push('\n');
        } else if !block.is_empty() {
            blocks.push(std::mem::take(&mut block));
        }
    }
    blocks.extend((!block.is_empty()).then_some(block));
    blocks
}

fn open(directory: &Path) {
    fs::set_permissions(directory, fs::Permissions::from_mode(0o755))
        .unwrap_or_else(|error| panic!("failed to open {}: {error}", directory.display()));
}

#[cfg(test)]
mod tests {
    use super::code_blocks;

    #[test]
    fn blocks_of_both_kinds_are_found() {
        let text = "# One\n\n    a\n    b\n\ntext\n\n```sh\nc\n    d\n```\nend\n    e";
        assert_eq!(code_blocks(text), ["a\nb\n", "c\n    d\n", "e\n"]);
        assert!(code_blocks("none").is_empty());
    }
}
