//! A Redis that somebody else runs, behind Sentinels or as a Cluster, for the LiveKit of
//! every version: what is rendered leads there, and rooms are found from every node.

use std::path::PathBuf;
use std::time::Duration;

use stageplot_tests::{
    Certificate, Lan, Namespace, Process, Program, Root, Running, Scratch, Station, run, topology, wait_for,
    want,
};
use stageplot_topology::{LivekitVersion, SecretRef};

use super::Example;
use super::livekit::{Asked, all_servers, of_version};

const SOON: Duration = Duration::from_secs(20);
/// A failover, and for clients to notice.
const LATER: Duration = Duration::from_secs(60);

const ADDRESS: &str = "198.51.100.9";

/// Two nodes, and Redis at [`ADDRESS`] in a way that the caller writes.
const PLOT: &str = r#"
name = "live"
[nodes.one]
public = "198.51.100.1"
roles  = "livekit"
[nodes.two]
public = "198.51.100.2"
roles  = "livekit"
[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }
[redis]
password = { env = "REDIS_PASSWORD" }
"#;

#[test]
fn a_cluster() {
    let server = want!(Program::named("redis-server"));
    want!(Program::named("redis-cli"));
    let addresses = [7000, 7001, 7002].map(|port| format!("{ADDRESS}:{port}"));
    let plot = format!("{PLOT}external = {{ cluster = {addresses:?} }}\n");
    for version in LivekitVersion::SUPPORTED {
        let example = want!(of_version(&want!(Example::new("cluster", topology(&plot))), *version));
        let stage = want!(example.stage());
        let elsewhere = Elsewhere::new(stage.lan(), &server, &example);
        let cluster = ["--cluster-enabled", "yes", "--cluster-node-timeout", "2000"];
        let _servers = [7000, 7001, 7002].map(|port| elsewhere.redis(port, &cluster));
        let create: Vec<_> = addresses.iter().map(String::as_str).collect();
        elsewhere.ask(7000, &[&["--cluster", "create"], &create[..], &["--cluster-yes"]].concat());
        for port in [7000, 7001, 7002] {
            wait_for("a cluster", SOON, || {
                elsewhere.ask(port, &["cluster", "info"]).contains("cluster_state:ok")
            });
        }
        let (room, mut running) = want!(shares_rooms(&example, &stage, *version));
        let holds = elsewhere.ask(7000, &["-c", "hexists", "rooms", &room]);
        assert_eq!(holds.trim(), "1", "{version}");
        for running in &mut running {
            running.process.kill();
        }
    }
}

