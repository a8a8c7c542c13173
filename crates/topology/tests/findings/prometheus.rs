//! Prometheus: what it has to ask, and who may read what it keeps.

use stageplot_topology::{Code, Metrics, Period, Plot, Prometheus, ServiceSpec, Source};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::NothingToScrape,
            "services.numbers",
            |p| {
                add_prometheus(p);
                livekit(p).metrics = None;
            },
            |p| livekit(p).metrics = Some(Metrics::default()),
        ),
        case(
            Code::PlainHttp,
            "services.numbers.from",
            |p| {
                add_prometheus(p);
                prometheus(p).from = vec![Source::Any];
            },
            |p| prometheus(p).from.clear(),
        ),
        case(
            Code::InvalidValue,
            "services.numbers.interval",
            |p| {
                add_prometheus(p);
                prometheus(p).interval = Period::from_seconds(0);
            },
            |p| prometheus(p).interval = Period::from_seconds(15),
        ),
        case(
            Code::InvalidValue,
            "services.numbers.retention",
            |p| {
                add_prometheus(p);
                prometheus(p).retention = Period::from_seconds(0);
            },
            |p| prometheus(p).retention = Period::from_seconds(3600),
        ),
    ]
}

fn add_prometheus(plot: &mut Plot) {
    add(plot, "numbers", Prometheus::default());
    place(plot, "numbers", "front");
    livekit(plot).metrics = Some(Metrics::default());
}

fn prometheus(plot: &mut Plot) -> &mut Prometheus {
    match plot.services.get_mut("numbers") {
        Some(ServiceSpec::Prometheus(prometheus)) => prometheus,
        other => panic!("no Prometheus: {other:?}"),
    }
}
