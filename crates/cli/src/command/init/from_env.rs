//! `stageplot init --from-env`

use std::collections::BTreeSet;
use std::fs::File;
use std::io::Read as _;
use std::net::IpAddr;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use stageplot_topology::dotenv::{self, Dotenv, EnvFile, Meaning, Stack};
use stageplot_topology::{Code, Diagnostic, FieldPath, Findings, Redacted, Segment, Severity, words};

use super::Draft;
use crate::failure::Failure;
use crate::findings::{self, Source};
use crate::screen;
use crate::secrets::random;

/// A machine and its `.env` file.
#[derive(Clone, Debug)]
pub(super) struct Machine {
    address: IpAddr,
    file: PathBuf,
}

impl FromStr for Machine {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (address, file) = text.split_once('=').ok_or(
            "write the machine's address, =, and its file: 192.168.1.1=front.env; a directory to write to \
                    stands before the option: stageplot init DIR --from-env 192.168.1.1=front.env",
        )?;
        let address = address.parse().map_err(|_| {
            format!("{address:?} is not an IP address; write the machine's own, by which others reach it")
        })?;
        match file {
            "" => Err("the file is missing after =".to_owned()),
            _ => Ok(Self { address, file: file.into() }),
        }
    }
}

/// The plot that the machines' files describe, all that is to be said of it
/// said; nothing where they contradict each other.
pub(super) fn draft(machines: &[Machine]) -> Result<Option<Draft>, Failure> {
    let texts = machines.iter().map(Text::read).collect::<Result<Vec<_>, _>>()?;
    let files: Vec<_> = texts
        .iter()
        .map(|text| EnvFile { address: text.address, name: &text.name, text: &text.text })
        .collect();
    let mut imported = match dotenv::import(&files) {
        Ok(imported) => imported,
        Err(findings) => {
            tell(&findings, &texts, None);
            return Ok(None);
        }
    };
    tell(&imported.findings, &texts, Some(imported.stack));
    let plot = imported.plot.to_toml().map_err(|error| Failure::new(error.to_string()))?;
    let open: Vec<_> = imported.secrets.open().map(str::to_owned).collect();
    for name in &open {
        imported.secrets.make(name, random()?);
    }
    Ok(Some(Draft {
        plot: format!(
            "# Made by `stageplot init` from {}.\n\n{}",
            names(&texts).replace(char::is_control, "?"),
            with_access(&plot)
        ),
        secrets: (!imported.secrets.is_empty()).then(|| imported.secrets.render()),
        made: open,
        missing: imported.secrets.missing().map(str::to_owned).collect(),
        has_warnings: imported.findings.iter().any(|finding| finding.severity == Severity::Warning),
        told: missing(&imported.findings),
        imported: true,
    }))
}

/// The fields of the plot that lack something.
fn missing(findings: &Findings) -> Vec<FieldPath> {
    let missing = findings.iter().filter(|finding| finding.code == Code::EnvMissing);
    missing.map(|finding| finding.location.path.clone()).collect()
}

/// The plot with the operator's way in written out, which has its default.
fn with_access(plot: &str) -> String {
    if let Some((before, rest)) = plot.split_once(TABLE) {
        return format!("{before}{TABLE}{SSH}{rest}");
    }
    match plot.split_once("\n[") {
        Some((before, tables)) => format!("{before}{TABLE}{SSH}\n[{tables}"),
        None => format!("{plot}{TABLE}{SSH}"),
    }
}

const TABLE: &str = "\n[access]\n";
const SSH: &str = r#"# Your own way in, never closed; better than any: your own addresses.
ssh = { port = 22, from = "any" }
"#;

/// The files' names, each once.
fn names(texts: &[Text]) -> String {
    let names: BTreeSet<_> = texts.iter().map(|text| text.name.as_str()).collect();
    words::listed(&names.into_iter().collect::<Vec<_>>())
}

/// A file's text.
struct Text {
    address: IpAddr,
    name: String,
    text: String,
    /// Without values that are, or may be, secrets.
    redacted: Redacted,
}

impl Text {
    fn read(machine: &Machine) -> Result<Self, Failure> {
        let path = machine.file.as_path();
        let mut bytes = Vec::new();
        // One more than an import takes, which then says so.
        let limit = Dotenv::MAX_TEXT as u64 + 1;
        File::open(path)
            .and_then(|file| file.take(limit).read_to_end(&mut bytes))
            .map_err(|error| Failure::read(path, &error))?;
        let text = String::from_utf8(bytes).map_err(|error| not_utf8(path, &error))?;
        let redacted = redacted(&text);
        Ok(Self { address: machine.address, name: path.display().to_string(), text, redacted })
    }
}

