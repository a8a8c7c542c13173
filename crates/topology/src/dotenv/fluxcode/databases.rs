//! Postgres and Redis as services of the plot.

use super::machines::{Machines, Role};
use super::stores::{self, POSTGRES, REDIS, Sort, Store};
use crate::dotenv::parse;
use crate::dotenv::secrets::{Lack, Secrets};
use crate::dotenv::survey::Survey;
use crate::{
    Code, FieldPath, Identifier, Name, Postgres, PostgresRemote, Redis, RedisRemote, RemoteTls, SecretRef,
    Severity,
};

/// Both, and what the application is told of them.
pub(super) struct Databases {
    pub(super) postgres: Postgres,
    pub(super) redis: Redis,
    /// Where each is.
    pub(super) stores: [(Store, &'static Sort); 2],
    /// Whether the application talks to Postgres over TLS.
    pub(super) ssl_mode: &'static str,
    /// Redis' numbered database.
    pub(super) redis_db: u8,
}

impl Databases {
    /// Finds both, and what the files say of them.
    pub(super) fn infer(survey: &mut Survey, machines: &Machines, secrets: &mut Secrets) -> Self {
        let stores = [&POSTGRES, &REDIS].map(|sort| (Store::infer(survey, machines, sort), sort));
        stores::explain_unused(survey, machines, &stores);
        let [(db, _), (cache, _)] = &stores;
        let applications = machines.applications();
        let ssl_mode = ssl_mode(survey, &applications, db);
        let redis_db = survey.agreed(&applications, "REDIS_DB", parse::db).map_or(0, |told| told.value);
        Self {
            postgres: postgres(survey, db, ssl_mode, secrets),
            redis: redis(survey, machines, cache, redis_db, secrets),
            stores,
            ssl_mode,
            redis_db,
        }
    }

    /// The services that a machine of the plot runs.
    pub(super) fn on(&self, host: usize) -> impl Iterator<Item = &'static str> {
        let here = self.stores.iter().filter(move |(store, _)| store.host() == Some(host));
        here.map(|(_, sort)| sort.service)
    }

    /// Says where they are.
    pub(super) fn explain(&self, survey: &mut Survey, machines: &Machines, names: &[Name]) {
        for (store, sort) in &self.stores {
            store.explain(survey, machines, names, sort);
        }
    }
}

fn postgres(survey: &mut Survey, store: &Store, ssl_mode: &str, secrets: &mut Secrets) -> Postgres {
    let everyone = survey.everyone();
    let parse = |text: &str| text.parse::<Identifier>().map_err(|error| error.to_string());
    let [user, database] = ["POSTGRES_USER", "POSTGRES_DB"].map(|name| {
        let told = survey.agreed(&everyone, name, parse);
        told.map_or_else(|| Identifier::fixed("fluxcode"), |told| told.value)
    });
    let tls = matches!(ssl_mode, "require" | "verify-ca" | "verify-full").then(RemoteTls::default);
    let external =
        store.external().cloned().map(|address| PostgresRemote { tls, ..PostgresRemote::new(address) });
    let default = Postgres::default();
    if external.is_none() {
        survey.findings.add(
            Code::EnvInferred,
            FieldPath::root().key("services").key(POSTGRES.service).key("image"),
            format!("no file says which Postgres ran; it is {} here, and begins without data", default.image),
            "what is in the old one comes over by pg_dump and psql; set image for another version",
        );
    }
    Postgres {
        user,
        database,
        password: password(survey, "POSTGRES_PASSWORD", &POSTGRES, external.is_none(), secrets),
        port: store.port(&POSTGRES),
        external,
        ..default
    }
}

fn redis(survey: &mut Survey, machines: &Machines, store: &Store, db: u8, secrets: &mut Secrets) -> Redis {
    let external = store.external().cloned();
    let external =
        external.map(|address| RedisRemote { address: Some(address), db, ..RedisRemote::default() });
    let default = Redis::default();
    if external.is_none() && !machines.files(Role::Infra).is_empty() {
        survey.findings.add(
            Code::EnvInferred,
            FieldPath::root().key("services").key(REDIS.service).key("maxmemory"),
            format!("Redis could fill the machine's memory; it takes {} for data here", default.maxmemory),
            "set maxmemory for more",
        );
    }
    Redis {
        password: password(survey, "REDIS_PASSWORD", &REDIS, external.is_none(), secrets),
        port: store.port(&REDIS),
        external,
        ..default
    }
}

/// The password that all share, which is asked for where no file has it.
fn password(
    survey: &mut Survey,
    name: &'static str,
    sort: &Sort,
    is_ours: bool,
    secrets: &mut Secrets,
) -> Option<SecretRef> {
    let lack = Lack {
        is_wanted: true,
        is_open: is_ours,
        path: FieldPath::root().key("services").key(sort.service).key("password"),
        message: sort.no_password,
    };
    let told = secrets.agreed(survey, name, lack)?;
    let message = format!("{name} is the same on all machines, and this file has none");
    told.tell(survey, name, &survey.everyone(), (&message, "nothing to do"));
    Some(told.reference)
}

/// Whether the application talks to Postgres over TLS, in the words of its driver.
fn ssl_mode(survey: &mut Survey, applications: &[usize], store: &Store) -> &'static str {
    const NAME: &str = "DATABASE_SSLMODE";
    const MODES: [&str; 6] = ["disable", "allow", "prefer", "require", "verify-ca", "verify-full"];
    let told = survey.agreed(applications, NAME, |text| {
        let mode = MODES.into_iter().find(|mode| *mode == text);
        mode.ok_or_else(|| format!("{:?} is none of {}", crate::value::shorten(text), MODES.join(", ")))
    });
    let Some(told) = told else { return MODES[0] };
    let is_ours = store.external().is_none();
    if is_ours && MODES[3..].contains(&told.value) {
        let message = "the plot's own Postgres speaks no TLS, so this becomes disable";
        let help =
            "keep it in a private network, as the plot's firewall does; or use one elsewhere that speaks TLS";
        survey.add_as(Code::EnvChanged, Severity::Warning, (told.machine, NAME), message, help);
        return MODES[0];
    }
    told.value
}
