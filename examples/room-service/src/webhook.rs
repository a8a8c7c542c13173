//! The receiver of LiveKit's webhooks.
//!
//! Each comes with a token in `Authorization`, signed by one of the API keys, that
//! holds the SHA-256 of the body. Nothing else is believed, and nothing twice.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header::AUTHORIZATION;
use axum::http::{HeaderMap, StatusCode};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;
use sha2::{Digest as _, Sha256};
use subtle::ConstantTimeEq as _;

use crate::service::Shared;
use crate::token::{Keys, LEEWAY, now};

/// The largest event that is read, in bytes. A participant's metadata is the bulk.
pub(crate) const LIMIT: usize = 256 * 1024;

/// How long ahead the token of an event may be good, in seconds. LiveKit's are for
/// five minutes; each event is remembered for as long.
const AHEAD: u64 = 900;

/// How many events are remembered at once: some four megabytes.
const REMEMBERED: usize = 50_000;

/// An event, as far as it is of interest here.
#[derive(Debug, Deserialize)]
struct Event {
    event: String,
    room: Option<Room>,
    participant: Option<Participant>,
}

#[derive(Debug, Deserialize)]
struct Room {
    name: String,
}

#[derive(Debug, Deserialize)]
struct Participant {
    identity: String,
}

/// `POST /api/webhook`. What is wrong with a request is not told: the one who may send
/// any knows how.
pub(crate) async fn receive(State(service): Shared, headers: HeaderMap, body: Bytes) -> StatusCode {
    let token = headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok()).unwrap_or_default();
    match service.seen.admit(&service.site.keys, token, &body, now()) {
        Err(Refusal::Full) => {
            tracing::error!(remembered = REMEMBERED, "more webhooks than can be told from replays");
            return StatusCode::SERVICE_UNAVAILABLE;
        }
        Err(refusal) => {
            tracing::warn!(?refusal, "webhook");
            return StatusCode::UNAUTHORIZED;
        }
        Ok(()) => {}
    }
    let Ok(event) = serde_json::from_slice::<Event>(&body) else { return StatusCode::BAD_REQUEST };
    // In quotes: what others chose may hold line feeds.
    let room = event.room.map(|room| room.name).unwrap_or_default();
    let participant = event.participant.map(|participant| participant.identity).unwrap_or_default();
    match event.event.as_str() {
        // Here a service of yours would do its part.
        "room_started" | "room_finished" => tracing::info!(event = event.event, ?room, "webhook"),
        "participant_joined" | "participant_left" => {
            tracing::info!(event = event.event, ?room, ?participant, "webhook");
        }
        // New releases bring new ones.
        other => tracing::debug!(event = ?other, "webhook of no interest"),
    }
    StatusCode::OK
}

/// Why an event is not believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// No token that one of the keys has signed.
    Unsigned,
    /// Too old, or good for too long.
    Untimely,
    /// The token is for another body, or for something else.
    OtherBody,
    /// It came before.
    Replayed,
    /// Too many came of late to tell whether it did.
    Full,
}

/// The digests of events that came, each kept until its token is too old to come again.
#[derive(Debug, Default)]
pub(crate) struct Seen(Mutex<HashMap<[u8; 32], u64>>);

