//! `prometheus`: keeps the numbers that others show, and raises alarms.

use serde::{Deserialize, Serialize};

use super::{Kind, Limits};
use crate::check::{Probe, Promise};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Attachment, Code, EndpointId, ImageRef, Party, Period, Port, Protocol, Service, ServiceId, ServiceSpec,
    Source, Topology,
};

/// A Prometheus that asks everything in the plot that shows metrics: LiveKit, its ingress,
/// egress and SIP, and edges with `metrics`, apps with a path for it.
///
/// Rules for alarms and a dashboard for Grafana are rendered beside its configuration.
///
/// ```
/// use stageplot_topology::{Period, Prometheus};
///
/// let numbers = Prometheus {
///     retention: Period::from_seconds(30 * 24 * 3600),
///     from: vec!["10.0.0.0/24".parse()?],
///     ..Prometheus::default()
/// };
/// assert_eq!(numbers.port.number(), 9090);
/// # Ok::<(), stageplot_topology::InvalidSource>(())
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ from = \"10.0.0.0/24\" }")]
pub struct Prometheus {
    /// The port of its page and its API.
    pub port: Port,
    /// Who may reach that; it asks for no password.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// How often each is asked.
    pub interval: Period,
    /// How long numbers are kept.
    pub retention: Period,
    /// The image; Prometheus 2 or 3.
    pub image: ImageRef,
    /// What the container may use.
    pub limits: Limits,
}

impl Default for Prometheus {
    fn default() -> Self {
        Self {
            port: Port::fixed(9090),
            from: Vec::new(),
            interval: Period::from_seconds(15),
            retention: Period::from_seconds(15 * 24 * 3600),
            image: super::fixed_image("prom/prometheus:v3.5.0"),
            limits: Limits::default(),
        }
    }
}

impl Kind for Prometheus {
    fn attachment(&self) -> Attachment {
        Attachment::Bridge
    }

    fn endpoints(&self) -> Vec<Draft> {
        let health = Some("/-/ready".to_owned());
        vec![Draft::new("http", Protocol::Tcp, self.port, Speaks::Http { health }).field(["port"])]
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        let shown = shown(wiring.topology, wiring.service);
        for (service, endpoint, _) in shown {
            wiring.need(service, endpoint, "metrics");
        }
        let path = wiring.path.key("from");
        wiring.offer_to(&self.from, "http", "opened by the plot", &path);
    }

    fn promises(&self, service: &Service, topology: &Topology) -> Vec<Promise> {
        let from = Party::Service(service.id);
        let own = topology.endpoint_named(service.id, "http");
        own.map(|own| Promise { from, to: own.id, probe: Probe::PrometheusTargets }).into_iter().collect()
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        if shown(review.topology(), review.service().id).is_empty() {
            review.add_here(
                Code::NothingToScrape,
                "nothing in this plot shows metrics, so there is nothing for it to keep",
                "set metrics of an edge, an app or a livekit service",
            );
        }
        if self.from.contains(&Source::Any) {
            review.add(
                Code::PlainHttp,
                "from",
                "its page is in the clear and asks for no password, and anybody may read it",
                "name your own network, such as \"10.0.0.0/24\"",
            );
        }
        if self.interval.seconds() == 0 || self.retention.seconds() == 0 {
            let field = if self.interval.seconds() == 0 { "interval" } else { "retention" };
            review.add(
                Code::InvalidValue,
                field,
                "it has to be a second at least",
                "write it as \"15s\" or \"15d\"",
            );
        }
    }
}

/// Who shows metrics to a Prometheus: the service, the name of its endpoint, and the path.
fn shown(topology: &Topology, own: ServiceId) -> Vec<(ServiceId, &'static str, String)> {
    let usual = || "/metrics".to_owned();
    let services = topology.services.iter().filter(|service| service.id != own);
    let shown = services.filter_map(|service| match &service.kind {
        ServiceSpec::App(app) => app.metrics.as_ref().map(|path| (service.id, "http", path.clone())),
        ServiceSpec::Livekit(livekit) => livekit.metrics.as_ref().map(|_| (service.id, "metrics", usual())),
        ServiceSpec::IonSfu(sfu) => sfu.metrics.map(|_| (service.id, "metrics", usual())),
        ServiceSpec::Ingress(ingress) => ingress.metrics.map(|_| (service.id, "metrics", usual())),
        ServiceSpec::Egress(egress) => egress.metrics.map(|_| (service.id, "metrics", usual())),
        ServiceSpec::Sip(sip) => sip.metrics.map(|_| (service.id, "metrics", usual())),
        ServiceSpec::Edge(edge) => edge.metrics.map(|_| (service.id, "metrics", usual())),
        ServiceSpec::Redis(_)
        | ServiceSpec::Postgres(_)
        | ServiceSpec::Prometheus(_)
        | ServiceSpec::Grafana(_)
        | ServiceSpec::Rtmp(_) => None,
    });
    shown.filter(|(service, endpoint, _)| topology.endpoint_named(*service, endpoint).is_some()).collect()
}

impl Topology {
    /// What a Prometheus asks for metrics, and by which path.
    ///
    /// ```
    /// use stageplot_topology::{App, NodeSpec, Plot, Port, Prometheus};
    ///
    /// let rooms = App { metrics: Some("/metrics".to_owned()), ..App::host().port(Port::fixed(8080)) };
    /// let topology = Plot::new("live".parse()?)
    ///     .service("rooms", rooms)
    ///     .service("numbers", Prometheus::default())
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("rooms").role("numbers"))
    ///     .build()?
    ///     .topology;
    /// let numbers = topology.service_named("numbers").ok_or("a Prometheus")?;
    /// let [(endpoint, path)] = &topology.scraped(numbers.id)[..] else { panic!("one") };
    /// assert_eq!((topology.endpoint(*endpoint).name.as_ref(), path.as_str()), ("http", "/metrics"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn scraped(&self, prometheus: ServiceId) -> Vec<(EndpointId, String)> {
        let all = shown(self, prometheus).into_iter();
        all.filter_map(|(service, endpoint, path)| Some((self.endpoint_named(service, endpoint)?.id, path)))
            .collect()
    }
}
