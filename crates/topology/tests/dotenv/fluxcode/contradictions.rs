//! Files that say different things of one.

use stageplot_topology::{Code, EnvValue};

use super::{APP, INFRA, MACHINES, NODE, app, imported, with};
use crate::{contradiction, found, read};

#[test]
fn contradictions_name_both_lines_and_no_secret() {
    for name in [
        "POSTGRES_PASSWORD",
        "REDIS_PASSWORD",
        "POSTGRES_USER",
        "POSTGRES_DB",
        "JWT_SECRET",
        "ADMIN_PASSWORD",
        "ADMIN_EMAIL",
        "JWT_EXPIRE_HOUR",
        "RUN_MODE",
        "DATABASE_SSLMODE",
        "REDIS_DB",
        "DATABASE_HOST",
    ] {
        let other = match name {
            "JWT_EXPIRE_HOUR" | "REDIS_DB" => "7",
            "DATABASE_SSLMODE" => "prefer",
            "DATABASE_HOST" => "10.0.0.99",
            _ => "hunter2",
        };
        let node = with(NODE, &[(name, other)]);
        let message = contradiction(&[MACHINES[0], MACHINES[1], ("10.0.0.12", &node)]);
        let line =
            |text: &str| text.lines().position(|line| line.starts_with(&format!("{name}="))).map(|at| at + 1);
        let first = [("10.0.0.10", INFRA), ("10.0.0.11", APP)];
        let first = first.iter().find_map(|(file, text)| Some(format!("{file} line {}", line(text)?)));
        let second = format!("10.0.0.12 line {}", line(&node).expect("set"));
        for place in [first.expect("a first file"), second] {
            assert!(message.contains(&place), "{place} is not in {message}");
        }
        let is_secret = name.ends_with("PASSWORD") || name.ends_with("SECRET");
        assert!(!is_secret || !message.contains("hunter2") && !message.contains("a-password"), "{message}");
    }
}

#[test]
fn what_may_differ_is_told_and_the_entrys_counts() {
    for (name, own, other) in [
        ("DATABASE_MAX_OPEN_CONNS", "10", "20"),
        ("DATABASE_MAX_IDLE_CONNS", "5", "10"),
        ("REDIS_POOL_SIZE", "64", "32"),
        ("REDIS_MIN_IDLE_CONNS", "10", "1"),
        ("SERVER_MODE", "release", "debug"),
        ("WEB_TITLE", "FluxCode", "Other"),
        ("FLUXCODE_IMAGE", "duegin/fluxcode:v1.0.1", "duegin/fluxcode:v1.0.2"),
        ("TZ", "Asia/Shanghai", "UTC"),
    ] {
        // The node has the lower address.
        let node = with(NODE, &[(name, other)]);
        let import = imported(&[MACHINES[0], MACHINES[1], ("10.0.0.1", &node)]);
        let told = found(&import.findings, Code::EnvChanged).join("\n");
        assert!(told.starts_with("warning"), "{told}");
        for text in
            [format!("{name} is {own:?} in 10.0.0.11 line "), format!("and {other:?} in 10.0.0.1 line ")]
        {
            assert!(told.contains(&text), "{text} is not in {told}");
        }
        assert_eq!(import.plot.services, imported(&MACHINES).plot.services, "{name}");
    }
}

#[test]
fn postgres_listens_where_it_is_dialled() {
    let infra = with(INFRA, &[("POSTGRES_EXPOSE_PORT", "15432")]);
    let message = contradiction(&[("10.0.0.10", &infra), MACHINES[1]]);
    assert!(message.contains("DATABASE_PORT in 10.0.0.11 line "), "{message}");
    assert!(
        message.contains(" is 5432, and POSTGRES_EXPOSE_PORT in 10.0.0.10 line 12 is 15432"),
        "{message}"
    );
    let agreeing = with(APP, &[("DATABASE_PORT", "15432")]);
    let plot = imported(&[("10.0.0.10", &infra), ("10.0.0.11", &agreeing)]).plot;
    assert_eq!(super::db(&plot).port.number(), 15432);
    // Where one of the two says nothing.
    for (infra, app) in [
        (infra, super::without(APP, "DATABASE_PORT")),
        (super::without(INFRA, "POSTGRES_EXPOSE_PORT"), agreeing),
    ] {
        let import = imported(&[("10.0.0.10", &infra), ("10.0.0.11", &app)]);
        assert_eq!(super::db(&import.plot).port.number(), 15432);
        let told = found(&import.findings, Code::EnvChanged).join("\n");
        assert!(told.contains("this port now"), "{told}");
    }
}

#[test]
fn a_file_of_a_machine_that_nobody_looks_at_is_an_error() {
    let elsewhere = APP.replace("10.0.0.10", "10.0.0.30");
    let infra = INFRA.replace("BIND_HOST=10.0.0.10", "BIND_HOST=0.0.0.0");
    let message = contradiction(&[("10.0.0.10", &infra), ("10.0.0.11", &elsewhere)]);
    assert!(message.contains("the application looks for both elsewhere"), "{message}");
}

/// One service has one port on all its machines.
#[test]
fn nodes_of_several_ports_are_told() {
    let node = |port: &str| with(NODE, &[("NODE_PORT", port)]);
    let import = imported(&[MACHINES[0], MACHINES[1], ("10.0.0.12", NODE), ("10.0.0.13", &node("8081"))]);
    assert_eq!(app(&import.plot).port.map(|port| port.number()), Some(8080));
    let told = found(&import.findings, Code::EnvChanged).join("\n");
    assert!(told.starts_with("warning") && told.contains("\"10.0.0.13\".NODE_PORT"), "{told}");
    assert!(told.contains("8080 here as well, and not 8081"), "{told}");
    // All nodes say the same: the image is told to listen there.
    let import =
        imported(&[MACHINES[0], MACHINES[1], ("10.0.0.12", &node("8081")), ("10.0.0.13", &node("8081"))]);
    assert_eq!(app(&import.plot).port.map(|port| port.number()), Some(8081));
    assert_eq!(app(&import.plot).env["SERVER_PORT"], EnvValue::from("8081"));
}

#[test]
fn all_are_told_at_once() {
    let node = with(
        NODE,
        &[
            ("JWT_SECRET", "x"),
            ("ADMIN_PASSWORD", "x"),
            ("REDIS_HOST", "10.0.0.11"),
            ("REDIS_PORT", "1"),
            ("POSTGRES_USER", "x"),
        ],
    );
    let findings = read(&[MACHINES[0], MACHINES[1], ("10.0.0.12", &node)]).expect_err("contradictions");
    let told = found(&findings, Code::EnvContradiction).join("\n");
    for name in ["JWT_SECRET", "ADMIN_PASSWORD", "REDIS_HOST", "REDIS_PORT", "POSTGRES_USER"] {
        assert!(told.contains(name), "{name}: {told}");
    }
}
