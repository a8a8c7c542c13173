//! The rig itself, tried for real.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;
use std::process::Command;
use std::time::{Duration, Instant};

use stageplot_tests::{Engine, Image, Lan, Namespace, Program, Scratch, run, wait_for, want};

const SOON: Duration = Duration::from_secs(10);

/// The stand-in images, and the user that each runs its program as.
const IMAGES: [(&str, &str); 7] = [
    (Image::CADDY, "0 0"),
    (Image::CADDY_L4, "0 0"),
    (Image::REDIS, "999 1000"),
    (Image::LIVEKIT, "0 0"),
    ("livekit/livekit-server:v1.11.0", "0 0"),
    ("livekit/livekit-server:v1.9.12", "0 0"),
    (Image::ECHO, "1000 1000"),
];

/// Machines on one wire reach each other over both families, whatever the network of
/// the address, and nothing stays of them.
#[test]
fn machines_reach_each_other() {
    let lan = want!(Lan::new("lan"));
    let one = lan.machine("one", &["192.168.1.1/24", "fd00:1::1/64"]);
    let two = lan.machine("two", &["192.168.1.2/24", "fd00:1::2/64", "203.0.113.2/32"]);
    for address in ["192.168.1.2", "fd00:1::2", "203.0.113.2"] {
        one.run("ping", &["-c1", "-W2", address]).success();
    }
    let names = [lan.bridge().name(), one.name(), two.name()].map(str::to_owned);
    drop((one, two, lan));
    for name in names {
        assert!(!Path::new("/var/run/netns").join(name).exists());
    }
}

/// Each image runs as the user that the official one has, on an engine of a machine;
/// its port answers a neighbour; and nothing stays of the engine.
#[test]
fn an_engine_comes_and_goes() {
    let lan = want!(Lan::new("lan"));
    let node = lan.machine("node", &["192.168.1.1/24", "fd00:1::1/64"]);
    let peer = lan.machine("peer", &["192.168.1.2/24", "fd00:1::2/64"]);
    let started = Instant::now();
    let engine = want!(Engine::start(&node, &IMAGES.map(|(name, _)| name)));
    println!("an engine with {} images after {:?}", IMAGES.len(), started.elapsed());

    let keys = "LIVEKIT_KEYS=key: 0123456789abcdef0123456789abcdef";
    for (image, user) in IMAGES {
        engine
            .docker(&[
                "run",
                "--detach",
                "--name",
                "one",
                "--publish",
                "80",
                "--publish",
                "6379",
                "--publish",
                "7880",
                "--publish",
                "8080",
                "--env",
                keys,
                image,
            ])
            .success();
        let port = match image {
            _ if image.contains("caddy") => "80",
            _ if image.contains("redis") => "6379",
            _ if image.contains("livekit") => "7880",
            _ => "8080",
        };
        let published = engine.docker(&["port", "one", port]).success();
        let published = published.lines().next().and_then(|line| line.rsplit(':').next());
        let published = published.expect("a published port");
        for address in ["192.168.1.1", "fd00:1::1"] {
            wait_for(&format!("answered by {image}"), SOON, || {
                answers(&peer, address, published, port == "6379")
            });
        }
        assert_eq!(user_of_first_process(&engine, "one"), user, "{image}");
        if port != "6379" {
            // What health checks are made of has to work inside, as on Alpine.
            let url = format!("http://127.0.0.1:{port}/");
            engine.docker(&["exec", "one", "wget", "-q", "--spider", "-T", "3", &url]).success();
        }
        engine.docker(&["rm", "--force", "--volumes", "one"]).success();
    }

    let directory = engine.socket().parent().expect("a directory").to_owned();
    let name = directory.file_name().expect("a name").to_owned();
    // What still runs when the engine ends must not stay either.
    engine.docker(&["run", "--detach", "--restart=always", Image::REDIS]).success();
    drop(engine);
    assert!(!directory.exists());
    let mounts = fs::read_to_string("/proc/mounts").expect("the mounts");
    assert!(!mounts.contains(directory.to_str().expect("a path")), "{mounts}");
    let find = ["/sys/fs/cgroup", "-maxdepth", "2", "-name", name.to_str().expect("a name")];
    assert_eq!(run(Command::new("find").args(find), SOON).success(), "");
    assert_eq!(run(Command::new("ip").args(["netns", "pids", node.name()]), SOON).success(), "");
}

