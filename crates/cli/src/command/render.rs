//! `stageplot render`

use std::path::{Path, PathBuf};

use serde::Serialize;
use stageplot_render::output::{self, Options, OutputError, OutputFile, Written};
use stageplot_render::{Artifact, Bundle, RenderError, Renderer, Secrets};
use stageplot_topology::{Findings, Topology};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PlotArgs, PlotFile, node_named};
use crate::secrets::SystemSecrets;
use crate::{counted, custom, findings, screen, seals};

/// Write every file that the plot's machines need
///
/// Writes DIR/NODE/… for every node, and to DIR what is about the whole stack: DNS
/// records, a runbook, the diagram. Either all of it is written or nothing. Files
/// in DIR that were not rendered stay as they are.
#[derive(clap::Args)]
pub(crate) struct Render {
    #[command(flatten)]
    plot: PlotArgs,

    /// The directory to write to; made where it does not exist
    #[arg(long, short, value_name = "DIR")]
    out: PathBuf,

    /// Render this node alone, and keep what DIR has of others
    #[arg(long, value_name = "NAME")]
    node: Option<String>,

    /// Write the name of each secret in the place of its value
    ///
    /// Needs no values, and gives the same bytes wherever it is run. Where the plot has
    /// seals, that of the secret stands beside its name.
    #[arg(long)]
    sealed: bool,

    /// Replace files that are in the way: not rendered, or edited since
    #[arg(long)]
    overwrite: bool,

    /// How the summary is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

impl Render {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology() else { return Ok(Exit::Findings) };
        match self.tree(topology, &plot.dir) {
            Ok(mut tree) => {
                plot.locate(&mut tree.findings);
                screen::talk(&findings::draw(&tree.findings, &plot));
                self.write(&plot, &tree)
            }
            Err(NotRendered::Failure(failure)) => Err(failure),
            Err(NotRendered::Findings(mut findings)) => {
                plot.locate(&mut findings);
                screen::talk(&findings::draw(&findings, &plot));
                Ok(Exit::Findings)
            }
        }
    }

    /// Renders what is asked for.
    fn tree(&self, topology: &Topology, dir: &Path) -> Result<Tree, NotRendered> {
        let node = self.node.as_deref().map(|name| node_named(topology, name)).transpose()?;
        let custom = custom::read(topology, dir)?;
        let seals = seals::read(topology, dir)?;
        let source = SystemSecrets::new(topology.plot(), dir);
        let secrets = if self.sealed { Secrets::Sealed(&seals) } else { Secrets::From(&source) };
        let renderer = Renderer::new(topology, secrets, &custom)?;
        let mut findings = renderer.findings().clone();
        let values = (!self.sealed).then_some((&renderer, &source));
        findings.append(seals::review(topology, &seals, values));
        let nodes = node.map_or(topology.nodes(), std::slice::from_ref);
        let bundles = nodes.iter().map(|node| renderer.bundle(node)).collect::<Result<_, _>>()?;
        let overview = if node.is_some() { Vec::new() } else { renderer.overview()? };
        Ok(Tree { bundles, overview, findings })
    }

    /// Writes it, and says what changed.
    fn write(&self, plot: &PlotFile, tree: &Tree) -> Result<Exit, Failure> {
        let mut paths = Vec::new();
        for bundle in &tree.bundles {
            let path = |file: &Artifact| format!("{}/{}", bundle.node, file.path);
            paths.extend(bundle.artifacts.iter().map(|file| (path(file), file)));
        }
        paths.extend(tree.overview.iter().map(|file| (file.path.clone(), file)));
        let files = paths.iter().map(|(path, file)| OutputFile::new(path, &file.bytes, file.mode));
        let files: Vec<_> =
            files.collect::<Result<_, _>>().map_err(|error| Failure::new(error.to_string()))?;
        let mut options = Options::default().overwrite(self.overwrite);
        if let Some(node) = &self.node {
            options = options.within(node);
        }
        let stands_in = stands_in(&self.out);
        let written = output::write(&self.out, &files, options).map_err(|error| {
            let failure = Failure::new(format!("failed to {error}"));
            match error {
                OutputError::Conflict { .. } => failure.help(format!("{}: --overwrite", error.help())),
                _ => failure.help(error.help()),
            }
        })?;
        for left in &written.left_behind {
            screen::warn(&format!("{} holds files that came while it was written", left.display()));
        }
        if stands_in && !written.is_noop() {
            // The new tree took the place of the old one, in which the shell still stands.
            screen::warn("the directory you are in was replaced: go into it anew, as by cd \"$PWD\"");
        }
        match self.format {
            DataFormat::Text => screen::talk(&self.in_words(tree, &written)),
            DataFormat::Json => screen::json(&Summary::new(plot, self, tree, &written))?,
        }
        Ok(Exit::Well)
    }

