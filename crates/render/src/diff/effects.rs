//! What differing files and definitions do to what runs.

use stageplot_topology::words::listed;

use super::names::Names;
use super::placement::{COMPOSE, Here, Placement};
use super::words::{differs, fields_in_words, name, period};
use super::{Effect, FieldChange, FileDiff, Impact, Reason, Status, data};
use crate::Change;

/// What happens to a service on a machine; none where nothing does. `streams_stay` is how
/// long a Caddy that reads its configuration again keeps the streams of the old one.
pub(super) fn of_service(placement: &Placement<'_>, streams_stay: Option<&str>) -> Option<Effect> {
    let mut reasons = match (&placement.before, &placement.after) {
        (Some(before), Some(after)) => changed(placement, before, after),
        (None, Some(after)) => vec![started(after)],
        (Some(before), None) => vec![stopped(before)],
        (None, None) => return None,
    };
    let waits = placement.before.as_ref().and_then(Here::waits);
    if waits.is_some() {
        for reason in reasons.iter_mut().filter(|reason| reason.impact == Impact::Recreate) {
            reason.impact = Impact::Drain;
        }
    }
    let process = reasons.iter().map(|reason| reason.impact).max().unwrap_or_default();
    reasons.extend(data::reasons(placement, process));
    let waits = waits.filter(|_| matches!(process, Impact::Drain | Impact::Stop));
    let was = placement.before.as_ref().map(|before| before.service.kind.as_str());
    let drops_rooms = match was {
        // Rooms live in LiveKit, and are known by Redis; streams, recordings and calls in what
        // takes them.
        Some("livekit" | "ion-sfu" | "rtmp" | "ingress" | "egress" | "sip") => process >= Impact::Restart,
        // Nobody dials a replica.
        Some("redis") => {
            let is_dialled = placement.before.as_ref().is_some_and(|before| !before.is_replica());
            is_dialled && reasons.iter().any(|reason| reason.impact == Impact::DataAtStake)
        }
        _ => false,
    };
    let is_started = matches!(process, Impact::Start | Impact::Recreate);
    let migration = placement.after.as_ref().filter(|_| is_started).and_then(|after| after.migration.clone());
    let text = match placement.machine_is_gone {
        true => taken_down(placement.before.as_ref(), waits),
        false => {
            let first = migration.iter().map(|name| format!("; {name} has to end well before it is started"));
            text(placement.kind(), process, waits, streams_stay)
                + &image(placement)
                + &first.collect::<String>()
        }
    };
    Effect::new(Some(placement), process, reasons).map(|effect| Effect {
        text,
        drain_seconds: waits,
        migration,
        drops_rooms,
        ..effect
    })
}

/// What happens to the machine itself; none where nothing does.
pub(super) fn of_machine(files: &[FileDiff]) -> Option<Effect> {
    let own = files.iter().filter(|file| file.service.is_none() && file.path != COMPOSE);
    let (told, mut reasons) = (own.flat_map(machine).collect::<Vec<_>>(), Vec::new());
    let mut verbs = Vec::new();
    for (verb, reason) in told {
        if !verbs.contains(&verb) && reason.impact > Impact::Live {
            verbs.push(verb);
        }
        reasons.push(reason);
    }
    let text = match verbs.as_slice() {
        [] => "what is written there is for the next time somebody needs it".to_owned(),
        verbs => listed(verbs),
    };
    let process = reasons.iter().map(|reason| reason.impact).max().unwrap_or_default();
    Effect::new(None, process, reasons).map(|effect| Effect { text, ..effect })
}

impl Effect {
    /// An effect with its reasons, the worst first; none where there are none.
    fn new(placement: Option<&Placement<'_>>, process: Impact, mut reasons: Vec<Reason>) -> Option<Self> {
        reasons.sort_by(|a, b| b.impact.cmp(&a.impact).then_with(|| a.cmp(b)));
        reasons.dedup();
        Some(Self {
            service: placement.map(|placement| placement.name.to_owned()),
            kind: placement.map(|placement| placement.kind().to_owned()),
            impact: reasons.first()?.impact,
            process,
            text: String::new(),
            drain_seconds: None,
            migration: None,
            drops_rooms: false,
            reasons,
        })
    }
}

impl Reason {
    pub(super) fn new(impact: Impact, text: impl Into<String>) -> Self {
        Self { impact, text: text.into(), fields: Vec::new() }
    }

    /// A file that differs, in all its fields.
    fn file(impact: Impact, file: &FileDiff) -> Self {
        // All that a new file says is no reason by itself.
        let is_whole = matches!(file.status, Status::Added | Status::Removed);
        let fields = file.fields.iter().chain(&file.about).filter(|_| !is_whole);
        let fields = fields.map(|field| format!("{}: {}", file.path, field.path)).collect();
        Self { impact, text: differs(file), fields }
    }

