//! What holds for every plot, tried on random ones.

use std::net::IpAddr;

use proptest::prelude::*;
use stageplot_topology::{
    Attachment, Code, Document, FirewallRule, Flow, Format, Hook, Party, Placement, Plot, Protocol,
    ServiceSpec, Sources, Speaks, TargetHost, Topology, arbitrary, arrivals, dial, firewall, listen,
};

proptest! {
    #![proptest_config(ProptestConfig { cases: 512, ..ProptestConfig::default() })]

    #[test]
    fn a_plot_builds_or_says_why_not(plot in arbitrary::plot()) {
        match plot.build() {
            Ok(built) => prop_assert!(!built.findings.has_errors()),
            Err(findings) => prop_assert!(findings.has_errors()),
        }
    }

    #[test]
    fn every_kind_is_in_the_list_and_has_a_short_form(plot in arbitrary::plot()) {
        for service in plot.services.values() {
            let kind = service.kind();
            prop_assert!(ServiceSpec::KINDS.contains(&kind), "{kind} is not among ServiceSpec::KINDS");
            let text = format!("name = 'live'\n[{kind}]\n");
            let document = Document::parse(Format::Toml, "", &text).expect("TOML");
            let read = Plot::read(&document);
            let findings = read.as_ref().map_or_else(|findings| findings, |built| &built.findings);
            prop_assert!(findings.iter().all(|it| it.code != Code::UnknownField), "{kind}: {findings}");
            // What nothing places is told by its name: it was not lost on the way.
            prop_assert!(findings.to_string().contains(&format!("the role {kind}")), "{kind}: {findings}");
        }
    }

    #[test]
    fn the_order_of_roles_means_nothing(
        (plot, shuffled) in arbitrary::plot()
            .prop_flat_map(|plot| (Just(plot.clone()), arbitrary::shuffled(plot)))
    ) {
        match (plot.build(), shuffled.build()) {
            (Ok(one), Ok(other)) => {
                let (one, other) = (one.topology, other.topology);
                prop_assert_eq!(one.flows(), other.flows());
                for node in one.nodes() {
                    prop_assert_eq!(firewall(&one, node.id), firewall(&other, node.id));
                }
            }
            (Err(one), Err(other)) => prop_assert_eq!(one.to_string(), other.to_string()),
            (one, other) => prop_assert!(false, "{one:?}\nagainst {other:?}"),
        }
    }

    #[test]
    fn every_flow_between_services_arrives(topology in arbitrary::topology()) {
        for (flow, from, to) in pairs(&topology) {
            let target = dial(&topology, from.id, flow.to, to.id);
            let Some(target) = target else {
                return Err(TestCaseError::fail(format!("no way for {}", told(&topology, flow, from, to))));
            };
            let TargetHost::Ip(ip) = target.host else {
                // By name, inside one container network: nothing is published for it.
                prop_assert_eq!((from.node, from.attachment, to.attachment), (to.node, Attachment::Bridge, Attachment::Bridge));
                continue;
            };
            let listening = listen(&topology, flow.to, to.id);
            let takes = |own: &IpAddr| *own == ip || own.is_unspecified() && own.is_ipv4() == ip.is_ipv4();
            prop_assert!(
                listening.iter().any(takes),
                "{} dials {ip}, and {listening:?} is listened on",
                told(&topology, flow, from, to)
            );
            // Relays meet at the addresses that they tell to everybody, not where
            // one would dial the other.
            if from.node != to.node && topology.endpoint(flow.to).speaks != Speaks::Relay {
                let rules = firewall(&topology, to.node);
                let open = rules.iter().any(|rule| lets_in(&topology, rule, flow, ip, from, to));
                prop_assert!(open, "{} is shut out of {rules:#?}", told(&topology, flow, from, to));
            }
        }
    }

    #[test]
    fn every_arrival_has_a_rule(topology in arbitrary::topology()) {
        for flow in topology.flows() {
            let endpoint = topology.endpoint(flow.to);
            for &at in &endpoint.at {
                let rules = firewall(&topology, topology.placement(at).node);
                for arrival in arrivals(&topology, flow, at) {
                    let covers = |rule: &&FirewallRule| {
                        let rule = *rule;
                        (rule.hook, rule.protocol) == (arrival.hook, endpoint.protocol)
                            && rule.ports.first() <= endpoint.ports.first()
                            && endpoint.ports.last() <= rule.ports.last()
                            && contains(&rule.sources, &arrival.sources)
                    };
                    prop_assert!(rules.iter().any(|rule| covers(&rule)), "{arrival:?} of {flow:?}: {rules:#?}");
                }
            }
        }
    }

    #[test]
    fn a_rule_lets_in_what_a_flow_wants(topology in arbitrary::topology()) {
        for node in topology.nodes() {
            let rules = firewall(&topology, node.id);
            // The first is the operator's way in, which stands in no flow.
            prop_assert_eq!((rules[0].protocol, rules[0].ports.first().number()), (Protocol::Tcp, 22));
            for rule in &rules[1..] {
                let wanted = topology.placements_on(node.id).any(|placement| {
                    let endpoints = topology.endpoints_of(placement.service).iter();
                    let mut endpoints = endpoints.filter(|e| e.is_at(placement.id));
                    endpoints.any(|e| (e.protocol, e.ports) == (rule.protocol, rule.ports)
                        && topology.flows_to(e.id).any(|flow| {
                            arrivals(&topology, flow, placement.id).iter()
                                .any(|a| (a.hook, &a.sources) == (rule.hook, &rule.sources))
                        }))
                });
                prop_assert!(wanted, "nobody wants {rule:?}");
            }
        }
    }
}

