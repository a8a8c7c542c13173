//! `stageplot explain`

use anstream::adapter::strip_str;
use serde::Serialize;
use stageplot_topology::{Code, Severity, words};

use crate::args::DataFormat;
use crate::exit::Exit;
use crate::failure::Failure;
use crate::table::Table;
use crate::{findings, screen};

/// Say what a finding means and how to mend it
#[derive(clap::Args)]
pub(crate) struct Explain {
    /// The code of a finding, as in `error[port-conflict]`; all are listed without one
    #[arg(value_name = "CODE")]
    code: Option<String>,

    /// How it is printed
    #[arg(long, value_name = "FORMAT", default_value = "text")]
    format: DataFormat,
}

/// What `--format json` says of a code.
#[derive(Serialize)]
struct Item {
    code: Code,
    /// Where the plot sets none.
    severity: Severity,
    summary: String,
    /// In Markdown.
    page: &'static str,
}

impl Explain {
    pub(crate) fn run(&self) -> Result<Exit, Failure> {
        match &self.code {
            Some(name) => self.one(parse(name)?)?,
            None => self.all()?,
        }
        Ok(Exit::Well)
    }

    fn one(&self, code: Code) -> Result<(), Failure> {
        match self.format {
            DataFormat::Text => screen::data(&page(code)),
            DataFormat::Json => screen::json(&Item::from(code)),
        }
    }

    fn all(&self) -> Result<(), Failure> {
        if self.format == DataFormat::Json {
            let items: Vec<_> = Code::ALL.iter().copied().map(Item::from).collect();
            return screen::json(&items);
        }
        let mut table = Table::new(["code", "severity", "what it is"]);
        for &code in Code::ALL {
            table.row([code.to_string(), code.severity().to_string(), findings::title(code)]);
        }
        screen::data(&table.draw())
    }
}

impl From<Code> for Item {
    fn from(code: Code) -> Self {
        Self { code, severity: code.severity(), summary: findings::title(code), page: code.page() }
    }
}

/// The page for a terminal: headings in bold, examples indented.
fn page(code: Code) -> String {
    let mut text = String::new();
    let mut is_example = false;
    for line in code.page().lines() {
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

/// A code as it is written, alone or as findings show it: `error[NAME]`.
fn parse(text: &str) -> Result<Code, Failure> {
    let inner = text.split_once('[').and_then(|(_, rest)| rest.strip_suffix(']'));
    let name = inner.unwrap_or(text).to_lowercase().replace('_', "-");
    name.parse().map_err(|_| {
        let known = Code::ALL.iter().map(|code| code.as_str());
        let akin: Vec<_> = known.clone().filter(|code| code.contains(&name)).collect();
        let failure = Failure::new(format!("no finding has the code {:?}", strip_str(text).to_string()));
        match words::nearest(&name, known) {
            Some(near) => failure.help(format!("did you mean {near}?")),
            None if !akin.is_empty() => failure.help(format!("there is {}", akin.join(", "))),
            None => failure.help("`stageplot explain` lists all codes"),
        }
    })
}

const BOLD: anstyle::Style = anstyle::Style::new().bold();
