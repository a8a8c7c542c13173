//! LiveKit's own settings: keys, rooms, the relay, webhooks.

use std::collections::BTreeMap;

use url::Url;

use super::places::Places;
use super::{addresses, placeholder};
use crate::dotenv::parse::{flag, host_name, number, port};
use crate::dotenv::secrets::{Secrets, lacking, secret};
use crate::dotenv::survey::{Survey, Told};
use crate::{
    Code, FieldPath, HostName, Livekit, LogLevel, Name, Period, Port, Room, SecretRef, Severity, Turn,
    Webhook,
};

const KEY: &str = "LIVEKIT_API_KEY";
const SECRET: &str = "LIVEKIT_API_SECRET";

/// LiveKit as the files describe it.
pub(super) fn livekit(
    survey: &mut Survey,
    places: &Places,
    names: &[Name],
    domain: Option<&HostName>,
    secrets: &mut Secrets,
) -> Livekit {
    let everyone = survey.everyone();
    // What a machine without LiveKit says of it counts where none with it says anything.
    let groups = [places.livekit.as_slice(), everyone.as_slice()];
    let default = Room::default();
    let timeout = survey.first_agreed(&groups, "LIVEKIT_EMPTY_TIMEOUT", number);
    let timeout = timeout.map_or(default.empty_timeout, |told| Period::from_seconds(told.value));
    let room = Room {
        auto_create: survey
            .first_agreed(&groups, "LIVEKIT_AUTO_CREATE_ROOM", flag)
            .is_none_or(|told| told.value),
        empty_timeout: timeout,
        max_participants: survey
            .first_agreed(&groups, "LIVEKIT_MAX_PARTICIPANTS", number)
            .map_or(0, |told| told.value),
        ..default
    };
    let log_level = survey.first_agreed(&groups, "LIVEKIT_LOG_LEVEL", log_level);
    let signer = survey.agreed(&everyone, "WEBHOOK_API_KEY", |text| Ok(text.to_owned()));
    let keys = keys(survey, signer.as_ref().map(|told| told.value.as_str()), secrets);
    let webhook = webhook(survey, signer, &keys);
    Livekit {
        keys,
        room,
        webhook,
        log_level: log_level.map_or(LogLevel::Info, |told| told.value),
        turn: turn(survey, &groups, domain),
        use_external_ip: addresses::use_external_ip(survey, places, &groups, names),
        ..Livekit::default()
    }
}

