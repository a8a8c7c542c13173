//! Postgres as it is rendered, on machines: what is written on the primary is on its
//! replica; passwords that change are taken over, and data stays, whatever becomes of the
//! roles of the machines.

use std::fs;
use std::path::Path;
use std::time::Duration;

use stageplot_tests::{
    Engine, Image, Lan, Machine, Namespace, Output, Program, render, stageplot, wait_for, want,
};

/// How soon all is well after it was brought up.
const SOON: Duration = Duration::from_secs(60);

const SECRETS: [(&str, &str); 2] = [("POSTGRES_PASSWORD", "first"), ("REPLICATION_PASSWORD", "other")];

/// A server, as it finds itself.
const OWN: &str = "postgres://rooms-app@127.0.0.1:5432/rooms?connect_timeout=3";

/// The primary's address, and the replica's.
const PRIMARY: &str = "192.168.1.2";
const REPLICA: &str = "192.168.1.3";

fn plot(root: &Path, primary: &str, image: &str, network: &str) -> String {
    format!(
        r#"
name = "live"
root = "{}"

[networks.lan]
cidr = "192.168.1.0/24"

[nodes.front]
address = "192.168.1.1"
roles = ["api"]

[nodes.data-1]
address = "{PRIMARY}"
roles = ["db"]

[nodes.data-2]
address = "{REPLICA}"
roles = ["db"]

[services.api]
kind = "app"
image = "stageplot/echo:1"
needs = ["db"]

[services.db]
kind = "postgres"
primary = "{primary}"
image = "{image}"
network = "{network}"
database = "rooms"
user = "rooms-app"
password = {{ env = "POSTGRES_PASSWORD" }}
replication-password = {{ env = "REPLICATION_PASSWORD" }}
max-connections = 50
"#,
        root.display()
    )
}

/// Two machines with Postgres, and one that uses it.
struct Stage {
    image: &'static str,
    network: &'static str,
    one: Machine,
    two: Machine,
    front: Namespace,
    _lan: Lan,
}

impl Stage {
    fn new(image: &'static str, network: &'static str) -> Result<Self, stageplot_tests::Missing> {
        Program::named("psql")?;
        let lan = Lan::new("wire")?;
        let front = lan.machine("front", &["192.168.1.1/24"]);
        let engine = |name: &str, address: &str| {
            let machine = lan.machine(name, &[&format!("{address}/24")]);
            Ok(Machine::new(Engine::start(&machine, &[image])?, name))
        };
        let (one, two) = (engine("data-1", PRIMARY)?, engine("data-2", REPLICA)?);
        Ok(Self { image, network, one, two, front, _lan: lan })
    }

    fn bring_up(&self, machine: &Machine, primary: &str, secrets: &[(&str, &str)]) {
        let plot = plot(&machine.root(), primary, self.image, self.network);
        machine.bring_up(&render(&plot, secrets));
    }

    /// What a server answers: the primary the app's machine, a replica, whom nobody dials,
    /// itself.
    fn ask(&self, address: &str, password: &str, sql: &str) -> Output {
        let options = ["-XAtqw", "-v", "ON_ERROR_STOP=1", "-c", sql];
        let machine = if address == PRIMARY { &self.one } else { &self.two };
        let auth = format!("PGPASSWORD={password}");
        let own = ["exec", "--env", &auth, "live-db-1", "psql", OWN];
        if self.is_dialled(machine) {
            let mut command = self.front.command("psql");
            command.env("PGPASSWORD", password).arg(OWN.replace("127.0.0.1", address)).args(options);
            return stageplot_tests::run(&mut command, SOON);
        }
        machine.engine().docker(&[&own[..], &options].concat())
    }

    /// Whether flows arrive there.
    fn is_dialled(&self, machine: &Machine) -> bool {
        let rules = machine.shell("nft list ruleset", Path::new("/")).success();
        rules.contains("db primary from api")
    }

    fn say(&self, address: &str, password: &str, sql: &str) -> String {
        self.ask(address, password, sql).success().trim().to_owned()
    }

    fn wait_for(&self, address: &str, password: &str, sql: &str, wanted: &str) {
        let answered = || self.ask(address, password, sql).stdout.trim() == wanted;
        wait_for(&format!("{wanted} for {sql} at {address}"), SOON, answered);
    }

    fn well(&self) {
        for machine in [&self.one, &self.two] {
            let end = std::time::Instant::now() + SOON;
            wait_for("well, or the end", 2 * SOON, || {
                let is_well = machine.container("db").health == "healthy";
                // What does not become well is shown.
                assert!(is_well || std::time::Instant::now() < end, "{}", Self::logs(machine));
                is_well
            });
            assert_eq!(machine.container("db").restarts, 0);
        }
    }