    /// Fields of `compose.yaml`.
    fn compose(prefix: &str, fields: &[&FieldChange]) -> Self {
        let text = format!("{COMPOSE}: {}", fields_in_words(fields, prefix));
        let fields = fields.iter().map(|field| format!("{COMPOSE}: {}", field.path));
        Self { impact: Impact::Recreate, text, fields: fields.collect() }
    }
}

/// Why a service that is on both sides does not go on as it is.
fn changed(placement: &Placement<'_>, before: &Here<'_>, after: &Here<'_>) -> Vec<Reason> {
    let files = placement.own_files().map(|file| own_file(file, placement.names));
    let mut reasons: Vec<_> = match (before.container, after.container) {
        (None, None) => return files.collect(),
        (Some(_), None) if after.is_lost => return vec![lost("after")],
        (None, Some(_)) if before.is_lost => return vec![lost("before")],
        (None, Some(_)) => {
            let text = "it runs in a container from now on: stop your own process";
            return vec![Reason::new(Impact::Start, text)];
        }
        (Some(_), None) => {
            return vec![Reason::new(Impact::Stop, "its container goes: you run it from now on")];
        }
        (Some(_), Some(_)) => files.collect(),
    };
    if before.name != after.name {
        let text = format!("{} is called {} from now on, and so is its container", before.name, after.name);
        reasons.push(Reason::new(Impact::Recreate, text));
    } else {
        let prefix = format!("services.{}.", after.name);
        let fields = placement.compose_fields(&prefix);
        if !fields.is_empty() {
            reasons.push(Reason::compose(&prefix, &fields));
        }
    }
    let (old, new) = (before.summary, after.summary);
    if old.name != new.name {
        let text = format!(
            "the stack is called {} from now on, and Compose leaves another stack's containers: first take {stack} \
             down (docker compose --project-name {stack} down)",
            new.name,
            stack = old.name,
        );
        reasons.push(Reason::new(Impact::Recreate, text));
        return reasons;
    }
    if old.directory != new.directory {
        let text = format!("the stack moves from {} to {}", old.directory, new.directory);
        reasons.push(Reason::new(Impact::Recreate, text));
    }
    let network = placement.compose_fields("networks.");
    if !network.is_empty() && before.is_bridged() && after.is_bridged() {
        let text = format!(
            "the container network is made anew, and Compose leaves one that is there: first take {service} out \
             (docker compose --project-name {stack} rm --stop --force {service}), then the network away \
             (docker network rm {stack}_default)",
            service = before.name,
            stack = old.name,
        );
        reasons.push(Reason { text, ..Reason::compose("networks.", &network) });
    }
    reasons
}

/// Nothing says how its container runs on that side.
fn lost(side: &str) -> Reason {
    let text = format!(
        "{COMPOSE} is missing {side} the change, or is none: what becomes of its container cannot be told"
    );
    Reason::new(Impact::Recreate, text)
}

/// What a differing file of a service's own leads to.
fn own_file(file: &FileDiff, names: &Names) -> Reason {
    let impact = match file.change {
        // Its directory is named by what it holds and by whose it is, not by its mode.
        Some(Change::Recreate) if is_mode_alone(file) => Impact::Live,
        Some(Change::Recreate) => Impact::Recreate,
        Some(Change::Restart) => Impact::Restart,
        Some(Change::Reload) if is_mode_alone(file) => Impact::Live,
        Some(Change::Reload) => Impact::Reload,
        Some(Change::Live) | None => Impact::Live,
    };
    let mut reason = Reason::file(impact, file);
    let mut renamed = names.renamed_services();
    if let Some((old, new)) = renamed.find(|(old, new)| is_by_name(file, old, new)) {
        reason.text.push_str(&format!("; {old} is called {new} from now on"));
    }
    reason
}

/// Whether a field differs in the name of a service alone.
fn is_by_name(file: &FileDiff, old: &str, new: &str) -> bool {
    file.fields.iter().any(|field| match (&field.before, &field.after) {
        (Some(before), Some(after)) => before != after && before.replace(old, new) == *after,
        _ => false,
    })
}

fn is_mode_alone(file: &FileDiff) -> bool {
    let mode = !file.about.is_empty() && file.about.iter().all(|about| about.path == "mode");
    mode && file.status == Status::Changed
        && file.fields.is_empty()
        && file.lines.is_empty()
        && !file.rewritten
}

