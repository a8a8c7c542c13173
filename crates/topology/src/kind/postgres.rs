//! `postgres`: one primary and as many replicas as wanted, or a Postgres elsewhere.

use serde::{Deserialize, Serialize};

use super::remote::{self, RemoteTls};
use super::{ContainerNetwork, Kind, Limits, copies};
use crate::check::{Probe, Promise};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring};
use crate::validate::{Review, pooled};
use crate::{
    Attachment, ByteSize, Code, Findings, Identifier, ImageRef, Name, Party, PlacementId, Port,
    RemoteAddress, SecretRef, Service, Topology,
};

/// A Postgres that the plot runs, or with [`Postgres::external`] one that it uses.
///
/// ```
/// use stageplot_topology::{Postgres, SecretRef};
///
/// let db = Postgres {
///     database: "fluxcode".parse()?,
///     user: "fluxcode".parse()?,
///     password: Some(SecretRef::env("POSTGRES_PASSWORD")),
///     max_connections: 200,
///     ..Postgres::default()
/// };
/// assert_eq!(db.major_version(), Some(16));
/// # Ok::<(), stageplot_topology::InvalidIdentifier>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ password = { env = \"POSTGRES_PASSWORD\" } }"
)]
pub struct Postgres {
    /// The node with the writable copy. May be left out where the service is
    /// placed on one node only; on every further node it is a replica.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Name>")]
    pub primary: Vec<Name>,
    /// The database that is made where there is no data yet.
    pub database: Identifier,
    /// The user that clients log in as; made with the database, as its superuser.
    pub user: Identifier,
    /// What that user authenticates with. A new one is taken over at the next start.
    pub password: Option<SecretRef>,
    /// What replicas authenticate with at the primary, as a role of their own.
    pub replication_password: Option<SecretRef>,
    /// The port that it listens on.
    pub port: Port,
    /// How many connections it takes, of which it keeps three for its superuser.
    pub max_connections: u32,
    /// How much memory all its processes share for data that was read.
    pub shared_buffers: ByteSize,
    /// Host network or the plot's container network.
    pub network: ContainerNetwork,
    /// The image; Postgres 13 or later, with the official image's entrypoint.
    pub image: ImageRef,
    /// Its major version, where the image's tag does not begin with it.
    pub major: Option<u16>,
    /// What the container may use.
    pub limits: Limits,
    /// A Postgres that the plot does not run; no node takes this service then.
    pub external: Option<PostgresRemote>,
}

impl Postgres {
    /// The oldest major version that takes all of what is rendered.
    pub const OLDEST: u16 = 13;

    /// How many of its connections it keeps for its superuser
    /// (`superuser_reserved_connections`).
    pub const RESERVED: u32 = 3;

    /// The role that replicas log in as at the primary.
    pub const REPLICATION_ROLE: &str = "stageplot_replica";

    /// What a connection at work takes beside the shared buffers (`work_mem`).
    const PER_CONNECTION: ByteSize = ByteSize::from_mib(4);

    /// The major version: as it is set, or as the image's tag begins.
    ///
    /// ```
    /// use stageplot_topology::Postgres;
    ///
    /// let db = |image: &str| -> Result<_, stageplot_topology::InvalidImageRef> {
    ///     Ok(Postgres { image: image.parse()?, ..Postgres::default() })
    /// };
    /// assert_eq!(db("postgres:18.1-bookworm")?.major_version(), Some(18));
    /// assert_eq!(db("postgres:latest")?.major_version(), None);
    /// assert_eq!(Postgres { major: Some(17), ..db("postgres:latest")? }.major_version(), Some(17));
    /// # Ok::<(), stageplot_topology::InvalidImageRef>(())
    /// ```
    pub fn major_version(&self) -> Option<u16> {
        let of_tag = || {
            let tag = self.image.tag()?;
            let end = tag.find(|c: char| !c.is_ascii_digit()).unwrap_or(tag.len());
            let (number, rest) = tag.split_at(end);
            (rest.is_empty() || rest.starts_with(['.', '-'])).then(|| number.parse().ok())?
        };
        self.major.or_else(of_tag)
    }

    /// What it takes of a node's memory where nothing limits it and every connection is
    /// at work.
    pub(crate) fn memory(&self) -> ByteSize {
        let connections = Self::PER_CONNECTION.bytes().saturating_mul(self.max_connections.into());
        ByteSize::from_bytes(self.shared_buffers.bytes().saturating_add(connections))
    }
}

impl Default for Postgres {
    fn default() -> Self {
        Self {
            primary: Vec::new(),
            database: Identifier::fixed("app"),
            user: Identifier::fixed("app"),
            password: None,
            replication_password: None,
            port: Port::fixed(5432),
            max_connections: 100,
            shared_buffers: ByteSize::from_mib(128),
            network: ContainerNetwork::Bridge,
            image: super::fixed_image("postgres:16-alpine"),
            major: None,
            limits: Limits::default(),
            external: None,
        }
    }
}

impl Kind for Postgres {
    fn attachment(&self) -> Attachment {
        self.network.into()
    }

