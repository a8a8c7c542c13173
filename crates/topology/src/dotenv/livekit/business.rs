//! The business service behind the edge, which the documents start by hand.

use std::collections::BTreeMap;

use super::places::Places;
use crate::dotenv::fixed_name;
use crate::dotenv::survey::Survey;
use crate::{App, Code, EnvValue, FieldPath, HostName, Livekit, Name, Port, Run};

/// Where the documents' business service listens.
const PORT: Port = Port::fixed(8080);

/// The documents' service that opens rooms, makes tokens and takes LiveKit's
/// events.
pub(super) struct Business {
    pub(super) app: App,
    /// After the path at which clients and LiveKit know it.
    pub(super) name: Name,
    /// Where it is taken to run.
    pub(super) machine: usize,
}

/// The service that the files do not name: something at the domain itself
/// receives LiveKit's events, so it stands behind the edge.
pub(super) fn business_service(
    survey: &mut Survey,
    places: &Places,
    domain: Option<&HostName>,
    livekit: (&Name, &Livekit),
) -> Option<Business> {
    let (livekit_name, livekit) = livekit;
    let (domain, webhook) = (domain?, livekit.webhook.as_ref()?);
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
    let name = name(&routes[0]);
    survey.findings.add(
        Code::EnvInferred,
        FieldPath::root().key("services").key(name.as_str()),
        format!(
            "WEBHOOK_URLS names {domain} itself, so a service of yours behind the edge is taken to answer {}, \
             on port {PORT} of {} as in the documents; it is called {name} here",
            routes.join(", "),
            survey.machines[machine].address
        ),
        "change its name, port, routes and node; or take it out, if there is none",
    );
    let mut env: BTreeMap<String, EnvValue> = BTreeMap::new();
    env.insert("LIVEKIT_URL".to_owned(), EnvValue::Text(format!("${{{livekit_name}.url}}")));
    // What the service hands to clients is another: the edge's.
    env.insert("LIVEKIT_PUBLIC_URL".to_owned(), EnvValue::Text(format!("${{{livekit_name}.public-url}}")));
    if let Some((key, secret)) = livekit.keys.first_key_value() {
        env.insert("LIVEKIT_API_KEY".to_owned(), EnvValue::Text(key.replace('$', "$$")));
        env.insert("LIVEKIT_API_SECRET".to_owned(), EnvValue::Secret(secret.clone()));
    }
    let app = App {
        run: Some(Run::Host),
        port: Some(PORT),
        routes,
        needs: vec![livekit_name.clone()],
        env,
        ..App::default()
    };
    Some(Business { app, name, machine })
}

/// A service's name by its route: `api` for `/api/*`.
fn name(route: &str) -> Name {
    let first = route.split('/').find(|part| !part.is_empty());
    let first = first.and_then(|part| part.parse::<Name>().ok());
    first.filter(|name| !TAKEN.contains(&name.as_str())).unwrap_or_else(|| fixed_name("backend"))
}

/// What other services and tables of the plot are called.
const TAKEN: &[&str] = &["app", "edge", "livekit", "redis"];

/// All paths below the first part of one; none where LiveKit answers itself.
fn route(path: &str) -> Option<String> {
    let mut parts = path.split('/').filter(|part| !part.is_empty());
    let first = parts.next()?;
    let route = if parts.next().is_some() { format!("/{first}/*") } else { format!("/{first}") };
    let is_livekits =
        Livekit::PATHS.iter().any(|own| own.trim_matches(['/', '*']).split('/').next() == Some(first));
    (!is_livekits).then_some(route)
}