/// What a differing file leads to that the machine itself reads, or a person.
fn machine(file: &FileDiff) -> Vec<(&'static str, Reason)> {
    let reload = |verb, text: String| (verb, Reason { text, ..Reason::file(Impact::Reload, file) });
    let mut reasons = Vec::new();
    match name(&file.path).rsplit('.').next() {
        _ if file.is_for_people() => {}
        _ if file.change != Some(Change::Reload) => reasons.push(("", Reason::file(Impact::Live, file))),
        Some("nft") => reasons.push(reload(
            "the firewall is loaded anew",
            format!("{}; connections that are open stay", differs(file)),
        )),
        Some("sh") => reasons.push(reload("ufw is told its rules", differs(file))),
        Some("conf") => {
            reasons.push(reload("kernel settings are loaded anew", differs(file)));
            let gone = file.fields.iter().filter(|field| field.after.is_none());
            let gone: Vec<_> = gone.map(|field| field.path.replace('"', "")).collect();
            if !gone.is_empty() {
                let text = format!("{} keeps its value until the machine starts again", listed(&gone));
                reasons.push(reload("kernel settings are loaded anew", text));
            }
        }
        _ => reasons.push(reload("systemd reads its units anew", differs(file))),
    }
    reasons
}

fn started(after: &Here<'_>) -> Reason {
    let text = match (after.container, after.service.kind.as_str()) {
        (None, _) => "it is new here: you start it",
        _ if after.is_replica() => "it is new here: a copy of the primary",
        (_, "livekit") => "it is new here, and takes rooms",
        _ => "it is new here",
    };
    Reason::new(Impact::Start, text)
}

fn stopped(before: &Here<'_>) -> Reason {
    let text = match before.container {
        None => "it is no longer placed here: you stop it",
        Some(_) => "it is no longer placed here",
    };
    Reason::new(Impact::Stop, text)
}

/// What becomes of a service on a machine that nobody renders for any more.
fn taken_down(before: Option<&Here<'_>>, waits: Option<u32>) -> String {
    match (before.and_then(|before| before.container), waits) {
        (None, _) => "it runs on until you stop it by hand".to_owned(),
        (_, None) => "it runs on until somebody takes it down by hand (docker compose down)".to_owned(),
        (_, Some(seconds)) => format!(
            "it runs on until somebody takes it down by hand (docker compose down), which drains it for up to {}",
            period(seconds)
        ),
    }
}

/// The image that it runs from now on, where that is another one.
fn image(placement: &Placement<'_>) -> String {
    let image = |here: &Option<Here<'_>>| here.as_ref()?.text("image").map(str::to_owned);
    match (image(&placement.before), image(&placement.after)) {
        (Some(old), Some(new)) if old != new => format!("; its image is {new}"),
        _ => String::new(),
    }
}

/// What a companion of LiveKit does.
fn work(kind: &str) -> &'static str {
    match kind {
        "ingress" => "streams",
        "egress" => "recordings",
        _ => "calls",
    }
}

/// What happens, in a few words.
fn text(kind: &str, process: Impact, waits: Option<u32>, streams_stay: Option<&str>) -> String {
    match (process, kind, waits) {
        (Impact::Drain, "ingress" | "egress" | "sip", waits) => {
            let most = waits.map(period).unwrap_or_default();
            let what = work(kind);
            format!(
                "it takes no new {what}, lets those that run go on for up to {most}, then ends them and is recreated"
            )
        }
        (Impact::Stop, "ingress" | "egress" | "sip", Some(waits)) => {
            let most = period(waits);
            format!(
                "it lets {} that run go on for up to {most}, then ends them and stops for good",
                work(kind)
            )
        }
        (Impact::Drain, _, waits) => {
            let most = waits.map(period).unwrap_or_default();
            format!(
                "it takes no new rooms, lets people in rooms finish for up to {most}, then throws them out and is recreated"
            )
        }
        (Impact::Stop, _, Some(waits)) => {
            format!(
                "it lets people in rooms finish for up to {}, then throws them out and stops for good",
                period(waits)
            )
        }
        (Impact::Reload, "edge", _) => match streams_stay {
            Some(most) => format!("open WebSockets stay, for up to {most}"),
            None => "requests in flight are answered".to_owned(),
        },
        (Impact::Recreate, "redis" | "postgres", _) => "its clients connect again".to_owned(),
        (Impact::Recreate, "ion-sfu", _) => "every session ends, and everybody joins anew".to_owned(),
        (Impact::Recreate, "rtmp", _) => "every stream ends, and is published anew".to_owned(),
        (Impact::Recreate, "edge", _) => "every connection through it ends".to_owned(),
        (Impact::None, ..) => "it goes on as it is".to_owned(),
        (Impact::Live, ..) => "it goes on; the change takes effect at once".to_owned(),
        (Impact::Start, ..) => "it runs here from now on".to_owned(),
        (Impact::Reload, ..) => "it reads its configuration again".to_owned(),
        (Impact::Restart, ..) => "you start it again".to_owned(),
        (Impact::Recreate | Impact::DataAtStake, ..) => "a new container takes its place".to_owned(),
        (Impact::Stop, ..) => "it stops for good".to_owned(),
    }
}
