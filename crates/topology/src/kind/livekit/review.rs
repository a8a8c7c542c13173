//! What goes wrong with LiveKit.

mod turn;

use super::settings::{self, Problem};
use super::{Livekit, Selector};
use crate::validate::Review;
use crate::{Code, FieldPath, Source, words};

/// Adds every finding about a LiveKit.
pub(super) fn review(livekit: &Livekit, review: &mut Review<'_>) {
    review.image("image", &livekit.image());
    review.paths("routes", &livekit.routes);
    review_keys(livekit, review);
    review_settings(livekit, review);
    turn::review(livekit, review);
    review_redis(review);
    review_way_in(review);
    review_regions(livekit, review);
    review_public(livekit, review);
}

fn review_redis(review: &mut Review<'_>) {
    let service = review.service();
    // Where there are some, which of them is meant is told by itself.
    if !review.plot_has("redis") && service.placements.len() > 1 {
        review.add(
            Code::LivekitNeedsRedis,
            "redis",
            format!(
                "{} nodes find each other through Redis, and the plot has none",
                service.placements.len()
            ),
            "add a redis service, or one with external",
        );
    }
}

/// Says so where no edge hands clients on to it.
fn review_way_in(review: &mut Review<'_>) {
    // Where there are some, which of them is meant is told by itself.
    if !review.plot_has("edge") && !review.service().placements.is_empty() {
        review.add(
            Code::NoWayIn,
            "edge",
            "clients join through an edge, and the plot has none",
            "add a service of kind edge",
        );
    }
}

/// Regions that LiveKit could not choose by: it would not start, or take any node.
fn review_regions(livekit: &Livekit, review: &mut Review<'_>) {
    for (name, region) in &livekit.regions {
        if !(-90.0..=90.0).contains(&region.lat) || !(-180.0..=180.0).contains(&region.lon) {
            review.add_at(
                Code::LivekitRegion,
                review.path().key("regions").key(name.as_str()),
                format!("{}, {} is nowhere on Earth", region.lat, region.lon),
                "lat goes from -90 to 90, lon from -180 to 180",
            );
        }
    }
    if livekit.selector != Selector::RegionAware {
        if !livekit.regions.is_empty() {
            review.add(
                Code::LivekitRegion,
                "regions",
                "nodes are not chosen by region",
                "set selector = \"regionaware\", or leave out regions",
            );
        }
        return;
    }
    if livekit.regions.is_empty() {
        review.add(
            Code::LivekitRegion,
            "regions",
            "nodes are chosen by region, and nobody says where the regions are",
            "set regions = { eu = { lat = 50.1, lon = 8.7 } }, with all that nodes are in",
        );
        return;
    }
    let (topology, service) = (review.topology(), review.service());
    let known: Vec<_> = livekit.regions.keys().map(|name| name.as_str()).collect();
    for &id in &service.placements {
        let node = topology.node(topology.placement(id).node);
        let path = FieldPath::root().key("nodes").key(node.name.as_str()).key("region");
        match &node.region {
            None => review.add_at(
                Code::LivekitRegion,
                path,
                format!("{} chooses nodes by region, and {} is in none", service.name, node.name),
                format!("set region to one of {}", words::listed(&known)),
            ),
            Some(region) if !livekit.regions.contains_key(region) => review.add_at(
                Code::LivekitRegion,
                path,
                format!("{region} is not among the regions of {}", service.name),
                match words::nearest(region.as_str(), known.iter().copied()) {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("add it to services.{}.regions", service.name),
                },
            ),
            Some(_) => {}
        }
    }
}

fn review_public(livekit: &Livekit, review: &mut Review<'_>) {
    let (topology, service) = (review.topology(), review.service());
    // Clients in networks of the plot's own reach the nodes' addresses there.
    if livekit.use_external_ip || !topology.plot().access.clients.contains(&Source::Any) {
        return;
    }
    for &id in &service.placements {
        let node = topology.node(topology.placement(id).node);
        if node.public.is_none() {
            review.add_at(
                Code::NoPublicAddress,
                FieldPath::root().key("nodes").key(node.name.as_str()),
                format!("clients send media to {} itself, and it has no public address", node.name),
                format!(
                    "set nodes.{}.public; or use-external-ip = true in services.{} to ask a STUN server; \
                     or access.clients, where clients come from a network of yours",
                    node.name, service.name
                ),
            );
        }
    }
}

