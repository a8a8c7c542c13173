//! Secrets, which leave the files for one of their own.

use stageplot_topology::{Code, Literal, SecretRef, ServiceSpec, UnwritablePlot};

use crate::{found, livekit, plot, read};

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

#[test]
fn a_plot_with_a_literal_secret_is_not_written() {
    let mut plot = plot(&[("203.0.113.10", fixture!("example"))]);
    let Some(ServiceSpec::Redis(redis)) = plot.services.get_mut("redis") else { panic!("a Redis") };
    redis.password = Some(SecretRef::Literal(Literal::new("hunter2")));
    let error = plot.to_toml().expect_err("a literal");
    assert!(
        matches!(&error, UnwritablePlot::Literal(path) if path.to_string() == "services.redis.password"),
        "{error}"
    );
}
