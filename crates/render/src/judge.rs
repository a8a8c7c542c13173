//! Values of a plot that a file of another program cannot hold.
//!
//! What each format holds is known to its [`Dialect`] alone; here stands which
//! value of a plot is written into which of them.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use stageplot_topology::{
    Acme, App, Code, Edge, Egress, EnvPart, EnvValue, FieldPath, Findings, IonSfu, Livekit, Postgres, Redis,
    Rtmp, SecretRef, ServiceSpec, Sip, Tls, Topology,
};

use crate::template::{Dialect, Template, TemplateError, Templates};

/// Finds every text of a plot that cannot be rendered. Values of secrets that
/// stand elsewhere are not among them: those are judged once they are known, by [`Renderer::new`].
///
/// [`Renderer::new`]: crate::Renderer::new
///
/// ```
/// use stageplot_render::judge;
/// use stageplot_topology::{Keep, NodeSpec, Plot, Redis};
///
/// let mut plot = Plot::new("live".parse()?)
///     .service("cache", Redis::default())
///     .node("front", NodeSpec::private("10.0.0.1".parse()?).role("cache"));
/// assert!(judge(&plot.build()?.topology).is_empty());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub fn judge(topology: &Topology) -> Findings {
    let mut findings = Findings::new();
    let judges = Judges::new();
    for Use { path, what, place } in uses(topology) {
        let text = match &what {
            What::Text(text) => text,
            What::Secret(SecretRef::Literal(literal)) => literal.expose(),
            What::Secret(_) => continue,
        };
        if let Some(why) = judges.refusal(place, text) {
            let message = format!("this cannot stand in {}: {why}", place.name());
            findings.add(Code::UnwritableValue, path, message, "write it without what is named there");
        }
    }
    findings
}

/// Finds every secret whose value cannot be rendered.
pub(crate) fn secrets<'v>(
    topology: &Topology,
    value: impl Fn(&SecretRef) -> Option<&'v str>,
    findings: &mut Findings,
) {
    let judges = Judges::new();
    let mut used: BTreeMap<(SecretRef, Place), Vec<FieldPath>> = BTreeMap::new();
    for Use { path, what, place } in uses(topology) {
        if let What::Secret(secret) = what {
            used.entry((secret.clone(), place)).or_default().push(path);
        }
    }
    for ((secret, place), fields) in used {
        let Some(why) = value(&secret).and_then(|value| judges.refusal(place, value)) else { continue };
        let names: Vec<_> = fields.iter().map(ToString::to_string).collect();
        let message = format!("the value of {} cannot stand in {}: {why}", secret.label(), place.name());
        let help = format!("give it another value; it is used by {}", names.join(", "));
        findings.add(Code::UnwritableValue, fields.into_iter().next().unwrap_or_default(), message, help);
    }
}

/// A value of the plot, and where it is written.
struct Use<'a> {
    path: FieldPath,
    what: What<'a>,
    place: Place,
}

impl<'a> Use<'a> {
    fn secret(path: FieldPath, secret: &'a SecretRef, place: Place) -> Self {
        Self { path, what: What::Secret(secret), place }
    }

    fn text(path: FieldPath, text: impl Into<String>, place: Place) -> Self {
        Self { path, what: What::Text(text.into()), place }
    }
}

enum What<'a> {
    Text(String),
    Secret(&'a SecretRef),
}

/// A kind of place in what is rendered.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Place {
    /// A cell of the runbook's tables.
    Runbook,
    /// A setting of the Caddyfile.
    Caddyfile,
    /// A setting of `redis.conf`.
    Redis,
    /// A password in the list of ion-sfu's users, which has no quotes.
    IonUsers,
    /// A setting of Grafana's, in an `env_file`.
    Grafana,
    /// A word in `nginx.conf`.
    Nginx,
    /// A string in SQL for Postgres.
    Sql,
    /// A variable in an `env_file`.
    Env,
    /// A file with a certificate, in PEM (RFC 7468).
    Certificate,
    /// A file with a private key, in PEM.
    PrivateKey,
    /// A text in `compose.yaml`, `livekit.yaml` and its like, which a program is given.
    Yaml,
}

