//! The deployment scripts' `.env` files, as their documents have them, made
//! into plots.

use proptest::prelude::*;
use stageplot_topology::dotenv::{Dotenv, EnvFile, Import, KnownVariable, Meaning, Secrets, import};
use stageplot_topology::{
    Code, Eviction, Findings, Livekit, LogLevel, Plot, Redis, SecretRef, ServiceSpec, Severity,
    UnwritablePlot,
};

macro_rules! fixture {
    ($name:literal) => {
        include_str!(concat!("dotenv/", $name, ".env"))
    };
}

/// Imports machines by address; each file is called as its address.
fn read(machines: &[(&str, &str)]) -> Result<Import, Findings> {
    let files: Vec<_> = machines
        .iter()
        .map(|&(name, text)| EnvFile { address: name.parse().expect("an address"), name, text })
        .collect();
    import(&files)
}

fn plot(machines: &[(&str, &str)]) -> Plot {
    let import = read(machines).expect("files that agree");
    import.plot.build().expect("a plot that can be built");
    import.plot
}

/// Each node's name, address and roles in one line.
fn nodes(plot: &Plot) -> Vec<String> {
    let line = |(name, node): (&stageplot_topology::Name, &stageplot_topology::NodeSpec)| {
        let address = node.address.first().copied().or(node.public.and_then(|p| p.addresses().next()));
        let roles: Vec<_> = node.roles.iter().map(|role| role.as_str()).collect();
        format!("{name} {} {}", address.expect("an address"), roles.join(","))
    };
    plot.nodes.iter().map(line).collect()
}

fn livekit(plot: &Plot) -> &Livekit {
    match &plot.services["livekit"] {
        ServiceSpec::Livekit(livekit) => livekit,
        other => panic!("{other:?}"),
    }
}

fn redis(plot: &Plot) -> &Redis {
    match &plot.services["redis"] {
        ServiceSpec::Redis(redis) => redis,
        other => panic!("{other:?}"),
    }
}

/// The findings of a code, as they print.
fn found(findings: &Findings, code: Code) -> Vec<String> {
    findings.iter().filter(|f| f.code == code).map(ToString::to_string).collect()
}

/// The one contradiction of files that contradict each other.
fn contradiction(machines: &[(&str, &str)]) -> String {
    let findings = read(machines).expect_err("files that contradict each other");
    let [only] = found(&findings, Code::EnvContradiction).try_into().unwrap_or_else(|all| panic!("{all:?}"));
    only
}

// The documents' shapes.

#[test]
fn everything_on_one_machine() {
    let import = read(&[("203.0.113.10", fixture!("single"))]).expect("a plot");
    assert_eq!(nodes(&import.plot), ["main 203.0.113.10 edge,livekit,redis"]);
    assert!(import.plot.nodes["main"].public.is_some());
    assert_eq!(redis(&import.plot).password, None);
    assert_eq!(redis(&import.plot).maxmemory_policy, Eviction::Noeviction);
    assert_eq!(redis(&import.plot).maxmemory.to_string(), "2gb");
    assert!(!livekit(&import.plot).use_external_ip);
    let built = import.plot.build().expect("a topology");
    assert!(built.findings.is_empty(), "{}", built.findings);
    let changed = found(&import.findings, Code::EnvChanged);
    assert_eq!(changed.len(), 1, "{changed:?}");
    assert!(changed[0].contains("REDIS_MAXMEMORY_POLICY") && changed[0].contains("10:1"), "{changed:?}");
}

#[test]
fn edge_and_service_on_one_livekit_on_another() {
    let plot = plot(&[("192.168.1.1", fixture!("service")), ("192.168.1.2", fixture!("media-alone"))]);
    assert_eq!(nodes(&plot), ["front 192.168.1.1 edge,service", "media 192.168.1.2 livekit,redis"]);
    let ServiceSpec::App(app) = &plot.services["service"] else { panic!("an app") };
    assert_eq!(
        (app.port.map(|port| port.number()), app.routes.as_slice()),
        (Some(8080), &["/api/*".to_owned()][..])
    );
    let webhook = livekit(&plot).webhook.as_ref().expect("a webhook");
    assert_eq!(webhook.urls[0].as_str(), "https://livekit.example.com/api/webhook");
    assert_eq!(livekit(&plot).keys["your_key"], SecretRef::Env("LIVEKIT_API_SECRET".into()));
    assert!(livekit(&plot).use_external_ip);
}

