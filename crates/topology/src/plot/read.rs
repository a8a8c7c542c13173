//! Reading a plot from a file.

use std::collections::BTreeMap;

use serde::{Deserialize, Deserializer};

use super::kinds;
use super::mistakes::Mistakes;
use super::{
    Access, BridgeSpec, Built, FirewallSpec, Level, NetworkSpec, NodeSpec, Plot, RegistrySpec, SealsSpec,
    ServiceSpec,
};
use crate::decode::{ByKind, decode_beside};
use crate::document::{Entry, Table, Value};
use crate::words::nearest;
use crate::{
    App, Code, CustomKinds, Document, Edge, Egress, FieldPath, Findings, Format, Grafana, Ingress, IonSfu,
    Livekit, Name, Postgres, Prometheus, Redis, Registry, Rtmp, Segment, Sip,
};

/// A plot as its file has it.
#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields, default, rename_all = "kebab-case", expecting = "{ name = \"live\", … }")]
struct File {
    name: Option<Name>,
    root: Option<String>,
    secrets_file: Option<String>,
    seals: Option<SealsSpec>,
    templates: Option<String>,
    access: Access,
    firewall: FirewallSpec,
    bridge: BridgeSpec,
    networks: BTreeMap<Name, NetworkSpec>,
    nodes: BTreeMap<Name, NodeSpec>,
    services: BTreeMap<Name, ByKind<Service>>,
    registries: BTreeMap<Registry, RegistrySpec>,
    severity: BTreeMap<Code, Level>,
    // The short form: a service that is alone of its kind.
    #[serde(deserialize_with = "some")]
    edge: Option<Edge>,
    #[serde(deserialize_with = "some")]
    livekit: Option<Box<Livekit>>,
    #[serde(deserialize_with = "some")]
    redis: Option<Redis>,
    #[serde(deserialize_with = "some")]
    postgres: Option<Postgres>,
    #[serde(deserialize_with = "some")]
    prometheus: Option<Prometheus>,
    #[serde(deserialize_with = "some")]
    grafana: Option<Grafana>,
    #[serde(deserialize_with = "some")]
    rtmp: Option<Box<Rtmp>>,
    #[serde(deserialize_with = "some")]
    ion_sfu: Option<Box<IonSfu>>,
    #[serde(deserialize_with = "some")]
    ingress: Option<Box<Ingress>>,
    #[serde(deserialize_with = "some")]
    egress: Option<Box<Egress>>,
    #[serde(deserialize_with = "some")]
    sip: Option<Box<Sip>>,
    #[serde(deserialize_with = "some")]
    app: Option<App>,
}

/// Reads a service that is written: `redis:` with nothing after it, which YAML
/// takes for null, is none that is left out.
fn some<'de, D: Deserializer<'de>, T: Deserialize<'de>>(deserializer: D) -> Result<Option<T>, D::Error> {
    T::deserialize(deserializer).map(Some)
}

/// A service with its kind beside it.
#[derive(Deserialize)]
#[serde(rename_all = "kebab-case")]
enum Service {
    Edge(Edge),
    Livekit(Box<Livekit>),
    Redis(Redis),
    Postgres(Box<Postgres>),
    Prometheus(Prometheus),
    Grafana(Grafana),
    Rtmp(Box<Rtmp>),
    IonSfu(Box<IonSfu>),
    Ingress(Box<Ingress>),
    Egress(Box<Egress>),
    Sip(Box<Sip>),
    App(App),
}

impl From<Service> for ServiceSpec {
    fn from(service: Service) -> Self {
        match service {
            Service::Edge(edge) => Self::Edge(edge),
            Service::Livekit(livekit) => Self::Livekit(livekit),
            Service::Redis(redis) => Self::Redis(redis),
            Service::Postgres(postgres) => Self::Postgres(postgres),
            Service::Prometheus(prometheus) => Self::Prometheus(prometheus),
            Service::Grafana(grafana) => Self::Grafana(grafana),
            Service::Rtmp(rtmp) => Self::Rtmp(rtmp),
            Service::IonSfu(sfu) => Self::IonSfu(sfu),
            Service::Ingress(ingress) => Self::Ingress(ingress),
            Service::Egress(egress) => Self::Egress(egress),
            Service::Sip(sip) => Self::Sip(sip),
            Service::App(app) => Self::App(app),
        }
    }
}

