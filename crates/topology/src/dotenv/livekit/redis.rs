//! Where the one Redis stands, and its settings.

use super::places::Places;
use crate::dotenv::parse::{db, host_and_port, port};
use crate::dotenv::seat::{self, Seat};
use crate::dotenv::secrets::{Lack, Secrets};
use crate::dotenv::survey::{Survey, Told};
use crate::{ByteSize, Code, Eviction, FieldPath, Redis, RedisRemote, RemoteAddress, SecretRef, Severity};

/// The Redis of the plot, before it has names.
pub(super) struct Cache {
    pub(super) redis: Redis,
    /// The machine with the writable copy; none where it is somebody else's.
    pub(super) primary: Option<usize>,
    pub(super) replicas: Vec<usize>,
}

const PASSWORD: &str = "REDIS_PASSWORD";

/// The names that the scripts' own container has on its machine.
const OWN: &[&str] = &["localhost", "redis", "livekit-redis"];

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
    let find = |address| addresses.iter().position(|other| *other == address);
    for machine in survey.everyone() {
        let parse = |text: &str| seat::host(text, machine, OWN, find);
        let host = survey.told(machine, "REDIS_HOST", parse);
        // A machine with an edge alone uses no Redis, whatever the example file left there.
        let counts = |host: &Told<Seat>| !(places.is_front(machine) && host.value == Seat::On(machine));
        told.extend(host.filter(counts).map(|host| ("REDIS_HOST", host)));
        let parse = |text: &str| {
            let mut words = text.split_whitespace();
            let (host, _) = host_and_port(words.next().unwrap_or_default());
            let port = words.next().map(port);
            match (words.next(), port) {
                (None, None | Some(Ok(_))) => seat::host(host, machine, OWN, find),
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
                    "a Redis cannot follow itself",
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
    // The example file has both variables, and is copied to the Caddy machine too, which
    // has the domain.
    let has_domain: Vec<_> =
        survey.machines.iter().map(|machine| machine.value("DOMAIN").is_some()).collect();
    seat::compare(survey, "Redis", &told, |first, other| {
        let are_own = [first, other].iter().all(|told| told.value == Seat::On(told.machine));
        match are_own && (has_domain[first.machine] || has_domain[other.machine]) {
            true => {
                "where both run LiveKit, write the address of the one Redis in both; else take REDIS_HOST \
                 and NODES out of the file of a machine with Caddy alone"
            }
            false => {
                "all machines share one Redis: name its machine by the same address everywhere; localhost \
                 and redis mean the very machine of the file"
            }
        }
    });
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

/// The password that all share. One that is needed and that no file has is
/// asked for all the same: Redis is never left open to the network.
fn password(
    survey: &mut Survey,
    users: &[usize],
    is_ours: bool,
    is_shared: bool,
    secrets: &mut Secrets,
) -> Option<SecretRef> {
    let lack = Lack {
        is_wanted: is_ours && is_shared,
        is_open: is_ours,
        path: FieldPath::root().key("redis").key("password"),
        message: "Redis is reached from other machines, and no file has REDIS_PASSWORD",
    };
    let told = secrets.agreed(survey, PASSWORD, lack)?;
    let help = "nothing to do, if they share one Redis";
    told.tell(survey, PASSWORD, users, ("this machine had no password for Redis", help));
    Some(told.reference)
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