#[test]
fn four_machines_share_the_redis_that_localhost_means_on_the_second() {
    let machines = [
        ("192.168.1.1", fixture!("service")),
        ("192.168.1.2", fixture!("media-primary")),
        ("192.168.1.3", fixture!("media-further")),
        ("192.168.1.4", fixture!("media-further")),
    ];
    let plot = plot(&machines);
    let expected = [
        "front 192.168.1.1 edge,service",
        "media-1 192.168.1.2 livekit,redis",
        "media-2 192.168.1.3 livekit",
        "media-3 192.168.1.4 livekit",
    ];
    assert_eq!(nodes(&plot), expected);
    // No file has a password, and Redis is reached from other machines.
    let import = read(&machines).expect("a plot");
    assert_eq!(redis(&import.plot).password, Some(SecretRef::Env("REDIS_PASSWORD".into())));
    assert_eq!(import.secrets.missing().collect::<Vec<_>>(), ["REDIS_PASSWORD"]);
    assert!(!found(&import.findings, Code::EnvMissing).is_empty());
    assert_eq!(found(&import.findings, Code::LivekitShortSecret).len(), 1);
    assert!(redis(&plot).primary.is_empty());
}

#[test]
fn a_caddy_of_its_own_by_nodes_or_by_upstream() {
    for caddy in [fixture!("caddy-nodes"), fixture!("caddy-upstream")] {
        let plot = plot(&[
            ("192.168.1.100", caddy),
            ("192.168.1.10", fixture!("livekit-only")),
            ("192.168.1.11", fixture!("livekit-only")),
            ("192.168.1.12", fixture!("livekit-only")),
        ]);
        let expected = [
            "front 192.168.1.100 edge",
            "media-1 192.168.1.10 livekit",
            "media-2 192.168.1.11 livekit",
            "media-3 192.168.1.12 livekit,redis",
        ];
        assert_eq!(nodes(&plot), expected);
        let ServiceSpec::Edge(edge) = &plot.services["edge"] else { panic!("an edge") };
        assert_eq!(edge.domain.as_ref().map(|domain| domain.as_str()), Some("livekit.example.com"));
    }
}

#[test]
fn a_caddy_on_every_node() {
    let files =
        ["192.168.1.10", "192.168.1.11", "192.168.1.12"].map(|address| (address, fixture!("everywhere")));
    let expected = [
        "media-1 192.168.1.10 edge,livekit",
        "media-2 192.168.1.11 edge,livekit",
        "media-3 192.168.1.12 edge,livekit,redis",
    ];
    assert_eq!(nodes(&plot(&files)), expected);
    // One file names the others; each of them is told of.
    let one = read(&files[..1]).expect("a plot");
    let expected = [
        "media-1 192.168.1.10 edge,livekit",
        "media-2 192.168.1.11 livekit",
        "media-3 192.168.1.12 livekit,redis",
    ];
    assert_eq!(nodes(&one.plot), expected);
    assert_eq!(found(&one.findings, Code::EnvMissing).len(), 2);
}

#[test]
fn files_without_redis_host_share_one() {
    let files =
        ["192.168.1.10", "192.168.1.11", "192.168.1.12"].map(|address| (address, fixture!("caddy-nodes")));
    let import = read(&files).expect("a plot");
    assert_eq!(nodes(&import.plot)[0], "media-1 192.168.1.10 edge,livekit,redis");
    assert!(found(&import.findings, Code::EnvMissing).iter().any(|f| f.contains("REDIS_HOST")));
    import.plot.build().expect("a topology");
}

