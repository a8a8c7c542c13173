//! Data that is there before a change, and perhaps after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use stageplot_tests::{Machine, wait_for};

use crate::seen::Sight;
use crate::stack::Stack;

const SOON: Duration = Duration::from_secs(30);

/// Asks a Redis in its container, as its own files say.
const REDIS: &str = r#"cd /usr/local/etc/redis
export REDISCLI_AUTH="$(cat password 2>/dev/null)"
exec redis-cli -p "$(sed -n 's/^port //p' redis.conf)" "$@""#;

/// What was written: a key into every Redis, a file into every directory of an app.
pub(crate) struct Data {
    value: String,
    redis: BTreeSet<String>,
    /// Machine, service, and the place in its container.
    files: BTreeSet<(&'static str, String, String)>,
}

impl Data {
    /// Writes a value that was never written before.
    pub(crate) fn write(
        value: &str,
        stack: &Stack,
        machines: &BTreeMap<&'static str, Machine>,
        sights: &BTreeMap<&'static str, Sight>,
    ) -> Self {
        let mut data = Self { value: value.to_owned(), redis: BTreeSet::new(), files: BTreeSet::new() };
        for (&node, machine) in machines {
            for (service, kind) in stack.services(node) {
                match kind {
                    "redis" if !stack.is_copy(node, &service) => {
                        let written = ask(machine, &sights[node], &service, &["set", "kept", value]);
                        assert_eq!(written, "OK");
                        data.redis.insert(service);
                    }
                    "app" => {
                        for (place, directory) in directories(machine, &sights[node], &service) {
                            fs::write(directory.join("kept"), value).expect("written");
                            data.files.insert((node, service.clone(), place));
                        }
                    }
                    _ => {}
                }
            }
        }
        data
    }

    /// The services that do not find it any more.
    pub(crate) fn lost(
        &self,
        stack: &Stack,
        machines: &BTreeMap<&'static str, Machine>,
        sights: &BTreeMap<&'static str, Sight>,
    ) -> BTreeSet<String> {
        let has_key = |service: &str| {
            let is_primary = |node: &&&str| {
                stack.services(node).get(service) == Some(&"redis") && !stack.is_copy(node, service)
            };
            let node = machines.keys().find(is_primary);
            node.is_some_and(|node| {
                ask(&machines[node], &sights[node], service, &["get", "kept"]) == self.value
            })
        };
        let has_file = |node: &str, service: &str, place: &str| {
            let directories = directories(&machines[node], &sights[node], service);
            let kept = directories.get(place).map(|directory| fs::read_to_string(directory.join("kept")));
            kept.is_some_and(|kept| kept.is_ok_and(|kept| kept == self.value))
        };
        let redis = self.redis.iter().filter(|service| !has_key(service));
        let files = self.files.iter().filter(|(node, service, place)| !has_file(node, service, place));
        redis.chain(files.map(|(_, service, _)| service)).cloned().collect()
    }
}

/// What a Redis answers once it answers at all.
fn ask(machine: &Machine, sight: &Sight, service: &str, question: &[&str]) -> String {
    let container = sight.container(service).unwrap_or_else(|| panic!("{service} has no container"));
    let ask = |question: &[&str]| {
        let exec = ["exec", &container.id, "sh", "-c", REDIS, "sh"];
        machine.engine().docker(&[&exec, question].concat()).stdout.trim().to_owned()
    };
    wait_for(&format!("{service}'s answer"), SOON, || ask(&["ping"]) == "PONG");
    ask(question)
}

/// The directories of data that a service mounts, by their places in the container.
fn directories(machine: &Machine, sight: &Sight, service: &str) -> BTreeMap<String, PathBuf> {
    let mounts = sight.container(service).map(|container| container.mounts.clone()).unwrap_or_default();
    let is_data = |source: &PathBuf| {
        let below = source.strip_prefix(machine.root());
        below.is_ok_and(|below| below.components().any(|part| part.as_os_str() == "data"))
    };
    mounts.into_iter().filter(|(_, source)| is_data(source)).collect()
}
