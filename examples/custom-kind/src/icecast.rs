//! The kind `icecast`: a table with the fields that an operator of a radio knows.

use serde::Deserialize;
use stageplot_topology::{
    App, CustomKind, EnvValue, HostName, Limits, Opening, Port, Protocol, SecretRef, Source,
};

/// Icecast, from the image of the LibreTime project, which takes its settings
/// from the environment.
#[derive(Deserialize)]
#[serde(
    deny_unknown_fields,
    rename_all = "kebab-case",
    expecting = "{ hostname = \"radio.example.com\", … }"
)]
pub(crate) struct Icecast {
    /// The name that listeners are given in playlists.
    hostname: HostName,
    /// The password of who sends a stream here.
    source_password: SecretRef,
    /// The password of the administration's pages.
    admin_password: SecretRef,
    /// How many may listen at once.
    #[serde(default = "listeners")]
    listeners: u32,
    /// What the container may use.
    #[serde(default)]
    limits: Limits,
}

fn listeners() -> u32 {
    100
}

impl CustomKind for Icecast {
    const NAME: &str = "icecast";

    fn into_app(self) -> Result<App, String> {
        if self.listeners == 0 {
            return Err("nobody may listen\nhelp: set listeners, or take the service out".to_owned());
        }
        let listen = Opening { port: Port::fixed(8000), from: vec![Source::Any], protocol: Protocol::Tcp };
        let env = [
            ("ICECAST_HOSTNAME", EnvValue::from(self.hostname.to_string())),
            ("ICECAST_SOURCE_PASSWORD", self.source_password.into()),
            ("ICECAST_ADMIN_PASSWORD", self.admin_password.into()),
            ("ICECAST_MAX_CLIENTS", self.listeners.to_string().into()),
        ];
        Ok(App {
            image: Some("libretime/icecast:2.4.4".parse().map_err(|error| format!("{error}"))?),
            open: [("listen".parse().map_err(|error| format!("{error}"))?, listen)].into(),
            env: env.into_iter().map(|(name, value)| (name.to_owned(), value)).collect(),
            limits: self.limits,
            ..App::default()
        })
    }
}
