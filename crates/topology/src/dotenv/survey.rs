//! All machines and their files side by side: what each says, and whether they
//! agree.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;

use super::EnvFile;
use super::stack::Stack;
use super::text::Dotenv;
use super::variables::KnownVariable;
use crate::{Code, Diagnostic, FieldPath, Findings, Location, Severity};

/// The machines in the order of their addresses, and what was found.
pub(super) struct Survey {
    /// Whose files they are.
    pub(super) stack: Stack,
    pub(super) machines: Vec<Machine>,
    pub(super) findings: Findings,
    /// Variables that had only placeholders somewhere, which was said.
    pub(super) forgotten: BTreeSet<&'static str>,
}

/// A machine by its file, or one that a file names. FluxCode's has a file for each
/// of its roles.
pub(super) struct Machine {
    pub(super) address: IpAddr,
    pub(super) file: Option<Dotenv>,
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
    /// Reads all files.
    pub(super) fn new(files: &[EnvFile<'_>]) -> Self {
        let mut findings = Findings::new();
        if files.is_empty() {
            let help = "name a machine's address and its file: ADDRESS=FILE";
            findings.add(Code::MissingField, FieldPath::root(), "no .env file was given", help);
        }
        let mut machines = Vec::new();
        for file in files {
            let address = file.address.to_canonical();
            if address.is_unspecified() || address.is_loopback() || address.is_multicast() {
                findings.add(
                    Code::InvalidValue,
                    FieldPath::root().key(file.name),
                    format!("{address} is no address that another machine can dial"),
                    "name the machine by the address that the other files have for it",
                );
                continue;
            }
            let (env, found) = Dotenv::read(file.name, file.text);
            findings.append(found);
            machines.push(Machine { address, file: Some(env) });
        }
        machines
            .sort_by(|one, other| (one.address, one.file_name()).cmp(&(other.address, other.file_name())));
        let stack = Stack::of(&machines, &mut findings);
        let mut survey = Self { stack, machines, findings, forgotten: BTreeSet::new() };
        survey.refuse_leaks();
        survey
    }

    /// Leaves out what was given for a machine that has a file of the same sort
    /// already.
    pub(super) fn refuse_second(&mut self, help: &str, sorts: impl Fn(&Machine) -> Vec<&'static str>) {
        let mut given: BTreeMap<(IpAddr, &str), String> = BTreeMap::new();
        let mut kept = Vec::new();
        for machine in std::mem::take(&mut self.machines) {
            let file = machine.file_name().to_owned();
            let sorts = sorts(&machine);
            let second = sorts.iter().find_map(|sort| Some((sort, given.get(&(machine.address, sort))?)));
            if let Some((sort, other)) = second {
                self.findings.add(
                    Code::DuplicateAddress,
                    FieldPath::root().key(&file),
                    format!("{} was given {other}{sort} already", machine.address),
                    help,
                );
                continue;
            }
            given.extend(sorts.into_iter().map(|sort| ((machine.address, sort), file.clone())));
            kept.push(machine);
        }
        self.machines = kept;
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
        debug_assert!(self.stack.find(name).is_some(), "{name} is not in the table");
        let raw = self.machines[machine].value(name)?.to_owned();
        let is_secret = self.stack.find(name).is_some_and(KnownVariable::is_secret);
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

    /// What the first of these machines says that says anything, for all of them. A
    /// finding names who says something else.
    pub(super) fn preferred<T: PartialEq>(
        &mut self,
        among: &[usize],
        name: &'static str,
        parse: impl Fn(&str) -> Result<T, String>,
    ) -> Option<Told<T>> {
        let told: Vec<_> = among.iter().filter_map(|&machine| self.told(machine, name, &parse)).collect();
        if let Some(other) = told.iter().skip(1).find(|other| other.value != told[0].value) {
            let message =
                format!("{}; the first counts for all machines", self.differing(name, &told[0], other));
            let help =
                "nothing to do, if it may; else write a service of its own for the machine that differs";
            self.add_as(Code::EnvChanged, Severity::Warning, (other.machine, name), message, help);
        }
        told.into_iter().next()
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
        let message = self.differing(name, first, second);
        let help = "make the files agree, or take it out of the one that is wrong";
        self.add(Code::EnvContradiction, (second.machine, name), message, help);
    }

    /// What two lines say, in words.
    fn differing<T>(&self, name: &str, first: &Told<T>, second: &Told<T>) -> String {
        let (one, two) = (self.place(first.machine, name), self.place(second.machine, name));
        // An address may hold a password, and a secret is one.
        let shown = !self.stack.find(name).is_none_or(KnownVariable::is_secret)
            && [first, second].iter().all(|told| !told.raw.contains(['@', '?']));
        match shown {
            true => {
                let (first, second) = (crate::value::shorten(&first.raw), crate::value::shorten(&second.raw));
                format!("{name} is {first:?} in {one}, and {second:?} in {two}")
            }
            false => format!("{name} has one value in {one}, and another in {two}"),
        }
    }

    /// Refuses variables that would carry a secret's value into the plot.
    fn refuse_leaks(&mut self) {
        let stack = self.stack;
        let is_secret = |name: &str| stack.find(name).is_some_and(KnownVariable::is_secret);
        let mut leaks = Vec::new();
        for (index, machine) in self.machines.iter().enumerate() {
            for (name, variable) in machine.file.iter().flat_map(|file| file.iter()) {
                let secret = variable.sources().find(|source| is_secret(source));
                if let Some(secret) = secret.filter(|_| !is_secret(name) && stack.find(name).is_some()) {
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

    /// Adds the machines among these that no file was given for.
    pub(super) fn add_machines(&mut self, addresses: impl IntoIterator<Item = IpAddr>) {
        for address in addresses {
            if self.machines.iter().all(|machine| machine.address != address) {
                self.machines.push(Machine { address, file: None });
            }
        }
        self.machines.sort_by_key(|machine| machine.address);
    }
}
