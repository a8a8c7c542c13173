//! The application's variables that are no secrets.

use std::collections::BTreeMap;

use super::app::NAME;
use crate::dotenv::parse;
use crate::dotenv::survey::Survey;
use crate::{Code, EnvValue, FieldPath, Name, Severity};

/// The variables, as they come together.
pub(super) struct Env<'a> {
    survey: &'a mut Survey,
    /// The application's, in the order in which they count.
    files: &'a [usize],
    values: BTreeMap<String, EnvValue>,
    /// Variables that no file sets.
    unset: Vec<&'static str>,
}

/// Whether what a variable says has to be the same everywhere.
#[derive(Clone, Copy)]
enum Likeness {
    /// Nodes that differ contradict each other.
    Same,
    /// A node may differ, but for the plot, which has one value.
    Alike,
}

impl<'a> Env<'a> {
    pub(super) fn new(survey: &'a mut Survey, files: &'a [usize]) -> Self {
        Self { survey, files, values: BTreeMap::new(), unset: Vec::new() }
    }

    /// Sets a variable to a text.
    pub(super) fn text(&mut self, name: &str, text: &str) {
        self.values.insert(name.to_owned(), EnvValue::Text(text.replace('$', "$$")));
    }

    /// Sets a variable to what a service is dialled by.
    pub(super) fn refer(&mut self, name: &str, service: &Name, field: &str) {
        self.values.insert(name.to_owned(), EnvValue::Text(format!("${{{service}.{field}}}")));
    }

    /// The connections that each node may hold to a service.
    pub(super) fn pool(&mut self, name: &'static str, default: u32, service: &Name) -> Option<u32> {
        let told = self.survey.preferred(self.files, name, parse::number);
        if told.is_none() {
            self.unset.push(name);
        }
        match told {
            Some(told) if told.value == 0 => {
                let message = format!(
                    "0 is no limit, so what all nodes hold together cannot be held against what {service} takes"
                );
                let help = format!("write a number, or set pool of [services.{NAME}]");
                self.survey.add_as(Code::EnvChanged, Severity::Warning, (told.machine, name), message, help);
                self.text(name, "0");
                None
            }
            told => {
                self.refer(name, service, "pool");
                Some(told.map_or(default, |told| told.value))
            }
        }
    }

    /// All of them, with those that the Compose files hand on as they are.
    pub(super) fn pass(mut self) -> BTreeMap<String, EnvValue> {
        for &(name, default, likeness) in PASSED {
            let parse = if NUMBERS.contains(&name) { number } else { text };
            let told = match likeness {
                Likeness::Same => self.survey.agreed(self.files, name, parse),
                Likeness::Alike => self.survey.preferred(self.files, name, parse),
            };
            match told {
                Some(told) => self.text(name, &told.value),
                None if default.is_empty() => {}
                None => {
                    self.unset.push(name);
                    self.text(name, default);
                }
            }
        }
        if !self.unset.is_empty() {
            let message = format!(
                "no file sets {}, so the values are those of the Compose files",
                crate::words::listed(&self.unset)
            );
            let path = FieldPath::root().key("services").key(NAME).key("env");
            self.survey.findings.add(Code::EnvInferred, path, message, "change them where they stand");
        }
        self.values
    }
}

fn text(text: &str) -> Result<String, String> {
    match text.contains(char::is_control) {
        true => Err("a line break or a control character cannot be handed on to the container".to_owned()),
        false => Ok(text.to_owned()),
    }
}

fn number(text: &str) -> Result<String, String> {
    parse::number(text).map(|number| number.to_string())
}

/// What the Compose files hand on as it is, and what they say where no file does.
const PASSED: &[(&str, &str, Likeness)] = &[
    ("SERVER_MODE", "release", Likeness::Alike),
    ("RUN_MODE", "standard", Likeness::Same),
    ("WEB_TITLE", "FluxCode", Likeness::Alike),
    ("ADMIN_EMAIL", "admin@fluxcode.local", Likeness::Same),
    ("JWT_EXPIRE_HOUR", "24", Likeness::Same),
    ("DATABASE_MAX_IDLE_CONNS", "10", Likeness::Alike),
    ("REDIS_MIN_IDLE_CONNS", "10", Likeness::Alike),
    ("GEMINI_OAUTH_CLIENT_ID", "", Likeness::Same),
    ("GEMINI_OAUTH_SCOPES", "", Likeness::Same),
    ("GEMINI_QUOTA_POLICY", "", Likeness::Same),
    ("TZ", "Asia/Shanghai", Likeness::Alike),
];

const NUMBERS: &[&str] = &["JWT_EXPIRE_HOUR", "DATABASE_MAX_IDLE_CONNS", "REDIS_MIN_IDLE_CONNS"];