impl Seen {
    /// Believes an event, once.
    ///
    /// # Errors
    ///
    /// Why it is not believed.
    pub(crate) fn admit(&self, keys: &Keys, token: &str, body: &[u8], now: u64) -> Result<(), Refusal> {
        let claims = keys.open(token).ok_or(Refusal::Unsigned)?;
        if !claims.is_good_at(now) || claims.exp > now + AHEAD {
            return Err(Refusal::Untimely);
        }
        let digest: [u8; 32] = Sha256::digest(body).into();
        let claimed = claims.sha256.and_then(|claimed| STANDARD.decode(claimed).ok());
        if !claimed.is_some_and(|claimed| bool::from(claimed.ct_eq(&digest))) {
            return Err(Refusal::OtherBody);
        }
        let last = claims.exp + LEEWAY.as_secs();
        let mut seen = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if seen.get(&digest).is_some_and(|&last| now <= last) {
            return Err(Refusal::Replayed);
        }
        if seen.len() >= REMEMBERED {
            seen.retain(|_, last| now <= *last);
            if seen.len() >= REMEMBERED {
                return Err(Refusal::Full);
            }
        }
        seen.insert(digest, last);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use secrecy::SecretString;

    use super::*;
    use crate::token::{Claims, Grants};

    const NOW: u64 = 1_700_000_000;
    const BODY: &[u8] = br#"{"event":"room_started","id":"EV_1"}"#;

    fn keys(name: &str, secret: &str) -> Keys {
        Keys::new([(name.to_owned(), SecretString::from(secret))]).expect("a key")
    }

    fn own() -> Keys {
        keys("main", "secret")
    }

    /// What LiveKit says of a body.
    fn claims(body: &[u8]) -> Claims {
        let sha256 = Some(STANDARD.encode(Sha256::digest(body)));
        Claims { nbf: Some(NOW), exp: NOW + 300, sha256, ..Claims::default() }
    }

    fn admit(seen: &Seen, claims: Claims, body: &[u8], now: u64) -> Result<(), Refusal> {
        seen.admit(&own(), &own().sign(claims), body, now)
    }

    #[test]
    fn an_event_is_believed_once() {
        let seen = Seen::default();
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW), Ok(()));
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW), Err(Refusal::Replayed));
        // Nor by another token for the same.
        let later = Claims { exp: NOW + 400, ..claims(BODY) };
        assert_eq!(admit(&seen, later, BODY, NOW + 310), Err(Refusal::Replayed));
        assert_eq!(admit(&seen, claims(b"{}"), b"{}", NOW), Ok(()), "another event");
    }

    #[test]
    fn what_nobody_with_a_key_signed_is_not_believed() {
        let seen = Seen::default();
        let strangers =
            [keys("main", "other"), keys("unknown", "secret")].map(|keys| keys.sign(claims(BODY)));
        for token in strangers.iter().map(String::as_str).chain(["", "Bearer", "a.b.c"]) {
            assert_eq!(seen.admit(&own(), token, BODY, NOW), Err(Refusal::Unsigned), "{token}");
        }
    }

    #[test]
    fn another_body_is_not_believed() {
        let seen = Seen::default();
        assert_eq!(
            admit(&seen, claims(BODY), b"{\"event\":\"room_finished\"}", NOW),
            Err(Refusal::OtherBody)
        );
        for sha256 in [None, Some(String::new()), Some("?".to_owned()), Some(STANDARD.encode("short"))] {
            let claims = Claims { sha256, ..claims(BODY) };
            assert_eq!(admit(&seen, claims, BODY, NOW), Err(Refusal::OtherBody));
        }
        // Everybody who may join a room has a token of this kind.
        let video = Some(Grants { room_join: true, ..Grants::default() });
        let joins = Claims { video, sha256: None, ..claims(BODY) };
        assert_eq!(admit(&seen, joins, BODY, NOW), Err(Refusal::OtherBody));
    }

    #[test]
    fn old_events_and_eternal_ones_are_not_believed() {
        let seen = Seen::default();
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW + 311), Err(Refusal::Untimely));
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW - 11), Err(Refusal::Untimely));
        let eternal = Claims { exp: u64::MAX, ..claims(BODY) };
        assert_eq!(admit(&seen, eternal, BODY, NOW), Err(Refusal::Untimely));
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW + 310), Ok(()), "within the leeway");
    }

    #[test]
    fn what_is_remembered_has_a_bound_and_makes_room_with_time() {
        let seen = Seen::default();
        let digest = |n: usize| {
            let mut digest = [0; 32];
            digest[..8].copy_from_slice(&n.to_le_bytes());
            digest
        };
        seen.0.lock().expect("a lock").extend((0..REMEMBERED).map(|n| (digest(n), NOW + 10)));
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW + 10), Err(Refusal::Full));
        assert_eq!(admit(&seen, claims(BODY), BODY, NOW + 11), Ok(()));
        assert_eq!(seen.0.lock().expect("a lock").len(), 1);
    }
}
