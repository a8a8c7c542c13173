//! Which machine runs what.

use stageplot_topology::Code;

use super::{APP, INFRA, MACHINES, NODE, app, cache, db, edge, imported, with, without};
use crate::{found, nodes, read};

#[test]
fn the_documents_three_files_are_one_plot() {
    let import = imported(&MACHINES);
    let expected = ["entry 10.0.0.11 edge,fluxcode", "infra 10.0.0.10 db,cache", "node 10.0.0.12 fluxcode"];
    assert_eq!(nodes(&import.plot), expected);
    let toml = import.plot.to_toml().expect("TOML");
    assert_eq!(toml, include_str!("documents.toml"));
    let built = import.plot.build().expect("a topology");
    let told: Vec<_> = built.findings.iter().map(|finding| finding.code).collect();
    assert_eq!(told, [Code::EdgeNotPublic], "{}", built.findings);
    for secret in ["a-password-of", "a-secret-of", "0123456789abcdef"] {
        assert!(!format!("{toml}{}{import:?}", import.findings).contains(secret), "{secret} shows");
    }
}

#[test]
fn the_order_of_the_files_means_nothing() {
    let [infra, app, node] = MACHINES;
    let all = [infra, app, node, ("10.0.0.13", NODE), ("10.0.0.10", NODE)];
    let first = imported(&all);
    let mut reversed = all;
    reversed.reverse();
    let second = imported(&reversed);
    assert_eq!(first.plot, second.plot);
    assert_eq!(first.findings.to_string(), second.findings.to_string());
    assert_eq!(first.secrets.render(), second.secrets.render());
}

#[test]
fn two_machines_without_a_further_node() {
    let import = imported(&MACHINES[..2]);
    assert_eq!(nodes(&import.plot), ["entry 10.0.0.11 edge,fluxcode", "infra 10.0.0.10 db,cache"]);
}

#[test]
fn a_machine_may_have_a_file_of_each_role() {
    // The application on the machine with Postgres and Redis as well.
    let import = imported(&[MACHINES[0], MACHINES[1], ("10.0.0.10", NODE), MACHINES[2]]);
    let expected =
        ["entry 10.0.0.11 edge,fluxcode", "infra 10.0.0.10 fluxcode,db,cache", "node 10.0.0.12 fluxcode"];
    assert_eq!(nodes(&import.plot), expected);
    // All in one file.
    let both = format!("{INFRA}{}", APP.replace("10.0.0.10", "host.docker.internal"));
    let one = imported(&[("203.0.113.10", &both.replace("BIND_HOST=10.0.0.10", "BIND_HOST=127.0.0.1"))]);
    assert_eq!(nodes(&one.plot), ["main 203.0.113.10 edge,fluxcode,db,cache"]);
    // One of a role is enough.
    for twice in [NODE, APP, INFRA] {
        let findings = read(&[MACHINES[0], ("10.0.0.11", APP), ("10.0.0.10", NODE), ("10.0.0.10", twice)]);
        let told = found(&findings.expect_err("one too many"), Code::DuplicateAddress);
        assert!(told[0].contains("10.0.0.10 was given 10.0.0.10 for"), "{told:?}");
    }
}

#[test]
fn the_machine_itself_has_names() {
    let infra = INFRA.replace("BIND_HOST=10.0.0.10", "BIND_HOST=127.0.0.1");
    for name in ["host.docker.internal", "172.17.0.1", "localhost", "127.0.0.1"] {
        let local = APP.replace("10.0.0.10", name);
        let import = imported(&[("192.168.1.5", &infra), ("192.168.1.5", &local)]);
        assert_eq!(nodes(&import.plot), ["main 192.168.1.5 edge,fluxcode,db,cache"]);
        let told = found(&import.findings, Code::EnvInferred).join("\n");
        assert!(told.contains(&format!("{name} is the ")) && told.contains("192.168.1.5"), "{told}");
        let is_warning = told.contains("warning[env-inferred]: 16:1: \"192.168.1.5\".DATABASE_HOST");
        assert_eq!(is_warning, name.ends_with("localhost") || name == "127.0.0.1", "{told}");
    }
}

