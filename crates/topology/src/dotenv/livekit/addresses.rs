//! The addresses that LiveKit tells to clients.

use std::net::IpAddr;

use super::places::Places;
use crate::dotenv::addresses::{all, is_public};
use crate::dotenv::parse::flag;
use crate::dotenv::survey::Survey;
use crate::{Code, FieldPath, Name, Severity};

/// Whether nodes ask a STUN server for their public addresses: where a file
/// says so, and where a node has none and no file says otherwise.
pub(super) fn use_external_ip(
    survey: &mut Survey,
    places: &Places,
    groups: &[&[usize]],
    names: &[Name],
) -> bool {
    const NAME: &str = "USE_EXTERNAL_IP_FOR_CANDIDATES";
    let told = survey.first_agreed(groups, NAME, flag);
    let private = private(survey, &places.livekit);
    let path = FieldPath::root().key("livekit").key("use-external-ip");
    let better = |first: usize| {
        format!(
            "write public = \"ADDRESS\" under [nodes.{}]{}, and take use-external-ip out",
            names[first],
            if private.len() > 1 { " and so on" } else { "" }
        )
    };
    match (told, private.first()) {
        (Some(told), first) if told.value => {
            let message =
                "the scripts never read this; now every LiveKit node asks a STUN server for its address";
            let help = better(*first.unwrap_or(&places.livekit[0]));
            survey.add_as(Code::EnvInferred, Severity::Info, (told.machine, NAME), message, help);
            true
        }
        (Some(told), Some(&first)) => {
            let message = format!(
                "clients send media to {} itself, which has only a private address",
                all(names, &private)
            );
            let help = format!("write public = \"ADDRESS\" under [nodes.{}]", names[first]);
            survey.add(Code::EnvMissing, (told.machine, NAME), message, help);
            false
        }
        (None, Some(&first)) => {
            survey.findings.add(
                Code::EnvInferred,
                path,
                format!(
                    "of {} no public address is known, so LiveKit asks a STUN server for it at each start; \
                     public = \"ADDRESS\" under [nodes.{}] is surer",
                    all(names, &private),
                    names[first],
                ),
                better(first),
            );
            true
        }
        (_, None) => false,
    }
}

/// Those of which no address on the Internet is known.
pub(super) fn private(survey: &Survey, among: &[usize]) -> Vec<usize> {
    let is_private = |m: &usize| !is_public(survey.machines[*m].address) && told(survey, *m).is_none();
    among.iter().copied().filter(is_private).collect()
}

/// The address on the Internet that a machine's file tells LiveKit, where the
/// machine is known by another.
pub(super) fn told(survey: &Survey, machine: usize) -> Option<IpAddr> {
    let told = survey.machines[machine].value(NODE_IP)?.trim().parse().ok()?;
    (is_public(told) && told != survey.machines[machine].address).then_some(told)
}

/// Says what became of the addresses that files tell LiveKit.
pub(super) fn explain_told(survey: &mut Survey, names: &[Name]) {
    for machine in survey.everyone() {
        if survey.machines[machine].value(NODE_IP).is_none() {
            continue;
        }
        let name = &names[machine];
        let (message, help) = match told(survey, machine) {
            Some(_) => (
                format!(
                    "LiveKit's own {NODE_IP} is taken for the public address of {name}, translated to its private one"
                ),
                format!("take bound = false out under [nodes.{name}], if the machine itself has the address"),
            ),
            None => (
                format!("{NODE_IP} tells of {name} no other address on the Internet, so it sets nothing"),
                format!("write public = \"ADDRESS\" under [nodes.{name}], if it has one"),
            ),
        };
        survey.add(Code::EnvInferred, (machine, NODE_IP), message, help);
    }
}

/// LiveKit's variable for the address that it tells to clients.
const NODE_IP: &str = "NODE_IP";
