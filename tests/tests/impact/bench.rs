//! Two machines on which one stack is installed in the place of another.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;
use std::time::Duration;

use stageplot_render::Rendering;
use stageplot_render::diff::{Diff, Effect, Impact};
use stageplot_tests::{Engine, Image, Lan, Machine, Missing, Program, Scratch, run, wait_for};

use crate::data::Data;
use crate::seen::{Seen, Sight};
use crate::stack::Stack;

const SOON: Duration = Duration::from_secs(30);

/// How the container is called that runs before an app's, after that.
const MIGRATION: &str = "-migrate";

/// Containers with IPv6 of their own take this of an engine of 26.
const DAEMON: &str = r#"{ "experimental": true, "ip6tables": true }"#;

/// The machines, and what runs on them.
pub(crate) struct Bench {
    machines: BTreeMap<&'static str, Machine>,
    now: Stack,
    installed: BTreeMap<&'static str, Rendering>,
    steps: u32,
    _lan: Lan,
}

/// What one change came to.
#[derive(Default)]
pub(crate) struct Outcome {
    /// What was not as the diff had it.
    pub(crate) wrong: Vec<String>,
    /// The services whose data was lost, and those that the diff feared for.
    pub(crate) lost: BTreeSet<String>,
    pub(crate) feared: BTreeSet<String>,
}

impl Bench {
    /// Makes the machines, and brings a first stack in.
    pub(crate) fn new(stack: Stack, images: &[&str]) -> Result<Self, Missing> {
        let lan = Lan::new("wire")?;
        let machine = |name, addresses: &[&str]| -> Result<_, Missing> {
            let engine = Engine::configured(&lan.machine(name, addresses), images, DAEMON)?;
            name_images(&engine, images)?;
            Ok((name, Machine::new(engine, name)))
        };
        let front =
            ["203.0.113.10/24", "203.0.113.20/24", "192.168.1.1/24", "192.168.1.11/24", "2001:db8::10/64"];
        let machines = [machine("front", &front)?, machine("side", &["203.0.113.12/24", "192.168.1.2/24"])?];
        let mut bench = Self {
            machines: machines.into(),
            now: stack.clone(),
            installed: BTreeMap::new(),
            steps: 0,
            _lan: lan,
        };
        bench.bring(stack);
        Ok(bench)
    }

    /// How many changes were brought in.
    pub(crate) fn steps(&self) -> u32 {
        self.steps
    }

    /// Brings another stack in, and compares. What is said has to be done first is.
    pub(crate) fn step(&mut self, to: Stack) -> Outcome {
        if self.now == to {
            return Outcome::default();
        }
        let from = self.now.clone();
        let foretold = from.foretold(&to);
        let before = self.look();
        self.steps += 1;
        let data = Data::write(&self.steps.to_string(), &from, &self.machines, &before);
        self.obey(&foretold);
        self.bring(to);
        let after = self.look();
        let mut outcome = Outcome::default();
        for node in self.machines.keys() {
            let effects = effects(&foretold, node);
            let (before, after) = (&before[node], &after[node]);
            // What runs before an app is made anew with it alone, and runs before each new
            // container of the app.
            for migration in after.services().filter(|name| name.ends_with(MIGRATION)) {
                let app = migration.trim_end_matches(MIGRATION);
                let seen = [app, migration].map(|service| before.compare(after, service));
                let is_new = seen.map(|seen| matches!(seen, Seen::Started | Seen::Recreated));
                let has_run = before.is_started_since(after, migration) && after.has_ended_well(migration);
                if is_new[1] && !is_new[0] || is_new[0] && !has_run {
                    outcome.wrong.push(format!("{app} and {migration} on {node}: seen {seen:?}"));
                }
            }
            let services = before.services().chain(after.services());
            let services = services.filter(|name| !name.ends_with(MIGRATION)).chain(effects.keys().copied());
            for service in services.collect::<BTreeSet<_>>() {
                let effect = effects.get(service);
                let process = effect.map_or(Impact::None, |effect| effect.process);
                let seen = before.compare(after, service);
                if !seen.is(process) {
                    let why: Vec<_> = effect.iter().flat_map(|effect| &effect.reasons).collect();
                    outcome
                        .wrong
                        .push(format!("{service} on {node}: foretold {process}, seen {seen:?}; {why:?}"));
                }
            }
        }
        outcome.lost = data.lost(&self.now, &self.machines, &after);
        let fears = |effect: &&Effect| effect.impact == Impact::DataAtStake;
        let feared = foretold.effects().map(|(_, effect)| effect).filter(fears);
        outcome.feared = feared.filter_map(|effect| effect.service.clone()).collect();
        for service in outcome.lost.difference(&outcome.feared) {
            outcome.wrong.push(format!("{service}: its data is lost, and was not said to be at stake"));
        }
        outcome
    }

    /// Installs a stack as its READMEs say.
    fn bring(&mut self, to: Stack) {
        let before = std::mem::replace(&mut self.now, to);
        for (name, machine) in &self.machines {
            if !self.now.has(name) {
                // What becomes of a machine that is no longer wanted, nobody can say but who
                // takes it away.
                if self.installed.remove(name).is_some() {
                    down(machine, &before);
                }
                continue;
            }
            let rendering = self.now.below(&machine.root());
            let old = self.installed.get(name);
            if old.is_some_and(|old| machine.bundle(old) == machine.bundle(&rendering)) {
                continue;
            }
            machine.bring_up(&rendering);
            let caddies = self.now.services(name).into_iter().filter(|(_, kind)| *kind == "edge");
            let caddies: Vec<_> = caddies.map(|(service, _)| service).collect();
            for service in &caddies {
                wait_for("Caddy", SOON, || Sight::config(machine, service).is_some());
            }
            if !caddies.is_empty() && old.is_none_or(|old| live(machine, old) != live(machine, &rendering)) {
                machine.reload(&rendering);
            }
            self.installed.insert(name, rendering);
        }
        // A copy that is not whole cannot take its primary's place.
        for (name, machine) in self.machines.iter().filter(|(name, _)| self.now.has(name)) {
            for (service, kind) in self.now.services(name) {
                if kind == "postgres" && self.now.is_copy(name, &service) {
                    wait_for("a whole copy", SOON, || machine.container(&service).health == "healthy");
                }
            }
        }
    }

