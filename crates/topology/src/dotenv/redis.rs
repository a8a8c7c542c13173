//! Where the one Redis stands, and its settings.

use super::places::Places;
use super::secrets::{Secrets, lacking, secret};
use super::survey::{Survey, Told, host_and_port};
use crate::{
    ByteSize, Code, Eviction, FieldPath, HostName, Port, Redis, RedisRemote, RemoteAddress, SecretRef,
    Severity,
};

/// The Redis of the plot, before it has names.
pub(super) struct Cache {
    pub(super) redis: Redis,
    /// The machine with the writable copy; none where it is somebody else's.
    pub(super) primary: Option<usize>,
    pub(super) replicas: Vec<usize>,
}

/// Where a Redis stands.
#[derive(Clone, PartialEq)]
enum Seat {
    On(usize),
    Outside(String),
}

const PASSWORD: &str = "REDIS_PASSWORD";

impl Cache {
    /// Finds the Redis that the files mean.
    pub(super) fn infer(survey: &mut Survey, places: &Places, secrets: &mut Secrets) -> Self {
        let (seat, replicas) = seat(survey, places);
        let primary = match &seat {
            Some(Seat::On(machine)) => Some(*machine),
            Some(Seat::Outside(_)) => None,
            None => assume(survey, places),
        };
        let users: Vec<_> = survey
            .everyone()
            .into_iter()
            .filter(|&m| places.has_livekit(m) || primary == Some(m) || replicas.contains(&m))
            .collect();
        let port = survey.agreed(&users, "REDIS_PORT", port).map_or(Redis::default().port, |told| told.value);
        let is_shared = primary.is_none_or(|primary| users.iter().any(|&user| user != primary));
        let mut redis = Redis {
            password: password(survey, &users, primary.is_some(), is_shared, secrets),
            port,
            ..Redis::default()
        };
        let db = survey.agreed(&users, "REDIS_DB", db);
        let own: Vec<_> = primary.into_iter().collect();
        let groups = [own.as_slice(), users.as_slice()];
        let memory = survey
            .first_agreed(&groups, "REDIS_MAXMEMORY", |t| t.parse::<ByteSize>().map_err(|e| e.to_string()));
        let policy = policy(survey, &groups);
        if let Some(Seat::Outside(host)) = seat {
            redis.port = Redis::default().port;
            redis.external = Some(RedisRemote {
                address: Some(RemoteAddress { host: host.clone(), port }),
                db: db.map_or(0, |told| told.value),
                ..RedisRemote::default()
            });
            survey.findings.add(
                Code::EnvInferred,
                FieldPath::root().key("redis").key("external"),
                format!("Redis at {host} is somebody else's: it is none of the machines given"),
                "to have it run from this plot, give that machine's file too: ADDRESS=FILE",
            );
            return Self { redis, primary: None, replicas: Vec::new() };
        }
        if let Some(db) = db.filter(|told| told.value != 0) {
            let message =
                format!("the plot's own Redis serves nobody else, so database {} becomes 0", db.value);
            let help = "rooms that are alive in the other database end at the change";
            survey.add_as(Code::EnvChanged, Severity::Warning, (db.machine, "REDIS_DB"), message, help);
        }
        // The scripts' own default, and not ours: data up to there may exist.
        redis.maxmemory = memory.map_or(ByteSize::from_mib(2048), |told| told.value);
        redis.maxmemory_policy = eviction(survey, policy);
        Self { redis, primary, replicas }
    }
}