/// The Redis stand-in behaves as the official image, not as Debian's package: it hands
/// its directory over, steps down from root, and is open where nothing says otherwise.
#[test]
fn redis_is_as_the_official_one() {
    let lan = want!(Lan::new("lan"));
    let node = lan.machine("node", &["192.168.1.1/24"]);
    let engine = want!(Engine::start(&node, &[Image::REDIS]));
    let scratch = Scratch::new();
    let (config, data) = (scratch.path().join("config"), scratch.path().join("data"));
    for directory in [&config, &data] {
        fs::create_dir(directory).expect("a directory");
    }
    fs::write(config.join("shut.conf"), "protected-mode yes\n").expect("a file");
    fs::write(config.join("open.conf"), "appendonly yes\n").expect("a file");
    let mounts = [format!("{}:/etc/redis:ro", config.display()), format!("{}:/data", data.display())];
    for (arguments, protected) in [
        (&[][..], "no"),
        (&["--appendonly", "yes"], "no"),
        (&["redis-server", "/etc/redis/open.conf"], "no"),
        (&["/etc/redis/shut.conf"], "yes"),
        (&["redis-server", "--protected-mode", "yes"], "yes"),
    ] {
        let run = ["run", "--detach", "--name", "one", "-v", &mounts[0], "-v", &mounts[1]];
        engine.docker(&[&run[..], &[Image::REDIS], arguments].concat()).success();
        let ask = |setting| {
            let ask = ["exec", "one", "redis-cli", "config", "get", setting];
            engine.docker(&ask).stdout.lines().nth(1).map(str::to_owned)
        };
        wait_for("answered", SOON, || ask("protected-mode").is_some());
        assert_eq!(ask("protected-mode").as_deref(), Some(protected), "{arguments:?}");
        // To give arguments must not switch off what is saved by default.
        assert_eq!(ask("save").as_deref(), Some("3600 1 300 100 60 10000"), "{arguments:?}");
        assert_eq!(user_of_first_process(&engine, "one"), "999 1000");
        engine.docker(&["exec", "one", "redis-cli", "save"]).success();
        engine.docker(&["rm", "--force", "one"]).success();
    }
    let dump = fs::metadata(data.join("dump.rdb")).expect("a dump");
    assert_eq!((dump.uid(), dump.gid(), dump.mode() & 0o777), (999, 1000, 0o600));
    assert_eq!(fs::metadata(&data).expect("a directory").uid(), 999);
}

