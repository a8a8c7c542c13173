//! `stageplot seal`

use std::path::Path;

use stageplot_render::{Custom, RenderError, Renderer, Seals, Secrets};
use stageplot_topology::{Findings, SealsSpec, SecretRef, SecretSource as _, Topology};

use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PlotArgs, PlotFile};
use crate::secrets::{SystemSecrets, random};
use crate::{counted, findings, screen, seals, write};

/// Write the plot's seals file, by which sealed renderings show that a secret changed
///
/// Needs the secrets, and the key that the plot names: seals = { key = { env = "…" } }.
/// The file holds a keyed fingerprint of each secret and is committed with the plot.
#[derive(clap::Args)]
pub(crate) struct Seal {
    #[command(flatten)]
    plot: PlotArgs,

    /// Write nothing; exit with 2 where the file is not up to date
    #[arg(long)]
    check: bool,

    /// Make the key first, where the plot looks for it: in its secrets-file, or in a
    /// file of its own
    ///
    /// It is not printed, and never takes the place of another.
    #[arg(long, conflicts_with = "check")]
    new_key: bool,
}

impl Seal {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology() else { return Ok(Exit::Findings) };
        let Some(spec) = &topology.plot().seals else {
            return Err(Failure::new(format!("{} names no seals file", plot.name))
                .help("add at its top: seals = { key = { env = \"STAGEPLOT_SEAL_KEY\" } }; then `stageplot seal --new-key`"));
        };
        if self.new_key {
            make_key(topology, spec, &plot.dir)?;
        }
        let present = match present(topology, spec, &plot.dir) {
            Ok(present) => present,
            Err(NotSealed::Failure(failure)) => return Err(failure),
            Err(NotSealed::Findings(findings)) => {
                tell(&plot, findings);
                return Ok(Exit::Findings);
            }
        };
        match seals::read(topology, &plot.dir) {
            Ok(sealed) if self.check => Ok(check(&plot, topology, &sealed, &present)),
            Ok(sealed) => write(&plot, spec, &sealed, &present),
            Err(failure) if self.check => Err(failure),
            // What cannot be read is written anew, from the secrets.
            Err(_) => write(&plot, spec, &Seals::default(), &present),
        }
    }
}

/// The seals of the secrets as they are now.
fn present(topology: &Topology, spec: &SealsSpec, dir: &Path) -> Result<Seals, NotSealed> {
    let source = SystemSecrets::new(topology.plot(), dir);
    let custom = Custom::default();
    let renderer = Renderer::new(topology, Secrets::From(&source), &custom);
    match (seals::key(spec, &source), renderer) {
        (Ok(key), Ok(renderer)) => Ok(renderer.seals(&key).unwrap_or_default()),
        (Err(findings), Ok(_)) => Err(NotSealed::Findings(findings)),
        (key, Err(RenderError::Findings(findings))) => {
            let mut all = key.err().unwrap_or_default();
            all.append(findings);
            Err(NotSealed::Findings(all))
        }
        (_, Err(other)) => Err(NotSealed::Failure(other.into())),
    }
}

/// Why nothing is sealed.
enum NotSealed {
    /// The key, or secrets.
    Findings(Findings),
    /// Something else.
    Failure(Failure),
}

/// Says whether the file is up to date.
fn check(plot: &PlotFile, topology: &Topology, sealed: &Seals, present: &Seals) -> Exit {
    tell(plot, sealed.review(topology, Some(present)));
    if sealed == present {
        screen::talk(&format!("The seals are up to date: {}.\n", counted(present.iter().count(), "secret")));
        return Exit::Well;
    }
    screen::talk("The seals are not up to date: run `stageplot seal`, and commit what it writes.\n");
    Exit::Findings
}

/// Writes the file, and says what is new in it.
fn write(plot: &PlotFile, spec: &SealsSpec, sealed: &Seals, present: &Seals) -> Result<Exit, Failure> {
    let path = seals::path(spec, &plot.dir);
    let shown = path.display();
    let total = counted(present.iter().count(), "secret");
    if sealed == present {
        screen::talk(&format!("{shown} is up to date: {total}.\n"));
        return Ok(Exit::Well);
    }
    write::replace(&path, &present.to_string())?;
    let old = |name: &str| sealed.iter().find(|(known, _)| *known == name).map(|(_, seal)| *seal);
    let added = present.iter().filter(|(name, _)| old(name).is_none()).count();
    let changed = present.iter().filter(|(name, seal)| old(name).is_some_and(|old| old != **seal)).count();
    let removed = sealed.iter().count() + added - present.iter().count();
    let parts = [(added, "new"), (changed, "changed"), (removed, "removed")];
    let parts = parts.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
    let parts: Vec<_> = parts.collect();
    let parts = if parts.is_empty() { String::new() } else { format!(" ({})", parts.join(", ")) };
    screen::talk(&format!("Wrote {shown}: {total}{parts}. Commit it with the plot.\n"));
    Ok(Exit::Well)
}

/// Makes the key where the plot looks for it, unless there is one.
fn make_key(topology: &Topology, spec: &SealsSpec, dir: &Path) -> Result<(), Failure> {
    let label = spec.key.label();
    let by_hand = "put what `openssl rand -hex 32` prints where the plot looks for it";
    if SystemSecrets::new(topology.plot(), dir).secret(&spec.key).is_ok() {
        return Err(Failure::new(format!("there is a key already: {label}"))
            .help("take it away first, if it is to be another: all seals are made anew then"));
    }
    let path = match (&spec.key, &topology.plot().secrets_file) {
        (SecretRef::Env(name), Some(file)) => {
            let path = dir.join(file);
            write::append_private(&path, &format!("{name}='{}'", random()?))?;
            path
        }
        (SecretRef::Env(_), None) => {
            let help =
                format!("name one in the plot, as secrets-file = \"stageplot.secrets.env\"; or {by_hand}");
            return Err(Failure::new("the plot has no secrets-file to write the key to").help(help));
        }
        (SecretRef::File(file), _) => {
            let path = dir.join(file);
            write::private(&path, &format!("{}\n", random()?))?;
            path
        }
        _ => return Err(Failure::new(format!("a key cannot be written to {label}")).help(by_hand)),
    };
    screen::talk(&format!(
        "Wrote a new key to {}: keep that file out of version control, and give the key to those who have the \
         secrets.\n",
        path.display()
    ));
    Ok(())
}

/// Draws findings about the plot that came up later.
fn tell(plot: &PlotFile, mut findings: Findings) {
    plot.locate(&mut findings);
    screen::talk(&findings::draw(&findings, plot));
}
