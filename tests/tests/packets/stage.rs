//! Two machines with engines, and a stranger, on which plots are brought up.

use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use stageplot_render::{Custom, Rendering, Secrets, render};
use stageplot_tests::{
    Engine, Installed, Lan, Missing, Namespace, Program, Scratch, Transport, Vault, wait_for,
};
use stageplot_topology::{Attachment, Hook, Placement, Protocol, Topology};

/// What an answer may take that has to come.
pub(crate) const SOON: Duration = Duration::from_secs(5);

/// How long is waited for an answer that must not come.
pub(crate) const NEVER: Duration = Duration::from_millis(300);

/// The addresses of the machines, of which a plot names some: `a`, `b`, and one that
/// is in no plot and no network of a plot.
const MACHINES: [(&str, &[&str]); 3] = [
    ("a", &["192.168.1.1/28", "203.0.113.1/24", "fd00:1::1/64"]),
    ("b", &["192.168.1.2/28", "203.0.113.2/24", "fd00:1::2/64"]),
    ("stranger", &["198.51.100.9/24", "2001:db8:9::9/64"]),
];

/// Docker's default before version 27: no translation of IPv6.
pub(crate) const DEFAULT: &str = "{}";

/// Docker's default from version 27 on, as earlier ones are told.
pub(crate) const IP6TABLES: &str = r#"{ "experimental": true, "ip6tables": true }"#;

/// The machines `a` and `b`, a stranger, and the wire between them.
pub(crate) struct Stage {
    pub(crate) machines: BTreeMap<String, Machine>,
    pub(crate) stranger: Namespace,
    _lan: Lan,
}

impl Stage {
    /// Starts the machines, each with an engine of those settings.
    pub(crate) fn new(images: &[&str], daemon: &str) -> Result<Self, Missing> {
        Program::named("compose")?;
        for program in ["nft", "conntrack", "ufw", "iptables", "ip6tables", "unshare"] {
            Program::named(program)?;
        }
        let lan = Lan::new("lan")?;
        let [a, b, stranger] = MACHINES.map(|(name, addresses)| lan.machine(name, addresses));
        let engines = thread::scope(|scope| {
            let start = |machine| scope.spawn(move || Engine::configured(machine, images, daemon));
            [start(&a), start(&b)].map(|started| started.join().expect("an engine"))
        });
        let mut machines = BTreeMap::new();
        for (name, engine) in ["a", "b"].into_iter().zip(engines) {
            let machine = Machine::new(engine?);
            machine.load("probe", PROBE);
            machines.insert(name.to_owned(), machine);
        }
        Ok(Self { machines, stranger, _lan: lan })
    }

    /// Brings a plot up on the machines of its nodes' names: first the rules, as at
    /// boot, then the containers.
    pub(crate) fn raise(&mut self, topology: &Topology) {
        let vault = Vault::new(topology).expect("openssl");
        let rendering = &render(topology, Secrets::From(&vault), &Custom::default()).expect("a rendering");
        thread::scope(|scope| {
            for (name, machine) in &mut self.machines {
                scope.spawn(move || machine.raise(rendering, name));
            }
        });
    }

    /// Takes the plot down again, rules and all.
    pub(crate) fn lower(&mut self) {
        thread::scope(|scope| {
            for machine in self.machines.values_mut() {
                scope.spawn(|| machine.lower());
            }
        });
    }

    /// The machine that something is placed on.
    pub(crate) fn machine(&self, topology: &Topology, placement: Placement) -> &Machine {
        &self.machines[topology.node(placement.node).name.as_str()]
    }

    /// The network namespace of what is placed.
    pub(crate) fn namespace(&self, topology: &Topology, placement: Placement) -> PathBuf {
        let machine = self.machine(topology, placement);
        match placement.attachment {
            Attachment::Bridge => {
                machine.containers[topology.service(placement.service).name.as_str()].namespace.clone()
            }
            Attachment::Host | Attachment::OffDocker => machine.namespace().path(),
        }
    }
}

/// A machine with an engine, and what is up on it.
pub(crate) struct Machine {
    engine: Engine,
    /// Files of the tests'.
    files: Scratch,
    installed: Option<Installed>,
    /// The rules that were rendered for it.
    pub(crate) rules: String,
    /// Its containers on the container network, by service.
    pub(crate) containers: BTreeMap<String, Container>,
}

