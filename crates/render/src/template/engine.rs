//! One engine for each dialect: the template language, set up so that nothing is inserted raw by
//! mistake and nothing but what was given can be read.

use std::collections::{BTreeMap, BTreeSet};

use tera::{Context, ErrorKind, Kwargs, State, StringInput, Tera, Value};

use super::limits::{self, Bounded};
use super::marks::{self, Form};
use super::values::{find, has_none, holds, without_none};
use super::{Dialect, TemplateError, links, locate};

#[derive(Clone)]
pub(super) struct Engine {
    dialect: Dialect,
    tera: Tera,
    sources: BTreeMap<String, String>,
    /// The variables of each template, with those of the templates it includes and extends.
    variables: BTreeMap<String, BTreeSet<String>>,
    /// Templates that the engine renders by recursion.
    nested: BTreeSet<String>,
}

impl Engine {
    /// Loads all templates of one dialect; finds every template that does not parse at once.
    pub(super) fn new(
        dialect: Dialect,
        sources: BTreeMap<String, String>,
    ) -> Result<Self, Vec<TemplateError>> {
        let mut tera = empty();
        // What hangs from what is settled before the engine follows it, which it does recursively.
        let loaded = match links::too_long(&sources) {
            Some(error) => Err(vec![error]),
            None => tera.add_raw_templates(&sources).map_err(|error| load_errors(&error, &sources)),
        };
        let errors: Vec<_> = sources
            .iter()
            .filter_map(|(name, source)| {
                // The engine stops at the first that does not parse.
                reserved(name, source).or_else(|| loaded.is_err().then(|| syntax(name, source))?)
            })
            .collect();
        match (errors.is_empty(), loaded) {
            (true, Ok(())) => {
                let has_components = tera.get_component_names().next().is_some();
                let nests = |source: &str| has_components || links::nests(source);
                let nested = sources.iter().filter(|(_, source)| nests(source));
                let nested = nested.map(|(name, _)| name.clone()).collect();
                let variables = sources.keys().map(|name| (name.clone(), variables(&tera, name))).collect();
                Ok(Self { dialect, tera, sources, variables, nested })
            }
            (true, Err(others)) => Err(others),
            (false, _) => Err(errors),
        }
    }

    /// The variables that a template uses, with those of the templates it includes and extends.
    pub(super) fn variables(&self, name: &str) -> impl Iterator<Item = &str> {
        self.variables.get(name).into_iter().flatten().map(String::as_str)
    }

    pub(super) fn render(&self, name: &str, values: Value) -> Result<String, TemplateError> {
        let Some(map) = values.as_map() else {
            let why = format!("it is of the type {}", values.name());
            return Err(TemplateError::Values { template: name.into(), why });
        };
        let given = |variable: &str| map.keys().any(|key| key.as_str() == Some(variable));
        if let Some(variable) = self.variables(name).find(|variable| !given(variable)) {
            return Err(self.undefined(name, variable));
        }
        if holds(&values, &marks::holds_mark)
            && let Some(path) = find(&values, &mut String::new(), &marks::holds_mark)
        {
            return Err(TemplateError::Unrepresentable {
                template: name.into(),
                dialect: self.dialect,
                value: Some(path),
                line: 0,
                near: String::new(),
                why: "it holds one of the noncharacters U+FDD0 to U+FDD3, which the renderer reserves",
            });
        }

        let mut context = Context::new();
        let given = if has_none(&values) { without_none(&values) } else { values };
        for (key, value) in given.as_map().into_iter().flatten() {
            let key = key.as_str().map_or_else(|| key.to_string(), str::to_owned);
            context.insert_value(key, value.clone());
        }
        let marked = self.render_marked(name, &context)?;
        self.dialect.assemble(&marked).map_err(|fault| TemplateError::Unrepresentable {
            template: name.into(),
            dialect: self.dialect,
            value: (!fault.value.is_empty())
                .then(|| find(&given, &mut String::new(), &|text| text == fault.value))
                .flatten(),
            line: fault.line,
            near: fault.near,
            why: fault.why,
        })
    }

    fn render_marked(&self, name: &str, context: &Context) -> Result<String, TemplateError> {
        let run = || {
            limits::start();
            let mut out = Bounded::default();
            let done = self.tera.render_to(name, context, &mut out);
            done.map_err(|error| self.render_error(name, &error)).map(|()| out.bytes)
        };
        let bytes = if !self.nested.contains(name) {
            run()?
        } else {
            // Blocks, includes and components are recursion in the engine, with frames of tens of
            // kilobytes; what the limits allow must fit. The memory is reserved, not used.
            std::thread::scope(|scope| {
                let thread = std::thread::Builder::new().stack_size(STACK).spawn_scoped(scope, run);
                match thread {
                    Ok(thread) => thread.join().unwrap_or_else(|panic| std::panic::resume_unwind(panic)),
                    Err(error) => Err(failed(name, &format!("no thread to render on: {error}"))),
                }
            })?
        };
        String::from_utf8(bytes).map_err(|error| failed(name, &error.to_string()))
    }

    /// A variable that is not given at all: the engine would take it for false in an `if`.
    fn undefined(&self, name: &str, variable: &str) -> TemplateError {
        let own = self.sources.get_key_value(name);
        let (template, (line, column)) = own
            .into_iter()
            .chain(self.sources.iter())
            .find_map(|(name, source)| Some((name.clone(), locate::word(source, variable)?)))
            .unwrap_or_else(|| (name.into(), (1, 1)));
        let why = format!("the variable `{variable}` is not among those given");
        TemplateError::Undefined { template, line, column, why }
    }

