//! What is seen of a change.

use std::collections::BTreeMap;
use std::path::Path;

use stageplot_render::diff::Impact;
use stageplot_tests::{Container, Machine};

/// What became of a service on a machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Seen {
    /// It has no container, before and after.
    NoContainer,
    /// The same container, as it was.
    Untouched,
    /// The same container, by another configuration.
    Reloaded,
    /// The same container, started again.
    Restarted,
    /// Another container.
    Recreated,
    /// A container where there was none.
    Started,
    /// No container where there was one.
    Stopped,
}

impl Seen {
    /// Whether a diff that says this of a process was right.
    pub(crate) fn is(self, foretold: Impact) -> bool {
        match foretold {
            Impact::None | Impact::Live => matches!(self, Self::Untouched | Self::NoContainer),
            Impact::Reload => self == Self::Reloaded,
            Impact::Drain | Impact::Recreate => self == Self::Recreated,
            Impact::Start => self == Self::Started,
            Impact::Stop => self == Self::Stopped,
            // A process of the user's own, of which no container tells.
            Impact::Restart => self == Self::NoContainer,
            _ => false,
        }
    }
}

/// What there was on a machine at one time.
pub(crate) struct Sight {
    containers: BTreeMap<String, Container>,
    /// What each Caddy runs by.
    configs: BTreeMap<String, String>,
}

/// A Caddy's configuration as it has it.
const CONFIG: &str = "wget -q -O - http://127.0.0.1:2019/config/";

/// The certificate that clients of the first machine are shown.
const SHOWN: &str = "openssl s_client -connect 203.0.113.10:443 -servername live.example.com </dev/null | \
    openssl x509 -noout -fingerprint";

impl Sight {
    /// Looks at a machine with these services.
    pub(crate) fn new(machine: &Machine, services: &BTreeMap<String, &'static str>) -> Self {
        let caddies = services.iter().filter(|(_, kind)| **kind == "edge");
        let configs =
            caddies.filter_map(|(service, _)| Some((service.clone(), Self::config(machine, service)?)));
        Self { configs: configs.collect(), containers: machine.containers() }
    }

    /// What a Caddy runs by, once it answers: its configuration, and what a certificate
    /// of the user's own is, which that names by its file.
    pub(crate) fn config(machine: &Machine, service: &str) -> Option<String> {
        let id = machine.containers().remove(service)?.id;
        let config = machine.engine().docker(&["exec", &id, "sh", "-c", CONFIG]);
        if !config.succeeded() {
            return None;
        }
        let shown = match config.stdout.contains("/etc/caddy/site.crt") {
            true => machine.shell(SHOWN, Path::new("/")).success(),
            false => String::new(),
        };
        Some(config.stdout + &shown)
    }

    /// The container of a service.
    pub(crate) fn container(&self, service: &str) -> Option<&Container> {
        self.containers.get(service)
    }

    /// Whether a service's container ran to its end, with no error.
    pub(crate) fn has_ended_well(&self, service: &str) -> bool {
        self.container(service).is_some_and(Container::has_ended_well)
    }

    /// Whether a service's container was started by a later time.
    pub(crate) fn is_started_since(&self, later: &Self, service: &str) -> bool {
        let started = |sight: &Self| Some(sight.container(service)?.started.clone());
        started(self) != started(later)
    }

    /// The services that have containers.
    pub(crate) fn services(&self) -> impl Iterator<Item = &str> {
        self.containers.keys().map(String::as_str)
    }

    /// What became of a service by a later time.
    pub(crate) fn compare(&self, later: &Self, service: &str) -> Seen {
        let (old, new) = match (self.container(service), later.container(service)) {
            (None, None) => return Seen::NoContainer,
            (None, Some(_)) => return Seen::Started,
            (Some(_), None) => return Seen::Stopped,
            (Some(old), Some(new)) => (old, new),
        };
        // What ends by itself the engine starts again, and counts.
        let by_engine = new.restarts != old.restarts || !old.running || !new.running;
        if old.id != new.id {
            Seen::Recreated
        } else if old.started != new.started && !by_engine {
            Seen::Restarted
        } else if self.configs.get(service) != later.configs.get(service) {
            Seen::Reloaded
        } else {
            Seen::Untouched
        }
    }
}
