//! Which checks there are that everything else is closed: what no flow allows must not
//! answer.

use std::net::IpAddr;

use stageplot_topology::{Attachment, Hook, Node, NodeId, PortRange, Protocol, Sources, Topology, firewall};

use crate::trial::met_at;
use crate::{Place, Stand, Subject, Target, Trial, What};

/// The trials that nothing answers but what the plot allows, from one machine to every
/// other one: all TCP ports and all UDP ports of each address, and the containers, as
/// who routes to them directly meets them.
///
/// They are many thousand connections each, and take minutes; UDP takes a
/// [`Witness`](crate::Witness) on the node that is looked at.
///
/// ```
/// use stageplot_health::{Stand, closed};
/// use stageplot_topology::{Livekit, NodeSpec, Plot, SecretRef};
///
/// let keys = [("main".to_owned(), SecretRef::Env("LIVEKIT_API_SECRET".into()))].into();
/// let topology = Plot::new("live".parse()?)
///     .service("sfu", Livekit { keys, ..Livekit::default() })
///     .node("front", NodeSpec::public("203.0.113.10".parse()?).role("sfu"))
///     .build()?
///     .topology;
/// let ids: Vec<_> = closed(&topology, Stand::Outside).into_iter().map(|trial| trial.id).collect();
/// assert_eq!(ids, [
///     "closed TCP of front: outside to 203.0.113.10",
///     "closed UDP of front: outside to 203.0.113.10",
/// ]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn closed(topology: &Topology, stand: Stand) -> Vec<Trial> {
    let mut trials = Vec::new();
    for node in topology.nodes() {
        let (place, addresses) = match stand {
            Stand::Node(own) if own == node.id => continue,
            Stand::Node(own) => (Place::Node(own), met(topology, own, node)),
            Stand::Outside => (Place::Outside, public(node)),
        };
        let from = place.name(topology);
        let mut add = |what: &str, target: Target, closed: What| {
            trials.push(Trial {
                id: format!("closed {what} of {}: {from} to {target}", node.name),
                subject: Subject::Node(node.id),
                place,
                service: None,
                at: None,
                target,
                what: closed,
                deadline: Trial::CLOSED_DEADLINE,
            });
        };
        for ip in addresses {
            add("TCP", Target::Address(ip), What::ClosedTcp { node: node.id });
            add("UDP", Target::Address(ip), What::ClosedUdp { node: node.id });
        }
        if let Stand::Node(own) = stand
            && has_containers(topology, node.id)
        {
            for ip in met_at(topology, own, node.id) {
                if ip.is_ipv4() || topology.plot().bridge.ipv6 {
                    let target = Target::Address(ip);
                    add("containers", target, What::ClosedContainers { node: node.id });
                }
            }
        }
    }
    trials
}

/// The addresses of a node that another one meets: those of networks that both are in,
/// or else the public ones.
fn met(topology: &Topology, own: NodeId, node: &Node) -> Vec<IpAddr> {
    let met = met_at(topology, own, node.id);
    if met.is_empty() { public(node) } else { met }
}

fn public(node: &Node) -> Vec<IpAddr> {
    node.public.iter().flat_map(|public| public.addresses()).collect()
}

fn has_containers(topology: &Topology, node: NodeId) -> bool {
    topology.placements_on(node).any(|placed| placed.attachment == Attachment::Bridge)
}

/// What a node lets in of one transport, for who comes from one address.
pub(crate) struct LetIn {
    /// By the plot, at processes of the node itself.
    own: Vec<PortRange>,
    /// … and at its containers, to which the kernel sends it on.
    sent_on: Vec<PortRange>,
    /// Perhaps: it depends on an address that we do not know.
    perhaps: Vec<PortRange>,
}

impl LetIn {
    /// What `node` lets in from `source`, where that is the address it sees.
    pub(crate) fn new(topology: &Topology, node: NodeId, protocol: Protocol, source: Source) -> Self {
        let mut let_in = Self { own: Vec::new(), sent_on: Vec::new(), perhaps: Vec::new() };
        for rule in firewall(topology, node).into_iter().filter(|rule| rule.protocol == protocol) {
            let list = match (&rule.sources, source) {
                (Sources::Bridge, _) => continue,
                (Sources::Nets(_), Source::Translated) => &mut let_in.perhaps,
                (Sources::Nets(nets), Source::Seen(ip)) if !nets.iter().any(|net| net.contains(&ip)) => {
                    continue;
                }
                _ if rule.hook == Hook::Input => &mut let_in.own,
                _ => &mut let_in.sent_on,
            };
            list.push(rule.ports);
        }
        let_in
    }

    /// Whether a port may answer.
    pub(crate) fn allows(&self, port: u16) -> bool {
        [&self.own, &self.sent_on, &self.perhaps].iter().any(|list| holds(list, port))
    }

    /// Whether a process of the node itself, and nobody else, is let through to it.
    pub(crate) fn reaches_node(&self, port: u16) -> bool {
        holds(&self.own, port) && !holds(&self.sent_on, port)
    }
}

fn holds(list: &[PortRange], port: u16) -> bool {
    list.iter().any(|ports| (ports.first().number()..=ports.last().number()).contains(&port))
}

/// Which address a node sees us by.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Source {
    /// Our own.
    Seen(IpAddr),
    /// One that somebody on the way gives us.
    Translated,
}

/// Ports as an operator would write them: `22, 80, 7000-7010`, and how many more there
/// are after the first eight.
pub(crate) fn written(ports: &[u16]) -> String {
    const SHOWN: usize = 8;
    let mut runs: Vec<(u16, u16)> = Vec::new();
    for &port in ports {
        match runs.last_mut() {
            Some((_, last)) if last.checked_add(1) == Some(port) => *last = port,
            _ => runs.push((port, port)),
        }
    }
    let shown = runs.iter().take(SHOWN).map(|(first, last)| match first == last {
        true => first.to_string(),
        false => format!("{first}-{last}"),
    });
    let shown: Vec<_> = shown.collect();
    let more: usize = runs.iter().skip(SHOWN).map(|(first, last)| usize::from(last - first) + 1).sum();
    match more {
        0 => shown.join(", "),
        more => format!("{} and {more} more", shown.join(", ")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ports_are_written_as_ranges() {
        assert_eq!(written(&[22]), "22");
        assert_eq!(written(&[1, 2, 3, 5, 65534, 65535]), "1-3, 5, 65534-65535");
        let many: Vec<u16> = (1..=20).map(|port| port * 2).collect();
        assert_eq!(written(&many), "2, 4, 6, 8, 10, 12, 14, 16 and 12 more");
    }
}
