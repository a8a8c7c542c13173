//! A room created by the app that has a route for it.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use serde::Deserialize;
use serde_json::json;
use stageplot_topology::ServiceId;

use super::{Attempt, ROOM, http, is_no_room, rejected, told};
use crate::probe::random;
use crate::{Cause, Problem};

/// What the app answers, as far as a client needs it.
#[derive(Deserialize)]
struct Admission {
    token: String,
    /// Apps differ in what they call it; one that has both has them say the same.
    url: Option<String>,
    server_url: Option<String>,
}

/// A room is created, the answer sends clients to the edge, and LiveKit takes the token.
pub(in crate::probe) async fn create(
    attempt: &mut Attempt<'_>,
    service: ServiceId,
    path: &str,
) -> Result<(), Problem> {
    let room = format!("{ROOM}{}", random::<8>()?);
    let created = tokio::time::timeout_at(attempt.half(), attempt.create(service, path, &room)).await;
    let created = created.unwrap_or_else(|_| Err(attempt.late()));
    // Also where the answer was no good: the room may be there.
    let left = attempt.delete(&room).await;
    created.and(left)
}

impl Attempt<'_> {
    async fn create(&mut self, service: ServiceId, path: &str, room: &str) -> Result<(), Problem> {
        let entrance = self.entrance().await?;
        let stream = self.enter(&entrance).await?;
        let wanted = json!({ "room_name": room, "user_name": "stageplot" });
        let request = Request::post(path)
            .header(HOST, &entrance.host)
            .header(USER_AGENT, concat!("stageplot/", env!("CARGO_PKG_VERSION")))
            .header(CONTENT_TYPE, "application/json")
            .body(Full::new(Bytes::from(wanted.to_string())));
        let request = request.map_err(|error| {
            Problem::failed(Cause::WrongProtocol, format!("{path} cannot be asked for: {error}"))
        })?;
        let response = self.ask(stream, request).await?;
        if !response.status.is_success() {
            self.evidence.note("body", String::from_utf8_lossy(&response.body));
            let what = format!("POST {path} at {} answers {}", entrance.host, response.status);
            return Err(Problem::failed(Cause::HttpStatus, what));
        }
        let Ok(Admission { token, url, server_url }) = serde_json::from_slice(&response.body) else {
            let what = format!("POST {path} at {} is answered without a token", entrance.host);
            return Err(Problem::failed(Cause::WrongProtocol, what));
        };
        let own = self.scene.topology.public_url(service).unwrap_or_default();
        let is_own = |url: &String| url.trim_end_matches('/') == own;
        let told_urls: Vec<_> = [url, server_url].into_iter().flatten().collect();
        if told_urls.is_empty() || !told_urls.iter().all(is_own) {
            let elsewhere = told_urls.into_iter().find(|url| !is_own(url));
            let where_to = elsewhere.unwrap_or_else(|| "nowhere".to_owned());
            let what = format!("{path} sends clients to {where_to}, and they come in at {own}");
            return Err(Problem::failed(Cause::RoomElsewhere, told(what.as_bytes(), &token)));
        }
        self.admits(&entrance.host, &token).await
    }

    /// LiveKit takes the token, asked as a client would, before it opens a WebSocket.
    async fn admits(&mut self, host: &str, token: &str) -> Result<(), Problem> {
        let entrance = self.entrance().await?;
        let stream = self.enter(&entrance).await?;
        let escaped: String = url::form_urlencoded::byte_serialize(token.as_bytes()).collect();
        let asked = http::request(host, &format!("/rtc/validate?access_token={escaped}"))?;
        let response = self.ask(stream, asked).await?;
        match response.status {
            StatusCode::OK if &response.body[..] == b"success" => Ok(()),
            StatusCode::UNAUTHORIZED => Err(rejected(
                "LiveKit does not take the token that the app hands out".to_owned(),
                &response.body,
            )),
            StatusCode::NOT_FOUND if is_no_room(&response.body) => {
                let what = "the app hands out a token for a room that is not there".to_owned();
                Err(Problem::failed(Cause::JoinRefused, what))
            }
            status => {
                self.evidence.note("body", told(&response.body, token));
                let what = format!("LiveKit behind {host} answers a client's token with {status}");
                Err(Problem::failed(Cause::LivekitUnready, what))
            }
        }
    }
}