#[test]
fn redis_outside_or_on_a_machine_of_its_own() {
    let text = "DOMAIN=live.example.com\nNODES=localhost\nREDIS_HOST=10.0.0.50\nREDIS_PORT=6380\nREDIS_DB=3\nREDIS_PASSWORD=p\n";
    let outside = plot(&[("10.0.0.1", text)]);
    assert_eq!(nodes(&outside), ["main 10.0.0.1 edge,livekit"]);
    let external = redis(&outside).external.as_ref().expect("an external Redis");
    assert_eq!(external.address.as_ref().map(ToString::to_string), Some("10.0.0.50:6380".into()));
    assert_eq!(external.db, 3);
    let own = "REDIS_HOST=localhost\nREDIS_PORT=6380\nREDIS_PASSWORD=p\n";
    let inside = plot(&[("10.0.0.1", text), ("10.0.0.50", own)]);
    assert_eq!(nodes(&inside), ["media 10.0.0.1 edge,livekit", "store 10.0.0.50 redis"]);
    assert_eq!(redis(&inside).port.number(), 6380);
    let named = plot(&[("10.0.0.1", "NODES=localhost\nREDIS_HOST=cache.example.com\n")]);
    assert_eq!(redis(&named).external.as_ref().map(|e| e.db), Some(0));
}

#[test]
fn a_replica_of_the_primary() {
    let mut files = vec![("192.168.1.13", fixture!("replica"))];
    files.extend(
        ["192.168.1.10", "192.168.1.11", "192.168.1.12"].map(|address| (address, fixture!("everywhere"))),
    );
    let plot = plot(&files);
    assert_eq!(nodes(&plot)[3], "store 192.168.1.13 redis");
    assert_eq!(redis(&plot).primary, ["media-3".parse::<stageplot_topology::Name>().expect("a name")]);
    let elsewhere = fixture!("replica").replace("1.12 ", "1.11 ");
    files[0].1 = &elsewhere;
    assert!(contradiction(&files).contains("192.168.1.11"));
}

#[test]
fn the_order_of_the_files_means_nothing() {
    let mut files = vec![("192.168.1.13", fixture!("replica"))];
    files.extend(
        ["192.168.1.10", "192.168.1.11", "192.168.1.12"].map(|address| (address, fixture!("everywhere"))),
    );
    let first = read(&files).expect("a plot");
    files.reverse();
    let second = read(&files).expect("a plot");
    assert_eq!(first.plot, second.plot);
    assert_eq!(first.findings.to_string(), second.findings.to_string());
    assert_eq!(first.secrets.render(), second.secrets.render());
}

// Values.

#[test]
fn the_example_file_sets_every_field() {
    let import = read(&[("203.0.113.10", fixture!("example"))]).expect("a plot");
    let toml = import.plot.to_toml().expect("a text");
    let expected = r#"name = "live"
secrets-file = "stageplot.secrets.env"

[nodes.main]
public = "203.0.113.10"
roles = ["edge", "livekit", "redis"]

[edge]
domain = "livekit.example.com"

[livekit]
keys = { main = { env = "LIVEKIT_API_SECRET" } }
use-external-ip = true
turn = { udp-port = 3479 }
room = { auto-create = false, empty-timeout = "10m", max-participants = 50 }
webhook = { urls = ["https://hooks.example.net/a", "https://hooks.example.net/b"] }
log-level = "debug"

[redis]
password = { env = "REDIS_PASSWORD" }
port = 6380
maxmemory = "1gb"
"#;
    assert_eq!(toml, expected);
    import.plot.build().expect("a topology");
    assert_eq!(found(&import.findings, Code::EnvDuplicate), [] as [&str; 0]);
    let all = format!("{}{toml}{:?}", import.findings, import);
    for secret in ["pass word", "0123456789abcdef", "mail-secret"] {
        assert!(!all.contains(secret), "{secret} shows");
    }
    let secrets = import.secrets.render();
    assert!(secrets.contains("REDIS_PASSWORD='pass word'\n"), "{secrets}");
    assert!(!secrets.contains("mail-secret"));
    // What the table calls unused or mistaken is told of once.
    for known in KnownVariable::ALL.iter().filter(|v| v.name != "LIVEKIT_CONFIG") {
        let name = known.name.trim_end_matches('*');
        let told = import.findings.iter().filter(|f| f.location.path.to_string().contains(name)).count();
        match known.meaning {
            Meaning::Dropped { .. } | Meaning::Unread { .. } | Meaning::Mistaken { .. } => {
                assert!(told > 0, "{name}")
            }
            _ => {}
        }
    }
}