/// The keys of all machines, each with the name of its secret.
fn keys(survey: &mut Survey, signer: Option<&str>, secrets: &mut Secrets) -> BTreeMap<String, SecretRef> {
    let mut known: BTreeMap<String, Option<Told<String>>> = BTreeMap::new();
    let mut nameless = Vec::new();
    let mut first: Option<Told<String>> = None;
    for machine in survey.everyone() {
        let told = survey.told(machine, KEY, identifier);
        let key = told.as_ref().map(|told| told.value.clone());
        match (&first, told) {
            // A token of one would be refused by the machines with the other.
            (Some(first), Some(told)) if first.value != told.value => survey.contradiction(KEY, first, &told),
            (None, told) => first = told,
            _ => {}
        }
        let Some(found) = survey.told(machine, SECRET, secret) else {
            known.extend(key.filter(|key| !known.contains_key(key)).map(|key| (key, None)));
            continue;
        };
        match key {
            None => nameless.push(found),
            Some(key) => match known.get(&key).and_then(Option::as_ref) {
                Some(first) if first.value != found.value => survey.contradiction(SECRET, first, &found),
                Some(_) => {}
                None => drop(known.insert(key, Some(found))),
            },
        }
    }
    if known.is_empty() {
        let name = signer.unwrap_or(placeholder::KEY_NAME).to_owned();
        if !survey.forgotten.contains(KEY) {
            survey.findings.add(
                Code::EnvInferred,
                FieldPath::root().key("livekit").key("keys"),
                format!(
                    "no file has {KEY}, and the scripts made up a new one at each run; it is called {name} here"
                ),
                "change the name in keys of [livekit], if your services use another",
            );
        }
        known.insert(name, None);
    }
    for found in nameless {
        let mut entries = known.values_mut();
        match (entries.next(), entries.next()) {
            (Some(Some(first)), None) if first.value != found.value => {
                survey.contradiction(SECRET, first, &found)
            }
            (Some(Some(_)), None) => {}
            (Some(slot @ None), None) => *slot = Some(found),
            _ => {
                let message =
                    format!("which of {} keys this secret belongs to is open; it is left out", known.len());
                survey.add(
                    Code::EnvMissing,
                    (found.machine, SECRET),
                    message,
                    format!("set {KEY} beside it"),
                );
            }
        }
    }
    let mut keys = BTreeMap::new();
    for (index, (key, found)) in (1..).zip(known) {
        let name = if index == 1 { SECRET.to_owned() } else { format!("{SECRET}_{index}") };
        keys.insert(key.clone(), SecretRef::Env(name.clone()));
        let Some(found) = found else {
            if !survey.forgotten.contains(SECRET) {
                let path = FieldPath::root().key("livekit").key("keys").key(&key);
                let message = format!("no file has the secret of the key {key}");
                survey.findings.add(Code::EnvMissing, path, message, lacking(&name));
            }
            secrets.lacks(&name, true);
            continue;
        };
        if found.value.chars().count() < Livekit::MIN_SECRET_LEN {
            survey.add_as(
                Code::LivekitShortSecret,
                Severity::Warning,
                (found.machine, SECRET),
                format!(
                    "the secret of {key} has fewer than {} characters and can be guessed, so nothing is \
                     rendered with it",
                    Livekit::MIN_SECRET_LEN
                ),
                format!(
                    "write a longer one into {}, as `openssl rand -hex 32` prints, and give it to your services; \
                     or add [severity] with livekit-short-secret = \"warning\" to stay with it for now",
                    Secrets::FILE
                ),
            );
        }
        secrets.insert(&name, found.value);
    }
    keys
}

fn webhook(
    survey: &mut Survey,
    signer: Option<Told<String>>,
    keys: &BTreeMap<String, SecretRef>,
) -> Option<Webhook> {
    let everyone = survey.everyone();
    let is_on = survey.agreed(&everyone, "WEBHOOK_ENABLED", flag);
    let urls = survey.agreed(&everyone, "WEBHOOK_URLS", addresses);
    if !is_on.as_ref().is_some_and(|told| told.value) {
        if let Some(urls) = urls {
            let message = "WEBHOOK_ENABLED is not true, so no events are sent there";
            let help = "set webhook = { urls = […] } in [livekit] to send them";
            survey.add(Code::EnvUnused, (urls.machine, "WEBHOOK_URLS"), message, help);
        }
        return None;
    }
    let Some(urls) = urls else {
        let machine = is_on.map_or(0, |told| told.machine);
        let message = "events are to be sent, and no file has WEBHOOK_URLS";
        survey.add(Code::EnvMissing, (machine, "WEBHOOK_ENABLED"), message, "set webhook in [livekit]");
        return None;
    };
    let holds_secret =
        |url: &Url| !url.username().is_empty() || url.password().is_some() || url.query().is_some();
    if urls.value.iter().any(holds_secret) {
        survey.add(
            Code::LiteralSecret,
            (urls.machine, "WEBHOOK_URLS"),
            "an address with a password or a token can be read by everybody who can read the plot",
            "receivers know LiveKit's events by their signature: take it out of the address",
        );
    }
    let key = signer.and_then(|told| {
        if keys.contains_key(&told.value) {
            // The only key signs anyway.
            return Some(told.value).filter(|_| keys.len() > 1);
        }
        let at = (told.machine, "WEBHOOK_API_KEY");
        let message = format!("{} is not among the keys; LiveKit would not start", told.value);
        let (key, help) = match keys.keys().next().filter(|_| keys.len() == 1) {
            Some(only) => (None, format!("nothing to do: {only}, the only key, signs the events")),
            None => (Some(told.value), format!("set webhook.key to one that {KEY} names")),
        };
        survey.add_as(Code::WebhookKey, Severity::Warning, at, message, help);
        key
    });
    Some(Webhook { key, urls: urls.value })
}

