//! The seals file of a plot, and the key.

use std::fs::File;
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use secrecy::ExposeSecret as _;
use stageplot_render::{Renderer, SealKey, Seals};
use stageplot_topology::{
    Code, Document, FieldPath, Findings, Format, SealsSpec, SecretSource as _, Severity, Topology,
};

use crate::failure::Failure;
use crate::secrets::SystemSecrets;

/// Where a plot's seals are.
pub(crate) fn path(seals: &SealsSpec, dir: &Path) -> PathBuf {
    dir.join(&seals.file)
}

/// The seals of a plot: none where it names no file, or where that was not
/// written yet.
pub(crate) fn read(topology: &Topology, dir: &Path) -> Result<Seals, Failure> {
    let Some(spec) = &topology.plot().seals else { return Ok(Seals::default()) };
    let path = path(spec, dir);
    let mut bytes = Vec::new();
    let limit = Document::MAX_SIZE as u64 + 1;
    match File::open(&path).and_then(|file| file.take(limit).read_to_end(&mut bytes)) {
        Ok(_) => {}
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Seals::default()),
        Err(error) => return Err(Failure::read(&path, &error)),
    }
    let seals =
        Document::parse_bytes(Format::Toml, &spec.file, &bytes).and_then(|document| Seals::read(&document));
    seals.map_err(|findings| {
        let first = findings.iter().next().map(|finding| {
            let line = finding.location.span.map_or(1, |span| span.line);
            format!("{}:{line}: {}", path.display(), finding.message)
        });
        Failure::new(first.unwrap_or_else(|| format!("{} cannot be read", path.display())))
            .help("`stageplot seal`, where the secrets and the key are, writes the file anew")
    })
}

/// What there is to say of a plot's seals; where it is rendered with values, also
/// whether they are what was sealed.
pub(crate) fn review(
    topology: &Topology,
    seals: &Seals,
    values: Option<(&Renderer<'_>, &SystemSecrets)>,
) -> Findings {
    let Some(spec) = &topology.plot().seals else { return Findings::new() };
    let Some((renderer, source)) = values else { return seals.review(topology, None) };
    match key(spec, source) {
        Ok(key) => seals.review(topology, renderer.seals(&key).as_ref()),
        // To render takes no key.
        Err(missing) => missing.iter().cloned().fold(seals.review(topology, None), |mut all, mut finding| {
            finding.severity = Severity::Warning;
            finding.message.push_str("; so nobody looked whether secrets are what was sealed");
            all.push(finding);
            all
        }),
    }
}

/// The key that a plot names.
pub(crate) fn key(spec: &SealsSpec, source: &SystemSecrets) -> Result<SealKey, Findings> {
    let (code, why, help) = match source.secret(&spec.key) {
        Ok(value) => match SealKey::parse(value.expose_secret()) {
            Ok(key) => return Ok(key),
            Err(error) => (
                Code::SealKey,
                format!("the value of {} is no key: {error}", spec.key.label()),
                "make one: openssl rand -hex 32",
            ),
        },
        Err(error) => (
            Code::SecretMissing,
            format!("the key of the seals, {}, cannot be had: {error}", spec.key.label()),
            "provide it with the other secrets; `stageplot seal --new-key` makes one",
        ),
    };
    let mut findings = Findings::new();
    findings.add(code, FieldPath::root().key("seals").key("key"), why, help);
    Err(findings)
}
