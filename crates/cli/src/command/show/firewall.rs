//! `stageplot show firewall`

use serde::Serialize;
use stageplot_topology::{Hook, Node, Sources, Topology, firewall, words};

use crate::table::Table;

#[derive(Serialize)]
pub(super) struct Row {
    node: String,
    /// `input`: to the node itself; `forward`: to one of its containers.
    hook: &'static str,
    protocol: String,
    ports: String,
    /// Who may: `any`, `bridge` for the node's own containers, or networks.
    sources: Vec<String>,
    reason: String,
}

pub(super) fn rows(topology: &Topology, node: Option<&Node>) -> Vec<Row> {
    let nodes = super::chosen(topology, node).iter();
    nodes
        .flat_map(|node| {
            firewall(topology, node.id).into_iter().map(|rule| Row {
                node: node.name.to_string(),
                hook: match rule.hook {
                    Hook::Input => "input",
                    Hook::Forward => "forward",
                },
                protocol: rule.protocol.to_string(),
                ports: rule.ports.to_string(),
                sources: match rule.sources {
                    Sources::Any => vec!["any".to_owned()],
                    Sources::Bridge => vec!["bridge".to_owned()],
                    Sources::Nets(nets) => nets.iter().map(ToString::to_string).collect(),
                },
                reason: rule.reason,
            })
        })
        .collect()
}

pub(super) fn table(rows: &[Row]) -> Table {
    let mut table = Table::new(["node", "port", "to", "from", "why"]);
    for row in rows {
        let to = if row.hook == "input" { "the node" } else { "a container" };
        let from = match row.sources.as_slice() {
            [one] if one == "any" => "anybody".to_owned(),
            [one] if one == "bridge" => "its containers".to_owned(),
            nets => {
                let plain =
                    nets.iter().map(|net| net.trim_end_matches("/32").trim_end_matches("/128").to_owned());
                words::listed(&plain.collect::<Vec<_>>())
            }
        };
        table.row([
            row.node.clone(),
            format!("{}/{}", row.ports, row.protocol),
            to.to_owned(),
            from,
            row.reason.clone(),
        ]);
    }
    table
}
