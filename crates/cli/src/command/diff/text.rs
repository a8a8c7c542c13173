//! A diff as people read it.

use std::collections::BTreeMap;
use std::fmt::Write as _;

use anstyle::{AnsiColor, Style};
use stageplot_render::diff::policy::Broken;
use stageplot_render::diff::{
    Diff, Effect, FieldChange, FileDiff, Impact, NodeDiff, People, ServiceDiff, Status, Untold, Which,
};

use stageplot_topology::words::{listed, natural};

use crate::counted;

/// Draws a diff; the summary alone, or what differs in each file as well. What rules it
/// breaks comes last, where nobody scrolls past it.
pub(super) fn draw(
    diff: &Diff,
    sides: Option<(&str, &str)>,
    summary: bool,
    broken: Option<&[Broken]>,
) -> String {
    if diff.is_empty() {
        return "No changes.\n".to_owned() + &broken.map_or_else(String::new, rules);
    }
    let mut text = title(diff, sides);
    text.push_str(&untold(diff));
    text.push_str(&secrets(diff));
    text.push_str(&people(diff));
    text.push_str(&changes(diff));
    text.push_str(&machines(diff));
    text.push_str(&records(diff));
    text.push_str(&flows(diff));
    text.push_str(&findings(diff));
    if !summary {
        text.push_str(&files(diff));
    }
    text.push_str(&broken.map_or_else(String::new, rules));
    text
}

/// The rules that are broken, and by what.
fn rules(broken: &[Broken]) -> String {
    if broken.is_empty() {
        return "\nNo rule is broken.\n".to_owned();
    }
    let lines = broken.iter().flat_map(|broken| {
        let why = if broken.why.is_empty() { String::new() } else { format!(": {}", clean(&broken.why)) };
        let by = broken.by.iter().take(LISTED).map(|by| format!("  {}", clean(by)));
        let more = broken.by.len().checked_sub(LISTED).filter(|more| *more > 0);
        let more = more.map(|more| format!("  and {more} more; --format json has all"));
        std::iter::once(red(&clean(&broken.rule)) + &why).chain(by).chain(more).collect::<Vec<_>>()
    });
    section("Rules that are broken", &lines.collect::<Vec<_>>())
}

/// How much changes, and the worst of it.
fn title(diff: &Diff, sides: Option<(&str, &str)>) -> String {
    let nodes = match diff.nodes.len() {
        0 if diff.untold.is_some() => "what happens cannot be told".to_owned(),
        0 => "nothing changes on any node".to_owned(),
        count => format!("changes on {}", counted(count, "node")),
    };
    let sides = sides.map(|(before, after)| format!(", from {} to {}", clean(before), clean(after)));
    let stack = clean(&diff.name) + &sides.unwrap_or_default();
    let places = diff.worst(clean);
    let bold = Style::new().bold();
    let exposed = match diff.exposed() {
        exposed if exposed.is_empty() => exposed,
        exposed => format!("; {exposed}"),
    };
    match places.is_empty() {
        true => format!("{bold}{stack}: {nodes}{exposed}.{bold:#}\n"),
        false => {
            let impact = painted(diff.impact, diff.impact.in_words());
            format!("{bold}{stack}: {nodes}, at worst:{bold:#} {impact} ({places}){exposed}\n")
        }
    }
}

/// What cannot be told, and what may happen for all that is known.
fn untold(diff: &Diff) -> String {
    let Some(Untold { impact, .. }) = &diff.untold else { return String::new() };
    let secrets = diff.untold_secrets();
    let mut lines: Vec<_> =
        secrets.map(|it| format!("{} {}", clean(&it.name), it.status.in_words())).collect();
    lines.push(match diff.untold_worst(clean).as_str() {
        "" => "nothing here reads them".to_owned(),
        places => {
            format!("if they changed, at worst: {} ({places})", painted(*impact, impact.in_words()))
        }
    });
    section("What cannot be told", &lines)
}

/// What people in a room will notice.
fn people(diff: &Diff) -> String {
    let line = |it: &People<'_>| {
        let nodes: Vec<_> = it.nodes.iter().map(|node| clean(node)).collect();
        format!("{} on {}: {}", clean(it.service), listed(&nodes), it.text)
    };
    let (people, untold) = (diff.people(), diff.untold_people());
    let shut_out = diff.shut_out.iter().map(|it| clean(&it.to_string()));
    let sentences = shut_out.chain(diff.rooms.iter().map(|text| clean(text)));
    let untold = untold.iter().map(|it| format!("if a secret changed: {}", line(it)));
    section("People in rooms", &people.iter().map(line).chain(sentences).chain(untold).collect::<Vec<_>>())
}