/// The relay, which the scripts have unless it is turned off. It never served
/// TLS: LiveKit does not know the settings that they wrote.
fn turn(survey: &mut Survey, groups: &[&[usize]], domain: Option<&HostName>) -> Option<Turn> {
    let is_on = survey.first_agreed(groups, "TURN_ENABLED", flag);
    let name = survey.first_agreed(groups, "TURN_DOMAIN", host_name);
    let udp_port = survey.first_agreed(groups, "TURN_EXTERNAL_UDP_PORT", |text| match text {
        "0" => Ok(None),
        _ => port(text).map(Some),
    });
    if is_on.as_ref().is_some_and(|told| !told.value) {
        return None;
    }
    let path = FieldPath::root().key("livekit").key("turn");
    let default = Turn::default();
    let udp_port: Option<Port> = match udp_port {
        Some(told) if told.value.is_none() => {
            let message = "without a UDP port the relay listens nowhere; it is left out";
            survey.add_as(
                Code::EnvChanged,
                Severity::Warning,
                (told.machine, "TURN_EXTERNAL_UDP_PORT"),
                message,
                "set turn in [livekit]",
            );
            return None;
        }
        Some(told) => told.value,
        None => default.udp_port,
    };
    let help = "for TLS give it a name of its own: turn = { domain = \"turn.…\", tls = \"edge\" }";
    match &name {
        Some(told) if Some(&told.value) == domain => {
            let message = "TURN over TLS cannot share the name of the edge; the relay serves UDP alone";
            survey.add_as(Code::EnvChanged, Severity::Info, (told.machine, "TURN_DOMAIN"), message, help);
        }
        Some(told) => {
            let message = "the scripts' relay never served TLS, and serves UDP alone for now";
            let help = "set tls = \"edge\" or \"direct\" beside turn.domain";
            survey.add_as(Code::EnvInferred, Severity::Info, (told.machine, "TURN_DOMAIN"), message, help);
        }
        None => survey.findings.add(Code::EnvInferred, path, "the relay (TURN) serves UDP alone", help),
    }
    Some(Turn {
        domain: name.map(|told| told.value).filter(|name| Some(name) != domain),
        udp_port,
        ..default
    })
}

fn identifier(text: &str) -> Result<String, String> {
    match text.contains(|c: char| c.is_control() || c.is_whitespace()) {
        true => Err("a key's name holds no spaces and no line breaks".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn log_level(text: &str) -> Result<LogLevel, String> {
    match text.to_ascii_lowercase().as_str() {
        "debug" => Ok(LogLevel::Debug),
        "info" => Ok(LogLevel::Info),
        "warn" | "warning" => Ok(LogLevel::Warn),
        "error" => Ok(LogLevel::Error),
        _ => Err(format!("{:?} is none of debug, info, warn and error", crate::value::shorten(text))),
    }
}

/// Addresses with commas between. They are not repeated in messages: one may
/// hold a token.
fn addresses(text: &str) -> Result<Vec<Url>, String> {
    let words = text.split(',').map(str::trim).filter(|word| !word.is_empty());
    let parse = |(position, word): (usize, &str)| {
        let url =
            word.parse::<Url>().ok().filter(|url| matches!(url.scheme(), "http" | "https") && url.has_host());
        url.ok_or_else(|| format!("address {position} of the list does not start with http:// or https://"))
    };
    (1..).zip(words).map(parse).collect()
}