impl Plot {
    /// Reads a plot, and validates it.
    ///
    /// ```
    /// use stageplot_topology::{Document, Format, Plot};
    ///
    /// let text = r#"
    /// name = "live"
    /// [nodes.front]
    /// address = "10.0.0.1"
    /// roles = ["redis"]
    /// [redis]
    /// "#;
    /// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
    /// let built = Plot::read(&document)?;
    /// assert_eq!(built.topology.services().len(), 1);
    /// # Ok::<(), stageplot_topology::Findings>(())
    /// ```
    ///
    /// # Errors
    ///
    /// All findings, each with its place in the file, where one is an error.
    pub fn read(document: &Document) -> Result<Built, Findings> {
        Self::read_with(document, &CustomKinds::new())
    }

    /// Reads a plot that may have services of kinds of one's own, and validates it.
    ///
    /// ```
    /// use serde::Deserialize;
    /// use stageplot_topology::{App, CustomKind, CustomKinds, Document, Format, Plot, Port};
    ///
    /// /// A program that the operator starts.
    /// #[derive(Deserialize)]
    /// #[serde(deny_unknown_fields)]
    /// struct Recorder {
    ///     port: Port,
    /// }
    ///
    /// impl CustomKind for Recorder {
    ///     const NAME: &str = "recorder";
    ///
    ///     fn into_app(self) -> Result<App, String> {
    ///         Ok(App::host().port(self.port))
    ///     }
    /// }
    ///
    /// let text = "name = 'live'\n[nodes.front]\naddress = '10.0.0.1'\nroles = 'recorder'\n[recorder]\nport = 80\n";
    /// let document = Document::parse(Format::Toml, "stageplot.toml", text)?;
    /// assert!(Plot::read(&document).is_err());
    /// let built = Plot::read_with(&document, &CustomKinds::new().with::<Recorder>()?)?;
    /// assert_eq!(built.topology.services()[0].name.as_str(), "recorder");
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Errors
    ///
    /// As for [`Plot::read`].
    pub fn read_with(document: &Document, kinds: &CustomKinds) -> Result<Built, Findings> {
        let mut findings = Findings::new();
        let custom = kinds.find(document);
        let file: Option<File> =
            decode_beside(document.root(), &FieldPath::root(), &kinds.elsewhere(&custom), &mut findings);
        let Some(file) = file else {
            document.locate(&mut findings);
            return Err(findings);
        };
        kinds::review_names(document, &custom, &mut findings);
        suggest_services(document, &mut findings);
        let (mut apps, mut short_apps) = (Vec::new(), Vec::new());
        for service in &custom {
            let Some((name, app)) = service.decode(&mut findings) else { continue };
            match service.short() {
                Some(kind) => short_apps.push((kind, app.into())),
                None => apps.push((name, app.into())),
            }
        }
        let plot = plot(file, apps, short_apps, &mut findings);
        let (topology, mut more) = crate::resolve::resolve(&plot);
        let mistakes = Mistakes::new(&findings, document, kinds);
        more.retain_mut(|finding| !mistakes.explain(finding));
        more.retain_mut(|finding| {
            custom.iter().for_each(|service| service.claim(finding));
            true
        });
        findings.append(more);
        open_ssh(document, &mut findings);
        plot.apply_severity(&mut findings);
        Self::locate(document, &mut findings);
        if findings.has_errors() { Err(findings) } else { Ok(Built { topology, findings }) }
    }

