//! What the service has to know, read from the stage plot: its own addresses,
//! LiveKit's, the one that clients are given, and the API keys.

use std::net::SocketAddr;

use secrecy::SecretString;
use stageplot_topology::{
    App, EnvValue, Livekit, Placement, SecretRef, Service, ServiceSpec, SocketTarget, Topology, dial, listen,
};

use crate::token::Keys;

/// The service's place in the plot.
#[derive(Debug)]
pub(crate) struct Site {
    /// Where it listens.
    pub(crate) listen: Vec<SocketAddr>,
    /// Where LiveKit's API answers, seen from here: one address for each server.
    pub(crate) livekit: Vec<SocketTarget>,
    /// What clients are given: the edge, never a node.
    pub(crate) public_url: String,
    /// LiveKit's API keys.
    pub(crate) keys: Keys,
}

/// Why a plot does not say what the service has to know.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(crate) enum SiteError {
    #[error("the plot has no app called {0}")]
    NoApp(String),
    #[error("{0} has no port to listen on: set port")]
    NoPort(String),
    #[error("{app} stands on {nodes}: say with --node which one this is")]
    WhichNode { app: String, nodes: String },
    #[error("{app} needs no LiveKit: name one in needs")]
    NoLivekit { app: String },
    #[error("no edge stands in front of {0}, so there is no address to give to clients")]
    NoEdge(String),
    #[error(
        "{app} is given the secret of none of {livekit}'s keys: \
         add env.LIVEKIT_API_SECRET with the same secret as {livekit}.keys"
    )]
    NoKey { app: String, livekit: String },
    #[error("the environment has no {0}, in which the plot hands over an API secret")]
    NoVariable(String),
}

impl Site {
    /// Reads the place of an app. `node` may be left out where it stands on one only;
    /// `variable` asks the environment.
    ///
    /// # Errors
    ///
    /// A [`SiteError`] for the first thing that is missing.
    pub(crate) fn read(
        topology: &Topology,
        name: &str,
        node: Option<&str>,
        variable: impl Fn(&str) -> Option<String>,
    ) -> Result<Self, SiteError> {
        let (service, app) = app(topology, name)?;
        let here = placement(topology, service, node)?;
        let http =
            topology.endpoint_named(service.id, "http").ok_or_else(|| SiteError::NoPort(name.to_owned()))?;
        let port = http.ports.first().number();
        let (livekit, spec) =
            needed_livekit(topology, app).ok_or_else(|| SiteError::NoLivekit { app: name.to_owned() })?;
        let signal = topology.endpoint_named(livekit.id, "signal").into_iter();
        let servers = signal
            .flat_map(|signal| signal.at.iter().filter_map(|&at| dial(topology, here.id, signal.id, at)));
        Ok(Self {
            listen: listen(topology, http.id, here.id).into_iter().map(|ip| (ip, port).into()).collect(),
            livekit: servers.collect(),
            public_url: topology
                .public_url(livekit.id)
                .ok_or_else(|| SiteError::NoEdge(livekit.name.to_string()))?,
            keys: keys((service, app), (livekit, spec), variable)?,
        })
    }
}

fn app<'a>(topology: &'a Topology, name: &str) -> Result<(&'a Service, &'a App), SiteError> {
    let service = topology.service_named(name);
    let app = service.and_then(|service| match &service.kind {
        ServiceSpec::App(app) => Some((service, app)),
        _ => None,
    });
    app.ok_or_else(|| SiteError::NoApp(name.to_owned()))
}

fn placement(topology: &Topology, service: &Service, node: Option<&str>) -> Result<Placement, SiteError> {
    let placements = service.placements.iter().map(|&id| topology.placement(id));
    let name = |placement: &Placement| topology.node(placement.node).name.as_str();
    let here: Vec<_> = placements.clone().filter(|at| node.is_none_or(|node| node == name(at))).collect();
    match here.as_slice() {
        [only] => Ok(*only),
        _ => Err(SiteError::WhichNode {
            app: service.name.to_string(),
            nodes: placements.map(|at| name(&at).to_owned()).collect::<Vec<_>>().join(", "),
        }),
    }
}

fn needed_livekit<'a>(topology: &'a Topology, app: &App) -> Option<(&'a Service, &'a Livekit)> {
    app.needs.iter().find_map(|name| {
        let service = topology.service_named(name.as_str())?;
        match &service.kind {
            ServiceSpec::Livekit(livekit) => Some((service, &**livekit)),
            _ => None,
        }
    })
}

