//! Where Postgres and Redis stand, and by what ports.

use std::net::IpAddr;

use super::machines::{GATEWAYS, Machines, Role};
use crate::dotenv::parse;
use crate::dotenv::seat::{self, Seat};
use crate::dotenv::survey::{Survey, Told};
use crate::{Code, FieldPath, Name, Port, RemoteAddress, Severity};

/// What is said of Postgres, or of Redis.
pub(super) struct Sort {
    what: &'static str,
    /// The service in the plot.
    pub(super) service: &'static str,
    /// The variables of the application: where it is.
    host: &'static str,
    port: &'static str,
    /// The variable of its own: by what port others reach it.
    expose: &'static str,
    /// What is said where no file has its password.
    pub(super) no_password: &'static str,
    default: Port,
}

/// Postgres.
pub(super) const POSTGRES: Sort = Sort {
    what: "Postgres",
    service: "db",
    host: "DATABASE_HOST",
    port: "DATABASE_PORT",
    expose: "POSTGRES_EXPOSE_PORT",
    no_password: "no file has POSTGRES_PASSWORD, which Postgres asks for",
    default: Port::fixed(5432),
};

/// Redis.
pub(super) const REDIS: Sort = Sort {
    what: "Redis",
    service: "cache",
    host: "REDIS_HOST",
    port: "REDIS_PORT",
    expose: "REDIS_EXPOSE_PORT",
    no_password: "no file has REDIS_PASSWORD, which Redis asks for",
    default: Port::fixed(6379),
};

/// Where it stands.
pub(super) enum Store {
    /// On this machine of the plot.
    On(usize, Port),
    /// With somebody else.
    Outside(RemoteAddress),
}

impl Store {
    /// Finds what the files mean.
    pub(super) fn infer(survey: &mut Survey, machines: &Machines, sort: &Sort) -> Self {
        let seat = seat(survey, machines, sort);
        let applications = machines.applications();
        let dialled = survey.agreed(&applications, sort.port, parse::port);
        let host = match seat {
            Some(Seat::Outside(host)) => {
                let port = dialled.map_or(sort.default, |told| told.value);
                return Self::Outside(RemoteAddress { host, port });
            }
            Some(Seat::On(file)) => machines.host_of(file),
            None => assume(survey, machines, sort),
        };
        Self::On(host, port(survey, machines, host, dialled, sort))
    }

    /// The machine of the plot that it stands on.
    pub(super) fn host(&self) -> Option<usize> {
        match self {
            Self::On(host, _) => Some(*host),
            Self::Outside(_) => None,
        }
    }

    /// The port that it listens on, where it is the plot's own.
    pub(super) fn port(&self, sort: &Sort) -> Port {
        match self {
            Self::On(_, port) => *port,
            Self::Outside(_) => sort.default,
        }
    }

    /// The address of one that is somebody else's.
    pub(super) fn external(&self) -> Option<&RemoteAddress> {
        match self {
            Self::On(..) => None,
            Self::Outside(address) => Some(address),
        }
    }

    /// Says where it is, and how to have it elsewhere.
    pub(super) fn explain(&self, survey: &mut Survey, machines: &Machines, names: &[Name], sort: &Sort) {
        let Sort { what, service, host: variable, .. } = sort;
        match self {
            Self::Outside(address) => survey.findings.add(
                Code::EnvInferred,
                FieldPath::root().key("services").key(*service).key("external"),
                format!("{what} at {address} is somebody else's: it is none of the machines given"),
                "to have it run from this plot, give that machine's file too: ADDRESS=FILE",
            ),
            Self::On(host, _) if machines.file(*host, Role::Infra).is_none() => survey.findings.add(
                Code::EnvMissing,
                FieldPath::root().key("nodes").key(names[*host].as_str()),
                format!("{what} is on {}, and no file says how it runs there", names[*host]),
                format!(
                    "give its file too: {}=FILE; or take the role {service} away and set services.{service}.external, \
                     if it is somebody else's",
                    survey.machines[machines.first(*host)].address
                ),
            ),
            Self::On(host, _) if !machines.applications().is_empty() => survey.findings.add(
                Code::EnvInferred,
                FieldPath::root().key("nodes"),
                format!("{what} runs on {}, as {variable} says", names[*host]),
                format!("to change that, move the role {service} under [nodes]"),
            ),
            Self::On(..) => {}
        }
    }
}

/// Says of which files with Postgres and Redis nobody uses one or both.
pub(super) fn explain_unused(survey: &mut Survey, machines: &Machines, stores: &[(Store, &Sort); 2]) {
    if machines.applications().is_empty() {
        return;
    }
    for host in machines.hosts(Role::Infra) {
        let file = machines.file(host, Role::Infra).unwrap_or_default();
        let path = FieldPath::root().key(survey.machines[file].file_name());
        let unused: Vec<_> = stores.iter().filter(|(store, _)| store.host() != Some(host)).collect();
        match unused.as_slice() {
            [] => {}
            [(_, sort)] => survey.findings.add(
                Code::EnvUnused,
                path,
                format!("{} names another place, so this machine runs no {}", sort.host, sort.what),
                "nothing to do",
            ),
            _ => survey.findings.add(
                Code::EnvContradiction,
                path,
                format!(
                    "{} was given a file of Postgres and Redis, and the application looks for both elsewhere",
                    survey.machines[file].address
                ),
                "give the file by the address that DATABASE_HOST has: ADDRESS=FILE; or leave it out, if both are \
                 somebody else's",
            ),
        }
    }
}

