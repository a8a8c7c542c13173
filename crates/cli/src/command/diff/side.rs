//! What is compared, and where it is.

use std::path::{Path, PathBuf};

use stageplot_render::diff::Side;
use stageplot_render::{RenderError, Secrets, output, render};
use stageplot_topology::Topology;

use super::git::{self, Depth, Kind, Revision};
use crate::failure::Failure;
use crate::plot::{PlotArgs, PlotFile};
use crate::{custom, findings, screen, seals};

/// Where a side is.
pub(super) enum Place {
    /// A plot or a tree on this machine's disk; `-` is a plot on standard input.
    Disk(PathBuf),
    /// In a revision.
    Git(InRevision),
}

/// A plot or a tree in a revision.
pub(super) struct InRevision {
    revision: Revision,
    /// Its path from the top of the repository.
    path: String,
    /// `REV:PATH`, as it was given.
    name: String,
}

impl Place {
    /// What an argument names: what is there on disk, else `REV:PATH`.
    pub(super) fn new(argument: &Path) -> Result<Self, Failure> {
        match in_revision(argument) {
            Some((revision, path)) => InRevision::find(revision, path, argument).map(Self::Git),
            None => {
                named_alone(argument)?;
                Ok(Self::Disk(argument.to_owned()))
            }
        }
    }

    /// What a revision has of the argument, and the argument as it is on disk; the
    /// revision is HEAD where the argument names none.
    pub(super) fn with_head(argument: &Path) -> Result<(Self, Self), Failure> {
        if let Some((revision, path)) = in_revision(argument) {
            let before = InRevision::find(revision, path, argument)?;
            let after = before.on_disk()?;
            return Ok((Self::Git(before), Self::Disk(after)));
        }
        if argument == Path::new("-") {
            return Err(Failure::new("standard input has no earlier revision").help("name both sides"));
        }
        named_alone(argument)?;
        let meta = argument.metadata().map_err(|error| Failure::read(argument, &error))?;
        let (near, name) = match (meta.is_dir(), argument.file_name().and_then(|name| name.to_str())) {
            (false, Some(name)) => (argument.parent().unwrap_or(Path::new("")), name),
            _ => (argument, ""),
        };
        let revision = Revision::find("HEAD", near)?;
        let path = revision.path(&format!("./{name}"))?;
        let name = format!("HEAD:{path}");
        Ok((Self::Git(InRevision { revision, path, name }), Self::Disk(argument.to_owned())))
    }

    /// The path of what is compared, without its revision: what one plot is known by on
    /// every push.
    pub(super) fn path(&self) -> String {
        match self {
            Self::Disk(path) => path.display().to_string(),
            Self::Git(place) => place.path.clone(),
        }
    }

    /// What it is called, where it is in a revision.
    fn revision(&self) -> Option<&str> {
        match self {
            Self::Disk(_) => None,
            Self::Git(place) => Some(&place.name),
        }
    }

    /// What two sides are called, where one of them is in a revision.
    pub(super) fn names(before: &Self, after: &Self) -> Option<(String, String)> {
        let is_revision = before.revision().or(after.revision()).is_some();
        let name = |side: &Self| match side.revision() {
            Some(name) => name.strip_suffix(':').unwrap_or(name).to_owned(),
            None if matches!(side.path().as_str(), "" | "." | "./") => "the working tree".to_owned(),
            None => side.path(),
        };
        is_revision.then(|| (name(before), name(after)))
    }

    /// Reads it. What is wrong with a plot is said with the plot's name, and there is no
    /// side then.
    pub(super) fn read(&self) -> Result<Option<Side>, Failure> {
        match self {
            Self::Disk(path) if output::is_tree(path) => tree(path, &path.display().to_string()).map(Some),
            Self::Disk(path) => plot(&PlotArgs::of(path.clone()).read()?, |_| Ok(())),
            Self::Git(place) => place.read(),
        }
    }
}

impl InRevision {
    fn find(revision: &str, path: &str, argument: &Path) -> Result<Self, Failure> {
        let revision = Revision::find(revision, Path::new(""))?;
        let path = revision.path(path)?;
        Ok(Self { revision, path, name: argument.display().to_string() })
    }

    /// Where the same is in the working tree.
    fn on_disk(&self) -> Result<PathBuf, Failure> {
        let up = "../".repeat(self.revision.prefix()?.matches('/').count());
        let path = PathBuf::from(up).join(&self.path);
        Ok(if path.as_os_str().is_empty() { ".".into() } else { path })
    }