/// The names of the facts' paragraph on the LiveKit `.env`, in its order.
const NAMES: &str = "DOMAIN DEPLOYMENT_DIR NODES BACKUP_DIR LIVEKIT_API_KEY LIVEKIT_API_SECRET REDIS_HOST REDIS_PORT \
    REDIS_PASSWORD REDIS_DB REDIS_MAXMEMORY REDIS_MAXMEMORY_POLICY LIVEKIT_LOG_LEVEL LIVEKIT_AUTO_CREATE_ROOM \
    LIVEKIT_EMPTY_TIMEOUT LIVEKIT_MAX_PARTICIPANTS TURN_ENABLED TURN_DOMAIN TURN_EXTERNAL_TLS_PORT \
    TURN_EXTERNAL_UDP_PORT WEBHOOK_ENABLED WEBHOOK_API_KEY WEBHOOK_URLS LIVEKIT_PORT LIVEKIT_BIND_ADDRESS \
    LIVEKIT_DEVELOPMENT CADDY_ADMIN_EMAIL CADDY_LOG_LEVEL LIVEKIT_IMAGE_VERSION REDIS_IMAGE_VERSION \
    CADDY_IMAGE_VERSION DOCKER_NETWORK_NAME AUTO_BACKUP_INTERVAL BACKUP_RETENTION_COUNT MONITORING_ENABLED \
    MONITORING_INTERVAL LOG_RETENTION_DAYS USE_EXTERNAL_IP_FOR_CANDIDATES NUM_* AUDIO_* VIDEO_* SMTP_* \
    NOTIFICATION_EMAIL TZ LANG DEBUG CADDY_UPSTREAM REDIS_SLAVE_OF LIVEKIT_CONFIG";

#[test]
fn every_variable_is_in_the_table() {
    let mut listed: Vec<_> = NAMES.split_whitespace().collect();
    let mut known: Vec<_> = KnownVariable::ALL.iter().map(|v| v.name).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, listed);
    for name in NAMES.split_whitespace() {
        let one = name.replace('*', "ANYTHING");
        assert_eq!(KnownVariable::find(&one).map(|v| v.name), Some(name));
    }
}

#[test]
fn every_field_variable_does_something() {
    let base = "DOMAIN=a.example.com\nNODES=localhost\nLIVEKIT_API_KEY=k\nWEBHOOK_ENABLED=true\nWEBHOOK_URLS=https://h.example.net/\n";
    let before = read(&[("203.0.113.10", base)]).expect("a plot");
    let values = [
        ("DOMAIN", "b.example.com"),
        ("NODES", "localhost,203.0.113.11"),
        ("LIVEKIT_API_KEY", "other"),
        ("LIVEKIT_API_SECRET", "0123456789abcdef0123456789abcdef"),
        ("REDIS_HOST", "203.0.113.50"),
        ("REDIS_PORT", "6380"),
        ("REDIS_PASSWORD", "p"),
        ("REDIS_DB", "1"),
        ("REDIS_MAXMEMORY", "1gb"),
        ("REDIS_MAXMEMORY_POLICY", "volatile-ttl"),
        ("LIVEKIT_LOG_LEVEL", "warn"),
        ("LIVEKIT_AUTO_CREATE_ROOM", "false"),
        ("LIVEKIT_EMPTY_TIMEOUT", "10"),
        ("LIVEKIT_MAX_PARTICIPANTS", "10"),
        ("TURN_ENABLED", "false"),
        ("TURN_DOMAIN", "turn.example.com"),
        ("TURN_EXTERNAL_UDP_PORT", "3479"),
        ("WEBHOOK_ENABLED", "false"),
        ("WEBHOOK_API_KEY", "other"),
        ("WEBHOOK_URLS", "https://i.example.net/"),
        ("USE_EXTERNAL_IP_FOR_CANDIDATES", "true"),
        ("CADDY_UPSTREAM", "203.0.113.10,203.0.113.11"),
        ("REDIS_SLAVE_OF", "203.0.113.50 6379"),
    ];
    let fields =
        KnownVariable::ALL.iter().filter(|v| matches!(v.meaning, Meaning::Field(_) | Meaning::Secret(_)));
    for known in fields {
        let (name, value) = values.iter().find(|(name, _)| *name == known.name).expect(known.name);
        let text = format!("{base}{name}={value}\n");
        let after = read(&[("203.0.113.10", &text)]).unwrap_or_else(|findings| panic!("{name}: {findings}"));
        let differs = after.plot != before.plot || after.secrets != before.secrets;
        let told = after
            .findings
            .iter()
            .any(|f| f.location.path.to_string().ends_with(name) && f.code != Code::EnvDuplicate);
        assert!(differs || told, "{name} does nothing");
    }
    assert_eq!(livekit(&before.plot).log_level, LogLevel::Info);
}