/// Three Sentinels, a primary and a replica; the primary dies, and rooms go on.
#[test]
fn sentinels_and_a_failover() {
    let server = want!(Program::named("redis-server"));
    want!(Program::named("redis-cli"));
    let addresses = [26379, 26380, 26381].map(|port| format!("{ADDRESS}:{port}"));
    let plot = format!("{PLOT}external = {{ sentinels = {addresses:?}, sentinel-master = \"live\" }}\n");
    for version in LivekitVersion::SUPPORTED {
        let example = want!(of_version(&want!(Example::new("sentinels", topology(&plot))), *version));
        let stage = want!(example.stage());
        let elsewhere = Elsewhere::new(stage.lan(), &server, &example);
        let mut primary = elsewhere.redis(6379, &[]);
        let _replica = elsewhere.redis(6380, &["--replicaof", ADDRESS, "6379"]);
        wait_for("a replica", SOON, || {
            elsewhere.ask(6379, &["info", "replication"]).contains("state=online")
        });
        let _sentinels = [26379, 26380, 26381].map(|port| elsewhere.sentinel(port));
        for port in [26379, 26380, 26381] {
            wait_for("all Sentinels", SOON, || {
                let known = elsewhere.ask(port, &["sentinel", "master", "live"]);
                let value = |name| known.lines().skip_while(|line| *line != name).nth(1).map(str::to_owned);
                value("num-other-sentinels").as_deref() == Some("2")
                    && value("num-slaves").as_deref() == Some("1")
            });
        }
        let (_, mut running) = want!(shares_rooms(&example, &stage, *version));

        primary.kill();
        wait_for("a new primary", LATER, || elsewhere.ask(6380, &["role"]).starts_with("master"));
        let (service, livekit) = all_servers(&example.topology).next().expect("a LiveKit");
        let secret = example.vault.value(&livekit.keys["main"]);
        let asked = |node: &str| Asked {
            station: stage.station(node),
            livekit,
            what: format!("{service}, {version}"),
        };
        wait_for("a room after the failover", LATER, || {
            asked("one").rooms("CreateRoom", r#"{"name":"after"}"#, "main", secret).contains("after")
        });
        wait_for("found from the other node", LATER, || {
            asked("two").rooms("ListRooms", "{}", "main", secret).contains("after")
        });
        for running in &mut running {
            running.process.kill();
        }
    }
}

/// Starts LiveKit on both nodes, makes a room on one and finds it on the other.
fn shares_rooms(
    example: &Example,
    stage: &stageplot_tests::Stage,
    version: LivekitVersion,
) -> Result<(String, Vec<Running>), stageplot_tests::Missing> {
    let server = Program::versioned("livekit-server", &version.to_string())?;
    let (service, livekit) = all_servers(&example.topology).next().expect("a LiveKit");
    let secret = example.vault.value(&livekit.keys["main"]);
    let asked =
        |node: &str| Asked { station: stage.station(node), livekit, what: format!("{node}, {version}") };
    let mut running = Vec::new();
    for node in ["one", "two"] {
        let mut started = stage.station(node).start(service, &server)?;
        asked(node).starts(&mut started);
        running.push(started);
    }
    let room = "tried".to_owned();
    let body = format!(r#"{{"name":"{room}"}}"#);
    // A node is given rooms once it has told the others of itself.
    wait_for("a room", SOON, || asked("one").rooms("CreateRoom", &body, "main", secret).contains(&room));
    assert!(asked("two").rooms("ListRooms", "{}", "main", secret).contains(&room), "{version}");
    Ok((room, running))
}

/// A machine with somebody else's Redis.
struct Elsewhere<'a> {
    machine: Namespace,
    server: &'a Program,
    scratch: Scratch,
    password: String,
}

impl<'a> Elsewhere<'a> {
    fn new(lan: &Lan, server: &'a Program, example: &Example) -> Self {
        let machine = lan.machine("elsewhere", &[&format!("{ADDRESS}/24")]);
        let password = example.vault.value(&SecretRef::env("REDIS_PASSWORD")).to_owned();
        Self { machine, server, scratch: Scratch::new(), password }
    }

    /// Starts a server, and waits until it is ready.
    fn redis(&self, port: u16, arguments: &[&str]) -> Process {
        let config = format!(
            "port {port}\nbind {ADDRESS}\nrequirepass {0}\nmasterauth {0}\nsave \"\"\n",
            self.password
        );
        let mut redis = self.start(port, &config, arguments);
        redis.wait_until("ready", SOON, |redis| redis.output().contains("eady to accept"));
        redis
    }

    /// Starts a Sentinel, and waits until it watches.
    fn sentinel(&self, port: u16) -> Process {
        let config = format!(
            "port {port}\nbind {ADDRESS}\nprotected-mode no\nsentinel monitor live {ADDRESS} 6379 2\n\
             sentinel auth-pass live {}\nsentinel down-after-milliseconds live 2000\n",
            self.password
        );
        let mut sentinel = self.start(port, &config, &["--sentinel"]);
        sentinel.wait_until("watching", SOON, |sentinel| sentinel.output().contains("+monitor master live"));
        sentinel
    }

    fn start(&self, port: u16, config: &str, arguments: &[&str]) -> Process {
        let directory = self.scratch.path().join(port.to_string());
        std::fs::create_dir(&directory).expect("a directory");
        let file = directory.join("redis.conf");
        std::fs::write(&file, format!("{config}dir {}\n", directory.display())).expect("a file");
        let mut command = self.machine.command(self.server.path());
        Process::start("redis", command.arg(&file).args(arguments))
    }

    /// What a server, a Sentinel or the client itself says.
    fn ask(&self, port: u16, words: &[&str]) -> String {
        let mut client = self.machine.command("redis-cli");
        client.args(["-h", ADDRESS, "-p", &port.to_string()]).args(words);
        // Sentinels here have none.
        if !(26379..=26381).contains(&port) {
            client.env("REDISCLI_AUTH", &self.password);
        }
        run(&mut client, SOON).stdout
    }
}

/// The Redis of `redis-external` is somebody else's: here one with TLS, that Sentinels
/// tell the address of. LiveKit believes its certificate for what the plot says of it.
#[test]
fn sentinels_with_tls() {
    let redis = want!(Program::named("redis-server"));
    let example = want!(Example::all()).into_iter().find(|example| example.name == "redis-external");
    for version in LivekitVersion::SUPPORTED {
        let server = want!(Program::versioned("livekit-server", &version.to_string()));
        let example = want!(of_version(example.as_ref().expect("a plot"), *version));
        let stage = want!(example.stage());
        let machine = stage.lan().machine("elsewhere", &["198.51.100.9/24"]);
        let hosts: String =
            (1..=3).map(|number| format!("198.51.100.9 redis-{number}.example.net\n")).collect();
        let elsewhere = want!(Root::new());
        elsewhere.write("/etc/hosts", &hosts);
        let certificate = example.vault.certificate().expect("a certificate");
        elsewhere.write("/run/tls/cert", &certificate.cert);
        elsewhere.write("/run/tls/key", &certificate.key);
        let password = example.vault.value(&SecretRef::env("REDIS_PASSWORD"));
        elsewhere.write("/run/redis.conf", format!("{TLS}tls-port 6379\nrequirepass {password}\n"));
        elsewhere.write("/run/sentinel.conf", format!("{TLS}{SENTINEL}sentinel auth-pass live {password}\n"));
        let start = |name: &str, arguments: &[&str]| {
            Process::start(name, elsewhere.command(&machine, redis.path()).args(arguments))
        };
        let mut primary = start("redis", &["/run/redis.conf"]);
        primary.wait_until("ready", SOON, |redis| redis.output().contains("Ready to accept"));
        let mut sentinel = start("sentinel", &["/run/sentinel.conf", "--sentinel"]);
        sentinel.wait_until("watching", SOON, |sentinel| sentinel.output().contains("+monitor master live"));

        let station = stage.station("media-1");
        let (service, livekit) = all_servers(&example.topology).next().expect("a LiveKit");
        let asked = Asked { station, livekit, what: version.to_string() };
        let root = want!(station.root(service));
        root.write("/etc/hosts", &hosts);
        let mut running = station.start_in(root, service, &server);
        asked.starts(&mut running);
        for (key, secret) in &livekit.keys {
            asked.takes(key, example.vault.value(secret));
        }
        running.process.kill();

        // By another authority's word, it believes nothing.
        let root = want!(station.root(service));
        root.write("/etc/hosts", &hosts);
        let other = want!(Certificate::new(&["redis-1.example.net"]));
        std::fs::write(mounted(station, "redis-ca.crt"), other.cert).expect("another authority");
        let mut running = station.start_in(root, service, &server);
        assert!(running.process.ended_within(SOON).is_some(), "{version} goes on");
        assert!(
            running.process.output().contains("unable to connect to redis"),
            "{}",
            running.process.output()
        );
    }
}

const TLS: &str = "port 0
dir /run
tls-cert-file /run/tls/cert
tls-key-file /run/tls/key
tls-ca-cert-file /run/tls/cert
tls-auth-clients no
tls-replication yes
protected-mode no
";

const SENTINEL: &str = "tls-port 26379
sentinel resolve-hostnames yes
sentinel announce-hostnames yes
sentinel monitor live redis-1.example.net 6379 1
";

/// Where a container's file of that name lies on its machine.
fn mounted(station: &Station, name: &str) -> PathBuf {
    let installed = station.installed();
    let mut artifacts = installed.bundle().artifacts.iter();
    installed.directory().join(&artifacts.find(|file| file.path.ends_with(name)).expect(name).path)
}
