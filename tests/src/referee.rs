//! Programs as referees: what each says of the file that is for it.

use std::time::Duration;

use crate::installed::Installed;
use crate::process::{Output, run};
use crate::program::Program;
use crate::root::Root;
use crate::scratch::Scratch;
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

/// `nginx -t` of the configuration in a service's file system, by Debian's nginx with its
/// RTMP module. It listens where that says, for a moment.
pub fn nginx_test(station: &Station, root: &Root, nginx: &Program) -> Output {
    let module = "load_module /usr/lib/nginx/modules/ngx_rtmp_module.so;";
    let arguments = ["-e", "stderr", "-t", "-g", module, "-c", "/etc/nginx/stageplot/nginx.conf"];
    run(&mut station.command(root, nginx, &arguments), DEADLINE)
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

/// `ufw.sh` of a node, by ufw with the files of a root; none where the plot has no use for
/// ufw.
pub fn ufw_load(station: &Station, root: &Root) -> Option<Output> {
    if !station.installed().release().join("firewall/ufw.sh").exists() {
        return None;
    }
    root.bind(&station.installed().directory(), "/run/stageplot");
    let mut command = root.command(station.machine(), "sh");
    Some(run(command.arg("/run/stageplot/current/firewall/ufw.sh"), DEADLINE))
}

/// The systemd units of a node by file name.
pub fn units(station: &Station) -> Vec<(String, String)> {
    let bundle = station.installed().bundle();
    let units = bundle.artifacts.iter().filter_map(|artifact| {
        let name = artifact.path.strip_prefix("system/").filter(|name| name.ends_with(".service"))?;
        Some((name.to_owned(), String::from_utf8(artifact.bytes.clone()).expect("text")))
    });
    units.collect()
}

/// `systemd-analyze verify` of units where an operator puts them. Docker, which they name,
/// is another package's: one that does nothing stands in for it.
pub fn systemd_verify(station: &Station, root: &Root, units: &[(String, String)]) -> Output {
    root.write_executable("/usr/bin/docker", "#!/bin/sh\n");
    root.write("/etc/systemd/system/docker.service", "[Service]\nExecStart=/usr/bin/docker\n");
    let mut command = root.command(station.machine(), "systemd-analyze");
    command.arg("verify");
    for (name, unit) in units {
        let path = format!("/etc/systemd/system/{name}");
        root.write(&path, unit);
        command.arg(path);
    }
    run(&mut command, DEADLINE)
}

/// Settings that no network has of its own.
pub const SHARED_SETTINGS: [&str; 3] = ["net.core.rmem_max", "net.core.wmem_max", "vm.overcommit_memory"];

/// The kernel settings of a node, as their file has them.
///
/// # Panics
///
/// If the bundle has no such file.
pub fn kernel_settings(station: &Station) -> String {
    let bundle = station.installed().bundle();
    let file = bundle.artifacts.iter().find(|artifact| artifact.path.starts_with("system/90-"));
    String::from_utf8(file.expect("a file").bytes.clone()).expect("text")
}

/// `sysctl --load` of settings on a node's machine. Those that the kernel has once, for
/// all machines here, are left out.
///
/// # Panics
///
/// If they cannot be written to a file.
pub fn sysctl_load(station: &Station, settings: &str) -> Output {
    let scratch = Scratch::new();
    let own = scratch.path().join("own.conf");
    let is_own =
        |line: &&str| line.starts_with('#') || !SHARED_SETTINGS.iter().any(|key| line.starts_with(key));
    let lines: Vec<_> = settings.lines().filter(is_own).map(|line| format!("{line}\n")).collect();
    std::fs::write(&own, lines.concat()).expect("a file");
    run(station.machine().command("sysctl").arg("--load").arg(own), DEADLINE)
}
