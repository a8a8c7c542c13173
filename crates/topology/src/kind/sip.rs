//! `sip`: brings telephone calls into LiveKit's rooms.

use serde::{Deserialize, Serialize};

use super::companion::{self, Companion};
use super::{ContainerNetwork, Drain, Kind, Limits, LogLevel};
use crate::check::Promise;
use crate::endpoint::{Scope, Speaks};
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Attachment, Code, FieldPath, HostName, ImageRef, Name, Port, PortRange, Protocol, SecretRef, Service,
    Source, Topology,
};

/// LiveKit's SIP: providers of telephone lines send it calls, and it brings them into rooms; or it
/// calls them for an app.
///
/// Which calls are taken, and into which room, LiveKit says: an app asks its API for trunks and
/// dispatch rules. It stands on the node's own network, over IPv4, for it has ten thousand ports
/// for media.
///
/// Nobody has run the program with what is rendered here: its file is held against the structs
/// that its source reads it into, in version 1.11.0, and tests start a stand-in.
///
/// ```
/// use stageplot_topology::{Sip, SipTls, SecretRef};
///
/// let calls = Sip {
///     from: vec!["198.51.100.0/24".parse()?], // a provider's own addresses
///     tls: Some(SipTls::new(SecretRef::File("sip.crt".to_owned()), SecretRef::File("sip.key".to_owned()))),
///     ..Sip::default()
/// };
/// assert_eq!((calls.port.number(), calls.rtp.to_string()), (5060, "10000-20000".to_owned()));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ from = \"198.51.100.0/24\" }"
)]
pub struct Sip {
    /// The LiveKit that it works for, and whose Redis it uses. May be left out where the plot
    /// has one only.
    pub livekit: Option<Name>,
    /// The API key of that LiveKit by which it joins rooms. May be left out where there is one
    /// only.
    pub key: Option<String>,
    /// SIP over UDP and TCP (`sip_port`).
    pub port: Port,
    /// SIP over TLS beside it (`tls`).
    pub tls: Option<SipTls>,
    /// The media of calls over UDP (`rtp_port`); a call takes one port or two.
    pub rtp: PortRange,
    /// Who may call, and send media: the addresses of providers. Wherever clients come from
    /// (`access.clients`) where not set.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// The name that it calls itself (`sip_hostname`), which leads to its nodes; its address
    /// where not set.
    pub domain: Option<HostName>,
    /// Whether each node asks a STUN server for its public address at start (`use_external_ip`)
    /// instead of being told (`nat_1_to_1_ip`).
    pub use_external_ip: bool,
    /// How many calls each node takes (`max_active_calls`); 0 is any number.
    pub max_calls: u32,
    /// The share of the processors from which on it takes no more calls, of 1
    /// (`max_cpu_utilization`); 0.9 where not set.
    pub max_cpu: Option<f64>,
    /// The port at which it says whether it is well (`health_port`), for nobody but checks.
    pub health_port: Port,
    /// The port at which its metrics are shown to a Prometheus of the plot (`prometheus_port`);
    /// nowhere where not set.
    pub metrics: Option<Port>,
    /// How much is logged.
    pub log_level: LogLevel,
    /// How long calls may go on after a node was told to stop.
    pub drain: Drain,
    /// The image. Nobody has run its program with what is rendered: its file is held against the
    /// source of version 1.11.0.
    pub image: ImageRef,
    /// What each container may use.
    pub limits: Limits,
}

impl Default for Sip {
    fn default() -> Self {
        Self {
            livekit: None,
            key: None,
            port: Port::fixed(5060),
            tls: None,
            rtp: PortRange::fixed(10000, 20000),
            from: Vec::new(),
            domain: None,
            use_external_ip: false,
            max_calls: 0,
            max_cpu: None,
            health_port: Port::fixed(8940),
            metrics: None,
            log_level: LogLevel::Info,
            drain: Drain::default(),
            image: super::fixed_image("livekit/sip:v1.11.0"),
            limits: Limits::default(),
        }
    }
}