/// Where the application's files say that it is.
fn seat(survey: &mut Survey, machines: &Machines, sort: &Sort) -> Option<Seat> {
    let infra = machines.hosts(Role::Infra);
    let find = |address: IpAddr| machines.find(address).map(|host| machines.first(host));
    let mut told: Vec<(&'static str, Told<Seat>)> = Vec::new();
    for file in machines.applications() {
        let own = machines.first(machines.host_of(file));
        let parse = |text: &str| seat::host(text, own, OWN, find);
        let Some(mut seat) = survey.told(file, sort.host, parse) else { continue };
        let text = survey.machines[file].value(sort.host).unwrap_or_default().trim().to_owned();
        let here = survey.machines[file].address;
        let is_loopback = text.parse::<IpAddr>().is_ok_and(|address| address.to_canonical().is_loopback());
        if GATEWAYS.contains(&text.as_str()) {
            let message = format!("{text} is the machine of the container: {here} itself");
            let help = "nothing to do; the plot has the machine's own address in its place";
            survey.add(Code::EnvInferred, (file, sort.host), message, help);
        } else if OWN.contains(&text.as_str()) || is_loopback {
            let message = format!(
                "{text} is the container itself, where no {} listens; it is taken for the machine, {here}",
                sort.what
            );
            let help = "write the address of the machine that it is on, if that is another";
            survey.add_as(Code::EnvInferred, Severity::Warning, (file, sort.host), message, help);
        } else if let (Seat::Outside(name), [only]) = (&seat.value, infra.as_slice())
            && name.parse::<IpAddr>().is_err()
        {
            let only = machines.first(*only);
            let message = format!(
                "{name} is taken for {}, the only machine given with a file of {}",
                survey.machines[only].address, sort.what
            );
            let help = "leave that file out, if the name leads elsewhere";
            survey.add_as(Code::EnvInferred, Severity::Warning, (file, sort.host), message, help);
            seat.value = Seat::On(only);
        }
        told.push((sort.host, seat));
    }
    seat::compare(survey, sort.what, &told, |_, _| {
        "all machines share one: name its machine by the same address everywhere; host.docker.internal means \
         the very machine of the file"
    });
    told.into_iter().next().map(|(_, first)| first.value)
}

/// The machine for what no file says the place of.
fn assume(survey: &mut Survey, machines: &Machines, sort: &Sort) -> usize {
    let infra = machines.hosts(Role::Infra);
    let host = infra.first().copied().unwrap_or_default();
    if !machines.applications().is_empty() {
        let message = format!(
            "no file has {}; {} is taken to be on {}",
            sort.host,
            sort.what,
            survey.machines[machines.first(host)].address
        );
        let help = format!("to have it elsewhere, move the role {}", sort.service);
        let path = FieldPath::root().key("services").key(sort.service);
        survey.findings.add(Code::EnvMissing, path, message, help);
    } else if infra.len() > 1 {
        let message = format!(
            "{} machines have a file of {}, and no file of the application says which one it uses",
            infra.len(),
            sort.what
        );
        let path = FieldPath::root().key("services").key(sort.service);
        survey.findings.add(
            Code::EnvMissing,
            path,
            message,
            "give the application's files too: ADDRESS=FILE",
        );
    }
    host
}

/// The port that others reach it by, which its own file and theirs both say.
fn port(
    survey: &mut Survey,
    machines: &Machines,
    host: usize,
    dialled: Option<Told<Port>>,
    sort: &Sort,
) -> Port {
    let own = machines.file(host, Role::Infra);
    let listens = own.and_then(|file| survey.told(file, sort.expose, parse::port));
    match (listens, dialled) {
        (Some(listens), Some(dialled)) if listens.value != dialled.value => {
            let one = survey.place(listens.machine, sort.expose);
            let two = survey.place(dialled.machine, sort.port);
            let message = format!(
                "{} in {two} is {}, and {} in {one} is {}",
                sort.port, dialled.value, sort.expose, listens.value
            );
            let help = "make them agree: both are the port by which the application reaches it";
            survey.add(Code::EnvContradiction, (dialled.machine, sort.port), message, help);
            listens.value
        }
        (Some(listens), None) if listens.value != sort.default && !machines.applications().is_empty() => {
            let message = format!(
                "the application dialled {}, as no file has {}; it is given this port now",
                sort.default, sort.port
            );
            survey.add(Code::EnvChanged, (listens.machine, sort.expose), message, "nothing to do");
            listens.value
        }
        (None, Some(dialled)) if dialled.value != sort.default && own.is_some() => {
            let message = format!(
                "{} listened on {}, as its file has no {}; it listens on this port now",
                sort.what, sort.default, sort.expose
            );
            survey.add(Code::EnvChanged, (dialled.machine, sort.port), message, "nothing to do");
            dialled.value
        }
        (listens, dialled) => listens.or(dialled).map_or(sort.default, |told| told.value),
    }
}

/// What stands for the very machine of a file, rightly or not.
const OWN: &[&str] = &[GATEWAYS[0], GATEWAYS[1], "localhost"];
