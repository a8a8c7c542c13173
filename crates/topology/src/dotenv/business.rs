//! The business service behind the edge, which the documents start by hand.

use super::places::Places;
use super::survey::Survey;
use crate::{App, Code, FieldPath, HostName, Livekit, Name, Port, Run, Webhook};

/// Where the documents' business service listens.
const PORT: Port = Port::fixed(8080);

/// A service that the files do not name: something at the domain itself
/// receives LiveKit's events, so it stands behind the edge. With the machine
/// that it is taken to run on.
pub(super) fn business_service(
    survey: &mut Survey,
    places: &Places,
    domain: Option<&HostName>,
    webhook: Option<&Webhook>,
    livekit: &Name,
) -> Option<(App, usize)> {
    let (domain, webhook) = (domain?, webhook?);
    let mut routes: Vec<_> = webhook
        .urls
        .iter()
        .filter(|url| url.host_str() == Some(domain.as_str()))
        .filter_map(|url| route(url.path()))
        .collect();
    routes.sort();
    routes.dedup();
    if routes.is_empty() {
        return None;
    }
    // Beside the edge; on a machine whose own file speaks of webhooks, if one does.
    let speaks = |machine: &&usize| survey.machines[**machine].value("WEBHOOK_URLS").is_some();
    let &machine = places.edges.iter().find(speaks).or(places.edges.first())?;
    survey.findings.add(
        Code::EnvInferred,
        FieldPath::root().key("services").key("service"),
        format!(
            "WEBHOOK_URLS names {domain} itself, so a service of yours behind the edge is taken to answer {}, \
             on port {PORT} of {} as in the documents",
            routes.join(", "),
            survey.machines[machine].address
        ),
        "set its port, routes and node; or take it out, if there is none",
    );
    let app = App {
        run: Some(Run::Host),
        port: Some(PORT),
        routes,
        needs: vec![livekit.clone()],
        ..App::default()
    };
    Some((app, machine))
}

/// All paths below the first part of one; none where LiveKit answers itself.
fn route(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    let route = if parts.next().is_some() { format!("/{first}/*") } else { format!("/{first}") };
    let is_livekits =
        Livekit::PATHS.iter().any(|own| own.trim_matches(['/', '*']).split('/').next() == Some(first));
    (!is_livekits).then_some(route)
}
