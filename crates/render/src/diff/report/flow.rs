//! Flows that open or close.

use serde::Serialize;

use crate::summary::Party;

/// A flow that opens or closes: who may connect to what.
///
/// [`opens`](Self::opens) and [`closes`](Self::closes) say it in words.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[non_exhaustive]
pub struct FlowChange {
    /// Who connects.
    pub from: Party,
    /// Where a service connects from: the nodes for which this is new, or past;
    /// empty for all of its nodes.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub from_nodes: Vec<String>,
    /// The service that is connected to; none for an opening of the machine's own.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub service: Option<String>,
    /// What the service calls the endpoint.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub endpoint: Option<String>,
    /// `tcp` or `udp`.
    pub protocol: String,
    /// `443` or `50000-60000`.
    pub ports: String,
    /// Where: nodes, or the addresses of somebody else's servers; sorted.
    pub nodes: Vec<String>,
    /// Why.
    pub reason: String,
    /// Who could already connect, or still can, where `from` takes them in: the sources
    /// of the flow widen or narrow.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub narrower: Vec<Party>,
}

impl FlowChange {
    /// Whether anybody may connect.
    pub fn is_from_internet(&self) -> bool {
        self.from.is_anybody()
    }
}
