//! Where what others dial stands: on a machine of the plot, or elsewhere.

use std::net::IpAddr;

use super::survey::{Survey, Told};
use crate::{Code, HostName};

/// Where a database stands.
#[derive(Clone, PartialEq)]
pub(super) enum Seat {
    /// On this machine.
    On(usize),
    /// With somebody else.
    Outside(String),
}

/// The host in a variable such as `REDIS_HOST`, as seen from a machine, where `own` are
/// names of that very machine, and `find` knows the machines by their addresses.
pub(super) fn host(
    text: &str,
    machine: usize,
    own: &[&str],
    find: impl Fn(IpAddr) -> Option<usize>,
) -> Result<Seat, String> {
    if own.contains(&text) {
        return Ok(Seat::On(machine));
    }
    if text.contains(['@', '/']) {
        return Err("write a host name or an address; the password has a variable of its own".to_owned());
    }
    let bare = text.strip_prefix('[').and_then(|t| t.strip_suffix(']')).unwrap_or(text);
    match bare.parse::<IpAddr>().map(|address| address.to_canonical()) {
        Ok(address) if address.is_loopback() => Ok(Seat::On(machine)),
        Ok(address) if address.is_unspecified() || address.is_multicast() => {
            Err(format!("{address} is no address that can be dialled"))
        }
        Ok(address) => match find(address) {
            Some(machine) => Ok(Seat::On(machine)),
            None => Ok(Seat::Outside(address.to_string())),
        },
        Err(_) => match text.parse::<HostName>() {
            Ok(name) => Ok(Seat::Outside(name.to_string())),
            Err(error) => Err(error.to_string()),
        },
    }
}

/// Says where files mean two places for what is one.
pub(super) fn compare(
    survey: &mut Survey,
    what: &str,
    told: &[(&'static str, Told<Seat>)],
    help: impl Fn(&Told<Seat>, &Told<Seat>) -> &'static str,
) {
    let Some(((name, first), others)) = told.split_first() else { return };
    let one = survey.place(first.machine, name);
    for (other_name, other) in others.iter().filter(|(_, other)| other.value != first.value) {
        let two = survey.place(other.machine, other_name);
        let words = |seat: &Seat| match seat {
            Seat::On(machine) => survey.machines[*machine].address.to_string(),
            Seat::Outside(host) => host.clone(),
        };
        let message = format!(
            "{other_name} in {two} means a {what} on {}, and {name} in {one} one on {}",
            words(&other.value),
            words(&first.value)
        );
        survey.add(Code::EnvContradiction, (other.machine, other_name), message, help(first, other));
    }
}
