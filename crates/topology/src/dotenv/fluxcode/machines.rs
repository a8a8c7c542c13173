//! Which machine has which files, and by what addresses it is known.

use std::net::IpAddr;

use crate::dotenv::addresses::{all, is_public, node};
use crate::dotenv::survey::{Machine, Survey};
use crate::{Code, FieldPath, Name, NodeSpec, PublicAddress, Severity};

/// Docker's own names for the machine that a container runs on.
pub(super) const GATEWAYS: &[&str] = &["host.docker.internal", "172.17.0.1"];

/// What a machine runs by its files.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Role {
    /// Postgres and Redis.
    Infra,
    /// Caddy and the application.
    Entry,
    /// The application alone.
    Node,
}

/// The machines, and the files of each.
pub(super) struct Machines {
    hosts: Vec<Host>,
    /// The roles of each file.
    roles: Vec<Vec<Role>>,
}

/// One machine.
struct Host {
    /// The address that it was given by.
    address: IpAddr,
    /// Further ones that its files bind.
    bound: Vec<IpAddr>,
    files: Vec<usize>,
}

impl Host {
    fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        std::iter::once(self.address).chain(self.bound.iter().copied())
    }
}

impl Role {
    /// The roles of a file: its variables say which.
    fn of(machine: &Machine) -> Vec<Self> {
        let has = |name: &str| machine.file.as_ref().is_some_and(|file| file.get(name).is_some());
        let mut names = machine.file.iter().flat_map(|file| file.iter()).map(|(name, _)| name);
        let is_known = |name: &str| super::VARIABLES.iter().any(|known| known.name == name);
        let is_application =
            names.any(|name| is_known(name) && !SHARED.contains(&name) && !INFRA.contains(&name));
        let has_stores = INFRA.iter().any(|name| has(name))
            || !is_application && SHARED.iter().any(|name| *name != "TZ" && has(name));
        let application = match ENTRY.iter().any(|name| has(name)) {
            true => Self::Entry,
            false => Self::Node,
        };
        let infra = has_stores.then_some(Self::Infra);
        infra.into_iter().chain(is_application.then_some(application)).collect()
    }
}

impl Machines {
    /// Sorts the files by machine, and says which are too many.
    pub(super) fn read(survey: &mut Survey) -> Self {
        let help = "a machine runs each service once: leave this file out, or give it by the address of the \
                    machine that it is of";
        survey.refuse_second(help, |machine| {
            let sort = |role: Role| match role {
                Role::Infra => " for Postgres and Redis",
                Role::Entry | Role::Node => " for the application",
            };
            let sorts: Vec<_> = Role::of(machine).into_iter().map(sort).collect();
            if sorts.is_empty() { vec![""] } else { sorts }
        });
        let mut hosts: Vec<Host> = Vec::new();
        for file in survey.everyone() {
            let address = survey.machines[file].address;
            match hosts.iter_mut().find(|host| host.address == address) {
                Some(host) => host.files.push(file),
                None => hosts.push(Host { address, bound: Vec::new(), files: vec![file] }),
            }
        }
        let roles = survey.machines.iter().map(Role::of).collect();
        let mut machines = Self { hosts, roles };
        for name in BINDS {
            machines.bind(survey, name);
        }
        machines
    }

    /// Notes the addresses that a variable binds, which are the machine's own.
    fn bind(&mut self, survey: &mut Survey, name: &'static str) {
        let mut idle = Vec::new();
        for file in survey.everyone() {
            let Some(told) = survey.told(file, name, address) else { continue };
            let address = told.value;
            let is_gateway = GATEWAYS.contains(&address.to_string().as_str());
            if is_gateway || address.is_unspecified() || address.is_loopback() {
                idle.push(file);
                continue;
            }
            let own = self.host_of(file);
            match self.find(address) {
                Some(other) if other != own => {
                    let message = format!(
                        "{address} is another machine's, by {}",
                        survey.machines[self.first(other)].file_name()
                    );
                    let help = "name an address of this very machine";
                    survey.add(Code::EnvContradiction, (file, name), message, help);
                }
                Some(_) => {}
                None => {
                    let message = format!("{address} is an address of {} too", self.hosts[own].address);
                    let help = "nothing to do, if the machine has it";
                    survey.add(Code::EnvInferred, (file, name), message, help);
                    self.hosts[own].bound.push(address);
                }
            }
        }
        if let Some(&first) = idle.first() {
            let message = format!(
                "each service listens where its flows arrive and nowhere else, so {name} sets nothing{}",
                survey.also(&idle)
            );
            survey.add(Code::EnvUnused, (first, name), message, "nothing to do");
        }
    }

    /// How many machines there are.
    pub(super) fn len(&self) -> usize {
        self.hosts.len()
    }

    /// The machine with a file.
    pub(super) fn host_of(&self, file: usize) -> usize {
        self.hosts.iter().position(|host| host.files.contains(&file)).unwrap_or_default()
    }

    /// The machine with an address.
    pub(super) fn find(&self, address: IpAddr) -> Option<usize> {
        self.hosts.iter().position(|host| host.addresses().any(|own| own == address))
    }

    /// The first file of a machine, which stands for it.
    pub(super) fn first(&self, host: usize) -> usize {
        self.hosts[host].files[0]
    }

    /// The files of a role.
    pub(super) fn files(&self, role: Role) -> Vec<usize> {
        (0..self.roles.len()).filter(|&file| self.roles[file].contains(&role)).collect()
    }

