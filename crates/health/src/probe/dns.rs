//! DNS (RFC 1035): whether a name leads where it should.

use std::collections::BTreeSet;
use std::fmt::Display;
use std::net::{IpAddr, SocketAddr};

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RecordType;
use stageplot_topology::{HostName, NodeId};

use super::{Attempt, Step};
use crate::{Cause, Problem};

/// A name has exactly the addresses of these nodes, by the system's resolver and by every
/// server that is to be asked beside it.
pub(super) async fn resolves(
    attempt: &mut Attempt<'_>,
    name: &HostName,
    nodes: &[NodeId],
) -> Result<(), Problem> {
    let topology = attempt.scene.topology.clone();
    let publics = nodes.iter().flat_map(|&node| topology.node(node).public).collect::<Vec<_>>();
    let wanted: BTreeSet<IpAddr> = publics.iter().flat_map(|public| public.addresses()).collect();
    let servers = attempt.scene.options.resolvers.clone();
    let system = attempt.scene.options.system_resolver.then_some(None);
    for server in system.into_iter().chain(servers.into_iter().map(Some)) {
        let found = attempt.addresses(name, server).await?;
        let by = server.map(|server| format!(" by {server}")).unwrap_or_default();
        compare(name, &by, &found, &wanted)?;
    }
    Ok(())
}

impl Attempt<'_> {
    /// The addresses of a name, by a server or by the system's resolver.
    async fn addresses(
        &mut self,
        name: &HostName,
        server: Option<SocketAddr>,
    ) -> Result<BTreeSet<IpAddr>, Problem> {
        let resolver = resolver(server).map_err(|error| {
            Problem::not_tried(Cause::NotPermitted, format!("this system's resolver cannot be used: {error}"))
        })?;
        // The final dot keeps the resolver from trying the domains that it is in.
        let absolute = format!("{name}.");
        let mut found = BTreeSet::new();
        for kind in [RecordType::A, RecordType::AAAA] {
            match resolver.lookup(absolute.as_str(), kind).await {
                Ok(answer) => {
                    self.progress.reached(Step::Answering);
                    for record in answer.answers() {
                        self.evidence.note("ttl-seconds", record.ttl);
                        found.extend(record.data.ip_addr());
                    }
                }
                Err(error) if error.is_no_records_found() => {}
                Err(error) => {
                    let who = server.map_or_else(|| "the resolver".to_owned(), |server| server.to_string());
                    let what = format!("{who} has no answer for {name}: {error}");
                    return Err(Problem::failed(Cause::NameUnknown, what));
                }
            }
        }
        self.evidence.note("addresses", words(&mut found.iter()));
        Ok(found)
    }
}

/// Who is asked.
fn resolver(server: Option<SocketAddr>) -> Result<TokioResolver, impl Display> {
    let builder = match server {
        None => TokioResolver::builder_tokio()?,
        Some(server) => {
            let at = |mut connection: ConnectionConfig| {
                connection.port = server.port();
                connection
            };
            let connections = vec![at(ConnectionConfig::udp()), at(ConnectionConfig::tcp())];
            let server = NameServerConfig::new(server.ip(), true, connections);
            let config = ResolverConfig::from_parts(None, Vec::new(), vec![server]);
            TokioResolver::builder_with_config(config, TokioRuntimeProvider::default())
        }
    };
    builder.build()
}

/// Whether a name leads where it should.
fn compare(
    name: &HostName,
    by: &str,
    found: &BTreeSet<IpAddr>,
    wanted: &BTreeSet<IpAddr>,
) -> Result<(), Problem> {
    if found.is_empty() {
        let what = format!("{name} has no address{by}; it should lead to {}", words(&mut wanted.iter()));
        return Err(Problem::failed(Cause::NameUnknown, what));
    }
    let strange = words(&mut found.difference(wanted));
    if !strange.is_empty() {
        let what = format!("{name} leads to {strange}{by}, where nothing of the plot answers by it");
        return Err(Problem::failed(Cause::NameElsewhere, what));
    }
    let missing = words(&mut wanted.difference(found));
    if !missing.is_empty() {
        let what = format!("{name} does not lead to {missing}{by}, which answers by it too");
        return Err(Problem::degraded(Cause::NameElsewhere, what));
    }
    Ok(())
}

fn words(addresses: &mut dyn Iterator<Item = &IpAddr>) -> String {
    addresses.map(ToString::to_string).collect::<Vec<_>>().join(", ")
}
