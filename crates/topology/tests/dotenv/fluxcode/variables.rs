//! What each variable sets, and what is said of it.

use stageplot_topology::Code;
use stageplot_topology::dotenv::{Meaning, Stack};

use super::{APP, INFRA, MACHINES, NODE, imported, with};
use crate::{found, read};

/// The names of the facts' paragraph on FluxCode's `.env` files, in its order, and what
/// its Compose files read beside.
pub(crate) const NAMES: &str = "POSTGRES_USER POSTGRES_DB POSTGRES_PASSWORD POSTGRES_BIND_HOST REDIS_BIND_HOST \
    POSTGRES_EXPOSE_PORT REDIS_EXPOSE_PORT REDIS_PASSWORD TZ BIND_HOST HTTP_PORT HTTPS_PORT CADDY_ADDRESS \
    CADDY_LB_COOKIE_SECRET NODE_BIND_HOST NODE_PORT FLUXCODE_IMAGE SERVER_MODE RUN_MODE WEB_TITLE DATABASE_HOST \
    DATABASE_PORT DATABASE_SSLMODE REDIS_HOST REDIS_PORT REDIS_DB ADMIN_EMAIL ADMIN_PASSWORD JWT_SECRET \
    JWT_EXPIRE_HOUR GEMINI_OAUTH_CLIENT_ID GEMINI_OAUTH_CLIENT_SECRET GEMINI_OAUTH_SCOPES DATABASE_MAX_OPEN_CONNS \
    DATABASE_MAX_IDLE_CONNS REDIS_POOL_SIZE REDIS_MIN_IDLE_CONNS \
    GEMINI_QUOTA_POLICY DOCKER_LOG_MAX_SIZE DOCKER_LOG_MAX_FILE";

#[test]
fn every_variable_is_in_the_table() {
    let mut listed: Vec<_> = NAMES.split_whitespace().collect();
    let mut known: Vec<_> = Stack::Fluxcode.variables().iter().map(|v| v.name).collect();
    listed.sort_unstable();
    known.sort_unstable();
    assert_eq!(known, listed);
}

#[test]
fn every_variable_does_something_or_is_told() {
    // An import of its own for each: what differs, or what is said.
    let base = imported(&MACHINES);
    for known in Stack::Fluxcode.variables() {
        let name = known.name;
        let value = match name {
            "DATABASE_HOST" | "REDIS_HOST" => "192.0.2.50",
            "CADDY_ADDRESS" => "other.mine.cn",
            "FLUXCODE_IMAGE" => "duegin/fluxcode:v2",
            "DATABASE_SSLMODE" => "prefer",
            name if name.ends_with("BIND_HOST") => "10.0.0.77",
            name if name.ends_with("_DB") && name.starts_with("REDIS") => "7",
            name if ["PORT", "HOUR", "CONNS", "SIZE"].iter().any(|end| name.ends_with(end)) => "7007",
            _ => "other",
        };
        // In every file that has it, or in the application's.
        let change = |text: &str| {
            let is_apps = text.contains("JWT_SECRET")
                && !INFRA.contains(name)
                && !NODE.contains(name)
                && !APP.contains(name);
            let has = text.lines().any(|line| line.starts_with(&format!("{name}=")));
            if has || is_apps { with(text, &[(name, value)]) } else { text.to_owned() }
        };
        let files = MACHINES.map(|(address, text)| (address, change(text)));
        let machines: Vec<_> = files.iter().map(|(address, text)| (*address, text.as_str())).collect();
        let (changed, findings) = match read(&machines) {
            Ok(after) => (after.plot != base.plot || after.secrets != base.secrets, after.findings),
            Err(findings) => (false, findings),
        };
        let told = |finding: &stageplot_topology::Diagnostic| {
            let path = finding.location.path.to_string();
            // A contradiction stands at one of two lines.
            let is_there = path.ends_with(&format!(".{name}")) && finding.code != Code::EnvDuplicate;
            is_there || finding.code == Code::EnvContradiction && finding.message.contains(name)
        };
        match known.meaning {
            Meaning::Dropped { .. } => assert!(!changed && findings.iter().any(told), "{name}"),
            _ => assert!(changed || findings.iter().any(told), "{name} does nothing"),
        }
    }
}

#[test]
fn what_is_not_known_is_told() {
    let text = format!("{APP}DOMAIN=flux.mine.cn\nJWT_SECERT=hunter2\n");
    let import = imported(&[MACHINES[0], ("10.0.0.11", &text)]);
    let told = found(&import.findings, Code::EnvUnknown).join("\n");
    assert!(told.contains("FluxCode's Compose files know no variable DOMAIN"), "{told}");
    assert!(told.contains("did you mean JWT_SECRET?") && !told.contains("hunter2"), "{told}");
}

#[test]
fn values_that_can_not_be_are_refused_all_at_once() {
    let wrong = [
        ("DATABASE_HOST", "postgres://fluxcode:hunter2@10.0.0.10"),
        ("DATABASE_PORT", "0"),
        ("DATABASE_SSLMODE", "yes"),
        ("REDIS_DB", "many"),
        ("POSTGRES_DB", "pg_mine"),
        ("HTTP_PORT", "70000"),
        ("BIND_HOST", "eth0"),
        ("FLUXCODE_IMAGE", "Flux Code"),
        ("JWT_EXPIRE_HOUR", "1d"),
        ("REDIS_POOL_SIZE", "-1"),
        ("WEB_TITLE", "'two\nlines'"),
    ];
    let findings = read(&[MACHINES[0], ("10.0.0.11", &with(APP, &wrong))]).expect_err("errors");
    assert_eq!(found(&findings, Code::InvalidValue).len(), wrong.len(), "{findings}");
    assert!(!findings.to_string().contains("hunter2"), "{findings}");
}