    /// The files of the application: first those with Caddy, whose settings come first.
    pub(super) fn applications(&self) -> Vec<usize> {
        [self.files(Role::Entry), self.files(Role::Node)].concat()
    }

    /// The file that makes a machine one of this role.
    pub(super) fn file(&self, host: usize, role: Role) -> Option<usize> {
        self.hosts[host].files.iter().copied().find(|&file| self.roles[file].contains(&role))
    }

    /// The machines of a role.
    pub(super) fn hosts(&self, role: Role) -> Vec<usize> {
        (0..self.len()).filter(|&host| self.file(host, role).is_some()).collect()
    }

    /// A name for each machine, by what it does.
    pub(super) fn names(&self) -> Vec<Name> {
        let has = |host: usize, role| self.file(host, role).is_some();
        let word = |host: usize| match self.len() {
            1 => "main",
            _ if has(host, Role::Entry) => "entry",
            _ if has(host, Role::Infra) => "infra",
            _ if has(host, Role::Node) => "node",
            _ => "spare",
        };
        crate::dotenv::names(&(0..self.len()).map(word).collect::<Vec<_>>())
    }

    /// The machine as the plot has it, without its roles.
    pub(super) fn node(&self, host: usize) -> NodeSpec {
        let host = &self.hosts[host];
        let mut node = node(host.address);
        for &address in &host.bound {
            match address {
                address if is_public(address) => {
                    node.public = Some(node.public.map_or_else(
                        || PublicAddress::from(address),
                        |public| match address {
                            IpAddr::V4(v4) => PublicAddress { v4: public.v4.or(Some(v4)), ..public },
                            IpAddr::V6(v6) => PublicAddress { v6: public.v6.or(Some(v6)), ..public },
                        },
                    ));
                }
                address => node.address.push(address),
            }
        }
        node
    }

    /// Those among these machines that have only private addresses.
    pub(super) fn private(&self, among: &[usize]) -> Vec<usize> {
        let is_private = |host: &usize| !self.hosts[*host].addresses().any(is_public);
        among.iter().copied().filter(is_private).collect()
    }

    /// The addresses of a machine.
    pub(super) fn addresses(&self, host: usize) -> impl Iterator<Item = IpAddr> {
        self.hosts[host].addresses()
    }

    /// Says what runs where, and how to change it.
    pub(super) fn explain(&self, survey: &mut Survey, names: &[Name]) {
        let path = FieldPath::root().key("nodes");
        let how = "to change that, add or take away roles under [nodes]";
        let entries = self.hosts(Role::Entry);
        if let [first, _, ..] = entries.as_slice() {
            // An example file may have been copied to the others whole.
            let message =
                format!("Caddy runs on each machine whose file speaks of it: {}", all(names, &entries));
            let help = "take BIND_HOST, HTTP_PORT, HTTPS_PORT and CADDY_ADDRESS out of the file of a machine \
                        without Caddy";
            let file = self.file(*first, Role::Entry).unwrap_or_default();
            let entry = ENTRY.iter().find(|name| survey.location(file, name).span.is_some());
            let at = (file, *entry.unwrap_or(&ENTRY[0]));
            survey.add_as(Code::EnvInferred, Severity::Warning, at, message, help);
        } else if !entries.is_empty() {
            let message = format!(
                "Caddy and the application run on {}, as its file has variables of Caddy's",
                all(names, &entries)
            );
            survey.findings.add(Code::EnvInferred, path.clone(), message, how);
        }
        let nodes = self.hosts(Role::Node);
        if !nodes.is_empty() {
            let message = format!("the application runs without Caddy on {}", all(names, &nodes));
            survey.findings.add(Code::EnvInferred, path, message, how);
        }
        for (host, name) in names.iter().enumerate() {
            if self.hosts[host].files.iter().all(|&file| self.roles[file].is_empty()) {
                survey.findings.add(
                    Code::EnvMissing,
                    FieldPath::root().key("nodes").key(name.as_str()),
                    format!("{} does not say what runs there", survey.machines[self.first(host)].file_name()),
                    "give another file for the machine, or add roles",
                );
            }
        }
    }
}

/// An address to bind.
fn address(text: &str) -> Result<IpAddr, String> {
    let bare = text.strip_prefix('[').and_then(|text| text.strip_suffix(']')).unwrap_or(text);
    let address = bare.parse::<IpAddr>().map(|address| address.to_canonical());
    address
        .ok()
        .filter(|address| !address.is_multicast())
        .ok_or_else(|| format!("{:?} is no address of a machine", crate::value::shorten(text)))
}

/// The variables that bind a port to an address.
const BINDS: [&str; 4] = ["POSTGRES_BIND_HOST", "REDIS_BIND_HOST", "BIND_HOST", "NODE_BIND_HOST"];

/// What files of Postgres and Redis and of the application have.
const SHARED: &[&str] = &[
    "POSTGRES_USER",
    "POSTGRES_DB",
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "TZ",
    "DOCKER_LOG_MAX_SIZE",
    "DOCKER_LOG_MAX_FILE",
];

/// What only files of Postgres and Redis have.
const INFRA: &[&str] =
    &["POSTGRES_BIND_HOST", "POSTGRES_EXPOSE_PORT", "REDIS_BIND_HOST", "REDIS_EXPOSE_PORT"];

/// What only files of Caddy have.
const ENTRY: &[&str] = &["CADDY_ADDRESS", "HTTP_PORT", "HTTPS_PORT", "BIND_HOST", "CADDY_LB_COOKIE_SECRET"];
