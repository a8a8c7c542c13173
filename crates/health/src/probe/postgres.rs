//! Postgres: the login, the role, how far replicas are behind, how many connections there
//! are.

mod session;

use stageplot_topology::Postgres;

use self::session::Greeting;
use super::Attempt;
use crate::{Cause, Problem};

/// How far a replica may lag behind, in bytes of the primary's log, before what it has is
/// old.
const LAG: i64 = 10 << 20;

/// How full the list of connections may be, in percent, before it hurts.
const FULL: u64 = 90;

/// A login with the password is answered; one without is not.
pub(super) async fn login(attempt: &mut Attempt<'_>, password: bool, tls: bool) -> Result<(), Problem> {
    let mut session = attempt.postgres(password, tls).await?;
    let target = attempt.trial.target.to_string();
    let answer = session.query("SELECT 1").await?;
    session.end().await;
    if answer != [["1"]] {
        return Err(Problem::failed(
            Cause::WrongProtocol,
            format!("{target} answers SELECT 1 with {answer:?}"),
        ));
    }
    if !password {
        return Ok(());
    }
    // The right answer to the right question says nothing of the wrong one.
    match attempt.greeting(tls).await? {
        Greeting::Asks => Ok(()),
        Greeting::Open => {
            let what = format!("{target} lets everybody in, without a password");
            Err(Problem::failed(Cause::PasswordIgnored, what))
        }
    }
}

/// This is a replica, it hears its primary, and it is not far behind.
pub(super) async fn replication(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    const LINK: &str = "SELECT status, pg_wal_lsn_diff(latest_end_lsn, pg_last_wal_replay_lsn())::bigint \
                        FROM pg_stat_wal_receiver";
    let target = attempt.trial.target.to_string();
    let mut session = attempt.own_session().await?;
    let role = session.query("SELECT pg_is_in_recovery()").await?;
    let link = session.query(LINK).await?;
    session.end().await;
    if role != [["t"]] {
        let what = format!("{target} is to be a replica, and takes writes");
        return Err(Problem::failed(Cause::WrongRole, what));
    }
    let [link] = link.as_slice() else {
        let what = format!("the replica at {target} has no link to its primary");
        return Err(Problem::failed(Cause::ReplicaLink, what));
    };
    let [status, behind] = link.as_slice() else { return Err(session::strange(&target)) };
    attempt.evidence.note("link", status);
    attempt.evidence.note("behind-bytes", behind);
    if status != "streaming" {
        let what = format!("the replica at {target} has no link to its primary");
        return Err(Problem::failed(Cause::ReplicaLink, what));
    }
    if is_behind(behind) {
        let what = format!("the replica at {target} is {behind} bytes behind");
        return Err(Problem::degraded(Cause::ReplicaLag, what));
    }
    Ok(())
}

/// This is the primary, and it has its replicas, none of them far behind.
pub(super) async fn primary(attempt: &mut Attempt<'_>, replicas: usize) -> Result<(), Problem> {
    const SENDERS: &str = "SELECT application_name, state, \
                           pg_wal_lsn_diff(pg_current_wal_lsn(), replay_lsn)::bigint \
                           FROM pg_stat_replication WHERE state <> 'backup' ORDER BY 1";
    let target = attempt.trial.target.to_string();
    let mut session = attempt.own_session().await?;
    let role = session.query("SELECT pg_is_in_recovery()").await?;
    if role != [["f"]] {
        session.end().await;
        let what = format!("{target} is to be the primary, and takes no writes");
        return Err(Problem::failed(Cause::WrongRole, what));
    }
    let senders = session.query(SENDERS).await?;
    session.end().await;
    attempt.evidence.note("replicas", senders.len());
    if senders.len() < replicas {
        let what = format!("{} of {replicas} replicas are connected to {target}", senders.len());
        return Err(Problem::degraded(Cause::ReplicaLink, what));
    }
    for sender in &senders {
        let [name, state, behind] = sender.as_slice() else { return Err(session::strange(&target)) };
        if state != "streaming" || is_behind(behind) {
            attempt.evidence.note("replica", format!("{name} {state} {behind}"));
            let what = format!("the replica {name} of {target} is behind");
            return Err(Problem::degraded(Cause::ReplicaLag, what));
        }
    }
    Ok(())
}

/// It takes as many connections as the plot says, and more may come.
pub(super) async fn connections(attempt: &mut Attempt<'_>, most: u32, pools: u64) -> Result<(), Problem> {
    const USED: &str = "SELECT current_setting('max_connections')::bigint, count(*) FROM pg_stat_activity \
                        WHERE backend_type = 'client backend'";
    let target = attempt.trial.target.to_string();
    let mut session = attempt.own_session().await?;
    let used = session.query(USED).await?;
    session.end().await;
    let numbers: Vec<u64> = used.iter().flatten().filter_map(|text| text.parse().ok()).collect();
    let [limit, used] = numbers.as_slice() else { return Err(session::strange(&target)) };
    attempt.evidence.note("connections", used);
    attempt.evidence.note("connections-limit", limit);
    attempt.evidence.note("pools", pools);
    if *limit != u64::from(most) {
        let what = format!("{target} takes {limit} connections, and the plot has {most}");
        return Err(Problem::degraded(Cause::OtherSetting, what));
    }
    let free = limit.saturating_sub(Postgres::RESERVED.into());
    if used.saturating_mul(100) > free.saturating_mul(FULL) {
        let what = format!(
            "{used} connections are open to {target}, which takes {free}; the pools of all apps may hold {pools}"
        );
        return Err(Problem::degraded(Cause::TooManyClients, what));
    }
    Ok(())
}

/// Whether so many bytes are too many; what is no number is no good one.
fn is_behind(bytes: &str) -> bool {
    bytes.parse::<i64>().map_or(true, |bytes| bytes > LAG)
}

impl Attempt<'_> {
    /// A session as the service itself has it: logged in, without TLS.
    async fn own_session(&mut self) -> Result<session::Session, Problem> {
        let password = self.database().is_some_and(|postgres| postgres.password.is_some());
        self.postgres(password, false).await
    }
}
