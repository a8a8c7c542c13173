//! The Caddyfile, by `caddy validate`.

use std::fs;

use stageplot_tests::{Program, Station, caddy_validate, want};
use stageplot_topology::{Acme, ServiceSpec, Tls};

use super::Example;

#[test]
fn every_caddyfile_is_valid() {
    let plain = want!(Program::named("caddy"));
    let layer4 = want!(Program::named("caddy-l4"));
    let dns = want!(Program::named("caddy-dns"));
    let mut validated = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            for service in station.services("edge") {
                let service_of = example.topology.service_named(service).expect("a service");
                let ServiceSpec::Edge(edge) = &service_of.kind else { panic!("{service} is no edge") };
                let caddy = match &edge.tls {
                    Tls::Acme(Acme { dns: Some(_), .. }) => &dns,
                    _ if edge.layer4 => &layer4,
                    _ => &plain,
                };
                let root = want!(station.root(service));
                let output = caddy_validate(station, &root, caddy);
                assert!(output.succeeded(), "{}, {node}: {}", example.name, output.stderr);
                validated += 1;
                if validated == 1 {
                    refuses_a_corrupted_one(station, service, caddy);
                }
            }
        }
    }
    assert!(validated > 0);
    println!("{validated} Caddyfiles");
}

fn refuses_a_corrupted_one(station: &Station, service: &str, caddy: &Program) {
    let root = want!(station.root(service));
    let path = station.installed().directory().join("live").join(service).join("Caddyfile");
    let rendered = fs::read_to_string(&path).expect("a Caddyfile");
    for (what, corrupted) in [
        ("a policy that there is none of", rendered.replace("least_conn", "random_choose")),
        ("a directive that there is none of", rendered.replace("reverse_proxy", "reverse_prxy")),
        ("a certificate that is not there", rendered.replace("import tls", "tls /etc/caddy/no.crt /no.key")),
    ] {
        assert_ne!(corrupted, rendered, "{what}");
        fs::write(&path, corrupted).expect("a corrupted one");
        let output = caddy_validate(station, &root, caddy);
        assert!(!output.succeeded(), "{what} is taken");
    }
    fs::write(&path, rendered).expect("the rendered one");
}
