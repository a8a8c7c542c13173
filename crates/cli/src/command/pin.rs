//! `stageplot pin`

use serde::Serialize;
use stageplot_health::registry;
use stageplot_topology::{Digest, ImageRef, Lock};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::PlotArgs;
use crate::{counted, findings, lock, registries, screen, write};

/// Write down what every image of the plot is, in a lock file beside it
///
/// Asks the registries for the digest behind each tag, with the logins of `docker
/// login`, and writes stageplot.lock (live.lock for live.toml). From then on render
/// writes images by their digests, so that every machine runs the same. Nothing is
/// written unless all images are known. Commit the file; `stageplot check` says where
/// it is out of step with the plot, `stageplot check --online` where a tag has moved.
#[derive(clap::Args)]
pub(crate) struct Pin {
    #[command(flatten)]
    plot: PlotArgs,

    /// Ask for what the lock file lacks alone, and keep what it has
    #[arg(long)]
    missing: bool,

    /// How the summary is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

impl Pin {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read_unlocked()?;
        let Ok(built) = &plot.built else {
            screen::talk(&findings::draw(plot.findings(), &plot));
            return Ok(Exit::Findings);
        };
        let topology = &built.topology;
        let Some(path) = &plot.lock else {
            return Err(Failure::new("a plot on standard input has no lock file beside it")
                .help("name the file that has the plot"));
        };
        let before = lock::read(path)?.unwrap_or_default();
        let images: Vec<_> = topology.images().into_keys().filter(|image| image.digest().is_none()).collect();
        let is_kept = |image: &&ImageRef| self.missing && before.digest(image).is_some();
        let asked = images.iter().filter(|image| !is_kept(image)).cloned();
        let answers = registries::ask(topology, asked, &before)?;
        let mut unknown = registry::review(topology, &answers);
        if !unknown.is_empty() {
            plot.locate(&mut unknown);
            screen::talk(&findings::draw(&unknown, &plot));
            return Ok(Exit::Findings);
        }
        let mut after = Lock::new();
        for image in images {
            let answer = answers.get(&image).and_then(|answer| answer.as_ref().ok());
            if let Some(digest) = answer.or_else(|| before.digest(&image)) {
                after.insert(image.clone(), digest.clone());
            }
        }
        if after != before || !path.exists() {
            write::replace(path, &after.to_toml())?;
        }
        let summary = Summary::new(&plot.name, path.display().to_string(), &before, &after);
        match self.format {
            DataFormat::Text => screen::talk(&summary.in_words()),
            DataFormat::Json => screen::json(&summary)?,
        }
        Ok(Exit::Well)
    }
}

/// What `--format json` says of a lock.
#[derive(Serialize)]
struct Summary<'a> {
    plot: &'a str,
    lock: String,
    images: Vec<Locked<'a>>,
    /// Images that were locked, and that the plot does not name.
    removed: Vec<&'a ImageRef>,
}

#[derive(Serialize)]
struct Locked<'a> {
    image: &'a ImageRef,
    digest: &'a Digest,
    /// The digest that was locked before, where there was one.
    before: Option<&'a Digest>,
}

impl<'a> Summary<'a> {
    fn new(plot: &'a str, lock: String, before: &'a Lock, after: &'a Lock) -> Self {
        let images =
            after.iter().map(|(image, digest)| Locked { image, digest, before: before.digest(image) });
        let removed = before.iter().map(|(image, _)| image).filter(|image| after.digest(image).is_none());
        Self { plot, lock, images: images.collect(), removed: removed.collect() }
    }

    fn in_words(&self) -> String {
        let new = self.images.iter().filter(|image| image.before.is_none());
        let moved =
            self.images.iter().filter(|image| image.before.is_some_and(|before| before != image.digest));
        let (new, moved): (Vec<_>, Vec<_>) = (new.collect(), moved.collect());
        let parts: Vec<_> = [
            (new.len(), "new"),
            (moved.len(), "moved"),
            (self.removed.len(), "removed"),
            (self.images.len() - new.len() - moved.len(), "as before"),
        ]
        .into_iter()
        .filter(|(count, _)| *count > 0)
        .map(|(count, what)| format!("{count} {what}"))
        .collect();
        let mut text = format!("Locked {} in {}", counted(self.images.len(), "image"), self.lock);
        text.push_str(&if parts.is_empty() { "\n".to_owned() } else { format!(": {}\n", parts.join(", ")) });
        text.extend(new.iter().map(|new| format!("  + {} {}\n", new.image, new.digest)));
        for Locked { image, digest, before } in moved {
            let before = before.map(ToString::to_string).unwrap_or_default();
            text.push_str(&format!("  ~ {image} {digest}, was {before}\n"));
        }
        text.extend(self.removed.iter().map(|image| format!("  - {image}\n")));
        text
    }
}
