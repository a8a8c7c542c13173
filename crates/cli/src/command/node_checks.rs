//! `stageplot node-checks`, which `verify --via ssh` runs on a node.

use std::collections::BTreeSet;
use std::io::{self, Read as _, Write as _};
use std::sync::Arc;
use std::time::Duration;

use stageplot_health::{Options, Secrets, Stand, Told, closed, examinations, run, trials};
use stageplot_topology::{Document, Format, Lock, Plot};
use tempfile::NamedTempFile;

use crate::exit::Exit;
use crate::failure::Failure;
use crate::plot::node_named;
use crate::probing::docker_socket;
use crate::remote::Order;
use crate::screen;

/// Try what another stageplot asks for on standard input, and tell it what was seen
#[derive(clap::Args)]
pub(crate) struct NodeChecks {}

impl NodeChecks {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        let mut bytes = Vec::new();
        let limit = u64::try_from(2 * Document::MAX_SIZE).unwrap_or(u64::MAX);
        io::stdin()
            .lock()
            .take(limit)
            .read_to_end(&mut bytes)
            .map_err(|error| Failure::new(format!("what is to be tried cannot be read: {error}")))?;
        let order: Order = serde_json::from_slice(&bytes)
            .map_err(|_| Failure::new("what is to be tried is no order of `stageplot verify --via ssh`"))?;
        let own = env!("CARGO_PKG_VERSION");
        if order.version != own {
            let message = format!("stageplot here is {own}, and {} asks", order.version);
            return Err(Failure::new(message).help("put the same version on both machines"));
        }
        let unread = |_| Failure::new("the plot that was sent cannot be read here");
        let plot = Document::parse(Format::Toml, "plot", &order.plot).map_err(unread)?;
        let lock = Document::parse(Format::Toml, "lock", &order.lock).map_err(unread)?;
        let built = Plot::read(&plot).map_err(unread)?;
        let topology = built.locked(Lock::read(&lock).map_err(unread)?).map_err(unread)?.topology;
        let node = node_named(&topology, &order.node)?.id;
        let wanted: BTreeSet<_> = order.trials.iter().collect();
        let stand = Stand::Node(node);
        let mut trials = trials(&topology, stand, order.deep);
        trials.extend(examinations(&topology, stand));
        trials.extend(closed(&topology, stand));
        trials.retain(|trial| wanted.contains(&trial.id));
        let secrets = Secrets::collect(&topology, &order);
        let mut options = Options::default();
        options.deadline = order.deadline.map(Duration::from_millis);
        options.resolvers.clone_from(&order.resolvers);
        options.pace = order.pace;
        let certificates = kept(&order.trusted)
            .map_err(|error| Failure::new(format!("certificates cannot be kept here: {error}")))?;
        options.trusted = certificates.iter().map(|file| file.path().to_owned()).collect();
        if let Some(socket) = docker_socket() {
            options.docker = socket;
        }
        let observations = run(Arc::new(topology), trials, secrets, options)
            .map_err(|error| Failure::new(error.to_string()))?;
        for seen in observations {
            screen::data(&format!("{}\n", serde_json::to_string(&Told::from(&seen)).unwrap_or_default()))?;
        }
        Ok(Exit::Well)
    }
}

/// Files with these certificates, which go away with what is returned.
fn kept(certificates: &[String]) -> io::Result<Vec<NamedTempFile>> {
    let keep = |certificate: &String| {
        let mut file = tempfile::Builder::new().prefix("stageplot-").suffix(".pem").tempfile()?;
        file.write_all(certificate.as_bytes())?;
        Ok(file)
    };
    certificates.iter().map(keep).collect()
}
