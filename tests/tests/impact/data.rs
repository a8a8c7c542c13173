//! Data that is there before a change, and perhaps after it.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::Duration;

use stageplot_tests::{Machine, wait_for};

use crate::seen::Sight;
use crate::stack::Stack;

const SOON: Duration = Duration::from_secs(30);

/// Asks a Redis in its container, as its own files say.
const REDIS: &str = r#"cd /usr/local/etc/redis
export REDISCLI_AUTH="$(cat password 2>/dev/null)"
exec redis-cli -p "$(sed -n 's/^port //p' redis.conf)" "$@""#;

/// Asks a Postgres in its container, as its own files say, from inside. A first word alone
/// asks whether there is one.
const POSTGRES: &str = r#"cd /etc/postgresql
said() { sed -n "s/^$1 *=[ ']*\([^']*\)'*$/\1/p" "$2"; }
port="$(said port postgresql.conf)"
# The server of the first start is there for its scripts alone, and listens to nobody else.
[ -n "$1" ] || exec pg_isready -qh 127.0.0.1 -p "$port"
exec psql -p "$port" -U "$(said user start.sh)" -d "$(said database start.sh)" -XAtqc "$1""#;

/// What was written: a key into every Redis, a row into every Postgres, a file into every directory of an app.
pub(crate) struct Data {
    value: String,
    redis: BTreeSet<String>,
    postgres: BTreeSet<String>,
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
        let mut data = Self {
            value: value.to_owned(),
            redis: BTreeSet::new(),
            postgres: BTreeSet::new(),
            files: BTreeSet::new(),
        };
        for (&node, machine) in machines {
            for (service, kind) in stack.services(node) {
                match kind {
                    "redis" if !stack.is_copy(node, &service) => {
                        let written = ask(machine, &sights[node], &service, &["set", "kept", value]);
                        assert_eq!(written, "OK");
                        data.redis.insert(service);
                    }
                    "postgres" if !stack.is_copy(node, &service) => {
                        let write = format!(
                            "create table if not exists kept (value text); insert into kept values ('{value}'); \
                             select 'written'"
                        );
                        // One without the user or the database of the plot takes nothing.
                        if query(machine, &sights[node], &service, &write) == "written" {
                            data.postgres.insert(service);
                        }
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
        let has_row = |service: &str| {
            let is_primary = |node: &&&str| {
                stack.services(node).get(service) == Some(&"postgres") && !stack.is_copy(node, service)
            };
            let read = format!("select value from kept where value = '{}'", self.value);
            let node = machines.keys().find(is_primary);
            node.is_some_and(|node| query(&machines[node], &sights[node], service, &read) == self.value)
        };
        let has_file = |node: &str, service: &str, place: &str| {
            let directories = directories(&machines[node], &sights[node], service);
            let kept = directories.get(place).map(|directory| fs::read_to_string(directory.join("kept")));
            kept.is_some_and(|kept| kept.is_ok_and(|kept| kept == self.value))
        };
        let redis = self.redis.iter().filter(|service| !has_key(service));
        let files = self.files.iter().filter(|(node, service, place)| !has_file(node, service, place));
        let postgres = self.postgres.iter().filter(|service| !has_row(service));
        redis.chain(postgres).chain(files.map(|(_, service, _)| service)).cloned().collect()
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

/// What a Postgres answers once it answers at all; nothing where it refuses.
fn query(machine: &Machine, sight: &Sight, service: &str, sql: &str) -> String {
    let container = sight.container(service).unwrap_or_else(|| panic!("{service} has no container"));
    let ask = |sql: &str| machine.engine().docker(&["exec", &container.id, "sh", "-c", POSTGRES, "sh", sql]);
    wait_for(&format!("{service}'s answer"), SOON, || ask("").succeeded());
    ask(sql).stdout.trim().to_owned()
}

/// The directories of data that an app mounts, by their places in the container. What
/// Compose hands on from a container of another kind is none of them.
fn directories(machine: &Machine, sight: &Sight, service: &str) -> BTreeMap<String, PathBuf> {
    let mounts = sight.container(service).map(|container| container.mounts.clone()).unwrap_or_default();
    let data = Path::new("data").join(service);
    let is_own = |source: &Path| source.parent().is_some_and(|parent| parent.ends_with(&data));
    mounts.into_iter().filter(|(_, source)| source.starts_with(machine.root()) && is_own(source)).collect()
}
