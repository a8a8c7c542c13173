//! Rooms: created, joined and left by whoever asks. Who may ask is for you to add: an
//! extractor that knows your users belongs before each of these handlers.

use axum::Json;
use axum::extract::{FromRequestParts, State};
use axum::http::StatusCode;
use axum::http::header::AUTHORIZATION;
use axum::http::request::Parts;
use serde::{Deserialize, Serialize};
use uuid::Uuid;

use crate::failure::{Body, Failure, Path};
use crate::service::{Service, Shared};
use crate::token::{Claims, Grants, now};

/// How long a token may be used to join, in seconds. Who is in a room stays there, and
/// comes back to it after a broken connection: LiveKit renews the token meanwhile.
const JOIN: u64 = 600;

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Create {
    room_name: RoomName,
    user_name: UserName,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Join {
    user_name: UserName,
}

/// All that a client needs to be in a room.
#[derive(Debug, Serialize)]
pub(crate) struct Admission {
    room_name: RoomName,
    /// LiveKit's access token.
    token: String,
    /// Where to connect to: the edge.
    url: String,
    /// The same; clients differ in what they call it.
    server_url: String,
}

/// `POST /api/rooms`: creates a room, or finds it there, and admits who asks.
pub(crate) async fn create(
    State(service): Shared,
    Body(Create { room_name, user_name }): Body<Create>,
) -> Result<(StatusCode, Json<Admission>), Failure> {
    service.livekit.create_room(&service.site.keys, &room_name.0).await?;
    Ok((StatusCode::CREATED, Json(admit(&service, room_name, user_name))))
}

/// `POST /api/rooms/{room_name}/join`: admits who asks to a room that is there.
pub(crate) async fn join(
    State(service): Shared,
    Path(room_name): Path<RoomName>,
    Body(Join { user_name }): Body<Join>,
) -> Result<Json<Admission>, Failure> {
    if !service.livekit.has_room(&service.site.keys, &room_name.0).await? {
        return Err(Failure::new(StatusCode::NOT_FOUND, "there is no such room"));
    }
    Ok(Json(admit(&service, room_name, user_name)))
}

/// `POST /api/rooms/{room_name}/leave`: removes the participant whose token it is, and
/// so nobody else.
pub(crate) async fn leave(
    State(service): Shared,
    Path(room_name): Path<RoomName>,
    Bearer(token): Bearer,
) -> Result<StatusCode, Failure> {
    // One that is too old to join with still says who it was made for.
    let claims = service.site.keys.open(&token);
    let joined = |claims: &Claims| {
        claims.video.as_ref().is_some_and(|video| video.room_join && video.room == room_name.0)
    };
    let Some(claims) = claims.filter(joined) else {
        return Err(Failure::new(StatusCode::UNAUTHORIZED, "this is no token for the room"));
    };
    service.livekit.remove(&service.site.keys, &room_name.0, &claims.sub).await?;
    Ok(StatusCode::NO_CONTENT)
}

fn admit(service: &Service, room_name: RoomName, user_name: UserName) -> Admission {
    // Whoever joins with the identity of another one throws them out, so nobody chooses
    // it.
    let identity = Uuid::new_v4().to_string();
    tracing::info!(room = room_name.0, participant = identity, "admitted");
    let token = service.site.keys.sign(Claims {
        sub: identity,
        name: user_name.0,
        exp: now() + JOIN,
        video: Some(Grants {
            room: room_name.0.clone(),
            room_join: true,
            can_publish_data: Some(false),
            can_publish_sources: vec!["camera".to_owned(), "microphone".to_owned()],
            ..Grants::default()
        }),
        ..Claims::default()
    });
    let url = service.site.public_url.clone();
    Admission { room_name, token, url: url.clone(), server_url: url }
}

/// A room's name: up to 64 letters and digits of any script, `-` and `_`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct RoomName(String);

impl TryFrom<String> for RoomName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let fits = |c: char| c.is_alphanumeric() || matches!(c, '-' | '_');
        match !name.is_empty() && name.chars().count() <= 64 && name.chars().all(fits) {
            true => Ok(Self(name)),
            false => Err("a room's name has 1 to 64 letters, digits, - and _"),
        }
    }
}

/// The name that others in the room see: up to 64 characters, no control characters.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct UserName(String);

impl TryFrom<String> for UserName {
    type Error = &'static str;

    fn try_from(name: String) -> Result<Self, Self::Error> {
        let name = name.trim();
        match !name.is_empty() && name.chars().count() <= 64 && !name.chars().any(char::is_control) {
            true => Ok(Self(name.to_owned())),
            false => Err("a user's name has 1 to 64 characters, and no control characters"),
        }
    }
}

/// The token of `Authorization: Bearer …` (RFC 6750).
pub(crate) struct Bearer(String);

impl<S: Sync> FromRequestParts<S> for Bearer {
    type Rejection = Failure;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Failure> {
        let header = parts.headers.get(AUTHORIZATION).and_then(|header| header.to_str().ok());
        let token = header.and_then(|header| header.strip_prefix("Bearer "));
        token.map(|token| Self(token.to_owned())).ok_or_else(|| {
            Failure::new(StatusCode::UNAUTHORIZED, "a token is wanted: Authorization: Bearer …")
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_rooms_are_words_of_any_script() {
        for name in ["a", "Room-1_b", "排练室", &"x".repeat(64)] {
            assert_eq!(RoomName::try_from(name.to_owned()), Ok(RoomName(name.to_owned())));
        }
        for name in ["", " ", "a b", "a/b", "..", "a\n", "a\u{202e}b", &"x".repeat(65)] {
            assert!(RoomName::try_from(name.to_owned()).is_err(), "{name:?}");
        }
    }

    #[test]
    fn names_of_users_are_a_line_of_text() {
        let name = |name: &str| UserName::try_from(name.to_owned()).map(|name| name.0);
        assert_eq!(name("  Ann Lee "), Ok("Ann Lee".to_owned()));
        for bad in ["", "  ", "a\nb", "a\0", &"x".repeat(65)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
    }
}
