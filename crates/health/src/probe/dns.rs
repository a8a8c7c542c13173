//! DNS (RFC 1035): whether a name leads where it should.

use std::collections::BTreeSet;
use std::net::IpAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::proto::rr::RecordType;
use stageplot_topology::{HostName, NodeId};

use super::{Attempt, Step};
use crate::{Cause, Problem};

/// A name has exactly the addresses of these nodes, by the system's resolver.
pub(super) async fn resolves(
    attempt: &mut Attempt<'_>,
    name: &HostName,
    nodes: &[NodeId],
) -> Result<(), Problem> {
    let unusable = |error: &dyn std::fmt::Display| {
        Problem::not_tried(Cause::NotPermitted, format!("this system's resolver cannot be used: {error}"))
    };
    let resolver = TokioResolver::builder_tokio().map_err(|error| unusable(&error))?;
    let resolver = resolver.build().map_err(|error| unusable(&error))?;
    let topology = attempt.scene.topology.clone();
    let publics = nodes.iter().flat_map(|&node| topology.node(node).public).collect::<Vec<_>>();
    let wanted: BTreeSet<IpAddr> = publics.iter().flat_map(|public| public.addresses()).collect();
    // The final dot keeps the resolver from trying the domains that it is in.
    let absolute = format!("{name}.");
    let mut found = BTreeSet::new();
    for kind in [RecordType::A, RecordType::AAAA] {
        match resolver.lookup(absolute.as_str(), kind).await {
            Ok(answer) => {
                attempt.progress.reached(Step::Answering);
                for record in answer.answers() {
                    attempt.evidence.note("ttl-seconds", record.ttl);
                    found.extend(record.data.ip_addr());
                }
            }
            Err(error) if error.is_no_records_found() => {}
            Err(error) => {
                let what = format!("the resolver has no answer for {name}: {error}");
                return Err(Problem::failed(Cause::NameUnknown, what));
            }
        }
    }
    let words = |addresses: &mut dyn Iterator<Item = &IpAddr>| {
        addresses.map(ToString::to_string).collect::<Vec<_>>().join(", ")
    };
    attempt.evidence.note("addresses", words(&mut found.iter()));
    if found.is_empty() {
        let what = format!("{name} has no address; it should lead to {}", words(&mut wanted.iter()));
        return Err(Problem::failed(Cause::NameUnknown, what));
    }
    let (strange, missing) = (found.difference(&wanted), wanted.difference(&found));
    let (strange, missing) = (words(&mut strange.into_iter()), words(&mut missing.into_iter()));
    if !strange.is_empty() {
        let what = format!("{name} leads to {strange}, where nothing of the plot answers by it");
        return Err(Problem::failed(Cause::NameElsewhere, what));
    }
    if !missing.is_empty() {
        let what = format!("{name} does not lead to {missing}, which answers by it too");
        return Err(Problem::degraded(Cause::NameElsewhere, what));
    }
    Ok(())
}