    fn in_words(&self, tree: &Tree, written: &Written) -> String {
        let sealed = if self.sealed { ", without secrets" } else { "" };
        let nodes = counted(tree.bundles.len(), "node");
        let mut text = format!("Rendered {nodes} to {}{sealed}: ", self.out.display());
        let parts: Vec<_> = [
            (written.created.len(), "created"),
            (written.changed.len(), "changed"),
            (written.removed.len(), "removed"),
            (written.unchanged.len(), "as before"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{} {what}", counted(count, "file")))
        .collect();
        text.push_str(&parts.join(", "));
        text.push('\n');
        if written.changed.is_empty() && written.unchanged.is_empty() && written.removed.is_empty() {
            // The first time everything is new.
            text.push_str(match self.sealed {
                true => "Sealed: to be compared, not to be run.\n",
                false => "Each node's README.md says how to bring it up, runbook.md in which order.\n",
            });
        } else {
            let lists = [("+", &written.created), ("~", &written.changed), ("-", &written.removed)];
            for (sign, paths) in lists {
                text.extend(paths.iter().take(LISTED).map(|path| format!("  {sign} {path}\n")));
                if let Some(more @ 1..) = paths.len().checked_sub(LISTED) {
                    text.push_str(&format!("  {sign} {more} more\n"));
                }
            }
        }
        text
    }
}

/// What is rendered: all nodes and what is about the whole, or one node.
struct Tree {
    bundles: Vec<Bundle>,
    overview: Vec<Artifact>,
    /// What there is to say of the secrets.
    findings: Findings,
}

/// Whether the command was called from within this directory.
fn stands_in(out: &Path) -> bool {
    match (std::env::current_dir().and_then(std::fs::canonicalize), std::fs::canonicalize(out)) {
        (Ok(here), Ok(out)) => here.starts_with(out),
        _ => false,
    }
}

/// Why nothing is rendered.
enum NotRendered {
    /// Something about the plot or its secrets.
    Findings(Findings),
    /// Something else.
    Failure(Failure),
}

impl From<RenderError> for NotRendered {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Findings(findings) => Self::Findings(findings),
            other => Self::Failure(other.into()),
        }
    }
}

impl From<Failure> for NotRendered {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

/// What `--format json` says of a rendering.
#[derive(Serialize)]
struct Summary<'a> {
    plot: &'a str,
    out: String,
    sealed: bool,
    nodes: Vec<Rendered<'a>>,
    created: &'a [String],
    changed: &'a [String],
    removed: &'a [String],
    unchanged: usize,
}

#[derive(Serialize)]
struct Rendered<'a> {
    name: &'a str,
    /// The SHA-256 of its manifest.
    release: &'a str,
    files: usize,
}

impl<'a> Summary<'a> {
    fn new(plot: &'a PlotFile, render: &Render, tree: &'a Tree, written: &'a Written) -> Self {
        let nodes = tree.bundles.iter().map(|bundle| Rendered {
            name: &bundle.node,
            release: &bundle.release,
            files: bundle.artifacts.len(),
        });
        Self {
            plot: &plot.name,
            out: render.out.display().to_string(),
            sealed: render.sealed,
            nodes: nodes.collect(),
            created: &written.created,
            changed: &written.changed,
            removed: &written.removed,
            unchanged: written.unchanged.len(),
        }
    }
}

/// How many paths of a kind are listed for people.
const LISTED: usize = 10;