/// Secrets that changed.
fn secrets(diff: &Diff) -> String {
    let changed: Vec<_> = diff.changed_secrets().map(clean).collect();
    let bold = Style::new().bold();
    match changed.is_empty() {
        true => String::new(),
        false => format!("\n{bold}Secrets:{bold:#} {} changed\n", listed(&changed)),
    }
}

/// What becomes of the stack and its services as a whole.
fn changes(diff: &Diff) -> String {
    let mut lines = Vec::new();
    for FieldChange { path, before, after, .. } in &diff.stack {
        lines.push(format!("the stack's {path}: {}", arrow(before, after)));
    }
    for service in &diff.services {
        lines.extend(service_lines(service));
    }
    section("Services", &lines)
}

fn service_lines(service: &ServiceDiff) -> Vec<String> {
    let name = clean(&service.name);
    let mut lines = Vec::new();
    match (service.status, &service.was) {
        (Status::Added, _) => {
            let on = if service.to.is_empty() { "no node".to_owned() } else { listed(&service.to) };
            return vec![format!("+ {name} ({}), on {on}", clean(&service.kind))];
        }
        (Status::Removed, _) => return vec![format!("- {name} ({})", clean(&service.kind))],
        (Status::Renamed, Some(was)) => lines.push(format!("{} is called {name} from now on", clean(was))),
        _ => {}
    }
    if !service.to.is_empty() {
        lines.push(format!("{name}: comes to {}", listed(&service.to)));
    }
    if !service.from.is_empty() {
        lines.push(format!("{name}: leaves {}", listed(&service.from)));
    }
    for FieldChange { path, before, after, .. } in &service.fields {
        lines.push(format!("{name}: {} {}", path.replace('_', " "), arrow(before, after)));
    }
    lines
}

/// What happens on the machines, the worst first; those to which the same happens
/// together.
fn machines(diff: &Diff) -> String {
    let mut groups: BTreeMap<String, (Vec<String>, &NodeDiff)> = BTreeMap::new();
    for node in &diff.nodes {
        let key = format!("{:?} {:?}", node.status, node.effects);
        groups.entry(key).or_insert_with(|| (Vec::new(), node)).0.push(called(node));
    }
    let mut groups: Vec<_> = groups.into_values().collect();
    // Those of one impact stay in the order of their first nodes.
    groups.sort_by(|(_, first), (_, second)| {
        second.impact.cmp(&first.impact).then_with(|| natural(&first.name, &second.name))
    });
    let mut text = String::new();
    for (names, node) in groups {
        let bold = Style::new().bold();
        let _ = writeln!(
            text,
            "\n{bold}{}{bold:#}{}",
            listed(&names),
            match node.status {
                Status::Added => ": new",
                Status::Removed => ": gone; what is there stays as it is until somebody takes it down",
                Status::Renamed | Status::Changed => "",
            }
        );
        for effect in &node.effects {
            text.push_str(&effect_lines(effect));
        }
    }
    text
}

fn called(node: &NodeDiff) -> String {
    match &node.was {
        Some(was) => format!("{} (was {})", clean(&node.name), clean(was)),
        None => clean(&node.name),
    }
}

fn effect_lines(effect: &Effect) -> String {
    let impact = painted(effect.impact, effect.impact.in_words());
    let mut text = format!("  {}: {impact}: {}\n", effect.subject(clean), clean(&effect.in_words()));
    for reason in &effect.reasons {
        let mark = if reason.impact == Impact::DataAtStake { "! " } else { "" };
        let _ = writeln!(text, "    {mark}{}", clean(&reason.text));
    }
    text
}

/// DNS records to set and to remove.
fn records(diff: &Diff) -> String {
    let set = diff.records.set.iter().map(|record| format!("+ set {}", clean(&record.to_string())));
    let remove = diff.records.remove.iter().map(|record| format!("- remove {}", clean(&record.to_string())));
    let warnings = diff.records.warnings().map(|text| format!("! {}", clean(&text)));
    section("DNS", &set.chain(remove).chain(warnings).collect::<Vec<_>>())
}

/// Flows that open and close, in words.
fn flows(diff: &Diff) -> String {
    let opened = diff.opened.iter().map(|flow| format!("+ {}", clean(&flow.opens())));
    let closed = diff.closings().map(|closes| format!("- {}", clean(&closes)));
    section("Flows", &opened.chain(closed).collect::<Vec<_>>())
}

