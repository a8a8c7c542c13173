//! Text artifacts from templates, each value written by the rules of the file's own format.
//!
//! Templates are [Tera 2](https://keats.github.io/tera/). Where a template says `{{ value }}` the
//! [`Dialect`] writes the value so that the program that reads the file gets exactly its bytes, or
//! rendering fails; a wrong file is never written. A value stands for a whole word and brings its
//! own quotes:
//!
//! ```text
//! requirepass {{ redis.password }}
//! ```
//!
//! A word of several parts is one expression, `{{ "http://" ~ host ~ ":" ~ port }}`. Beyond Tera's
//! own filters there are
//!
//! - `bare`: a name that must stand without quotes, such as a chain in nftables; refused unless it
//!   is made of letters, digits, `_`, `-` and `.`;
//! - `literal`: in a Caddyfile, a value for a setting that expands `{placeholders}`;
//! - `shell`: quotes for a shell, for a command line inside Markdown, say;
//! - `safe`, Tera's own: inserts the text as it is.
//!
//! A value that is null is undefined in the template: false in an `if`, an error where it is
//! written. A variable that is not given at all is an error wherever it is used.
//!
//! Rendering is a function of template and values: there is no clock, environment, file or random
//! number in the language. What one rendering may use up is [`MAX_OUTPUT`] and [`MAX_RANGE`];
//! a chain of includes goes through four templates at most.
//!
//! ```
//! use stageplot_render::template::{Dialect, Template, Templates};
//!
//! let jobs = Template::new("jobs.sh", Dialect::Shell, "backup {{ directory }}\n");
//! let templates = Templates::new([jobs]).expect("it is well-formed");
//! let text = templates.render("jobs.sh", &serde_json::json!({ "directory": "/srv/my data" }))?;
//! assert_eq!(text, "backup '/srv/my data'\n");
//! # Ok::<(), stageplot_render::template::TemplateError>(())
//! ```

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde::Serialize;

mod dialect;
mod engine;
mod error;
mod limits;
mod links;
mod locate;
mod marks;
#[cfg(test)]
mod tests;
mod values;

pub use dialect::Dialect;
use engine::Engine;
pub use error::TemplateError;
pub use limits::{MAX_OUTPUT, MAX_RANGE};

/// A template: its name, its format and its text.
///
/// ```
/// use stageplot_render::template::{Dialect, Template};
///
/// const REDIS: Template = Template::new("redis.conf", Dialect::RedisConf, "port {{ port }}\n");
/// ```
#[derive(Clone, Debug)]
pub struct Template {
    name: Cow<'static, str>,
    dialect: Dialect,
    source: Cow<'static, str>,
}

impl Template {
    /// A template of this crate's or the caller's own, its text usually from `include_str!`.
    pub const fn new(name: &'static str, dialect: Dialect, source: &'static str) -> Self {
        Self { name: Cow::Borrowed(name), dialect, source: Cow::Borrowed(source) }
    }

    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// A template that was read at run time.
    ///
    /// ```
    /// use stageplot_render::template::{Dialect, Template, Templates};
    ///
    /// let own = Template::from_text("units.env".to_owned(), Dialect::Env, "UNITS={{ units".to_owned());
    /// let errors = Templates::new([own]).expect_err("a brace is open");
    /// assert!(errors[0].to_string().starts_with("parse template units.env:1:"));
    /// ```
    pub fn from_text(name: String, dialect: Dialect, source: String) -> Self {
        Self { name: Cow::Owned(name), dialect, source: Cow::Owned(source) }
    }
}

