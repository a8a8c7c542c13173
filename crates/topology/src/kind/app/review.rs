//! What goes wrong with an app.

use super::{App, EnvValue, Run, env, migrate};
use crate::validate::Review;
use crate::{Code, Name, ServiceSpec, words};

/// Adds every finding about an app.
pub(super) fn review(app: &App, review: &mut Review<'_>) {
    if app.run.is_none() && app.image.is_none() {
        review.add_here(
            Code::AppNotStarted,
            "nothing says how this app is started",
            "set image, or run = \"host\" for a process that you start yourself",
        );
    }
    let of_container = [
        ("image", app.image.is_some()),
        ("working-dir", app.working_dir.is_some()),
        ("migrate", !app.migrate.is_empty()),
    ];
    for (field, _) in of_container.iter().filter(|(_, is_set)| *is_set && app.run == Some(Run::Host)) {
        let message = format!("an app that you start yourself has no {field}");
        review.add(Code::AppNotStarted, field, message, format!("leave out run or {field}"));
    }
    if let Some(image) = &app.image {
        review.image("image", image);
    }
    if app.port.is_none() && (!app.routes.is_empty() || app.health.is_some()) {
        review.add(Code::MissingField, "port", "routes and health need a port to go to", "set port");
    }
    review.paths("routes", &app.routes);
    review.paths("health", app.health.as_slice());
    review.paths("metrics", app.metrics.as_slice());
    review.paths("create-room", app.create_room.as_slice());
    if app.create_room.is_some() && (app.routes.is_empty() || app.livekit(review.topology()).is_none()) {
        review.add(
            Code::MissingField,
            if app.routes.is_empty() { "routes" } else { "needs" },
            "who creates a room comes through an edge, and the room is one LiveKit's",
            "set routes, and name a service of kind livekit among needs",
        );
    }
    if !app.routes.is_empty() && !review.plot_has("edge") {
        review.add(
            Code::MissingField,
            "routes",
            "routes are what an edge sends here, and the plot has no edge",
            "add a service of kind edge, or leave out routes",
        );
    }
    review_way_in(app, review);
    if let Some((name, _)) = app.open.get_key_value("http").filter(|_| app.port.is_some()) {
        let path = review.path().key("open").key(name.as_str());
        review.add_at(
            Code::InvalidValue,
            path,
            "http is what port is called",
            "give the opening another name",
        );
    }
    let volumes = app.volumes.iter();
    let volumes = volumes.map(|(name, place)| (review.path().key("volumes").key(name.as_str()), place));
    let working_dir = app.working_dir.iter().map(|place| (review.path().key("working-dir"), place));
    for (path, place) in volumes.chain(working_dir).collect::<Vec<_>>() {
        if !place.starts_with('/') || place.contains(|c: char| c.is_control() || c == ':') {
            review.add_at(
                Code::InvalidValue,
                path,
                format!("{place:?} is not a directory in the container"),
                "write an absolute path, such as \"/data\"",
            );
        }
    }
    if !app.volumes.is_empty() && app.run.is_none() && app.user_ids().is_none() {
        let (message, help) = match &app.user {
            Some(user) => (
                format!("only the image knows who {user} is, so the data directories are made for root"),
                "write the numbers of user and group, as `docker run --rm --entrypoint id IMAGE` prints them, such as \"1000:1000\"",
            ),
            None => (
                "the image's own user is not known here, so the data directories are made for root"
                    .to_owned(),
                "set user to its numbers, such as \"1000:1000\", or to \"0\" where it is root",
            ),
        };
        review.add(Code::VolumeOwner, "user", message, help);
    }
    review_migration(app, review);
    review_pool(app, review);
    let of_edge = [("edge", app.edge.is_some()), ("balance", app.balance.is_some())];
    if let Some((field, _)) = of_edge.iter().find(|(_, is_set)| *is_set && app.routes.is_empty()) {
        let help = format!("set routes, or leave out {field}");
        review.add(Code::MissingField, "routes", "the edge has nothing to send here", help);
    }
    if let Some(balance) = &app.balance {
        balance.review(&review.path().key("balance"), review);
    }
    for (name, value) in &app.env {
        let path = review.path().key("env").key(name.as_str());
        let valid = !name.is_empty()
            && !name.starts_with(|c: char| c.is_ascii_digit())
            && name.chars().all(|c| c.is_ascii_alphanumeric() || c == '_');
        if !valid {
            let help = "use letters, digits and underscores, no digit first";
            review.add_at(Code::InvalidValue, path.clone(), format!("{name:?} cannot name a variable"), help);
        }
        if let EnvValue::Text(text) = value {
            if is_secret(name) && !text.is_empty() && !text.contains("${") {
                review.add_at(
                    Code::LiteralSecret,
                    path.clone(),
                    format!("{name} is a secret by its name, and its value stands in the plot"),
                    format!("write {name} = {{ env = \"{name}\" }}, and the value into the secrets file"),
                );
            }
            env::review_references(text, app, path, review);
        }
    }
}

/// Says so where no flow leads to the app's port.
fn review_way_in(app: &App, review: &mut Review<'_>) {
    let (topology, service) = (review.topology(), review.service());
    let http = topology.endpoint_named(service.id, "http").filter(|http| !http.at.is_empty());
    let is_reached = http.is_none_or(|http| topology.flows_to(http.id).next().is_some());
    if app.routes.is_empty() && !is_reached {
        review.add(
            Code::NoWayIn,
            "port",
            "nobody reaches this port: the app has no routes, and no service needs it",
            "set routes for what an edge sends here, name it in the needs of another service, or leave out port",
        );
    }
}

/// Whether a variable of this name holds a secret, by what everybody calls them.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_uppercase();
    ["SECRET", "PASSWORD", "TOKEN"].iter().any(|word| name == *word || name.ends_with(&format!("_{word}")))
}

/// Says so where the migration's container cannot be called what it is called.
fn review_migration(app: &App, review: &mut Review<'_>) {
    if app.migrate.is_empty() {
        return;
    }
    let own = &review.service().name;
    let Some(name) = migrate::named(own) else {
        let message = format!("its container would be {own}-migrate, which is longer than a name may be");
        review.add(Code::InvalidValue, "migrate", message, "give the app a shorter name");
        return;
    };
    if review.topology().service_named(name.as_str()).is_some() {
        let message = format!("its container is called {name}, and so is a service");
        review.add(Code::DuplicateService, "migrate", message, "give one of the two another name");
    }
}

/// Says so where connections are held to nothing, or to what counts none.
fn review_pool(app: &App, review: &mut Review<'_>) {
    for service in app.pool.keys() {
        let path = review.path().key("pool").key(service.as_str());
        let kind = review.topology().service_named(service.as_str()).map(|service| &service.kind);
        match kind {
            _ if !app.needs.contains(service) => {
                let message = format!("{service} is not among needs, and nothing is held to it");
                let near = words::nearest(service.as_str(), app.needs.iter().map(Name::as_str));
                let help = match near {
                    Some(near) => format!("did you mean {near}?"),
                    None => format!("add \"{service}\" to needs, or take it out"),
                };
                review.add_at(Code::UnknownName, path, message, help);
            }
            Some(ServiceSpec::Redis(_) | ServiceSpec::Postgres(_)) | None => {}
            Some(other) => {
                let message = format!("{service} is of kind {}, which counts no connections", other.kind());
                review.add_at(Code::WrongKind, path, message, "name a service of kind redis or postgres");
            }
        }
    }
}
