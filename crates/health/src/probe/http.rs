//! HTTP/1.1 (RFC 9112), in the clear or over a TLS session.

use http_body_util::{BodyExt as _, Empty};
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{HOST, HeaderName, LOCATION, USER_AGENT};
use hyper::{Request, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::connection::broken;
use super::{Attempt, Step};
use crate::{Cause, Problem};

/// What a server answered.
pub(crate) struct Response {
    pub(crate) status: StatusCode,
    /// Where it sends us instead.
    pub(crate) location: Option<String>,
    /// Who answered, as our edges tell at their health port.
    pub(crate) upstream: Option<String>,
    /// The protocols it offers beside this one (RFC 7838).
    pub(crate) alternatives: Option<String>,
    pub(crate) body: Bytes,
}

/// `GET` answers 2xx.
pub(super) async fn get(attempt: &mut Attempt<'_>, path: &str) -> Result<(), Problem> {
    let host = attempt.trial.target.to_string();
    let stream = attempt.connect().await?;
    let response = attempt.ask(stream, request(&host, path)?).await?;
    if response.status.is_success() {
        return Ok(());
    }
    attempt.evidence.note("body", String::from_utf8_lossy(&response.body));
    let what = format!("GET {path} at {host} answers {}", response.status);
    Err(Problem::failed(Cause::HttpStatus, what))
}

/// `GET /` answers with the same place by HTTPS.
pub(super) async fn redirect(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let Some(name) = attempt.domain() else {
        return get(attempt, "/").await;
    };
    let stream = attempt.connect().await?;
    let response = attempt.ask(stream, request(&name, "/")?).await?;
    let location = response.location.as_deref().unwrap_or_default();
    attempt.evidence.note("location", location);
    // A name that begins like ours is another one.
    let leads = url::Url::parse(location).is_ok_and(|url| {
        url.scheme() == "https" && url.host_str().is_some_and(|host| host.eq_ignore_ascii_case(&name))
    });
    if matches!(response.status.as_u16(), 301 | 302 | 303 | 307 | 308) && leads {
        return Ok(());
    }
    let what = match location {
        "" => format!("{} answers {} and sends nobody to HTTPS", attempt.trial.target, response.status),
        other => format!(
            "{} answers {} and sends clients to {other}, not to https://{name}",
            attempt.trial.target, response.status
        ),
    };
    Err(Problem::failed(Cause::NoRedirect, what))
}

/// A `GET` for a path of a host.
pub(crate) fn request(host: &str, path: &str) -> Result<Request<Empty<Bytes>>, Problem> {
    let request = Request::get(path)
        .header(HOST, host)
        .header(USER_AGENT, concat!("stageplot/", env!("CARGO_PKG_VERSION")))
        .body(Empty::new());
    request.map_err(|error| {
        Problem::failed(Cause::WrongProtocol, format!("{path} cannot be asked for: {error}"))
    })
}

impl Attempt<'_> {
    /// Asks over a connection, and reads the whole answer.
    pub(crate) async fn ask<S, B>(&mut self, stream: S, request: Request<B>) -> Result<Response, Problem>
    where
        S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
        B: hyper::body::Body<Data = Bytes> + Send + 'static,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let target = self.trial.target.to_string();
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| broken(&error, &target))?;
        let talk = async {
            let response = sender.send_request(request).await.map_err(|error| broken(&error, &target))?;
            self.progress.reached(Step::Answering);
            let status = response.status();
            self.evidence.note("status", status.as_u16());
            let header = |name| {
                let value = response.headers().get(name)?;
                Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
            };
            let (location, alternatives) = (header(LOCATION), header(hyper::header::ALT_SVC));
            let upstream = header(HeaderName::from_static("upstream"));
            let body = response.into_body().collect().await.map_err(|error| broken(&error, &target))?;
            Ok(Response { status, location, upstream, alternatives, body: body.to_bytes() })
        };
        // The connection does its work while it is waited for, and goes away with the talk.
        tokio::pin!(connection);
        tokio::pin!(talk);
        tokio::select! {
            biased;
            response = &mut talk => response,
            ended = &mut connection => match ended {
                // What came before the end is still to be read.
                Ok(()) => talk.await,
                Err(error) => Err(broken(&error, &target)),
            },
        }
    }
}