#[test]
fn what_is_not_known_or_not_true_is_told() {
    let text = "NODES=localhost\nDOMIAN=a.example.com\nLIVEKIT_CONFIG=/etc/livekit.yaml\nWEBHOOK_API_KEY=other\n\
        LIVEKIT_API_KEY=main\nWEBHOOK_ENABLED=true\nWEBHOOK_URLS=https://h.example.net/?token=s3cr3t\nDOMAIN=a.example.com\n\
        TURN_DOMAIN=a.example.com\n";
    let import = read(&[("203.0.113.10", text)]).expect("a plot");
    assert!(found(&import.findings, Code::EnvUnknown)[0].contains("DOMIAN"));
    let changed = found(&import.findings, Code::EnvChanged).join("\n");
    assert!(changed.contains("LIVEKIT_CONFIG") && changed.contains("TURN_DOMAIN"), "{changed}");
    assert!(found(&import.findings, Code::WebhookKey)[0].starts_with("warning"));
    assert!(!import.findings.to_string().contains("s3cr3t"));
    assert_eq!(found(&import.findings, Code::LiteralSecret).len(), 1);
    assert_eq!(livekit(&import.plot).turn.as_ref().and_then(|turn| turn.domain.clone()), None);
    import.plot.build().expect("a topology");
}

#[test]
fn values_that_can_not_be_are_refused_all_at_once() {
    let text = "NODES=media.example.com\nDOMAIN=https://a.example.com\nREDIS_PORT=0\nREDIS_MAXMEMORY=much\nTURN_ENABLED=yes\n\
        WEBHOOK_ENABLED=true\nWEBHOOK_URLS=ftp://x\nLIVEKIT_EMPTY_TIMEOUT=-1\nREDIS_HOST=redis://:hunter2@10.0.0.1\nno equals\n";
    let findings = read(&[("203.0.113.10", text)]).expect_err("errors");
    assert_eq!(found(&findings, Code::InvalidValue).len(), 8, "{findings}");
    assert_eq!(found(&findings, Code::Syntax).len(), 1, "{findings}");
    assert!(!findings.to_string().contains("hunter2"));
    let one = findings.iter().find(|f| f.code == Code::Syntax).and_then(|f| f.location.span).expect("a span");
    assert_eq!((one.line, one.column, &text[one.start..one.end]), (10, 1, "no equals"));
    assert!(read(&[]).is_err());
    assert!(read(&[("127.0.0.1", "NODES=localhost")]).is_err());
    assert!(read(&[("10.0.0.1", ""), ("10.0.0.1", "")]).is_err());
}

// Contradictions.

#[test]
fn contradictions_name_both_lines_and_no_secret() {
    let base = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\n";
    let with = |line: &str| format!("{base}{line}\n");
    let cases = [
        ("DOMAIN=a.example.com", "DOMAIN=b.example.com"),
        ("REDIS_PASSWORD=hunter2hunter2", "REDIS_PASSWORD=hunter3hunter3"),
        ("REDIS_PORT=6379", "REDIS_PORT=6380"),
        ("LIVEKIT_LOG_LEVEL=info", "LIVEKIT_LOG_LEVEL=debug"),
        ("LIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=hunter2", "LIVEKIT_API_KEY=k\nLIVEKIT_API_SECRET=hunter3"),
    ];
    for (one, two) in cases {
        let message = contradiction(&[("10.0.0.1", &with(one)), ("10.0.0.2", &with(two))]);
        let line = 2 + one.lines().count();
        for place in [format!("10.0.0.1 line {line}"), format!("10.0.0.2 line {line}")] {
            assert!(message.contains(&place), "{message}");
        }
        assert!(!message.contains("hunter"), "{message}");
    }
}