fn not_utf8(path: &Path, error: &std::string::FromUtf8Error) -> Failure {
    let at = error.utf8_error().valid_up_to();
    Failure::new(format!("{} is not UTF-8: byte {at} is not", path.display())).help("save the file as UTF-8")
}

/// Draws what is to be done; tells the rest in a line each.
///
/// Where there are errors, they alone are to be done: what else there is comes
/// out again once the files can be taken.
fn tell(findings: &Findings, texts: &[Text], stack: Option<Stack>) {
    let about = |finding: &Diagnostic| match finding.location.path.segments() {
        // A file may be called like a field.
        [Segment::Key(name), rest @ ..] if rest.is_empty() || finding.location.span.is_some() => {
            texts.iter().find(|text| text.name == *name)
        }
        _ => None,
    };
    let nothing = Redacted::default();
    let source = |finding: &Diagnostic| match about(finding) {
        Some(text) => Source { name: &text.name, text: &text.redacted, document: None },
        None => Source { name: "stageplot.toml", text: &nothing, document: None },
    };
    let least = if findings.has_errors() { Severity::Error } else { Severity::Warning };
    let mut to_do: Vec<_> = findings.iter().filter(|finding| finding.severity >= least).collect();
    to_do.sort_by_key(|finding| rank(finding.code));
    let mut urgent = Findings::new();
    to_do.into_iter().for_each(|finding| urgent.push(finding.clone()));
    screen::talk(&findings::draw_about(&urgent, &names(texts), source));
    if findings.has_errors() {
        return;
    }
    let (mut lines, mut unread) = (String::new(), BTreeSet::new());
    for finding in findings.iter().filter(|finding| finding.severity < least) {
        let path = &finding.location.path;
        let variable = match (about(finding), path.segments()) {
            (Some(_), [.., Segment::Key(name)]) => Some(name.as_str()),
            _ => None,
        };
        let known = stack.zip(variable).and_then(|(stack, name)| stack.find(name)).map(|known| known.meaning);
        let place = match (about(finding), finding.location.span, variable) {
            (Some(_), _, Some(name)) if matches!(known, Some(Meaning::Unread { .. })) => {
                unread.insert(name);
                continue;
            }
            (Some(text), Some(span), Some(name)) => format!("{}:{} {name}", text.name, span.line),
            _ => path.to_string(),
        };
        lines.push_str(&format!("  {place}: {}\n", finding.message));
    }
    if !unread.is_empty() {
        let names: Vec<_> = unread.into_iter().collect();
        lines.push_str(&format!(
            "  The scripts never read these, and they set nothing: {}\n",
            names.join(", ")
        ));
    }
    if !lines.is_empty() {
        let gap = if urgent.is_empty() { "" } else { "\n" };
        screen::talk(&screen::harmless(format!("{gap}To know, with nothing to be done:\n{lines}\n")));
    }
}

/// What stops a rendering comes first, then what nothing works without.
fn rank(code: Code) -> usize {
    [Code::LivekitShortSecret, Code::EnvMissing, Code::EnvInferred]
        .iter()
        .position(|first| *first == code)
        .unwrap_or(usize::MAX)
}

/// The text with every value starred out that is not known to be harmless.
fn redacted(text: &str) -> Redacted {
    let mut redacted = Redacted::default();
    for line in text.split_inclusive('\n') {
        let (name, value) = line.split_once('=').unwrap_or_default();
        let name = name.trim().trim_start_matches("export ").trim();
        let known: Vec<_> = Stack::ALL.iter().filter_map(|stack| stack.find(name)).collect();
        let shown = Redacted::of(line).as_str() == line
            && match known.as_slice() {
                [] => is_harmless(value),
                known => !known.iter().any(|known| known.is_secret()),
            };
        let from = if shown { line.len() } else { line.find('=').map_or(0, |at| at + 1) };
        redacted.show(&line[..from]);
        redacted.hide(&line[from..]);
    }
    redacted
}

/// Whether a value is a port, an address, or yes or no: no secret, whatever its name.
fn is_harmless(value: &str) -> bool {
    let value = value.trim();
    value.parse::<u16>().is_ok()
        || value.parse::<IpAddr>().is_ok()
        || matches!(value.to_lowercase().as_str(), "true" | "false" | "yes" | "no")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_may_be_a_secret_is_starred_out() {
        let text = "DOMAIN=live.example.com\nLIVEKIT_API_SECRET=hunter2\nOTHER=hunter2é\nhunter2\nexport NODES=1.2.3.4\nLIVKIT_PORT=7880\nPIN=1234\n";
        let redacted = redacted(text);
        let shown = redacted.as_str();
        assert!(!shown.contains("hunter2") && !shown.contains("1234"));
        assert!(shown.contains("LIVKIT_PORT=7880\n"));
        assert!(shown.contains("DOMAIN=live.example.com\n") && shown.contains("NODES=1.2.3.4\n"));
    }
}
