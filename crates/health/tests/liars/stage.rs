//! What is tried: the checks of a small plot, each pointed at a server of the test's own.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use futures_util::future::join_all;
use futures_util::{StreamExt as _, stream};
use stageplot_health::{
    Cause, Host, Observation, Options, Outcome, Place, Secrets, Ssh, Stand, Target, Trial, What, run, trials,
};
use stageplot_topology::{
    App, Edge, IonSfu, Livekit, NodeSpec, OnPublish, Plot, Port, Postgres, Probe, Redis, Room, Rtmp,
    SecretError, SecretRef, SecretSource, SecretString, ServiceId, Sip, Topology, Turn, TurnTls,
};

use crate::server::{FLOOD_LIMIT, Server};

/// How long a check may take that has nothing to wait for: long for this machine to answer
/// itself, short for a test to wait.
pub(crate) const DEADLINE: Duration = Duration::from_millis(500);

/// How long one may take that ends by itself, and has to, on a machine that is busy.
const PATIENCE: Duration = Duration::from_secs(10);

/// How many checks share a thread, where they do not wait, and how many threads there are
/// at a time: the servers of all share this machine.
const TOGETHER: usize = 8;
const AT_ONCE: usize = 3;

/// How much later than its deadline a check may end on a busy machine. A check that
/// hangs ends later by far.
const SLACK: Duration = Duration::from_secs(1);

/// The password of Redis, and of Postgres.
pub(crate) const PASSWORD: &str = "correct-horse-battery-staple-0001";

/// The secret of LiveKit's key `main`.
pub(crate) const KEY: &str = "another-horse-another-battery-another-staple-0002";

/// The name of the edge.
pub(crate) const NAME: &str = "live.example.com";

/// The name of TURN.
pub(crate) const TURN_NAME: &str = "turn.example.com";

/// How a check has to end.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    Passed,
    Degraded(Cause),
    Failed(Cause),
    NotTried(Cause),
}

impl End {
    fn of(seen: &Observation) -> Option<Self> {
        Some(match (seen.outcome, seen.problem.as_ref().map(|problem| problem.cause)) {
            (Outcome::Passed, None) => Self::Passed,
            (Outcome::Degraded, Some(cause)) => Self::Degraded(cause),
            (Outcome::Failed, Some(cause)) => Self::Failed(cause),
            (Outcome::NotTried, Some(cause)) => Self::NotTried(cause),
            _ => return None,
        })
    }

    /// Whether it is the deadline that ends the check.
    fn is_late(self) -> bool {
        matches!(self, Self::Failed(Cause::Silence | Cause::NoAnswer | Cause::TooSlow))
    }
}

/// A plot whose checks are tried.
#[derive(Clone)]
pub(crate) struct Stage {
    topology: Arc<Topology>,
    trusted: Vec<PathBuf>,
    via: Option<Ssh>,
}

impl Stage {
    /// An edge with HTTPS in front of LiveKit, and a Redis and a Postgres with a replica each.
    pub(crate) fn behind_https() -> Self {
        Self::new(Some(Edge::new(NAME.parse().expect("a name"))), Livekit::default())
    }

    /// … with LiveKit on two nodes.
    pub(crate) fn balanced() -> Self {
        let edge = Edge::new(NAME.parse().expect("a name"));
        Self::with(Some(edge), Livekit::default(), &["203.0.113.12"])
    }

    /// … where LiveKit makes no room by itself.
    pub(crate) fn with_rooms_by_hand() -> Self {
        let room = Room { auto_create: false, ..Room::default() };
        Self::new(None, Livekit { room, ..Livekit::default() })
    }

    /// An edge without a name, and so without TLS.
    pub(crate) fn behind_http() -> Self {
        Self::new(Some(Edge::default()), Livekit::default())
    }

    /// No edge: clients meet LiveKit itself, at this port.
    pub(crate) fn bare(signal: u16) -> Self {
        let port = Port::new(signal).expect("a port");
        Self::new(None, Livekit { port, ..Livekit::default() })
    }

    /// An nginx for RTMP that asks an app, and an SFU that the app knows.
    pub(crate) fn streaming() -> Self {
        let asked = OnPublish::ask("rooms".parse().expect("a name"), "/hooks/publish");
        Self::of_streams(Some(asked))
    }

    /// … that asks nobody.
    pub(crate) fn streaming_to_anybody() -> Self {
        Self::of_streams(None)
    }

