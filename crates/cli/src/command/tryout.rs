//! `stageplot try`

mod docker;
mod ground;
mod home;
mod secrets;

use std::io::{self, BufRead as _, IsTerminal as _};
use std::path::PathBuf;

use serde::Serialize;
use stageplot_render::output::{self, Options, OutputFile};
use stageplot_render::{Door, Ground, RenderError, Secrets, Tryout, TryoutError, tryout};
use stageplot_topology::{Findings, Period, ServiceSpec, Topology};

use self::docker::Project;
use self::ground::Ports;
use self::home::Home;
use self::secrets::TrialSecrets;
use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PlotArgs, PlotFile};
use crate::secrets::SystemSecrets;
use crate::{custom, findings, screen};

/// Try a whole plot on this machine, with Docker alone
///
/// Each node is played by a container, whose network the node's own containers share; all
/// have the configuration that they would have, but for what one machine cannot give: edges
/// speak plain HTTP on a free port of localhost, and secrets that nobody has are made up.
/// Several plots can be tried side by side. Data stays until --down.
#[derive(clap::Args)]
pub(crate) struct Try {
    #[command(flatten)]
    plot: PlotArgs,

    /// Take it away again; asks whether its data is to go too
    #[arg(long)]
    down: bool,

    /// Take its data away without being asked
    #[arg(long, requires = "down")]
    delete_data: bool,

    /// How long to wait until all containers are well
    #[arg(long, value_name = "TIME", default_value = "2m", conflicts_with = "down")]
    wait: Period,

    /// How the addresses are printed
    #[arg(long, value_name = "FORMAT", default_value = "text", conflicts_with = "down")]
    format: DataFormat,
}

impl Try {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology_as(self.format, false)? else { return Ok(Exit::Findings) };
        let home = Home::of(topology.name().as_str())?;
        match self.down {
            true => self.take_down(topology, &home),
            false => self.bring_up(&plot, topology, &home),
        }
    }

    fn bring_up(&self, plot: &PlotFile, topology: &Topology, home: &Home) -> Result<Exit, Failure> {
        let project = Project::new(topology.name().as_str(), home);
        // What is up has the ports and the network that are to be had again.
        if home.is_made() {
            project.down(false)?;
        }
        home.make()?;
        let custom = custom::read(topology, &plot.dir)?;
        let source = TrialSecrets::new(SystemSecrets::new(topology.plot(), &plot.dir), home.secrets())?;
        let mut ports = Ports::default();
        let mut port = |wanted| ports.free(wanted);
        let ground = Ground::new(ground::subnet(topology.name().as_str())?, &mut port);
        let tried = match tryout(topology, Secrets::From(&source), &custom, ground) {
            Ok(tried) => tried,
            Err(TryoutError::Plot(told) | TryoutError::Render(RenderError::Findings(told))) => {
                return Ok(not_tried(plot, told));
            }
            Err(TryoutError::Render(error)) => return Err(error.into()),
            Err(error) => return Err(Failure::new(error.to_string())),
        };
        let made_up = source.keep()?;
        write(&tried, &home.stage())?;
        let is_well = project.up(self.wait.duration())?;
        let shown = Shown::new(topology, &tried, &made_up, home, &project, is_well);
        match self.format {
            DataFormat::Text => screen::data(&shown.in_words())?,
            DataFormat::Json => screen::json(&shown)?,
        }
        if is_well {
            return Ok(Exit::Well);
        }
        Err(Failure::new(format!("not all containers are well within {}", self.wait)).help(format!(
            "see what they say: {}; stageplot try --down takes them away",
            project.command("logs")
        )))
    }

    fn take_down(&self, topology: &Topology, home: &Home) -> Result<Exit, Failure> {
        if !home.is_made() {
            screen::talk(&format!("{} is not tried here.\n", topology.name()));
            return Ok(Exit::Well);
        }
        let project = Project::new(topology.name().as_str(), home);
        let with_data = self.delete_data || asked(topology.name().as_str())?;
        project.down(with_data)?;
        if with_data {
            home.remove()?;
            screen::talk(&format!("{} is gone, and its data.\n", topology.name()));
        } else {
            screen::talk(&format!(
                "{} is down. Its data waits for the next time; stageplot try --down --delete-data takes it away.\n",
                topology.name()
            ));
        }
        Ok(Exit::Well)
    }
}

