//! A conversation with a Postgres: logged in or not, inside TLS or not.
//!
//! The words are a library's (frontend/backend protocol 3.0, SCRAM-SHA-256); how much is
//! read of an answer, and what is told to whom, is decided here.

use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::authentication::sasl::{ChannelBinding, ScramSha256};
use postgres_protocol::message::backend::{DataRowBody, ErrorResponseBody, Message};
use postgres_protocol::message::frontend;
use stageplot_topology::{Postgres, ServiceSpec};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

use crate::probe::connection::{Stream, broken};
use crate::probe::{Attempt, Step};
use crate::trial::{Host, Target};
use crate::{Cause, Problem};

/// How long a message may be: an honest answer to what is asked here is far shorter.
const LONGEST: usize = 64 << 10;

/// How many messages may answer one question, and how many rows.
const MOST: usize = 1000;

/// How what a server says begins, at first and later: what begins otherwise is of another
/// protocol, and its length means something else.
const GREETINGS: &[u8] = b"RE";
const MESSAGES: &[u8] = b"RSKTDCZEN";

/// A conversation with a server.
pub(super) struct Session {
    stream: Stream,
    target: String,
}

/// What a server says to whoever comes without a password.
pub(super) enum Greeting {
    /// It asks for one, or refuses.
    Asks,
    /// It lets them in.
    Open,
}

/// How a server wants to know who somebody is.
enum Login {
    Done,
    Password(Asked),
}

/// The ways that this program knows.
#[derive(Clone, Copy)]
enum Asked {
    Scram,
    Other,
}

impl Attempt<'_> {
    /// What the plot says of the Postgres that is asked.
    pub(super) fn database(&self) -> Option<&Postgres> {
        match &self.scene.topology.service(self.trial.service?).kind {
            ServiceSpec::Postgres(postgres) => Some(postgres),
            _ => None,
        }
    }

    /// Logs in, with or without the password.
    pub(super) async fn postgres(&mut self, password: bool, tls: bool) -> Result<Session, Problem> {
        let secret = self.database().and_then(|postgres| postgres.password.clone()).filter(|_| password);
        // Where there is none to give, nobody has to be asked.
        let secret = secret.map(|secret| self.scene.secrets.get(&secret).map(str::to_owned)).transpose()?;
        let mut session = self.open(tls).await?;
        match session.greet(self.database()).await? {
            Login::Done => {}
            Login::Password(asked) => session.authenticate(asked, secret.as_deref()).await?,
        }
        self.progress.reached(Step::Answering);
        session.ready().await?;
        Ok(session)
    }

    /// What a server says to whoever has no password.
    pub(super) async fn greeting(&mut self, tls: bool) -> Result<Greeting, Problem> {
        let mut session = self.open(tls).await?;
        let greeting = match session.greet(self.database()).await {
            Ok(Login::Done) => Greeting::Open,
            Ok(Login::Password(_)) => Greeting::Asks,
            Err(problem) if problem.cause == Cause::PasswordRejected => Greeting::Asks,
            Err(problem) => return Err(problem),
        };
        session.end().await;
        Ok(greeting)
    }

    async fn open(&mut self, tls: bool) -> Result<Session, Problem> {
        let target = self.trial.target.to_string();
        let mut stream = self.connect().await?;
        if !tls {
            return Ok(Session { stream: Box::new(stream), target });
        }
        let mut request = BytesMut::new();
        frontend::ssl_request(&mut request);
        let asked = stream.write_all(&request).await;
        asked.map_err(|error| broken(&error, &target))?;
        match stream.read_u8().await.map_err(|error| broken(&error, &target))? {
            b'S' => {}
            b'N' => {
                let what = format!("{target} has no TLS, and the plot wants it");
                return Err(Problem::failed(Cause::TlsRefused, what));
            }
            _ => return Err(strange(&target)),
        }
        let tls = self.database().and_then(|postgres| postgres.external.as_ref()?.tls.clone());
        let name = match (tls.and_then(|tls| tls.server_name), &self.trial.target) {
            (Some(name), _) => name.to_string(),
            (None, Target::Socket(Host::Ip(ip), _)) => ip.to_string(),
            (None, Target::Socket(Host::Name(name), _)) => name.clone(),
            (None, other) => other.to_string(),
        };
        let stream = self.secure_over(stream, &target, &name, &[]).await?;
        Ok(Session { stream: Box::new(stream), target })
    }
}