#[test]
fn places_that_contradict_each_other() {
    let listed = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\n";
    let other = "NODES=10.0.0.1,10.0.0.3\nREDIS_HOST=10.0.0.1\n";
    assert!(contradiction(&[("10.0.0.1", listed), ("10.0.0.2", other)]).contains("10.0.0.2, 10.0.0.3"));
    let local = "DOMAIN=a.example.com\nNODES=localhost\n";
    assert!(contradiction(&[("10.0.0.1", listed), ("10.0.0.9", local)]).contains("this very machine"));
    let own = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=localhost\n";
    assert!(contradiction(&[("10.0.0.1", own), ("10.0.0.2", own)]).contains("one on 10.0.0.1"));
    // A machine's own localhost agrees with a list that has it.
    plot(&[("10.0.0.1", "NODES=localhost\nREDIS_HOST=redis\n"), ("10.0.0.2", listed)]);
}

#[test]
fn different_keys_are_all_kept() {
    let secret = "0123456789abcdef0123456789abcdef";
    let file = |key: &str| {
        format!(
            "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\nLIVEKIT_API_KEY={key}\nLIVEKIT_API_SECRET={secret}{key}\n"
        )
    };
    let import = read(&[("10.0.0.1", &file("b")), ("10.0.0.2", &file("a"))]).expect("a plot");
    let keys: Vec<_> =
        livekit(&import.plot).keys.iter().map(|(key, secret)| format!("{key} {}", secret.label())).collect();
    assert_eq!(keys, ["a LIVEKIT_API_SECRET", "b LIVEKIT_API_SECRET_2"]);
    assert!(import.secrets.render().contains(&format!("LIVEKIT_API_SECRET_2='{secret}b'")));
}

#[test]
fn an_empty_password_is_none() {
    let text = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\nREDIS_PASSWORD=\n";
    let with = text.replace("PASSWORD=", "PASSWORD=p");
    let import = read(&[("10.0.0.1", &with), ("10.0.0.2", text)]).expect("a plot");
    let changed = found(&import.findings, Code::EnvChanged).join("\n");
    assert!(changed.contains("10.0.0.2") && changed.contains("10.0.0.1 line 3"), "{changed}");
}

#[test]
fn a_secret_does_not_slip_in_by_another_name() {
    let text = "NODES=localhost\nREDIS_PASSWORD=hunter2\nX=$REDIS_PASSWORD\nLIVEKIT_API_KEY=a$X\n";
    let findings = read(&[("10.0.0.1", text)]).expect_err("a leak");
    assert!(!findings.to_string().contains("hunter2"), "{findings}");
    assert_eq!(found(&findings, Code::InvalidValue).len(), 1);
}

// The text.

#[test]
fn values_are_read_as_a_shell_reads_them() {
    let text = "\u{feff}# comment\r\n  export A = one two # three\r\nB='$x # \"y\" \\'\r\nC=\"a\\\"b\\\\c\\$d\\n\"  # e\n\
        D=#f\nE=g#h\nF=\nexport F\nG='it'\\''s'\nH=$A/${E}/${Z:-z}/${F:-f}/${F-f}\nI='two\r\nlines'\nJ=密码\nK=a\nK=b\nL=100$ ok\n";
    let (env, findings) = Dotenv::read("x", text);
    let expected = [
        ("A", "one two"),
        ("B", "$x # \"y\" \\"),
        ("C", "a\"b\\c$d\\n"),
        ("D", "#f"),
        ("E", "g#h"),
        ("F", ""),
        ("G", "it's"),
        ("H", "one two/g#h/z/f/"),
        ("I", "two\nlines"),
        ("J", "密码"),
        ("K", "b"),
        ("L", "100$ ok"),
    ];
    assert_eq!(env.iter().map(|(name, v)| (name, v.value())).collect::<Vec<_>>(), expected);
    assert_eq!(findings.iter().map(|f| f.code).collect::<Vec<_>>(), [Code::EnvDuplicate], "{findings}");
    let span = env.get("K").expect("set").span();
    assert_eq!((span.line, span.column, &text[span.start..span.end]), (15, 1, "K=b"));
    let span = env.get("A").expect("set").span();
    assert_eq!((span.line, span.column), (2, 10));
}

