//! The firewall: an nftables table of our own, and ufw commands where ufw
//! guards what ends on the node itself.

use ipnet::IpNet;
use serde::Serialize;
use stageplot_topology::{FirewallInput, FirewallRule, Hook, NodeId, Protocol, Sources, Topology, firewall};

use crate::artifact::{Artifact, Change, Owner};
use crate::template::{Dialect, Template, Templates};
use crate::{RenderError, bridge_name};

pub(crate) const TEMPLATES: &[Template] = &[
    Template::new("firewall.nft", Dialect::Nftables, include_str!("../templates/firewall.nft")),
    Template::new("ufw.sh", Dialect::Shell, include_str!("../templates/ufw.sh")),
];

/// What both templates are given.
#[derive(Serialize)]
struct Firewall {
    /// The table's name.
    table: String,
    /// How the comments of our own rules begin, by which `ufw.sh` knows them.
    mark: String,
    bridge: String,
    bridge_v4: String,
    bridge_v6: String,
    /// Whether our table guards what ends on the node itself.
    guards_input: bool,
    input: Vec<Line>,
    forward: Vec<Line>,
}

/// One rule. A source of both families makes two.
#[derive(Serialize)]
struct Line {
    protocol: Protocol,
    /// `22` or `50000-60000`.
    ports: String,
    /// `50000:60000`, as ufw has it; like its reason only where ufw is asked.
    #[serde(skip_serializing_if = "Option::is_none")]
    ufw_ports: Option<String>,
    /// `ip` or `ip6`; none for anybody.
    #[serde(skip_serializing_if = "Option::is_none")]
    family: Option<&'static str>,
    sources: Vec<String>,
    /// Whether it comes from the node's own containers.
    bridge: bool,
    reason: String,
    /// The same as ufw takes it.
    #[serde(skip_serializing_if = "Option::is_none")]
    ufw_reason: Option<String>,
}

/// The firewall's files for a node.
pub(crate) fn render(
    topology: &Topology,
    node: NodeId,
    templates: &Templates,
) -> Result<Vec<Artifact>, RenderError> {
    let rules = firewall(topology, node);
    let bridge = &topology.plot().bridge;
    let input = topology.plot().firewall.input;
    let ufw = input == FirewallInput::Ufw;
    let lines = |hook: Hook| {
        rules.iter().filter(|rule| rule.hook == hook).flat_map(|rule| lines(rule, ufw)).collect()
    };
    let firewall = Firewall {
        table: topology.firewall_table(),
        mark: format!("stageplot {}", topology.name()),
        bridge: bridge_name(topology),
        bridge_v4: bridge.v4.to_string(),
        bridge_v6: bridge.v6.to_string(),
        guards_input: input == FirewallInput::Nftables,
        input: lines(Hook::Input),
        forward: lines(Hook::Forward),
    };
    let nft = templates.render("firewall.nft", &firewall)?;
    let mut artifacts =
        vec![Artifact::private("firewall/stageplot.nft", nft, Owner::ROOT).changes(Change::Reload)];
    if ufw {
        let ufw = templates.render("ufw.sh", &firewall)?;
        artifacts.push(Artifact::private("firewall/ufw.sh", ufw, Owner::ROOT).changes(Change::Reload));
    }
    Ok(artifacts)
}

fn lines(rule: &FirewallRule, ufw: bool) -> Vec<Line> {
    let line = |family, sources, bridge| Line {
        protocol: rule.protocol,
        ports: rule.ports.to_string(),
        ufw_ports: ufw.then(|| rule.ports.to_string().replace('-', ":")),
        family,
        sources,
        bridge,
        reason: comment(&rule.reason),
        ufw_reason: ufw.then(|| ufw_comment(&rule.reason)),
    };
    match &rule.sources {
        Sources::Any => vec![line(None, Vec::new(), false)],
        Sources::Bridge => vec![line(Some("ip"), Vec::new(), true)],
        Sources::Nets(nets) => {
            let of = |v6: bool| {
                let nets = nets.iter().filter(move |net| matches!(net, IpNet::V6(_)) == v6);
                nets.map(|net| match net.prefix_len() == net.max_prefix_len() {
                    true => net.addr().to_string(),
                    false => net.to_string(),
                })
            };
            let families = [("ip", of(false).collect::<Vec<_>>()), ("ip6", of(true).collect())];
            let present = families.into_iter().filter(|(_, nets)| !nets.is_empty());
            present.map(|(family, nets)| line(Some(family), nets, false)).collect()
        }
    }
}

/// The most bytes of a reason; a comment in nftables holds 127.
const LONGEST: usize = 120;

/// A reason as nftables takes it: one line, without a double quote, nor the wildcard at
/// its end.
fn comment(reason: &str) -> String {
    let mut text = reason.replace('"', "'").replace(char::is_control, " ");
    text.truncate(text.floor_char_boundary(LONGEST));
    text.truncate(text.trim_end_matches(['*', ' ']).len());
    // An empty one means nothing to nft.
    if text.is_empty() { "-".to_owned() } else { text }
}

/// A reason as ufw takes it, whose comments hold no single quotes: one line of plain
/// characters, and an apostrophe as printers have it.
fn ufw_comment(reason: &str) -> String {
    let plain = |c: char| match c {
        '\'' => '\u{2019}',
        '"' | '\\' | '`' | '$' | '*' => '?',
        c if c.is_ascii_graphic() || c == ' ' => c,
        _ => '?',
    };
    reason.chars().map(plain).take(LONGEST).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_what_its_program_takes() {
        assert_eq!(comment("ssh: the operator's way in"), "ssh: the operator's way in");
        assert_eq!(comment("\"a\"\nb: every *"), "'a' b: every");
        assert_eq!(comment(" **"), "-");
        assert_eq!(comment(&"é".repeat(100)).len(), LONGEST);
        assert_eq!(ufw_comment("ssh: the operator's way in"), "ssh: the operator\u{2019}s way in");
    }
}
