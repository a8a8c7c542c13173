//! The authority that edges have their certificates from.

use std::collections::BTreeSet;
use std::time::Duration;

use stageplot_topology::{ServiceSpec, Tls, Topology};

use super::{read, write};
use crate::image::Image;
use crate::namespace::Namespace;
use crate::process::Process;
use crate::program::{Missing, Program};
use crate::scratch::Scratch;

/// What it may take to listen.
const SOON: Duration = Duration::from_secs(20);

/// Where Caddy has certificates from when it is told nothing.
const PUBLIC: (&str, u16) = ("acme-v02.api.letsencrypt.org", 443);

/// A Caddy in the role of each ACME authority (RFC 8555) that a topology has
/// certificates from. All machines, and all stand-in images, trust its root.
#[derive(Debug)]
pub(super) struct Authority {
    _server: Process,
    _scratch: Scratch,
}

impl Authority {
    /// Starts it on a machine, on the ports by which [its names](names) are called.
    pub(super) fn start(machine: &Namespace, topology: &Topology) -> Result<Self, Missing> {
        let caddy = Program::named("caddy")?;
        let (certificate, key) = Image::authority()?;
        let scratch = Scratch::new();
        let sites: Vec<_> =
            called(topology).iter().map(|(name, port)| format!("https://{name}:{port}")).collect();
        let config = CONFIG
            .replace("CERTIFICATE", &certificate.display().to_string())
            .replace("KEY", &key.display().to_string())
            .replace("SITES", &sites.join(", "));
        let file = scratch.path().join("Caddyfile");
        write(&file, &config);
        let mut command = machine.command(caddy.path());
        command.args(["run", "--adapter", "caddyfile", "--config"]).arg(&file);
        command.env("XDG_DATA_HOME", scratch.path()).env("XDG_CONFIG_HOME", scratch.path());
        let mut server = Process::start("authority", &mut command);
        server
            .wait_until("serving", SOON, |server| server.output().contains("serving initial configuration"));
        Ok(Self { _server: server, _scratch: scratch })
    }

    /// The certificate of its root, in PEM.
    pub(super) fn root() -> Result<String, Missing> {
        Ok(read(&Image::authority()?.0))
    }
}

/// The names that it answers to.
pub(super) fn names(topology: &Topology) -> BTreeSet<String> {
    called(topology).into_iter().map(|(name, _)| name).collect()
}

/// The names and ports by which edges call their authorities.
fn called(topology: &Topology) -> BTreeSet<(String, u16)> {
    let edges = topology.services().iter().filter_map(|service| match &service.kind {
        ServiceSpec::Edge(edge) => Some(edge),
        _ => None,
    });
    let called = edges.filter_map(|edge| match &edge.tls {
        Tls::Acme(acme) => acme.ca.as_ref(),
        _ => None,
    });
    let called = called.filter_map(|url| Some((url.host_str()?.to_owned(), url.port_or_known_default()?)));
    called.chain([(PUBLIC.0.to_owned(), PUBLIC.1)]).collect()
}

/// It issues for as long as public authorities do, and its own certificate outlives that.
const CONFIG: &str = "{
	admin off
	skip_install_trust
	auto_https disable_redirects
	pki {
		ca local {
			intermediate_lifetime 365d
			root {
				cert CERTIFICATE
				key KEY
			}
		}
	}
}
SITES {
	tls internal
	rewrite /directory /acme/local/directory
	acme_server {
		lifetime 90d
	}
}
";
