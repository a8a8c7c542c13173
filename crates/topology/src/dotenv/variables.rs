//! Every variable that the scripts' `.env` files have, and what becomes of it.

use std::collections::BTreeMap;

use super::survey::Survey;
use crate::{Code, Diagnostic, FieldPath, words};

/// A variable of the scripts' `.env` files.
///
/// ```
/// use stageplot_topology::dotenv::{KnownVariable, Meaning};
///
/// let secret = KnownVariable::find("REDIS_PASSWORD").expect("the scripts know it");
/// assert_eq!(secret.meaning, Meaning::Secret("redis.password"));
/// assert!(secret.is_secret());
/// for variable in KnownVariable::ALL {
///     if let Meaning::Dropped { why, help } = variable.meaning {
///         println!("{}: {why}; {help}", variable.name);
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct KnownVariable {
    /// Its name; one that ends with `*` stands for all that begin so.
    pub name: &'static str,
    /// What becomes of it.
    pub meaning: Meaning,
}

/// What an import makes of a variable.
///
/// See [`KnownVariable`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Meaning {
    /// It sets this field of the plot.
    Field(&'static str),
    /// It is a secret: this field names it, and its value goes to the secrets
    /// file alone.
    Secret(&'static str),
    /// The scripts read it, and a plot has no place for it.
    Dropped {
        /// Why.
        why: &'static str,
        /// What to do instead.
        help: &'static str,
    },
    /// It stood in the example file, and no script ever read it.
    Unread {
        /// What to do instead.
        help: &'static str,
    },
    /// It never did what its name says.
    Mistaken {
        /// What it really does.
        why: &'static str,
        /// What to do instead.
        help: &'static str,
    },
}

impl KnownVariable {
    /// Every variable, in the order of the example file.
    pub const ALL: &[Self] = VARIABLES;

    /// The entry for a name, an exact one before one with a `*`.
    ///
    /// ```
    /// use stageplot_topology::dotenv::KnownVariable;
    ///
    /// assert_eq!(KnownVariable::find("SMTP_HOST").map(|v| v.name), Some("SMTP_*"));
    /// assert!(KnownVariable::find("PATH").is_none());
    /// ```
    pub fn find(name: &str) -> Option<&'static Self> {
        let prefix = |v: &&Self| v.name.strip_suffix('*').is_some_and(|prefix| name.starts_with(prefix));
        Self::ALL.iter().find(|v| v.name == name).or_else(|| Self::ALL.iter().find(prefix))
    }

    /// Whether its value must not be shown or written into a plot.
    pub fn is_secret(&self) -> bool {
        matches!(self.meaning, Meaning::Secret(_))
    }
}

/// Says what there is to say of each variable in itself, once for all files.
pub(super) fn review(survey: &mut Survey) {
    let mut seen: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for (index, machine) in survey.machines.iter().enumerate() {
        for (name, variable) in machine.file.iter().flat_map(|file| file.iter()) {
            if !variable.value().is_empty() {
                seen.entry(name.to_owned()).or_default().push(index);
            }
        }
    }
    for (name, machines) in seen {
        let known = KnownVariable::find(&name);
        let (code, message, help) = match known.map(|v| v.meaning) {
            Some(Meaning::Field(_) | Meaning::Secret(_)) => continue,
            Some(Meaning::Dropped { why, help }) => (Code::EnvUnused, why.to_owned(), help.to_owned()),
            Some(Meaning::Unread { help }) => (
                Code::EnvUnused,
                format!("{name} was never read by the scripts, so it sets nothing"),
                help.to_owned(),
            ),
            Some(Meaning::Mistaken { why, help }) => (Code::EnvChanged, why.to_owned(), help.to_owned()),
            None => {
                let exact = VARIABLES.iter().map(|v| v.name).filter(|name| !name.ends_with('*'));
                let help = match words::nearest(&name, exact) {
                    Some(near) => format!("did you mean {near}?"),
                    None => "a variable of a program of your own belongs to env of its app".to_owned(),
                };
                (Code::EnvUnknown, format!("the scripts know no variable {name}, so it sets nothing"), help)
            }
        };
        let message = format!("{message}{}", survey.also(&machines));
        let location = survey.location(machines[0], &name);
        survey
            .findings
            .push(Diagnostic { location, ..Diagnostic::new(code, FieldPath::root(), message, help) });
    }
}

const fn field(name: &'static str, field: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Field(field) }
}

const fn secret(name: &'static str, field: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Secret(field) }
}

const fn dropped(name: &'static str, why: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Dropped { why, help } }
}

const fn unread(name: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Unread { help } }
}

const fn mistaken(name: &'static str, why: &'static str, help: &'static str) -> KnownVariable {
    KnownVariable { name, meaning: Meaning::Mistaken { why, help } }
}