/// Where the files say that Redis is, and who follows it.
fn seat(survey: &mut Survey, places: &Places) -> (Option<Seat>, Vec<usize>) {
    let mut told: Vec<(&'static str, Told<Seat>)> = Vec::new();
    let mut replicas = Vec::new();
    let addresses: Vec<_> = survey.machines.iter().map(|machine| machine.address).collect();
    for machine in survey.everyone() {
        let parse = |text: &str| self::host(text, machine, &addresses);
        let host = survey.told(machine, "REDIS_HOST", parse);
        // A machine with an edge alone uses no Redis, whatever the example file left there.
        let counts = |host: &Told<Seat>| !(places.is_front(machine) && host.value == Seat::On(machine));
        told.extend(host.filter(counts).map(|host| ("REDIS_HOST", host)));
        let parse = |text: &str| {
            let mut words = text.split_whitespace();
            let (host, _) = host_and_port(words.next().unwrap_or_default());
            let port = words.next().map(self::port);
            match (words.next(), port) {
                (None, None | Some(Ok(_))) => self::host(host, machine, &addresses),
                _ => Err("write the primary's address and its port".to_owned()),
            }
        };
        let Some(follows) = survey.told(machine, "REDIS_SLAVE_OF", parse) else { continue };
        let at = (machine, "REDIS_SLAVE_OF");
        match &follows.value {
            Seat::On(own) if *own == machine => {
                survey.add(
                    Code::InvalidValue,
                    at,
                    "a Redis can not follow itself",
                    "name the primary's machine",
                );
                continue;
            }
            Seat::On(_) => {
                let message =
                    "the scripts ignored REDIS_SLAVE_OF; here this machine has a replica, as it says";
                survey.add(Code::EnvChanged, at, message, "take the role redis away from it for no replica");
                replicas.push(machine);
            }
            Seat::Outside(host) => {
                let message =
                    format!("a replica of {host}, which is none of the machines given, is left out");
                let help = "give the primary's file too: ADDRESS=FILE";
                survey.add_as(Code::EnvChanged, Severity::Warning, at, message, help);
            }
        }
        // A replica's own REDIS_HOST may well be itself.
        told.retain(|(name, host)| {
            !(*name == "REDIS_HOST" && host.machine == machine && host.value == Seat::On(machine))
        });
        told.push(("REDIS_SLAVE_OF", follows));
    }
    if let Some((name, first)) = told.first() {
        let one = survey.place(first.machine, name);
        for (other_name, other) in told.iter().skip(1).filter(|(_, other)| other.value != first.value) {
            let two = survey.place(other.machine, other_name);
            let words = |seat: &Seat| match seat {
                Seat::On(machine) => survey.machines[*machine].address.to_string(),
                Seat::Outside(host) => host.clone(),
            };
            let message = format!(
                "{other_name} in {two} means a Redis on {}, and {name} in {one} one on {}",
                words(&other.value),
                words(&first.value)
            );
            // The example file has both variables, and is copied to the Caddy machine too,
            // which has the domain.
            let are_own = [first, other].iter().all(|told| told.value == Seat::On(told.machine));
            let has_domain = |told: &Told<Seat>| survey.machines[told.machine].value("DOMAIN").is_some();
            let help = match are_own && (has_domain(first) || has_domain(other)) {
                true => {
                    "where both run LiveKit, write the address of the one Redis in both; else take REDIS_HOST \
                     and NODES out of the file of a machine with Caddy alone"
                }
                false => {
                    "all machines share one Redis: name its machine by the same address everywhere; localhost \
                     and redis mean the very machine of the file"
                }
            };
            survey.add(Code::EnvContradiction, (other.machine, other_name), message, help);
        }
    }
    (told.into_iter().next().map(|(_, first)| first.value), replicas)
}

/// The machine for a Redis of which no file says where it is.
fn assume(survey: &mut Survey, places: &Places) -> Option<usize> {
    let &first = places.livekit.first()?;
    if places.livekit.len() > 1 {
        survey.findings.add(
            Code::EnvMissing,
            FieldPath::root().key("redis"),
            format!(
                "no file has REDIS_HOST, so each machine had a Redis of its own and none knew of the others' \
                 rooms; now all share one, on {}",
                survey.machines[first].address
            ),
            "to have it elsewhere, move the role redis",
        );
    }
    Some(first)
}

/// The host in a `REDIS_HOST`, as seen from a machine.
fn host(text: &str, machine: usize, addresses: &[std::net::IpAddr]) -> Result<Seat, String> {
    // The names that the scripts' own container has on its machine.
    if matches!(text, "localhost" | "redis" | "livekit-redis") {
        return Ok(Seat::On(machine));
    }
    if text.contains(['@', '/']) {
        return Err("write a host name or an address; the password goes to REDIS_PASSWORD".to_owned());
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<std::net::IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) if address.is_loopback() => Ok(Seat::On(machine)),
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            Err(format!("{address} is no address that can be dialled"))
        }
        Ok(address) => match addresses.iter().position(|a| *a == address) {
            Some(machine) => Ok(Seat::On(machine)),
            None => Ok(Seat::Outside(address.to_string())),
        },
        Err(_) => match text.parse::<HostName>() {
            Ok(name) => Ok(Seat::Outside(name.to_string())),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// The password that all share. One that is needed and that no file has is
/// asked for all the same: Redis is never left open to the network.
fn password(
    survey: &mut Survey,
    users: &[usize],
    is_ours: bool,
    is_shared: bool,
    secrets: &mut Secrets,
) -> Option<SecretRef> {
    let everyone = survey.everyone();
    let reference = Some(SecretRef::Env(PASSWORD.to_owned()));
    let Some(told) = survey.agreed(&everyone, PASSWORD, secret) else {
        let had_one = survey.forgotten.contains(PASSWORD);
        let is_wanted = had_one || is_ours && is_shared;
        if !is_wanted {
            return None;
        }
        if !had_one {
            survey.findings.add(
                Code::EnvMissing,
                FieldPath::root().key("redis").key("password"),
                "Redis is reached from other machines, and no file has REDIS_PASSWORD",
                lacking(PASSWORD),
            );
        }
        secrets.lacks(PASSWORD, is_ours);
        return reference;
    };
    let place = survey.place(told.machine, PASSWORD);
    for &user in users.iter().filter(|&&user| user != told.machine) {
        if survey.machines[user].file.is_some() && survey.machines[user].value(PASSWORD).is_none() {
            let message = format!("this machine had no password for Redis; it is given the one of {place}");
            survey.add(Code::EnvChanged, (user, PASSWORD), message, "nothing to do, if they share one Redis");
        }
    }
    secrets.insert(PASSWORD, told.value);
    reference
}

const POLICY: &str = "REDIS_MAXMEMORY_POLICY";

fn policy(survey: &mut Survey, groups: &[&[usize]]) -> Option<Told<Eviction>> {
    survey.first_agreed(groups, POLICY, |text| {
        let word = serde::de::value::StrDeserializer::<serde::de::value::Error>::new(text);
        <Eviction as serde::Deserialize>::deserialize(word)
            .map_err(|_| format!("{:?} is none of Redis' policies", crate::value::shorten(text)))
    })
}

fn eviction(survey: &mut Survey, told: Option<Told<Eviction>>) -> Eviction {
    let path = FieldPath::root().key("redis").key("maxmemory-policy");
    let why = "drops rooms and nodes that are alive once memory is full";
    let Some(told) = told else {
        let message = format!("the scripts' default, allkeys-lru, {why}; it becomes noeviction");
        survey.findings.add(Code::EnvInferred, path, message, "nothing to do");
        return Eviction::Noeviction;
    };
    if !told.value.drops_live_state() {
        return told.value;
    }
    let message = format!("{} {why}; it becomes noeviction", told.value.as_str());
    survey.add(Code::EnvChanged, (told.machine, POLICY), message, "nothing to do");
    Eviction::Noeviction
}

pub(super) fn port(text: &str) -> Result<Port, String> {
    let port = text.parse().ok().and_then(Port::new);
    port.ok_or_else(|| {
        format!("{:?} is not a port: use a number from 1 to 65535", crate::value::shorten(text))
    })
}

fn db(text: &str) -> Result<u8, String> {
    text.parse().map_err(|_| format!("{:?} is not a database's number", crate::value::shorten(text)))
}
