//! Health checks: what stops working shows, soon, and is not started again for that.

use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use stageplot_tests::{Engine, Image, Lan, Machine, render, want};

/// How soon a container is to be unhealthy after what it depends on has gone.
const UNHEALTHY: Duration = Duration::from_secs(30);

/// How soon it is to be well again.
const HEALTHY: Duration = Duration::from_secs(45);

const SECRETS: [(&str, &str); 4] = [
    ("LIVEKIT_API_SECRET", "0f9d7c1b6a5e4d3c2b1a09f8e7d6c5b4"),
    ("REDIS_PASSWORD", "right"),
    ("POSTGRES_PASSWORD", "right"),
    ("REPLICATION_PASSWORD", "replicas"),
];

fn plot(root: &Path) -> String {
    format!(
        r#"
name = "live"
root = "{}"

[networks.lan]
cidr = "192.168.1.0/24"

[nodes.front]
address = "192.168.1.1"
public = "203.0.113.10"
roles = ["edge", "rooms", "sfu", "cache"]

[nodes.back]
address = "192.168.1.2"
roles = ["cache"]

[services.edge]
kind = "edge"
domain = "live.example.com"
tls = "internal"

[services.rooms]
kind = "app"
image = "stageplot/echo:1"
port = 8080
health = "/health"
routes = ["/api/*"]

[services.sfu]
kind = "livekit"
keys = {{ main = {{ env = "LIVEKIT_API_SECRET" }} }}

[services.cache]
kind = "redis"
primary = "front"
password = {{ env = "REDIS_PASSWORD" }}
"#,
        root.display()
    )
}

/// Redis goes, and LiveKit, the edge in front of it and the replica of that Redis are
/// unhealthy; an app that does not need it is not. All are well once it is back, and
/// none has been started again.
#[test]
fn without_redis() {
    let lan = want!(Lan::new("wire"));
    let front = lan.machine("front", &["192.168.1.1/24", "203.0.113.10/24"]);
    let back = lan.machine("back", &["192.168.1.2/24"]);
    let front = Machine::new(want!(Engine::start(&front, &Image::STACK)), "front");
    let back = Machine::new(want!(Engine::start(&back, &[Image::REDIS])), "back");
    let all = [(&front, "cache"), (&front, "edge"), (&front, "rooms"), (&front, "sfu"), (&back, "cache")];
    let ids = bring_up(&all);

    docker(&front, "stop", "cache");
    become_so("unhealthy", &[(&front, "sfu"), (&front, "edge"), (&back, "cache")], UNHEALTHY);
    assert_eq!(front.container("rooms").health, "healthy");
    docker(&front, "start", "cache");
    become_so("healthy", &all, HEALTHY);
    are_the_same(&all, &ids);
}

/// LiveKit goes, and later the app, and each time the edge is unhealthy; Redis takes
/// another password than the one it was given, and is unhealthy itself.
#[test]
fn without_livekit_without_the_password_without_the_app() {
    let lan = want!(Lan::new("wire"));
    let front = lan.machine("front", &["192.168.1.1/24", "203.0.113.10/24"]);
    let front = Machine::new(want!(Engine::start(&front, &Image::STACK)), "front");
    let all = [(&front, "cache"), (&front, "edge"), (&front, "rooms"), (&front, "sfu")];
    let ids = bring_up(&all);

    docker(&front, "stop", "sfu");
    ask(&front, "right", &["config", "set", "requirepass", "wrong"]);
    become_so("unhealthy", &[(&front, "edge"), (&front, "cache")], UNHEALTHY);
    ask(&front, "wrong", &["config", "set", "requirepass", "right"]);
    docker(&front, "start", "sfu");
    become_so("healthy", &all, HEALTHY);

    docker(&front, "stop", "rooms");
    become_so("unhealthy", &[(&front, "edge")], UNHEALTHY);
    assert_eq!(front.container("sfu").health, "healthy");
    docker(&front, "start", "rooms");
    become_so("healthy", &all, HEALTHY);
    are_the_same(&all, &ids);
}

