//! What follows from a mistake of writing, and so is not worth a finding of its
//! own: what is written wrongly is missing as well, and what is missing has no
//! name. The plot is refused in any case.

use crate::document::Value;
use crate::words::nearest;
use crate::{Code, CustomKinds, Diagnostic, Document, FieldPath, Findings, Segment, ServiceSpec};

/// The mistakes of one file, by what they are mistakes in.
pub(super) struct Mistakes<'d> {
    document: &'d Document,
    kinds: &'d CustomKinds,
    /// Where they are.
    paths: Vec<FieldPath>,
    /// The nodes, services and networks that are in doubt.
    owners: Vec<FieldPath>,
}

impl<'d> Mistakes<'d> {
    /// The mistakes that these findings tell of.
    pub(super) fn new(findings: &Findings, document: &'d Document, kinds: &'d CustomKinds) -> Self {
        let paths: Vec<_> = findings.iter().map(|finding| finding.location.path.clone()).collect();
        let misnamed = findings.iter().filter(|finding| finding.code == Code::UnknownField);
        let misnamed = misnamed.flat_map(|finding| meant(&finding.location.path, document, kinds));
        let owners = paths.iter().filter_map(|path| owner_of(path, kinds)).chain(misnamed).collect();
        Self { document, kinds, paths, owners }
    }

    /// Whether a finding only follows from one of them.
    pub(super) fn explain(&self, finding: &Diagnostic) -> bool {
        let path = &finding.location.path;
        match finding.code {
            Code::IdleNode
            | Code::IdleEdge
            | Code::NoWayIn
            | Code::LivekitNeedsRedis
            | Code::TurnCertificate
            | Code::WebhookNoRoute
                if self.are_any_in("services") =>
            {
                true
            }
            Code::EdgeNotPublic | Code::ClearOverInternet if self.are_any_in("nodes") => true,
            Code::AddressOutsideNetworks | Code::SshLockout | Code::SourceElsewhere
                if self.are_any_in("networks") =>
            {
                true
            }
            Code::UnplacedService => self.are_roles_in_doubt(),
            Code::NoRoute if path.segments().first() != Some(&key("nodes")) && self.are_roles_in_doubt() => {
                true
            }
            Code::MissingField if *path == FieldPath::root().key("nodes") => self.are_any_in("nodes"),
            Code::MissingField if path.segments().last() == Some(&key("routes")) => {
                self.are_any_in("services")
            }
            Code::EnvReference => {
                owner_of(path, self.kinds).is_some_and(|owner| self.are_any_at(&owner.key("needs")))
            }
            Code::UnknownName => self.is_name_in_doubt(path),
            code if ABSENCES.contains(&code) => {
                owner_of(path, self.kinds).is_some_and(|owner| self.owners.contains(&owner))
            }
            _ => false,
        }
    }

    fn are_any_in(&self, table: &str) -> bool {
        let table = FieldPath::root().key(table);
        self.owners.iter().any(|owner| owner.parent().as_ref() == Some(&table))
    }

    /// Whether a mistake is at this place or inside.
    fn are_any_at(&self, place: &FieldPath) -> bool {
        self.paths.iter().any(|path| path.segments().starts_with(place.segments()))
    }

    /// Whether a node may have roles that were not read.
    fn are_roles_in_doubt(&self) -> bool {
        let nodes = FieldPath::root().key("nodes");
        let whole = |owner: &FieldPath| {
            owner.parent().as_ref() == Some(&nodes) && (self.paths.contains(owner) || !self.are_any_at(owner))
        };
        let roles = |path: &FieldPath| match path.segments() {
            [Segment::Key(table), _, Segment::Key(field), ..] => {
                table == "nodes" && nearest(field, ["roles"]).is_some()
            }
            [Segment::Key(table)] => table == "nodes",
            _ => false,
        };
        self.owners.iter().any(whole) || self.paths.iter().any(roles)
    }

    /// Whether the name at this place is of something that is in doubt.
    fn is_name_in_doubt(&self, path: &FieldPath) -> bool {
        // A single name may stand where a list is looked for.
        let named = self.document.value(path).or_else(|| self.document.value(&path.parent()?));
        let Some(name) = named.and_then(Value::as_str) else { return false };
        TABLES.iter().any(|table| self.owners.contains(&FieldPath::root().key(*table).key(name)))
    }
}

/// What is meant by a table at the top whose name is nearly a known one.
fn meant(path: &FieldPath, document: &Document, kinds: &CustomKinds) -> Vec<FieldPath> {
    let [Segment::Key(name)] = path.segments() else { return Vec::new() };
    let known = TABLES.iter().chain(ServiceSpec::KINDS).copied().chain(kinds.names());
    match nearest(name, known) {
        Some(table) if TABLES.contains(&table) => {
            let entries = document.value(path).and_then(Value::as_table).map(|table| table.entries());
            let names = entries.unwrap_or_default().iter().map(|entry| &entry.key);
            names.map(|name| FieldPath::root().key(table).key(name)).collect()
        }
        Some(kind) => vec![FieldPath::root().key("services").key(kind)],
        None => Vec::new(),
    }
}

/// The node, service or network that a field is of.
fn owner_of(path: &FieldPath, kinds: &CustomKinds) -> Option<FieldPath> {
    let root = FieldPath::root();
    match path.segments() {
        [Segment::Key(table), Segment::Key(name), ..] if TABLES.contains(&table.as_str()) => {
            Some(root.key(table).key(name))
        }
        [Segment::Key(kind), ..] if ServiceSpec::KINDS.contains(&kind.as_str()) || kinds.has(kind) => {
            Some(root.key("services").key(kind))
        }
        _ => None,
    }
}

fn key(name: &str) -> Segment {
    Segment::Key(name.to_owned())
}

/// The tables whose entries other fields name.
const TABLES: &[&str] = &["nodes", "services", "networks"];

/// Codes that tell of something that is not there.
const ABSENCES: &[Code] = &[
    Code::MissingField,
    Code::NoRoute,
    Code::NoPublicAddress,
    Code::IdleNode,
    Code::IdleEdge,
    Code::NothingToScrape,
    Code::PlainHttp,
    Code::AcmePort,
    Code::AcmeSeveralEdges,
    Code::ImageLacksModule,
    Code::NoPrimary,
    Code::NoPassword,
    Code::LivekitNoKeys,
    Code::LivekitNeedsRedis,
    Code::AppNotStarted,
    Code::PublishOpen,
];
