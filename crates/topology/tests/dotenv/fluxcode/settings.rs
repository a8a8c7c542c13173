//! What the edge, the application and the databases become.

use stageplot_topology::{Balance, Code, ContainerNetwork, EnvValue, Tls};

use super::{APP, INFRA, MACHINES, app, cache, db, edge, imported, with, without};
use crate::{found, read};

#[test]
fn an_address_of_caddy_is_read_as_caddy_reads_it() {
    let cases = [
        ("", &[][..], Tls::default()),
        (":80", &[], Tls::default()),
        ("flux.mine.cn", &["flux.mine.cn"], Tls::default()),
        ("https://flux.mine.cn/", &["flux.mine.cn"], Tls::default()),
        ("flux.mine.cn:443", &["flux.mine.cn"], Tls::default()),
        ("http://flux.mine.cn", &["flux.mine.cn"], Tls::Off),
        ("flux.mine.cn:80", &["flux.mine.cn"], Tls::Off),
        ("\"flux.mine.cn, www.mine.cn\"", &["flux.mine.cn", "www.mine.cn"], Tls::default()),
        ("flux.home.arpa", &["flux.home.arpa"], Tls::Internal),
        ("flux.mine.cn:8443", &["flux.mine.cn"], Tls::default()),
    ];
    for (text, names, tls) in cases {
        let import = imported(&[MACHINES[0], ("10.0.0.11", &with(APP, &[("CADDY_ADDRESS", text)]))]);
        let edge = edge(&import.plot);
        assert_eq!(edge.names().map(|name| name.as_str()).collect::<Vec<_>>(), names, "{text}");
        assert_eq!(edge.tls, tls, "{text}");
        let told = found(&import.findings, Code::EnvChanged).join("\n");
        assert_eq!(told.contains("nobody reached port 8443"), text.ends_with(":8443"), "{told}");
    }
    for text in ["ftp://flux.mine.cn", "203.0.113.5", "*.mine.cn", "flux.mine.cn/app", ","] {
        let findings = read(&[MACHINES[0], ("10.0.0.11", &with(APP, &[("CADDY_ADDRESS", text)]))]);
        assert_eq!(found(&findings.expect_err(text), Code::InvalidValue).len(), 1, "{text}");
    }
}

#[test]
fn a_name_of_a_network_of_ones_own_is_for_its_clients() {
    let import =
        imported(&[MACHINES[0], ("10.0.0.11", &with(APP, &[("CADDY_ADDRESS", "flux.lan.home.arpa")]))]);
    assert_eq!(
        import.plot.access.clients.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["10.0.0.0/8"]
    );
    assert_eq!(found(&import.findings, Code::EnvMissing), [""; 0]);
    import.plot.build().expect("a topology");
}

#[test]
fn caddy_gives_way_to_an_application_on_its_port() {
    let local = with(APP, &[("CADDY_ADDRESS", ""), ("HTTP_PORT", "8080"), ("HTTPS_PORT", "8443")]);
    let import = imported(&[MACHINES[0], ("10.0.0.11", &local)]);
    let edge = edge(&import.plot);
    assert_eq!((edge.http_port.number(), edge.network), (8080, ContainerNetwork::Bridge));
    assert!(found(&import.findings, Code::EnvInferred).iter().any(|told| told.contains("one port, 8080")));
    let import = imported(&[MACHINES[0], ("10.0.0.11", &with(&local, &[("HTTP_PORT", "8000")]))]);
    assert_eq!(super::edge(&import.plot).network, ContainerNetwork::Host);
}

#[test]
fn clients_keep_their_node_by_a_cookie() {
    let Some(Balance::Cookie(sticky)) = &app(&imported(&MACHINES).plot).balance.clone() else {
        panic!("a cookie")
    };
    assert_eq!(sticky.name, "fluxcode_sticky");
    assert!(sticky.secret.is_some());
    let bare = without(APP, "CADDY_LB_COOKIE_SECRET");
    let import = imported(&[MACHINES[0], ("10.0.0.11", &bare)]);
    let Some(Balance::Cookie(sticky)) = &app(&import.plot).balance else { panic!("a cookie") };
    assert_eq!(sticky.secret, None);
}