/// Postgres goes, and its replica is unhealthy; it takes another password than the one it
/// was given, and is unhealthy itself; its database is called something else, and it is
/// again.
#[test]
fn without_postgres_without_its_password_without_its_database() {
    let lan = want!(Lan::new("wire"));
    let machine = |name: &str, address: &str| {
        let machine = lan.machine(name, &[address]);
        Ok(Machine::new(Engine::start(&machine, &[Image::POSTGRES])?, name))
    };
    let front = want!(machine("front", "192.168.1.1/24"));
    let back = want!(machine("back", "192.168.1.2/24"));
    let all = [(&front, "db"), (&back, "db")];
    for machine in [&front, &back] {
        machine.bring_up(&render(&databases(&machine.root()), &SECRETS));
    }
    become_so("healthy", &all, HEALTHY);
    let ids: Vec<_> = all.iter().map(|(machine, service)| machine.container(service).id).collect();

    docker(&front, "stop", "db");
    become_so("unhealthy", &[(&back, "db")], UNHEALTHY);
    docker(&front, "start", "db");
    become_so("healthy", &all, HEALTHY);

    for (breaks, mends) in [
        ("ALTER ROLE app PASSWORD 'wrong'", "ALTER ROLE app PASSWORD 'right'"),
        ("ALTER DATABASE app RENAME TO other", "ALTER DATABASE other RENAME TO app"),
    ] {
        say(&front, breaks);
        become_so("unhealthy", &[(&front, "db")], UNHEALTHY);
        say(&front, mends);
        become_so("healthy", &all, HEALTHY);
    }
    are_the_same(&all, &ids);
}

/// A Postgres and its replica.
fn databases(root: &Path) -> String {
    format!(
        r#"
name = "live"
root = "{}"

[networks.lan]
cidr = "192.168.1.0/24"

[nodes.front]
address = "192.168.1.1"
roles = ["db"]

[nodes.back]
address = "192.168.1.2"
roles = ["db"]

[services.db]
kind = "postgres"
primary = "front"
password = {{ env = "POSTGRES_PASSWORD" }}
replication-password = {{ env = "REPLICATION_PASSWORD" }}
"#,
        root.display()
    )
}

/// Has Postgres do something, as whoever is inside its container.
fn say(front: &Machine, sql: &str) {
    // While nobody else is connected, a database can be renamed.
    let terminate = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'app'";
    let exec = ["exec", "live-db-1", "psql", "-U", "app", "-d", "postgres", "-XAtqc"];
    for sql in [terminate, sql] {
        front.engine().docker(&[&exec[..], &[sql]].concat()).success();
    }
}

/// Brings all machines up, waits until all is well, and returns the containers' ids.
fn bring_up(services: &[(&Machine, &str)]) -> Vec<String> {
    for (machine, _) in services.iter().filter(|(_, service)| *service == "cache") {
        machine.bring_up(&render(&plot(&machine.root()), &SECRETS));
    }
    become_so("healthy", services, HEALTHY);
    services.iter().map(|(machine, service)| machine.container(service).id).collect()
}

/// The containers are those that they were, and the engine has started none again.
fn are_the_same(services: &[(&Machine, &str)], ids: &[String]) {
    for ((machine, service), id) in services.iter().zip(ids) {
        let container = machine.container(service);
        assert_eq!((&container.id, container.restarts), (id, 0), "{service}");
    }
}

fn docker(machine: &Machine, what: &str, service: &str) {
    machine.engine().docker(&[what, &format!("live-{service}-1")]).success();
}

/// Waits until all these containers are well, or not, and says how long each took.
fn become_so(health: &str, services: &[(&Machine, &str)], deadline: Duration) {
    let started = Instant::now();
    let mut waiting = services.to_vec();
    while !waiting.is_empty() {
        waiting.retain(|(machine, service)| {
            let container = machine.container(service);
            assert!(container.running, "{service} ended");
            let so = container.health == health;
            if so {
                println!("{service} {health} after {:.1?}", started.elapsed());
            }
            !so
        });
        let names: Vec<_> = waiting.iter().map(|(_, service)| service).collect();
        assert!(
            started.elapsed() < deadline || waiting.is_empty(),
            "not {health} after {deadline:?}: {names:?}"
        );
        thread::sleep(Duration::from_millis(200));
    }
}

/// Has Redis do something, with a password.
fn ask(front: &Machine, password: &str, words: &[&str]) {
    let auth = format!("REDISCLI_AUTH={password}");
    let exec = ["exec", "--env", &auth, "live-cache-1", "redis-cli"];
    assert_eq!(front.engine().docker(&[&exec[..], words].concat()).success(), "OK\n");
}
