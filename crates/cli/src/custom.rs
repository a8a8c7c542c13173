//! What the user puts in the place of, or beside, what is rendered: the
//! directory that the plot names as `templates`.
//!
//! Its files are named as templates and take their place; `files/SERVICE/NAME`
//! is added to that service's files. Anything else is an error, since it would
//! be a mistyped name more often than not.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, Read as _};
use std::path::{Path, PathBuf};

use stageplot_render::{Artifact, ArtifactSource, Custom, SourceError, template_names};
use stageplot_topology::{Node, Service, Topology, words};

use crate::failure::Failure;

/// Reads the directory; nothing where the plot names none.
pub(crate) fn read(topology: &Topology, dir: &Path) -> Result<Custom, Failure> {
    let mut custom = Custom::default();
    let Some(templates) = &topology.plot().templates else { return Ok(custom) };
    let dir = dir.join(templates);
    let known = template_names();
    for path in entries(&dir)? {
        let name = name(&path)?;
        if name == FILES {
            custom = custom.source(files(topology, &path)?);
            continue;
        }
        if !known.iter().any(|known| known == name) {
            let failure = Failure::new(format!("{} has the name of no template", path.display()));
            return Err(failure.help(match words::nearest(name, known.iter().map(String::as_str)) {
                Some(near) => format!("did you mean {near}?"),
                None => {
                    format!("templates are {}; files for a service go to {FILES}/SERVICE/", known.join(", "))
                }
            }));
        }
        let bytes = bounded(&path, MAX_TEMPLATE)?;
        let text = String::from_utf8(bytes).map_err(|error| {
            let at = error.utf8_error().valid_up_to();
            Failure::new(format!("{} is not UTF-8: byte {at} is not", path.display()))
                .help("save the template as UTF-8")
        })?;
        custom.templates.insert(name.to_owned(), text);
    }
    Ok(custom)
}

/// Reads `files/SERVICE/NAME`.
fn files(topology: &Topology, dir: &Path) -> Result<Files, Failure> {
    let mut all = Files::default();
    for service in entries(dir)? {
        let of = name(&service)?.to_owned();
        if topology.service_named(&of).is_none() {
            let failure = Failure::new(format!("{} has the name of no service", service.display()));
            let known = topology.services().iter().map(|service| service.name.as_str());
            return Err(match words::nearest(&of, known) {
                Some(near) => failure.help(format!("did you mean {near}?")),
                None => failure.help(format!("the files of a service are in {FILES}/SERVICE/")),
            });
        }
        let mut files = Vec::new();
        for path in entries(&service)? {
            let bytes = bounded(&path, MAX_FILE)?;
            files.push(Artifact::open(name(&path)?, bytes));
        }
        all.0.insert(of, files);
    }
    Ok(all)
}

/// The files of services, by service.
#[derive(Default)]
struct Files(BTreeMap<String, Vec<Artifact>>);

impl ArtifactSource for Files {
    fn of_service(&self, _: &Topology, _: &Node, service: &Service) -> Result<Vec<Artifact>, SourceError> {
        Ok(self.0.get(service.name.as_str()).cloned().unwrap_or_default())
    }
}

/// What is in a directory, in the order of names.
fn entries(dir: &Path) -> Result<Vec<PathBuf>, Failure> {
    let read = || -> io::Result<Vec<PathBuf>> { fs::read_dir(dir)?.map(|entry| Ok(entry?.path())).collect() };
    let mut paths = read().map_err(|error| Failure::read(dir, &error))?;
    paths.sort();
    Ok(paths)
}

fn name(path: &Path) -> Result<&str, Failure> {
    path.file_name()
        .and_then(|name| name.to_str())
        .ok_or_else(|| Failure::new(format!("the name of {} is not UTF-8", path.display())))
}

/// Reads a regular file that is not too big.
fn bounded(path: &Path, limit: u64) -> Result<Vec<u8>, Failure> {
    // Asked before it is opened: opening a pipe would wait for its other end.
    let meta = path.metadata().map_err(|error| Failure::read(path, &error))?;
    if !meta.is_file() {
        return Err(Failure::new(format!("{} is not a file", path.display()))
            .help("take it out of the templates' directory"));
    }
    let mut bytes = Vec::new();
    File::open(path)
        .and_then(|file| file.take(limit + 1).read_to_end(&mut bytes))
        .map_err(|error| Failure::read(path, &error))?;
    if bytes.len() as u64 > limit {
        return Err(Failure::new(format!(
            "{} is too big: it may have {} MiB at most",
            path.display(),
            limit >> 20
        )));
    }
    Ok(bytes)
}

/// The directory with files for services.
const FILES: &str = "files";

/// The most bytes of a template.
const MAX_TEMPLATE: u64 = 1 << 20;

/// The most bytes of a file for a service.
const MAX_FILE: u64 = 16 << 20;