/// SIP over TLS.
///
/// ```
/// use stageplot_topology::{Port, SecretRef, SipTls};
///
/// let file = |name: &str| SecretRef::File(name.to_owned());
/// let tls = SipTls { port: Port::fixed(5071), ..SipTls::new(file("sip.crt"), file("sip.key")) };
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ cert = \"sip.crt\", key = \"sip.key\" }"
)]
pub struct SipTls {
    /// The port.
    #[serde(default = "tls_port")]
    pub port: Port,
    /// The certificate and those between it and its root, in PEM.
    #[serde(deserialize_with = "crate::value::required_secret_or_path")]
    pub cert: SecretRef,
    /// Its key, in PEM.
    #[serde(deserialize_with = "crate::value::required_secret_or_path")]
    pub key: SecretRef,
}

impl SipTls {
    /// With a certificate and its key, at the usual port.
    pub fn new(cert: SecretRef, key: SecretRef) -> Self {
        Self { port: tls_port(), cert, key }
    }
}

fn tls_port() -> Port {
    Port::fixed(5061)
}

impl Kind for Sip {
    fn attachment(&self) -> Attachment {
        // Ten thousand published ports would be ten thousand processes.
        Attachment::Host
    }

    fn endpoints(&self) -> Vec<Draft> {
        let all = Scope::Everywhere;
        let mut endpoints = vec![
            Draft::new("sip", Protocol::Udp, self.port, Speaks::Sip).field(["port"]).scope(all),
            Draft::new("sip-tcp", Protocol::Tcp, self.port, Speaks::Other).field(["port"]).scope(all),
            Draft::new("rtp", Protocol::Udp, self.rtp, Speaks::Media).field(["rtp"]).scope(all),
        ];
        if let Some(tls) = &self.tls {
            let draft = Draft::new("sip-tls", Protocol::Tcp, tls.port, Speaks::Other);
            endpoints.push(draft.field(["tls", "port"]).scope(all));
        }
        endpoints.extend(companion::endpoints(self.health_port, self.metrics, ContainerNetwork::Host));
        endpoints
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        let doors = [("sip", "calls"), ("sip-tcp", "calls"), ("sip-tls", "calls"), ("rtp", "media of calls")];
        for (endpoint, reason) in doors {
            match self.from.is_empty() {
                true => wiring.offer_clients(endpoint, reason),
                false if wiring.topology.endpoint_named(wiring.service, endpoint).is_none() => {}
                false => {
                    let path = wiring.path.key("from");
                    wiring.offer_to(&self.from, endpoint, reason, &path);
                }
            }
        }
        Companion::new(self.livekit.as_ref(), self.key.as_deref()).wire(wiring);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        companion::promises(service, topology)
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        Companion::new(self.livekit.as_ref(), self.key.as_deref()).review(review);
        companion::review_share(review.path().key("max-cpu"), self.max_cpu, review);
        if self.rtp.single().is_some() {
            review.add(
                Code::InvalidValue,
                "rtp",
                format!("it takes {} for the first port, and 20000 for the last", self.rtp),
                "write a range, such as \"10000-20000\"",
            );
        }
        if self.use_external_ip {
            return;
        }
        companion::review_public(&self.from, "callers", review);
        let topology = review.topology();
        let over_v6 = companion::nodes(topology, review.service())
            .filter(|node| node.own_v4().is_none() && node.public.is_none_or(|public| public.v4.is_none()));
        let over_v6: Vec<_> = over_v6.map(|node| node.name.clone()).collect();
        for name in over_v6 {
            review.add_at(
                Code::InvalidValue,
                FieldPath::root().key("nodes").key(name.as_str()).key("address"),
                format!("{name} has no IPv4 address, and LiveKit's SIP has no other"),
                "give the node one, or take the role from it",
            );
        }
    }
}
