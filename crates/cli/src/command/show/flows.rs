//! `stageplot show flows`

use serde::Serialize;
use stageplot_topology::{Flow, Node, Topology};

use super::Target;
use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    from: String,
    #[serde(flatten)]
    to: Target,
    reason: String,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let flows = topology.flows().iter();
    flows
        .filter(|flow| node.is_none_or(|node| super::concerns(topology, flow.from, flow.to, node)))
        .map(|flow| row(topology, flow))
        .collect()
}

fn row(topology: &Topology, flow: &Flow) -> Row {
    Row {
        from: topology.party_name(flow.from),
        to: Target::of(topology, flow.to),
        reason: flow.reason.to_string(),
    }
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["from", "to", "port", "on", "why"]);
    for row in rows {
        table.row([row.from.clone(), row.to.name(), row.to.port(), row.to.places(), row.reason.clone()]);
    }
    table
}
