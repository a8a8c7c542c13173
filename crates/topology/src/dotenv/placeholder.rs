//! What documents and example files have where a value of one's own belongs.

use super::secrets::Secrets;
use super::survey::{Machine, Survey};
use crate::{Code, HostName, Severity};

/// Forgets a secret where its value is an example, and says so.
pub(super) fn secret(survey: &mut Survey, name: &'static str, is: impl Fn(&str) -> bool) {
    let machines = with(survey, name, |_, value| is(value));
    let known = format!("{name} is an example that everybody knows, so it counts as not set");
    let fresh = format!("{} has a line for it: every service of yours needs the value there", Secrets::FILE);
    drop_all(survey, name, &machines, Severity::Warning, &known, &fresh);
}

/// Says where a variable has a name that leads to nobody's machine. It stays, for
/// the plot to show where one's own belongs; what is no name at all becomes one.
pub(super) fn domain(survey: &mut Survey, name: &'static str, stand_in: &str, is: impl Fn(&str) -> bool) {
    let machines = with(survey, name, |_, value| is(value));
    let Some(&first) = machines.first() else { return };
    let message =
        format!("{name} is still an example: no client finds the machine by it{}", survey.also(&machines));
    let help = "write domain = \"YOUR-NAME\" under [edge], and your name wherever else the plot has this one";
    survey.add(Code::EnvMissing, (first, name), message, help);
    for machine in machines {
        let is_name =
            survey.machines[machine].value(name).is_some_and(|name| name.parse::<HostName>().is_ok());
        if let Some(file) = survey.machines[machine].file.as_mut().filter(|_| !is_name) {
            file.replace(name, stand_in);
        }
    }
}

/// Forgets a variable of these machines, and says why.
pub(super) fn drop_all(
    survey: &mut Survey,
    name: &'static str,
    machines: &[usize],
    severity: Severity,
    message: &str,
    help: &str,
) {
    let Some(&first) = machines.first() else { return };
    let message = format!("{message}{}", survey.also(machines));
    survey.add_as(Code::EnvMissing, severity, (first, name), message, help);
    for &machine in machines {
        if let Some(file) = &mut survey.machines[machine].file {
            file.remove(name);
        }
    }
    survey.forgotten.insert(name);
}

/// The machines whose value is of this sort.
pub(super) fn with(survey: &Survey, name: &str, is: impl Fn(&Machine, &str) -> bool) -> Vec<usize> {
    let is = |&m: &usize| {
        let machine = &survey.machines[m];
        machine.value(name).is_some_and(|value| is(machine, value))
    };
    survey.everyone().into_iter().filter(is).collect()
}

/// Whether a name is one that documents have: set aside for examples (RFC 2606), or
/// in so many words.
pub(super) fn is_example_domain(value: &str) -> bool {
    let value = simple(value);
    let ends = |end: &str| value == end || value.ends_with(&format!(".{end}"));
    // What is no name at all is told as such.
    !value.contains(['/', ':'])
        && (["example.com", "example.net", "example.org", "example"].into_iter().any(ends)
            || value.split('.').any(|part| matches!(part, "your_domain" | "yourdomain")))
}

/// A value as it compares with examples.
pub(super) fn simple(value: &str) -> String {
    value.trim().to_lowercase().replace(['-', ' '], "_")
}
