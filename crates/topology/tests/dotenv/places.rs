//! Which machine runs what.

use stageplot_topology::{Code, Eviction, SecretRef, ServiceSpec};

use crate::{contradiction, found, livekit, nodes, plot, read, redis};

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
    assert_eq!(nodes(&plot), ["front 192.168.1.1 edge,api", "media 192.168.1.2 livekit,redis"]);
    let ServiceSpec::App(app) = &plot.services["api"] else { panic!("an app") };
    assert_eq!(
        (app.port.map(|port| port.number()), app.routes.as_slice()),
        (Some(8080), &["/api/*".to_owned()][..])
    );
    let webhook = livekit(&plot).webhook.as_ref().expect("a webhook");
    assert_eq!(webhook.urls[0].as_str(), "https://livekit.example.com/api/webhook");
    assert_eq!(livekit(&plot).keys["main"], SecretRef::env("LIVEKIT_API_SECRET"));
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
        "front 192.168.1.1 edge,api",
        "media-1 192.168.1.2 livekit,redis",
        "media-2 192.168.1.3 livekit",
        "media-3 192.168.1.4 livekit",
    ];
    assert_eq!(nodes(&plot), expected);
    // No file has a password, and Redis is reached from other machines.
    let import = read(&machines).expect("a plot");
    assert_eq!(redis(&import.plot).password, Some(SecretRef::env("REDIS_PASSWORD")));
    assert_eq!(import.secrets.missing().collect::<Vec<_>>(), ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"]);
    assert!(found(&import.findings, Code::EnvMissing).iter().any(|f| f.contains("redis.password")));
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
    let missing = found(&one.findings, Code::EnvMissing).join("\n");
    assert_eq!(missing.matches("no file was given for it").count(), 2, "{missing}");
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

#[test]
fn a_machine_that_clients_can_not_reach_is_told_of() {
    let import = read(&[("192.168.1.1", fixture!("service")), ("192.168.1.2", fixture!("media-alone"))]);
    let import = import.expect("a plot");
    let missing = found(&import.findings, Code::EnvMissing).join("\n");
    assert!(
        missing.contains("nodes.front.public: front, where Caddy runs, has no public address"),
        "{missing}"
    );
    let inferred = found(&import.findings, Code::EnvInferred).join("\n");
    assert!(inferred.contains("livekit.use-external-ip: of media no public address"), "{inferred}");
    assert!(inferred.contains("public = \"ADDRESS\" under [nodes.media]"), "{inferred}");

    let reached = read(&[("203.0.113.10", "NODES=localhost\nDOMAIN=rtc.test\n")]).expect("a plot");
    assert!(!reached.findings.to_string().contains("public address"), "{}", reached.findings);
}

#[test]
fn the_business_service_is_called_as_clients_know_it_and_given_the_key() {
    let text = |path: &str| {
        format!(
            "DOMAIN=rtc.test\nNODES=localhost\nLIVEKIT_API_KEY=k\nWEBHOOK_ENABLED=true\n\
             WEBHOOK_URLS=https://rtc.test{path}\n"
        )
    };
    for (path, name) in
        [("/api/webhook", "api"), ("/hook", "hook"), ("/redis/x", "backend"), ("/a_b/x", "backend")]
    {
        let plot = plot(&[("203.0.113.10", &text(path))]);
        let ServiceSpec::App(app) = &plot.services[name] else { panic!("an app for {path}") };
        let env = app.env.keys().map(String::as_str).collect::<Vec<_>>();
        let wanted = ["LIVEKIT_API_KEY", "LIVEKIT_API_SECRET", "LIVEKIT_PUBLIC_URL", "LIVEKIT_URL"];
        assert_eq!(env, wanted, "{path}");
    }
}
