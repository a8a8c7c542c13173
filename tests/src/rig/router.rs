//! One-to-one address translation, as clouds have it in front of their machines.

use std::net::{IpAddr, Ipv4Addr};

use stageplot_topology::Node;

use crate::namespace::{Lan, Namespace};

/// What a node is translated from and to: its private and its public address, where it
/// has not got the latter itself.
pub(super) fn translated(node: &Node) -> Option<(Ipv4Addr, Ipv4Addr)> {
    let public = node.public.filter(|public| !public.bound)?.v4?;
    let private = node.addresses.iter().find_map(|address| match address.ip {
        IpAddr::V4(v4) => Some(v4),
        IpAddr::V6(_) => None,
    })?;
    Some((private, public))
}

/// Puts a router in front of a node's machine, which has the public address in its place.
pub(super) fn start(
    lan: &Lan,
    machine: &Namespace,
    node: &Node,
    (private, public): (Ipv4Addr, Ipv4Addr),
) -> Namespace {
    let router = lan.machine(&format!("{}-router", node.name), &[&format!("{public}/32")]);
    router.sysctl("net.ipv4.ip_forward", "1");
    // Both its sides are one wire; it is not to tell the machine of a shorter way.
    for interface in ["all", "eth0"] {
        router.sysctl(&format!("net.ipv4.conf.{interface}.send_redirects"), "0");
    }
    router.run("nft", &["add", "table", "ip", "translation"]).success();
    for (chain, hook, rule) in [
        ("in", "prerouting priority -100", format!("ip daddr {public} dnat to {private}")),
        ("out", "postrouting priority 100", format!("ip saddr {private} snat to {public}")),
    ] {
        let hook = format!("{{ type nat hook {hook}; }}");
        router.run("nft", &["add", "chain", "ip", "translation", chain, &hook]).success();
        router.run("nft", &["add", "rule", "ip", "translation", chain, &rule]).success();
    }
    // Public addresses are nobody's own in the machine's networks, so this one will do.
    let way = ["via", &public.to_string(), "dev", "eth0", "onlink", "src", &private.to_string()];
    machine.ip(&[&["-4", "route", "replace", "default"][..], &way].concat());
    router
}