impl Session {
    /// Says who comes, and hears how to prove it.
    async fn greet(&mut self, settings: Option<&Postgres>) -> Result<Login, Problem> {
        let default = Postgres::default();
        let settings = settings.unwrap_or(&default);
        let parameters = [
            ("user", settings.user.as_str()),
            ("database", settings.database.as_str()),
            ("application_name", "stageplot"),
        ];
        let mut words = BytesMut::new();
        let written = frontend::startup_message(parameters, &mut words);
        written.map_err(|_| strange(&self.target))?;
        self.send(&words).await?;
        Ok(match self.receive(GREETINGS).await? {
            Message::AuthenticationOk => Login::Done,
            Message::AuthenticationSasl(body) => {
                let mut ways = body.mechanisms();
                let scram = ways.any(|way| Ok(way == "SCRAM-SHA-256")).map_err(|_| strange(&self.target))?;
                Login::Password(if scram { Asked::Scram } else { Asked::Other })
            }
            Message::AuthenticationCleartextPassword
            | Message::AuthenticationMd5Password(_)
            | Message::AuthenticationGss
            | Message::AuthenticationSspi
            | Message::AuthenticationKerberosV5
            | Message::AuthenticationScmCredential => Login::Password(Asked::Other),
            _ => return Err(strange(&self.target)),
        })
    }

    /// Proves that one knows the password, and has the server prove it too. To whoever asks
    /// for the password itself it is not told.
    async fn authenticate(&mut self, asked: Asked, password: Option<&str>) -> Result<(), Problem> {
        let rejected = |what: &str| Problem::failed(Cause::PasswordRejected, what.to_owned());
        let target = self.target.clone();
        let Some(password) = password else {
            return Err(rejected(&format!("{target} wants a password, and the plot names none")));
        };
        let Asked::Scram = asked else {
            let what =
                format!("{target} does not take SCRAM-SHA-256, and is told no password in another way");
            return Err(rejected(&what));
        };
        let mut scram = ScramSha256::new(password.as_bytes(), ChannelBinding::unsupported());
        let mut words = BytesMut::new();
        let written = frontend::sasl_initial_response("SCRAM-SHA-256", scram.message(), &mut words);
        written.map_err(|_| strange(&target))?;
        self.send(&words).await?;
        let Message::AuthenticationSaslContinue(body) = self.receive(MESSAGES).await? else {
            return Err(strange(&target));
        };
        scram.update(body.data()).map_err(|_| strange(&target))?;
        words.clear();
        frontend::sasl_response(scram.message(), &mut words).map_err(|_| strange(&target))?;
        self.send(&words).await?;
        let Message::AuthenticationSaslFinal(body) = self.receive(MESSAGES).await? else {
            return Err(strange(&target));
        };
        scram.finish(body.data()).map_err(|_| {
            rejected(&format!("{target} does not know the password itself, and is somebody else"))
        })?;
        match self.receive(MESSAGES).await? {
            Message::AuthenticationOk => Ok(()),
            _ => Err(strange(&target)),
        }
    }

    /// Waits until the server takes a question.
    async fn ready(&mut self) -> Result<(), Problem> {
        for _ in 0..MOST {
            match self.receive(MESSAGES).await? {
                Message::ReadyForQuery(_) => return Ok(()),
                Message::ParameterStatus(_) | Message::BackendKeyData(_) | Message::NoticeResponse(_) => {}
                _ => return Err(strange(&self.target)),
            }
        }
        Err(strange(&self.target))
    }

