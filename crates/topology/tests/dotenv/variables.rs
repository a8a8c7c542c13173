//! What each variable sets, and what is said of it.

use stageplot_topology::dotenv::{Meaning, Stack};
use stageplot_topology::{Code, LogLevel};

use crate::{found, livekit, read};

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
    for known in Stack::Livekit.variables().iter().filter(|v| v.name != "LIVEKIT_CONFIG") {
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
pub(crate) const NAMES: &str = "DOMAIN DEPLOYMENT_DIR NODES BACKUP_DIR LIVEKIT_API_KEY LIVEKIT_API_SECRET REDIS_HOST REDIS_PORT \
    REDIS_PASSWORD REDIS_DB REDIS_MAXMEMORY REDIS_MAXMEMORY_POLICY LIVEKIT_LOG_LEVEL LIVEKIT_AUTO_CREATE_ROOM \
    LIVEKIT_EMPTY_TIMEOUT LIVEKIT_MAX_PARTICIPANTS TURN_ENABLED TURN_DOMAIN TURN_EXTERNAL_TLS_PORT \
    TURN_EXTERNAL_UDP_PORT WEBHOOK_ENABLED WEBHOOK_API_KEY WEBHOOK_URLS LIVEKIT_PORT LIVEKIT_BIND_ADDRESS \
    LIVEKIT_DEVELOPMENT CADDY_ADMIN_EMAIL CADDY_LOG_LEVEL LIVEKIT_IMAGE_VERSION REDIS_IMAGE_VERSION \
    CADDY_IMAGE_VERSION DOCKER_NETWORK_NAME AUTO_BACKUP_INTERVAL BACKUP_RETENTION_COUNT MONITORING_ENABLED \
    MONITORING_INTERVAL LOG_RETENTION_DAYS USE_EXTERNAL_IP_FOR_CANDIDATES NUM_* AUDIO_* VIDEO_* SMTP_* \
    NOTIFICATION_EMAIL TZ LANG DEBUG CADDY_UPSTREAM REDIS_SLAVE_OF NODE_IP LIVEKIT_CONFIG";

#[test]
fn every_variable_is_in_the_table() {
    let mut listed: Vec<_> = NAMES.split_whitespace().collect();
    let mut known: Vec<_> = Stack::Livekit.variables().iter().map(|v| v.name).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, listed);
    for name in NAMES.split_whitespace() {
        let one = name.replace('*', "ANYTHING");
        assert_eq!(Stack::Livekit.find(&one).map(|v| v.name), Some(name));
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
        ("NODE_IP", "203.0.113.20"),
    ];
    let fields = Stack::Livekit
        .variables()
        .iter()
        .filter(|v| matches!(v.meaning, Meaning::Field(_) | Meaning::Secret(_)));
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

#[test]
fn the_address_that_livekit_is_told_is_the_machines_public_one() {
    let text = "NODES=localhost\nNODE_IP=203.0.113.10\nDOMAIN=live.mine.example.cn\n";
    let import = read(&[("192.168.1.1", text)]).expect("a plot");
    let node = &import.plot.nodes["main"];
    let public = node.public.expect("a public address");
    assert_eq!(public.addresses().map(|a| a.to_string()).collect::<Vec<_>>(), ["203.0.113.10"]);
    assert!(!public.bound && !livekit(&import.plot).use_external_ip);
    assert!(import.findings.iter().any(|finding| finding.message.contains("LiveKit's own NODE_IP")));
    let import = read(&[("192.168.1.1", &text.replace("203.0.113.10", "10.0.0.1"))]).expect("a plot");
    assert_eq!(import.plot.nodes["main"].public, None);
    assert!(import.findings.iter().any(|finding| finding.message.contains("it sets nothing")));
}
