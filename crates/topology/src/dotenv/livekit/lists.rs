//! The lists of LiveKit machines that files hold.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use crate::dotenv::parse::host_and_port;
use crate::dotenv::survey::Survey;
use crate::{Code, Severity};

/// The LiveKit machines by `NODES` and by `CADDY_UPSTREAM` of every file.
pub(super) struct Lists(Vec<[Option<List>; 2]>);

/// Machines by address.
#[derive(Clone, PartialEq)]
pub(super) struct List {
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Whether it names nothing but `localhost`.
    pub(super) is_local: bool,
}

impl Lists {
    /// Reads the lists, and adds the machines that are known by these alone.
    pub(super) fn read(survey: &mut Survey) -> Self {
        let mut lists = BTreeMap::new();
        for machine in survey.everyone() {
            let own = survey.machines[machine].address;
            let read = ["NODES", "CADDY_UPSTREAM"].map(|name| {
                let (list, port) = survey.told(machine, name, |text| list(text, own))?.value;
                if let Some(port) = port {
                    survey.add_as(
                        Code::EnvChanged,
                        Severity::Warning,
                        (machine, name),
                        format!("the scripts' LiveKit never listened on port {port}, only on 7880"),
                        "set port in [livekit], if all machines are to use another",
                    );
                }
                Some(list)
            });
            lists.insert(own, read);
        }
        let named: BTreeSet<_> =
            lists.values().flatten().flatten().flat_map(|list| list.addresses.iter().copied()).collect();
        survey.add_machines(named);
        let of = |address| lists.remove(address).unwrap_or_default();
        Self(survey.machines.iter().map(|machine| &machine.address).map(of).collect())
    }

    /// What `NODES` of a machine's file lists.
    pub(super) fn nodes(&self, machine: usize) -> Option<&List> {
        self.0[machine][0].as_ref()
    }

    /// What `CADDY_UPSTREAM` of a machine's file lists.
    pub(super) fn upstream(&self, machine: usize) -> Option<&List> {
        self.0[machine][1].as_ref()
    }

    /// Whether any file has a list.
    pub(super) fn are_any(&self) -> bool {
        self.0.iter().flatten().any(Option::is_some)
    }

    /// What Caddy's own lists name.
    pub(super) fn upstreams(&self) -> impl Iterator<Item = &List> {
        self.0.iter().filter_map(|[_, upstream]| upstream.as_ref())
    }
}

/// Reads addresses with commas or spaces between; and a port that differs from
/// LiveKit's, where one is written.
fn list(text: &str, own: IpAddr) -> Result<(List, Option<u16>), String> {
    let mut addresses = BTreeSet::new();
    let (mut is_local, mut stray) = (true, None);
    for word in text.split([',', ';', ' ', '\t']).filter(|word| !word.is_empty()) {
        let (host, port) = host_and_port(word);
        stray = stray.or(port.filter(|&port| port != 7880));
        if host == "localhost" {
            addresses.insert(own);
            continue;
        }
        let address = host.parse::<IpAddr>().map(|address| address.to_canonical());
        let usable = address.as_ref().is_ok_and(|a| !a.is_unspecified() && !a.is_multicast());
        let Ok(address) = address.map_err(drop).and_then(|a| usable.then_some(a).ok_or(())) else {
            return Err(format!("{:?} is not the address of a machine", crate::value::shorten(word)));
        };
        if address.is_loopback() {
            addresses.insert(own);
        } else {
            is_local &= address == own;
            addresses.insert(address);
        }
    }
    if addresses.is_empty() {
        return Err("the list names no machine".to_owned());
    }
    Ok((List { addresses, is_local }, stray))
}
