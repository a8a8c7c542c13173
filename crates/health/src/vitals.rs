//! What runs of a plot on this machine, what it uses, and how busy it is.

use std::sync::Arc;
use std::time::Duration;

use bollard::models::{ContainerInspectResponse, ContainerStateStatusEnum, ContainerStatsResponse};
use bollard::query_parameters::StatsOptions;
use futures_util::{StreamExt as _, stream};
use serde::Serialize;
use stageplot_topology::{NodeId, Probe, Topology};

use crate::docker::{Docker, service_of};
use crate::observation;
use crate::probe::{self, Progress};
use crate::run::Scene;
use crate::{Cause, Evidence, Options, Problem, Secrets, Stand, What, tls, trials};

/// A container of a plot.
///
/// See [`containers`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Container {
    /// The service that it runs.
    pub service: String,
    /// Its own name.
    pub name: String,
    /// The image that it was made from.
    pub image: String,
    /// `running`, `exited`, `paused`, …, as Docker calls it.
    pub state: String,
    /// What its health check says; none where it has none.
    pub health: Option<String>,
    /// When it was started, in UTC, to the second (RFC 3339).
    pub started: String,
    /// How often Docker started it again.
    pub restarts: i64,
    /// What it ended with; none where it runs, or was never started.
    pub exit_code: Option<i64>,
    /// The app that is started only after it has ended well (`app.migrate`); none where it is
    /// to run.
    pub before: Option<String>,
    /// What it said last, where it is one that has to end well and did not, with the names of
    /// secrets in the place of their values.
    pub said: Vec<String>,
}

impl Container {
    /// Whether it does what it is there for: it runs, and says nothing bad of itself, or has
    /// ended well where it has to end.
    pub fn is_well(&self) -> bool {
        match self.before {
            Some(_) => self.exit_code == Some(0),
            None => {
                self.state == "running" && self.health.as_deref().is_none_or(|health| health == "healthy")
            }
        }
    }
}

/// What a container uses.
///
/// See [`usage`].
#[derive(Clone, Debug, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Usage {
    /// The service that it runs.
    pub service: String,
    /// Of one processor, in percent, over the last second: 200 is two of them.
    pub processor_percent: f64,
    /// Memory, in bytes, without what the kernel would give up at once.
    pub memory: u64,
    /// The most that it may use, in bytes; of a container without a limit, what the machine
    /// has.
    pub memory_limit: u64,
    /// What came over the network, in bytes, since it was started; of one on the host's own
    /// network nothing is known.
    pub received: Option<u64>,
    /// … and what went.
    pub sent: Option<u64>,
    /// How many processes and threads there are.
    pub processes: u64,
}

/// How busy a stack is.
///
/// See [`activity`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Activity {
    /// Every LiveKit node.
    pub nodes: Vec<NodeActivity>,
    /// The Redis that they meet at.
    pub redis: RedisActivity,
}

/// How busy a LiveKit node is, as it says itself every few seconds.
///
/// See [`activity`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct NodeActivity {
    /// The plot's node; its own name for itself where it is none of the plot's.
    pub node: String,
    /// How many rooms there are.
    pub rooms: i64,
    /// How many people are in them.
    pub participants: i64,
    /// Tracks that come in.
    pub tracks_in: i64,
    /// … and that go out.
    pub tracks_out: i64,
    /// Packets that came in since the server was started.
    pub packets_in: u64,
    /// … and that went out.
    pub packets_out: u64,
    /// Packets that receivers asked for once more (NACK, RFC 4585), since then.
    pub lost: u64,
    /// Packets that the kernel dropped, since then.
    pub dropped: u64,
    /// How busy its processors are, from 0 to 1.
    pub load: f64,
}

/// How busy a Redis is.
///
/// See [`activity`].
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct RedisActivity {
    /// Commands a second.
    pub operations: u64,
    /// Clients that are connected.
    pub clients: u64,
    /// Memory for data, in bytes.
    pub memory: u64,
    /// Keys that were asked for and there, since it was started.
    pub hits: u64,
    /// … and that were not.
    pub misses: u64,
}

/// How many lines are told of a container that has failed, the last ones.
const SAID: usize = 5;

/// How many containers are asked at a time.
const AT_ONCE: usize = 16;

/// What may pass until all has answered.
const DEADLINE: Duration = Duration::from_secs(10);