    /// Gives findings about a plot their places in the file that it was read
    /// from, also those about services in the short form; then orders them.
    ///
    /// ```
    /// use stageplot_topology::{Code, Document, FieldPath, Findings, Format, Plot};
    ///
    /// // What a program of one's own finds in a service that is written in the short form.
    /// let document = Document::parse(Format::Toml, "stageplot.toml", "name = \"live\"\n[redis]\nport = 80\n")?;
    /// let mut findings = Findings::new();
    /// let port = FieldPath::root().key("services").key("redis").key("port");
    /// findings.add(Code::InvalidValue, port, "80 is a web server's", "");
    /// Plot::locate(&document, &mut findings);
    /// assert_eq!(findings.to_string(), "error[invalid-value]: 3:8: redis.port: 80 is a web server's");
    /// # Ok::<(), Findings>(())
    /// ```
    pub fn locate(document: &Document, findings: &mut Findings) {
        findings.retain_mut(|finding| {
            if let Some(path) = short_form(document, &finding.location.path) {
                finding.location.path = path;
            }
            true
        });
        document.locate(findings);
    }
}

/// Says which service is probably meant by a table without a kind, such as
/// `[services.room.env]` beside `[services.rooms]`.
fn suggest_services(document: &Document, findings: &mut Findings) {
    let services = FieldPath::root().key("services");
    let entries = document.value(&services).and_then(Value::as_table).map_or(&[][..], Table::entries);
    findings.retain_mut(|finding| {
        let [_, Segment::Key(name), Segment::Key(kind)] = finding.location.path.segments() else {
            return true;
        };
        let is_kind = finding.code == Code::MissingField && kind == "kind";
        if is_kind && finding.location.path.segments().starts_with(services.segments()) {
            let with_kind =
                |entry: &&Entry| entry.value.as_table().is_some_and(|table| table.get("kind").is_some());
            let others = entries.iter().filter(with_kind).map(|entry| entry.key.as_str());
            if let Some(near) = nearest(name, others) {
                finding.help =
                    format!("did you mean services.{near}? for a service of its own {}", finding.help);
            }
        }
        true
    });
}

/// Says so where nothing is written of who may come in by SSH. A plot that is
/// refused has other worries.
fn open_ssh(document: &Document, findings: &mut Findings) {
    let from = FieldPath::root().key("access").key("ssh").key("from");
    if !findings.has_errors() && document.value(&from).is_none() {
        findings.add(
            Code::SshOpen,
            from,
            "everybody may try to come in by SSH: the plot does not say who may",
            "write [access] with ssh = { from = \"198.51.100.0/24\" }, your own addresses; or from = \"any\"",
        );
    }
}