fn review_keys(livekit: &Livekit, review: &mut Review<'_>) {
    if livekit.keys.is_empty() {
        review.add(
            Code::LivekitNoKeys,
            "keys",
            "without an API key nobody can join a room",
            "set keys = { main = { env = \"LIVEKIT_API_SECRET\" } }",
        );
    }
    let Some(webhook) = &livekit.webhook else { return };
    match &webhook.key {
        Some(key) if !livekit.keys.contains_key(key) => {
            let help = match words::nearest(key, livekit.keys.keys().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => "name one of keys".to_owned(),
            };
            let path = review.path().key("webhook").key("key");
            review.add_at(
                Code::WebhookKey,
                path,
                format!("{key} is not among the keys; LiveKit would not start"),
                help,
            );
        }
        None if livekit.keys.len() > 1 => {
            let path = review.path().key("webhook").key("key");
            review.add_at(
                Code::WebhookKey,
                path,
                format!("which of {} keys signs the events is open", livekit.keys.len()),
                "set webhook.key",
            );
        }
        _ => {}
    }
    if webhook.urls.is_empty() {
        let path = review.path().key("webhook").key("urls");
        review.add_at(
            Code::MissingField,
            path,
            "a webhook without a receiver",
            "set webhook.urls, or leave out webhook",
        );
    }
}

fn review_settings(livekit: &Livekit, review: &mut Review<'_>) {
    let version = livekit.version;
    for (path, problem) in settings::unknown(version, &livekit.settings) {
        let at = setting_path(review.path().key("settings"), &path, &livekit.settings);
        let name = path.join(".");
        let (code, message, help) = match problem {
            Problem::Unknown { near, field } => (
                Code::LivekitUnknownSetting,
                format!("LiveKit {version} does not know {name} and would not start"),
                match (field, near) {
                    (Some(field), _) => format!(
                        "did you mean the field {field}? set it in services.{} instead",
                        review.service().name
                    ),
                    (None, Some(near)) => format!("did you mean {near}?"),
                    (None, None) => "take it out".to_owned(),
                },
            ),
            Problem::OtherVersion { known } => (
                Code::LivekitUnknownSetting,
                format!("LiveKit {version} does not know {name} and would not start"),
                format!("take it out, or set version: {known} knows it"),
            ),
            Problem::HasField { field } => (
                Code::LivekitSettingHasField,
                format!("{name} is written by the field {field}"),
                format!("set {field} in services.{} instead", review.service().name),
            ),
            Problem::Follows { from } => (
                Code::LivekitSettingHasField,
                format!("{name} follows from {from}"),
                "take it out: the plot says it elsewhere".to_owned(),
            ),
            Problem::WrongType { expected } => (
                Code::WrongType,
                format!("LiveKit {version} does not take this for {name}"),
                format!("write {expected}"),
            ),
            Problem::Secret => (
                Code::LiteralSecret,
                format!("{name} can be read by everybody who can read the plot"),
                "guard the plot like the secret, or take it out: settings have no other way to a secret"
                    .to_owned(),
            ),
        };
        review.add_at(code, at, message, help);
    }
}

/// The path of a setting in the plot: what is a position in a list is written
/// as one.
fn setting_path(
    root: FieldPath,
    steps: &[String],
    settings: &serde_json::Map<String, serde_json::Value>,
) -> FieldPath {
    let (mut path, mut list): (_, Option<&Vec<serde_json::Value>>) = (root, None);
    let mut table = Some(settings);
    for step in steps {
        let position = list.and_then(|list| Some((step.parse::<usize>().ok()?, list)));
        let value = match position {
            Some((index, list)) => {
                path = path.index(index);
                list.get(index)
            }
            None => {
                path = path.key(step.as_str());
                table.and_then(|table| table.get(step))
            }
        };
        table = value.and_then(serde_json::Value::as_object);
        list = value.and_then(serde_json::Value::as_array);
    }
    path
}
