//! `sfu.toml`, by the real ion-sfu: it starts, listens where it has to, and refuses a call as
//! only it does; and one that it would not start with is known before.

use std::time::Duration;

use stageplot_tests::{Output, Program, Running, Station, run, wait_for, want};

use super::Example;

const SOON: Duration = Duration::from_secs(20);

#[test]
fn every_ion_sfu_starts() {
    let server = want!(Program::named("ion-sfu"));
    let mut started = 0;
    for example in want!(Example::all()) {
        let stage = want!(example.stage());
        for (node, station) in stage.stations() {
            for service in station.services("ion-sfu") {
                let mut running = want!(station.start(service, &server));
                let what = format!("{}, {node}", example.name);
                wait_for(&what, SOON, || shows_metrics(station).succeeded());
                let said = running.process.output();
                assert!(!said.contains("No turn auth") && !said.contains("[ERROR]"), "{what}: {said}");
                let listens = run(station.machine().command("ss").args(["-Hlnu"]), SOON).success();
                assert!(listens.contains(":3478 "), "{what}: {listens}");
                started += 1;
                ends(&mut running);
            }
        }
    }
    assert!(started > 0, "no plot has an ion-sfu");
    println!("{started} started");
}

#[test]
fn a_range_that_is_too_narrow_is_refused() {
    let server = want!(Program::named("ion-sfu"));
    let example = want!(Example::all()).into_iter().find(|example| example.name == "hybrid");
    let mut example = example.expect("a plot");
    for bundle in &mut example.rendering.bundles {
        for file in bundle.artifacts.iter_mut().filter(|file| file.path.ends_with("sfu.toml")) {
            let text = String::from_utf8(file.bytes.clone()).expect("UTF-8");
            file.bytes = text.replace("[5000, 5200]", "[5000, 5099]").into_bytes();
        }
    }
    let stage = want!(example.stage());
    let mut running = want!(stage.station("media-1").start("sfu", &server));
    let ended = running.process.ended_within(SOON);
    assert!(ended.is_some_and(|status| !status.success()), "{}", running.process.output());
    assert!(running.process.output().contains("portRangeLimit"), "{}", running.process.output());
}

fn shows_metrics(station: &Station) -> Output {
    run(station.machine().command("curl").args(["-fsS", "http://127.0.0.1:8100/metrics"]), SOON)
}

fn ends(running: &mut Running) {
    assert!(running.process.ended_within(Duration::ZERO).is_none(), "{}", running.process.output());
}
