//! The last words of `stageplot init`: what was written, and what comes next.

use std::path::Path;

use stageplot_topology::dotenv::{Dotenv, Secrets};

use super::{Draft, shown};

/// What was written, which of it is new, and what is still missing.
pub(super) fn written(draft: &Draft, plot: &Path, secrets: &Path, kept: bool) -> String {
    let (plot, file) = (shown(plot), shown(secrets));
    if draft.secrets.is_none() {
        return format!("Wrote {plot}.\n");
    }
    if kept {
        let mut text = format!("Wrote {plot}; {file} was there and is left as it is.\n");
        let lacks = lacking(secrets, &draft.made);
        if !lacks.is_empty() {
            text.push_str(&format!("{file} lacks {}: {ADD}.\n", lacks.join(" and ")));
        }
        return text;
    }
    let mut text = format!("Wrote {plot}, and its secrets to {file}, which nobody else may read.\n");
    let values = "the machines have one already";
    match (draft.made.as_slice(), draft.imported) {
        ([], _) => {}
        (made, false) => text.push_str(&format!("New secrets: {}.\n", made.join(", "))),
        (made, true) => text.push_str(&format!(
            "New, as no .env file has a value: {}. If {values} (in a configuration, or in what it keeps), \
             write that one into {file}; if not, give the new one to every service of yours that needs it.\n",
            made.join(", ")
        )),
    }
    if !draft.missing.is_empty() {
        text.push_str(&format!(
            "Still missing, and not for the plot to choose: {}. Write it into {file}.\n",
            draft.missing.join(", ")
        ));
    }
    text
}

/// The next commands.
pub(super) fn next(draft: &Draft, dir: &Path, is_well: bool) -> String {
    let here = dir == Path::new(".");
    let at = if here { String::new() } else { format!(" {}", dir.display()) };
    let out = shown(&dir.join("rendered"));
    let first = match (is_well, draft.imported) {
        (false, _) => "mend what is said above in stageplot.toml",
        (true, true) if draft.has_warnings => "do what the warnings above ask for",
        (true, true) => "read stageplot.toml, and change what is not as you want it",
        (true, false) => "see that stageplot.toml has your own addresses and names",
    };
    let keep = shown(&dir.join(".gitignore"));
    format!(
        "\nNext: {first}, then\n\
         \x20 stageplot check{at}\n\
         \x20 stageplot render{at} --out {out}\n\
         \x20 less {out}/runbook.md\n\
         With Git, keep the secrets out of it: printf '%s\\n' {} rendered/ >> {keep}\n",
        Secrets::FILE
    )
}

/// Which of these a secrets file has no value for; none where it cannot be
/// read, which rendering then says.
fn lacking(file: &Path, names: &[String]) -> Vec<String> {
    let Ok(text) = std::fs::read_to_string(file) else { return Vec::new() };
    let (found, _) = Dotenv::read("", &text);
    let lacks = |name: &&String| found.get(name).is_none_or(|variable| variable.value().is_empty());
    names.iter().filter(lacks).cloned().collect()
}

const ADD: &str = "add NAME=value for each, as `openssl rand -hex 32` prints one";