    /// Asks one thing, and returns the rows; nothing in a column is an empty text.
    pub(super) async fn query(&mut self, sql: &str) -> Result<Vec<Vec<String>>, Problem> {
        let mut words = BytesMut::new();
        frontend::query(sql, &mut words).map_err(|_| strange(&self.target))?;
        self.send(&words).await?;
        let mut rows = Vec::new();
        for _ in 0..MOST {
            match self.receive(MESSAGES).await? {
                Message::DataRow(row) => rows.push(columns(&row).ok_or_else(|| strange(&self.target))?),
                Message::ReadyForQuery(_) => return Ok(rows),
                Message::RowDescription(_)
                | Message::CommandComplete(_)
                | Message::ParameterStatus(_)
                | Message::NoticeResponse(_) => {}
                _ => return Err(strange(&self.target)),
            }
        }
        Err(strange(&self.target))
    }

    /// Takes leave: who does not is told of in the server's log.
    pub(super) async fn end(mut self) {
        let mut words = BytesMut::new();
        frontend::terminate(&mut words);
        let _ = self.stream.write_all(&words).await;
    }

    async fn send(&mut self, words: &[u8]) -> Result<(), Problem> {
        let sent = self.stream.write_all(words).await;
        sent.map_err(|error| broken(&error, &self.target))
    }

    /// The next message. One that says no is what is wrong.
    async fn receive(&mut self, letters: &[u8]) -> Result<Message, Problem> {
        let broke = |error: std::io::Error| broken(&error, &self.target);
        let mut head = [0; 5];
        self.stream.read_exact(&mut head).await.map_err(broke)?;
        // Its length counts itself, and not the letter before it.
        let length = u32::from_be_bytes([head[1], head[2], head[3], head[4]]) as usize;
        if !letters.contains(&head[0]) || length < 4 {
            return Err(strange(&self.target));
        }
        if length > LONGEST {
            let what = format!("{} begins a message of {length} bytes", self.target);
            return Err(Problem::failed(Cause::TooMuch, what));
        }
        let mut message = BytesMut::with_capacity(length + 1);
        message.extend_from_slice(&head);
        message.resize(length + 1, 0);
        self.stream.read_exact(&mut message[head.len()..]).await.map_err(broke)?;
        match Message::parse(&mut message) {
            Ok(Some(Message::ErrorResponse(error))) => Err(refused(&error, &self.target)),
            Ok(Some(message)) => Ok(message),
            Ok(None) | Err(_) => Err(strange(&self.target)),
        }
    }
}

fn columns(row: &DataRowBody) -> Option<Vec<String>> {
    let ranges: Vec<_> = row.ranges().collect().ok()?;
    let text = |range: Option<std::ops::Range<usize>>| match range {
        Some(range) => row.buffer().get(range).map(|bytes| String::from_utf8_lossy(bytes).into_owned()),
        None => Some(String::new()),
    };
    ranges.into_iter().map(text).collect()
}

/// What it means that Postgres says no (its documentation, appendix A: "Error Codes").
fn refused(error: &ErrorResponseBody, target: &str) -> Problem {
    let (mut code, mut text) = (String::new(), String::new());
    let mut fields = error.fields();
    while let Ok(Some(field)) = fields.next() {
        let value = String::from_utf8_lossy(field.value_bytes());
        match field.type_() {
            b'C' => code = crate::observation::line(&value),
            b'M' => text = crate::observation::line(&value),
            _ => {}
        }
    }
    let failed = |cause, what: &str| Problem::failed(cause, format!("{target} {what}: {text}"));
    match code.as_str() {
        "28P01" => failed(Cause::PasswordRejected, "rejects the password"),
        "28000" => failed(Cause::PasswordRejected, "lets this user not in from here"),
        "3D000" => failed(Cause::DatabaseMissing, "has no such database"),
        "53300" => failed(Cause::TooManyClients, "takes no more clients"),
        "57P03" => Problem::degraded(Cause::StillStarting, format!("{target} is not ready yet: {text}")),
        "57P01" | "57P02" => failed(Cause::ClosedEarly, "is being stopped"),
        _ => failed(Cause::WrongProtocol, &format!("says no ({code})")),
    }
}

/// What came is no answer of a Postgres to what it was asked.
pub(super) fn strange(target: &str) -> Problem {
    Problem::failed(Cause::WrongProtocol, format!("{target} speaks another language"))
}