impl Place {
    const TEMPLATES: [(Self, Template); 6] = [
        (Self::Runbook, Template::new("runbook.md", Dialect::Markdown, "| {{ value }} |\n")),
        (Self::Caddyfile, Template::new("the Caddyfile", Dialect::Caddyfile, "\temail {{ value }}\n")),
        (Self::Redis, Template::new("redis.conf", Dialect::RedisConf, "requirepass {{ value }}\n")),
        (Self::Nginx, Template::new("nginx.conf", Dialect::Nginx, "set $path {{ value }};\n")),
        (Self::Sql, Template::new("roles.sql", Dialect::Sql, "SELECT {{ value }};\n")),
        (Self::Env, Template::new("a file of environment variables", Dialect::Env, "NAME={{ value }}\n")),
    ];

    fn name(self) -> &'static str {
        match self {
            Self::Runbook => "runbook.md",
            Self::Caddyfile => "the Caddyfile",
            Self::Redis => "redis.conf",
            Self::IonUsers => "ion-sfu's list of users",
            Self::Grafana => "Grafana's settings",
            Self::Nginx => "nginx.conf",
            Self::Sql => "roles.sql",
            Self::Env => "a file of environment variables",
            Self::Certificate => "a file with a certificate",
            Self::PrivateKey => "a file with a private key",
            Self::Yaml => "the configuration of a program",
        }
    }
}

/// The dialects, each at one place of each kind.
struct Judges(Option<Templates>);

impl Judges {
    fn new() -> Self {
        Self(Templates::new(Place::TEMPLATES.into_iter().map(|(_, template)| template)).ok())
    }

    /// Why a value cannot stand in a place, if it cannot.
    fn refusal(&self, place: Place, value: &str) -> Option<&'static str> {
        if place == Place::IonUsers {
            let word = |c: char| c.is_ascii_alphanumeric() || c == '_';
            let fits = !value.is_empty() && value.chars().all(word);
            return (!fits).then_some("it takes letters, digits and _ alone, and cuts off what follows");
        }
        if place == Place::Grafana {
            // https://grafana.com/docs/grafana/latest/setup-grafana/configure-grafana/#variable-expansion
            let expands = ["$__", "${"].iter().any(|start| value.contains(start));
            return match expands {
                true => Some("it puts something else in place of what follows $__ or ${"),
                false => self.refusal(Place::Env, value),
            };
        }
        if place == Place::Certificate {
            let fits = value.contains("-----BEGIN CERTIFICATE-----");
            return (!fits).then_some("it holds none in PEM, which begins with -----BEGIN CERTIFICATE-----");
        }
        if place == Place::PrivateKey {
            let fits = value.contains("-----BEGIN ") && value.contains("PRIVATE KEY-----");
            return (!fits).then_some("it holds none in PEM, which begins with -----BEGIN PRIVATE KEY-----");
        }
        if place == Place::Yaml {
            // YAML itself has an escape for every character.
            return value.contains('\0').then_some("no program is given a NUL");
        }
        let rendered = self.0.as_ref()?.render(place.name(), &json!({ "value": value }));
        match rendered {
            Err(TemplateError::Unrepresentable { why, .. }) => Some(why),
            _ => None,
        }
    }
}

