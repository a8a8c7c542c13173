//! What can be wrong with a template, or with a value that it writes.

use super::{Dialect, limits};

/// A template that cannot be used, or that cannot write what it was given.
///
/// The message fits "failed to {error}" and never contains a value; [`help`](Self::help) says how
/// to mend it. Lines and columns count from 1.
///
/// ```
/// use stageplot_render::template::{Dialect, Template, TemplateError, Templates};
///
/// let templates = Templates::new([Template::new("a.conf", Dialect::Sysctl, "name = {{ name }}\n")]);
/// let error = templates
///     .expect("it is well-formed")
///     .render("a.conf", &serde_json::json!({ "name": "two\nlines" }))
///     .expect_err("a value is the rest of its line");
/// assert!(matches!(error, TemplateError::Unrepresentable { .. }));
/// println!("failed to {error}; {}", error.help());
/// ```
#[non_exhaustive]
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TemplateError {
    /// The template is not written in the template language.
    #[error("parse template {template}:{line}:{column}: {why}")]
    Syntax {
        /// The template's name.
        template: String,
        /// The line of the template.
        line: usize,
        /// The column of that line, in characters.
        column: usize,
        /// What the parser says.
        why: String,
    },
    /// The template uses a filter, function, test, block or template that does not exist.
    #[error("resolve a name in template {template}:{line}:{column}: {why}")]
    Unknown {
        /// The template's name.
        template: String,
        /// The line of the template.
        line: usize,
        /// The column of that line, in characters.
        column: usize,
        /// Which name.
        why: String,
    },
    /// Templates include or extend each other in a circle.
    #[error("follow the includes of template {template}:{line}:{column}: {} is a circle", chain.join(" → "))]
    Cycle {
        /// The template that closes the circle.
        template: String,
        /// The line of the `include` or `extends`.
        line: usize,
        /// The column of that line, in characters.
        column: usize,
        /// The templates, from the first to itself.
        chain: Vec<String>,
    },
    /// The template uses a variable, or a field, that nobody gives it.
    #[error("render template {template}:{line}:{column}: {why}")]
    Undefined {
        /// The template's name.
        template: String,
        /// The line of the template.
        line: usize,
        /// The column of that line, in characters.
        column: usize,
        /// Which variable or field.
        why: String,
    },
    /// The template does something that fails: it divides by zero, loops over a number, throws.
    #[error("render template {template}:{line}:{column}: {why}")]
    Failed {
        /// The template's name.
        template: String,
        /// The line of the template; 0 where the engine names none.
        line: usize,
        /// The column of that line, in characters; 0 where the engine names none.
        column: usize,
        /// What the engine says.
        why: String,
    },
    /// The format cannot hold a value, or not at the place where the template puts it.
    #[error(
        "write {} into the {dialect} {template}, output line {line}{}: {why}",
        name_of(value),
        after(near)
    )]
    Unrepresentable {
        /// The template's name.
        template: String,
        /// The format.
        dialect: Dialect,
        /// The path of the value in what was given to the template (`redis.password`), where one
        /// given value is the refused one.
        value: Option<String>,
        /// The line of the output.
        line: usize,
        /// The template's own text on that line, before the value; other values appear as `…`.
        near: String,
        /// Why, and what could be done.
        why: &'static str,
    },
    /// The template writes or counts without end.
    #[error("render template {template}: it goes beyond {} MiB of output, or beyond {} elements of `range`", limits::MAX_OUTPUT >> 20, limits::MAX_RANGE)]
    TooLarge {
        /// The template's name.
        template: String,
    },
    /// The template's text holds a noncharacter that is reserved for the renderer.
    #[error("load template {template}:{line}:{column}: it holds one of the noncharacters U+FDD0 to U+FDD3")]
    Reserved {
        /// The template's name.
        template: String,
        /// The line of the template.
        line: usize,
        /// The column of that line, in characters.
        column: usize,
    },
    /// There is no template of this name.
    #[error("find a template named {name:?}")]
    NoSuchTemplate {
        /// The name that was asked for, or that an override has.
        name: String,
        /// The names that exist.
        known: Vec<String>,
    },
    /// Two templates have one name.
    #[error("load template {name}: there are two of this name")]
    Duplicate {
        /// The name.
        name: String,
    },
    /// Templates include or extend each other through too many others.
    #[error(
        "follow the includes of template {template}: they go through more than {} templates",
        super::MAX_CHAIN
    )]
    TooDeep {
        /// The template at the start of the chain.
        template: String,
    },
    /// What was given to the template is not a struct or a map, or does not serialise.
    #[error("read the values for template {template}: {why}")]
    Values {
        /// The template's name.
        template: String,
        /// What the serialiser says.
        why: String,
    },
}

impl TemplateError {
    /// The template, and the line and column in it, where it is at one place of one.
    ///
    /// ```
    /// use stageplot_render::template::{Dialect, Template, Templates};
    ///
    /// let broken = Template::new("a.conf", Dialect::Sysctl, "name = {{ name\n");
    /// let errors = Templates::new([broken]).expect_err("it does not end");
    /// let (template, line, _column) = errors[0].place().expect("a place");
    /// assert_eq!(template, "a.conf");
    /// assert!(line >= 1);
    /// ```
    pub fn place(&self) -> Option<(&str, usize, usize)> {
        match self {
            Self::Syntax { template, line, column, .. }
            | Self::Unknown { template, line, column, .. }
            | Self::Cycle { template, line, column, .. }
            | Self::Undefined { template, line, column, .. }
            | Self::Failed { template, line, column, .. }
            | Self::Reserved { template, line, column } => Some((template, *line, *column)),
            Self::Unrepresentable { .. }
            | Self::TooLarge { .. }
            | Self::NoSuchTemplate { .. }
            | Self::Duplicate { .. }
            | Self::TooDeep { .. }
            | Self::Values { .. } => None,
        }
    }

    /// Says how to mend it.
    pub fn help(&self) -> String {
        match self {
            Self::Syntax { .. } => "the template language is Tera 2: https://keats.github.io/tera/docs/; \
                 text with `{{`, `{%` or `{#` of its own goes between `{% raw %}` and `{% endraw %}`"
                .into(),
            Self::Unknown { .. } => {
                "correct the name; templates can include those of their own format alone".into()
            }
            Self::Cycle { .. } => "remove one of the includes".into(),
            Self::Undefined { .. } => "correct the name; a value that may be missing is tested first, \
                 `{% if name is defined %}`, or has a default, `{{ name | default(value=\"…\") }}`"
                .into(),
            Self::Failed { .. } => "correct the expression at this place".into(),
            Self::Unrepresentable { .. } => {
                "choose another value, or put it in another place of the template; \
                 `| safe` writes it as it is, at your own risk"
                    .into()
            }
            Self::TooLarge { .. } => "look for a loop that runs too often".into(),
            Self::Reserved { .. } => "remove the character".into(),
            Self::NoSuchTemplate { known, .. } => format!(
                "a file in the template directory takes the name of a built-in template: {}",
                known.join(", ")
            ),
            Self::Duplicate { .. } => "rename one of them".into(),
            Self::TooDeep { .. } => "join some of these templates".into(),
            Self::Values { .. } => "give the template a struct, or a map with strings as keys".into(),
        }
    }
}

fn name_of(value: &Option<String>) -> String {
    match value {
        Some(path) => format!("the value of `{path}`"),
        None => "a value".into(),
    }
}

fn after(near: &str) -> String {
    if near.is_empty() { String::new() } else { format!(" after `{near}`") }
}
