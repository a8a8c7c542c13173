//! Values of secrets that lock nothing, or that everybody can read or guess.

use std::collections::{BTreeMap, BTreeSet};

use crate::document::is_secret_path;
use crate::value::is_placeholder;
use crate::{Code, FieldPath, Findings, Livekit, SecretRef, Topology};

pub(super) fn review(topology: &Topology, findings: &mut Findings) {
    for (path, secret) in topology.secrets() {
        // A setting of a DNS module may well be none; an empty one is told below.
        if let SecretRef::Literal(literal) = secret
            && !literal.expose().is_empty()
            && is_secret_path(&path)
        {
            findings.add(
                Code::LiteralSecret,
                path,
                "this secret can be read by everybody who can read the plot",
                "write { env = \"NAME\" }, { file = \"PATH\" } or { command = [\"PROGRAM\", …] }",
            );
        }
    }
    findings.append(topology.review_secrets(|secret| match secret {
        SecretRef::Literal(literal) => Some(literal.expose()),
        _ => None,
    }));
}

impl Topology {
    /// What there is to say of the values of its secrets, as far as `value` has
    /// them: those that lock nothing, and those that are guessed. The values are
    /// in no finding.
    ///
    /// ```
    /// use stageplot_topology::{Code, SecretRef};
    /// # use stageplot_topology::*;
    /// # let keys = [("main".to_owned(), SecretRef::env("LIVEKIT_API_SECRET"))].into();
    /// # let front = NodeSpec::public("203.0.113.10".parse()?).address("10.0.0.1".parse()?);
    /// # let media = NodeSpec::public("203.0.113.11".parse()?).address("10.0.0.2".parse()?);
    /// # let topology = Plot::new("live".parse()?)
    /// #     .service("edge", Edge::new("livekit.example.com".parse()?))
    /// #     .service("livekit", Livekit { keys, ..Livekit::default() })
    /// #     .node("front", front.role("edge"))
    /// #     .node("media", media.role("livekit"))
    /// #     .build()?
    /// #     .topology;
    /// let findings = topology.review_secrets(|secret| match secret {
    ///     SecretRef::Env(name) if name == "LIVEKIT_API_SECRET" => Some("changeme"),
    ///     _ => None,
    /// });
    /// assert!(findings.iter().any(|finding| finding.code == Code::LivekitShortSecret));
    /// assert!(!findings.to_string().contains("changeme"));
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn review_secrets<'a>(&'a self, value: impl Fn(&'a SecretRef) -> Option<&'a str>) -> Findings {
        let signing: BTreeSet<_> = self.livekit_keys().into_iter().map(|(_, secret)| secret).collect();
        // What somebody logs in with is that wherever else it is written.
        let passwords: BTreeMap<_, _> = self
            .secrets()
            .into_iter()
            .filter(|(path, _)| is_password(path))
            .map(|(path, secret)| (secret, path))
            .collect();
        let mut findings = Findings::new();
        let mut seen = BTreeSet::new();
        for (path, secret) in self.secrets() {
            // Once, however many fields share it.
            let Some(value) = value(secret).filter(|_| seen.insert(secret)) else { continue };
            let label = match secret {
                SecretRef::Literal(_) => "this secret".to_owned(),
                _ => secret.label(),
            };
            let length = value.chars().count();
            let finding = if value.is_empty() {
                let message = format!("{label} is empty, and an empty secret locks nothing");
                let help = "make one: openssl rand -hex 32; or take the field out";
                self.judge(Code::SecretMissing, path, message, help)
            } else if signing.contains(secret) && length < Livekit::MIN_SECRET_LEN {
                let least = Livekit::MIN_SECRET_LEN;
                let message = format!("{label} has {length} characters, and LiveKit asks for {least}");
                self.judge(Code::LivekitShortSecret, path, message, "make a longer one: openssl rand -hex 32")
            } else if is_placeholder(value) || FIRST_GUESSES.contains(&value.to_lowercase().as_str()) {
                let message = format!("{label} is an example that everybody knows");
                self.judge(
                    Code::PlaceholderSecret,
                    path,
                    message,
                    "make one of your own: openssl rand -hex 32",
                )
            } else if let Some(path) = passwords.get(secret).filter(|_| length < SHORT) {
                let message = format!("{label} has {length} characters, and is soon guessed");
                self.judge(
                    Code::ShortPassword,
                    path.clone(),
                    message,
                    "make a longer one: openssl rand -hex 32",
                )
            } else {
                None
            };
            finding.into_iter().for_each(|finding| findings.push(finding));
        }
        findings
    }
}

/// What whoever finds the port open tries first.
const FIRST_GUESSES: &[&str] =
    &["password", "secret", "redis", "postgres", "livekit", "admin", "123456", "12345678"];

/// With fewer characters a password is guessed by whoever may ask a million times a second,
/// as Redis lets anybody do who reaches it.
const SHORT: usize = 12;

/// Whether it is what somebody logs in with.
fn is_password(path: &FieldPath) -> bool {
    path.to_string().ends_with("password")
}