/// What is found in the plot, and was not before.
fn findings(diff: &Diff) -> String {
    section("New findings", &diff.findings.iter().map(|it| clean(&it.to_string())).collect::<Vec<_>>())
}

fn section(title: &str, lines: &[String]) -> String {
    if lines.is_empty() {
        return String::new();
    }
    let bold = Style::new().bold();
    lines.iter().fold(format!("\n{bold}{title}{bold:#}\n"), |text, line| text + "  " + line + "\n")
}

/// What differs in files; where several nodes' differ alike, once.
fn files(diff: &Diff) -> String {
    let (for_people, files): (Vec<_>, Vec<_>) =
        diff.files().into_iter().partition(|(file, _)| file.is_for_people());
    let mut text = String::new();
    for (file, nodes) in files {
        let nodes: Vec<_> = nodes.into_iter().map(clean).collect();
        let place = if nodes.is_empty() { String::new() } else { format!(" on {}", listed(&nodes)) };
        text.push_str(&file_lines(file, &place));
    }
    let mut more: Vec<_> = for_people.iter().map(|(file, _)| clean(&file.path)).collect();
    more.dedup();
    if !more.is_empty() {
        let _ = writeln!(text, "\nThese follow, for people to read or to run: {}", more.join(", "));
    }
    text
}

fn file_lines(file: &FileDiff, place: &str) -> String {
    let bold = Style::new().bold();
    let mut text = format!("\n{bold}{}{bold:#}{place}", clean(&file.path));
    let words = file.in_words();
    if !words.is_empty() {
        let _ = write!(text, " {words}");
    }
    text.push('\n');
    let mut lines: Vec<String> = file.about.iter().chain(&file.fields).map(field).collect();
    lines.extend(file.lines.iter().map(|line| match line.side {
        Which::Before => red(&format!("- {}", shortened(&line.text))),
        Which::After => green(&format!("+ {}", shortened(&line.text))),
    }));
    for line in lines.iter().take(LISTED) {
        let _ = writeln!(text, "  {line}");
    }
    if let Some(left @ 1..) = lines.len().checked_sub(LISTED) {
        let _ = writeln!(text, "  and {left} more; --format json has all");
    }
    text
}

fn field(change: &FieldChange) -> String {
    let path = clean(&change.path);
    if let Some(moves) = change.moves() {
        return format!("~ {path}: {}", shortened(&moves));
    }
    match (&change.before, &change.after) {
        (None, Some(after)) => green(&format!("+ {path}: {}", shortened(after))),
        (Some(before), None) => red(&format!("- {path}: {}", shortened(before))),
        (before, after) => format!("~ {path}: {}", arrow(before, after)),
    }
}

fn arrow(before: &Option<String>, after: &Option<String>) -> String {
    let side = |value: &Option<String>| value.as_deref().map_or_else(|| "nothing".to_owned(), shortened);
    format!("{} → {}", red(&side(before)), green(&side(after)))
}

/// A value as one line of a bearable length.
fn shortened(value: &str) -> String {
    let value = clean(value);
    match value.char_indices().nth(LONGEST) {
        Some((at, _)) => format!("{}…", &value[..at]),
        None => value,
    }
}

/// Text without what a terminal would obey, or what would turn the reading direction.
fn clean(text: &str) -> String {
    let obeyed = |c: char| {
        c.is_control()
            || matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
    };
    if !text.contains(obeyed) {
        return text.to_owned();
    }
    text.chars().fold(String::new(), |mut clean, c| {
        match obeyed(c) {
            true => clean.extend(c.escape_default()),
            false => clean.push(c),
        }
        clean
    })
}

fn painted(impact: Impact, text: &str) -> String {
    let colour = match impact {
        Impact::None | Impact::Live | Impact::Start | Impact::Reload => AnsiColor::Green,
        Impact::Drain | Impact::Restart | Impact::Recreate => AnsiColor::Yellow,
        _ => AnsiColor::Red,
    };
    let style = colour.on_default();
    format!("{style}{text}{style:#}")
}

fn red(text: &str) -> String {
    let style = AnsiColor::Red.on_default();
    format!("{style}{text}{style:#}")
}

fn green(text: &str) -> String {
    let style = AnsiColor::Green.on_default();
    format!("{style}{text}{style:#}")
}

/// How many differences of a file are listed.
const LISTED: usize = 40;

/// How many characters of a value are shown.
const LONGEST: usize = 160;
