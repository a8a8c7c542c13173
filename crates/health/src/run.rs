//! Tries checks and tells what came of them, as it comes.
//!
//! A socket belongs to the network namespace of the thread that opens it. So each
//! place has a thread of its own, which enters the namespace and runs all trials of
//! that place, many at a time; what they see goes through one bounded channel.

use std::collections::BTreeMap;
use std::fs::File;
use std::net::SocketAddr;
use std::os::fd::AsFd as _;
use std::path::PathBuf;
use std::pin::Pin;
use std::sync::{Arc, OnceLock};
use std::task::{Context, Poll, ready};
use std::time::{Duration, Instant};
use std::{thread, vec};

use futures_util::{Stream, StreamExt as _, stream};
use rustix::thread::{LinkNameSpaceType, move_into_link_name_space};
use stageplot_topology::Topology;
use tokio::sync::{Mutex, Semaphore, mpsc};

use crate::docker::Docker;
use crate::probe::{self, Pace, Progress};
use crate::secrets::Secrets;
use crate::{Cause, Evidence, Observation, Place, Problem, Ssh, Trial, TrustError, tls};

/// How trials are run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Options {
    /// How many trials of one place are under way at a time. Default: 256.
    pub at_once: usize,
    /// How many connections [`closed`](crate::closed) trials ask for at a time, all
    /// together. Each is an open file. Default: 512.
    pub knocks: usize,
    /// How many connections and datagrams such trials send a second, all together.
    /// Default: 10,000.
    pub pace: u32,
    /// Whether the system's resolver is asked for names. Default: yes.
    pub system_resolver: bool,
    /// Name servers that are asked for names as well.
    pub resolvers: Vec<SocketAddr>,
    /// A deadline in place of each trial's own.
    pub deadline: Option<Duration>,
    /// The socket of this machine's Docker engine; the environment is not asked. Default:
    /// `/var/run/docker.sock`.
    pub docker: PathBuf,
    /// Where checks are tried instead of on this machine: on one that is reached by SSH,
    /// which opens the connections of those that are [asked over TCP](Trial::goes_by_tcp)
    /// (`ssh -W`). No other is tried then. Default: here.
    pub via: Option<Ssh>,
    /// Certificates, in PEM files, of authorities that are trusted beside the system's.
    pub trusted: Vec<PathBuf>,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            at_once: 256,
            knocks: 512,
            pace: 10_000,
            system_resolver: true,
            resolvers: Vec::new(),
            deadline: None,
            docker: "/var/run/docker.sock".into(),
            via: None,
            trusted: Vec::new(),
        }
    }
}

/// What all trials share.
pub(crate) struct Scene {
    pub(crate) topology: Arc<Topology>,
    pub(crate) secrets: Secrets,
    pub(crate) tls: tls::Trust,
    pub(crate) options: Options,
    /// Held by whoever changes how this machine routes.
    pub(crate) routing: Mutex<()>,
    /// A permit for each connection that may be asked for at a time.
    pub(crate) knocks: Semaphore,
    pace: OnceLock<Pace>,
}

impl Scene {
    pub(crate) fn new(topology: Arc<Topology>, secrets: Secrets, tls: tls::Trust, options: Options) -> Self {
        Self {
            topology,
            secrets,
            tls,
            routing: Mutex::default(),
            knocks: Semaphore::new(options.knocks.clamp(1, Semaphore::MAX_PERMITS)),
            pace: OnceLock::new(),
            options,
        }
    }

    /// What all sweeps together keep to.
    pub(crate) fn pace(&self) -> &Pace {
        self.pace.get_or_init(|| Pace::new(self.options.pace))
    }
}

/// What trials see, in the order in which they end: iterated over where there is no runtime,
/// a stream within one. Dropping it ends those that are under way.
#[derive(Debug)]
pub struct Observations {
    receiver: mpsc::Receiver<Vec<Observation>>,
    /// What has come, and nobody has asked for yet.
    seen: vec::IntoIter<Observation>,
}

/// One after the other, waited for without a runtime of one's own.
///
/// See [`run`].
#[derive(Debug)]
pub struct Waited(Observations);

impl IntoIterator for Observations {
    type Item = Observation;
    type IntoIter = Waited;

    fn into_iter(self) -> Waited {
        Waited(self)
    }
}

impl Iterator for Waited {
    type Item = Observation;

    fn next(&mut self) -> Option<Observation> {
        let Observations { receiver, seen } = &mut self.0;
        loop {
            match seen.next() {
                None => *seen = receiver.blocking_recv()?.into_iter(),
                next => return next,
            }
        }
    }
}

impl Stream for Observations {
    type Item = Observation;