    /// Does what a diff asks for before a change is brought in: the commands in its reasons,
    /// in whose order containers come before their network.
    fn obey(&self, foretold: &Diff) {
        for (name, machine) in &self.machines {
            let effects = effects(foretold, name);
            let reasons = effects.values().flat_map(|effect| &effect.reasons);
            let in_brackets = reasons.flat_map(|reason| reason.text.split('(').skip(1));
            let commands = in_brackets.filter_map(|text| text.split(')').next());
            let commands: BTreeSet<_> = commands.filter(|text| text.starts_with("docker ")).collect();
            for command in commands {
                machine.shell(command, &machine.root()).success();
            }
        }
    }

    fn look(&self) -> BTreeMap<&'static str, Sight> {
        self.machines
            .iter()
            .map(|(name, machine)| (*name, Sight::new(machine, &self.now.services(name))))
            .collect()
    }
}

/// What a diff says of the services on a machine.
fn effects<'a>(diff: &'a Diff, node: &str) -> BTreeMap<&'a str, &'a Effect> {
    let here = diff.effects().filter(|(on, _)| on.name == node);
    here.filter_map(|(_, effect)| Some((effect.service.as_deref()?, effect))).collect()
}

/// The files that a machine's services read again when they are told to.
fn live<'a>(machine: &Machine, rendering: &'a Rendering) -> BTreeMap<&'a str, &'a [u8]> {
    let files = machine.bundle(rendering).artifacts.iter();
    files.filter(|file| file.path.starts_with("live/")).map(|file| (&*file.path, &*file.bytes)).collect()
}

/// Takes a stack down on a machine.
fn down(machine: &Machine, stack: &Stack) {
    let command = format!("docker compose --project-name {} down", stack.name());
    machine.shell(&command, &machine.root()).success();
}

/// Gives images the other names by which rows know them.
fn name_images(engine: &Engine, images: &[&str]) -> Result<(), Missing> {
    let names = [
        (Image::ECHO, "stageplot/echo:2"),
        (Image::ECHO, "localhost:5000/echo:1"),
        (Image::ECHO, "localhost:5001/mirror/echo:1"),
        (Image::REDIS, "redis:7.2-alpine"),
        (Image::POSTGRES, "postgres:16.4"),
        (Image::PROMETHEUS, "prom/prometheus:v3.6.0"),
        (Image::GRAFANA, "grafana/grafana:12.3.0"),
        (Image::NGINX_RTMP, "stageplot/nginx-rtmp:1"),
        (Image::ION_SFU, "stageplot/ion-sfu:1"),
        (Image::LIVEKIT, "stageplot/livekit:1"),
        (Image::INGRESS, "stageplot/ingress:1"),
        (Image::EGRESS, "stageplot/egress:1"),
        (Image::SIP, "stageplot/sip:1"),
    ];
    for (image, name) in names.into_iter().filter(|(image, _)| images.contains(image)) {
        engine.docker(&["tag", image, name]).success();
    }
    if images.contains(&Image::NGINX_RTMP) {
        // One with the other module cannot be had: what only that knows is left out.
        let scratch = Scratch::new();
        let nginx = scratch.path().join("nginx");
        fs::write(&nginx, WITHOUT_FLV).expect("a script");
        fs::set_permissions(&nginx, fs::Permissions::from_mode(0o755)).expect("its mode");
        with_file(engine, Image::NGINX_RTMP, &nginx, "/usr/local/sbin/nginx", "stageplot/nginx-http-flv:1");
    }
    if images.contains(&Image::CADDY_L4) {
        let caddy = Program::named("caddy-dns")?;
        let with_caddy =
            |program: &Path, name| with_file(engine, Image::CADDY_L4, program, "/usr/bin/caddy", name);
        with_caddy(caddy.path(), "stageplot/caddy-dns:1");
        // The same again, with a provider of another name.
        let scratch = Scratch::new();
        let other = scratch.path().join("caddy");
        fs::copy(caddy.path(), &other).expect("a copy");
        let mut rename = Command::new("sed");
        rename.env("LC_ALL", "C").args(["-i", "s/dns.providers.rfc2136/dns.providers.rfc2137/g"]);
        run(rename.arg(&other), SOON).success();
        with_caddy(&other, "stageplot/caddy-dns:2");
    }
    Ok(())
}

/// An nginx that drops what nginx-http-flv-module alone knows.
const WITHOUT_FLV: &str = r#"#!/bin/sh
sed '/flv_live/d; /gop_cache/d' /etc/nginx/stageplot/nginx.conf >/tmp/without.conf
exec /usr/local/lib/nginx/nginx -g 'load_module /usr/local/lib/nginx/ngx_rtmp_module.so;' -e stderr -c /tmp/without.conf
"#;

/// Makes an image with another file in the place of one that is there.
fn with_file(engine: &Engine, image: &str, file: &Path, place: &str, name: &str) {
    engine.docker(&["create", "--name", "made", image]).success();
    engine.docker(&["cp", &file.to_string_lossy(), &format!("made:{place}")]).success();
    engine.docker(&["commit", "made", name]).success();
    engine.docker(&["rm", "made"]).success();
}
