//! Where a check is tried from.

use stageplot_topology::{Attachment, NodeId, PlacementId, Topology};

/// Where a check is tried from: what can be reached differs from place to place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Place {
    /// A node, as a process there sees the network.
    Node(NodeId),
    /// The network namespace of a container, for one on the plot's container network.
    Container(PlacementId),
    /// A machine that is none of the plot's: where its clients are.
    Outside,
}

/// Whose checks are tried: those of one machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum Stand {
    /// A node, and the containers on it.
    Node(NodeId),
    /// A machine that is none of the plot's.
    Outside,
}

impl Place {
    /// Where a placed service meets the network.
    pub fn of(topology: &Topology, placement: PlacementId) -> Self {
        let placed = topology.placement(placement);
        match placed.attachment {
            Attachment::Bridge => Self::Container(placement),
            Attachment::Host | Attachment::OffDocker => Self::Node(placed.node),
        }
    }

    /// The machine that it is on.
    pub fn stand(self, topology: &Topology) -> Stand {
        match self {
            Self::Node(node) => Stand::Node(node),
            Self::Container(placement) => Stand::Node(topology.placement(placement).node),
            Self::Outside => Stand::Outside,
        }
    }

    /// As an operator would say it: `media-1`, `rooms in its container on front`, `outside`.
    pub fn name(self, topology: &Topology) -> String {
        match self {
            Self::Node(node) => topology.node(node).name.to_string(),
            Self::Container(placement) => {
                let placed = topology.placement(placement);
                let (service, node) = (topology.service(placed.service), topology.node(placed.node));
                format!("{} in its container on {}", service.name, node.name)
            }
            Self::Outside => "outside".to_owned(),
        }
    }
}