const MEDIA: &str = "clients decide about codecs and bitrates; take it out";
const ALERTS: &str = "alerts belong to your monitoring; take it out";

const VARIABLES: &[KnownVariable] = &[
    // Read by the scripts.
    field("DOMAIN", "edge.domain"),
    dropped(
        "DEPLOYMENT_DIR",
        "every release has a directory of its own, and the scripts' stays as it is",
        "set root for another place than /opt/stageplot on every machine",
    ),
    field("NODES", "nodes, and who has the role livekit"),
    dropped(
        "BACKUP_DIR",
        "where backups go is not part of a plot",
        "name the directory when you make a backup",
    ),
    field("LIVEKIT_API_KEY", "livekit.keys"),
    secret("LIVEKIT_API_SECRET", "livekit.keys"),
    field("REDIS_HOST", "who has the role redis, or redis.external.address"),
    field("REDIS_PORT", "redis.port, or redis.external.address"),
    secret("REDIS_PASSWORD", "redis.password"),
    field("REDIS_DB", "redis.external.db"),
    field("REDIS_MAXMEMORY", "redis.maxmemory"),
    field("REDIS_MAXMEMORY_POLICY", "redis.maxmemory-policy"),
    field("LIVEKIT_LOG_LEVEL", "livekit.log-level"),
    field("LIVEKIT_AUTO_CREATE_ROOM", "livekit.room.auto-create"),
    field("LIVEKIT_EMPTY_TIMEOUT", "livekit.room.empty-timeout"),
    field("LIVEKIT_MAX_PARTICIPANTS", "livekit.room.max-participants"),
    field("TURN_ENABLED", "livekit.turn"),
    field("TURN_DOMAIN", "livekit.turn.domain"),
    mistaken(
        "TURN_EXTERNAL_TLS_PORT",
        "LiveKit has no such setting and stops at it; clients always dial TURN over TLS at port 443",
        "for TURN over TLS give turn.domain a name of its own, and set turn.tls = \"edge\" or \"direct\"",
    ),
    field("TURN_EXTERNAL_UDP_PORT", "livekit.turn.udp-port"),
    field("WEBHOOK_ENABLED", "livekit.webhook"),
    field("WEBHOOK_API_KEY", "livekit.webhook.key"),
    field("WEBHOOK_URLS", "livekit.webhook.urls"),
    // In the example file, and never read.
    unread("LIVEKIT_PORT", "set port in [livekit] for another than 7880"),
    unread("LIVEKIT_BIND_ADDRESS", "take it out: each service listens where its flows arrive"),
    unread("LIVEKIT_DEVELOPMENT", "take it out: development mode has keys that everybody knows"),
    unread("CADDY_ADMIN_EMAIL", "set tls = { email = \"…\" } in [edge]"),
    unread("CADDY_LOG_LEVEL", "set it in a Caddyfile template of your own (templates)"),
    unread("LIVEKIT_IMAGE_VERSION", "set version in [livekit]"),
    unread("REDIS_IMAGE_VERSION", "set image in [redis]"),
    unread("CADDY_IMAGE_VERSION", "set image in [edge]"),
    unread(
        "DOCKER_NETWORK_NAME",
        "take it out: the container network is named after the plot; [bridge] sets its addresses",
    ),
    unread("AUTO_BACKUP_INTERVAL", "run backups from a timer of your own"),
    unread("BACKUP_RETENTION_COUNT", "remove old backups from a timer of your own"),
    unread("MONITORING_ENABLED", "set metrics in [livekit] for Prometheus"),
    unread("MONITORING_INTERVAL", "set the interval in your monitoring"),
    unread("LOG_RETENTION_DAYS", "take it out: the containers' logs are bounded by size"),
    field("USE_EXTERNAL_IP_FOR_CANDIDATES", "livekit.use-external-ip"),
    unread("NUM_*", "take it out: LiveKit uses the machine's processors as they are"),
    unread("AUDIO_*", MEDIA),
    unread("VIDEO_*", MEDIA),
    unread("SMTP_*", ALERTS),
    unread("NOTIFICATION_EMAIL", ALERTS),
    unread("TZ", "take it out: servers log in UTC; set TZ in env of an app that wants it"),
    unread("LANG", "take it out: no server here writes in another language"),
    unread("DEBUG", "set log-level = \"debug\" in [livekit]"),
    // In the documents alone.
    field("CADDY_UPSTREAM", "nodes, and who has the roles edge and livekit"),
    field("REDIS_SLAVE_OF", "who else has the role redis, and redis.primary"),
    // Read by the program in the container and not by the scripts.
    field("NODE_IP", "nodes.NAME.public"),
    mistaken(
        "LIVEKIT_CONFIG",
        "LiveKit takes this for the text of its configuration, not for a path, and stops",
        "take it out: the rendered files name the configuration by --config",
    ),
];
