//! Redis: the password, the role, how much room is left, what is kept.

mod session;

use stageplot_topology::{Eviction, Persistence};

use super::Attempt;
use crate::{Cause, Problem, RedisActivity};

/// How far a replica may lag behind, in bytes of the primary's log, before what it has is
/// old: a second of a busy LiveKit cluster is a tenth of it.
const LAG: u64 = 10 << 20;

/// How long a replica may hear nothing of its primary, in seconds, before what it has is
/// old: a primary sends something every ten (`repl-ping-replica-period`).
const SILENT: u64 = 30;

/// How full memory, and the list of clients, may be, in percent, before it hurts.
const FULL: u64 = 90;

/// `PING` with the password answers `PONG`; without it, it is refused.
pub(super) async fn ping(attempt: &mut Attempt<'_>, password: bool, tls: bool) -> Result<(), Problem> {
    let ask = |mut session: session::Session| async move { session.query::<String>(&["PING"]).await };
    let answer = attempt.redis(password, tls, ask).await?;
    let target = attempt.trial.target.to_string();
    if answer != "PONG" {
        return Err(Problem::failed(Cause::WrongProtocol, format!("{target} answers PING with {answer:?}")));
    }
    if !password {
        return Ok(());
    }
    // The right answer to the right question says nothing of the wrong one.
    match attempt.redis(false, tls, ask).await {
        Err(problem) if problem.cause == Cause::PasswordRejected => Ok(()),
        Err(problem) => Err(problem),
        Ok(_) => {
            let what = format!("{target} answers whoever asks, without a password");
            Err(Problem::failed(Cause::PasswordIgnored, what))
        }
    }
}

/// This is a replica, and its link to the primary is up.
pub(super) async fn replication(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let info = attempt.info("replication").await?;
    let target = attempt.trial.target.to_string();
    match (info.text("role"), info.text("master_link_status")) {
        ("slave", "up") => match info.number("master_last_io_seconds_ago") {
            Some(silent) if silent <= SILENT => Ok(()),
            silent => {
                let since = silent.map_or_else(|| "ever".to_owned(), |silent| format!("{silent} s"));
                let what = format!("the replica at {target} has heard nothing of its primary for {since}");
                Err(Problem::degraded(Cause::ReplicaLag, what))
            }
        },
        ("slave", link) => {
            attempt.evidence.note("link", link);
            let what = format!("the replica at {target} has no link to its primary");
            Err(Problem::failed(Cause::ReplicaLink, what))
        }
        (role, _) => {
            let what = format!("{target} is to be a replica, and its role is {role:?}");
            Err(Problem::failed(Cause::WrongRole, what))
        }
    }
}

/// This is the primary, and it has its replicas, none of them far behind.
pub(super) async fn primary(attempt: &mut Attempt<'_>, replicas: usize) -> Result<(), Problem> {
    let info = attempt.info("replication").await?;
    let target = attempt.trial.target.to_string();
    let role = info.text("role");
    if role != "master" {
        let what = format!("{target} is to be the primary, and its role is {role:?}");
        return Err(Problem::failed(Cause::WrongRole, what));
    }
    let Some(offset) = info.number("master_repl_offset") else {
        return Err(Problem::failed(
            Cause::WrongProtocol,
            format!("{target} does not tell of its replication"),
        ));
    };
    let connected = info.number("connected_slaves").unwrap_or_default();
    attempt.evidence.note("replicas", connected);
    if connected < replicas as u64 {
        let what = format!("{connected} of {replicas} replicas are connected to {target}");
        return Err(Problem::degraded(Cause::ReplicaLink, what));
    }
    for index in 0..connected {
        // slave0:ip=…,port=…,state=online,offset=…,lag=…
        let line = info.text(&format!("slave{index}")).to_owned();
        let field =
            |name: &str| line.split(',').find_map(|field| field.strip_prefix(name)?.strip_prefix('='));
        let behind =
            field("offset").and_then(|text| text.parse().ok()).map(|at: u64| offset.saturating_sub(at));
        if field("state") != Some("online") || behind.is_none_or(|behind| behind > LAG) {
            let what = format!("the replica {} of {target} is behind", field("ip").unwrap_or("?"));
            attempt.evidence.note("replica", &line);
            return Err(Problem::degraded(Cause::ReplicaLag, what));
        }
    }
    Ok(())
}