    /// LiveKit with its SIP.
    pub(crate) fn calling() -> Self {
        let keys = [("main".to_owned(), SecretRef::env("KEY"))].into();
        let front = NodeSpec::public("203.0.113.10".parse().expect("an address"));
        let plot = Plot::new("live".parse().expect("a name"))
            .service("sfu", Livekit { keys, ..Livekit::default() })
            .service("cache", Redis::default())
            .service("calls", Sip::default())
            .node("front", front.role("sfu").role("cache").role("calls"));
        let topology = plot.build().expect("a sound plot").topology;
        Self { topology: Arc::new(topology), trusted: Vec::new(), via: None }
    }

    fn of_streams(on_publish: Option<OnPublish>) -> Self {
        let image = "registry.example.com/rooms:1".parse().expect("an image");
        let app = App::container(image).port(Port::new(8080).expect("a port")).need("ion");
        let front = NodeSpec::public("203.0.113.10".parse().expect("an address"));
        let plot = Plot::new("live".parse().expect("a name"))
            .service("rooms", app)
            .service("streams", Rtmp { on_publish, hls: false, ..Rtmp::default() })
            .service("ion", IonSfu::default())
            .node("front", front.role("rooms").role("streams").role("ion"));
        let topology = plot.build().expect("a sound plot").topology;
        Self { topology: Arc::new(topology), trusted: Vec::new(), via: None }
    }

    fn new(edge: Option<Edge>, livekit: Livekit) -> Self {
        Self::with(edge, livekit, &[])
    }

    /// … where LiveKit runs at these addresses too.
    fn with(edge: Option<Edge>, livekit: Livekit, more: &[&str]) -> Self {
        let secret = |name: &str| SecretRef::Env(name.to_owned());
        let turn = Turn {
            domain: Some(TURN_NAME.parse().expect("a name")),
            tls: TurnTls::Direct,
            cert: Some(secret("TURN_CERT")),
            key: Some(secret("TURN_KEY")),
            ..Turn::default()
        };
        let livekit =
            Livekit { keys: [("main".to_owned(), secret("KEY"))].into(), turn: Some(turn), ..livekit };
        let redis = Redis {
            password: Some(secret("PASSWORD")),
            primary: vec!["front".parse().expect("a name")],
            ..Redis::default()
        };
        let postgres = Postgres {
            password: Some(secret("PASSWORD")),
            replication_password: Some(secret("KEY")),
            primary: vec!["front".parse().expect("a name")],
            ..Postgres::default()
        };
        let node = |ip: &str| NodeSpec::public(ip.parse().expect("an address")).role("cache").role("db");
        let mut front = node("203.0.113.10");
        let mut plot = Plot::new("live".parse().expect("a name"))
            .service("sfu", livekit)
            .service("cache", redis)
            .service("db", postgres);
        if let Some(edge) = edge {
            plot = plot.service("edge", edge);
            front = front.role("edge");
        }
        plot = plot.node("front", front).node("media", node("203.0.113.11").role("sfu"));
        for (ip, count) in more.iter().zip(1..) {
            let spec = NodeSpec::public(ip.parse().expect("an address")).role("sfu");
            plot = plot.node(&format!("media-{count}"), spec);
        }
        let topology = plot.build().expect("a sound plot").topology;
        Self { topology: Arc::new(topology), trusted: Vec::new(), via: None }
    }

    /// … where an authority is trusted beside the system's.
    pub(crate) fn trusting(self, pem: &Path) -> Self {
        Self { trusted: vec![pem.to_owned()], ..self }
    }

    /// … from a machine that is reached so.
    pub(crate) fn via(self, ssh: Ssh) -> Self {
        Self { via: Some(ssh), ..self }
    }

    /// The service of LiveKit.
    pub(crate) fn livekit(&self) -> ServiceId {
        self.topology.service_named("sfu").expect("a service").id
    }

    /// The first check of a kind, pointed at a server.
    pub(crate) fn trial(&self, is: impl Fn(&Probe) -> bool, at: SocketAddr) -> Trial {
        let nodes = self.topology.nodes().iter().map(|node| Stand::Node(node.id));
        let mut all = nodes
            .chain([Stand::Outside])
            .flat_map(|stand| trials(&self.topology, stand, true))
            .filter(|trial| matches!(&trial.what, What::Probe(probe) if is(probe)));
        let mut trial = all.next().expect("such a check");
        trial.place = Place::Outside;
        trial.target = Target::Socket(Host::Ip(at.ip()), Port::new(at.port()).expect("a port"));
        trial.deadline = PATIENCE;
        trial
    }

    /// What came of a trial.
    pub(crate) async fn observe(&self, trial: Trial) -> Observation {
        self.observe_all(vec![trial]).await.pop().expect("an observation: its thread did not die")
    }

