//! Checks that take stageplot on the node itself, run there over SSH: what is asked
//! there, and what is told.

use std::collections::BTreeMap;
use std::fs;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::Duration;

use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use stageplot_health::{Cause, Observation, Options, Problem, Ssh, Told, Trial};
use stageplot_topology::{SecretError, SecretRef, SecretSource, Topology};

use crate::failure::Failure;
use crate::process::{Bounds, Ended, Run};

/// What is to be tried: one document in JSON on the standard input of the command there,
/// so that no secret is in a list of processes.
#[derive(Clone, Deserialize, Serialize)]
pub(crate) struct Order {
    /// Whose it is; another version knows other trials.
    pub(crate) version: String,
    /// The plot, in TOML.
    pub(crate) plot: String,
    /// The digests of its images, in TOML.
    pub(crate) lock: String,
    pub(crate) node: String,
    pub(crate) deep: bool,
    /// The trials, by their ids.
    pub(crate) trials: Vec<String>,
    /// What each may take, in milliseconds, in place of its own.
    pub(crate) deadline: Option<u64>,
    /// Name servers that are asked for names as well.
    pub(crate) resolvers: Vec<SocketAddr>,
    /// Certificates in PEM of authorities that are trusted beside that machine's.
    pub(crate) trusted: Vec<String>,
    /// How many connections and datagrams sweeps send a second.
    pub(crate) pace: u32,
    /// The values of secrets, by their labels.
    pub(crate) secrets: BTreeMap<String, String>,
}

impl Order {
    /// What is to be tried on a node of a plot, with the secrets that can be had here.
    pub(crate) fn new(
        topology: &Topology,
        node: &str,
        deep: bool,
        source: &dyn SecretSource,
    ) -> Result<Self, Failure> {
        let values = topology.secrets().into_iter().filter_map(|(_, secret)| {
            let value = source.secret(secret).ok()?;
            Some((secret.label(), value.expose_secret().to_owned()))
        });
        Ok(Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            plot: topology.plot().to_toml().map_err(|error| Failure::new(error.to_string()))?,
            lock: topology.lock().to_toml(),
            node: node.to_owned(),
            deep,
            trials: Vec::new(),
            deadline: None,
            resolvers: Vec::new(),
            trusted: Vec::new(),
            pace: Options::default().pace,
            secrets: values.collect(),
        })
    }
}

impl SecretSource for Order {
    fn secret(&self, secret: &SecretRef) -> Result<SecretString, SecretError> {
        let value = self.secrets.get(&secret.label()).map(|value| value.clone().into());
        value.ok_or_else(|| SecretError::new("whoever sent the order does not have it"))
    }
}

/// A node where stageplot is run over SSH.
pub(crate) struct Remote {
    pub(crate) ssh: Ssh,
    /// How stageplot is run there.
    pub(crate) program: Vec<String>,
    pub(crate) order: Order,
}

impl Remote {
    /// Has trials tried there; what each saw comes as it ends, and each is told of once.
    pub(crate) fn run(
        &self,
        topology: &Topology,
        trials: Vec<Trial>,
        options: &Options,
    ) -> Result<Receiver<Observation>, Failure> {
        // Room for all, so that who tells never waits for who asks here meanwhile.
        let (sender, receiver) = mpsc::sync_channel(trials.len());
        if trials.is_empty() {
            return Ok(receiver);
        }
        let read = |path: &PathBuf| {
            fs::read_to_string(path).map_err(|error| {
                Failure::new(format!("failed to read the certificate {}: {error}", path.display()))
            })
        };
        let milliseconds = |time: Duration| u64::try_from(time.as_millis()).unwrap_or(u64::MAX);
        let order = Order {
            trials: trials.iter().map(|trial| trial.id.clone()).collect(),
            deadline: options.deadline.map(milliseconds),
            resolvers: options.resolvers.clone(),
            trusted: options.trusted.iter().map(read).collect::<Result<_, _>>()?,
            pace: options.pace,
            ..self.order.clone()
        };
        let order = serde_json::to_vec(&order).map_err(|error| Failure::new(error.to_string()))?;
        let patience = patience(&trials, options);
        let words = self.program.iter().map(String::as_str).chain([NAME]);
        let command = self.ssh.command(words);
        let (topology, destination) = (topology.clone(), self.ssh.destination.clone());
        let work = move || {
            let mut open: BTreeMap<_, _> =
                trials.into_iter().map(|trial| (trial.id.clone(), trial)).collect();
            let why = talk(command, order, patience, |told: Told| {
                let Some(trial) = open.remove(&told.id) else { return };
                let _ = sender.send(told.observation(&topology, &trial));
            });
            for trial in open.values() {
                let problem = Problem::not_tried(why.0, format!("ssh {destination}: {}", why.1));
                let _ = sender.send(Observation::untold(&topology, trial, problem));
            }
        };
        thread::Builder::new()
            .name("stageplot-remote".to_owned())
            .spawn(work)
            .map_err(|error| Failure::new(format!("no thread is to be had: {error}")))?;
        Ok(receiver)
    }
}

/// How long the slowest may take, and the way there and back.
fn patience(trials: &[Trial], options: &Options) -> Duration {
    let slowest = trials.iter().map(|trial| trial.deadline).max().unwrap_or_default();
    options.deadline.unwrap_or(slowest) + Duration::from_secs(30)
}

/// Hands an order over and takes what is told, until all is or it is too late; says why
/// nothing more came.
fn talk(
    mut command: Command,
    order: Vec<u8>,
    deadline: Duration,
    mut tell: impl FnMut(Told),
) -> (Cause, String) {
    command.stdin(Stdio::piped()).stderr(Stdio::piped());
    let run = match Run::start(&mut command, Bounds { deadline, output: MOST }) {
        Ok(run) => run,
        Err(why) => return (Cause::SshFailed, format!("it {why}")),
    };
    let ended = run.talk(order, |line| {
        if let Ok(told) = serde_json::from_slice(line) {
            tell(told);
        }
    });
    match ended {
        // OpenSSH's own failures (ssh(1), EXIT STATUS).
        Ok(Ended { status, last_words }) if status.code() == Some(255) => {
            (Cause::SshFailed, last_words.unwrap_or_else(|| "it failed".to_owned()))
        }
        Ok(Ended { status, .. }) if status.code().is_none() => {
            (Cause::SshFailed, format!("it was ended: {status}"))
        }
        Ok(Ended { last_words: Some(said), .. }) => (Cause::ProgramAbsent, said),
        Ok(Ended { last_words: None, .. }) => {
            (Cause::ProgramAbsent, "nothing was told of it there".to_owned())
        }
        Err(why) => (Cause::ProgramAbsent, format!("stageplot there {why}")),
    }
}

/// The most that is taken of what is told, in bytes.
const MOST: usize = 64 << 20;

/// What the command is called that is run there.
pub(crate) const NAME: &str = "node-checks";