/// Whether whoever sits there wants the data to go; where nobody does, it stays.
fn asked(name: &str) -> Result<bool, Failure> {
    if !(io::stdin().is_terminal() && io::stderr().is_terminal()) {
        return Ok(false);
    }
    screen::talk(&format!("Delete the data of the trial of {name} too, its databases above all? [y/N] "));
    let mut answer = String::new();
    io::stdin()
        .lock()
        .read_line(&mut answer)
        .map_err(|error| Failure::new(format!("failed to read the answer: {error}")))?;
    Ok(matches!(answer.trim(), "y" | "Y" | "yes"))
}

/// Says why a plot cannot be tried.
fn not_tried(plot: &PlotFile, mut told: Findings) -> Exit {
    plot.locate(&mut told);
    screen::talk(&findings::draw(&told, plot));
    Exit::Findings
}

fn write(tried: &Tryout, stage: &std::path::Path) -> Result<(), Failure> {
    let files = tried.files.iter().map(|file| OutputFile::of(&file.path, file));
    let files: Vec<_> =
        files.collect::<Result<_, _>>().map_err(|error| Failure::new(format!("failed to {error}")))?;
    output::write(stage, &files, Options::default().overwrite(true))
        .map_err(|error| Failure::new(format!("failed to {error}")).help(error.help()))?;
    Ok(())
}

/// Where a trial is entered.
#[derive(Serialize)]
struct Shown<'a> {
    plot: &'a str,
    /// Whether all containers are well.
    well: bool,
    doors: Vec<Address<'a>>,
    left_out: &'a [String],
    /// The secrets that were made up, and the file that has them.
    made_up: &'a [String],
    secrets: PathBuf,
    compose: String,
}

#[derive(Serialize)]
struct Address<'a> {
    address: String,
    service: &'a str,
    endpoint: &'a str,
    node: &'a str,
    #[serde(skip)]
    is_site: bool,
}

impl<'a> Shown<'a> {
    fn new(
        topology: &'a Topology,
        tried: &'a Tryout,
        made_up: &'a [String],
        home: &Home,
        project: &Project<'_>,
        well: bool,
    ) -> Self {
        let mut doors: Vec<_> = tried.doors.iter().map(|door| address(topology, door)).collect();
        doors.sort_by_key(|door| !door.is_site);
        Self {
            plot: topology.name().as_str(),
            well,
            doors,
            left_out: &tried.left_out,
            made_up,
            secrets: home.secrets(),
            compose: project.command("ps"),
        }
    }

    fn in_words(&self) -> String {
        let wide = self.doors.iter().map(|door| door.address.len()).max().unwrap_or_default();
        let mut text = format!("{} is tried here:\n\n", self.plot);
        for Address { address, service, endpoint, node, .. } in &self.doors {
            text.push_str(&format!("  {address:wide$}  {service} {endpoint} on {node}\n"));
        }
        if !self.left_out.is_empty() {
            text.push('\n');
            text.extend(self.left_out.iter().map(|line| format!("  {line}\n")));
        }
        if !self.made_up.is_empty() {
            let (names, file) = (self.made_up.join(", "), self.secrets.display());
            text.push_str(&format!("\nMade up, and kept in {file}: {names}\n"));
        }
        text.push_str(&format!("\nWhat runs: {}\nAway again: stageplot try --down\n", self.compose));
        text
    }
}

fn address<'a>(topology: &Topology, door: &'a Door) -> Address<'a> {
    let is_livekit = topology
        .service_named(&door.service)
        .is_some_and(|service| matches!(service.kind, ServiceSpec::Livekit(_)));
    let address = match door.is_site {
        true if is_livekit => format!("ws://localhost:{}/", door.outside),
        true => format!("http://localhost:{}/", door.outside),
        false => format!("127.0.0.1:{}/{}", door.outside, door.protocol),
    };
    Address {
        address,
        service: &door.service,
        endpoint: &door.endpoint,
        node: &door.node,
        is_site: door.is_site,
    }
}
