//! Flows: who connects to what, and why.

use std::borrow::Cow;

use crate::endpoint::EndpointId;
use crate::topology::id;
use crate::{NetworkId, ServiceId, Topology};

id! {
    /// A [`Flow`] of one topology.
    ///
    /// See [`Flow`].
    FlowId
}

/// Connections from a party to an endpoint, with the reason.
///
/// A flow joins groups: every placement of the party's service with every
/// placement that offers the endpoint.
///
/// ```
/// use stageplot_topology::Party;
/// # use stageplot_topology::*;
/// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
/// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
/// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
/// # let topology = Plot::new("live".parse()?)
/// #     .service("edge", Edge::new("livekit.example.com".parse()?))
/// #     .service("livekit", Livekit { keys, ..Livekit::default() })
/// #     .node("front", front.role("edge"))
/// #     .node("media", media.role("livekit"))
/// #     .build()?
/// #     .topology;
/// let edge = topology.service_named("edge").ok_or("an edge")?;
/// let flow = topology.flows_from(edge.id).next().ok_or("it sends requests on")?;
/// assert_eq!(flow.from, Party::Service(edge.id));
/// let to = topology.endpoint(flow.to);
/// assert_eq!((topology.service(to.service).name.as_str(), to.name.as_ref()), ("livekit", "signal"));
/// assert_eq!(topology.flow(flow.id), flow);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Flow {
    /// Its index.
    pub id: FlowId,
    /// Who connects.
    pub from: Party,
    /// To what.
    pub to: EndpointId,
    /// Why, in a few words.
    pub reason: Cow<'static, str>,
}

/// Who connects.
///
/// ```
/// use stageplot_topology::{App, NodeSpec, Opening, Party, Plot, Port};
///
/// let rtmp = Opening { from: vec!["198.51.100.0/24".parse()?], ..Opening::tcp(Port::fixed(1935)) };
/// let topology = Plot::new("live".parse()?)
///     .service("ingest", App::host().open("rtmp", rtmp))
///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("ingest"))
///     .build()?
///     .topology;
/// let from = topology.flows()[0].from;
/// let Party::Nets(nets) = from else { panic!("the plot names addresses") };
/// assert_eq!(topology.nets(nets), ["198.51.100.0/24".parse()?]);
/// assert_eq!(topology.party_name(from), "198.51.100.0/24");
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Party {
    /// Anybody.
    Internet,
    /// Whoever may come in by SSH.
    Operator,
    /// Any machine of a private network.
    Network(NetworkId),
    /// The addresses that the plot names for one opening.
    Nets(NetsId),
    /// A service of the plot.
    Service(ServiceId),
}

id! {
    /// A list of addresses that the plot names for one opening.
    ///
    /// See [`Party`].
    NetsId
}

impl Topology {
    /// A party as an operator would say it: `the Internet`, `lan`, `edge`.
    pub fn party_name(&self, party: Party) -> String {
        match party {
            Party::Internet => "the Internet".to_owned(),
            Party::Operator => "the operator".to_owned(),
            Party::Network(id) => format!("network {}", self.network(id).name),
            Party::Nets(id) => {
                let nets = self.nets(id);
                nets.iter().map(ToString::to_string).collect::<Vec<_>>().join(", ")
            }
            Party::Service(id) => self.service(id).name.to_string(),
        }
    }
}