/// The Postgres stand-ins behave as the official images: nothing starts without a password,
/// which may stand in a file; scripts run once, where there is no data yet; and root hands
/// the directories over and steps down.
#[test]
fn postgres_is_as_the_official_one() {
    let lan = want!(Lan::new("lan"));
    let node = lan.machine("node", &["192.168.1.1/24"]);
    let engine = want!(Engine::start(&node, &[Image::POSTGRES, Image::POSTGRES_18]));
    let refused = engine.docker(&["run", "--rm", Image::POSTGRES]).failure();
    assert!(refused.contains("superuser password is not specified"), "{refused}");
    for (image, volume, data) in [
        (Image::POSTGRES, "/var/lib/postgresql/data", "."),
        (Image::POSTGRES_18, "/var/lib/postgresql", "18/docker"),
    ] {
        let scratch = Scratch::new();
        let [own, kept] = ["own", "data"].map(|name| scratch.path().join(name));
        for directory in [&own, &kept] {
            fs::create_dir(directory).expect("a directory");
        }
        fs::set_permissions(&kept, fs::Permissions::from_mode(0o777)).expect("open");
        fs::write(own.join("password"), "secret\n").expect("a file");
        fs::write(own.join("one.sql"), "create table one (n int); insert into one values (1);")
            .expect("a file");
        fs::write(own.join("two.sh"), "psql -U rooms -d live -c 'insert into one values (2)'")
            .expect("a file");
        let mounts = [
            format!("{}:/docker-entrypoint-initdb.d:ro", own.display()),
            format!("{}:{volume}", kept.display()),
        ];
        let ask = |sql: &str| {
            let psql = ["psql", "-h", "127.0.0.1", "-U", "rooms", "-d", "live", "-XAtc", sql];
            engine.docker(&[&["exec", "--env", "PGPASSWORD=secret", "one"][..], &psql].concat())
        };
        let variables = [
            "POSTGRES_PASSWORD_FILE=/docker-entrypoint-initdb.d/password",
            "POSTGRES_USER=rooms",
            "POSTGRES_DB=live",
        ];
        let variables = variables.iter().flat_map(|variable| ["--env", variable]);
        let run = ["run", "--detach", "--name", "one", "-v", &mounts[0], "-v", &mounts[1]];
        let run: Vec<_> =
            run.into_iter().chain(variables).chain([image, "-c", "max_connections=33"]).collect();
        // The second time there is data, and nothing is run again.
        for _ in 0..2 {
            engine.docker(&run).success();
            wait_for("answered", SOON, || ask("select sum(n) from one").stdout == "3\n");
            assert_eq!(ask("show max_connections").success(), "33\n");
            assert_eq!(user_of_first_process(&engine, "one"), "70 70");
            // It is stopped as the image says, which takes no time.
            let began = Instant::now();
            engine.docker(&["stop", "one"]).success();
            assert!(began.elapsed() < Duration::from_secs(5), "{:?}", began.elapsed());
            engine.docker(&["rm", "one"]).success();
        }
        let owner = fs::metadata(kept.join(data).join("PG_VERSION")).expect("its data");
        assert_eq!((owner.uid(), owner.gid()), (70, 70));
    }
}

