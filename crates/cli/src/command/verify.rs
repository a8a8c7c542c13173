//! `stageplot verify`

mod text;

use std::net::{IpAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;
use std::thread;
use std::time::{Duration, Instant};

use clap::ValueEnum;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stageplot_health::{Options, Outcome, Report, Secrets, Stand, closed, run, trials};
use stageplot_topology::{Node, Period, Topology};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::{PlotArgs, node_named};
use crate::screen;
use crate::secrets::SystemSecrets;

/// Try for real what the plot promises, from this machine
///
/// On a node, every flow that leaves it is tried, from the network of the container that
/// is the client where there is one; that takes root. From elsewhere, with --from
/// outside, what the Internet may reach. Each check has a deadline, and what did not pass
/// has a cause, which `stageplot explain` documents. What could not be tried has not
/// passed.
#[derive(clap::Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    plot: PlotArgs,

    /// The node that this machine is; found by its addresses where not set
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    node: Option<String>,

    /// Where the plot's clients are, none of its nodes
    #[arg(long, value_name = "PLACE")]
    from: Option<From>,

    /// Try also what takes a session of one's own: a room is joined, and left again
    #[arg(long)]
    deep: bool,

    /// Try also that nothing else answers: all TCP and UDP ports of every other machine, and
    /// the containers, as who routes to them meets them
    ///
    /// It takes minutes, and root. UDP takes `stageplot witness` on the node that is looked at.
    #[arg(long)]
    closed: bool,

    /// How many connections and datagrams --closed sends a second
    #[arg(long, value_name = "NUMBER", default_value = "10000", requires = "closed")]
    pace: u32,

    /// What each check may take, in place of 5s; of --deep, 20s; of --closed, 20m
    #[arg(long, value_name = "TIME")]
    deadline: Option<Period>,

    /// Try again, once a second, until all is well, for at most so long
    #[arg(long, value_name = "TIME")]
    wait: Option<Period>,

    /// Trust the authority in this PEM file too
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,

    /// How the report is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

/// Where checks are tried from, where it is no node.
#[derive(Clone, Copy, ValueEnum)]
enum From {
    /// The Internet, as the plot's clients see it
    Outside,
}

impl Verify {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology() else { return Ok(Exit::Findings) };
        let stand = self.stand(topology)?;
        let mut trials = trials(topology, stand, self.deep);
        if self.closed {
            trials.extend(closed(topology, stand));
        }
        let secrets = Secrets::collect(topology, &SystemSecrets::new(topology.plot(), &plot.dir));
        let mut options = Options::default();
        options.pace = self.pace;
        options.knocks = files() / 2;
        options.deadline = self.deadline.map(Period::duration);
        options.trusted.clone_from(&self.trust);
        if let Some(socket) = docker_socket() {
            options.docker = socket;
        }
        let until = Instant::now() + self.wait.unwrap_or_default().duration();
        let shared = Arc::new(topology.clone());
        let report = loop {
            let observations = run(shared.clone(), trials.clone(), secrets.clone(), options.clone())
                .map_err(|error| Failure::new(error.to_string()))?;
            let report = Report::new(topology, stand, &trials, observations.wait());
            if report.outcome == Outcome::Passed || Instant::now() >= until {
                break report;
            }
            thread::sleep(Duration::from_secs(1));
        };
        match self.format {
            DataFormat::Text => screen::data(&text::draw(&report))?,
            DataFormat::Json => screen::json(&report)?,
        }
        Ok(match report.outcome {
            Outcome::Passed => Exit::Well,
            Outcome::Failed => Exit::Failed,
            _ => Exit::Findings,
        })
    }

    /// Which machine this is.
    fn stand(&self, topology: &Topology) -> Result<Stand, Failure> {
        match self.from {
            Some(From::Outside) => Ok(Stand::Outside),
            None => here(topology, self.node.as_deref())
                .map(|node| Stand::Node(node.id))
                .map_err(|failure| failure.help("say where it is: --node NAME on a node, or --from outside")),
        }
    }
}

/// The node that this machine is.
pub(super) fn here<'t>(topology: &'t Topology, named: Option<&str>) -> Result<&'t Node, Failure> {
    if let Some(name) = named {
        return node_named(topology, name);
    }
    let here: Vec<_> = topology.nodes().iter().filter(|node| is_here(node)).collect();
    match here.as_slice() {
        [node] => Ok(node),
        [] => Err(Failure::new("this machine has no address of any node of the plot")),
        [one, other, ..] => {
            let message = format!("this machine has addresses of {} and of {}", one.name, other.name);
            Err(Failure::new(message))
        }
    }
}

/// How many files this process may have open: as many as it may take for itself.
fn files() -> usize {
    let limit = getrlimit(Resource::Nofile);
    // The soft limit is low for the sake of programs that use `select`.
    let _ = setrlimit(Resource::Nofile, Rlimit { current: limit.maximum, ..limit });
    let most = getrlimit(Resource::Nofile).current.unwrap_or(FILES);
    usize::try_from(most.min(FILES)).unwrap_or(1024)
}

/// More files are of no use.
const FILES: u64 = 1 << 15;

/// Whether an address of a node is this machine's own: only such a one can be bound.
fn is_here(node: &Node) -> bool {
    let public = node.public.into_iter().filter(|public| public.bound).flat_map(|public| public.addresses());
    let mut addresses = node.addresses.iter().map(|address| address.ip).chain(public);
    addresses.any(|ip: IpAddr| !ip.is_loopback() && UdpSocket::bind((ip, 0)).is_ok())
}

/// The socket that `DOCKER_HOST` names.
fn docker_socket() -> Option<PathBuf> {
    std::env::var("DOCKER_HOST").ok()?.strip_prefix("unix://").map(PathBuf::from)
}