/// The plot's containers on this machine, stopped ones too, by service.
///
/// ```no_run
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// use stageplot_health::{Options, Secrets, containers};
///
/// for container in containers(&topology, &Secrets::none(), &Options::default())? {
///     println!("{} is {}", container.service, container.state);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where Docker does not answer.
pub fn containers(
    topology: &Topology,
    secrets: &Secrets,
    options: &Options,
) -> Result<Vec<Container>, Problem> {
    wait(async {
        let docker = own(options)?;
        let mut all = Vec::new();
        for shown in docker.containers(topology, None).await? {
            let mut container = container(&shown);
            let apps = topology.services().iter();
            let mut apps = apps.filter(|app| app.migration().is_some_and(|own| own == *container.service));
            container.before = apps.next().map(|app| app.name.to_string());
            let has_failed = container.exit_code.is_some_and(|code| code != 0);
            if has_failed && container.before.is_some() {
                let said = probe::last(&docker, shown.id.as_deref().unwrap_or_default(), SAID).await?;
                container.said = said.iter().map(|line| secrets.scrub(observation::line(line))).collect();
            }
            all.push(container);
        }
        all.sort_by(|one, other| (&one.service, &one.name).cmp(&(&other.service, &other.name)));
        Ok(all)
    })
}

/// This machine's Docker engine: that of another one is not asked from here.
fn own(options: &Options) -> Result<Docker, Problem> {
    match &options.via {
        None => Ok(Docker::new(&options.docker)),
        Some(ssh) => {
            let message = "what Docker runs is looked at on the node itself";
            let help = format!("run this command there: ssh {} stageplot …", ssh.destination);
            Err(Problem::not_tried(Cause::ProgramAbsent, message).help(help))
        }
    }
}

/// What the plot's running containers on this machine use, by service. It takes a second or
/// two: use of the processor is measured between two looks.
///
/// ```no_run
/// # use stageplot_topology::{NodeSpec, Plot, Redis};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// for usage in stageplot_health::usage(&topology, &stageplot_health::Options::default())? {
///     println!("{} uses {} bytes", usage.service, usage.memory);
/// }
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where Docker does not answer.
pub fn usage(topology: &Topology, options: &Options) -> Result<Vec<Usage>, Problem> {
    wait(async {
        let docker = own(options)?;
        let engine = docker.engine()?;
        let running = docker
            .containers(topology, None)
            .await?
            .into_iter()
            .filter(|shown| shown.state.as_ref().and_then(|state| state.running).unwrap_or_default());
        let asked = running.map(|shown| {
            let (engine, docker) = (&engine, &docker);
            async move {
                // Two looks, a second apart, for that is how the share of a processor is known.
                let options = StatsOptions { stream: false, one_shot: false };
                let id = shown.id.clone().unwrap_or_default();
                let mut stats = engine.stats(&id, Some(options));
                match stats.next().await {
                    Some(Ok(stats)) => Ok(Some(used(&shown, &stats))),
                    Some(Err(error)) => Err(docker.silent(&error)),
                    None => Ok(None),
                }
            }
        });
        let asked: Vec<_> = asked.collect();
        let answers: Vec<_> = stream::iter(asked).buffer_unordered(AT_ONCE).collect().await;
        let mut all = Vec::new();
        for answer in answers {
            all.extend(answer?);
        }
        all.sort_by(|one: &Usage, other: &Usage| one.service.cmp(&other.service));
        Ok(all)
    })
}

/// How busy the stack is, as the Redis knows that a node's LiveKit uses: it is asked from
/// that node.
///
/// ```no_run
/// use stageplot_health::{Options, Secrets, activity};
/// # use stageplot_topology::{Livekit, NodeSpec, Plot, Redis, SecretRef};
///
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
/// # let topology = Plot::new("live".parse()?)
/// #     .service("sfu", Livekit { keys, ..Livekit::default() })
/// #     .service("cache", Redis::default())
/// #     .node("media-1", NodeSpec::public("203.0.113.11".parse()?).role("sfu").role("cache"))
/// #     .build()?
/// #     .topology;
/// let node = topology.node_named("media-1").ok_or("a node")?.id;
/// let busy = activity(topology.into(), node, Secrets::none(), Options::default())?;
/// println!("{} people", busy.nodes.iter().map(|node| node.participants).sum::<i64>());
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// Where the node runs no LiveKit, or Redis cannot be asked.
pub fn activity(
    topology: Arc<Topology>,
    node: NodeId,
    secrets: Secrets,
    options: Options,
) -> Result<Activity, Problem> {
    let all = trials(&topology, Stand::Node(node), false).into_iter();
    let mut asks = all.filter(|trial| matches!(trial.what, What::Probe(Probe::LivekitNodes { .. })));
    let Some(trial) = asks.next() else {
        let what = format!("{} runs no LiveKit, whose Redis could be asked", topology.node(node).name);
        return Err(Problem::not_tried(Cause::ClientAbsent, what).help("ask on a node that does"));
    };
    let tls = tls::Trust::new(&options.trusted)
        .map_err(|error| Problem::not_tried(Cause::NotPermitted, error.to_string()))?;
    let scene = Scene::new(topology, secrets, tls, options);
    wait(async {
        let (progress, mut evidence) = (Progress::new(), Evidence::default());
        let asked = probe::activity(&scene, &trial, &progress, &mut evidence);
        match tokio::time::timeout(trial.deadline, asked).await {
            Ok(answer) => answer,
            Err(_) => Err(progress.late(&trial.target, trial.deadline)),
        }
    })
}