/// Both majors of Compose bring a file up, and its service answers by its name.
#[test]
fn compose_of_each_version() {
    let lan = want!(Lan::new("lan"));
    let node = lan.machine("node", &["192.168.1.1/24"]);
    let engine = want!(Engine::start(&node, &[Image::ECHO, Image::REDIS]));
    let project = Scratch::new();
    let file = "
name: tried
services:
  app:
    image: stageplot/echo:1
    ports: ['192.168.1.1:8080:8080']
    healthcheck: { test: ['CMD', 'wget', '-qO-', 'http://127.0.0.1:8080/health'], interval: 1s }
  cache:
    image: redis:7-alpine
    command: ['redis-server', '--requirepass', 'secret']
    environment: { REDISCLI_AUTH: secret }
    healthcheck: { test: ['CMD-SHELL', 'redis-cli ping | grep -qx PONG'], interval: 1s }
";
    fs::write(project.path().join("compose.yaml"), file).expect("a file");
    for version in Program::versions("compose") {
        want!(Program::versioned("compose", version));
        let shown = engine.compose(version, &["version", "--short"], project.path()).success();
        assert!(shown.starts_with(version), "{shown}");
        engine.compose(version, &["up", "--detach", "--wait"], project.path()).success();
        let answer = node.run("curl", &["-sS", "http://192.168.1.1:8080/hello"]).success();
        assert!(answer.contains(r#""path":"/hello""#), "{answer}");
        engine.compose(version, &["down", "--volumes"], project.path()).success();
    }
}

/// After a reboot, and after a crash, there is what has a restart policy.
#[test]
fn an_engine_comes_back() {
    let lan = want!(Lan::new("lan"));
    let node = lan.machine("node", &["192.168.1.1/24"]);
    let mut engine = want!(Engine::start(&node, &[Image::ECHO]));
    let run = ["run", "--detach", "--publish", "8080:8080", "--restart", "unless-stopped"];
    engine.docker(&[&run[..], &[Image::ECHO]].concat()).success();
    let answered = || answers(&node, "192.168.1.1", "8080", false);
    wait_for("answered", SOON, answered);
    engine.restart();
    wait_for("answered after a restart", SOON, answered);
    engine.halt();
    assert_eq!(node.run("nft", &["list", "ruleset"]).success(), "");
    engine.boot();
    wait_for("answered after a reboot", SOON, answered);
    engine.kill();
    engine.boot();
    wait_for("answered after a crash", SOON, answered);
}

/// What a killed run leaves is gone when the next one has begun.
#[test]
fn what_a_killed_run_left_is_swept() {
    // The test binary is its own killed run: it starts itself with this set.
    if let Ok(file) = std::env::var("STAGEPLOT_TESTS_LEAVE") {
        let lan = want!(Lan::new("left"));
        let node = lan.machine("left", &["192.168.1.1/24"]);
        let engine = want!(Engine::start(&node, &[Image::ECHO]));
        engine.docker(&["run", "--detach", Image::ECHO]).success();
        fs::write(file, format!("{}\n{}", engine.socket().display(), node.name())).expect("a file");
        std::thread::sleep(Duration::from_secs(60));
        return;
    }
    want!(Namespace::new("probe"));
    want!(Program::named("docker"));
    let scratch = Scratch::new();
    let file = scratch.path().join("left");
    let mut command = Command::new(std::env::current_exe().expect("ourselves"));
    command.args(["--exact", "what_a_killed_run_left_is_swept"]).env("STAGEPLOT_TESTS_LEAVE", &file);
    let mut left = stageplot_tests::Process::start("a run", &mut command);
    left.wait_for("up", Duration::from_secs(60), || {
        fs::read_to_string(&file).is_ok_and(|text| text.contains('\n'))
    });
    left.kill();
    let text = fs::read_to_string(&file).expect("what was left");
    let (socket, namespace) = text.split_once('\n').expect("two lines");
    let directory = Path::new(socket).parent().expect("a directory");
    assert!(directory.exists());
    // The next run is another process, whose first machine sweeps.
    let mut next = Command::new(std::env::current_exe().expect("ourselves"));
    run(next.args(["--exact", "machines_reach_each_other"]), Duration::from_secs(60)).success();
    assert!(!directory.exists());
    assert!(!Path::new("/var/run/netns").join(namespace).exists());
    let processes = run(Command::new("pgrep").args(["-f", socket]), SOON);
    assert_eq!(processes.stdout, "");
}

/// Whether a service answers a neighbour; Redis in its own words, the others in HTTP.
fn answers(from: &Namespace, address: &str, port: &str, redis: bool) -> bool {
    if redis {
        return from.run("redis-cli", &["-h", address, "-p", port, "ping"]).stdout == "PONG\n";
    }
    let host = if address.contains(':') { format!("[{address}]") } else { address.to_owned() };
    let url = format!("http://{host}:{port}/");
    from.run("curl", &["-fsS", "--max-time", "2", "-o", "/dev/null", &url]).succeeded()
}

/// The user and group ids that a container's program runs as, as the host sees them.
fn user_of_first_process(engine: &Engine, container: &str) -> String {
    let pid = engine.docker(&["inspect", "--format", "{{.State.Pid}}", container]).success();
    let status = fs::read_to_string(format!("/proc/{}/status", pid.trim())).expect("a process");
    let id = |key| {
        let line = status.lines().find(|line| line.starts_with(key)).expect("a line");
        line.split_whitespace().nth(1).expect("an id").to_owned()
    };
    format!("{} {}", id("Uid:"), id("Gid:"))
}
