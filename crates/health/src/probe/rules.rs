//! The firewall of this machine has the plot's table.

use std::process::Stdio;

use tokio::process::Command;

use super::Attempt;
use crate::{Cause, Problem};

/// The table is loaded, with the chains that drop.
pub(super) async fn loaded(attempt: &mut Attempt<'_>, input: bool) -> Result<(), Problem> {
    let table = attempt.scene.topology.firewall_table();
    let mut command = Command::new("nft");
    command.args(["list", "table", "inet", &table]).stdin(Stdio::null()).kill_on_drop(true);
    let output = command
        .output()
        .await
        .map_err(|error| Problem::not_tried(Cause::NotPermitted, format!("nft cannot be run: {error}")))?;
    let said = String::from_utf8_lossy(&output.stderr);
    if !output.status.success() {
        return Err(match said.contains("No such file") {
            true => Problem::failed(Cause::RulesAbsent, format!("there is no table {table} on this machine"))
                .help("load it: nft -f of the bundle's firewall/stageplot.nft"),
            false => {
                let what = format!("nft does not tell: {}", said.trim());
                Problem::not_tried(Cause::NotPermitted, what).help("run this as root")
            }
        });
    }
    let rules = String::from_utf8_lossy(&output.stdout);
    attempt.evidence.note("table", &table);
    attempt.evidence.note("rules", rules.lines().filter(|line| line.contains("goto let_in")).count());
    let mut wanted = vec!["hook forward"];
    if input {
        wanted.push("hook input");
    }
    match wanted.into_iter().find(|hook| !rules.contains(hook)) {
        None => Ok(()),
        Some(hook) => {
            let what = format!("the table {table} of this machine has no chain at its {hook}");
            Err(Problem::failed(Cause::RulesAbsent, what))
        }
    }
}