    async fn observe_all(&self, trials: Vec<Trial>) -> Vec<Observation> {
        let mut options = Options::default();
        options.trusted.clone_from(&self.trusted);
        options.via.clone_from(&self.via);
        // Names are looked up at servers of the tests' own, each at its trial's target.
        options.system_resolver = false;
        options.resolvers = trials
            .iter()
            .filter(|trial| matches!(trial.what, What::Probe(Probe::Resolves { .. })))
            .filter_map(|trial| match &trial.target {
                Target::Socket(Host::Ip(ip), port) => Some(SocketAddr::new(*ip, port.number())),
                _ => None,
            })
            .collect();
        let secrets = Secrets::collect(&self.topology, &Vault);
        let topology = self.topology.clone();
        let seen = tokio::task::spawn_blocking(move || {
            run(topology, trials, secrets, options).expect("TLS").into_iter().collect()
        });
        seen.await.expect("no panic")
    }

    /// Tries the cases of a table, and fails with every one that ends in another way.
    pub(crate) async fn hold(&self, cases: impl IntoIterator<Item = impl Future<Output = Case>>) {
        let cases = join_all(cases).await;
        assert!(!cases.is_empty(), "an empty table holds nothing");
        // Those that wait do so side by side; those that do not may work hard.
        let (waiting, working): (Vec<_>, Vec<_>) = cases.into_iter().partition(|case| case.end.is_late());
        let mut parts = vec![waiting];
        parts.extend(working.chunks(TOGETHER).map(<[Case]>::to_vec));
        let parts = stream::iter(parts).map(|part| self.judge(part)).buffer_unordered(AT_ONCE);
        let wrong = parts.concat().await;
        assert!(wrong.is_empty(), "\n{}\n", wrong.join("\n"));
    }

    /// What is wrong with the ends of some cases.
    async fn judge(&self, mut cases: Vec<Case>) -> Vec<String> {
        for (index, case) in cases.iter_mut().enumerate() {
            case.trial.id = index.to_string();
        }
        let seen = self.observe_all(cases.iter().map(|case| case.trial.clone()).collect()).await;
        let ended = |case: &Case| {
            let seen = seen.iter().find(|seen| seen.id == case.trial.id);
            seen.map_or_else(|| Err("its thread died".to_owned()), |seen| case.judge(seen))
        };
        let wrong =
            cases.iter().filter_map(|case| ended(case).err().map(|why| format!("{}: {why}", case.name)));
        wrong.collect()
    }
}

/// A line of a table: a check, the server that it meets, how it has to end.
#[derive(Clone)]
pub(crate) struct Case {
    name: String,
    trial: Trial,
    server: Option<Server>,
    end: End,
}

impl Case {
    pub(crate) fn new(name: impl Into<String>, mut trial: Trial, end: End) -> Self {
        if end.is_late() {
            trial.deadline = DEADLINE;
        }
        Self { name: name.into(), trial, server: None, end }
    }

    /// … where something that is wrong may show by the deadline alone: datagrams that answer
    /// nothing are no end of waiting for one that does.
    pub(crate) fn late_unless_passed(mut self) -> Self {
        if self.end != End::Passed {
            self.trial.deadline = DEADLINE;
        }
        self
    }

    /// … by this deadline.
    pub(crate) fn within(mut self, deadline: Duration) -> Self {
        self.trial.deadline = deadline;
        self
    }

    /// … where the server may not get rid of more than an answer.
    pub(crate) fn by(self, server: Server) -> Self {
        Self { server: Some(server), ..self }
    }

    fn judge(&self, seen: &Observation) -> Result<(), String> {
        let ended = End::of(seen);
        if ended != Some(self.end) {
            let outcome = seen.outcome.as_str();
            return Err(format!(
                "{:?} was to come, and it {outcome}: {:?} {:?}",
                self.end, seen.problem, seen.evidence
            ));
        }
        if seen.took > self.trial.deadline + SLACK {
            return Err(format!("held the check for {:?}", seen.took));
        }
        match self.server.as_ref().map_or(0, Server::sent) {
            sent if sent > FLOOD_LIMIT => Err(format!("got rid of {sent} bytes")),
            _ => Ok(()),
        }
    }
}

struct Vault;

impl SecretSource for Vault {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        match secret {
            SecretRef::Env(name) if name == "PASSWORD" => Ok(PASSWORD.to_owned().into()),
            SecretRef::Env(name) if name == "KEY" => Ok(KEY.to_owned().into()),
            other => Err(SecretError::new(format!("the vault has no {}", other.label()))),
        }
    }
}
