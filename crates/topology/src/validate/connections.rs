//! More connections than a database takes, where all pools are full.

use crate::resolve::service_path;
use crate::{App, Code, FieldPath, Findings, Name, Postgres, ServiceSpec, Topology};

/// How many clients a Redis takes where nothing else is said (`maxclients`).
const REDIS_CLIENTS: u64 = 10_000;

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    for service in &topology.services {
        let (takes, why) = match &service.kind {
            ServiceSpec::Postgres(postgres) => {
                let (all, kept) = (postgres.max_connections, Postgres::RESERVED);
                (all.saturating_sub(kept).into(), format!(" ({all} less {kept} for its superuser)"))
            }
            ServiceSpec::Redis(_) => (REDIS_CLIENTS, String::new()),
            _ => continue,
        };
        let pools: Vec<_> = pools(topology, &service.name).collect();
        let sum = pools.iter().map(Pool::connections).fold(0, u64::saturating_add);
        let Some(largest) = pools.iter().max_by_key(|pool| pool.connections()) else { continue };
        if sum <= takes {
            continue;
        }
        let sums: Vec<_> = pools.iter().map(|pool| format!("{}: {pool}", pool.app)).collect();
        let sums = match pools.as_slice() {
            [only] => only.to_string(),
            _ => format!("{}; {sum} together", sums.join(", ")),
        };
        findings.add(
            Code::TooManyConnections,
            largest.path(&service.name),
            format!("{sums}, and {} takes {takes}{why}", service.name),
            match service.kind {
                ServiceSpec::Postgres(_) => {
                    format!("lower the pools, or raise max-connections of {}", service.name)
                }
                _ => "lower the pools".to_owned(),
            },
        );
    }
}

/// How many connections all apps together may hold to a service.
pub(crate) fn pooled(topology: &Topology, service: &Name) -> u64 {
    pools(topology, service).map(|pool| pool.connections()).fold(0, u64::saturating_add)
}

/// What an app may hold to a service.
struct Pool<'a> {
    app: &'a Name,
    nodes: usize,
    each: u32,
}

impl Pool<'_> {
    fn connections(&self) -> u64 {
        (self.nodes as u64).saturating_mul(self.each.into())
    }

    fn path(&self, service: &Name) -> FieldPath {
        service_path(self.app).key("pool").key(service.as_str())
    }
}

impl std::fmt::Display for Pool<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let nodes = if self.nodes == 1 { "node" } else { "nodes" };
        write!(f, "{} {nodes} × {} connections = {}", self.nodes, self.each, self.connections())
    }
}

fn pools<'a>(topology: &'a Topology, service: &'a Name) -> impl Iterator<Item = Pool<'a>> {
    topology.services.iter().filter_map(move |app| {
        let ServiceSpec::App(App { pool, .. }) = &app.kind else { return None };
        let each = *pool.get(service)?;
        Some(Pool { app: &app.name, nodes: app.placements.len(), each })
    })
}
