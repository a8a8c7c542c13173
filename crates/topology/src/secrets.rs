//! Every secret that a topology names.

use crate::resolve::service_path;
use crate::{
    App, Balance, Code, Diagnostic, Edge, EnvValue, FieldPath, Level, Postgres, Redis, SecretRef,
    ServiceSpec, Severity, Tls, Topology,
};

impl Topology {
    /// Every secret of the plot with the field that names it, by service and
    /// field. The same secret may be named by several fields.
    ///
    /// ```
    /// use stageplot_topology::{NodeSpec, Plot, Redis, SecretRef};
    ///
    /// let password = Some(SecretRef::env("REDIS_PASSWORD"));
    /// let topology = Plot::new("live".parse()?)
    ///     .service("cache", Redis { password, ..Redis::default() })
    ///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"))
    ///     .build()?
    ///     .topology;
    /// let (field, secret) = &topology.secrets()[0];
    /// assert_eq!(field.to_string(), "services.cache.password");
    /// assert_eq!(secret.label(), "REDIS_PASSWORD");
    /// // None of them signs tokens.
    /// assert!(topology.livekit_keys().is_empty());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn secrets(&self) -> Vec<(FieldPath, &SecretRef)> {
        let mut secrets = Vec::new();
        for service in &self.services {
            let path = service_path(&service.name);
            match &service.kind {
                ServiceSpec::Edge(edge) => of_edge(edge, &path, &mut secrets),
                ServiceSpec::Livekit(livekit) => {
                    let keys = path.key("keys");
                    secrets
                        .extend(livekit.keys.iter().map(|(name, secret)| (keys.key(name.as_str()), secret)));
                    if let Some(turn) = &livekit.turn {
                        let path = path.key("turn");
                        secrets.extend(turn.cert.iter().map(|secret| (path.key("cert"), secret)));
                        secrets.extend(turn.key.iter().map(|secret| (path.key("key"), secret)));
                    }
                }
                ServiceSpec::Redis(redis) => of_redis(redis, &path, &mut secrets),
                ServiceSpec::Postgres(postgres) => of_postgres(postgres, &path, &mut secrets),
                ServiceSpec::Prometheus(_) => {}
                ServiceSpec::Grafana(grafana) => {
                    secrets.extend(grafana.password.iter().map(|secret| (path.key("password"), secret)));
                }
                ServiceSpec::Rtmp(rtmp) => {
                    let trial = rtmp.on_publish.iter().filter_map(|asked| asked.trial.as_ref());
                    secrets.extend(trial.map(|secret| (path.key("on-publish").key("trial"), secret)));
                }
                ServiceSpec::IonSfu(sfu) => {
                    let Some(turn) = &sfu.turn else { continue };
                    let path = path.key("turn");
                    let users = path.key("users");
                    secrets
                        .extend(turn.users.iter().map(|(name, secret)| (users.key(name.as_str()), secret)));
                    secrets.extend(turn.secret.iter().map(|secret| (path.key("secret"), secret)));
                }
                ServiceSpec::Ingress(_) => {}
                ServiceSpec::Egress(egress) => {
                    let Some(s3) = &egress.s3 else { continue };
                    let path = path.key("s3");
                    secrets.extend(s3.access_key.iter().map(|secret| (path.key("access-key"), secret)));
                    secrets.extend(s3.secret_key.iter().map(|secret| (path.key("secret-key"), secret)));
                }
                ServiceSpec::Sip(sip) => {
                    let Some(tls) = &sip.tls else { continue };
                    let path = path.key("tls");
                    secrets.extend([(path.key("cert"), &tls.cert), (path.key("key"), &tls.key)]);
                }
                ServiceSpec::App(app) => of_app(app, &path, &mut secrets),
            }
        }
        secrets
    }

    /// The secrets among [`Topology::secrets`] that sign LiveKit tokens.
    pub fn livekit_keys(&self) -> Vec<(FieldPath, &SecretRef)> {
        let keys = self.services.iter().filter_map(|service| match &service.kind {
            ServiceSpec::Livekit(livekit) => Some((service_path(&service.name).key("keys"), &livekit.keys)),
            _ => None,
        });
        keys.flat_map(|(path, keys)| keys.iter().map(move |(name, secret)| (path.key(name.as_str()), secret)))
            .collect()
    }

    /// A finding with the severity that the plot gives its code, or none where
    /// the plot allows it.
    ///
    /// ```
    /// use stageplot_topology::{Code, FieldPath, Level, NodeSpec, Plot};
    ///
    /// let mut plot = Plot::new("live".parse()?).node("front", NodeSpec::private("10.0.0.1".parse()?));
    /// plot.severity.insert(Code::SealUnused, Level::Allow);
    /// let topology = plot.build()?.topology;
    /// let seals = || FieldPath::root().key("seals");
    /// assert_eq!(topology.judge(Code::SealUnused, seals(), "OLD has a seal", ""), None);
    /// assert!(topology.judge(Code::SealMissing, seals(), "NEW has none", "").is_some());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn judge(
        &self,
        code: Code,
        path: FieldPath,
        message: impl Into<String>,
        help: impl Into<String>,
    ) -> Option<Diagnostic> {
        let mut diagnostic = Diagnostic::new(code, path, message, help);
        let level = self.plot.severity.get(&code).filter(|_| !code.is_fixed());
        diagnostic.severity = match level {
            Some(Level::Allow) => return None,
            Some(Level::Info) => Severity::Info,
            Some(Level::Warning) => Severity::Warning,
            Some(Level::Error) => Severity::Error,
            None => diagnostic.severity,
        };
        Some(diagnostic)
    }
}