#[test]
fn what_no_file_sets_is_as_the_compose_files_have_it() {
    let bare = "DATABASE_HOST=10.0.0.10\nREDIS_HOST=10.0.0.10\nPOSTGRES_PASSWORD=p1\nREDIS_PASSWORD=p2\nJWT_SECRET=j\n\
                ADMIN_PASSWORD=a\nCADDY_ADDRESS=flux.mine.cn\n";
    let import = imported(&[("10.0.0.10", "POSTGRES_PASSWORD=p1\nREDIS_PASSWORD=p2\n"), ("10.0.0.11", bare)]);
    let app = app(&import.plot);
    assert_eq!(app.image.as_ref().map(ToString::to_string), Some("duegin/fluxcode:latest".to_owned()));
    assert_eq!(app.pool.values().copied().collect::<Vec<_>>(), [128, 20]);
    for (name, value) in
        [("SERVER_MODE", "release"), ("TZ", "Asia/Shanghai"), ("ADMIN_EMAIL", "admin@fluxcode.local")]
    {
        assert_eq!(app.env[name], EnvValue::from(value));
    }
    let told = found(&import.findings, Code::EnvInferred).join("\n");
    assert!(told.contains("no file has FLUXCODE_IMAGE") && told.contains("no file sets "), "{told}");
    let built = import.plot.build().expect("a topology");
    assert_eq!(found(&built.findings, Code::FloatingImage).len(), 1, "{}", built.findings);
    assert_eq!(db(&import.plot).user.as_str(), "fluxcode");
}

#[test]
fn pools_are_held_against_what_postgres_takes() {
    let many = with(APP, &[("DATABASE_MAX_OPEN_CONNS", "90")]);
    let node = with(super::NODE, &[("DATABASE_MAX_OPEN_CONNS", "90")]);
    let built = imported(&[MACHINES[0], ("10.0.0.11", &many), ("10.0.0.12", &node)]).plot.build();
    let told = built.expect("a topology").findings.to_string();
    assert!(told.contains("180"), "{told}");
    let import = imported(&[MACHINES[0], ("10.0.0.11", &with(APP, &[("REDIS_POOL_SIZE", "0")]))]);
    assert_eq!(app(&import.plot).env["REDIS_POOL_SIZE"], EnvValue::from("0"));
    assert!(found(&import.findings, Code::EnvChanged)[0].contains("0 is no limit"));
}

#[test]
fn postgres_speaks_tls_where_it_is_somebody_elses() {
    let strict = with(APP, &[("DATABASE_SSLMODE", "require")]);
    let import = imported(&[MACHINES[0], ("10.0.0.11", &strict)]);
    assert_eq!(app(&import.plot).env["DATABASE_SSLMODE"], EnvValue::from("disable"));
    assert!(found(&import.findings, Code::EnvChanged)[0].contains("speaks no TLS"));
    let import = imported(&[("10.0.0.11", &strict)]);
    assert_eq!(app(&import.plot).env["DATABASE_SSLMODE"], EnvValue::from("require"));
    assert!(db(&import.plot).external.as_ref().is_some_and(|external| external.tls.is_some()));
    assert!(cache(&import.plot).external.is_some());
}

#[test]
fn a_value_is_handed_on_as_it_stands() {
    let text = with(APP, &[("WEB_TITLE", "'Flux ${db.host} $5'")]);
    let import = imported(&[("10.0.0.10", INFRA), ("10.0.0.11", &text)]);
    assert_eq!(app(&import.plot).env["WEB_TITLE"], EnvValue::from("Flux $${db.host} $$5"));
}
