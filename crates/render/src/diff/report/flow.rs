//! Flows that open or close.

use serde::Serialize;

use crate::summary::Party;

/// A flow that opens or closes: who may connect to what.
///
/// [`opens`](Self::opens) and [`closes`](Self::closes) say it in words.
///
/// ```
/// use stageplot_render::diff::{self, Side};
/// # use stageplot_render::{Custom, Secrets, render};
/// # use stageplot_topology::{App, NodeSpec, Opening, Plot, Port};
/// # let side = |app: App| -> Result<Side, Box<dyn std::error::Error>> {
/// #     let topology = Plot::new("live".parse()?)
/// #         .service("ingest", app)
/// #         .node("front", NodeSpec::public("203.0.113.10".parse()?).role("ingest"))
/// #         .build()?
/// #         .topology;
/// #     Ok(Side::of(&topology, render(&topology, Secrets::SEALED, &Custom::default())?)?)
/// # };
/// let closed = side(App::host().port(Port::fixed(8080)))?;
/// let open = side(App::host().port(Port::fixed(8080)).open("rtmp", Opening::tcp(Port::fixed(1935))))?;
/// let flow = &diff::between(&closed, &open).opened[0];
/// assert!(flow.is_from_internet());
/// assert!(flow.opens().starts_with("the Internet can now reach 1935/tcp on front"));
/// let flow = &diff::between(&open, &closed).closed[0];
/// assert!(flow.closes().starts_with("the Internet no longer reaches 1935/tcp on front"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
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
