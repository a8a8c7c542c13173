//! `stageplot explain`

use anstream::adapter::strip_str;
use serde::Serialize;
use stageplot_health::Cause;
use stageplot_topology::{Code, Severity};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table::Table;
use crate::{findings, screen};

/// Say what a finding, or the cause of a failed check, means and how to mend it
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The code of a finding, as in `error[port-conflict]`, or a cause that verify names, as
    /// in `failed[refused]`; all are listed without one
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

/// What `--format json` says of a code.
#[derive(Serialize)]
struct Item {
    code: &'static str,
    /// Of a finding, where the plot sets none; a check has an outcome instead.
    #[serde(skip_serializing_if = "Option::is_none")]
    severity: Option<Severity>,
    summary: String,
    /// In Markdown.
    page: &'static str,
}

/// What has a page.
#[derive(Clone, Copy)]
enum Topic {
    Finding(Code),
    Check(Cause),
}

impl Topic {
    /// All of them: what is said of a plot, then what is seen of a stack.
    fn all() -> impl Iterator<Item = Self> + Clone {
        let findings = Code::ALL.iter().copied().map(Self::Finding);
        findings.chain(Cause::ALL.iter().copied().map(Self::Check))
    }

    fn name(self) -> &'static str {
        match self {
            Self::Finding(code) => code.as_str(),
            Self::Check(cause) => cause.as_str(),
        }
    }

    fn page(self) -> &'static str {
        match self {
            Self::Finding(code) => code.page(),
            Self::Check(cause) => cause.page(),
        }
    }

    fn title(self) -> String {
        match self {
            Self::Finding(code) => findings::title(code),
            Self::Check(cause) => cause.title().to_owned(),
        }
    }
}

impl Explain {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        match &self.code {
            Some(name) => self.one(parse(name)?)?,
            None => self.all()?,
        }
        Ok(Exit::Well)
    }

    fn one(&self, topic: Topic) -> Result<(), Failure> {
        match self.format {
            DataFormat::Text => screen::data(&page(topic)),
            DataFormat::Json => screen::json(&Item::from(topic)),
        }
    }

    fn all(&self) -> Result<(), Failure> {
        if self.format == DataFormat::Json {
            let items: Vec<_> = Topic::all().map(Item::from).collect();
            return screen::json(&items);
        }
        let mut table = Table::new(["code", "severity", "what it is"]);
        for topic in Topic::all() {
            let severity = match topic {
                Topic::Finding(code) => code.severity().to_string(),
                Topic::Check(_) => "check".to_owned(),
            };
            table.row([topic.name().to_owned(), severity, topic.title()]);
        }
        screen::data(&table.draw())
    }
}

impl From<Topic> for Item {
    fn from(topic: Topic) -> Self {
        let severity = match topic {
            Topic::Finding(code) => Some(code.severity()),
            Topic::Check(_) => None,
        };
        Self { code: topic.name(), severity, summary: topic.title(), page: topic.page() }
    }
}

/// The page for a terminal: headings in bold, examples indented.
fn page(topic: Topic) -> String {
    let mut text = String::new();
    let mut is_example = false;
    for line in topic.page().lines() {
        let heading = line.trim_start_matches('#');
        match line {
            fence if fence.starts_with("```") => is_example = !is_example,
            "" => text.push('\n'),
            line if is_example => text.push_str(&format!("    {line}\n")),
            line if heading.len() < line.len() => {
                text.push_str(&format!("{BOLD}{}{BOLD:#}\n", heading.trim_start()));
            }
            line => text.push_str(&format!("{line}\n")),
        }
    }
    text
}

/// A code as it is written, alone or as findings and checks show it: `error[NAME]`.
fn parse(text: &str) -> Result<Topic, Failure> {
    let inner = text.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
    let name = inner.unwrap_or(text).to_lowercase().replace('_', "-");
    let known = Topic::all().find(|topic| topic.name() == name);
    known.ok_or_else(|| {
        let known = Topic::all().map(Topic::name);
        let akin: Vec<_> = known.clone().filter(|code| code.contains(&name)).collect();
        let failure =
            Failure::new(format!("no finding and no check has the code {:?}", strip_str(text).to_string()));
        match crate::nearest(&name, known) {
            Some(near) => failure.help(format!("did you mean {near}?")),
            None if !akin.is_empty() => failure.help(format!("there is {}", akin.join(", "))),
            None => failure.help("`stageplot explain` lists all codes"),
        }
    })
}

const BOLD: anstyle::Style = anstyle::Style::new().bold();