/// There is room for data and for clients, by the limit and the policy that the plot has.
pub(super) async fn room(attempt: &mut Attempt<'_>, maxmemory: u64, policy: Eviction) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    let memory = attempt.info("memory").await?;
    let (used, limit) = (memory.number("used_memory"), memory.number("maxmemory"));
    let (Some(used), Some(limit)) = (used, limit) else {
        return Err(Problem::failed(Cause::WrongProtocol, format!("{target} does not tell of its memory")));
    };
    attempt.evidence.note("used-bytes", used);
    attempt.evidence.note("limit-bytes", limit);
    let set = memory.text("maxmemory_policy");
    if limit != maxmemory || set != policy.as_str() {
        let wanted = format!("{maxmemory} bytes with {}", policy.as_str());
        let what = format!("{target} may take {limit} bytes with {set}, and the plot has {wanted}");
        return Err(Problem::degraded(Cause::OtherSetting, what));
    }
    if limit > 0 && used >= limit {
        return Err(Problem::failed(Cause::RedisFull, format!("{target} is full: {used} of {limit} bytes")));
    }
    if limit > 0 && used.saturating_mul(100) > limit.saturating_mul(FULL) {
        return Err(Problem::degraded(
            Cause::RedisFull,
            format!("{target} is nearly full: {used} of {limit} bytes"),
        ));
    }
    let clients = attempt.info("clients").await?;
    let Some(connected) = clients.number("connected_clients") else {
        return Err(Problem::failed(Cause::WrongProtocol, format!("{target} does not tell of its clients")));
    };
    attempt.evidence.note("clients", connected);
    let Some(most) = clients.number("maxclients") else {
        attempt.evidence.note("clients-limit", "not told");
        return Ok(());
    };
    attempt.evidence.note("clients-limit", most);
    if connected.saturating_mul(100) > most.saturating_mul(FULL) {
        let what = format!("{connected} of {most} clients are connected to {target}");
        return Err(Problem::degraded(Cause::TooManyClients, what));
    }
    Ok(())
}

/// What is written is kept as the plot says, and the last save went well.
pub(super) async fn persistence(attempt: &mut Attempt<'_>, kind: Persistence) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    let info = attempt.info("persistence").await?;
    attempt.evidence.note("last-save-unix", info.text("rdb_last_save_time"));
    let has_log = info.text("aof_enabled") == "1";
    if has_log != (kind == Persistence::Aof) {
        let (says, has) = (kind.as_str(), if has_log { "a log of every write" } else { "no log of writes" });
        let what = format!("{target} keeps {has}, and the plot says {says}");
        return Err(Problem::degraded(Cause::OtherSetting, what));
    }
    let checked: &[&str] = match kind {
        Persistence::Aof => &["rdb_last_bgsave_status", "aof_last_write_status", "aof_last_bgrewrite_status"],
        Persistence::Snapshots => &["rdb_last_bgsave_status"],
        Persistence::None => &[],
        _ => &[],
    };
    for name in checked {
        let status = info.text(name);
        if status != "ok" {
            attempt.evidence.note("status", format!("{name} {status}"));
            let what =
                format!("{target} could not write its data to the disk the last time ({name}: {status})");
            return Err(Problem::failed(Cause::RedisSave, what));
        }
    }
    Ok(())
}

/// How busy it is.
pub(super) async fn activity(attempt: &mut Attempt<'_>) -> Result<RedisActivity, Problem> {
    let stats = attempt.info("stats").await?;
    let clients = attempt.info("clients").await?;
    let memory = attempt.info("memory").await?;
    Ok(RedisActivity {
        operations: stats.number("instantaneous_ops_per_sec").unwrap_or_default(),
        clients: clients.number("connected_clients").unwrap_or_default(),
        memory: memory.number("used_memory").unwrap_or_default(),
        hits: stats.number("keyspace_hits").unwrap_or_default(),
        misses: stats.number("keyspace_misses").unwrap_or_default(),
    })
}

/// A section of `INFO`.
struct Info(String);

impl Info {
    fn text(&self, name: &str) -> &str {
        self.0.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).unwrap_or_default()
    }

    fn number(&self, name: &str) -> Option<u64> {
        self.text(name).parse().ok()
    }
}

impl Attempt<'_> {
    async fn info(&mut self, section: &'static str) -> Result<Info, Problem> {
        let password = self.settings().is_some_and(|redis| redis.password.is_some());
        let ask = move |mut session: session::Session| async move {
            session.query::<String>(&["INFO", section]).await
        };
        self.redis(password, false, ask).await.map(Info)
    }
}
