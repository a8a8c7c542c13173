//! The kind `icecast`: a table with the fields that an operator of a radio knows.

use serde::Deserialize;
use stageplot_topology::{App, CustomKind, HostName, Limits, Opening, Port, SecretRef};

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
        let image = "libretime/icecast:2.4.4".parse().map_err(|error| format!("{error}"))?;
        let app = App::container(image)
            .open("listen", Opening::tcp(Port::fixed(8000)))
            .env("ICECAST_HOSTNAME", self.hostname.to_string())
            .env("ICECAST_SOURCE_PASSWORD", self.source_password)
            .env("ICECAST_ADMIN_PASSWORD", self.admin_password)
            .env("ICECAST_MAX_CLIENTS", self.listeners.to_string());
        Ok(App { limits: self.limits, ..app })
    }
}