/// A container on the container network.
pub(crate) struct Container {
    /// The file of its network namespace.
    pub(crate) namespace: PathBuf,
    /// Its addresses there.
    pub(crate) addresses: Vec<IpAddr>,
}

impl Machine {
    fn new(engine: Engine) -> Self {
        Self {
            engine,
            files: Scratch::new(),
            installed: None,
            rules: String::new(),
            containers: BTreeMap::new(),
        }
    }

    pub(crate) fn namespace(&self) -> &Namespace {
        self.engine.machine()
    }

    /// All addresses that the machine has itself, those of its bridges among them.
    pub(crate) fn addresses(&self) -> Vec<IpAddr> {
        let shown = self.namespace().run("ip", &["-brief", "address", "show", "scope", "global"]).success();
        let words = shown.lines().flat_map(|line| line.split_whitespace().skip(2));
        words.filter_map(|word| word.split('/').next()?.parse().ok()).collect()
    }

    /// Loads a file of rules.
    pub(crate) fn load(&self, name: &str, rules: &str) {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let file = format!("{name}.{}.nft", COUNT.fetch_add(1, Ordering::Relaxed));
        let file = self.files.path().join(file);
        fs::write(&file, rules).expect("a file");
        self.namespace().run("nft", &["-f".as_ref(), file.as_os_str()]).success();
    }

    fn raise(&mut self, rendering: &Rendering, name: &str) {
        let bundle = rendering.bundles.iter().find(|bundle| bundle.node == name).expect("a bundle");
        let installed = Installed::new(bundle);
        let rules = bundle.artifact("firewall/stageplot.nft").expect("rules");
        self.rules = String::from_utf8(rules.bytes.clone()).expect("text");
        self.installed = Some(installed);
        self.load("rules", &self.rules);
        self.command_ufw();
        self.compose(&["up", "--detach", "--quiet-pull"]);
        self.look();
    }

    /// Runs Compose on what is installed.
    fn compose(&self, arguments: &[&str]) {
        let directory = self.installed.as_ref().expect("a bundle").directory();
        let version = Program::versions("compose").next().expect("a version");
        let arguments = [&["--project-directory", ".", "--file", "current/compose.yaml"], arguments].concat();
        self.engine.compose(version, &arguments, &directory).success();
    }

    /// Switches the machine off and on again: as the units say, first the rules are
    /// loaded, and then the engine starts what ran before.
    pub(crate) fn reboot(&mut self) {
        self.engine.halt();
        self.load("rules", &self.rules);
        self.command_ufw();
        let count = self.containers.len();
        self.engine.boot();
        wait_for("up again", SOON * 4, || {
            self.look();
            self.containers.len() == count
        });
    }

    /// Looks which containers there are.
    fn look(&mut self) {
        self.containers.clear();
        let running = self.engine.docker(&["ps", "--quiet"]).success();
        let format = "{{index .Config.Labels \"com.docker.compose.service\"}} {{.State.Pid}} \
            {{range .NetworkSettings.Networks}}{{.IPAddress}} {{.GlobalIPv6Address}}{{end}}";
        let mut inspect = vec!["inspect", "--format", format];
        inspect.extend(running.split_whitespace());
        for line in self.engine.docker(&inspect).success().lines() {
            let words: Vec<_> = line.split_whitespace().collect();
            let addresses: Vec<IpAddr> = words[2..].iter().filter_map(|word| word.parse().ok()).collect();
            if !addresses.is_empty() {
                let namespace = PathBuf::from(format!("/proc/{}/ns/net", words[1]));
                self.containers.insert(words[0].to_owned(), Container { namespace, addresses });
            }
        }
    }

