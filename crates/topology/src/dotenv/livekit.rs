//! The `.env` files of LiveKit's shell scripts.

mod addresses;
mod business;
mod lists;
mod placeholder;
mod places;
mod redis;
mod settings;
mod variables;

pub(super) use variables::VARIABLES;

use super::addresses::{node, unreached};
use super::parse::host_name;
use super::secrets::Secrets;
use super::survey::Survey;
use super::{fixed_name, review};
use crate::{Code, Edge, FieldPath, HostName, Name, Plot, PublicAddress, ServiceSpec};
use places::Places;
use redis::Cache;

/// The plot that the files describe, and its secrets.
pub(super) fn import(survey: &mut Survey) -> (Plot, Secrets) {
    survey.refuse_second("give each machine one file", |_| vec![""]);
    placeholder::forget(survey);
    review(survey);
    let mut secrets = Secrets::default();
    let places = Places::infer(survey);
    let domain = domain(survey);
    let cache = Cache::infer(survey, &places, &mut secrets);
    let names = names(survey, &places, &cache);
    let livekit = settings::livekit(survey, &places, &names, domain.as_ref(), &mut secrets);
    let [edge_name, livekit_name, redis_name] = ["edge", "livekit", "redis"].map(fixed_name);
    let business = business::business_service(survey, &places, domain.as_ref(), (&livekit_name, &livekit));
    let private = addresses::private(survey, &places.edges);
    unreached(survey, &private, &names);
    addresses::explain_told(survey, &names);
    places.explain(survey, &names);

    let mut plot = Plot::new(fixed_name("live"));
    plot.secrets_file = (!secrets.is_empty()).then(|| Secrets::FILE.to_owned());
    for (index, name) in names.iter().enumerate() {
        let address = survey.machines[index].address;
        let mut node = node(address);
        if node.public.is_none()
            && let Some(public) = addresses::told(survey, index)
        {
            node.public = Some(PublicAddress { bound: false, ..PublicAddress::from(public) });
        }
        let has_redis = cache.primary == Some(index) || cache.replicas.contains(&index);
        let mut roles = vec![
            (&edge_name, places.has_edge(index)),
            (&livekit_name, places.has_livekit(index)),
            (&redis_name, has_redis),
        ];
        roles.extend(business.as_ref().map(|business| (&business.name, business.machine == index)));
        node.roles.extend(roles.into_iter().filter(|(_, has)| *has).map(|(role, _)| role.clone()));
        plot.nodes.insert(name.clone(), node);
    }
    let mut redis = cache.redis;
    if !cache.replicas.is_empty() {
        redis.primary.extend(cache.primary.map(|primary| names[primary].clone()));
    }
    if !places.edges.is_empty() {
        let edge = domain.map_or_else(Edge::default, Edge::new);
        plot.services.insert(edge_name, edge.into());
    }
    plot.services.insert(livekit_name, livekit.into());
    plot.services.insert(redis_name, redis.into());
    plot.services.extend(business.map(|business| (business.name, ServiceSpec::from(business.app))));

    (plot, secrets)
}

/// The name that clients use.
fn domain(survey: &mut Survey) -> Option<HostName> {
    let everyone = survey.everyone();
    let told = survey.agreed(&everyone, "DOMAIN", host_name);
    if told.is_none() && everyone.iter().all(|&m| survey.machines[m].value("DOMAIN").is_none()) {
        survey.findings.add(
            Code::EnvMissing,
            FieldPath::root().key("edge"),
            "no file has DOMAIN, so clients have no name to come to",
            "add [edge] with domain = \"…\", and \"edge\" to the roles of the machine that the name leads to",
        );
    }
    told.map(|told| told.value)
}

/// A name for each machine, by what it does.
fn names(survey: &Survey, places: &Places, cache: &Cache) -> Vec<Name> {
    let word = |machine: usize| match survey.machines.len() {
        1 => "main",
        _ if places.has_livekit(machine) => "media",
        _ if places.has_edge(machine) => "front",
        _ if cache.primary == Some(machine) || cache.replicas.contains(&machine) => "store",
        _ => "spare",
    };
    super::names(&survey.everyone().into_iter().map(word).collect::<Vec<_>>())
}