    fn read(&self) -> Result<Option<Side>, Failure> {
        let Self { revision, path, name } = self;
        let index =
            if path.is_empty() { output::INDEX.to_owned() } else { format!("{path}/{}", output::INDEX) };
        let (directory, file) = match revision.kind(path)? {
            Some(Kind::Directory) if revision.kind(&index)? == Some(Kind::File) => {
                return tree(&revision.copy(path, Depth::All)?, name).map(Some);
            }
            Some(Kind::Directory) => (path.as_str(), ""),
            Some(Kind::File) => path.rsplit_once('/').unwrap_or(("", path)),
            None => {
                return Err(Failure::new(format!("there is no {name}")).help(
                    "a path is from the top of the repository; begin it with ./ to name it from here",
                ));
            }
        };
        // Beside a plot there may be what belongs to it.
        let copies = revision.copy(directory, Depth::Files)?;
        let args = PlotArgs::of(if file.is_empty() { copies.clone() } else { copies.join(file) });
        let mut file = args.read().map_err(|failure| failure.calling(&copies, name))?;
        file.name.clone_from(name);
        plot(&file, |topology| self.provide(directory, topology))
            .map_err(|failure| failure.calling(&copies, name))
    }

    /// Copies what the plot names, to where the plot finds it: its templates, and the
    /// directory with its seals.
    fn provide(&self, directory: &str, topology: &Topology) -> Result<(), Failure> {
        let plot = topology.plot();
        let beside = |path: &Path, what: &str| {
            git::plain(&Path::new(directory).join(path)).ok_or_else(|| {
                Failure::new(format!("the {what} of {} are not in the repository", self.name))
                    .help("keep them beside the plot")
            })
        };
        let templates = plot.templates.as_ref().map(|path| beside(Path::new(path), "templates"));
        let seals = plot.seals.as_ref().and_then(|seals| Path::new(&seals.file).parent());
        let seals = seals.map(|path| beside(path, "seals"));
        for (path, depth) in [(templates, Depth::All), (seals, Depth::Files)] {
            let Some(path) = path.transpose()? else { continue };
            if self.revision.kind(&path)? == Some(Kind::Directory) {
                self.revision.copy(&path, depth)?;
            }
        }
        Ok(())
    }
}

/// Refuses a revision without a path, which would be looked for on disk.
fn named_alone(argument: &Path) -> Result<(), Failure> {
    let Some(name) = argument.to_str().filter(|name| *name != "-" && argument.symlink_metadata().is_err())
    else {
        return Ok(());
    };
    if name.is_empty() || Revision::find(name, Path::new("")).is_err() {
        return Ok(());
    }
    Err(Failure::new(format!("{name} is a git revision, and no file"))
        .help(format!("name what to compare in it as well, such as {name}:stageplot.toml")))
}

/// An argument that names a revision: nothing on disk is called so.
fn in_revision(argument: &Path) -> Option<(&str, &str)> {
    if argument.symlink_metadata().is_ok() {
        return None;
    }
    git::split(argument.to_str()?)
}

fn tree(dir: &Path, name: &str) -> Result<Side, Failure> {
    Side::read(dir).map_err(|error| {
        Failure::new(format!("{name} cannot be compared: {error}")).help(error.help()).calling(dir, name)
    })
}

/// Renders a plot, sealed. `provide` sees to it that the files it names are there.
fn plot(
    plot: &PlotFile,
    provide: impl FnOnce(&Topology) -> Result<(), Failure>,
) -> Result<Option<Side>, Failure> {
    let built = match &plot.built {
        Ok(built) => built,
        Err(findings) => {
            screen::talk(&findings::draw(findings, plot));
            return Ok(None);
        }
    };
    let topology = &built.topology;
    provide(topology)?;
    let custom = custom::read(topology, &plot.dir)?;
    let seals = seals::read(topology, &plot.dir)?;
    let rendering = match render(topology, Secrets::Sealed(&seals), &custom) {
        Err(RenderError::Findings(mut findings)) => {
            plot.locate(&mut findings);
            screen::talk(&findings::draw(&findings, plot));
            return Ok(None);
        }
        rendering => rendering?,
    };
    let side = Side::of(topology, rendering);
    let side = side.map(|side| side.with_findings(&built.findings));
    side.map(Some).map_err(|error| Failure::new(error.to_string()).help(error.help()))
}
