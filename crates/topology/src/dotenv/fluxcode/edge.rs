//! Caddy: the names that clients use, its ports, and who comes.

use std::net::IpAddr;

use super::machines::{Machines, Role};
use crate::dotenv::addresses::{all, unreached};
use crate::dotenv::parse::{self, host_and_port};
use crate::dotenv::survey::Survey;
use crate::{Code, ContainerNetwork, Edge, FieldPath, HostName, Name, Port, Severity, Source, Tls};

const ADDRESS: &str = "CADDY_ADDRESS";

/// What `CADDY_ADDRESS` names.
#[derive(PartialEq)]
struct Site {
    names: Vec<HostName>,
    is_plain: bool,
    /// A port that Caddy's container never published.
    stray: Option<u16>,
}

/// The edge that the files describe, before a service of this port; none where no
/// file is of Caddy.
pub(super) fn edge(survey: &mut Survey, machines: &Machines, app_port: Port) -> Option<Edge> {
    let files = machines.files(Role::Entry);
    let &first = files.first()?;
    let default = Edge::default();
    let site = survey.agreed(&files, ADDRESS, site);
    let http_port = survey.agreed(&files, "HTTP_PORT", parse::port);
    let https_port = survey.agreed(&files, "HTTPS_PORT", parse::port);
    let mut edge = Edge {
        http_port: http_port.map_or(default.http_port, |told| told.value),
        https_port: https_port.map_or(default.https_port, |told| told.value),
        access_log: true,
        ..default
    };
    if let Some(site) = site {
        let at = (site.machine, ADDRESS);
        if let Some(port) = site.value.stray {
            let message = format!(
                "nobody reached port {port} of Caddy's container: clients come to HTTP_PORT and HTTPS_PORT"
            );
            survey.add_as(Code::EnvChanged, Severity::Warning, at, message, "take the port out of it");
        }
        let mut names = site.value.names.into_iter();
        edge.domain = names.next();
        edge.aliases = names.collect();
        if site.value.is_plain && edge.domain.is_some() {
            edge.tls = Tls::Off;
            let message = "http:// or port 80 means plain HTTP, so tls is off";
            survey.add(Code::EnvInferred, at, message, "for HTTPS take tls out of [edge]");
        } else if edge.domain.is_some() && edge.names().all(Edge::is_local) {
            edge.tls = Tls::Internal;
            let message = "only your own network knows this name, so Caddy makes its certificate itself";
            survey.add(Code::EnvInferred, at, message, "clients are to trust Caddy's own authority");
        }
    }
    if edge.http_port == app_port || edge.is_https() && edge.https_port == app_port {
        edge.network = ContainerNetwork::Bridge;
        let name = if edge.http_port == app_port { "HTTP_PORT" } else { "HTTPS_PORT" };
        let message = format!(
            "Caddy and the application have one port, {app_port}, on this machine, so Caddy is on the container \
             network and the application's port is published to nobody there"
        );
        survey.add(Code::EnvInferred, (first, name), message, "nothing to do");
    }
    Some(edge)
}

/// Who clients are: where no edge has an address on the Internet or a name that is known
/// there, those of its own network.
pub(super) fn clients(
    survey: &mut Survey,
    machines: &Machines,
    edge: &Edge,
    names: &[Name],
) -> Option<Vec<Source>> {
    let hosts = machines.hosts(Role::Entry);
    let private = machines.private(&hosts);
    if edge.names().any(|name| !Edge::is_local(name)) || private.len() != hosts.len() {
        unreached(survey, &private, names);
        return None;
    }
    let mut networks: Vec<_> =
        hosts.iter().flat_map(|&host| machines.addresses(host)).filter_map(network).collect();
    networks.sort();
    networks.dedup();
    let texts: Vec<_> = networks.iter().map(ToString::to_string).collect();
    survey.findings.add(
        Code::EnvInferred,
        FieldPath::root().key("access").key("clients"),
        format!(
            "{} has no public address and no domain on the Internet, so clients are let in from {} alone",
            all(names, &hosts),
            texts.join(", ")
        ),
        "write your own network; or \"any\", and the public address of the node",
    );
    Some(networks)
}

/// The names in a `CADDY_ADDRESS`, as Caddy reads the addresses of a site.
fn site(text: &str) -> Result<Site, String> {
    let mut site = Site { names: Vec::new(), is_plain: true, stray: None };
    let (mut is_nameless, mut words) = (false, 0);
    for word in text.split([',', ' ', '\t']).filter(|word| !word.is_empty()) {
        words += 1;
        let (scheme, rest) = word.split_once("://").unwrap_or(("", word));
        if !matches!(scheme, "" | "http" | "https") {
            return Err("an address of Caddy begins with http:// or https://, or with a name".to_owned());
        }
        let (host, port) = host_and_port(rest.strip_suffix('/').unwrap_or(rest));
        site.is_plain &= scheme == "http" || scheme.is_empty() && port == Some(80);
        site.stray = site.stray.or(port.filter(|port| !matches!(port, 80 | 443)));
        if host.is_empty() {
            is_nameless = true;
        } else if host.parse::<IpAddr>().is_ok() || host.starts_with('*') {
            return Err(format!(
                "{:?} is no name that a certificate can be had for without more: write a domain, or leave it \
                 empty for plain HTTP",
                crate::value::shorten(host)
            ));
        } else {
            site.names.push(parse::host_name(host)?);
        }
    }
    if words == 0 {
        return Err("it names no site: write a domain, or leave it empty for plain HTTP".to_owned());
    }
    if is_nameless {
        // It answers to every name.
        site.names.clear();
        site.is_plain = true;
    }
    Ok(site)
}

/// The range for private use that an address is in.
fn network(address: IpAddr) -> Option<Source> {
    let range = match address {
        IpAddr::V4(v4) => match v4.octets() {
            [10, ..] => "10.0.0.0/8",
            [172, ..] if v4.is_private() => "172.16.0.0/12",
            [192, ..] if v4.is_private() => "192.168.0.0/16",
            [169, ..] if v4.is_link_local() => "169.254.0.0/16",
            _ => "100.64.0.0/10",
        },
        IpAddr::V6(v6) if v6.is_unique_local() => "fc00::/7",
        IpAddr::V6(_) => "fe80::/10",
    };
    range.parse().ok()
}
