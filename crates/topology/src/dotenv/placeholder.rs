//! What the documents and the example file have where a value of one's own
//! belongs.

use super::secrets::Secrets;
use super::survey::{Machine, Survey};
use crate::{Code, HostName, Severity};

/// The key's name where no file gives one.
pub(super) const KEY_NAME: &str = "main";

/// Forgets placeholders, and says where each stands. A domain stays, for the
/// plot to show where one's own belongs.
///
/// A key's name is no secret: with a secret of its own it is a name like any
/// other.
pub(super) fn forget(survey: &mut Survey) {
    let fresh = format!("{} has a line for it: every service of yours needs the value there", Secrets::FILE);
    for name in ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"] {
        let machines = with(survey, name, |_, value| is_placeholder(name, value));
        let known = format!("{name} is an example that everybody knows, so it counts as not set");
        drop_all(survey, name, &machines, Severity::Warning, &known, &fresh);
    }
    let keyless = with(survey, "LIVEKIT_API_KEY", |machine, value| {
        is_placeholder("LIVEKIT_API_KEY", value) && machine.value("LIVEKIT_API_SECRET").is_none()
    });
    let renamed = format!("this is an example of a key's name; the key is called {KEY_NAME} here");
    let help = "change the name in keys of [livekit], if your services use another";
    drop_all(survey, "LIVEKIT_API_KEY", &keyless, Severity::Info, &renamed, help);
    let kept = survey.machines.iter().filter_map(|machine| machine.value("LIVEKIT_API_KEY"));
    let kept: Vec<_> = kept.map(str::to_owned).collect();
    let signers = with(survey, "WEBHOOK_API_KEY", |_, value| {
        is_placeholder("WEBHOOK_API_KEY", value) && !kept.iter().any(|key| key == value)
    });
    let message = "this is an example of a key's name; the plot's own key signs events";
    drop_all(survey, "WEBHOOK_API_KEY", &signers, Severity::Info, message, "nothing to do");
    domain(survey);
}

/// A name that leads to nobody's machine.
fn domain(survey: &mut Survey) {
    const NAME: &str = "DOMAIN";
    const STAND_IN: &str = "livekit.example.com";
    let machines = with(survey, NAME, |_, value| is_placeholder(NAME, value));
    let Some(&first) = machines.first() else { return };
    let message =
        format!("DOMAIN is still an example: no client finds the machine by it{}", survey.also(&machines));
    let help = "write domain = \"YOUR-NAME\" under [edge], and your name wherever else the plot has this one";
    survey.add(Code::EnvMissing, (first, NAME), message, help);
    for machine in machines {
        let is_name =
            survey.machines[machine].value(NAME).is_some_and(|name| name.parse::<HostName>().is_ok());
        if let Some(file) = survey.machines[machine].file.as_mut().filter(|_| !is_name) {
            file.replace(NAME, STAND_IN);
        }
    }
}

fn drop_all(
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
fn with(survey: &Survey, name: &str, is: impl Fn(&Machine, &str) -> bool) -> Vec<usize> {
    let is = |&m: &usize| {
        let machine = &survey.machines[m];
        machine.value(name).is_some_and(|value| is(machine, value))
    };
    survey.everyone().into_iter().filter(is).collect()
}

/// Whether a value is one to be replaced.
fn is_placeholder(name: &str, value: &str) -> bool {
    crate::value::is_placeholder(value)
        || is_example(name, &value.trim().to_lowercase().replace(['-', ' '], "_"))
}

/// What LiveKit's own documentation has (`devkey: secret`), and names that are
/// set aside for examples (RFC 2606).
fn is_example(name: &str, value: &str) -> bool {
    match name {
        "LIVEKIT_API_KEY" => value == "devkey" || value.starts_with("apixxx"),
        "LIVEKIT_API_SECRET" => value == "secret",
        "DOMAIN" => {
            let ends = |end: &str| value == end || value.ends_with(&format!(".{end}"));
            // What is no name at all is told as such.
            !value.contains(['/', ':'])
                && (["example.com", "example.net", "example.org", "example"].into_iter().any(ends)
                    || value.split('.').any(|part| matches!(part, "your_domain" | "yourdomain")))
        }
        _ => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_to_be_replaced() {
        let placeholders = [
            "your_secret",
            "your_secure_password",
            "YOUR-PASSWORD",
            "changeme",
            "Change Me",
            "<secret>",
            "xxxxxx",
            "***",
            "你的密码",
        ];
        for value in placeholders {
            assert!(is_placeholder("REDIS_PASSWORD", value), "{value}");
        }
        for value in ["secret", "yours", "hunter2", "x", "<", "change", "exes"] {
            assert!(!is_placeholder("REDIS_PASSWORD", value), "{value}");
        }
        for domain in ["livekit.example.com", "your-domain.com", "rtc.yourdomain.cn", "<domain>"] {
            assert!(is_placeholder("DOMAIN", domain), "{domain}");
        }
        assert!(!is_placeholder("DOMAIN", "example-conferences.com"));
        assert!(
            is_placeholder("LIVEKIT_API_KEY", "devkey") && is_placeholder("LIVEKIT_API_SECRET", "secret")
        );
    }
}