/// All templates, ready to render.
///
/// ```
/// use stageplot_render::template::{Dialect, Template, Templates};
///
/// let templates = Templates::new([Template::new(
///     "redis.conf",
///     Dialect::RedisConf,
///     "port {{ port }}\nrequirepass {{ password }}\n",
/// )])
/// .expect("the template is well-formed");
///
/// let values = serde_json::json!({ "port": 6379, "password": "a \"b\"\n" });
/// assert_eq!(
///     templates.render("redis.conf", &values)?,
///     "port 6379\nrequirepass \"a \\\"b\\\"\\n\"\n",
/// );
/// # Ok::<(), stageplot_render::template::TemplateError>(())
/// ```
#[derive(Clone)]
pub struct Templates {
    engines: BTreeMap<Dialect, Engine>,
    sources: BTreeMap<String, (Dialect, String)>,
}

impl Templates {
    /// Loads templates. Those of one dialect may include and extend each other.
    ///
    /// # Errors
    ///
    /// All that is wrong, not the first alone: two templates of one name, syntax, unknown names,
    /// circles.
    pub fn new(templates: impl IntoIterator<Item = Template>) -> Result<Self, Vec<TemplateError>> {
        let mut sources = BTreeMap::new();
        let mut errors = Vec::new();
        for Template { name, dialect, source } in templates {
            let name = name.into_owned();
            if sources.insert(name.clone(), (dialect, source.into_owned())).is_some() {
                errors.push(TemplateError::Duplicate { name });
            }
        }
        if errors.is_empty() { Self::load(sources) } else { Err(errors) }
    }

    /// Puts other texts in the place of templates of the same name; the dialect stays.
    ///
    /// # Errors
    ///
    /// As for [`new`](Self::new), and for every name that no template has.
    pub(crate) fn with_overrides(
        mut self,
        overrides: BTreeMap<String, String>,
    ) -> Result<Self, Vec<TemplateError>> {
        let known: Vec<String> = self.sources.keys().cloned().collect();
        let mut errors = Vec::new();
        for (name, source) in overrides {
            match self.sources.get_mut(&name) {
                Some((_, old)) => *old = source,
                None => errors.push(TemplateError::NoSuchTemplate { name, known: known.clone() }),
            }
        }
        match (errors.is_empty(), Self::load(self.sources)) {
            (true, loaded) => loaded,
            (false, Ok(_)) => Err(errors),
            (false, Err(more)) => {
                errors.extend(more);
                Err(errors)
            }
        }
    }

    /// Renders a template with these values, a struct or a map.
    ///
    /// # Errors
    ///
    /// [`TemplateError::Unrepresentable`] where the format cannot hold a value, and the errors of
    /// templates that fail; see the variants.
    pub fn render(&self, name: &str, values: &impl Serialize) -> Result<String, TemplateError> {
        let engine = self.engine(name)?;
        let values = tera::Value::try_from_serializable(values)
            .map_err(|error| TemplateError::Values { template: name.into(), why: error.to_string() })?;
        engine.render(name, values)
    }

    fn load(sources: BTreeMap<String, (Dialect, String)>) -> Result<Self, Vec<TemplateError>> {
        let mut by_dialect: BTreeMap<Dialect, BTreeMap<String, String>> = BTreeMap::new();
        for (name, (dialect, source)) in &sources {
            by_dialect.entry(*dialect).or_default().insert(name.clone(), source.clone());
        }
        let mut errors = Vec::new();
        let mut engines = BTreeMap::new();
        for (dialect, sources) in by_dialect {
            match Engine::new(dialect, sources) {
                Ok(engine) => drop(engines.insert(dialect, engine)),
                Err(more) => errors.extend(more),
            }
        }
        if errors.is_empty() { Ok(Self { engines, sources }) } else { Err(errors) }
    }

    fn engine(&self, name: &str) -> Result<&Engine, TemplateError> {
        self.sources.get(name).and_then(|(dialect, _)| self.engines.get(dialect)).ok_or_else(|| {
            TemplateError::NoSuchTemplate { name: name.into(), known: self.sources.keys().cloned().collect() }
        })
    }
}

impl std::fmt::Debug for Templates {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_map().entries(self.sources.iter().map(|(name, (dialect, _))| (name, dialect))).finish()
    }
}

/// The most templates that a chain of `include` and `extends` goes through.
const MAX_CHAIN: usize = 4;
