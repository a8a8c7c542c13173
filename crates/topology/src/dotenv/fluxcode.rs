//! The `.env` files of FluxCode's Compose files: one for each role of a machine.

mod app;
mod databases;
mod edge;
mod env;
mod machines;
mod placeholder;
mod stores;
mod variables;

pub(super) use variables::VARIABLES;

use super::secrets::Secrets;
use super::survey::Survey;
use super::{fixed_name, review};
use crate::{Access, Code, FieldPath, Plot};
use databases::Databases;
use machines::{Machines, Role};
use stores::{POSTGRES, REDIS};

/// The plot that the files describe, and its secrets.
pub(super) fn import(survey: &mut Survey) -> (Plot, Secrets) {
    let machines = Machines::read(survey);
    placeholder::forget(survey);
    review(survey);
    let names = machines.names();
    let mut secrets = Secrets::default();
    let databases = Databases::infer(survey, &machines, &mut secrets);
    let port = app::port(survey, &machines);
    let app = app::app(survey, &machines, &databases, port, &mut secrets);
    let edge = edge::edge(survey, &machines, port);
    let mut plot = Plot::new(fixed_name("fluxcode"));
    if let Some(edge) = &edge
        && let Some(clients) = edge::clients(survey, &machines, edge, &names)
    {
        plot.access = Access { clients, ..Access::default() };
    }
    machines.explain(survey, &names);
    databases.explain(survey, &machines, &names);
    let lacking = match (&app, &edge) {
        (None, _) => Some((app::NAME, "the application, so nothing uses Postgres and Redis")),
        (Some(_), None) => Some(("edge", "Caddy, so clients have no way in")),
        (Some(_), Some(_)) => None,
    };
    if let Some((service, what)) = lacking {
        survey.findings.add(
            Code::EnvMissing,
            FieldPath::root().key("services").key(service),
            format!("no file is of {what}"),
            "give the file of the machine with both too, .env.app of the documents: ADDRESS=FILE",
        );
    }
    plot.secrets_file = (!secrets.is_empty()).then(|| Secrets::FILE.to_owned());
    for (host, name) in names.iter().enumerate() {
        let is_entry = machines.file(host, Role::Entry).is_some();
        let is_application = is_entry || machines.file(host, Role::Node).is_some();
        let mut node = machines.node(host);
        let roles = [("edge", is_entry), (app::NAME, is_application)];
        let roles = roles.into_iter().filter_map(|(role, has)| has.then_some(role));
        node.roles.extend(roles.chain(databases.on(host)).map(fixed_name));
        plot.nodes.insert(name.clone(), node);
    }
    plot.services.extend(edge.map(|edge| (fixed_name("edge"), edge.into())));
    plot.services.extend(app.map(|app| (fixed_name(app::NAME), app.into())));
    plot.services.insert(fixed_name(POSTGRES.service), databases.postgres.into());
    plot.services.insert(fixed_name(REDIS.service), databases.redis.into());
    (plot, secrets)
}
