//! `grafana`: shows what a Prometheus keeps.

use serde::{Deserialize, Serialize};

use super::{Kind, Limits};
use crate::endpoint::Speaks;
use crate::resolve::{Draft, Wiring};
use crate::validate::Review;
use crate::{
    Attachment, Code, ImageRef, Name, Party, Port, Protocol, SecretRef, ServiceId, ServiceSpec, Source,
    Topology,
};

/// A Grafana that knows the plot's Prometheus and has a dashboard of the stack.
///
/// What is rendered is held against Grafana's own model of it, and never ran with a Grafana:
/// its image was not to be had where this is developed.
///
/// ```
/// use stageplot_topology::{Grafana, SecretRef};
///
/// let boards = Grafana {
///     route: Some("/grafana".to_owned()),
///     ..Grafana::new(SecretRef::env("GRAFANA_PASSWORD"))
/// };
/// assert_eq!(boards.port.number(), 3000);
/// ```
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, schemars::JsonSchema)]
#[schemars(transform = crate::value::without_example)]
#[serde(
    deny_unknown_fields,
    default,
    rename_all = "kebab-case",
    expecting = "{ password = { env = \"GRAFANA_PASSWORD\" }, route = \"/grafana\" }"
)]
pub struct Grafana {
    /// The port of its pages.
    pub port: Port,
    /// The password of the user `admin`. Grafana takes it when it starts for the first
    /// time, and keeps its own from then on
    /// (<https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#admin_password>).
    pub password: Option<SecretRef>,
    /// The path below which the edge hands it out, such as `/grafana`; not at all where
    /// not set.
    pub route: Option<String>,
    /// The edge that does, where the plot has several.
    pub edge: Option<Name>,
    /// Who may reach it without the edge.
    #[serde(deserialize_with = "crate::value::one_or_many")]
    #[schemars(with = "crate::value::OneOrMany<Source>")]
    pub from: Vec<Source>,
    /// The Prometheus that it asks, where the plot has several.
    pub prometheus: Option<Name>,
    /// The image; Grafana 11 or later.
    pub image: ImageRef,
    /// What the container may use.
    pub limits: Limits,
}

impl Grafana {
    /// One with a password, all else as a careful operator would have it.
    pub fn new(password: SecretRef) -> Self {
        Self { password: Some(password), ..Self::default() }
    }

    /// The paths that an edge hands on to it.
    pub fn paths(&self) -> Vec<String> {
        self.route.iter().flat_map(|route| [route.clone(), format!("{route}/*")]).collect()
    }
}

impl Default for Grafana {
    fn default() -> Self {
        Self {
            port: Port::fixed(3000),
            password: None,
            route: None,
            edge: None,
            from: Vec::new(),
            prometheus: None,
            image: super::fixed_image("grafana/grafana:12.2.0"),
            limits: Limits::default(),
        }
    }
}

impl Kind for Grafana {
    fn attachment(&self) -> Attachment {
        Attachment::Bridge
    }

    fn endpoints(&self) -> Vec<Draft> {
        // https://grafana.com/docs/grafana/latest/developers/http_api/other/#health-api
        let health = Some("/api/health".to_owned());
        vec![Draft::new("http", Protocol::Tcp, self.port, Speaks::Http { health }).field(["port"])]
    }

    fn wire(&self, wiring: &mut Wiring<'_>) {
        if let Some(prometheus) = wiring.one_of_kind("prometheus", self.prometheus.as_ref(), "prometheus") {
            wiring.need(prometheus, "http", "queries");
        }
        if self.route.is_some()
            && let Some(edge) = wiring.one_of_kind("edge", self.edge.as_ref(), "edge")
        {
            wiring.flow(Party::Service(edge), wiring.service, "http", "dashboards");
        }
        let path = wiring.path.key("from");
        wiring.offer_to(&self.from, "http", "opened by the plot", &path);
    }

    fn review(&self, review: &mut Review<'_>) {
        review.image("image", &self.image);
        if !review.plot_has("prometheus") {
            review.add(
                Code::MissingField,
                "prometheus",
                "it shows what a Prometheus keeps, and the plot has none",
                "add a service of kind prometheus",
            );
        }
        if self.password.is_none() {
            review.add(
                Code::NoPassword,
                "password",
                "without one of your own, its password is admin, which everybody knows",
                "set password = { env = \"GRAFANA_PASSWORD\" }",
            );
        }
        if let Some(route) = &self.route {
            if !review.plot_has("edge") {
                review.add(
                    Code::MissingField,
                    "edge",
                    "an edge is to hand it out, and the plot has none",
                    "add a service of kind edge, or leave out route",
                );
            }
            review.paths("route", std::slice::from_ref(route));
            if route.ends_with('/') || route.contains('*') {
                review.add(
                    Code::InvalidValue,
                    "route",
                    format!("{route} is not the path of one directory, without a slash at its end"),
                    "write it as \"/grafana\"",
                );
            }
        }
        if self.from.contains(&Source::Any) {
            review.add(
                Code::PlainHttp,
                "from",
                "its password goes over the Internet in the clear",
                "set route, and reach it through the edge; or name your own network, such as \"10.0.0.0/24\"",
            );
        }
    }
}

impl Topology {
    /// The Prometheus that a Grafana asks; none for a service of another kind.
    ///
    /// ```
    /// use stageplot_topology::{Grafana, NodeSpec, Plot, Prometheus, SecretRef};
    ///
    /// let node = NodeSpec::private("10.0.0.1".parse()?).role("numbers").role("boards");
    /// let topology = Plot::new("live".parse()?)
    ///     .service("numbers", Prometheus::default())
    ///     .service("boards", Grafana::new(SecretRef::env("GRAFANA_PASSWORD")))
    ///     .node("front", node)
    ///     .build()?
    ///     .topology;
    /// let boards = topology.service_named("boards").ok_or("a Grafana")?;
    /// let asked = topology.prometheus_of(boards.id).ok_or("a Prometheus")?;
    /// assert_eq!(topology.service(asked).name.as_str(), "numbers");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn prometheus_of(&self, grafana: ServiceId) -> Option<ServiceId> {
        let ServiceSpec::Grafana(_) = self.service(grafana).kind else { return None };
        let asked = self.flows_from(grafana).map(|flow| self.endpoint(flow.to).service);
        asked.into_iter().find(|&asked| matches!(self.service(asked).kind, ServiceSpec::Prometheus(_)))
    }
}
