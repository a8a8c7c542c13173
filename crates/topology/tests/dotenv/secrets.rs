//! Secrets, which leave the files for one of their own.

use stageplot_topology::{Code, Literal, SecretRef, ServiceSpec, UnwritablePlot};

use crate::{contradiction, found, livekit, plot, read};

#[test]
fn the_key_is_the_same_on_all_machines() {
    let secret = "0123456789abcdef0123456789abcdef";
    let file = |key: &str| {
        format!(
            "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\nLIVEKIT_API_KEY={key}\nLIVEKIT_API_SECRET={secret}{key}\n"
        )
    };
    let message = contradiction(&[("10.0.0.1", &file("b")), ("10.0.0.2", &file("a"))]);
    assert!(message.contains("LIVEKIT_API_KEY is \"b\" in 10.0.0.1 line 3"), "{message}");
    assert!(!message.contains(secret), "{message}");
    let import = read(&[("10.0.0.1", &file("a")), ("10.0.0.2", &file("a"))]).expect("a plot");
    assert_eq!(livekit(&import.plot).keys.len(), 1);
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

#[test]
fn what_no_file_has_is_made_once_and_what_one_has_is_kept() {
    let text = "NODES=10.0.0.1,10.0.0.2\nREDIS_HOST=10.0.0.1\nLIVEKIT_API_KEY=k\n";
    let with = format!("{text}REDIS_PASSWORD=theirs\n");
    let mut secrets = read(&[("10.0.0.1", text), ("10.0.0.2", &with)]).expect("a plot").secrets;
    assert_eq!(secrets.open().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET"]);
    for name in ["LIVEKIT_API_SECRET", "REDIS_PASSWORD", "OTHER"] {
        secrets.make(name, format!("new-{name}"));
    }
    assert_eq!(secrets.missing().count(), 0);
    assert_eq!(secrets.made().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET"]);
    let text = secrets.render();
    assert!(text.contains("\nREDIS_PASSWORD='theirs'\n") && !text.contains("OTHER"), "{text}");
    assert!(text.contains("write that one here.\nLIVEKIT_API_SECRET='new-LIVEKIT_API_SECRET'\n"), "{text}");
    assert!(!format!("{secrets:?}").contains("new-"));
}

#[test]
fn the_password_of_somebody_elses_redis_is_not_ours_to_choose() {
    let text = "NODES=localhost\nREDIS_HOST=10.0.0.50\nREDIS_PASSWORD=your_password\nLIVEKIT_API_KEY=k\n";
    let import = read(&[("10.0.0.1", text)]).expect("a plot");
    assert_eq!(import.secrets.missing().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"]);
    assert_eq!(import.secrets.open().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET"]);
}

#[test]
fn the_documents_examples_are_no_values() {
    let text = "NODES=localhost\nDOMAIN=your-domain.com\nLIVEKIT_API_KEY=your_key\nLIVEKIT_API_SECRET=your_secret\n\
                REDIS_PASSWORD=<password>\nWEBHOOK_ENABLED=true\nWEBHOOK_API_KEY=your_key\nWEBHOOK_URLS=https://h.test/\n";
    let import = read(&[("203.0.113.10", text)]).expect("a plot");
    let missing = found(&import.findings, Code::EnvMissing).join("\n");
    for place in [
        "2:1: \"203.0.113.10\".DOMAIN",
        "3:1: \"203.0.113.10\".LIVEKIT_API_KEY",
        "4:1: \"203.0.113.10\".LIVEKIT_API_SECRET",
        "5:1: \"203.0.113.10\".REDIS_PASSWORD",
        "7:1: \"203.0.113.10\".WEBHOOK_API_KEY",
    ] {
        assert!(missing.contains(place), "{place} is not in\n{missing}");
    }
    assert_eq!(import.secrets.open().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"]);
    assert_eq!(livekit(&import.plot).keys.keys().collect::<Vec<_>>(), ["main"]);
    import.plot.build().expect("a topology");
    // LiveKit's own documentation.
    let dev = "NODES=localhost\nLIVEKIT_API_KEY=devkey\nLIVEKIT_API_SECRET=secret\n";
    let import = read(&[("203.0.113.10", dev)]).expect("a plot");
    assert_eq!(import.secrets.names().count(), 0);
    // What is no name still says where Caddy runs.
    let import = read(&[("203.0.113.10", "NODES=localhost\nDOMAIN=<domain>\n")]).expect("a plot");
    assert!(import.plot.services.contains_key("edge"));
}

#[test]
fn a_key_with_a_secret_of_its_own_keeps_its_name() {
    let secret = "0123456789abcdef0123456789abcdef";
    let text = format!(
        "NODES=localhost\nDOMAIN=rtc.test\nLIVEKIT_API_KEY=your_key\nLIVEKIT_API_SECRET={secret}\nWEBHOOK_API_KEY=your_key\n"
    );
    let import = read(&[("203.0.113.10", &text)]).expect("a plot");
    assert_eq!(livekit(&import.plot).keys.keys().collect::<Vec<_>>(), ["your_key"]);
    assert_eq!(found(&import.findings, Code::EnvMissing), [""; 0]);
}
