//! Why the command could not do what it was asked to.

use std::path::Path;

use annotate_snippets::{Group, Level, Renderer};
use stageplot_render::RenderError;
use stageplot_render::template::TemplateError;

use crate::exit::Exit;
use crate::screen;

/// Why the command could not do what it was asked to, and what to do about it.
///
/// What is wrong with a plot is a finding, not a failure.
#[derive(Debug)]
pub(crate) struct Failure {
    message: String,
    help: Option<String>,
    /// The template that it is about, and the line and column in it.
    place: Option<(String, usize, usize)>,
    /// What else is wrong, where several things are at once.
    more: Vec<Self>,
}

impl Failure {
    /// A failure with a message that says what happened and why.
    pub(crate) fn new(message: impl Into<String>) -> Self {
        Self { message: message.into(), help: None, place: None, more: Vec::new() }
    }

    /// Says what to do about it.
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Several failures as one; none where there are none.
    pub(crate) fn several(failures: impl IntoIterator<Item = Self>) -> Option<Self> {
        let mut failures = failures.into_iter();
        let first = failures.next()?;
        Some(Self { more: failures.collect(), ..first })
    }

    /// Calls a path by another name: a copy by that of what was copied.
    pub(crate) fn calling(mut self, path: &Path, name: &str) -> Self {
        let path = path.display().to_string();
        self.message = self.message.replace(&path, name);
        self.help = self.help.map(|help| help.replace(&path, name));
        self.more = self.more.into_iter().map(|more| more.calling(Path::new(&path), name)).collect();
        self
    }

    /// A file that cannot be read.
    pub(crate) fn read(path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("failed to read {}: {}", path.display(), reason(error)))
    }

    /// A file or directory that cannot be written.
    pub(crate) fn write(path: &Path, error: &std::io::Error) -> Self {
        Self::new(format!("failed to write {}: {}", path.display(), reason(error)))
    }

    /// This one and all that is wrong beside it, for programs.
    pub(crate) fn all(&self) -> Vec<&Self> {
        std::iter::once(self).chain(self.more.iter().flat_map(Self::all)).collect()
    }

    /// What happened, and why.
    pub(crate) fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it; empty where nothing is said.
    pub(crate) fn remedy(&self) -> &str {
        self.help.as_deref().unwrap_or_default()
    }

    /// The template that it is about, and the line and column in it.
    pub(crate) fn place(&self) -> Option<(&str, usize, usize)> {
        self.place.as_ref().map(|(template, line, column)| (template.as_str(), *line, *column))
    }

    /// How the command ends.
    pub(crate) fn exit(&self) -> Exit {
        Exit::Failed
    }

    /// The failure as it is shown, with colours.
    pub(crate) fn draw(&self) -> String {
        let mut group = Group::with_title(Level::ERROR.primary_title(&*self.message));
        if let Some(help) = &self.help {
            group = group.element(Level::HELP.message(&**help));
        }
        let first = screen::harmless(Renderer::styled().render(&[group]) + "\n");
        self.more.iter().fold(first, |text, more| text + "\n" + &more.draw())
    }
}

impl From<RenderError> for Failure {
    fn from(error: RenderError) -> Self {
        match error {
            RenderError::Template(error) => error.into(),
            RenderError::Templates(errors) => {
                let failures = errors.into_iter().map(Self::from);
                Self::several(failures).unwrap_or_else(|| Self::new("templates cannot be loaded"))
            }
            other => Self::new(other.to_string()),
        }
    }
}

impl From<TemplateError> for Failure {
    fn from(error: TemplateError) -> Self {
        let place = error.place().map(|(template, line, column)| (template.to_owned(), line, column));
        Self { place, ..Self::new(format!("failed to {error}")).help(error.help()) }
    }
}

/// The system's reason in lower case, without its number.
pub(crate) fn reason(error: &std::io::Error) -> String {
    let text = error.to_string();
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut chars = text.chars();
    // "Is a directory", but not "EOF".
    match (chars.next(), chars.next()) {
        (Some(first), Some(second)) if second.is_lowercase() => {
            first.to_lowercase().chain([second]).chain(chars).collect()
        }
        _ => text.to_owned(),
    }
}