    fn poll_next(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Option<Observation>> {
        let Self { receiver, seen } = &mut *self;
        loop {
            match seen.next() {
                None => match ready!(receiver.poll_recv(context)) {
                    None => return Poll::Ready(None),
                    Some(lot) => *seen = lot.into_iter(),
                },
                next => return Poll::Ready(next),
            }
        }
    }
}

/// Runs trials on this machine, and returns at once.
///
/// Each ends within its deadline, and is told of once. Trials in a container's
/// namespace need root; where that cannot be entered they are
/// [not tried](crate::Outcome::NotTried).
///
/// # Errors
///
/// [`TrustError`] where TLS cannot be had at all.
pub fn run(
    topology: Arc<Topology>,
    trials: Vec<Trial>,
    secrets: Secrets,
    options: Options,
) -> Result<Observations, TrustError> {
    let tls = tls::Trust::new(&options.trusted)?;
    let (sender, receiver) = mpsc::channel(CHANNEL);
    let scene = Arc::new(Scene::new(topology, secrets, tls, options));
    let mut places: BTreeMap<Place, Vec<Trial>> = BTreeMap::new();
    for trial in trials {
        places.entry(trial.place).or_default().push(trial);
    }
    for (place, trials) in places {
        let (scene, sender) = (scene.clone(), sender.clone());
        // Where no thread is to be had its sender is dropped, and nothing is told of
        // its trials: whoever counts them sees it. See `Report`.
        let _ = thread::Builder::new().name("stageplot-place".to_owned()).spawn(move || {
            visit(&scene, place, trials, &sender);
        });
    }
    Ok(Observations { receiver, seen: Vec::new().into_iter() })
}

/// How many lots of observations wait for whoever reads them; trials wait then.
const CHANNEL: usize = 4;

/// Enters a place and runs its trials there, on this thread.
fn visit(scene: &Scene, place: Place, trials: Vec<Trial>, sender: &mpsc::Sender<Vec<Observation>>) {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    let runtime = runtime
        .map_err(|error| Problem::not_tried(Cause::NotPermitted, format!("no runtime: {error}")))
        .and_then(|runtime| enter(scene, place, &runtime).map(|()| runtime));
    let problem = match runtime {
        Ok(runtime) => {
            let work = async {
                let attempts = stream::iter(&trials).map(|trial| attempt(scene, trial));
                // Whoever reads is woken once for all that ended at the same time.
                let at_once = scene.options.at_once.max(1);
                let mut attempts = attempts.buffer_unordered(at_once).ready_chunks(at_once);
                while let Some(seen) = attempts.next().await {
                    if sender.send(seen).await.is_err() {
                        return;
                    }
                }
            };
            runtime.block_on(async {
                tokio::select! {
                    () = work => {}
                    () = sender.closed() => {}
                }
            });
            // What still resolves a name does not keep anybody waiting.
            runtime.shutdown_background();
            return;
        }
        Err(problem) => problem,
    };
    let told = |trial: &Trial| told(scene, trial, Err(problem.clone()), Evidence::default(), Duration::ZERO);
    // Whoever does not want it any more has gone.
    let _ = sender.blocking_send(trials.iter().map(told).collect());
}

/// Moves this thread into the namespace of a container, where its place is one.
fn enter(scene: &Scene, place: Place, runtime: &tokio::runtime::Runtime) -> Result<(), Problem> {
    let Place::Container(placement) = place else { return Ok(()) };
    let docker = Docker::new(&scene.options.docker);
    let pid = runtime.block_on(docker.pid(&scene.topology, placement))?;
    let refused = |error: &dyn std::fmt::Display| {
        let service = &scene.topology.service(scene.topology.placement(placement).service).name;
        let message = format!("the network of {service}'s container cannot be entered: {error}");
        Problem::not_tried(Cause::NotPermitted, message).help("run this as root, on the node itself")
    };
    let namespace = File::open(format!("/proc/{pid}/ns/net")).map_err(|error| refused(&error))?;
    move_into_link_name_space(namespace.as_fd(), Some(LinkNameSpaceType::Network))
        .map_err(|error| refused(&error))
}

/// Runs one trial to its end, or to its deadline.
pub(crate) async fn attempt(scene: &Scene, trial: &Trial) -> Observation {
    let deadline = scene.options.deadline.unwrap_or(trial.deadline);
    let started = Instant::now();
    let progress = Progress::new();
    let mut evidence = Evidence::default();
    if scene.options.via.is_some() && !trial.goes_by_tcp() {
        let message = "what is asked is not asked over TCP, so it takes stageplot on the node itself";
        let problem = Problem::not_tried(Cause::ProgramAbsent, message);
        return told(scene, trial, Err(problem), evidence, started.elapsed());
    }
    let tried = tokio::time::timeout(deadline, probe::probe(scene, trial, &progress, &mut evidence)).await;
    let answer = tried.unwrap_or_else(|_| Err(probe::late(trial, &progress, deadline)));
    told(scene, trial, answer, evidence, started.elapsed())
}

fn told(
    scene: &Scene,
    trial: &Trial,
    answer: Result<(), Problem>,
    evidence: Evidence,
    took: Duration,
) -> Observation {
    Observation::new(&scene.topology, trial, answer, evidence, took, &scene.secrets)
}
