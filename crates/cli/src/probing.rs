//! What the commands that try a plot have in common: what is tried, from where, with what.

use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::path::PathBuf;
use std::sync::Arc;

use clap::ValueEnum;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};
use stageplot_health::{Observation, Options, Report, Secrets, Ssh, Stand, Trial, closed, run, trials};
use stageplot_topology::{Node, Period, Topology};

use crate::failure::Failure;
use crate::plot::{PlotArgs, node_named};
use crate::remote::{Order, Remote};
use crate::secrets::SystemSecrets;

/// What is tried, from where.
#[derive(clap::Args)]
pub(crate) struct ProbingArgs {
    #[command(flatten)]
    plot: PlotArgs,

    /// The node that this machine is; found by its addresses where not set
    #[arg(long, value_name = "NAME", conflicts_with = "from")]
    node: Option<String>,

    /// Where the plot's clients are, none of its nodes
    #[arg(long, value_name = "PLACE")]
    from: Option<From>,

    /// Try it from the node named by --node without being there: what is asked over TCP is
    /// asked through your own ssh, from the node's network, and what is not by stageplot there
    #[arg(long, value_name = "WAY", requires = "node")]
    via: Option<Via>,

    /// Where ssh goes to; {name} and {address} are the node's
    #[arg(long, value_name = "DESTINATION", default_value = "{address}", requires = "via")]
    ssh_to: String,

    /// The configuration of ssh, in place of your own
    #[arg(long, value_name = "FILE", requires = "via")]
    ssh_config: Option<PathBuf>,

    /// How stageplot is run on the node, such as "sudo stageplot"
    #[arg(long, value_name = "COMMAND", default_value = "stageplot", requires = "via")]
    ssh_run: String,

    /// Try also what takes a session of one's own: a room is joined, and left again
    ///
    /// It has a name that begins with `stageplot-`, and is removed afterwards; the plot's
    /// webhooks tell of it.
    #[arg(long)]
    deep: bool,

    /// What each check may take, in place of 5s; of --deep, 20s; of --closed, 20m
    #[arg(long, value_name = "TIME")]
    deadline: Option<Period>,

    /// Ask this name server for the plot's names too: an address, or one with a port
    #[arg(long, value_name = "ADDRESS", value_parser = name_server)]
    resolver: Vec<SocketAddr>,

    /// Trust the authority in this PEM file too
    #[arg(long, value_name = "FILE")]
    trust: Vec<PathBuf>,
}

/// Where checks are tried from, where it is no node.
#[derive(Clone, Copy, ValueEnum)]
enum From {
    /// The Internet, as the plot's clients see it
    Outside,
}

/// How another machine is reached.
#[derive(Clone, Copy, ValueEnum)]
enum Via {
    /// The client of OpenSSH
    Ssh,
}

/// What is tried, ready to be tried again and again.
pub(crate) struct Probing {
    pub(crate) topology: Arc<Topology>,
    pub(crate) stand: Stand,
    pub(crate) trials: Vec<Trial>,
    pub(crate) options: Options,
    pub(crate) secrets: Secrets,
    /// The machine where it is tried, where that is not this one.
    remote: Option<Remote>,
}

impl ProbingArgs {
    /// What there is to try; none where the plot has errors, which were told.
    pub(crate) fn prepare(&self) -> Result<Option<Probing>, Failure> {
        let plot = self.plot.read()?;
        let Some(topology) = plot.topology() else { return Ok(None) };
        let stand = self.stand(topology)?;
        let source = SystemSecrets::new(topology.plot(), &plot.dir);
        let secrets = Secrets::collect(topology, &source);
        let mut options = Options::default();
        options.deadline = self.deadline.map(Period::duration);
        options.trusted.clone_from(&self.trust);
        options.resolvers.clone_from(&self.resolver);
        if let Some(socket) = docker_socket() {
            options.docker = socket;
        }
        let remote = match (self.via, stand) {
            (Some(Via::Ssh), Stand::Node(node)) => {
                Some(self.remote(topology, topology.node(node), &source)?)
            }
            _ => None,
        };
        options.via = remote.as_ref().map(|remote| remote.ssh.clone());
        if remote.is_some() {
            options.at_once = SESSIONS;
        }
        let trials = trials(topology, stand, self.deep);
        Ok(Some(Probing { topology: Arc::new(topology.clone()), stand, trials, options, secrets, remote }))
    }

    /// How a node is reached from here.
    fn remote(&self, topology: &Topology, node: &Node, source: &SystemSecrets) -> Result<Remote, Failure> {
        let public = node.public.into_iter().flat_map(|public| public.addresses());
        let address = public.chain(node.addresses.iter().map(|address| address.ip)).next();
        let address = address.map(|address| address.to_string()).unwrap_or_default();
        let mut ssh =
            Ssh::to(self.ssh_to.replace("{name}", node.name.as_str()).replace("{address}", &address));
        ssh.config.clone_from(&self.ssh_config);
        let order = Order::new(topology, node.name.as_str(), self.deep, source)?;
        let program = self.ssh_run.split_whitespace().map(str::to_owned).collect();
        Ok(Remote { ssh, program, order })
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

impl Probing {
    /// Adds that nothing else answers.
    pub(crate) fn add_closed(&mut self, pace: u32) {
        self.trials.extend(closed(&self.topology, self.stand));
        self.options.pace = pace;
        self.options.knocks = files() / 2;
    }

    /// Tries all of it once; each observation is told of as it comes.
    pub(crate) fn run(&self, mut tell: impl FnMut(&Observation)) -> Result<Report, Failure> {
        let (here, there) = match &self.remote {
            Some(_) => self.trials.iter().cloned().partition(Trial::goes_by_tcp),
            None => (self.trials.clone(), Vec::new()),
        };
        let remote = self
            .remote
            .as_ref()
            .map(|remote| remote.run(&self.topology, there, &self.options))
            .transpose()?;
        let observations = run(self.topology.clone(), here, self.secrets.clone(), self.options.clone())
            .map_err(|error| Failure::new(error.to_string()))?;
        let observations = observations.into_iter().chain(remote.into_iter().flatten());
        let observations = observations.inspect(|seen| tell(seen)).collect();
        Ok(Report::new(&self.topology, self.stand, &self.trials, observations))
    }
}

/// A name server's address, with the port of DNS where it has none.
fn name_server(text: &str) -> Result<SocketAddr, String> {
    const DNS: u16 = 53;
    let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, DNS)));
    address.map_err(|_| "it is no address such as 192.0.2.53 or [2001:db8::53]:5353".to_owned())
}

/// The node that this machine is.
pub(crate) fn here<'t>(topology: &'t Topology, named: Option<&str>) -> Result<&'t Node, Failure> {
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

/// How many SSH sessions are begun at a time: sshd turns those away that come while ten
/// have not logged in yet (`MaxStartups`).
const SESSIONS: usize = 4;

/// More files are of no use.
const FILES: u64 = 1 << 15;

/// Whether an address of a node is this machine's own: only such a one can be bound.
fn is_here(node: &Node) -> bool {
    let public = node.public.into_iter().filter(|public| public.bound).flat_map(|public| public.addresses());
    let mut addresses = node.addresses.iter().map(|address| address.ip).chain(public);
    addresses.any(|ip: IpAddr| !ip.is_loopback() && UdpSocket::bind((ip, 0)).is_ok())
}

/// The socket that `DOCKER_HOST` names.
pub(crate) fn docker_socket() -> Option<PathBuf> {
    std::env::var("DOCKER_HOST").ok()?.strip_prefix("unix://").map(PathBuf::from)
}
