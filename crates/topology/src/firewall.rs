//! What each node's firewall lets in: the flows that arrive there, and what the
//! operator keeps open; nothing more.

use std::collections::BTreeSet;

use ipnet::IpNet;

use crate::arrival::{Hook, Sources, arrivals};
use crate::{NodeId, PortRange, Protocol, Topology};

/// One thing that a node's firewall lets in.
///
/// ```
/// use stageplot_topology::{Hook, Sources, firewall};
/// # use stageplot_topology::*;
/// # let topology = Plot::new("live".parse()?)
/// #     .service("cache", Redis::default())
/// #     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
/// #     .build()?
/// #     .topology;
/// let rule = &firewall(&topology, topology.nodes()[0].id)[0];
/// assert_eq!((rule.hook, &rule.sources), (Hook::Input, &Sources::Any));
/// assert_eq!((rule.ports.to_string(), rule.reason.as_str()), ("22".to_owned(), "ssh: the operator's way in"));
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
#[non_exhaustive]
pub struct FirewallRule {
    /// Where in the kernel it comes by.
    pub hook: Hook,
    /// The transport.
    pub protocol: Protocol,
    /// The ports dialled.
    pub ports: PortRange,
    /// Who may.
    pub sources: Sources,
    /// Why, for the comment beside the rule.
    pub reason: String,
}

/// What `node` lets in: the operator's way first, then by hook, protocol, port.
///
/// A rule that another one covers is left out.
///
/// ```
/// use stageplot_topology::{Sources, firewall};
/// # let text = r#"
/// #     name = "live"
/// #     [nodes.front]
/// #     address = "10.0.0.1"
/// #     public = "203.0.113.10"
/// #     roles = "edge"
/// #     [nodes.media]
/// #     address = "10.0.0.2"
/// #     public = "203.0.113.11"
/// #     roles = "livekit"
/// #     [edge]
/// #     domain = "livekit.example.com"
/// #     [livekit]
/// #     keys = { main = { env = "LIVEKIT_API_SECRET" } }
/// # "#;
/// # let document = stageplot_topology::Document::parse(stageplot_topology::Format::Toml, "", text)?;
/// # let topology = stageplot_topology::Plot::read(&document)?.topology;
/// let front = topology.node_named("front").ok_or("a node")?;
/// let rules = firewall(&topology, front.id);
/// let open = rules.iter().filter(|rule| rule.sources == Sources::Any);
/// let ports: Vec<_> = open.map(|rule| format!("{}/{}", rule.ports, rule.protocol)).collect();
/// assert_eq!(ports, ["22/tcp", "80/tcp", "443/tcp", "443/udp"]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn firewall(topology: &Topology, node: NodeId) -> Vec<FirewallRule> {
    let access = &topology.plot().access;
    let mut rules: Vec<_> = topology
        .sources(&access.ssh.from)
        .into_iter()
        .map(|sources| FirewallRule {
            hook: Hook::Input,
            protocol: Protocol::Tcp,
            ports: access.ssh.port.into(),
            sources,
            reason: "ssh: the operator's way in".to_owned(),
        })
        .collect();
    let mut others = BTreeSet::new();
    for keep in &access.keep {
        let why = if keep.why.is_empty() { "kept open" } else { &keep.why };
        for sources in topology.sources(&keep.from) {
            // What is kept may be a process or a published port of a container.
            for hook in [Hook::Input, Hook::Forward] {
                others.insert(FirewallRule {
                    hook,
                    protocol: keep.protocol,
                    ports: keep.port,
                    sources: sources.clone(),
                    reason: format!("keep: {why}"),
                });
            }
        }
    }
    for placement in topology.placements_on(node) {
        let service = topology.service(placement.service);
        for endpoint in topology.endpoints_of(placement.service) {
            if !endpoint.is_at(placement.id) {
                continue;
            }
            for flow in topology.flows_to(endpoint.id) {
                let from = topology.party_name(flow.from);
                for arrival in arrivals(topology, flow, placement.id) {
                    others.insert(FirewallRule {
                        hook: arrival.hook,
                        protocol: endpoint.protocol,
                        ports: endpoint.ports,
                        sources: arrival.sources,
                        reason: format!("{} {} from {from}: {}", service.name, endpoint.name, flow.reason),
                    });
                }
            }
        }
    }
    let open: Vec<_> = others.iter().filter(|rule| is_open(&rule.sources)).cloned().collect();
    let covered = |rule: &FirewallRule| {
        !is_open(&rule.sources)
            && open.iter().any(|wide| {
                (wide.hook, wide.protocol) == (rule.hook, rule.protocol)
                    && wide.ports.first() <= rule.ports.first()
                    && rule.ports.last() <= wide.ports.last()
                    && covers(&wide.sources, &rule.sources)
            })
    };
    rules.extend(merged(others.into_iter().filter(|rule| !covered(rule))));
    rules
}

impl Topology {
    /// The name of the plot's nftables table, on every node; its family is `inet`.
    ///
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot, Redis};
    ///
    /// let built = Plot::new("live-two".parse()?)
    ///     .service("cache", Redis::default())
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    ///     .build()?;
    /// assert_eq!(built.topology.firewall_table(), "stageplot_live_two");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn firewall_table(&self) -> String {
        format!("stageplot_{}", self.name().as_str().replace('-', "_"))
    }
}

/// Rules that let in the same for several reasons become one with all of them.
fn merged(rules: impl Iterator<Item = FirewallRule>) -> Vec<FirewallRule> {
    let mut merged: Vec<FirewallRule> = Vec::new();
    for rule in rules {
        let lets_in = |rule: &FirewallRule| (rule.hook, rule.protocol, rule.ports, rule.sources.clone());
        match merged.last_mut() {
            Some(last) if lets_in(last) == lets_in(&rule) => {
                last.reason.push_str("; ");
                last.reason.push_str(&rule.reason);
            }
            _ => merged.push(rule),
        }
    }
    merged
}

/// Whether anybody may, over IPv4, IPv6 or both.
pub(crate) fn is_open(sources: &Sources) -> bool {
    match sources {
        Sources::Any => true,
        Sources::Nets(nets) => nets.iter().any(|net| net.prefix_len() == 0),
        Sources::Bridge => false,
    }
}

/// Whether all of the narrow ones are among the wide ones, as far as it takes a
/// look at those that are open to see that.
fn covers(wide: &Sources, narrow: &Sources) -> bool {
    let Sources::Nets(wide) = wide else { return *wide == Sources::Any };
    let family = |v4: bool| wide.iter().any(|net| net.prefix_len() == 0 && matches!(net, IpNet::V4(_)) == v4);
    match narrow {
        Sources::Any => false,
        Sources::Nets(nets) => nets.iter().all(|net| family(matches!(net, IpNet::V4(_)))),
        Sources::Bridge => family(true),
    }
}
