//! What nginx reads, by `nginx -t` with the RTMP module.

use std::fs;

use stageplot_tests::{Program, Station, nginx_test, want};

use super::Example;

#[test]
fn every_configuration_of_nginx_is_taken() {
    let nginx = want!(Program::named("nginx"));
    let mut taken = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            for service in station.services("rtmp") {
                let root = want!(station.root(service));
                let output = nginx_test(station, &root, &nginx);
                assert!(output.succeeded(), "{}, {node}: {}", example.name, output.stderr);
                taken += 1;
                refuses_a_corrupted_one(station, service, &nginx);
            }
        }
    }
    assert!(taken > 0, "no plot has an nginx");
    println!("{taken} configurations");
}

fn refuses_a_corrupted_one(station: &Station, service: &str, nginx: &Program) {
    let mounts = station.installed().container(service).mounts;
    let config = mounts.into_iter().find(|(_, target)| target == "/etc/nginx/stageplot");
    let file = config.expect("its configuration").0.join("nginx.conf");
    let rendered = fs::read_to_string(&file).expect("a configuration");
    for (what, corrupted) in [
        ("a directive that there is none of", rendered.replace("hls_fragment", "hls_fragmnt")),
        (
            "an application that is not closed",
            rendered.replacen("            live on;", "            live on; {", 1),
        ),
        ("what another module has", rendered.replace("live on;", "live on; gop_cache on;")),
    ] {
        assert_ne!(corrupted, rendered, "{what}");
        fs::write(&file, corrupted).expect("a corrupted one");
        let root = want!(station.root(service));
        assert!(!nginx_test(station, &root, nginx).succeeded(), "{what} is taken");
    }
    fs::write(&file, rendered).expect("the rendered one");
}
