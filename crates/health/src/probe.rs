//! How each probe is tried. What is the same for all is here: the address, how far
//! a trial came, and what that says where it came no further.

mod caddy;
mod closed;
mod configuration;
pub(crate) mod connection;
mod dns;
mod docker;
pub(crate) mod entrance;
mod host;
mod http;
mod ion_sfu;
mod livekit;
mod logs;
mod migration;
mod ports;
mod postgres;
mod prometheus;
mod quic;
mod redis;
mod rtmp;
mod rules;
mod sip;
mod stun;
mod tls;
mod turn;

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU8, Ordering};
use std::time::Duration;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use stageplot_topology::Probe;
use tokio::time::Instant;

pub(crate) use self::closed::Pace;
pub(crate) use self::docker::name_of;
pub(crate) use self::logs::last;
use crate::run::Scene;
use crate::trial::{Host, Target, Trial, What};
use crate::{Activity, Cause, Evidence, Problem};

/// What one probe has at hand.
pub(crate) struct Attempt<'a> {
    pub(crate) scene: &'a Scene,
    pub(crate) trial: &'a Trial,
    pub(crate) progress: &'a Progress,
    pub(crate) evidence: &'a mut Evidence,
    /// When it began.
    pub(crate) began: Instant,
}

/// Tries what a trial says.
pub(crate) async fn probe(
    scene: &Scene,
    trial: &Trial,
    progress: &Progress,
    evidence: &mut Evidence,
) -> Result<(), Problem> {
    let mut attempt = Attempt { scene, trial, progress, evidence, began: Instant::now() };
    let question = match &trial.what {
        What::Probe(question) => question,
        What::Container { image } => return docker::container(&mut attempt, image).await,
        What::Migration { image } => return migration::has_ended(&mut attempt, image).await,
        What::NoStrangers { known } => return docker::strangers(&mut attempt, known).await,
        What::Configuration => return configuration::is_current(&mut attempt).await,
        What::Ports { node } => return ports::strangers(&mut attempt, *node).await,
        What::Custom(custom) => return custom.0.check(attempt.evidence).await,
        What::Disk { path } => return host::disk(&mut attempt, path),
        What::Engine => return docker::engine(&mut attempt).await,
        What::Rules { input } => return rules::loaded(&mut attempt, *input).await,
        What::Logs => return logs::errors(&mut attempt).await,
        What::Clock => return host::clock(&mut attempt).await,
        What::Uptime => return host::uptime(&mut attempt),
        What::Memory => return host::memory(&mut attempt),
        What::UdpBuffers => return host::udp_buffers(&mut attempt),
        What::ClosedTcp { node } => return closed::tcp(&mut attempt, *node).await,
        What::ClosedUdp { node } => return closed::udp(&mut attempt, *node).await,
        What::ClosedContainers { node } => return closed::containers(&mut attempt, *node).await,
    };
    match question {
        Probe::TcpConnect => attempt.connect().await.map(drop),
        Probe::HttpGet { path } => http::get(&mut attempt, path).await,
        Probe::HttpsRedirect => http::redirect(&mut attempt).await,
        Probe::TlsSession { name } => tls::session(&mut attempt, name).await,
        Probe::RedisPing { password, tls } => redis::ping(&mut attempt, *password, *tls).await,
        Probe::RedisReplication => redis::replication(&mut attempt).await,
        Probe::RedisPrimary { replicas } => redis::primary(&mut attempt, *replicas).await,
        Probe::RedisRoom { maxmemory, policy } => redis::room(&mut attempt, maxmemory.bytes(), *policy).await,
        Probe::RedisPersistence { kind } => redis::persistence(&mut attempt, *kind).await,
        Probe::PostgresLogin { password, tls } => postgres::login(&mut attempt, *password, *tls).await,
        Probe::PostgresReplication => postgres::replication(&mut attempt).await,
        Probe::PostgresPrimary { replicas } => postgres::primary(&mut attempt, *replicas).await,
        Probe::PostgresConnections { most, pools } => {
            postgres::connections(&mut attempt, *most, *pools).await
        }
        Probe::CaddyUpstreams => caddy::upstreams(&mut attempt).await,
        Probe::CaddyBalance { service } => caddy::balance(&mut attempt, *service).await,
        Probe::PrometheusTargets => prometheus::targets(&mut attempt).await,
        Probe::IonSfuCall => ion_sfu::call(&mut attempt).await,
        Probe::RtmpHandshake => rtmp::handshake(&mut attempt).await,
        Probe::RtmpStranger => rtmp::stranger(&mut attempt).await,
        Probe::RtmpRoundTrip => rtmp::round_trip(&mut attempt).await,
        Probe::RtmpStatus => rtmp::status(&mut attempt).await,
        Probe::Resolves { name, nodes } => dns::resolves(&mut attempt, name, nodes).await,
        Probe::LivekitKeys => livekit::keys(&mut attempt).await,
        Probe::LivekitToken => livekit::validate(&mut attempt).await,
        Probe::LivekitNodes { service } => livekit::nodes(&mut attempt, *service).await,
        Probe::LivekitJoin => livekit::join(&mut attempt).await,
        Probe::IceBinding => livekit::media(&mut attempt).await,
        Probe::Webhook { service, url } => livekit::webhook(&mut attempt, *service, url).await,
        Probe::CreateRoom { service, path } => livekit::create(&mut attempt, *service, path).await,
        Probe::TurnAllocate => turn::over_udp(&mut attempt).await,
        Probe::TurnTlsAllocate { name } => turn::over_tls(&mut attempt, name).await,
        Probe::SipOptions => sip::options(&mut attempt).await,
        Probe::StunBinding => stun::binding(&mut attempt).await,
        Probe::Http3Session { name } => quic::session(&mut attempt, name).await,
    }
}

