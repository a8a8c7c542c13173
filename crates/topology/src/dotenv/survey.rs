//! All machines and their files side by side: what each says, and whether they
//! agree.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::text::Dotenv;
use super::variables::KnownVariable;
use super::{EnvFile, placeholder};
use crate::{Code, Diagnostic, FieldPath, Findings, Location, Severity};

/// The machines in the order of their addresses, and what was found.
pub(super) struct Survey {
    pub(super) machines: Vec<Machine>,
    pub(super) findings: Findings,
    /// Variables that had only placeholders somewhere, which was said.
    pub(super) forgotten: BTreeSet<&'static str>,
}

/// A machine: one whose file was given, or one that a file names.
pub(super) struct Machine {
    pub(super) address: IpAddr,
    pub(super) file: Option<Dotenv>,
    /// The LiveKit machines by `NODES`.
    pub(super) nodes: Option<List>,
    /// The LiveKit machines by `CADDY_UPSTREAM`.
    pub(super) upstream: Option<List>,
}

/// Machines by address.
#[derive(Clone, PartialEq)]
pub(super) struct List {
    pub(super) addresses: BTreeSet<IpAddr>,
    /// Whether it names nothing but `localhost`.
    pub(super) is_local: bool,
}

/// A value and the line that says it.
pub(super) struct Told<T> {
    pub(super) value: T,
    pub(super) machine: usize,
    raw: String,
}

impl Machine {
    /// The name of its file.
    pub(super) fn file_name(&self) -> &str {
        self.file.as_ref().map_or("", Dotenv::name)
    }

    /// The value of a variable, where it is set and not empty.
    pub(super) fn value(&self, name: &str) -> Option<&str> {
        let value = self.file.as_ref()?.get(name)?.value();
        (!value.is_empty()).then_some(value)
    }
}

impl Survey {
    /// Reads all files, and finds the machines that they name.
    pub(super) fn new(files: &[EnvFile<'_>]) -> Self {
        let mut survey = Self { machines: Vec::new(), findings: Findings::new(), forgotten: BTreeSet::new() };
        if files.is_empty() {
            let help = "name a machine's address and its file: ADDRESS=FILE";
            survey.findings.add(Code::MissingField, FieldPath::root(), "no .env file was given", help);
        }
        let mut names: BTreeMap<IpAddr, String> = BTreeMap::new();
        for file in files {
            let address = file.address.to_canonical();
            let path = FieldPath::root().key(file.name);
            if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
                survey.findings.add(
                    Code::InvalidValue,
                    path,
                    format!("{address} is no address that another machine can dial"),
                    "name the machine by the address that the other files have for it",
                );
                continue;
            }
            if let Some(other) = names.insert(address, file.name.to_owned()) {
                survey.findings.add(
                    Code::DuplicateAddress,
                    path,
                    format!("{address} was given {other} already"),
                    "give each machine one file",
                );
                continue;
            }
            let (env, findings) = Dotenv::read(file.name, file.text);
            survey.findings.append(findings);
            survey.machines.push(Machine { address, file: Some(env), nodes: None, upstream: None });
        }
        survey.machines.sort_by_key(|machine| machine.address);
        survey.refuse_leaks();
        placeholder::forget(&mut survey);
        survey.read_lists();
        survey
    }

    /// All machines.
    pub(super) fn everyone(&self) -> Vec<usize> {
        (0..self.machines.len()).collect()
    }

    /// Where a variable of a machine stands.
    pub(super) fn location(&self, machine: usize, name: &str) -> Location {
        match &self.machines[machine].file {
            Some(file) => file.location(name),
            None => Location { path: FieldPath::root(), span: None },
        }
    }

    /// A variable's place in words: `media.env line 3`.
    pub(super) fn place(&self, machine: usize, name: &str) -> String {
        let file = self.machines[machine].file_name();
        match self.location(machine, name).span {
            Some(span) => format!("{file} line {}", span.line),
            None => file.to_owned(),
        }
    }

    /// The other files of these machines, to end a message about the first with.
    pub(super) fn also(&self, machines: &[usize]) -> String {
        let mut files: Vec<_> = machines.iter().map(|&machine| self.machines[machine].file_name()).collect();
        let first = files.first().copied();
        files.retain(|file| Some(*file) != first);
        files.sort_unstable();
        files.dedup();
        match files.as_slice() {
            [] => String::new(),
            [one] => format!(" (in {one} as well)"),
            [one, rest @ ..] => format!(" (in {one} and {} more as well)", rest.len()),
        }
    }

    /// Adds a finding about a variable.
    pub(super) fn add(
        &mut self,
        code: Code,
        (machine, name): (usize, &str),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.add_as(code, code.severity(), (machine, name), message, help);
    }

    /// Adds a finding about a variable that matters more or less than usual.
    pub(super) fn add_as(
        &mut self,
        code: Code,
        severity: Severity,
        (machine, name): (usize, &str),
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        let location = self.location(machine, name);
        let finding = Diagnostic::new(code, FieldPath::root(), message, help);
        self.findings.push(Diagnostic { location, severity, ..finding });
    }