    fn primary(
        &self,
        service: &Service,
        topology: &Topology,
        findings: &mut Findings,
    ) -> Option<PlacementId> {
        match self.external {
            Some(_) => None,
            None => copies::primary(&self.primary, service, topology, findings),
        }
    }

    fn endpoints(&self) -> Vec<Draft> {
        match &self.external {
            Some(PostgresRemote { address, .. }) => {
                remote::endpoints("server", &Speaks::Postgres, std::slice::from_ref(address))
            }
            None => copies::endpoints(self.port, &Speaks::Postgres),
        }
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        copies::wire(wiring);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        if self.external.is_some() {
            return Vec::new();
        }
        let from = Party::Service(service.id);
        let replicas = service.placements.len().saturating_sub(1);
        let endpoints = topology.endpoints_of(service.id).iter().filter(|endpoint| !endpoint.at.is_empty());
        let promises = endpoints.flat_map(|endpoint| {
            let probes = match endpoint.name.as_ref() {
                "primary" => vec![
                    Probe::PostgresPrimary { replicas },
                    Probe::PostgresConnections {
                        most: self.max_connections,
                        pools: pooled(topology, &service.name),
                    },
                ],
                _ => vec![Probe::PostgresReplication],
            };
            probes.into_iter().map(|probe| Promise { from, to: endpoint.id, probe })
        });
        promises.collect()
    }

    fn review(&self, review: &mut Review<'_>) {
        if let Some(external) = &self.external {
            remote::review(std::iter::once(&external.address), review);
            return;
        }
        review.image("image", &self.image);
        match self.major_version() {
            None => review.add(
                Code::PostgresMajor,
                "image",
                format!("which major version {} is cannot be told from its tag", self.image),
                "write a tag that begins with it, such as \"postgres:16\", or set major",
            ),
            Some(major) if major < Self::OLDEST => review.add(
                Code::PostgresMajor,
                if self.major.is_some() { "major" } else { "image" },
                format!("Postgres {major} does not know all of what is rendered for it"),
                format!("use {} or later", Self::OLDEST),
            ),
            Some(_) => {}
        }
        if self.user.as_str() == Self::REPLICATION_ROLE {
            review.add(
                Code::InvalidValue,
                "user",
                format!("{} is the role that replicas log in as", self.user),
                "give the user another name",
            );
        }
        if self.max_connections <= Self::RESERVED {
            review.add(
                Code::InvalidValue,
                "max-connections",
                format!(
                    "of {} connections Postgres keeps {} for its superuser",
                    self.max_connections,
                    Self::RESERVED
                ),
                "write more, such as 100",
            );
        }
        self.review_memory(review);
        if self.password.is_none() {
            copies::review_open("POSTGRES_PASSWORD", review);
        }
        if self.replication_password.is_none() && review.service().placements.len() > 1 {
            review.add(
                Code::NoPassword,
                "replication-password",
                "replicas log in at the primary, and would do so without a password",
                "set replication-password = { env = \"POSTGRES_REPLICATION_PASSWORD\" }",
            );
        }
    }
}

impl Postgres {
    fn review_memory(&self, review: &mut Review<'_>) {
        let buffers = self.shared_buffers;
        // The least that it takes (`guc_tables.c`).
        if buffers.bytes() < 128 << 10 {
            review.add(
                Code::InvalidValue,
                "shared-buffers",
                format!("{buffers} are fewer than Postgres starts with"),
                "write at least \"128kb\", such as \"128mb\"",
            );
        }
        let topology = review.topology();
        let nodes = review.service().placements.iter().map(|&id| topology.node(topology.placement(id).node));
        let of_nodes = nodes.filter_map(|node| Some((format!("{}, which has", node.name), node.memory?)));
        let of_limit = self.limits.memory.map(|limit| ("its container, which may take".to_owned(), limit));
        for (place, memory) in of_limit.into_iter().chain(of_nodes) {
            if buffers.bytes() > memory.bytes() / 2 {
                review.add(
                    Code::PostgresMemory,
                    "shared-buffers",
                    format!("{buffers} of shared buffers are too much for {place} {memory}"),
                    "keep shared-buffers under half of it; a quarter is usual",
                );
            }
        }
    }
}

/// A Postgres that somebody else runs.
///
/// ```
/// use stageplot_topology::{Postgres, PostgresRemote, RemoteTls};
///
/// let remote = PostgresRemote {
///     tls: Some(RemoteTls::default()),
///     ..PostgresRemote::new("postgres.example.com:5432".parse()?)
/// };
/// let db = Postgres { external: Some(remote), ..Postgres::default() };
/// # Ok::<(), stageplot_topology::InvalidRemoteAddress>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ address = \"postgres.example.com:5432\" }"
)]
pub struct PostgresRemote {
    /// The server, `host:port`.
    pub address: RemoteAddress,
    /// TLS to the server, where it wants it.
    #[serde(default)]
    pub tls: Option<RemoteTls>,
}

impl PostgresRemote {
    /// A server at an address, without TLS.
    pub fn new(address: RemoteAddress) -> Self {
        Self { address, tls: None }
    }
}