fn wait<T>(work: impl Future<Output = Result<T, Problem>>) -> Result<T, Problem> {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime =
        runtime.map_err(|error| Problem::not_tried(Cause::NotPermitted, format!("no runtime: {error}")))?;
    let answer = runtime.block_on(async { tokio::time::timeout(DEADLINE, work).await });
    answer.unwrap_or_else(|_| {
        let deadline = humantime::format_duration(DEADLINE);
        Err(Problem::not_tried(Cause::DockerSilent, format!("not all has answered within {deadline}")))
    })
}

fn container(shown: &ContainerInspectResponse) -> Container {
    let state = shown.state.as_ref();
    let health = state.and_then(|state| state.health.as_ref()?.status);
    let has_ended = |status| {
        matches!(
            status,
            ContainerStateStatusEnum::EXITED
                | ContainerStateStatusEnum::DEAD
                | ContainerStateStatusEnum::RESTARTING
        )
    };
    let ended = state.filter(|state| state.status.is_some_and(has_ended));
    Container {
        service: service_of(shown).unwrap_or_default().to_owned(),
        name: probe::name_of(shown),
        image: shown.config.as_ref().and_then(|config| config.image.clone()).unwrap_or_default(),
        state: state.and_then(|state| state.status).map(|status| status.to_string()).unwrap_or_default(),
        health: health
            .map(|health| health.to_string())
            .filter(|health| !health.is_empty() && health != "none"),
        // To the second: nobody needs more of it.
        started: state
            .and_then(|state| state.started_at.as_deref())
            .and_then(|time| Some(format!("{}Z", time.get(..19)?)))
            .unwrap_or_default(),
        restarts: shown.restart_count.unwrap_or_default(),
        exit_code: ended.and_then(|state| state.exit_code),
        before: None,
        said: Vec::new(),
    }
}

/// As `docker stats` works it out (`cli/command/container/stats_helpers.go` of docker/cli).
fn used(shown: &ContainerInspectResponse, stats: &ContainerStatsResponse) -> Usage {
    let total = |cpu: Option<&bollard::models::ContainerCpuStats>| {
        let cpu = cpu?;
        let own = cpu.cpu_usage.as_ref()?.total_usage?;
        Some((own, cpu.system_cpu_usage.unwrap_or_default(), cpu.online_cpus.unwrap_or(1)))
    };
    let processor_percent = match (total(stats.cpu_stats.as_ref()), total(stats.precpu_stats.as_ref())) {
        (Some((own, system, processors)), Some((own_before, system_before, _))) if system > system_before => {
            let share = own.saturating_sub(own_before) as f64 / (system - system_before) as f64;
            (share * f64::from(processors) * 10_000.0).round() / 100.0
        }
        _ => 0.0,
    };
    let memory = stats.memory_stats.as_ref();
    let inactive =
        memory.and_then(|memory| memory.stats.as_ref()?.get("inactive_file").copied()).unwrap_or_default();
    let networks = stats.networks.as_ref().filter(|networks| !networks.is_empty());
    let sum = |of: fn(&bollard::models::ContainerNetworkStats) -> Option<u64>| {
        networks.map(|networks| networks.values().filter_map(of).sum())
    };
    Usage {
        service: service_of(shown).unwrap_or_default().to_owned(),
        processor_percent,
        memory: memory.and_then(|memory| memory.usage).unwrap_or_default().saturating_sub(inactive),
        memory_limit: memory.and_then(|memory| memory.limit).unwrap_or_default(),
        received: sum(|network| network.rx_bytes),
        sent: sum(|network| network.tx_bytes),
        processes: stats.pids_stats.as_ref().and_then(|pids| pids.current).unwrap_or_default(),
    }
}