    /// What one machine says.
    pub(super) fn told<T>(
        &mut self,
        machine: usize,
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Told<T>> {
        debug_assert!(KnownVariable::find(name).is_some(), "{name} is not in the table");
        let raw = self.machines[machine].value(name)?.to_owned();
        let is_secret = KnownVariable::find(name).is_some_and(KnownVariable::is_secret);
        // A space around a value in quotes means nothing but in a secret.
        let text = if is_secret { raw.as_str() } else { raw.trim() };
        match parse(text) {
            Ok(value) => Some(Told { value, machine, raw }),
            Err(message) => {
                self.add(
                    Code::InvalidValue,
                    (machine, name),
                    message,
                    "mend it, or take it out for the default",
                );
                None
            }
        }
    }

    /// What all of these machines say that say anything. Where two differ, a
    /// finding names both.
    pub(super) fn agreed<T: PartialEq>(
        &mut self,
        among: &[usize],
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Told<T>> {
        let told: Vec<_> = among.iter().filter_map(|&machine| self.told(machine, name, &parse)).collect();
        for other in told.iter().skip(1).filter(|other| other.value != told[0].value) {
            self.contradiction(name, &told[0], other);
        }
        told.into_iter().next()
    }

    /// What the first of these groups says in which anybody says anything; the others
    /// may not contradict it.
    pub(super) fn first_agreed<T: PartialEq>(
        &mut self,
        groups: &[&[usize]],
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Told<T>> {
        let mut asked = BTreeSet::new();
        let all = groups.iter().copied().flatten().copied();
        let among: Vec<_> = all.filter(|&machine| asked.insert(machine)).collect();
        self.agreed(&among, name, parse)
    }

    /// The findings, where one that is the same in several files is told once.
    pub(super) fn findings(self) -> Findings {
        let mut told: Vec<Diagnostic> = Vec::new();
        let mut further: Vec<usize> = Vec::new();
        for finding in &self.findings {
            let is_same = |other: &Diagnostic| {
                (other.code, other.severity, &other.message, &other.help)
                    == (finding.code, finding.severity, &finding.message, &finding.help)
            };
            match told.iter().position(is_same).filter(|_| finding.code == Code::EnvChanged) {
                Some(first) => further[first] += 1,
                None => {
                    told.push(finding.clone());
                    further.push(0);
                }
            }
        }
        let mut findings = Findings::new();
        for (mut finding, further) in told.into_iter().zip(further) {
            match further {
                0 => {}
                1 => finding.message.push_str(" (in one file more as well)"),
                more => finding.message.push_str(&format!(" (in {more} files more as well)")),
            }
            findings.push(finding);
        }
        findings
    }

    /// Says that two lines contradict each other.
    pub(super) fn contradiction<T>(&mut self, name: &'static str, first: &Told<T>, second: &Told<T>) {
        let (one, two) = (self.place(first.machine, name), self.place(second.machine, name));
        // An address may hold a password, and a secret is one.
        let shown = !KnownVariable::find(name).is_none_or(KnownVariable::is_secret)
            && [first, second].iter().all(|told| !told.raw.contains(['@', '?']));
        let message = match shown {
            true => {
                let (first, second) = (crate::value::shorten(&first.raw), crate::value::shorten(&second.raw));
                format!("{name} is {first:?} in {one}, and {second:?} in {two}")
            }
            false => format!("{name} has one value in {one}, and another in {two}"),
        };
        let help = "make the files agree, or take it out of the one that is wrong";
        self.add(Code::EnvContradiction, (second.machine, name), message, help);
    }

    /// Refuses variables that would carry a secret's value into the plot.
    fn refuse_leaks(&mut self) {
        let is_secret = |name: &str| KnownVariable::find(name).is_some_and(KnownVariable::is_secret);
        let mut leaks = Vec::new();
        for (index, machine) in self.machines.iter().enumerate() {
            for (name, variable) in machine.file.iter().flat_map(|file| file.iter()) {
                let secret = variable.sources().find(|source| is_secret(source));
                if let Some(secret) =
                    secret.filter(|_| !is_secret(name) && KnownVariable::find(name).is_some())
                {
                    leaks.push((index, name.to_owned(), secret.to_owned()));
                }
            }
        }
        for (machine, name, secret) in leaks {
            let message = format!("{name} is put together from {secret}, which a plot must not hold");
            self.add(Code::InvalidValue, (machine, &name), message, "write a value without the secret");
            if let Some(file) = &mut self.machines[machine].file {
                file.remove(&name);
            }
        }
    }

    /// Reads the lists of LiveKit machines, and adds the machines that are
    /// known by these alone.
    fn read_lists(&mut self) {
        let mut named = BTreeSet::new();
        for machine in self.everyone() {
            let own = self.machines[machine].address;
            let [nodes, upstream] = ["NODES", "CADDY_UPSTREAM"].map(|name| {
                let list = self.told(machine, name, |text| list(text, own))?.value;
                if let Some(port) = list.1 {
                    self.add_as(
                        Code::EnvChanged,
                        Severity::Warning,
                        (machine, name),
                        format!("the scripts' LiveKit never listened on port {port}, only on 7880"),
                        "set port in [livekit], if all machines are to use another",
                    );
                }
                named.extend(list.0.addresses.iter().copied());
                Some(list.0)
            });
            self.machines[machine].nodes = nodes;
            self.machines[machine].upstream = upstream;
        }
        for address in named {
            if self.machines.iter().all(|machine| machine.address != address) {
                self.machines.push(Machine { address, file: None, nodes: None, upstream: None });
            }
        }
        self.machines.sort_by_key(|machine| machine.address);
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

/// Splits a port off a host or an address, where one is written.
pub(super) fn host_and_port(word: &str) -> (&str, Option<u16>) {
    let (host, port) = match word.rsplit_once(':') {
        // More colons are an IPv6 address of its own, unless it is in brackets.
        Some((host, port)) if !host.contains(':') || host.ends_with(']') => match port.parse() {
            Ok(port) => (host, Some(port)),
            Err(_) => (word, None),
        },
        _ => (word, None),
    };
    (host.strip_prefix('[').and_then(|h| h.strip_suffix(']')).unwrap_or(host), port)
}
