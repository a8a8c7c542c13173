//! A database that somebody else runs: how it is trusted, and what goes wrong with it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::endpoint::Speaks;
use crate::resolve::Draft;
use crate::validate::Review;
use crate::{Code, HostName, Port, Protocol, RemoteAddress, SecretRef};

/// How to trust an external Redis or Postgres.
///
/// ```
/// use stageplot_topology::{RemoteTls, SecretRef};
///
/// let tls = RemoteTls { ca: Some(SecretRef::File("redis-ca.pem".to_owned())), ..RemoteTls::default() };
/// ```
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ server-name = \"redis.example.com\" }"
)]
pub struct RemoteTls {
    /// The authority's root in PEM, where it is a private one.
    #[serde(deserialize_with = "crate::value::secret_or_path")]
    pub ca: Option<SecretRef>,
    /// The name in its certificate, where it differs from the address.
    pub server_name: Option<HostName>,
}

/// What clients dial, by its part and its port.
pub(super) fn endpoints(name: &'static str, speaks: &Speaks, addresses: &[RemoteAddress]) -> Vec<Draft> {
    let mut by_port: BTreeMap<Port, Vec<RemoteAddress>> = BTreeMap::new();
    for address in addresses {
        by_port.entry(address.port).or_default().push(address.clone());
    }
    let several = by_port.len() > 1;
    let endpoint = |(port, elsewhere)| {
        let draft = Draft::new(name, Protocol::Tcp, port, speaks.clone());
        let name = if several { format!("{name}-{port}").into() } else { draft.name };
        Draft { name, elsewhere, ..draft }
    };
    by_port.into_iter().map(endpoint).collect()
}

/// Says so where nodes have it as a role, and where it stands on a node of the plot, whose
/// firewall knows of no reason to let its clients in.
pub(super) fn review<'a>(addresses: impl Iterator<Item = &'a RemoteAddress>, review: &mut Review<'_>) {
    let (topology, name) = (review.topology(), &review.service().name);
    if !review.service().placements.is_empty() {
        review.add(
            Code::ExternalService,
            "external",
            format!("{name} is run by somebody else, and nodes have it as a role"),
            "take the role away, or leave out external",
        );
    }
    for address in addresses {
        let Ok(ip) = address.host.parse() else { continue };
        let Some(node) = topology.nodes().iter().find(|node| node.has(ip)) else { continue };
        let mut kept = topology.plot().access.keep.iter();
        if kept.any(|keep| keep.protocol == Protocol::Tcp && keep.port.overlaps(address.port.into())) {
            continue;
        }
        review.add(
            Code::ExternalOnNode,
            "external",
            format!("{address} is {}, a node of this plot, whose firewall keeps {} closed", node.name, address.port),
            format!(
                "let the plot run it: leave out external and add \"{name}\" to the roles of {}; or keep the port \
                 open with access.keep",
                node.name
            ),
        );
    }
}
