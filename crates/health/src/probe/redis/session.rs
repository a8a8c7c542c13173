//! A conversation with a Redis: logged in or not, inside TLS or not.

use std::time::Duration;

use redis::aio::MultiplexedConnection;
use redis::{AsyncConnectionConfig, ErrorKind, FromRedisValue, RedisConnectionInfo, RedisError, cmd};
use stageplot_topology::{Redis, ServiceSpec};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::probe::connection::{Asked, broken};
use crate::probe::{Attempt, Step};
use crate::trial::{Host, Target};
use crate::{Cause, Problem};

/// A conversation with a server.
pub(in crate::probe) struct Session(MultiplexedConnection);

impl Session {
    /// Asks one thing.
    pub(in crate::probe) async fn query<T: FromRedisValue>(
        &mut self,
        words: &[&str],
    ) -> Result<T, RedisError> {
        let mut command = cmd(words.first().copied().unwrap_or_default());
        command.arg(words.get(1..).unwrap_or_default());
        command.query_async(&mut self.0).await
    }
}

impl Attempt<'_> {
    /// What the plot says of the Redis that is asked.
    pub(in crate::probe) fn settings(&self) -> Option<&Redis> {
        match &self.scene.topology.service(self.trial.service?).kind {
            ServiceSpec::Redis(redis) => Some(redis),
            _ => None,
        }
    }

    /// Talks to the server, with or without its password.
    pub(in crate::probe) async fn redis<T, F, W>(
        &mut self,
        password: bool,
        tls: bool,
        talk: W,
    ) -> Result<T, Problem>
    where
        F: Future<Output = Result<T, RedisError>>,
        W: FnOnce(Session) -> F,
    {
        if tls {
            let name = match &self.trial.target {
                Target::Socket(Host::Ip(ip), _) => ip.to_string(),
                Target::Socket(Host::Name(name), _) => name.clone(),
                other => other.to_string(),
            };
            let stream = self.secure(&name, &[]).await?;
            self.talk(stream, password, talk).await
        } else {
            let stream = self.connect().await?;
            self.talk(stream, password, talk).await
        }
    }

    async fn talk<S, T, F, W>(&mut self, stream: S, password: bool, talk: W) -> Result<T, Problem>
    where
        S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
        F: Future<Output = Result<T, RedisError>>,
        W: FnOnce(Session) -> F,
    {
        let target = self.trial.target.to_string();
        let login = if password { self.login()? } else { Vec::new() };
        // The trial's own deadline is the one that counts.
        let config = AsyncConnectionConfig::new().set_response_timeout(Some(Duration::from_secs(3600)));
        let talk = async {
            let info = RedisConnectionInfo::default().set_skip_set_lib_name();
            let (connection, driver) =
                MultiplexedConnection::new_with_config(&info, Asked::new(stream), config).await?;
            // The driver does its work while it is waited for, and ends with the talk.
            tokio::pin!(driver);
            let talk = async {
                let mut session = Session(connection);
                if !login.is_empty() {
                    // The library would say of every error here that the password is wrong.
                    let words: Vec<_> = login.iter().map(String::as_str).collect();
                    if session.query::<String>(&words).await? != "OK" {
                        return Err((ErrorKind::UnexpectedReturnType, "AUTH is not answered with OK").into());
                    }
                }
                talk(session).await
            };
            tokio::pin!(talk);
            tokio::select! {
                biased;
                answer = &mut talk => answer,
                () = &mut driver => talk.await,
            }
        };
        let answer = talk.await;
        if answer.is_ok() {
            self.progress.reached(Step::Answering);
        }
        answer.map_err(|error| refused(&error, &target))
    }
}

impl Attempt<'_> {
    /// The command that logs in; nothing where there is no password.
    fn login(&self) -> Result<Vec<String>, Problem> {
        let settings = self.settings().cloned().unwrap_or_default();
        let external = settings.external.as_ref();
        let is_sentinel = external
            .is_some_and(|remote| remote.sentinels.iter().any(|at| Target::from(at) == self.trial.target));
        let secret = match external {
            Some(remote) if is_sentinel => remote.sentinel_password.as_ref(),
            _ => settings.password.as_ref(),
        };
        let Some(secret) = secret else { return Ok(Vec::new()) };
        let user = external.and_then(|remote| remote.username.clone());
        let secret = self.scene.secrets.get(secret)?.to_owned();
        Ok(["AUTH".to_owned()].into_iter().chain(user).chain([secret]).collect())
    }
}

/// What it means that Redis says no.
fn refused(error: &RedisError, target: &str) -> Problem {
    let code = error.code().unwrap_or_default();
    let text = error.to_string();
    let failed = |cause, what: &str| Problem::failed(cause, format!("{target} {what}: {text}"));
    match code {
        "NOAUTH" | "WRONGPASS" => {
            Problem::failed(Cause::PasswordRejected, format!("{target} rejects the password: {code}"))
        }
        "NOPERM" => {
            Problem::failed(Cause::PasswordRejected, format!("{target} lets this user do nothing: {code}"))
        }
        "LOADING" => Problem::degraded(Cause::StillStarting, format!("{target} is still loading its data")),
        // What is wrong is said instead of PONG, too.
        "MISCONF" => failed(Cause::RedisSave, "cannot save, and takes no writes"),
        "MASTERDOWN" => failed(Cause::ReplicaLink, "has lost its primary, and answers nobody"),
        "DENIED" => failed(Cause::OtherSetting, "answers its own machine alone"),
        "ERR" if text.contains("max number of clients") => {
            failed(Cause::TooManyClients, "takes no more clients")
        }
        "ERR" if text.contains("without any password configured") => {
            failed(Cause::PasswordIgnored, "knows no password")
        }
        // The parser says so of an answer that breaks off.
        _ if error.kind() == ErrorKind::Parse && text.contains("end of input") => {
            failed(Cause::ClosedEarly, "broke off")
        }
        _ => broken(error, target),
    }
}