/// Asks the Redis of a trial how busy those are who meet there.
pub(crate) async fn activity(
    scene: &Scene,
    trial: &Trial,
    progress: &Progress,
    evidence: &mut Evidence,
) -> Result<Activity, Problem> {
    livekit::activity(&mut Attempt { scene, trial, progress, evidence, began: Instant::now() }).await
}

/// What it means that the deadline passed now: of a sweep, that it is not done.
pub(crate) fn late(trial: &Trial, progress: &Progress, deadline: Duration) -> Problem {
    match trial.what {
        What::ClosedTcp { .. } | What::ClosedUdp { .. } | What::ClosedContainers { .. } => closed::late(),
        _ => progress.late(&trial.target, deadline),
    }
}

impl Attempt<'_> {
    /// How long it may take.
    pub(crate) fn deadline(&self) -> Duration {
        self.scene.options.deadline.unwrap_or(self.trial.deadline)
    }

    /// When half of the time has passed: what is done in a room ends by then, so that
    /// the room is left by the deadline.
    pub(crate) fn half(&self) -> Instant {
        Instant::now() + self.deadline() / 2
    }

    /// The address to dial: exactly one, so that what is seen is seen of it.
    pub(crate) async fn address(&mut self) -> Result<SocketAddr, Problem> {
        let Target::Socket(host, port) = &self.trial.target else {
            let what = format!("nobody dials {}", self.trial.target);
            return Err(Problem::not_tried(Cause::NotPermitted, what));
        };
        let ip = match host {
            Host::Ip(ip) => *ip,
            Host::Container(name) => self.container(name.as_str()).await?,
            Host::Name(name) => {
                let found = tokio::net::lookup_host((name.as_str(), port.number())).await;
                let found = found.ok().and_then(|mut all| all.next()).ok_or_else(|| unknown(name))?;
                found.ip()
            }
        };
        if !matches!(host, Host::Ip(_)) {
            self.evidence.note("address", ip);
        }
        Ok(SocketAddr::new(ip, port.number()))
    }

    /// The address of a container, by Docker's own resolver, which every container on a
    /// network of a project has at this address.
    async fn container(&self, name: &str) -> Result<IpAddr, Problem> {
        let servers = vec![NameServerConfig::udp(Ipv4Addr::new(127, 0, 0, 11).into())];
        let config = ResolverConfig::from_parts(None, Vec::new(), servers);
        let resolver = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default()).build();
        let resolver = resolver.map_err(|_| unknown(name))?;
        let found = resolver.lookup_ip(name).await.map_err(|_| unknown(name))?;
        found.iter().next().ok_or_else(|| unknown(name))
    }
}

fn unknown(name: &str) -> Problem {
    Problem::failed(Cause::NameUnknown, format!("no address is known for {name}"))
}

/// So many random bytes, in hexadecimal.
pub(crate) fn random<const N: usize>() -> Result<String, Problem> {
    let mut bytes = [0; N];
    fill_randomly(&mut bytes)?;
    Ok(bytes.iter().map(|byte| format!("{byte:02x}")).collect())
}

/// Random bytes in the place of what is there.
pub(crate) fn fill_randomly(bytes: &mut [u8]) -> Result<(), Problem> {
    getrandom::fill(bytes).map_err(|error| {
        Problem::not_tried(Cause::NotPermitted, format!("this system has no randomness: {error}"))
    })
}

/// How far a trial came: what it means to come no further depends on it. Its streams tell
/// of it too.
#[derive(Clone)]
pub(crate) struct Progress(Arc<AtomicU8>);

/// A step of a trial.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Step {
    /// A name was looked up, or a connection asked for.
    Started,
    /// The machine that connects for us has not let us in yet.
    Outside,
    /// A connection was accepted, and something was asked.
    Connected,
    /// An answer began.
    Answering,
    /// Datagrams came that answer nothing that was asked.
    Strange,
}

impl Progress {
    pub(crate) fn new() -> Self {
        Self(Arc::new(AtomicU8::new(Step::Started as u8)))
    }

    pub(crate) fn reached(&self, step: Step) {
        self.0.store(step as u8, Ordering::Relaxed);
    }

    fn step(&self) -> Step {
        let step = self.0.load(Ordering::Relaxed);
        let mut steps = [Step::Started, Step::Outside, Step::Connected, Step::Strange].into_iter();
        steps.find(|known| *known as u8 == step).unwrap_or(Step::Answering)
    }

    /// What it means that the deadline passed now.
    pub(crate) fn late(&self, target: &Target, deadline: Duration) -> Problem {
        let deadline = humantime::format_duration(deadline);
        match self.step() {
            Step::Started => {
                Problem::failed(Cause::Silence, format!("nothing came back from {target} within {deadline}"))
            }
            Step::Outside => {
                Problem::not_tried(Cause::SshFailed, format!("ssh is not let in within {deadline}"))
            }
            Step::Connected => Problem::failed(
                Cause::NoAnswer,
                format!("{target} took the connection and said nothing within {deadline}"),
            ),
            Step::Answering => Problem::failed(
                Cause::TooSlow,
                format!("{target} began to answer and was not done within {deadline}"),
            ),
            Step::Strange => Problem::failed(
                Cause::WrongProtocol,
                format!("what {target} sent within {deadline} is no answer to what it was asked"),
            ),
        }
    }
}
