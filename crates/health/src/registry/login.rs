//! Logins, as Docker keeps them.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use secrecy::{ExposeSecret, SecretString};
use serde::Deserialize;
use stageplot_topology::Registry;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::process::Command;

/// What `docker login` has left in a `config.json`: logins, and the names of the
/// programs that keep them.
///
/// ```no_run
/// use stageplot_health::registry::Logins;
///
/// let logins = Logins::read("/root/.docker".as_ref())?;
/// # Ok::<(), stageplot_health::registry::LoginError>(())
/// ```
#[derive(Debug, Default, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Logins {
    auths: BTreeMap<String, Entry>,
    creds_store: Option<String>,
    cred_helpers: BTreeMap<String, String>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default)]
struct Entry {
    auth: Option<SecretString>,
    identitytoken: Option<SecretString>,
}

/// Why logins cannot be read.
#[derive(Debug, thiserror::Error)]
#[error("failed to read the logins in {}: {why}", .path.display())]
pub struct LoginError {
    path: PathBuf,
    why: String,
}

/// A login at one registry.
#[derive(Clone, Debug)]
pub(super) enum Login {
    /// A name and a password.
    Password { user: String, password: SecretString },
    /// A token that buys other tokens.
    Identity(SecretString),
}

/// What a credential helper may take; it may have to ask a keyring.
const HELPER: Duration = Duration::from_secs(30);

/// The most bytes of a `config.json`, and of what a helper prints.
const LIMIT: u64 = 1 << 20;

/// What Docker calls Docker Hub in its configuration.
const HUB: &str = "https://index.docker.io/v1/";

impl Logins {
    /// No logins.
    pub fn none() -> Self {
        Self::default()
    }

    /// The logins in a directory that Docker would have as `DOCKER_CONFIG`; none
    /// where there are none.
    ///
    /// # Errors
    ///
    /// Where there is a `config.json`, and it cannot be read.
    pub fn read(dir: &Path) -> Result<Self, LoginError> {
        use std::io::Read as _;
        let path = dir.join("config.json");
        let fail = |why: String| LoginError { path: path.clone(), why };
        let file = match std::fs::File::open(&path) {
            Ok(file) => file,
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => return Ok(Self::none()),
            Err(error) => return Err(fail(error.to_string())),
        };
        let mut bytes = Vec::new();
        file.take(LIMIT).read_to_end(&mut bytes).map_err(|error| fail(error.to_string()))?;
        // The words of a parser may hold what it read: only the place is told.
        serde_json::from_slice(&bytes).map_err(|error| {
            fail(format!("it is not what Docker writes: line {}, column {}", error.line(), error.column()))
        })
    }

    /// The login at a registry, where there is one.
    pub(super) async fn at(&self, registry: &Registry) -> Result<Option<Login>, String> {
        let server = if *registry == Registry::docker_hub() { HUB } else { registry.as_str() };
        if let Some(helper) = self.cred_helpers.get(server).or(self.creds_store.as_ref()) {
            return asked(helper, server).await;
        }
        let entry = self.auths.iter().find(|(key, _)| hostname(key) == hostname(server));
        let Some((_, entry)) = entry else { return Ok(None) };
        if let Some(token) = &entry.identitytoken {
            return Ok(Some(Login::Identity(token.clone())));
        }
        let Some(auth) = entry.auth.as_ref().map(ExposeSecret::expose_secret).filter(|auth| !auth.is_empty())
        else {
            return Ok(None);
        };
        let decoded = STANDARD.decode(auth).ok().and_then(|bytes| String::from_utf8(bytes).ok());
        let pair = decoded.as_deref().and_then(|pair| pair.split_once(':'));
        let (user, password) = pair.ok_or("Docker's configuration has one that is not what Docker writes")?;
        Ok(Some(Login::Password { user: user.to_owned(), password: password.trim_end_matches('\0').into() }))
    }
}

/// What of a server's name counts: older Dockers wrote an address.
fn hostname(server: &str) -> &str {
    let host = server.trim_start_matches("https://").trim_start_matches("http://");
    host.split('/').next().unwrap_or(host)
}

/// What a credential helper prints.
#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Credentials {
    username: String,
    secret: SecretString,
}

/// Asks a credential helper, by the protocol of docker-credential-helpers: the
/// server on its input, JSON on its output.
async fn asked(helper: &str, server: &str) -> Result<Option<Login>, String> {
    let plain = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.');
    if helper.is_empty() || !helper.chars().all(plain) {
        return Err(format!("{helper:?} is not the name of a credential helper"));
    }
    let program = format!("docker-credential-{helper}");
    let run = async {
        let mut child = Command::new(&program)
            .arg("get")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| format!("{program} cannot be run: {error}"))?;
        if let Some(mut input) = child.stdin.take() {
            // A helper that does not read has its own words for it.
            let _ = input.write_all(server.as_bytes()).await;
        }
        let mut output = Vec::new();
        if let Some(stdout) = child.stdout.take() {
            let read = stdout.take(LIMIT).read_to_end(&mut output).await;
            read.map_err(|error| format!("{program} cannot be read from: {error}"))?;
        }
        let status =
            child.wait().await.map_err(|error| format!("{program} cannot be waited for: {error}"))?;
        if !status.success() {
            return match String::from_utf8_lossy(&output).contains("credentials not found") {
                true => Ok(None),
                false => Err(format!("{program} failed: {status}")),
            };
        }
        let found: Credentials =
            serde_json::from_slice(&output).map_err(|_| format!("{program} printed what is not a login"))?;
        Ok(Some(match found.username.as_str() {
            "<token>" => Login::Identity(found.secret),
            _ => Login::Password { user: found.username, password: found.secret },
        }))
    };
    let over = |_| Err(format!("{program} took more than {} seconds", HELPER.as_secs()));
    tokio::time::timeout(HELPER, run).await.unwrap_or_else(over)
}
