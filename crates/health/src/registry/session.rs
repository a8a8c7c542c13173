//! Questions to a registry, with the login that it asks for.

use http_auth::ChallengeRef;
use http_auth::parser::ChallengeParser;
use reqwest::header::{ACCEPT, CONTENT_TYPE, WWW_AUTHENTICATE};
use reqwest::{Method, RequestBuilder, Response, StatusCode, Url};
use secrecy::{ExposeSecret as _, SecretString};
use serde::Deserialize;

use super::error::RegistryError;
use super::login::Login;
use super::remote::{MANIFESTS, Remote};

/// The most bytes of a token and what comes with it.
const LIMIT: usize = 64 << 10;

/// Questions about one repository of a registry.
pub(super) struct Session<'a> {
    remote: &'a Remote,
    /// Whether logins may go over plain HTTP, as everything does there.
    plain_http: bool,
    repository: &'a str,
    access: Option<Access>,
}

/// What a request is sent with.
enum Access {
    Basic { user: String, password: SecretString },
    Bearer(SecretString),
}

/// What a registry wants to see.
enum Wanted {
    Basic,
    Bearer { realm: Url, service: Option<String>, scope: Option<String> },
}

/// What an authority answers; older ones say `token`.
#[derive(Deserialize)]
struct Tokens {
    token: Option<SecretString>,
    access_token: Option<SecretString>,
}

impl<'a> Session<'a> {
    pub(super) fn new(remote: &'a Remote, plain_http: bool, repository: &'a str) -> Self {
        Self { remote, plain_http, repository, access: None }
    }

    /// Asks, and once more with a login where that is wanted.
    pub(super) async fn request(&mut self, method: Method, url: &str) -> Result<Response, RegistryError> {
        let response = self.send(method.clone(), url).await?;
        if response.status() != StatusCode::UNAUTHORIZED || self.access.is_some() {
            return Ok(response);
        }
        let Some(wanted) = wanted(&response) else { return Ok(response) };
        self.access = self.log_in(wanted).await?;
        if self.access.is_none() { Ok(response) } else { self.send(method, url).await }
    }

    async fn send(&self, method: Method, url: &str) -> Result<Response, RegistryError> {
        let request = self.remote.http.request(method, url).header(ACCEPT, MANIFESTS.join(", "));
        let request = match &self.access {
            Some(Access::Basic { user, password }) => {
                request.basic_auth(user, Some(password.expose_secret()))
            }
            Some(Access::Bearer(token)) => request.bearer_auth(token.expose_secret()),
            None => request,
        };
        self.sent(request).await
    }

    async fn sent(&self, request: RequestBuilder) -> Result<Response, RegistryError> {
        request.send().await.map_err(|error| {
            // Tokens come from elsewhere: the one that fails is the one to name.
            let elsewhere =
                error.url().and_then(Url::host_str).filter(|host| !self.remote.host.starts_with(host));
            let hub = elsewhere == Some("registry-1.docker.io");
            let host = elsewhere.filter(|_| !hub).unwrap_or(&self.remote.host);
            RegistryError::from_http(host, &error)
        })
    }

    fn login(&self) -> Result<Option<&Login>, RegistryError> {
        let login = self.remote.login.as_ref().map(Option::as_ref);
        login.map_err(|why| RegistryError::Login { host: self.remote.host.clone(), why: why.clone() })
    }

    /// What to send from now on; nothing where there is no login for it.
    async fn log_in(&self, wanted: Wanted) -> Result<Option<Access>, RegistryError> {
        let login = self.login()?;
        let (realm, service, scope) = match wanted {
            Wanted::Basic => {
                return Ok(match login {
                    Some(Login::Password { user, password }) => {
                        Some(Access::Basic { user: user.clone(), password: password.clone() })
                    }
                    _ => None,
                });
            }
            Wanted::Bearer { realm, service, scope } => (realm, service, scope),
        };
        if realm.scheme() != "https" && !(self.plain_http && realm.scheme() == "http") {
            let why = "its authority for tokens is not reached by TLS".to_owned();
            return Err(RegistryError::Login { host: self.remote.host.clone(), why });
        }
        let scope = scope.unwrap_or_else(|| format!("repository:{}:pull", self.repository));
        let mut parameters = vec![("scope", scope)];
        parameters.extend(service.map(|service| ("service", service)));
        let request = match login {
            // "Using OAuth 2", by the distribution project's specification of tokens.
            Some(Login::Identity(token)) => {
                parameters.extend([
                    ("grant_type", "refresh_token".to_owned()),
                    ("client_id", "stageplot".to_owned()),
                    ("refresh_token", token.expose_secret().to_owned()),
                ]);
                let form = query(&parameters);
                let request = self.remote.http.post(realm).body(form);
                request.header(CONTENT_TYPE, "application/x-www-form-urlencoded")
            }
            Some(Login::Password { user, password }) => {
                let request = self.remote.http.get(with(realm, &parameters));
                request.basic_auth(user, Some(password.expose_secret()))
            }
            None => self.remote.http.get(with(realm, &parameters)),
        };
        let response = self.sent(request).await?;
        let host = || self.remote.host.clone();
        match response.status() {
            StatusCode::OK => {}
            StatusCode::TOO_MANY_REQUESTS => {
                return Err(RegistryError::RateLimited { host: host(), retry: None });
            }
            StatusCode::UNAUTHORIZED | StatusCode::FORBIDDEN => {
                return Err(RegistryError::Refused { host: host(), logged_in: login.is_some() });
            }
            status => return Err(RegistryError::Status { host: host(), status: status.as_u16() }),
        }
        let body = self.remote.body(response, LIMIT).await?;
        let tokens: Option<Tokens> = serde_json::from_slice(&body).ok();
        let token = tokens.and_then(|tokens| tokens.token.or(tokens.access_token));
        // What cannot stand in a header is no token either.
        let fits = |token: &SecretString| token.expose_secret().chars().all(|c| c.is_ascii_graphic());
        match token.filter(fits) {
            Some(token) => Ok(Some(Access::Bearer(token))),
            None => {
                Err(RegistryError::Login { host: host(), why: "its authority sends no token".to_owned() })
            }
        }
    }
}

/// What a registry asks for, where it is something that we know.
fn wanted(response: &Response) -> Option<Wanted> {
    let headers = response.headers().get_all(WWW_AUTHENTICATE).iter();
    let headers = headers.filter_map(|header| header.to_str().ok());
    let mut challenges = headers.flat_map(|header| ChallengeParser::new(header).map_while(Result::ok));
    challenges.find_map(|challenge| match challenge.scheme {
        scheme if scheme.eq_ignore_ascii_case("basic") => Some(Wanted::Basic),
        scheme if scheme.eq_ignore_ascii_case("bearer") => Some(Wanted::Bearer {
            realm: Url::parse(&parameter(&challenge, "realm")?).ok()?,
            service: parameter(&challenge, "service"),
            scope: parameter(&challenge, "scope"),
        }),
        _ => None,
    })
}

fn parameter(challenge: &ChallengeRef<'_>, name: &str) -> Option<String> {
    let found = challenge.params.iter().find(|(key, _)| key.eq_ignore_ascii_case(name));
    found.map(|(_, value)| value.to_unescaped())
}

/// A URL with more in its query.
fn with(mut url: Url, parameters: &[(&str, String)]) -> Url {
    url.query_pairs_mut().extend_pairs(parameters);
    url
}

/// Parameters as a form has them.
fn query(parameters: &[(&str, String)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(parameters).finish()
}
