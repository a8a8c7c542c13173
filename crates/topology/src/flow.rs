//! Flows: who connects to what, and why.

use std::borrow::Cow;

use crate::endpoint::EndpointId;
use crate::topology::id;
use crate::{NetworkId, ServiceId, Topology};

id! {
    /// A [`Flow`] of one topology.
    FlowId
}

/// Connections from a party to an endpoint, with the reason.
///
/// A flow joins groups: every placement of the party's service with every
/// placement that offers the endpoint.
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