/// The documents' simulation of several machines on one.
#[test]
fn one_machine_may_play_all() {
    let ports = [("POSTGRES_EXPOSE_PORT", "15432"), ("REDIS_EXPOSE_PORT", "16379")];
    let binds = [("POSTGRES_BIND_HOST", "127.0.0.1"), ("REDIS_BIND_HOST", "127.0.0.1")];
    let infra = with(&with(INFRA, &ports), &binds);
    let hosts = [("DATABASE_HOST", "host.docker.internal"), ("REDIS_HOST", "host.docker.internal")];
    let dialled = [("DATABASE_PORT", "15432"), ("REDIS_PORT", "16379")];
    let own = [("HTTP_PORT", "8080"), ("HTTPS_PORT", "8443"), ("CADDY_ADDRESS", "")];
    let entry = with(&with(&with(APP, &hosts), &dialled), &own);
    let import = imported(&[("192.168.1.5", &infra), ("192.168.1.5", &entry)]);
    assert_eq!(nodes(&import.plot), ["main 192.168.1.5 edge,fluxcode,db,cache"]);
    assert_eq!((db(&import.plot).port.number(), cache(&import.plot).port.number()), (15432, 16379));
    // A further node is a further machine.
    let node = with(&with(&with(NODE, &hosts), &dialled), &[("NODE_PORT", "8081")]);
    let findings = read(&[("192.168.1.5", &infra), ("192.168.1.5", &entry), ("192.168.1.5", &node)]);
    let told = found(&findings.expect_err("two on one machine"), Code::DuplicateAddress).join("");
    assert!(told.contains("a machine runs each service once"), "{told}");
}

#[test]
fn a_database_elsewhere_is_somebody_elses() {
    let [entry, node] = [APP, NODE].map(|text| {
        let text =
            with(text, &[("DATABASE_HOST", "192.168.1.5"), ("REDIS_HOST", "cache.lan"), ("REDIS_DB", "3")]);
        with(&text, &[("CADDY_ADDRESS", ""), ("HTTP_PORT", "8080")])
    });
    let node = ["CADDY_ADDRESS", "HTTP_PORT"].iter().fold(node, |text, name| without(&text, name));
    let import = imported(&[("192.168.1.20", &entry), ("192.168.1.23", &node)]);
    assert_eq!(nodes(&import.plot), ["entry 192.168.1.20 edge,fluxcode", "node 192.168.1.23 fluxcode"]);
    let postgres = db(&import.plot).external.as_ref().expect("an external Postgres");
    assert_eq!(postgres.address.to_string(), "192.168.1.5:5432");
    let redis = cache(&import.plot).external.as_ref().expect("an external Redis");
    assert_eq!(redis.address.as_ref().map(ToString::to_string), Some("cache.lan:6379".to_owned()));
    assert_eq!((redis.db, app(&import.plot).pool.len()), (3, 2));
    // Nobody on the Internet finds it.
    assert_eq!(edge(&import.plot).domain, None);
    let clients: Vec<_> = import.plot.access.clients.iter().map(ToString::to_string).collect();
    assert_eq!(clients, ["192.168.0.0/16"]);
    let told = found(&import.findings, Code::EnvInferred).join("\n");
    for text in
        ["Postgres at 192.168.1.5:5432 is somebody else's", "Redis at cache.lan:6379", "access.clients"]
    {
        assert!(told.contains(text), "{text} is not in\n{told}");
    }
    // A password that is theirs is not ours to choose.
    let entry = without(&without(&entry, "POSTGRES_PASSWORD"), "REDIS_PASSWORD");
    let secrets = imported(&[("192.168.1.20", &entry)]).secrets;
    assert_eq!(secrets.missing().collect::<Vec<_>>(), ["POSTGRES_PASSWORD", "REDIS_PASSWORD"]);
    assert_eq!(secrets.open().count(), 0);
}

