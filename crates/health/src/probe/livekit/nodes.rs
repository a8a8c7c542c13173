//! The nodes of a LiveKit cluster, as they tell each other through Redis: a hash from
//! the id of each to what it says of itself, every two seconds.

use std::collections::BTreeMap;
use std::net::IpAddr;
use std::time::{SystemTime, UNIX_EPOCH};

use prost::Message as _;
use stageplot_topology::ServiceId;

use crate::probe::{Attempt, redis};
use crate::{Activity, Cause, NodeActivity, Problem};

/// The key in Redis (`pkg/routing/redisrouter.go` of livekit-server).
const KEY: &str = "nodes";

/// How far a clock may be ahead, and how old what a node says of itself may be, in
/// seconds, before others take it for dead (`selector/utils.go`: 5 s).
const ALIVE: i64 = 5;

/// How far ahead a node's clock may be, in seconds: what it says of itself cannot be
/// from the future.
const AHEAD: i64 = 2;

/// What a node says of itself (`livekit_internal.proto`), as far as it is looked at.
#[derive(Clone, PartialEq, prost::Message)]
struct Node {
    #[prost(string, tag = "1")]
    id: String,
    /// IPv4, or IPv4 and IPv6 with a comma.
    #[prost(string, tag = "2")]
    ip: String,
    #[prost(message, optional, tag = "4")]
    stats: Option<Stats>,
    #[prost(int32, tag = "6")]
    state: i32,
}

#[derive(Clone, PartialEq, prost::Message)]
struct Stats {
    /// When it last said so, in seconds since 1970, by its own clock.
    #[prost(int64, tag = "2")]
    updated_at: i64,
    #[prost(int32, tag = "3")]
    rooms: i32,
    #[prost(int32, tag = "4")]
    clients: i32,
    #[prost(int32, tag = "5")]
    tracks_in: i32,
    #[prost(int32, tag = "6")]
    tracks_out: i32,
    #[prost(uint64, tag = "9")]
    packets_in: u64,
    #[prost(uint64, tag = "10")]
    packets_out: u64,
    #[prost(uint64, tag = "11")]
    nacks: u64,
    #[prost(float, tag = "21")]
    load: f32,
    #[prost(uint32, tag = "29")]
    dropped: u32,
}

/// `SERVING` of `NodeState`.
const SERVING: i32 = 1;

/// `SHUTTING_DOWN`.
const SHUTTING_DOWN: i32 = 2;

/// Every node of a service is known, serves, and has the right time.
pub(in crate::probe) async fn nodes(attempt: &mut Attempt<'_>, service: ServiceId) -> Result<(), Problem> {
    let known = attempt.known().await?;
    attempt.evidence.note("known", known.len());
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    let now = i64::try_from(now).unwrap_or(i64::MAX);
    let topology = attempt.scene.topology.clone();
    let placements = &topology.service(service).placements;
    // Several do not die in the same moment: it is our clock that is ahead of them all.
    let ages = known.iter().map(|known| now.saturating_sub(known.told()));
    if placements.len() > 1
        && known.len() > 1
        && let (Some(youngest), Some(oldest)) = (ages.clone().min(), ages.max())
        && youngest > ALIVE
        && oldest - youngest <= ALIVE
    {
        let what = format!("the clock here is {youngest} s ahead of those of all LiveKit nodes");
        return Err(Problem::failed(Cause::ClockSkew, what));
    }
    for &placement in placements {
        let node = topology.node(topology.placement(placement).node);
        // What a node was before it started anew stays in the hash for a while.
        let own = known.iter().filter(|known| known.addresses().any(|ip| node.has(ip)));
        let Some(own) = own.max_by_key(|known| known.told()) else {
            let what =
                format!("LiveKit on {} is not among the {} nodes that Redis knows", node.name, known.len());
            return Err(Problem::failed(Cause::NodeMissing, what));
        };
        let age = now.saturating_sub(own.told());
        attempt.evidence.note("node", format!("{}: {}", node.name, own.words(age)));
        if age < -AHEAD {
            let what = format!("the clock of {} is {} s ahead of the one here", node.name, -age);
            return Err(Problem::failed(Cause::ClockSkew, what));
        }
        if age > ALIVE {
            let what = format!(
                "LiveKit on {} last said {age} s ago that it is alive: it has died, or its clock is behind",
                node.name
            );
            return Err(Problem::failed(Cause::NodeMissing, what));
        }
        match own.state {
            SERVING => {}
            SHUTTING_DOWN => {
                let what =
                    format!("LiveKit on {} drains: its rooms go on, and it takes no new ones", node.name);
                return Err(Problem::degraded(Cause::NodeDraining, what));
            }
            state => {
                let what = format!("LiveKit on {} does not serve yet (state {state})", node.name);
                return Err(Problem::degraded(Cause::LivekitUnready, what));
            }
        }
    }
    Ok(())
}

/// How busy all nodes are, and their Redis.
pub(in crate::probe) async fn activity(attempt: &mut Attempt<'_>) -> Result<Activity, Problem> {
    let known = attempt.known().await?;
    let topology = attempt.scene.topology.clone();
    // What a node was before it started anew stays in the hash for a while.
    let mut latest: BTreeMap<String, &Node> = BTreeMap::new();
    for node in &known {
        let own = topology.nodes().iter().find(|own| node.addresses().any(|ip| own.has(ip)));
        let name = own.map_or_else(|| node.id.clone(), |own| own.name.to_string());
        let kept = latest.entry(name).or_insert(node);
        if node.told() > kept.told() {
            *kept = node;
        }
    }
    let nodes = latest.into_iter().map(|(node, seen)| {
        let stats = seen.stats.clone().unwrap_or_default();
        NodeActivity {
            node,
            rooms: stats.rooms.into(),
            participants: stats.clients.into(),
            tracks_in: stats.tracks_in.into(),
            tracks_out: stats.tracks_out.into(),
            packets_in: stats.packets_in,
            packets_out: stats.packets_out,
            lost: stats.nacks,
            dropped: stats.dropped.into(),
            load: f64::from(stats.load),
        }
    });
    Ok(Activity { nodes: nodes.collect(), redis: redis::activity(attempt).await? })
}

impl Attempt<'_> {
    /// The nodes that Redis knows.
    async fn known(&mut self) -> Result<Vec<Node>, Problem> {
        let password = self.settings().is_some_and(|redis| redis.password.is_some());
        let tls = self
            .settings()
            .and_then(|redis| redis.external.as_ref())
            .is_some_and(|remote| remote.tls.is_some());
        let values = self.redis(password, tls, |mut session| async move {
            session.query::<Vec<Vec<u8>>>(&["HVALS", KEY]).await
        });
        Ok(values.await?.iter().filter_map(|bytes| Node::decode(bytes.as_slice()).ok()).collect())
    }
}

impl Node {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> + '_ {
        self.ip.split(',').filter_map(|ip| ip.trim().parse().ok())
    }

    fn told(&self) -> i64 {
        self.stats.as_ref().map_or(0, |stats| stats.updated_at)
    }

    fn words(&self, age: i64) -> String {
        let (rooms, clients) = self.stats.as_ref().map_or((0, 0), |stats| (stats.rooms, stats.clients));
        format!("{} with {rooms} rooms and {clients} clients, {age} s ago", self.id)
    }
}
