//! `stageplot status`, `stageplot resources`, `stageplot performance`

use std::thread;
use std::time::{Duration, SystemTime};

use serde::Serialize;
use stageplot_health::{Activity, Container, Problem, Stand, Usage, activity, containers, usage};
use stageplot_topology::{NodeId, Period};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::probing::{Probing, ProbingArgs};
use crate::screen::{self, harmless};
use crate::table::Table;

/// Say what runs of the plot on this machine, since when, and how well
#[derive(clap::Args)]
pub(crate) struct Status {
    #[command(flatten)]
    view: View,
}

/// Say what the plot's containers on this machine use: processor, memory, network
#[derive(clap::Args)]
pub(crate) struct Resources {
    #[command(flatten)]
    view: View,
}

/// Say how many rooms and people there are, what is lost on the way, how busy Redis is
///
/// Every LiveKit node tells it to Redis every few seconds; it is asked there, from a node that
/// runs LiveKit.
#[derive(clap::Args)]
pub(crate) struct Performance {
    #[command(flatten)]
    view: View,
}

/// How often it is said, and how.
#[derive(clap::Args)]
struct View {
    #[command(flatten)]
    probing: ProbingArgs,

    /// Say it again and again, until it is ended with ^C
    #[arg(long, value_name = "TIME")]
    watch: Option<Period>,

    /// How it is printed; of json, each time is a line
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

impl Status {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        self.view.show(
            |probing, _| containers(&probing.topology, &probing.secrets, &probing.options),
            |all| running(all),
            |all| all.iter().all(Container::is_well),
        )
    }
}

impl Resources {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        self.view.show(|probing, _| usage(&probing.topology, &probing.options), |all| used(all), |_| true)
    }
}

impl Performance {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let ask = |probing: &Probing, node| {
            let (topology, secrets) = (probing.topology.clone(), probing.secrets.clone());
            activity(topology, node, secrets, probing.options.clone())
        };
        self.view.show(ask, busy, |_| true)
    }
}

impl View {
    /// Asks and draws, once or again and again; the exit says whether all is well.
    fn show<T: Serialize>(
        &self,
        ask: impl Fn(&Probing, NodeId) -> Result<T, Problem>,
        draw: impl Fn(&T) -> String,
        well: impl Fn(&T) -> bool,
    ) -> Result<Exit, Failure> {
        let Some(probing) = self.probing.prepare()? else { return Ok(Exit::Findings) };
        let Stand::Node(node) = probing.stand else {
            return Err(Failure::new("this is about a node, and outside is none").help("run it on a node"));
        };
        loop {
            let seen = ask(&probing, node).map_err(|problem| {
                let failure = Failure::new(problem.message);
                if problem.help.is_empty() { failure } else { failure.help(problem.help) }
            })?;
            match (self.format, self.watch) {
                (DataFormat::Text, None) => screen::data(&harmless(draw(&seen)))?,
                (DataFormat::Text, Some(_)) => {
                    let time = humantime::format_rfc3339_seconds(SystemTime::now());
                    screen::data(&harmless(format!("{time}\n{}\n", draw(&seen))))?;
                }
                (DataFormat::Json, None) => screen::json(&seen)?,
                (DataFormat::Json, Some(_)) => {
                    let line = serde_json::to_string(&seen)
                        .map_err(|error| Failure::new(format!("failed to write JSON: {error}")))?;
                    screen::data(&(line + "\n"))?;
                }
            }
            match self.watch {
                None => return Ok(if well(&seen) { Exit::Well } else { Exit::Findings }),
                Some(period) => thread::sleep(period.duration().max(Duration::from_millis(100))),
            }
        }
    }
}

fn running(all: &[Container]) -> String {
    if all.is_empty() {
        return "nothing of the plot runs here\n".to_owned();
    }
    let mut table = Table::new(["SERVICE", "STATE", "HEALTH", "STARTED", "RESTARTS", "IMAGE"]);
    for container in all {
        table.row([
            container.service.clone(),
            match container.exit_code {
                Some(code) => format!("{} ({code})", container.state),
                None => container.state.clone(),
            },
            container.health.clone().unwrap_or_else(|| "-".to_owned()),
            container.started.clone(),
            container.restarts.to_string(),
            container.image.clone(),
        ]);
    }
    let mut text = table.draw();
    for container in all.iter().filter(|container| !container.is_well()) {
        let (Some(app), Some(code)) = (&container.before, container.exit_code) else { continue };
        text.push_str(&format!(
            "\n{} ended with {code}, and {app} is started only after it has ended well. It said last:\n",
            container.service
        ));
        text.extend(container.said.iter().map(|line| format!("  {line}\n")));
    }
    text
}

fn used(all: &[Usage]) -> String {
    if all.is_empty() {
        return "nothing of the plot runs here\n".to_owned();
    }
    let mut table = Table::new(["SERVICE", "PROCESSOR", "MEMORY", "OF", "RECEIVED", "SENT", "PROCESSES"]);
    let network = |bytes: Option<u64>| bytes.map_or_else(|| "host's".to_owned(), size);
    for usage in all {
        table.row([
            usage.service.clone(),
            format!("{:.1} %", usage.processor_percent),
            size(usage.memory),
            size(usage.memory_limit),
            network(usage.received),
            network(usage.sent),
            usage.processes.to_string(),
        ]);
    }
    table.draw()
}

fn busy(activity: &Activity) -> String {
    let mut table =
        Table::new(["NODE", "ROOMS", "PEOPLE", "TRACKS IN", "OUT", "PACKETS IN", "OUT", "LOST", "LOAD"]);
    for node in &activity.nodes {
        let lost = match node.packets_out {
            0 => "-".to_owned(),
            sent => format!("{:.2} %", node.lost as f64 * 100.0 / sent as f64),
        };
        table.row([
            node.node.clone(),
            node.rooms.to_string(),
            node.participants.to_string(),
            node.tracks_in.to_string(),
            node.tracks_out.to_string(),
            node.packets_in.to_string(),
            node.packets_out.to_string(),
            lost,
            format!("{:.0} %", node.load * 100.0),
        ]);
    }
    let redis = &activity.redis;
    format!(
        "{}\nRedis: {} commands a second, {} clients, {} of data\n",
        table.draw(),
        redis.operations,
        redis.clients,
        size(redis.memory)
    )
}

/// A number of bytes for people.
fn size(bytes: u64) -> String {
    const UNITS: [(&str, u64); 3] = [("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)];
    let unit = UNITS.iter().find(|(_, unit)| bytes >= *unit);
    unit.map_or_else(
        || format!("{bytes} B"),
        |(name, unit)| format!("{:.1} {name}", bytes as f64 / *unit as f64),
    )
}
