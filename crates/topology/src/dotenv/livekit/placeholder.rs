//! What LiveKit's documents and the scripts' example file have where a value of
//! one's own belongs.

use crate::Severity;
use crate::dotenv::placeholder::{self, drop_all, is_example_domain, simple, with};
use crate::dotenv::survey::Survey;

/// The key's name where no file gives one.
pub(super) const KEY_NAME: &str = "main";

/// Forgets placeholders, and says where each stands. A domain stays, for the
/// plot to show where one's own belongs.
///
/// A key's name is no secret: with a secret of its own it is a name like any
/// other.
pub(super) fn forget(survey: &mut Survey) {
    for name in ["LIVEKIT_API_SECRET", "REDIS_PASSWORD"] {
        placeholder::secret(survey, name, |value| is_placeholder(name, value));
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
    placeholder::domain(survey, "DOMAIN", "livekit.example.com", |value| is_placeholder("DOMAIN", value));
}

/// Whether a value is one to be replaced; also what LiveKit's own documentation has
/// (`devkey: secret`).
fn is_placeholder(name: &str, value: &str) -> bool {
    let simple = simple(value);
    let is_example = match name {
        "LIVEKIT_API_KEY" => simple == "devkey" || simple.starts_with("apixxx"),
        "LIVEKIT_API_SECRET" => simple == "secret",
        "DOMAIN" => is_example_domain(value),
        _ => false,
    };
    is_example || crate::value::is_placeholder(value)
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
