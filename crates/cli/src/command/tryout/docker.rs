//! Docker Compose, which runs a trial.

use std::process::{Command, Stdio};
use std::time::Duration;

use ipnet::{IpNet, Ipv4Net};
use serde::Deserialize;

use super::home::Home;
use crate::failure::Failure;
use crate::process::{self, Bounds};

/// What one question may take, and an end of all containers.
const SOON: Duration = Duration::from_secs(120);

/// What it may take to pull images, beside what is waited for afterwards.
const PULL: Duration = Duration::from_secs(1800);

/// The most that is read of what is printed, in bytes.
const OUTPUT: usize = 4 << 20;

/// The project of a trial.
pub(super) struct Project<'a> {
    name: String,
    home: &'a Home,
}

impl<'a> Project<'a> {
    pub(super) fn new(plot: &str, home: &'a Home) -> Self {
        Self { name: format!("try-{plot}"), home }
    }

    /// Starts all of it, and waits; says whether all is well then.
    pub(super) fn up(&self, wait: Duration) -> Result<bool, Failure> {
        let seconds = wait.as_secs().to_string();
        let words =
            ["up", "--detach", "--force-recreate", "--remove-orphans", "--wait", "--wait-timeout", &seconds];
        let (_, is_well) = run(self.compose().args(words), PULL + wait)?;
        Ok(is_well)
    }

    /// Removes its containers and its network, and its data where that is to go.
    pub(super) fn down(&self, with_data: bool) -> Result<(), Failure> {
        let mut command = self.compose();
        command.args(["down", "--remove-orphans", "--timeout", "5"]);
        if with_data {
            command.arg("--volumes");
        }
        match run(&mut command, SOON)? {
            (_, true) => Ok(()),
            (_, false) => {
                Err(Failure::new("Docker does not take the trial away").help("see what it says above"))
            }
        }
    }

    /// How its Compose is called by hand.
    pub(super) fn command(&self, what: &str) -> String {
        format!("docker compose --project-name {} {what}", self.name)
    }

    fn compose(&self) -> Command {
        let mut command = Command::new("docker");
        command.args(["compose", "--project-name", &self.name, "--project-directory"]);
        command.arg(self.home.stage()).arg("--file").arg(self.home.compose_file());
        command
    }
}

/// The IPv4 networks that Docker has.
pub(super) fn networks() -> Result<Vec<Ipv4Net>, Failure> {
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Network {
        #[serde(rename = "IPAM")]
        ipam: Ipam,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Ipam {
        #[serde(default)]
        config: Option<Vec<Pool>>,
    }
    #[derive(Deserialize)]
    #[serde(rename_all = "PascalCase")]
    struct Pool {
        #[serde(default)]
        subnet: String,
    }
    let (listed, is_well) = run(Command::new("docker").args(["network", "ls", "--quiet"]), SOON)?;
    if !is_well {
        return Err(
            Failure::new("Docker does not answer").help("start it, and see that you may use it: docker ps")
        );
    }
    let ids: Vec<_> = listed.split_whitespace().collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let (shown, _) = run(Command::new("docker").args(["network", "inspect"]).args(ids), SOON)?;
    let networks: Vec<Network> = serde_json::from_str(&shown)
        .map_err(|error| Failure::new(format!("what Docker says of its networks cannot be read: {error}")))?;
    let pools = networks.into_iter().flat_map(|network| network.ipam.config.unwrap_or_default());
    let subnets = pools.filter_map(|pool| pool.subnet.parse::<IpNet>().ok());
    Ok(subnets
        .filter_map(|subnet| match subnet {
            IpNet::V4(v4) => Some(v4),
            IpNet::V6(_) => None,
        })
        .collect())
}

/// What a command prints, and whether it ended well; what it complains of is seen by
/// whoever waits.
fn run(command: &mut Command, deadline: Duration) -> Result<(String, bool), Failure> {
    let bounds = Bounds { deadline, output: OUTPUT };
    let (printed, status) = process::output(command.stdin(Stdio::null()), bounds).map_err(|why| {
        Failure::new(format!("docker {why}")).help("a trial takes Docker with Compose 2.26 or later")
    })?;
    Ok((String::from_utf8_lossy(&printed).into_owned(), status.success()))
}
