//! Webhooks: whoever receives them believes LiveKit, and nobody else.

use http_body_util::Full;
use hyper::body::Bytes;
use hyper::header::{AUTHORIZATION, CONTENT_TYPE, HOST, USER_AGENT};
use hyper::{Request, StatusCode};
use serde_json::json;
use stageplot_topology::{ServiceId, ServiceSpec};
use url::Url;

use super::token::token_of_body;
use super::{Attempt, ROOM, told};
use crate::probe::random;
use crate::{Cause, Problem};

/// An event that is signed as LiveKit signs is accepted, and one that somebody else signed
/// is refused.
///
/// It tells of the end of a room that nobody was in: what a receiver does then hurts
/// nobody.
pub(in crate::probe) async fn webhook(
    attempt: &mut Attempt<'_>,
    service: ServiceId,
    url: &Url,
) -> Result<(), Problem> {
    let topology = attempt.scene.topology.clone();
    let ServiceSpec::Livekit(livekit) = &topology.service(service).kind else {
        return Err(Problem::not_tried(Cause::SecretUnknown, "no LiveKit signs"));
    };
    let signs = livekit.webhook.as_ref().and_then(|webhook| webhook.key.as_ref());
    let key = livekit.keys.iter().find(|(name, _)| signs.is_none_or(|signs| signs == *name));
    let Some((name, secret)) = key else {
        return Err(Problem::not_tried(Cause::SecretUnknown, "no key of the plot signs webhooks"));
    };
    let secret = attempt.scene.secrets.get(secret)?.to_owned();
    let id = random::<8>()?;
    let own = attempt.deliver(url, name, &secret, &id).await?;
    attempt.evidence.note("signed-well", own.as_u16());
    if !own.is_success() {
        let what = format!("{url} answers {own} to an event that is signed with the key {name}");
        return Err(Problem::failed(Cause::WebhookRefused, what));
    }
    // Its key is one that nobody has.
    let other = attempt.deliver(url, name, &random::<32>()?, &random::<8>()?).await?;
    attempt.evidence.note("signed-wrongly", other.as_u16());
    if other.is_success() {
        let what = format!("{url} answers {other} to an event that nobody with a key has signed");
        return Err(Problem::failed(Cause::WebhookUnsigned, what));
    }
    Ok(())
}

impl Attempt<'_> {
    /// Sends an event as LiveKit does (`webhook/resource_url_notifier.go` of
    /// livekit/protocol), to the trial's own address.
    async fn deliver(&mut self, url: &Url, key: &str, secret: &str, id: &str) -> Result<StatusCode, Problem> {
        let room = json!({ "sid": format!("RM_{id}"), "name": format!("{ROOM}{id}") });
        let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap_or_default();
        let event = json!({
            "event": "room_finished", "room": room, "id": format!("EV_{id}"),
            "createdAt": now.as_secs().to_string(),
        });
        let body = Bytes::from(event.to_string());
        let token = token_of_body(key, secret, &body)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let path =
            url.query().map_or_else(|| url.path().to_owned(), |query| format!("{}?{query}", url.path()));
        let request = Request::post(path)
            .header(HOST, url.port().map_or_else(|| host.clone(), |port| format!("{host}:{port}")))
            .header(USER_AGENT, concat!("stageplot/", env!("CARGO_PKG_VERSION")))
            .header(AUTHORIZATION, &token)
            .header(CONTENT_TYPE, "application/webhook+json")
            .body(Full::new(body));
        let request = request.map_err(|error| {
            Problem::failed(Cause::WrongProtocol, format!("{url} cannot be asked: {error}"))
        })?;
        let address = self.address().await?;
        let response = match url.scheme() {
            "https" => {
                let stream = self.secure_at(address, &host, &[b"http/1.1"]).await?;
                self.ask(stream, request).await?
            }
            _ => {
                let stream = self.connect_to(address).await?;
                self.ask(stream, request).await?
            }
        };
        if !response.status.is_success() {
            self.evidence.note("body", told(&response.body, &token));
        }
        Ok(response.status)
    }
}
