//! Grafana: whom it asks, who reaches it, and its password.

use stageplot_topology::{Code, Grafana, Metrics, Plot, Prometheus, SecretRef, ServiceSpec, Source};

use crate::healthy::*;
use crate::{Case, case};

pub(super) fn cases() -> Vec<Case> {
    vec![
        case(
            Code::MissingField,
            "services.boards.prometheus",
            |p| {
                add_grafana(p);
                p.services.remove("numbers");
                node(p, "front").roles.retain(|role| role.as_str() != "numbers");
            },
            add_prometheus,
        ),
        case(
            Code::NoPassword,
            "services.boards.password",
            |p| {
                add_grafana(p);
                grafana(p).password = None;
            },
            |p| grafana(p).password = Some(SecretRef::env("GRAFANA_PASSWORD")),
        ),
        case(
            Code::InvalidValue,
            "services.boards.route",
            |p| {
                add_grafana(p);
                grafana(p).route = Some("/grafana/".to_owned());
            },
            |p| grafana(p).route = Some("/grafana".to_owned()),
        ),
        case(
            Code::PlainHttp,
            "services.boards.from",
            |p| {
                add_grafana(p);
                grafana(p).from = vec![Source::Any];
            },
            |p| grafana(p).from.clear(),
        ),
    ]
}

fn add_grafana(plot: &mut Plot) {
    add_prometheus(plot);
    add(plot, "boards", Grafana::new(SecretRef::env("GRAFANA_PASSWORD")));
    place(plot, "boards", "front");
}

fn add_prometheus(plot: &mut Plot) {
    add(plot, "numbers", Prometheus::default());
    place(plot, "numbers", "front");
    livekit(plot).metrics = Some(Metrics::default());
}

fn grafana(plot: &mut Plot) -> &mut Grafana {
    match plot.services.get_mut("boards") {
        Some(ServiceSpec::Grafana(grafana)) => grafana,
        other => panic!("no Grafana: {other:?}"),
    }
}