    /// What is wrong with Postgres on a machine, as `stageplot verify` has it there.
    fn causes(&self, machine: &Machine, secrets: &[(&str, &str)]) -> Vec<String> {
        let plot = machine.root().join("stageplot.toml");
        fs::write(&plot, self::plot(&machine.root(), "data-1", self.image, self.network)).expect("a plot");
        let node = if std::ptr::eq(machine, &self.one) { "data-1" } else { "data-2" };
        let mut command = machine.command(stageplot().to_str().expect("a path"));
        command.args(["verify", plot.to_str().expect("a path"), "--node", node, "--format", "json"]);
        let report = stageplot_tests::run(command.envs(secrets.iter().copied()), SOON).json();
        let checks = report["checks"].as_array().expect("checks").iter();
        let own: Vec<_> =
            checks.filter(|check| check["id"].as_str().is_some_and(|id| id.starts_with("db."))).collect();
        assert!(!own.is_empty(), "{report:#}");
        own.iter().filter_map(|check| check["cause"].as_str().map(str::to_owned)).collect()
    }

    fn logs(machine: &Machine) -> String {
        let logs = machine.engine().docker(&["logs", "live-db-1"]);
        logs.stdout + &logs.stderr
    }
}

#[test]
fn in_a_container_network() {
    let stage = want!(Stage::new(Image::POSTGRES, "bridge"));
    all_of(&stage);
}

/// … as version 18 has its data elsewhere.
#[test]
fn on_the_hosts_network() {
    let stage = want!(Stage::new(Image::POSTGRES_18, "host"));
    all_of(&stage);
}

fn all_of(stage: &Stage) {
    rows_are_copied(stage);
    checks_name_what_is_wrong(stage);
    passwords_are_taken_over(stage);
    the_primary_moves(stage);
    a_copy_that_was_cut_short_begins_again(stage);
}

/// A replica that comes up first waits for its primary. What is written there arrives,
/// and nobody writes to the copy, nor logs in without the password.
fn rows_are_copied(stage: &Stage) {
    stage.bring_up(&stage.two, "data-1", &SECRETS);
    stage.bring_up(&stage.one, "data-1", &SECRETS);
    stage.well();
    stage.say(PRIMARY, "first", "create table kept (line text); insert into kept values ('one')");
    stage.wait_for(REPLICA, "first", "select line from kept", "one");
    let refused = stage.ask(REPLICA, "first", "insert into kept values ('two')").failure();
    assert!(refused.contains("read-only transaction"), "{refused}");
    for address in [PRIMARY, REPLICA] {
        for guess in ["", "fist", "other"] {
            let refused = stage.ask(address, guess, "select 1").failure();
            assert!(refused.contains("password"), "{address}, {guess:?}: {refused}");
        }
    }
    for (setting, value) in [
        ("max_connections", "50"),
        ("shared_buffers", "128MB"),
        ("password_encryption", "scram-sha-256"),
        ("hba_file", "/etc/postgresql/pg_hba.conf"),
        ("data_checksums", "on"),
        ("max_wal_senders", "10"),
        ("wal_keep_size", "1GB"),
        ("port", "5432"),
    ] {
        for address in [PRIMARY, REPLICA] {
            assert_eq!(stage.say(address, "first", &format!("show {setting}")), value, "{setting}");
        }
    }
    let hba = "select string_agg(error, '') is null and count(*) > 3 from pg_hba_file_rules";
    assert_eq!(stage.say(PRIMARY, "first", hba), "t");
    let verifiers =
        "select bool_and(rolpassword like 'SCRAM-SHA-256$%') from pg_authid where rolpassword <> ''";
    assert_eq!(stage.say(PRIMARY, "first", verifiers), "t");
    let named = "select application_name || ' ' || state from pg_stat_replication";
    assert_eq!(stage.say(PRIMARY, "first", named), "data-2 streaming");
}