    fn render_error(&self, name: &str, error: &tera::Error) -> TemplateError {
        if limits::overdrawn() {
            return TemplateError::TooLarge { template: name.into() };
        }
        let ErrorKind::RenderingError(report) = error.kind() else {
            return failed(name, &error.to_string());
        };
        let template = report.filename().to_owned();
        let (line, column) = (report.span().start_line, report.span().start_col + 1);
        let why = report.message().to_owned();
        if why.contains("not defined") || why.contains("undefined") {
            // The engine goes on to list all variables, which says more about us than helps.
            let why = why.split(". Available").next().unwrap_or_default().to_owned();
            return TemplateError::Undefined { template, line, column, why };
        }
        TemplateError::Failed { template, line, column, why }
    }
}

/// An engine without templates.
fn empty() -> Tera {
    let mut tera = Tera::new();
    // Every name ends with the empty string: there is no template without escapes.
    tera.autoescape_on([""]);
    tera.set_escape_fn(marks::mark);
    tera.register_function("range", limits::range);
    tera.register_filter("bare", |text: StringInput, _: Kwargs, _: &State| {
        Value::safe_string(&marks::marked(text.as_str(), Form::Bare))
    });
    tera.register_filter("literal", |text: StringInput, _: Kwargs, _: &State| {
        Value::safe_string(&marks::marked(text.as_str(), Form::Literal))
    });
    // Not marked safe: a command line in a README is quoted for the shell, and then for Markdown.
    tera.register_filter("shell", |text: &str, _: Kwargs, _: &State| shell_word(text));
    tera
}

fn variables(tera: &Tera, name: &str) -> BTreeSet<String> {
    let variables = tera.get_template_variables(name).unwrap_or_default();
    variables.into_iter().map(str::to_owned).collect()
}

fn shell_word(text: &str) -> String {
    let plain = |c: char| c.is_ascii_alphanumeric() || "_./:@+-,=".contains(c);
    if !text.is_empty() && text.chars().all(plain) {
        return text.to_owned();
    }
    format!("'{}'", text.replace('\'', "'\\''"))
}

/// A mark of ours in a template's text.
fn reserved(name: &str, source: &str) -> Option<TemplateError> {
    let at = marks::next_mark(source)?;
    let (line, column) = locate::position(source, at);
    Some(TemplateError::Reserved { template: name.into(), line, column })
}

/// Whether one template parses by itself. What it lacks alone, its companions may have.
fn syntax(name: &str, source: &str) -> Option<TemplateError> {
    let error = Tera::new().add_raw_template(name, source).err()?;
    let ErrorKind::SyntaxError(report) = error.kind() else { return None };
    Some(TemplateError::Syntax {
        template: name.into(),
        line: report.span().start_line,
        column: report.span().start_col + 1,
        why: report.message().to_owned(),
    })
}

fn load_errors(error: &tera::Error, sources: &BTreeMap<String, String>) -> Vec<TemplateError> {
    let at = |template: &str, name: &str| {
        let source = sources.get(template).map_or("", String::as_str);
        locate::literal(source, name).unwrap_or((1, 1))
    };
    match error.kind() {
        ErrorKind::CircularExtend { tpl, inheritance_chain } => {
            let chain = [std::slice::from_ref(tpl), inheritance_chain].concat();
            vec![circle(chain, at)]
        }
        ErrorKind::CircularInclude { include_chain, .. } => vec![circle(include_chain.clone(), at)],
        ErrorKind::MissingParent { current, parent } => {
            let (line, column) = at(current, parent);
            let why = format!("there is no template `{parent}` to extend");
            vec![TemplateError::Unknown { template: current.clone(), line, column, why }]
        }
        // The engine joins its reports of several names into one text.
        _ => {
            let text = error.to_string();
            let found: Vec<_> = text.split("\n\n").filter_map(unknown_from_report).collect();
            if found.is_empty() { vec![failed("", text.lines().next().unwrap_or_default())] } else { found }
        }
    }
}

/// The last link of the chain is the one that closes the circle.
fn circle(chain: Vec<String>, at: impl Fn(&str, &str) -> (usize, usize)) -> TemplateError {
    let (template, target) = match chain.as_slice() {
        [.., template, target] => (template.clone(), target.as_str()),
        _ => (String::new(), ""),
    };
    let (line, column) = at(&template, target);
    TemplateError::Cycle { template, line, column, chain }
}

/// Reads `error: MESSAGE` and ` --> NAME:LINE:COLUMN` back from the engine's report.
fn unknown_from_report(report: &str) -> Option<TemplateError> {
    let mut lines = report.lines();
    let why = lines.next()?.strip_prefix("error: ")?.to_owned();
    let mut place = lines.next()?.trim_start().strip_prefix("--> ")?.rsplitn(3, ':');
    let column = place.next()?.parse().ok()?;
    let line = place.next()?.parse().ok()?;
    Some(TemplateError::Unknown { template: place.next()?.to_owned(), line, column, why })
}

fn failed(template: &str, why: &str) -> TemplateError {
    TemplateError::Failed { template: template.into(), line: 0, column: 0, why: why.to_owned() }
}

const STACK: usize = 256 << 20;
