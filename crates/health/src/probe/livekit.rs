//! LiveKit: its keys, its tokens, and the nodes that know each other through Redis.

mod create;
mod nodes;
mod room;
mod sdp;
mod signal;
mod token;
mod webhook;

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST};
use hyper::{Request, StatusCode};
use stageplot_topology::{Livekit, ServiceSpec};

pub(super) use create::create;
pub(super) use nodes::{activity, nodes};
pub(super) use room::{Peer, join, media};
pub(super) use signal::{IceServer, Join};
pub(crate) use token::{Grant, token};
pub(super) use webhook::webhook;

use super::{Attempt, http};
use crate::{Cause, Problem};

/// The rooms that checks are about begin with this: nobody else's do.
pub(crate) const ROOM: &str = "stageplot-check-";

/// `ListRooms` takes every key: the secret is the right one, and Redis answers too.
pub(super) async fn keys(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    for (name, _) in attempt.keys() {
        let token = attempt.token(&name, Grant::ListRooms)?;
        let response = attempt.twirp("ListRooms", &token, "{}").await?;
        match response.status {
            StatusCode::OK if is_list(&response.body) => {}
            StatusCode::OK => return Err(stranger(attempt, told(&response.body, &token))),
            StatusCode::UNAUTHORIZED => {
                let what = format!(
                    "LiveKit at {} does not know the key {name} with this secret",
                    attempt.trial.target
                );
                return Err(rejected(what, &response.body));
            }
            status => {
                attempt.evidence.note("body", told(&response.body, &token));
                let what = format!("LiveKit at {} answers ListRooms with {status}", attempt.trial.target);
                return Err(Problem::failed(Cause::LivekitUnready, what));
            }
        }
    }
    Ok(())
}

/// `/rtc/validate` takes a token for a room. No room is made.
pub(super) async fn validate(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let Some((name, livekit)) =
        attempt.keys().next().zip(attempt.livekit()).map(|((name, _), own)| (name, own))
    else {
        return Ok(());
    };
    let auto_create = livekit.room.auto_create;
    let token = attempt.token(&name, Grant::Join(format!("{ROOM}validate")))?;
    let host = attempt.trial.target.to_string();
    let stream = attempt.connect().await?;
    let response =
        attempt.ask(stream, http::request(&host, &format!("/rtc/validate?access_token={token}"))?).await?;
    match response.status {
        StatusCode::OK if &response.body[..] == b"success" => Ok(()),
        StatusCode::OK => Err(stranger(attempt, told(&response.body, &token))),
        // Where rooms are made by hand alone, ours is none; the token was read before that.
        StatusCode::NOT_FOUND if !auto_create && is_no_room(&response.body) => Ok(()),
        StatusCode::UNAUTHORIZED => Err(rejected(
            format!("LiveKit at {host} does not take a token of the key {name}"),
            &response.body,
        )),
        status => {
            attempt.evidence.note("body", told(&response.body, &token));
            let what = format!("LiveKit at {host} answers a client's token with {status}");
            Err(Problem::failed(Cause::LivekitUnready, what))
        }
    }
}

/// Whether it is what `ListRooms` answers, in JSON.
fn is_list(body: &[u8]) -> bool {
    let answer = serde_json::from_slice::<serde_json::Map<String, serde_json::Value>>(body);
    answer.is_ok_and(|answer| answer.get("rooms").is_none_or(serde_json::Value::is_array))
}

/// Whether it is what LiveKit says of a room that is not there (`pkg/service/errors.go`):
/// others answer 404 too.
fn is_no_room(body: &[u8]) -> bool {
    String::from_utf8_lossy(body).contains("requested room does not exist")
}

/// What a server says, without the token that it was sent: whoever has that may use it
/// for a while.
fn told(body: &[u8], token: &str) -> String {
    String::from_utf8_lossy(body).replace(token, "(token)")
}

/// That somebody says yes who is no LiveKit: many a server says so to everything.
fn stranger(attempt: &mut Attempt<'_>, body: String) -> Problem {
    attempt.evidence.note("body", body);
    let what = format!("{} says yes, and not as LiveKit does", attempt.trial.target);
    Problem::failed(Cause::WrongProtocol, what)
}

/// That a key or a token is not taken; which may be for the time that it says.
fn rejected(what: String, body: &[u8]) -> Problem {
    let body = String::from_utf8_lossy(body);
    if body.contains("not valid yet")
        || body.contains("nbf")
        || body.contains("expired")
        || body.contains("(exp)")
    {
        return Problem::failed(Cause::ClockSkew, format!("{what}, for its clock differs from the one here"));
    }
    Problem::failed(Cause::KeyRejected, what)
}

impl Attempt<'_> {
    /// What the plot says of the LiveKit that is asked.
    pub(crate) fn livekit(&self) -> Option<&Livekit> {
        match self.rooms().map(|rooms| &self.scene.topology.service(rooms).kind) {
            Some(ServiceSpec::Livekit(livekit)) => Some(livekit),
            _ => None,
        }
    }

    /// The keys of the LiveKit that is asked.
    fn keys(&self) -> impl Iterator<Item = (String, stageplot_topology::SecretRef)> + use<> {
        let keys: Vec<_> = self.livekit().into_iter().flat_map(|livekit| livekit.keys.clone()).collect();
        keys.into_iter()
    }

    /// A token signed with a key of the LiveKit that is asked.
    fn token(&self, key: &str, grant: Grant) -> Result<String, Problem> {
        let secret = self.livekit().and_then(|livekit| livekit.keys.get(key));
        let secret = secret
            .ok_or_else(|| Problem::not_tried(Cause::SecretUnknown, format!("no key is called {key}")))?;
        token(key, self.scene.secrets.get(secret)?, &grant)
    }

    /// Calls the server's API (Twirp, in JSON).
    async fn twirp(
        &mut self,
        method: &str,
        token: &str,
        body: &'static str,
    ) -> Result<http::Response, Problem> {
        let stream = self.connect().await?;
        let request = Request::post(format!("/twirp/livekit.RoomService/{method}"))
            .header(HOST, self.trial.target.to_string())
            .header(AUTHORIZATION, format!("Bearer {token}"))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from_static(body.as_bytes())));
        let request = request.map_err(|error| {
            Problem::failed(Cause::WrongProtocol, format!("{method} cannot be asked for: {error}"))
        })?;
        self.ask(stream, request).await
    }
}