fn of_edge<'a>(edge: &'a Edge, path: &FieldPath, secrets: &mut Vec<(FieldPath, &'a SecretRef)>) {
    secrets.extend(of_balance(&edge.balance, path));
    let path = path.key("tls");
    match &edge.tls {
        Tls::Own { cert, key } => secrets.extend([(path.key("cert"), cert), (path.key("key"), key)]),
        Tls::Acme(acme) => {
            secrets.extend(acme.ca_root.iter().map(|root| (path.key("ca-root"), root)));
            if let Some(dns) = &acme.dns {
                let path = path.key("dns").key("settings");
                secrets.extend(dns.settings.iter().map(|(name, secret)| (path.key(name.as_str()), secret)));
            }
        }
        Tls::Internal | Tls::Off => {}
    }
}

fn of_balance<'a>(balance: &'a Balance, path: &FieldPath) -> Option<(FieldPath, &'a SecretRef)> {
    balance.secret().map(|secret| (path.key("balance").key("secret"), secret))
}

fn of_redis<'a>(redis: &'a Redis, path: &FieldPath, secrets: &mut Vec<(FieldPath, &'a SecretRef)>) {
    secrets.extend(redis.password.iter().map(|secret| (path.key("password"), secret)));
    let Some(remote) = &redis.external else { return };
    let path = path.key("external");
    secrets.extend(remote.sentinel_password.iter().map(|secret| (path.key("sentinel-password"), secret)));
    let ca = remote.tls.iter().filter_map(|tls| tls.ca.as_ref());
    secrets.extend(ca.map(|ca| (path.key("tls").key("ca"), ca)));
}

fn of_postgres<'a>(postgres: &'a Postgres, path: &FieldPath, secrets: &mut Vec<(FieldPath, &'a SecretRef)>) {
    secrets.extend(postgres.password.iter().map(|secret| (path.key("password"), secret)));
    let replication = postgres.replication_password.iter();
    secrets.extend(replication.map(|secret| (path.key("replication-password"), secret)));
    let tls = postgres.external.iter().filter_map(|remote| remote.tls.as_ref());
    let path = path.key("external").key("tls").key("ca");
    secrets.extend(tls.filter_map(|tls| tls.ca.as_ref()).map(|ca| (path.clone(), ca)));
}

fn of_app<'a>(app: &'a App, path: &FieldPath, secrets: &mut Vec<(FieldPath, &'a SecretRef)>) {
    secrets.extend(app.balance.iter().flat_map(|balance| of_balance(balance, path)));
    let path = path.key("env");
    for (name, value) in &app.env {
        if let EnvValue::Secret(secret) = value {
            secrets.push((path.key(name.as_str()), secret));
        }
    }
}