/// Random plots are worth something only while a good part of them builds.
#[test]
fn many_random_plots_build() {
    use proptest::strategy::ValueTree as _;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let mut refused = std::collections::BTreeMap::new();
    let mut built = 0;
    for _ in 0..400 {
        let plot = arbitrary::plot().new_tree(&mut runner).expect("a plot").current();
        match plot.build() {
            Ok(_) => built += 1,
            Err(findings) => {
                let codes = findings.iter().filter(|f| f.severity == stageplot_topology::Severity::Error);
                for code in codes.map(|f| f.code).collect::<std::collections::BTreeSet<_>>() {
                    *refused.entry(code.as_str()).or_insert(0) += 1;
                }
            }
        }
    }
    assert!(built > 120, "{built} of 400 build; refused for {refused:?}");
}

/// Every flow between services with the placements it joins.
fn pairs(topology: &Topology) -> Vec<(&Flow, Placement, Placement)> {
    let mut pairs = Vec::new();
    for flow in topology.flows() {
        let Party::Service(client) = flow.from else { continue };
        for &from in &topology.service(client).placements {
            for &to in &topology.endpoint(flow.to).at {
                pairs.push((flow, topology.placement(from), topology.placement(to)));
            }
        }
    }
    pairs
}

/// Whether all of `narrow` are among `wide`.
fn contains(wide: &Sources, narrow: &Sources) -> bool {
    match (wide, narrow) {
        (Sources::Any, _) => true,
        (Sources::Nets(wide), Sources::Nets(narrow)) => {
            narrow.iter().all(|narrow| wide.iter().any(|wide| wide.contains(narrow)))
        }
        (wide, narrow) => wide == narrow,
    }
}

/// Whether a rule lets in a connection of this flow to `ip`, wherever Docker
/// may hand it over.
fn lets_in(
    topology: &Topology,
    rule: &FirewallRule,
    flow: &Flow,
    ip: IpAddr,
    from: Placement,
    to: Placement,
) -> bool {
    let endpoint = topology.endpoint(flow.to);
    // Without its translation of IPv6, Docker answers there by a process of its own.
    let proxied = ip.is_ipv6() && !topology.plot().bridge.ipv6;
    let hook = if to.attachment == Attachment::Bridge && !proxied { Hook::Forward } else { Hook::Input };
    // It comes from the client's address on the side of the address dialled.
    let (client, server) = (topology.node(from.node), topology.node(to.node));
    let side = server.addresses.iter().find(|address| address.ip == ip).map(|address| address.network);
    let private = client.addresses.iter().filter(|own| side == Some(own.network)).map(|own| own.ip);
    let public = client.public.into_iter().flat_map(|public| public.addresses()).filter(|_| side.is_none());
    let mut own = private.chain(public).filter(|own| own.is_ipv4() == ip.is_ipv4());
    let known = match &rule.sources {
        Sources::Any => true,
        Sources::Nets(nets) => own.any(|own| nets.iter().any(|net| net.contains(&own))),
        Sources::Bridge => false,
    };
    known
        && (rule.hook, rule.protocol) == (hook, endpoint.protocol)
        && rule.ports.first() <= endpoint.ports.first()
        && endpoint.ports.last() <= rule.ports.last()
}

fn told(topology: &Topology, flow: &Flow, from: Placement, to: Placement) -> String {
    let place =
        |p: Placement| format!("{} on {}", topology.service(p.service).name, topology.node(p.node).name);
    format!("{} → {} ({}), {:?} → {:?}", place(from), place(to), flow.reason, from.attachment, to.attachment)
}