#[test]
fn postgres_and_redis_may_be_apart() {
    let apart = [APP, NODE].map(|text| with(text, &[("REDIS_HOST", "10.0.0.20")]));
    let other = INFRA.replace("10.0.0.10", "10.0.0.20");
    let import =
        imported(&[MACHINES[0], ("10.0.0.20", &other), ("10.0.0.11", &apart[0]), ("10.0.0.12", &apart[1])]);
    let expected = [
        "entry 10.0.0.11 edge,fluxcode",
        "infra-1 10.0.0.10 db",
        "infra-2 10.0.0.20 cache",
        "node 10.0.0.12 fluxcode",
    ];
    assert_eq!(nodes(&import.plot), expected);
    let unused = found(&import.findings, Code::EnvUnused).join("\n");
    assert!(unused.contains("this machine runs no Redis") && unused.contains("runs no Postgres"), "{unused}");
    // Without a file of that machine's: it is one of the plot all the same where it has the application.
    let import = imported(&[MACHINES[0], ("10.0.0.11", &apart[0]), ("10.0.0.20", &apart[1])]);
    assert_eq!(nodes(&import.plot)[2], "node 10.0.0.20 fluxcode,cache");
    let missing = found(&import.findings, Code::EnvMissing).join("\n");
    assert!(missing.contains("Redis is on node, and no file says how it runs there"), "{missing}");
}

#[test]
fn a_machine_has_the_addresses_that_it_binds() {
    let app = with(APP, &[("BIND_HOST", "203.0.113.20")]);
    let import = imported(&[("203.0.113.10", INFRA), ("10.0.0.11", &app)]);
    let infra = &import.plot.nodes["infra"];
    assert_eq!(infra.address.iter().map(ToString::to_string).collect::<Vec<_>>(), ["10.0.0.10"]);
    assert_eq!(infra.roles.len(), 2);
    let public = import.plot.nodes["entry"].public.expect("a public address");
    assert!(public.bound && public.addresses().any(|address| address.to_string() == "203.0.113.20"));
    assert_eq!(found(&import.findings, Code::EnvMissing), [""; 0]);
    // One that is another machine's.
    let findings = read(&[("10.0.0.9", INFRA), ("10.0.0.10", APP)]).expect_err("two machines of one address");
    assert!(findings.to_string().contains("10.0.0.10 is another machine's"), "{findings}");
}

#[test]
fn a_name_of_the_one_machine_with_postgres_is_believed_and_told() {
    let app = APP.replace("10.0.0.10", "db.mine.lan");
    let import = imported(&[MACHINES[0], ("10.0.0.11", &app)]);
    assert_eq!(nodes(&import.plot)[1], "infra 10.0.0.10 db,cache");
    let told = found(&import.findings, Code::EnvInferred).join("\n");
    assert!(told.contains("warning") && told.contains("db.mine.lan is taken for 10.0.0.10"), "{told}");
}

#[test]
fn caddy_on_every_machine_whose_file_speaks_of_it_is_told() {
    let import = imported(&[MACHINES[0], ("10.0.0.11", APP), ("10.0.0.12", APP)]);
    let expected =
        ["entry-1 10.0.0.11 edge,fluxcode", "entry-2 10.0.0.12 edge,fluxcode", "infra 10.0.0.10 db,cache"];
    assert_eq!(nodes(&import.plot), expected);
    let told = found(&import.findings, Code::EnvInferred).join("\n");
    assert!(told.contains("warning") && told.contains("entry-1, entry-2"), "{told}");
}

#[test]
fn what_is_not_given_is_missed() {
    let missing =
        |machines: &[(&str, &str)]| found(&imported(machines).findings, Code::EnvMissing).join("\n");
    assert!(missing(&MACHINES[..1]).contains("no file is of the application"));
    assert!(missing(&[MACHINES[0], MACHINES[2]]).contains("no file is of Caddy"));
    let apps = [APP, NODE].map(|text| without(&without(text, "DATABASE_HOST"), "REDIS_HOST"));
    let told = missing(&[MACHINES[0], ("10.0.0.11", &apps[0]), ("10.0.0.12", &apps[1])]);
    assert!(told.contains("no file has DATABASE_HOST; Postgres is taken to be on 10.0.0.10"), "{told}");
    let told = missing(&[MACHINES[0], MACHINES[1], ("10.0.0.13", "TZ=UTC\n")]);
    assert!(told.contains("10.0.0.13 does not say what runs there"), "{told}");
}
