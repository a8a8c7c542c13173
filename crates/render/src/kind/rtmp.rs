//! `rtmp`: nginx' configuration, a style sheet for its status, and the container.

use serde::Serialize;
use stageplot_topology::{Endpoint, OnPublish, Recording, Rtmp, SocketTarget, TargetHost, Topology};

use super::{Part, Scene};
use crate::RenderError;
use crate::artifact::{Artifact, Owner};
use crate::compose::{Container, HealthCheck, Mount};
use crate::template::{Dialect, Template};

pub(super) const TEMPLATE: Template =
    Template::new("nginx.conf", Dialect::Nginx, include_str!("../../templates/nginx.conf"));

/// How a browser shows `/stat`, which is XML.
const STYLE: &str = include_str!("../../templates/stat.xsl");

/// `nobody`, in every image: nginx needs no more, for none of its ports is below 1024.
const NOBODY: Owner = Owner::new(65534, 65534);

/// A directory that is no image's own, so that what stands in theirs stays.
const CONFIG: &str = "/etc/nginx/stageplot";

/// What the template of `nginx.conf` is given.
#[derive(Serialize)]
struct Conf {
    config: &'static str,
    application: String,
    port: u16,
    /// Where RTMP listens.
    rtmp: Vec<Listen>,
    /// Where HTTP listens; nowhere where nothing is handed out by it.
    http: Vec<Listen>,
    status_port: u16,
    hls: bool,
    dash: bool,
    flv: bool,
    fragment: String,
    playlist: String,
    /// The words of `record`, none where nothing is recorded.
    record: bool,
    record_unique: bool,
    asked: Option<Asked>,
}

#[derive(Serialize)]
struct Listen {
    at: String,
    is_v6: bool,
}

/// The app that is asked who may publish.
#[derive(Serialize)]
struct Asked {
    /// It is known by name, which Docker looks up anew: its address may change.
    is_name: bool,
    /// Its name, for which the servers stand where it is known by address.
    app: String,
    servers: Vec<String>,
    publish: String,
    done: Option<String>,
}

pub(super) fn render(scene: Scene<'_>, rtmp: &Rtmp) -> Result<Part, RenderError> {
    let Scene { topology, service, placement, .. } = scene;
    let listens = |name: &str, port: u16| {
        let endpoint = topology.endpoint_named(service.id, name);
        endpoint.map(|endpoint| self::listens(scene, endpoint, port)).unwrap_or_default()
    };
    let conf = Conf {
        config: CONFIG,
        application: rtmp.application.clone(),
        port: rtmp.port.number(),
        rtmp: listens("rtmp", rtmp.port.number()),
        http: listens("http", rtmp.http_port.number()),
        status_port: Rtmp::STATUS_PORT.number(),
        hls: rtmp.hls,
        dash: rtmp.dash,
        flv: rtmp.flv,
        fragment: format!("{}s", rtmp.fragment.seconds()),
        playlist: format!("{}s", rtmp.playlist.seconds()),
        record: rtmp.record != Recording::Off,
        record_unique: rtmp.record == Recording::Unique,
        asked: rtmp.on_publish.as_ref().and_then(|asked| self::asked(scene, asked)),
    };
    let text = scene.templates.render("nginx.conf", &conf)?;
    let mut files =
        vec![Artifact::private("nginx.conf", text, NOBODY), Artifact::private("stat.xsl", STYLE, NOBODY)];
    files.extend_from_slice(scene.extra);
    let (dir, artifacts) = scene.at_start(files);
    let mut container = Container::new(topology, placement, &rtmp.image, &rtmp.limits);
    // By `-e`, what it says before it has read its configuration goes the same way.
    let command = ["nginx", "-e", "stderr", "-c", &format!("{CONFIG}/nginx.conf")];
    container.command = command.map(str::to_owned).to_vec();
    container.user = Some(NOBODY.to_string());
    container.volumes = vec![Mount::files(&dir, CONFIG)];
    if conf.record {
        container.volumes.push(Mount::data(&format!("{}/recordings", service.name), "/recordings"));
    }
    container.data_owner = Some(NOBODY);
    let ask = format!("wget -q -T 3 -O /dev/null http://127.0.0.1:{}/stat", Rtmp::STATUS_PORT);
    container.healthcheck = Some(HealthCheck::shell(&ask));
    Ok(Part { artifacts, container: Some(container) })
}

/// Where it listens for an endpoint, as nginx writes it.
fn listens(scene: Scene<'_>, endpoint: &Endpoint, port: u16) -> Vec<Listen> {
    let addresses = scene.listens(Some(endpoint)).unwrap_or_else(|| everywhere(scene.topology));
    let written = addresses.into_iter().map(|address| {
        let is_v6 = address.contains(':');
        let at = if is_v6 { format!("[{address}]:{port}") } else { format!("{address}:{port}") };
        Listen { at, is_v6 }
    });
    written.collect()
}

/// All addresses of a container; one that has no IPv6 may have no socket for it either.
fn everywhere(topology: &Topology) -> Vec<String> {
    let all = ["0.0.0.0", "::"].into_iter();
    all.take(if topology.plot().bridge.ipv6 { 2 } else { 1 }).map(str::to_owned).collect()
}

/// Whom nginx asks. It takes a list of addresses, but of names only one: where the app
/// stands on the same node, that one is asked alone.
fn asked(scene: Scene<'_>, asked: &OnPublish) -> Option<Asked> {
    let app = scene.topology.service_named(asked.app.as_str())?;
    let endpoint = scene.topology.endpoint_named(app.id, "http")?;
    let targets: Vec<_> = scene.targets(endpoint).collect();
    let is_name = |target: &&SocketTarget| matches!(target.host, TargetHost::Container(_));
    let named = targets.iter().find(is_name);
    let host = named.map_or_else(|| app.name.to_string(), ToString::to_string);
    Some(Asked {
        is_name: named.is_some(),
        app: app.name.to_string(),
        servers: targets.iter().map(ToString::to_string).collect(),
        publish: format!("http://{host}{}", asked.path),
        done: asked.done.as_ref().map(|path| format!("http://{host}{path}")),
    })
}
