//! What LiveKit's ingress, egress and SIP are told alike.

use serde::Serialize;
use stageplot_topology::{LogLevel, Port, dial};

use super::Scene;
use super::livekit::redis::{self, Redis};
use crate::RenderError;

/// Keys of all three files. Of one that they do not know they say nothing, so that each is held
/// against their source by a test (`tests/companions`).
#[derive(Serialize)]
pub(super) struct Common<'a> {
    api_key: &'a str,
    api_secret: &'a str,
    ws_url: String,
    redis: Option<Redis<'a>>,
    logging: Logging,
    health_port: u16,
    #[serde(skip_serializing_if = "Option::is_none")]
    prometheus_port: Option<u16>,
}

#[derive(Serialize)]
struct Logging {
    level: LogLevel,
}

impl<'a> Common<'a> {
    /// Of a service whose files are in the directory `config` of its container.
    pub(super) fn new(
        scene: Scene<'a>,
        config: &str,
        level: LogLevel,
        health: Port,
        metrics: Option<Port>,
    ) -> Result<Self, RenderError> {
        // A plot in which any of this is open is refused.
        let (api_key, api_secret) = match scene.topology.livekit_key_of(scene.service.id) {
            Some((name, secret)) => (name, scene.values.get(secret)?),
            None => ("", ""),
        };
        Ok(Self {
            api_key,
            api_secret,
            ws_url: signalling(scene).unwrap_or_default(),
            redis: redis::section(scene, config)?,
            logging: Logging { level },
            health_port: health.number(),
            prometheus_port: metrics.map(Port::number),
        })
    }
}

/// The LiveKit that it asks for rooms: the one beside it, or else one of them, and each of its
/// placements another. Rooms are found through any.
fn signalling(scene: Scene<'_>) -> Option<String> {
    let topology = scene.topology;
    let signal = topology.endpoint_named(topology.livekit_of(scene.service.id)?, "signal")?;
    let own = scene.service.placements.binary_search(&scene.placement.id).unwrap_or(0);
    let at = scene.beside(signal).or_else(|| signal.at.get(own % signal.at.len().max(1)).copied())?;
    Some(format!("ws://{}", dial(topology, scene.placement.id, signal.id, at)?))
}
