//! `stageplot render`

use std::path::{Path, PathBuf};

use serde::Serialize;
use stageplot_render::output::{Options, OutputError, OutputFile, Writer, Written};
use stageplot_render::{Artifact, Bundle, RenderError, Renderer, Secrets};
use stageplot_topology::{Findings, Topology};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::findings::json;
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
        let Some(topology) = plot.topology_as(self.format, false)? else { return Ok(Exit::Findings) };
        match self.write(&plot, topology) {
            Ok(exit) => Ok(exit),
            Err(NotRendered::Failure(failure)) => Err(failure),
            Err(NotRendered::Findings(mut findings)) => {
                plot.locate(&mut findings);
                match self.format {
                    DataFormat::Text => screen::talk(&findings::draw(&findings, &plot)),
                    DataFormat::Json => {
                        findings.append(plot.findings().clone());
                        screen::json(&json::Report::of(&plot, &findings, false, None))?;
                    }
                }
                Ok(Exit::Findings)
            }
        }
    }

    /// Renders what is asked for, writes it as it comes, and says what changed.
    fn write(&self, plot: &PlotFile, topology: &Topology) -> Result<Exit, NotRendered> {
        let node = self.node.as_deref().map(|name| node_named(topology, name)).transpose()?;
        let custom = custom::read(topology, &plot.dir)?;
        let seals = seals::read(topology, &plot.dir)?;
        let source = SystemSecrets::new(topology.plot(), &plot.dir);
        let secrets = if self.sealed { Secrets::Sealed(&seals) } else { Secrets::From(&source) };
        let renderer = Renderer::new(topology, secrets, &custom)?;
        let mut findings = renderer.findings().clone();
        let values = (!self.sealed).then_some((&renderer, &source));
        findings.append(seals::review(topology, &seals, values));
        plot.locate(&mut findings);
        if self.format == DataFormat::Text {
            screen::talk(&findings::draw(&findings, plot));
        }

        let mut options = Options::default().overwrite(self.overwrite);
        if let Some(node) = &self.node {
            options = options.within(node);
        }
        let stands_in = stands_in(&self.out);
        let writer = Writer::open(&self.out, options).map_err(not_written)?;
        let put = |path: &str, file: &Artifact| {
            let file =
                OutputFile::of(path, file).map_err(|error| Failure::new(format!("failed to {error}")))?;
            writer.put(&file).map_err(not_written)
        };
        let each = |bundle: Bundle| {
            for file in &bundle.artifacts {
                put(&format!("{}/{}", bundle.node, file.path), file)?;
            }
            Ok::<_, NotRendered>(Rendered {
                name: bundle.node,
                release: bundle.release,
                files: bundle.artifacts.len(),
            })
        };
        let whole = |files: Vec<Artifact>| Ok(files.iter().try_for_each(|file| put(&file.path, file))?);
        let nodes = match node {
            Some(node) => renderer.bundles(std::slice::from_ref(node), each)?,
            None => renderer.everything(each, whole)?.0,
        };
        let written = writer.finish().map_err(not_written)?;
        for left in &written.left_behind {
            screen::warn(&format!("{} holds files that came while it was written", left.display()));
        }
        if stands_in && !written.is_noop() {
            // The new tree took the place of the old one, in which the shell still stands.
            screen::warn("the directory you are in was replaced: go into it anew, as by cd \"$PWD\"");
        }
        match self.format {
            DataFormat::Text => screen::talk(&self.in_words(nodes.len(), &written)),
            DataFormat::Json => {
                findings.append(plot.findings().clone());
                screen::json(&Summary::new(plot, self, &nodes, &written, &findings))?;
            }
        }
        Ok(Exit::Well)
    }

    fn in_words(&self, nodes: usize, written: &Written) -> String {
        let sealed = if self.sealed { ", without secrets" } else { "" };
        let nodes = counted(nodes, "node");
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
                true => "Sealed: to be compared and read, not to be run.\n",
                false if self.node.is_some() => "The node's README.md says how to bring it up.\n",
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

/// Why the directory was not written.
fn not_written(error: OutputError) -> Failure {
    let failure = Failure::new(format!("failed to {error}"));
    match error {
        OutputError::Conflict { .. } => failure.help(format!("{}: --overwrite", error.help())),
        _ => failure.help(error.help()),
    }
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
    nodes: &'a [Rendered],
    created: &'a [String],
    changed: &'a [String],
    removed: &'a [String],
    unchanged: usize,
    /// What there is to say of the plot that is no error, as `check` has it.
    findings: Vec<json::Item<'a>>,
}

#[derive(Serialize)]
struct Rendered {
    name: String,
    /// The SHA-256 of its manifest.
    release: String,
    files: usize,
}

impl<'a> Summary<'a> {
    fn new(
        plot: &'a PlotFile,
        render: &Render,
        nodes: &'a [Rendered],
        written: &'a Written,
        findings: &'a Findings,
    ) -> Self {
        Self {
            plot: &plot.name,
            out: render.out.display().to_string(),
            sealed: render.sealed,
            nodes,
            created: &written.created,
            changed: &written.changed,
            removed: &written.removed,
            unchanged: written.unchanged.len(),
            findings: json::items(findings),
        }
    }
}

/// How many paths of a kind are listed for people.
const LISTED: usize = 10;
