//! How many checks a second: ours, and blackbox_exporter's, at the same servers.
//! `benchmarks/health` runs it, in a network of its own where what is dead is silent.

mod blackbox;
mod endpoint;
mod servers;

use std::error::Error;
use std::net::SocketAddr;
use std::process::ExitCode;
use std::sync::Arc;
use std::time::{Duration, Instant};

use stageplot_health::{Host, Options, Outcome, Place, Secrets, Stand, Target, Trial, What, run, trials};
use stageplot_topology::{NodeSpec, Plot, Port, Probe, Redis, Topology};

use self::endpoint::{Endpoint, Kind, endpoints};

const USAGE: &str = "\
  checks serve                           servers of all kinds, until its input ends
  checks stageplot KIND COUNT DEAD       tries so many endpoints, of which some are dead
  checks blackbox AT MANY KIND COUNT DEAD
                                         has the exporter at this address do so, many at a time
  checks list KIND COUNT DEAD            the addresses of the endpoints

KIND is tcp, http, redis, stun or mixed. What came of it is told in JSON.";

/// The longest that is waited for anybody.
const DEADLINE: Duration = Duration::from_secs(5);

/// What came of it.
struct Took {
    time: Duration,
    passed: usize,
}

fn main() -> ExitCode {
    let words: Vec<_> = std::env::args().skip(1).filter(|word| word != "--bench").collect();
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let done = match words.as_slice() {
        ["serve"] => servers::serve(),
        ["stageplot", of @ ..] => chosen(of).and_then(|all| tell(&all, ours(&all)?)),
        ["blackbox", at, many, of @ ..] => {
            chosen(of).and_then(|all| tell(&all, blackbox::ask(at, many, &all)?))
        }
        ["list", of @ ..] => chosen(of).map(|all| all.iter().for_each(|one| println!("{}", one.ip))),
        _ => {
            println!("{USAGE}");
            return ExitCode::SUCCESS;
        }
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("checks: {error}");
            ExitCode::FAILURE
        }
    }
}

/// The endpoints that are named by a kind, how many, and how many of them are dead.
fn chosen(words: &[&str]) -> Result<Vec<Endpoint>, Box<dyn Error>> {
    let [kind, count, dead] = words else { return Err(USAGE.into()) };
    let kind = match *kind {
        "mixed" => None,
        kind => Some(Kind::ALL.into_iter().find(|known| known.name() == kind).ok_or(USAGE)?),
    };
    Ok(endpoints(kind, count.parse()?, dead.parse()?))
}

/// Says how long it took, where as many passed as are alive.
fn tell(all: &[Endpoint], took: Took) -> Result<(), Box<dyn Error>> {
    let alive = all.iter().filter(|endpoint| !endpoint.is_dead).count();
    if took.passed != alive {
        return Err(format!("{alive} of {} are alive, and {} passed", all.len(), took.passed).into());
    }
    println!("{{\"seconds\": {}, \"memory\": {}}}", took.time.as_secs_f64(), peak());
    Ok(())
}

/// The most memory that this process had, in KiB (proc_pid_status(5)).
fn peak() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap_or_default();
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:"));
    line.and_then(|line| line.trim().split(' ').next()?.parse().ok()).unwrap_or_default()
}

/// As whoever uses the library has them tried.
fn ours(all: &[Endpoint]) -> Result<Took, Box<dyn Error>> {
    let topology = Arc::new(topology()?);
    let template = trials(&topology, Stand::Node(topology.nodes()[0].id), false).into_iter();
    let template =
        template.into_iter().find(|trial| matches!(trial.what, What::Probe(_))).ok_or("a check")?;
    let all: Vec<_> = all.iter().enumerate().map(|(index, one)| trial(&template, index, *one)).collect();
    let begin = Instant::now();
    let seen = run(topology, all, Secrets::none(), Options::default())?;
    let passed = seen.into_iter().filter(|seen| seen.outcome == Outcome::Passed).count();
    Ok(Took { time: begin.elapsed(), passed })
}

fn topology() -> Result<Topology, Box<dyn Error>> {
    let node = NodeSpec::private("10.0.0.1".parse()?).role("cache");
    Ok(Plot::new("live".parse()?).service("cache", Redis::default()).node("front", node).build()?.topology)
}

/// A check of an endpoint, made of another one.
fn trial(template: &Trial, index: usize, endpoint: Endpoint) -> Trial {
    let mut trial = template.clone();
    let at: SocketAddr = endpoint.at();
    trial.id = index.to_string();
    trial.place = Place::Outside;
    trial.target = Target::Socket(Host::Ip(at.ip()), Port::fixed(at.port()));
    trial.deadline = DEADLINE;
    trial.what = What::Probe(match endpoint.kind {
        Kind::Tcp => Probe::TcpConnect,
        Kind::Http => Probe::HttpGet { path: "/".into() },
        Kind::Redis => Probe::RedisPing { password: false, tls: false },
        Kind::Stun => Probe::StunBinding,
    });
    trial
}