/// Every free text and every secret of a plot with the places it is written to.
/// Values of stricter types fit everywhere.
fn uses(topology: &Topology) -> Vec<Use<'_>> {
    let mut uses = Vec::new();
    let access = FieldPath::root().key("access").key("keep");
    for (index, keep) in topology.plot().access.keep.iter().enumerate().filter(|(_, k)| !k.why.is_empty()) {
        let what = What::Text(keep.why.clone());
        uses.push(Use { path: access.index(index).key("why"), what, place: Place::Runbook });
    }
    for service in topology.services() {
        let path = FieldPath::root().key("services").key(service.name.as_str());
        match &service.kind {
            ServiceSpec::Edge(edge) => of_edge(edge, &path, &mut uses),
            ServiceSpec::Livekit(livekit) => of_livekit(livekit, &path, &mut uses),
            ServiceSpec::Redis(redis) => of_redis(redis, &path, &mut uses),
            ServiceSpec::Postgres(postgres) => of_postgres(postgres, &path, &mut uses),
            ServiceSpec::Prometheus(_) => {}
            ServiceSpec::Grafana(grafana) => {
                let password = grafana.password.iter();
                uses.extend(password.map(|it| Use::secret(path.key("password"), it, Place::Grafana)));
            }
            ServiceSpec::IonSfu(sfu) => of_ion_sfu(sfu, &path, &mut uses),
            ServiceSpec::Rtmp(rtmp) => of_rtmp(rtmp, &path, &mut uses),
            ServiceSpec::Ingress(_) => {}
            ServiceSpec::Egress(egress) => of_egress(egress, &path, &mut uses),
            ServiceSpec::Sip(sip) => of_sip(sip, &path, &mut uses),
            ServiceSpec::App(app) => of_app(app, &path, &mut uses),
        }
    }
    uses
}

fn of_edge<'a>(edge: &'a Edge, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let path = path.key("tls");
    if let Tls::Own { cert, key } = &edge.tls {
        uses.push(Use::secret(path.key("cert"), cert, Place::Certificate));
        uses.push(Use::secret(path.key("key"), key, Place::PrivateKey));
    }
    let Tls::Acme(Acme { email, ca, ca_root, dns }) = &edge.tls else { return };
    uses.extend(ca_root.iter().map(|root| Use::secret(path.key("ca-root"), root, Place::Certificate)));
    let mut text = |field: &str, text: String| {
        uses.push(Use::text(path.key(field), text, Place::Caddyfile));
    };
    email.iter().for_each(|email| text("email", email.clone()));
    ca.iter().for_each(|ca| text("ca", ca.to_string()));
    let settings = path.key("dns").key("settings");
    let secrets = dns.iter().flat_map(|dns| &dns.settings);
    uses.extend(secrets.map(|(name, secret)| Use::secret(settings.key(name.as_str()), secret, Place::Env)));
}

fn of_livekit<'a>(livekit: &'a Livekit, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let place = Place::Yaml;
    for (name, secret) in &livekit.keys {
        let path = path.key("keys").key(name.as_str());
        uses.push(Use::text(path.clone(), name.clone(), place));
        uses.push(Use::secret(path, secret, place));
    }
    if let Some(turn) = &livekit.turn {
        let files = [("cert", &turn.cert, Place::Certificate), ("key", &turn.key, Place::PrivateKey)];
        uses.extend(files.into_iter().filter_map(|(field, secret, place)| {
            Some(Use::secret(path.key("turn").key(field), secret.as_ref()?, place))
        }));
    }
    let settings = Value::Object(livekit.settings.clone());
    texts(&settings, &path.key("settings"), &mut |path, text| {
        uses.push(Use { path, what: What::Text(text.to_owned()), place });
    });
}

fn of_ion_sfu<'a>(sfu: &'a IonSfu, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let Some(turn) = &sfu.turn else { return };
    let path = path.key("turn");
    let users = path.key("users");
    uses.extend(
        turn.users
            .iter()
            .map(|(name, secret)| Use::secret(users.key(name.as_str()), secret, Place::IonUsers)),
    );
    uses.extend(turn.secret.iter().map(|secret| Use::secret(path.key("secret"), secret, Place::Yaml)));
}

fn of_egress<'a>(egress: &'a Egress, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let Some(s3) = &egress.s3 else { return };
    let (path, place) = (path.key("s3"), Place::Yaml);
    let texts =
        [("bucket", Some(&s3.bucket)), ("region", s3.region.as_ref()), ("prefix", s3.prefix.as_ref())];
    uses.extend(
        texts.into_iter().filter_map(|(field, text)| Some(Use::text(path.key(field), text?.clone(), place))),
    );
    let secrets = [("access-key", &s3.access_key), ("secret-key", &s3.secret_key)];
    uses.extend(
        secrets
            .into_iter()
            .filter_map(|(field, secret)| Some(Use::secret(path.key(field), secret.as_ref()?, place))),
    );
}

