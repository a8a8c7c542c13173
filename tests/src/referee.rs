//! Programs as referees: what each says of the file that is for it.

use std::time::Duration;

use crate::installed::Installed;
use crate::process::{Output, run};
use crate::program::Program;
use crate::root::Root;
use crate::stage::Station;

/// What one file may take on a machine that has other work.
const DEADLINE: Duration = Duration::from_secs(60);

/// `caddy validate` of the Caddyfile in a service's file system: it adapts and provisions
/// all of it, reads the certificates, and binds nothing.
pub fn caddy_validate(station: &Station, root: &Root, caddy: &Program) -> Output {
    let arguments = ["validate", "--config", "/etc/caddy/Caddyfile", "--adapter", "caddyfile"];
    // Where the image has it keep what it makes, such as an authority of its own.
    let mut command = station.command(root, caddy, &arguments);
    run(command.env("XDG_DATA_HOME", "/data").env("XDG_CONFIG_HOME", "/config"), DEADLINE)
}

/// `docker compose config` of an installed bundle, as the bundle's README names it; in
/// JSON. It asks no engine.
pub fn compose_config(compose: &Program, installed: &Installed) -> Output {
    let mut command = compose.command();
    command.arg("--project-directory").arg(installed.directory());
    command.arg("--file").arg(installed.release().join("compose.yaml"));
    run(command.args(["config", "--format", "json"]), DEADLINE)
}

/// `nft -f` of a node's table on its machine.
pub fn nft_load(station: &Station) -> Output {
    let file = station.installed().release().join("firewall/stageplot.nft");
    run(station.machine().command("nft").arg("-f").arg(file), DEADLINE)
}

/// `sh -n` of a script: whether it can be read to its end.
pub fn sh_read(station: &Station, script: &str) -> Output {
    let file = station.installed().release().join(script);
    run(station.machine().command("sh").arg("-n").arg(file), DEADLINE)
}