/// `stageplot verify` finds nothing to complain of; and what is brought about by hand, it
/// names.
fn checks_name_what_is_wrong(stage: &Stage) {
    let none: [&str; 0] = [];
    assert_eq!(stage.causes(&stage.one, &SECRETS), none);
    assert_eq!(stage.causes(&stage.two, &SECRETS), none);
    let wrong = [("POSTGRES_PASSWORD", "wrong"), SECRETS[1]];
    assert_eq!(stage.causes(&stage.one, &wrong), ["password-rejected"; 3]);
    for (machine, sql, cause, mends) in [
        (
            &stage.one,
            "ALTER DATABASE rooms RENAME TO other",
            "database-missing",
            "ALTER DATABASE other RENAME TO rooms",
        ),
        (
            &stage.two,
            "ALTER SYSTEM SET primary_conninfo = ''",
            "replica-link",
            "ALTER SYSTEM RESET primary_conninfo",
        ),
    ] {
        let say = |sql: &str| {
            let psql = ["exec", "live-db-1", "psql", "-U", "rooms-app", "-d", "postgres", "-XAtqc", sql];
            machine.engine().docker(&psql).success();
            let reload = "SELECT pg_reload_conf()";
            machine.engine().docker(&[&psql[..psql.len() - 1], &[reload]].concat()).success();
        };
        say("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = 'rooms'");
        say(sql);
        wait_for(cause, SOON, || stage.causes(machine, &SECRETS).iter().any(|said| said == cause));
        say(mends);
        wait_for("nothing", SOON, || stage.causes(machine, &SECRETS).is_empty());
    }
    stage.well();
    // What the primary says of a replica that is gone.
    stage.two.engine().docker(&["stop", "live-db-1"]).success();
    wait_for("the replica is missed", SOON, || stage.causes(&stage.one, &SECRETS) == ["replica-link"]);
    stage.two.engine().docker(&["start", "live-db-1"]).success();
    stage.well();
}

/// Passwords that are other ones from now on are what clients and replicas log in with,
/// although the image sets one in an empty directory alone; none is in the log.
fn passwords_are_taken_over(stage: &Stage) {
    let secrets = [("POSTGRES_PASSWORD", "sec'ond"), ("REPLICATION_PASSWORD", "an\\oth'er")];
    for machine in [&stage.one, &stage.two] {
        stage.bring_up(machine, "data-1", &secrets);
    }
    stage.well();
    assert!(stage.ask(PRIMARY, "first", "select 1").failure().contains("password authentication failed"));
    assert_eq!(stage.say(PRIMARY, "sec'ond", "select line from kept"), "one");
    stage.say(PRIMARY, "sec'ond", "insert into kept values ('two')");
    stage.wait_for(REPLICA, "sec'ond", "select count(*) from kept", "2");
    for machine in [&stage.one, &stage.two] {
        let logs = Stage::logs(machine);
        assert!(!logs.contains("sec'ond") && !logs.contains("PASSWORD E'"), "{logs}");
    }
    // Back, for the sake of those who come after.
    for machine in [&stage.one, &stage.two] {
        stage.bring_up(machine, "data-1", &SECRETS);
    }
    stage.well();
}

/// The replica becomes the primary with all that it has, and the other way round.
fn the_primary_moves(stage: &Stage) {
    for (primary, [writes, copies], line) in
        [("data-2", [REPLICA, PRIMARY], "three"), ("data-1", [PRIMARY, REPLICA], "four")]
    {
        // The old one first, so that what it wrote last is there.
        let (old, new) = match primary {
            "data-2" => (&stage.one, &stage.two),
            _ => (&stage.two, &stage.one),
        };
        old.engine().docker(&["stop", "live-db-1"]).success();
        stage.bring_up(new, primary, &SECRETS);
        stage.bring_up(old, primary, &SECRETS);
        stage.well();
        stage.say(writes, "first", &format!("insert into kept values ('{line}')"));
        stage.wait_for(copies, "first", "select line from kept order by ctid desc limit 1", line);
        assert_eq!(stage.say(copies, "first", "select pg_is_in_recovery()"), "t");
        assert_eq!(stage.say(writes, "first", "select pg_is_in_recovery()"), "f");
    }
    assert_eq!(stage.say(PRIMARY, "first", "select count(*) from kept"), "4");
}

fn a_copy_that_was_cut_short_begins_again(stage: &Stage) {
    let docker = |words: &[&str]| stage.two.engine().docker(words).success();
    docker(&["stop", "live-db-1"]);
    let data = stage.two.root().join("live/data/db");
    let data = match stage.image {
        Image::POSTGRES_18 => data.join("18/docker"),
        _ => data,
    };
    fs::rename(data.join("PG_VERSION"), data.join("base/PG_VERSION")).expect("the last of its files");
    fs::create_dir_all(data.join("copying/base")).expect("what was not yet moved");
    docker(&["start", "live-db-1"]);
    stage.well();
    stage.wait_for(REPLICA, "first", "select count(*) from kept", "4");
    assert!(!data.join("copying").exists() && !data.join("base/PG_VERSION").exists());
}