    /// Runs the commands for ufw where there are any, with a configuration of ufw's
    /// own that nobody else sees.
    pub(crate) fn command_ufw(&self) {
        let commands = self.installed.as_ref().expect("a bundle").release().join("firewall/ufw.sh");
        if !commands.exists() {
            return;
        }
        // What ufw saves stays, as on a disk.
        let script = "set -eu
            [ -e \"$1/etc\" ] || { cp -a /etc/ufw \"$1/etc\"; cp -a /etc/default/ufw \"$1/default\"; }
            mount --bind \"$1/etc\" /etc/ufw
            mount --bind \"$1/default\" /etc/default/ufw
            ufw --force reset
            sh \"$2\"";
        let arguments = ["--mount", "--", "sh", "-c", script, "sh"].map(OsStr::new);
        let arguments = [&arguments[..], &[self.files.path().as_os_str(), commands.as_os_str()]].concat();
        self.namespace().run("unshare", &arguments).success();
    }

    fn lower(&mut self) {
        self.compose(&["down", "--timeout", "0"]);
        self.installed = None;
        self.containers.clear();
        let tables = self.namespace().run("nft", &["list", "tables", "inet"]).success();
        for table in tables.lines().filter_map(|line| line.strip_prefix("table inet stageplot_")) {
            self.namespace()
                .run("nft", &["delete", "table", "inet", &format!("stageplot_{table}")])
                .success();
        }
    }

    /// Forgets what connections came by.
    pub(crate) fn forget(&self) {
        self.load("flush", &SETS.map(|(set, _)| format!("flush set inet probe {set}\n")).concat());
    }

    /// Where new connections came by since, and from whom, by transport and port.
    /// Docker sends them on to the same port of the container.
    pub(crate) fn seen(&self) -> Vec<(Transport, u16, Seen, IpAddr)> {
        let shown = self.namespace().run("nft", &["--json", "list", "table", "inet", "probe"]).success();
        let shown: serde_json::Value = serde_json::from_str(&shown).expect("JSON");
        let mut seen = Vec::new();
        for set in shown["nftables"].as_array().expect("a list").iter().filter_map(|item| item.get("set")) {
            let (_, hook) =
                SETS.into_iter().find(|(name, _)| set["name"] == *name).expect("a set of the probe");
            for element in set["elem"].as_array().into_iter().flatten() {
                let element = element.get("elem").map_or(element, |element| &element["val"]);
                let [source, protocol, port] = element["concat"].as_array().expect("parts").as_slice() else {
                    panic!("not three parts: {element}");
                };
                let transport = if protocol == "tcp" { Transport::Tcp } else { Transport::Udp };
                let port = port.as_u64().and_then(|port| port.try_into().ok()).expect("a port");
                let source = source.as_str().and_then(|source| source.parse().ok()).expect("an address");
                seen.push((transport, port, hook, source));
            }
        }
        seen
    }
}

/// Where the probe saw a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Seen {
    Input,
    Forward,
}

impl From<Hook> for Seen {
    fn from(hook: Hook) -> Self {
        match hook {
            Hook::Input => Self::Input,
            Hook::Forward => Self::Forward,
        }
    }
}

const SETS: [(&str, Seen); 4] =
    [("in4", Seen::Input), ("in6", Seen::Input), ("fwd4", Seen::Forward), ("fwd6", Seen::Forward)];

/// A table that lets everything pass and remembers new connections, before any other
/// table decides. What stays on the loopback interface passes every firewall of ours.
const PROBE: &str = "
table inet probe {
    set in4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; }
    set in6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 65535; }
    set fwd4 { type ipv4_addr . inet_proto . inet_service; flags dynamic; size 65535; }
    set fwd6 { type ipv6_addr . inet_proto . inet_service; flags dynamic; size 65535; }
    chain input {
        type filter hook input priority -300;
        iifname != \"lo\" ct state new meta l4proto { tcp, udp } jump remember_input
    }
    chain remember_input {
        add @in4 { ip saddr . meta l4proto . th dport }
        add @in6 { ip6 saddr . meta l4proto . th dport }
    }
    chain forward {
        type filter hook forward priority -300;
        ct state new ct status dnat meta l4proto { tcp, udp } jump remember_forward
    }
    chain remember_forward {
        add @fwd4 { ip saddr . meta l4proto . th dport }
        add @fwd6 { ip6 saddr . meta l4proto . th dport }
    }
}
";

/// The transport of a protocol of the model.
pub(crate) fn transport(protocol: Protocol) -> Transport {
    match protocol {
        Protocol::Tcp => Transport::Tcp,
        Protocol::Udp => Transport::Udp,
    }
}
