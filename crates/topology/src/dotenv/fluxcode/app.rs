//! The application: its image and port, what it holds, what it is told.

use super::databases::Databases;
use super::env::Env;
use super::machines::{Machines, Role};
use super::stores::{POSTGRES, REDIS};
use crate::dotenv::secrets::{Lack, Secrets};
use crate::dotenv::survey::Survey;
use crate::dotenv::{fixed_name, parse};
use crate::{App, Balance, Code, FieldPath, ImageRef, Port, Severity, Sticky};

/// The application's name in the plot.
pub(super) const NAME: &str = "fluxcode";

/// Where its container listens, unless it is told otherwise.
const PORT: Port = Port::fixed(8080);

/// What its Compose files run where no file says what.
const IMAGE: &str = "duegin/fluxcode:latest";

/// The port of the application: on every machine the same.
pub(super) fn port(survey: &mut Survey, machines: &Machines) -> Port {
    const NAME: &str = "NODE_PORT";
    let nodes = machines.files(Role::Node);
    let told: Vec<_> = nodes.iter().filter_map(|&file| survey.told(file, NAME, parse::port)).collect();
    let Some(first) = told.first() else { return PORT };
    // Who does not say publishes the default.
    let all_say = told.len() == nodes.len();
    if all_say && told.iter().all(|other| other.value == first.value) {
        if first.value != PORT {
            let message = format!(
                "the application listens on {} on every machine, and is told so by SERVER_PORT; it was {PORT} in \
                 its container",
                first.value
            );
            survey.add(Code::EnvChanged, (first.machine, NAME), message, "nothing to do");
        }
        return first.value;
    }
    if let Some(other) = told.iter().find(|told| told.value != PORT) {
        let message = format!(
            "a service has one port on all its machines, so it is {PORT} here as well, and not {}",
            other.value
        );
        let help = "nothing to do where 8080 is free on each machine; else set port and env.SERVER_PORT of \
                    [services.fluxcode] for all, or write a second app for this machine";
        survey.add_as(Code::EnvChanged, Severity::Warning, (other.machine, NAME), message, help);
    }
    PORT
}

/// The application as the files describe it; none where no file is of it.
pub(super) fn app(
    survey: &mut Survey,
    machines: &Machines,
    databases: &Databases,
    port: Port,
    secrets: &mut Secrets,
) -> Option<App> {
    let files = machines.applications();
    if files.is_empty() {
        return None;
    }
    let [db, cache] = [POSTGRES.service, REDIS.service].map(fixed_name);
    let mut env = Env::new(survey, &files);
    env.text("AUTO_SETUP", "true");
    if port != PORT {
        env.text("SERVER_PORT", &port.to_string());
    }
    env.refer("DATABASE_HOST", &db, "host");
    env.refer("DATABASE_PORT", &db, "port");
    env.refer("DATABASE_USER", &db, "user");
    env.refer("DATABASE_DBNAME", &db, "database");
    env.text("DATABASE_SSLMODE", databases.ssl_mode);
    env.refer("REDIS_HOST", &cache, "host");
    env.refer("REDIS_PORT", &cache, "port");
    env.text("REDIS_DB", &databases.redis_db.to_string());
    let pools = [
        (db.clone(), env.pool("DATABASE_MAX_OPEN_CONNS", 20, &db)),
        (cache.clone(), env.pool("REDIS_POOL_SIZE", 128, &cache)),
    ];
    let mut env = env.pass();
    for (name, password) in
        [("DATABASE_PASSWORD", &databases.postgres.password), ("REDIS_PASSWORD", &databases.redis.password)]
    {
        env.extend(password.clone().map(|password| (name.to_owned(), password.into())));
    }
    for (name, message) in SECRETS {
        let lack = Lack {
            is_wanted: !message.is_empty(),
            is_open: true,
            path: FieldPath::root().key("services").key(NAME).key("env").key(*name),
            message,
        };
        if let Some(told) = secrets.agreed(survey, name, lack) {
            let message = format!("{name} is the same on all machines, and this file has none");
            told.tell(survey, name, &files, (&message, "nothing to do"));
            env.insert((*name).to_owned(), told.reference.into());
        }
    }
    let has_edge = !machines.files(Role::Entry).is_empty();
    Some(App {
        image: image(survey, &files),
        port: Some(port),
        health: Some("/health".to_owned()),
        routes: if has_edge { vec!["/*".to_owned()] } else { Vec::new() },
        balance: if has_edge { Some(sticky(survey, secrets)) } else { None },
        needs: vec![db, cache],
        pool: pools.into_iter().filter_map(|(service, size)| Some((service, size?))).collect(),
        user: Some("1000:1000".to_owned()),
        volumes: [(fixed_name("data"), "/app/data".to_owned())].into(),
        env,
        ..App::default()
    })
}

/// Who was at a node comes back to it.
fn sticky(survey: &mut Survey, secrets: &mut Secrets) -> Balance {
    let path = FieldPath::root().key("services").key(NAME).key("balance").key("secret");
    let lack = Lack { is_wanted: false, is_open: true, path, message: "" };
    let secret = secrets.agreed(survey, "CADDY_LB_COOKIE_SECRET", lack);
    Balance::Cookie(Sticky { secret: secret.map(|told| told.reference), ..Sticky::by("fluxcode_sticky") })
}

fn image(survey: &mut Survey, files: &[usize]) -> Option<ImageRef> {
    let parse = |text: &str| text.parse::<ImageRef>().map_err(|error| error.to_string());
    if let Some(told) = survey.preferred(files, "FLUXCODE_IMAGE", parse) {
        return Some(told.value);
    }
    let path = FieldPath::root().key("services").key(NAME).key("image");
    let message = format!("no file has FLUXCODE_IMAGE, so the image is {IMAGE}, as in the Compose files");
    survey.findings.add(Code::EnvInferred, path, message, "write a version's tag in its place");
    IMAGE.parse().ok()
}

/// The secrets that it is given, and what is said where no file has one that it needs.
const SECRETS: &[(&str, &str)] = &[
    ("ADMIN_PASSWORD", "no file has ADMIN_PASSWORD, without which the application does not start"),
    ("JWT_SECRET", "no file has JWT_SECRET, without which the application does not start"),
    ("GEMINI_OAUTH_CLIENT_SECRET", ""),
];