fn of_sip<'a>(sip: &'a Sip, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let Some(tls) = &sip.tls else { return };
    let (path, place) = (path.key("tls"), Place::Yaml);
    uses.extend(
        [("cert", &tls.cert), ("key", &tls.key)]
            .map(|(field, secret)| Use::secret(path.key(field), secret, place)),
    );
}

fn of_rtmp<'a>(rtmp: &'a Rtmp, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    let Some(asked) = &rtmp.on_publish else { return };
    let path = path.key("on-publish");
    let paths = [("path", Some(&asked.path)), ("done", asked.done.as_ref())];
    uses.extend(
        paths
            .into_iter()
            .filter_map(|(field, text)| Some(Use::text(path.key(field), text?.clone(), Place::Nginx))),
    );
}

fn of_redis<'a>(redis: &'a Redis, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    if let Some(secret) = &redis.password {
        let place = if redis.external.is_some() { Place::Yaml } else { Place::Redis };
        uses.push(Use::secret(path.key("password"), secret, place));
    }
    let Some(remote) = &redis.external else { return };
    let path = path.key("external");
    let ca = remote.tls.iter().filter_map(|tls| tls.ca.as_ref());
    uses.extend(ca.map(|ca| Use::secret(path.key("tls").key("ca"), ca, Place::Certificate)));
    let fields = [("username", &remote.username), ("sentinel-master", &remote.sentinel_master)];
    let texts = fields.into_iter().filter_map(|(field, text)| Some((field, text.clone()?)));
    uses.extend(texts.map(|(field, text)| Use::text(path.key(field), text, Place::Yaml)));
    uses.extend(
        remote
            .sentinel_password
            .iter()
            .map(|secret| Use::secret(path.key("sentinel-password"), secret, Place::Yaml)),
    );
}

fn of_postgres<'a>(postgres: &'a Postgres, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    if postgres.external.is_some() {
        return;
    }
    let fields = [("password", &postgres.password), ("replication-password", &postgres.replication_password)];
    let secrets = fields.into_iter().filter_map(|(field, secret)| Some((field, secret.as_ref()?)));
    uses.extend(secrets.map(|(field, secret)| Use::secret(path.key(field), secret, Place::Sql)));
}

fn of_app<'a>(app: &'a App, path: &FieldPath, uses: &mut Vec<Use<'a>>) {
    for (name, value) in &app.env {
        let what = match value {
            EnvValue::Secret(secret) => What::Secret(secret),
            // What references stand for is made of addresses.
            EnvValue::Text(text) => What::Text(
                EnvPart::split(text)
                    .into_iter()
                    .filter_map(|part| match part {
                        EnvPart::Text(text) => Some(text),
                        _ => None,
                    })
                    .collect(),
            ),
        };
        uses.push(Use { path: path.key("env").key(name.as_str()), what, place: Place::Env });
    }
    let commands = [("command", &app.command), ("migrate", &app.migrate)].into_iter();
    let words = commands.flat_map(|(field, words)| {
        let path = path.key(field);
        words.iter().enumerate().map(move |(index, word)| (path.index(index), word))
    });
    let user = app.user.iter().map(|user| (path.key("user"), user));
    uses.extend(words.chain(user).map(|(path, text)| Use {
        path,
        what: What::Text(text.clone()),
        place: Place::Yaml,
    }));
}

/// Calls a function with every text in a tree.
fn texts(value: &Value, path: &FieldPath, found: &mut impl FnMut(FieldPath, &str)) {
    match value {
        Value::String(text) => found(path.clone(), text),
        Value::Array(values) => {
            values.iter().enumerate().for_each(|(index, value)| texts(value, &path.index(index), found));
        }
        Value::Object(map) => {
            map.iter().for_each(|(key, value)| {
                found(path.key(key), key);
                texts(value, &path.key(key), found);
            });
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}