/// The keys whose secrets the plot hands to this app: each is in the variable that
/// the plot fills from the same place as the key.
fn keys(
    (service, app): (&Service, &App),
    (livekit, spec): (&Service, &Livekit),
    variable: impl Fn(&str) -> Option<String>,
) -> Result<Keys, SiteError> {
    let variable_of = |secret: &SecretRef| {
        let mut variables = app.env.iter();
        variables.find(|(_, value)| matches!(value, EnvValue::Secret(own) if own == secret))
    };
    let given = spec.keys.iter().filter_map(|(key, secret)| Some((key, variable_of(secret)?.0)));
    let keys = given.map(|(key, name)| match variable(name).filter(|value| !value.is_empty()) {
        Some(value) => Ok((key.clone(), SecretString::from(value))),
        None => Err(SiteError::NoVariable(name.clone())),
    });
    Keys::new(keys.collect::<Result<Vec<_>, _>>()?)
        .ok_or_else(|| SiteError::NoKey { app: service.name.to_string(), livekit: livekit.name.to_string() })
}

#[cfg(test)]
mod tests {
    use stageplot_topology::{Document, Format, Plot};

    use super::*;

    const PLOT: &str = include_str!("../stageplot.toml");

    fn topology(text: &str) -> Topology {
        let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("a document");
        Plot::read(&document).unwrap_or_else(|findings| panic!("{findings}\n{text}")).topology
    }

    fn read(text: &str, node: Option<&str>) -> Result<Site, SiteError> {
        let variable = |name: &str| (name == "LIVEKIT_API_SECRET").then(|| "secret".to_owned());
        Site::read(&topology(text), "rooms", node, variable)
    }

    /// The example's plot, with one text in place of another.
    #[track_caller]
    fn with(old: &str, new: &str) -> String {
        assert!(PLOT.contains(old), "the plot has no {old}");
        PLOT.replace(old, new)
    }

    #[test]
    fn the_plot_says_it_all() {
        let site = read(PLOT, None).expect("a site");
        assert_eq!(site.listen, ["127.0.0.1:8080".parse().expect("an address")]);
        let livekit: Vec<_> = site.livekit.iter().map(ToString::to_string).collect();
        assert_eq!(livekit, ["127.0.0.1:7880"]);
        assert_eq!(site.public_url, "wss://livekit.example.com");
        assert!(site.keys.open(&site.keys.sign(crate::token::Claims::default())).is_some());
    }

    #[test]
    fn every_server_is_known_and_clients_are_given_none_of_them() {
        let nodes = "[nodes.media]\npublic = \"203.0.113.11\"\nroles = \"livekit\"\n\n[edge]";
        let site = read(&with("[edge]", nodes), None).expect("a site");
        let livekit: Vec<_> = site.livekit.iter().map(ToString::to_string).collect();
        assert_eq!(livekit, ["127.0.0.1:7880", "203.0.113.11:7880"]);
        assert_eq!(site.public_url, "wss://livekit.example.com");
    }

    #[test]
    fn on_several_nodes_it_is_told_which_one_it_is() {
        let nodes = "[nodes.second]\npublic = \"203.0.113.11\"\nroles = \"rooms\"\n\n[edge]";
        let plot = with("[edge]", nodes);
        let nodes = "front, second".to_owned();
        let error = SiteError::WhichNode { app: "rooms".to_owned(), nodes };
        assert_eq!(read(&plot, None).unwrap_err(), error);
        assert_eq!(read(&plot, Some("third")).unwrap_err(), error);
        let site = read(&plot, Some("second")).expect("a site");
        assert_eq!(site.livekit[0].to_string(), "203.0.113.10:7880");
    }

    #[test]
    fn what_is_missing_is_said() {
        let error = |plot: &str| read(plot, None).unwrap_err();
        let rooms = "rooms".to_owned();
        let livekit = "livekit".to_owned();
        // A plot that says where rooms are created says whose they are.
        let alone = with("needs  = \"livekit\"", "").replace("create-room", "# create-room");
        assert_eq!(error(&alone), SiteError::NoLivekit { app: rooms.clone() });
        let other =
            with("LIVEKIT_API_SECRET = { env = \"LIVEKIT_API_SECRET\" }", "OTHER = { env = \"OTHER\" }");
        assert_eq!(error(&other), SiteError::NoKey { app: rooms, livekit });
        let topology = topology(PLOT);
        let nothing = |app: &str| Site::read(&topology, app, None, |_| None).unwrap_err();
        assert_eq!(nothing("rooms"), SiteError::NoVariable("LIVEKIT_API_SECRET".to_owned()));
        assert_eq!(nothing("livekit"), SiteError::NoApp("livekit".to_owned()));
    }
}
