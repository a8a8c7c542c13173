//! Finding and reading the plot.

use std::borrow::Cow;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use clap::ValueEnum;
use stageplot_render::judge;
use stageplot_topology::{Built, Document, Findings, Format, Lock, Node, Plot, Redacted, Topology, words};

use crate::args::DataFormat;
use crate::failure::Failure;
use crate::{findings, lock, screen};

/// Which plot a command is about.
#[derive(clap::Args)]
pub(crate) struct PlotArgs {
    /// The plot: a file, a directory that holds stageplot.toml (or .json, .yaml,
    /// .yml), or - for standard input
    #[arg(value_name = "PLOT", default_value = ".", hide_default_value = true)]
    plot: PathBuf,

    /// The language of the plot, where its name does not tell; standard input is TOML
    #[arg(long, value_name = "LANGUAGE")]
    plot_format: Option<PlotFormat>,
}

/// The language of a plot.
#[derive(Clone, Copy, ValueEnum)]
pub(crate) enum PlotFormat {
    Toml,
    Json,
    Yaml,
}

impl PlotArgs {
    /// The plot in this file.
    pub(crate) fn of(plot: PathBuf) -> Self {
        Self { plot, plot_format: None }
    }

    /// Finds the plot, reads and validates it, and lays its lock file beside it.
    pub(crate) fn read(&self) -> Result<PlotFile, Failure> {
        let plot = self.read_unlocked()?;
        match plot.lock.as_deref().map(lock::read).transpose()?.flatten() {
            Some(lock) => Ok(plot.locked(lock)),
            None => Ok(plot),
        }
    }

    /// Finds the plot, and reads and validates it by itself.
    pub(crate) fn read_unlocked(&self) -> Result<PlotFile, Failure> {
        if self.plot.as_os_str() == "-" {
            let bytes = bounded(io::stdin().lock())
                .map_err(|error| Failure::read(Path::new("standard input"), &error))?;
            // No plot in TOML or, as people write it, in YAML begins with a brace.
            let json = bytes.as_ref().is_ok_and(|bytes| bytes.trim_ascii_start().starts_with(b"{"));
            let usual = if json { Format::Json } else { Format::Toml };
            let format = self.plot_format.map_or(usual, Format::from);
            return Ok(PlotFile::new(PathBuf::new(), "<stdin>".to_owned(), None, format, bytes));
        }
        let path = self.find()?;
        let format = match self.plot_format {
            Some(format) => format.into(),
            None => Format::from_path(&path).ok_or_else(|| {
                Failure::new(format!("{} is not called .toml, .json, .yaml or .yml", path.display()))
                    .help("say which it is: --plot-format toml")
            })?,
        };
        let path = path.strip_prefix(".").unwrap_or(&path);
        let name = path.display().to_string();
        let file = File::open(path).map_err(|error| Failure::read(path, &error))?;
        let size = file.metadata().map_err(|error| Failure::read(path, &error))?.len();
        let dir = path.parent().unwrap_or(Path::new("")).to_owned();
        // What is far too large is not read at all.
        let bytes = match usize::try_from(size) {
            Ok(size) if size <= Document::MAX_SIZE => {
                bounded(file).map_err(|error| Failure::read(path, &error))?
            }
            size => Err(size.unwrap_or(usize::MAX)),
        };
        Ok(PlotFile::new(dir, name, Some(lock::beside(path)), format, bytes))
    }

    /// The file: the one that is named, or the one in the directory that is.
    fn find(&self) -> Result<PathBuf, Failure> {
        let plot = &self.plot;
        let meta = plot.metadata().map_err(|error| {
            let failure = Failure::read(plot, &error);
            match error.kind() {
                io::ErrorKind::NotFound => failure.help("`stageplot init` writes a first plot"),
                _ => failure,
            }
        })?;
        if !meta.is_dir() {
            return Ok(plot.clone());
        }
        let mut found = Vec::new();
        for path in NAMES.iter().map(|name| plot.join(name)) {
            match path.metadata() {
                Ok(meta) if !meta.is_dir() => found.push(path),
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(Failure::read(&path, &error));
                }
                _ => {}
            }
        }
        match <[PathBuf; 1]>::try_from(found) {
            Ok([path]) => Ok(path),
            Err(none) if none.is_empty() => {
                let place =
                    if plot == Path::new(".") { "here".into() } else { format!("in {}", plot.display()) };
                Err(Failure::new(format!("there is no stageplot.toml {place}"))
                    .help("name the plot, or let `stageplot init` write a first one"))
            }
            Err(several) => {
                let names: Vec<_> = several.iter().map(|path| path.display().to_string()).collect();
                Err(Failure::new(format!("there are several plots: {}", names.join(", ")))
                    .help("name the one that is meant"))
            }
        }
    }
}

impl From<PlotFormat> for Format {
    fn from(format: PlotFormat) -> Self {
        match format {
            PlotFormat::Toml => Self::Toml,
            PlotFormat::Json => Self::Json,
            PlotFormat::Yaml => Self::Yaml,
        }
    }
}

/// A plot that was read, with all that there is to say of it.
pub(crate) struct PlotFile {
    /// The directory that its paths are relative to; empty for the working one.
    pub(crate) dir: PathBuf,
    /// What it is called.
    pub(crate) name: String,
    /// Where its lock file is, or would be; nowhere for standard input.
    pub(crate) lock: Option<PathBuf>,
    /// Its text without secrets where it has no sound syntax; empty where it was not read.
    torn: Redacted,
    /// Its values and their places, where it has sound syntax.
    pub(crate) document: Option<Document>,
    /// What it describes, or why it describes nothing.
    pub(crate) built: Result<Built, Findings>,
}

