//! Which machines clients can reach, by what address.

use std::net::IpAddr;

use super::survey::Survey;
use crate::{Code, FieldPath, Name, NodeSpec};

/// Says which of these edges have no address that clients reach. A file names a
/// machine as the others see it, which is often not as clients do.
pub(super) fn unreached(survey: &mut Survey, private: &[usize], names: &[Name]) {
    let Some((&first, others)) = private.split_first() else { return };
    let (have, it) = if others.is_empty() { ("has", "it") } else { ("have", "them") };
    let nodes = FieldPath::root().key("nodes");
    let path = nodes.key(names[first].as_str()).key("public");
    survey.findings.add(
        Code::EnvMissing,
        if others.is_empty() { path } else { nodes },
        format!(
            "{}, where Caddy runs, {have} no public address: clients on the Internet cannot reach {it}",
            all(names, private)
        ),
        format!(
            "write public = \"ADDRESS\" under [nodes.{}]{}: the address to which the domain leads",
            names[first],
            if others.is_empty() { "" } else { " and so on" }
        ),
    );
}

/// A machine with the address by which the others know it.
pub(super) fn node(address: IpAddr) -> NodeSpec {
    if is_public(address) { NodeSpec::public(address) } else { NodeSpec::private(address) }
}

/// Names with commas between.
pub(super) fn all(names: &[Name], machines: &[usize]) -> String {
    let words: Vec<_> = machines.iter().map(|&machine| names[machine].as_str()).collect();
    words.join(", ")
}

/// Whether the Internet can reach an address: it is in none of the ranges for
/// private use (RFC 1918, RFC 4193), shared use (RFC 6598) and one link alone.
pub(super) fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(v4) => {
            let [first, second, ..] = v4.octets();
            let is_shared = first == 100 && second & 0xc0 == 64;
            !(v4.is_private() || v4.is_link_local() || is_shared || v4.is_loopback())
        }
        IpAddr::V6(v6) => !(v6.is_unique_local() || v6.is_unicast_link_local() || v6.is_loopback()),
    }
}
