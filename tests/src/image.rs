//! Images: the stand-ins that `tests/images/build` makes.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;
use std::time::Duration;

use stageplot_topology::{Edge, Service, ServiceSpec, Topology};

use crate::process::run;
use crate::program::Missing;

/// An image as an archive that an engine loads.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Image {
    archive: PathBuf,
}

impl Image {
    /// Caddy as rendered files name it where a plot does not.
    pub const CADDY: &str = "caddy:2.11-alpine";
    /// Caddy with the layer 4 module.
    pub const CADDY_L4: &str = "stageplot/caddy-l4:2.11";
    /// Redis as rendered files name it where a plot does not.
    pub const REDIS: &str = "redis:7-alpine";
    /// Postgres as rendered files name it where a plot does not.
    pub const POSTGRES: &str = "postgres:16-alpine";
    /// One that has its data where newer ones have it.
    pub const POSTGRES_18: &str = "postgres:18-alpine";

    /// Busybox as trials name it.
    pub const BUSYBOX: &str = "busybox:1.37";
    /// FluxCode's stand-in.
    pub const FLUXCODE: &str = "duegin/fluxcode:1";
    /// MicroVibe's stand-in.
    pub const MICROVIBE: &str = "registry.example.com/microvibe:1.0";
    /// Prometheus, of Debian's version.
    pub const PROMETHEUS: &str = "prom/prometheus:v3.5.0";
    /// What stands in for Grafana: not the program, but its place.
    pub const GRAFANA: &str = "grafana/grafana:12.2.0";
    /// nginx with the RTMP module.
    pub const NGINX_RTMP: &str = "tiangolo/nginx-rtmp:latest-2024-12-02";
    /// ion-sfu with its JSON-RPC server.
    pub const ION_SFU: &str = "pionwebrtc/ion-sfu:latest-jsonrpc";
    /// What stands in for LiveKit's ingress: it listens as that does, and takes no stream.
    pub const INGRESS: &str = "livekit/ingress:v1.5.0";
    /// What stands in for LiveKit's egress: it is well, and records nothing.
    pub const EGRESS: &str = "livekit/egress:v1.14.1";
    /// What stands in for LiveKit's SIP: it answers `OPTIONS`, and takes no call.
    pub const SIP: &str = "livekit/sip:v1.11.0";
    /// LiveKit's newest version.
    pub const LIVEKIT: &str = "livekit/livekit-server:v1.13.5";
    /// An app that answers with what it was asked.
    pub const ECHO: &str = "stageplot/echo:1";
    /// What a machine with all of a stack runs.
    pub const STACK: [&str; 4] = [Self::CADDY, Self::REDIS, Self::LIVEKIT, Self::ECHO];

    /// Finds an image by the name and tag that rendered files use.
    ///
    /// # Errors
    ///
    /// [`Missing`] where it has not been built.
    pub fn named(name: &str) -> Result<Self, Missing> {
        let archive = directory().join(format!("{}.tar", name.replace(['/', ':'], "_")));
        if archive.is_file() {
            Ok(Self { archive })
        } else {
            Err(Missing::new(format!("the image {name}"), "run tests/images/build".to_owned()))
        }
    }

    /// The image that is run in the place of a service's own, where nobody can have that
    /// here.
    pub fn in_place_of(topology: &Topology, service: &str, image: &str) -> String {
        let mut services = topology.services().iter();
        // What runs before an app runs from its image.
        let is_own =
            |own: &&Service| own.name == *service || own.migration().is_some_and(|name| name == *service);
        match services.find(is_own).map(|service| &service.kind) {
            _ if Self::named(image).is_ok() => image.to_owned(),
            Some(ServiceSpec::App(_)) => Self::ECHO.to_owned(),
            Some(ServiceSpec::Edge(Edge { layer4: true, .. })) => Self::CADDY_L4.to_owned(),
            Some(ServiceSpec::Edge(_)) => Self::CADDY.to_owned(),
            Some(ServiceSpec::Redis(_)) => Self::REDIS.to_owned(),
            Some(ServiceSpec::Postgres(postgres)) => match postgres.major_version() {
                Some(major) if major >= 18 => Self::POSTGRES_18.to_owned(),
                _ => Self::POSTGRES.to_owned(),
            },
            Some(ServiceSpec::Livekit(livekit)) => format!("livekit/livekit-server:v{}", livekit.version),
            Some(ServiceSpec::IonSfu(_)) => Self::ION_SFU.to_owned(),
            Some(ServiceSpec::Rtmp(_)) => Self::NGINX_RTMP.to_owned(),
            Some(ServiceSpec::Ingress(_)) => Self::INGRESS.to_owned(),
            Some(ServiceSpec::Egress(_)) => Self::EGRESS.to_owned(),
            Some(ServiceSpec::Sip(_)) => Self::SIP.to_owned(),
            Some(ServiceSpec::Prometheus(_)) => Self::PROMETHEUS.to_owned(),
            Some(ServiceSpec::Grafana(_)) => Self::GRAFANA.to_owned(),
            _ => image.to_owned(),
        }
    }

    /// The authority that all images trust as one of the public ones: the files of its
    /// certificate and of its key, in PEM.
    ///
    /// # Errors
    ///
    /// [`Missing`] where the images have not been built.
    pub fn authority() -> Result<(PathBuf, PathBuf), Missing> {
        let [certificate, key] = ["authority.crt", "authority.key"].map(|name| directory().join(name));
        match key.is_file() {
            true => Ok((certificate, key)),
            false => Err(Missing::new(
                "the authority of the images".to_owned(),
                "run tests/images/build".to_owned(),
            )),
        }
    }

    /// The archive, as `docker load` takes it.
    pub fn archive(&self) -> &Path {
        &self.archive
    }
}

/// Asks the build for its place, which is a hash of all that goes in: one rule, kept
/// where the images are made.
fn directory() -> &'static Path {
    static DIRECTORY: OnceLock<PathBuf> = OnceLock::new();
    DIRECTORY.get_or_init(|| {
        let build = concat!(env!("CARGO_MANIFEST_DIR"), "/images/build");
        let path = run(Command::new(build).arg("--path"), Duration::from_secs(30));
        // Where the build cannot even say, the machine lacks what it would take.
        PathBuf::from(path.stdout.trim_end())
    })
}