impl PlotFile {
    /// Validates what was read, or tells how many bytes are too many.
    fn new(
        dir: PathBuf,
        name: String,
        lock: Option<PathBuf>,
        format: Format,
        bytes: Result<Vec<u8>, usize>,
    ) -> Self {
        let bytes = match bytes {
            Ok(bytes) => bytes,
            Err(size) => {
                let built = Err(Document::too_large(size));
                return Self { dir, name, lock, torn: Redacted::default(), document: None, built };
            }
        };
        match Document::parse_bytes(format, &name, &bytes) {
            Ok(document) => {
                let built = Plot::read(&document).and_then(|built| writable(built, &document));
                Self { dir, name, lock, torn: Redacted::default(), document: Some(document), built }
            }
            Err(findings) => {
                let torn = Redacted::of(&String::from_utf8_lossy(&bytes));
                Self { dir, name, lock, torn, document: None, built: Err(findings) }
            }
        }
    }

    /// The plot with the digests of its images.
    fn locked(mut self, lock: Lock) -> Self {
        let mut built = self.built.and_then(|built| built.locked(lock));
        if let Some(document) = &self.document {
            let findings = match &mut built {
                Ok(built) => &mut built.findings,
                Err(findings) => findings,
            };
            Plot::locate(document, findings);
        }
        self.built = built;
        self
    }

    /// Its text without secrets, for snippets.
    pub(crate) fn text(&self) -> Cow<'_, Redacted> {
        match &self.document {
            Some(document) => Cow::Owned(document.redacted()),
            None => Cow::Borrowed(&self.torn),
        }
    }

    /// Everything there is to say of it.
    pub(crate) fn findings(&self) -> &Findings {
        match &self.built {
            Ok(built) => &built.findings,
            Err(findings) => findings,
        }
    }

    /// Adds findings that came up later.
    pub(crate) fn add(&mut self, more: Findings) {
        if let Ok(built) = &mut self.built {
            built.findings.append(more);
            if let Some(document) = &self.document {
                Plot::locate(document, &mut built.findings);
            }
        }
    }

    /// The topology, where the plot has no errors; its findings are said first.
    pub(crate) fn topology(&self) -> Option<&Topology> {
        screen::talk(&findings::draw(self.findings(), self));
        self.built.as_ref().ok().map(|built| &built.topology)
    }

    /// The topology, where the plot has no errors. Those are said first, as text or as
    /// data; other findings, where `talks`, in any case.
    pub(crate) fn topology_as(&self, format: DataFormat, talks: bool) -> Result<Option<&Topology>, Failure> {
        match &self.built {
            Ok(built) if talks || format == DataFormat::Text => {
                screen::talk(&findings::draw(&built.findings, self));
                Ok(Some(&built.topology))
            }
            Ok(built) => Ok(Some(&built.topology)),
            Err(findings) if format == DataFormat::Text => {
                screen::talk(&findings::draw(findings, self));
                Ok(None)
            }
            Err(_) => {
                screen::json(&findings::json::Report::new(self, false, None))?;
                Ok(None)
            }
        }
    }

    /// Where a template of the user's own is.
    pub(crate) fn template(&self, name: &str) -> PathBuf {
        let templates = self.built.as_ref().ok().and_then(|built| built.topology.plot().templates.as_ref());
        templates.map_or_else(|| PathBuf::from(name), |templates| self.dir.join(templates).join(name))
    }

    /// Gives findings that came up later their places in the file.
    pub(crate) fn locate(&self, findings: &mut Findings) {
        if let Some(document) = &self.document {
            Plot::locate(document, findings);
        }
    }
}

/// What was built, unless it holds a value that cannot be rendered.
fn writable(built: Built, document: &Document) -> Result<Built, Findings> {
    let mut findings = judge(&built.topology);
    if findings.is_empty() {
        return Ok(built);
    }
    findings.append(built.findings);
    Plot::locate(document, &mut findings);
    Err(findings)
}

/// The node of that name, or which name was probably meant.
pub(crate) fn node_named<'t>(topology: &'t Topology, name: &str) -> Result<&'t Node, Failure> {
    topology.node_named(name).ok_or_else(|| {
        let failure = Failure::new(format!("the plot has no node {name:?}"));
        let known: Vec<_> = topology.nodes().iter().map(|node| node.name.as_str()).collect();
        match words::nearest(name, known.iter().copied()) {
            Some(near) => failure.help(format!("did you mean {near}?")),
            None => failure.help(format!("the nodes are {}", words::listed(&known))),
        }
    })
}

/// Reads as much as a plot may have; tells of more without reading on.
fn bounded(reader: impl Read) -> io::Result<Result<Vec<u8>, usize>> {
    let mut bytes = Vec::new();
    let limit = u64::try_from(Document::MAX_SIZE).unwrap_or(u64::MAX);
    reader.take(limit + 1).read_to_end(&mut bytes)?;
    Ok(if bytes.len() > Document::MAX_SIZE { Err(bytes.len()) } else { Ok(bytes) })
}

/// What a plot is called.
pub(crate) const PLOT: &str = "stageplot.toml";

/// What a plot may be called in a directory.
const NAMES: [&str; 4] = [PLOT, "stageplot.json", "stageplot.yaml", "stageplot.yml"];