/// The plot of the file, with services that are decoded elsewhere: those with a
/// name, and those in the short form, of which each has its kind's.
fn plot(
    file: File,
    others: Vec<(Name, ServiceSpec)>,
    others_short: Vec<(&'static str, ServiceSpec)>,
    findings: &mut Findings,
) -> Plot {
    // All of it by name, so that a kind more is not forgotten below.
    let File {
        name,
        root: directory,
        secrets_file,
        seals,
        templates,
        access,
        firewall,
        bridge,
        networks,
        nodes,
        services,
        registries,
        severity,
        edge,
        livekit,
        redis,
        postgres,
        prometheus,
        grafana,
        rtmp,
        ion_sfu,
        ingress,
        egress,
        sip,
        app,
    } = file;
    let root = FieldPath::root();
    let name = name.unwrap_or_else(|| {
        // A name that was written wrongly has been reported already.
        if !findings.iter().any(|finding| finding.location.path == root.key("name")) {
            let help = "add name = \"live\", or what you call the stack";
            findings.add(Code::MissingField, root.key("name"), "the plot has no name", help);
        }
        super::fixed_name("unnamed")
    });
    let services = services.into_iter().map(|(name, ByKind(service))| (name, service.into()));
    let mut services: BTreeMap<Name, ServiceSpec> = services.chain(others).collect();
    let short = [
        edge.map(ServiceSpec::from),
        livekit.map(ServiceSpec::Livekit),
        redis.map(ServiceSpec::from),
        postgres.map(ServiceSpec::from),
        prometheus.map(ServiceSpec::from),
        grafana.map(ServiceSpec::from),
        rtmp.map(ServiceSpec::Rtmp),
        ion_sfu.map(ServiceSpec::IonSfu),
        ingress.map(ServiceSpec::Ingress),
        egress.map(ServiceSpec::Egress),
        sip.map(ServiceSpec::Sip),
        app.map(ServiceSpec::from),
    ];
    let short = short.into_iter().flatten().map(|service| (service.kind(), service));
    for (kind, service) in short.chain(others_short) {
        if services.insert(super::fixed_name(kind), service).is_some() {
            findings.add(
                Code::DuplicateService,
                root.key(kind),
                format!("[{kind}] and [services.{kind}] are the same service"),
                "keep one of them",
            );
        }
    }
    Plot {
        name,
        root: directory.unwrap_or_else(super::default_root),
        secrets_file,
        seals,
        templates,
        access,
        firewall,
        bridge,
        networks,
        nodes,
        services,
        registries,
        severity,
    }
}

/// Whether a plot has a field of this name at its top.
pub(super) fn is_field(name: &Name) -> bool {
    let text = format!("{{ \"{name}\": null }}");
    let Ok(document) = Document::parse(Format::Json, "", &text) else { return false };
    let mut findings = Findings::new();
    let _: Option<File> = document.decode(&mut findings);
    findings.iter().all(|finding| finding.code != Code::UnknownField)
}

/// The path of a service's field in the short form, where that is how the
/// document has the service.
fn short_form(document: &Document, path: &FieldPath) -> Option<FieldPath> {
    let [Segment::Key(services), Segment::Key(name), rest @ ..] = path.segments() else { return None };
    let long = FieldPath::root().key("services").key(name.as_str());
    let short = FieldPath::root().key(name.as_str());
    if services != "services" || document.value(&long).is_some() || document.value(&short).is_none() {
        return None;
    }
    Some(rest.iter().fold(short, |path, segment| match segment {
        Segment::Key(key) => path.key(key.as_str()),
        Segment::Index(index) => path.index(*index),
    }))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::Format;

    /// The codes of what is found, in the order of the file.
    fn codes(text: &str) -> Vec<&'static str> {
        let document = Document::parse(Format::Toml, "stageplot.toml", text).expect("TOML");
        let read = Plot::read(&document);
        let findings = read.as_ref().map_or_else(|findings| findings, |built| &built.findings);
        findings.iter().map(|finding| finding.code.as_str()).collect()
    }

    #[test]
    fn what_follows_from_a_mistake_is_not_found_as_well() {
        // The node has an address, the edge a domain, the Redis a password: mistyped each.
        let text = r#"
            name = "live"
            [nodes.front]
            address = "10.0.0"
            roles = ["edge", "cache"]
            [edge]
            domian = "a.example.com"
            [services.cache]
            kind = "rediss"
            password = { env = "REDIS_PASSWORD" }
        "#;
        assert_eq!(codes(text), ["invalid-value", "unknown-field", "invalid-value"]);
        let text = r#"
            name = "live"
            [nodes.front]
            address = "10.0.0.1"
            roles = ["redis"]
            [networks.lan]
            cidr = "10.0.0"
            [access]
            ssh = { from = "lan" }
            [redis]
        "#;
        assert_eq!(codes(text), ["invalid-value"]);
    }

    #[test]
    fn what_does_not_follow_from_a_mistake_is_found_as_well() {
        let text = r#"
            name = "live"
            [nodes.front]
            address = "10.0.0"
            roles = ["redis", "rooms"]
            [nodes.back]
            roles = ["redis"]
            [redis]
            primary = "bakc"
        "#;
        assert_eq!(
            codes(text),
            ["invalid-value", "unknown-name", "missing-field", "no-route", "no-password", "unknown-name"]
        );
    }
}