#[test]
fn lines_that_can_not_be_read_are_named_and_the_others_are_read() {
    let text = "A='open\nB=1\n1X=2\nC=\"a\" b\njust words\nD=$(id)`id`$$\nE=\"x\nF=2\n";
    let (env, findings) = Dotenv::read("x", text);
    let lines = |code| -> Vec<_> {
        findings.iter().filter(|f| f.code == code).filter_map(|f| Some(f.location.span?.line)).collect()
    };
    assert_eq!(lines(Code::Syntax), [1, 3, 4, 5, 7], "{findings}");
    assert_eq!(lines(Code::EnvChanged), [6]);
    assert_eq!(env.iter().map(|(name, _)| name).collect::<Vec<_>>(), ["B", "D", "F"]);
    assert_eq!(env.get("D").map(|v| v.value()), Some("$(id)`id`$$"));
    assert!(findings.iter().all(|f| f.severity >= Severity::Warning));
    let doubling: String = (0..40).map(|i| format!("A{}=$A{i}$A{i}\n", i + 1)).collect();
    let (_, findings) = Dotenv::read("x", &format!("A0=xxxxxxxxxxxxxxxx\n{doubling}"));
    assert!(findings.has_errors());
    let (_, findings) = Dotenv::read("x", &"A=1\n".repeat(1 << 19));
    assert!(findings.has_errors());
}

#[test]
fn a_plot_with_a_literal_secret_is_not_written() {
    let mut plot = plot(&[("203.0.113.10", fixture!("example"))]);
    let Some(ServiceSpec::Redis(redis)) = plot.services.get_mut("redis") else { panic!("a Redis") };
    redis.password = Some(SecretRef::Literal(stageplot_topology::Literal::new("hunter2")));
    let error = plot.to_toml().expect_err("a literal");
    assert!(
        matches!(&error, UnwritablePlot::Literal(path) if path.to_string() == "services.redis.password"),
        "{error}"
    );
}

fn hostile() -> impl Strategy<Value = String> {
    let pieces =
        ["'", "\"", "$", "#", " ", "\\", "`", "=", "{", "}", "é", "密", "a", "!", "%", "$A", "${", "\t"];
    let any = proptest::char::any().prop_filter("no control", |c| !c.is_control());
    let piece = prop_oneof![4 => proptest::sample::select(pieces.to_vec()).prop_map(str::to_owned), 1 => any.prop_map(String::from)];
    proptest::collection::vec(piece, 1..24).prop_map(|pieces| pieces.concat().replace('\t', " "))
}

proptest! {
    #[test]
    fn no_text_makes_it_panic(text: String, bytes: Vec<u8>) {
        let lossy = String::from_utf8_lossy(&bytes);
        for text in [text.as_str(), &lossy] {
            let _ = Dotenv::read("x", text);
            let _ = read(&[("10.0.0.1", text), ("10.0.0.2", "NODES=10.0.0.1")]);
        }
    }

    #[test]
    fn no_line_makes_it_panic(lines in proptest::collection::vec((proptest::sample::select(NAMES.split_whitespace().collect::<Vec<_>>()), hostile()), 0..30)) {
        let text: String = lines.iter().map(|(name, value)| format!("{name}={value}\n")).collect();
        if let Ok(import) = read(&[("10.0.0.1", &text), ("203.0.113.9", "NODES=localhost")]) {
            let _ = import.plot.build();
            prop_assert!(import.plot.to_toml().is_ok());
        }
    }

    #[test]
    fn secrets_are_read_back_unchanged(secret in hostile()) {
        let line = format!("REDIS_PASSWORD='{}'\n", secret.replace('\'', "'\\''"));
        let import = read(&[("10.0.0.1", &format!("NODES=localhost\n{line}"))]).expect("a plot");
        let (env, findings) = Dotenv::read(Secrets::FILE, &import.secrets.render());
        prop_assert!(findings.is_empty(), "{}", findings);
        prop_assert_eq!(env.get("REDIS_PASSWORD").map(|v| v.value()), Some(secret.as_str()));
    }
}
