//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256, with LiveKit's
//! own claims (`auth/grants.go` of livekit/protocol).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::{Hmac, KeyInit as _, Mac as _};
use serde_json::json;
use sha2::{Digest as _, Sha256};

use crate::{Cause, Problem};

/// How long a token is good for: no longer than a check takes, by clocks that differ.
const SECONDS: u64 = 60;

/// What a token allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Grant {
    /// To list rooms.
    ListRooms,
    /// To make and to remove rooms.
    Create,
    /// To join a room of this name.
    Join(String),
}

/// A token for a check.
pub(crate) fn token(key: &str, secret: &str, grant: &Grant) -> Result<String, Problem> {
    let video = match grant {
        Grant::ListRooms => json!({ "roomList": true }),
        Grant::Create => json!({ "roomCreate": true }),
        Grant::Join(room) => json!({ "roomJoin": true, "room": room, "roomCreate": true, "hidden": true }),
    };
    signed(key, secret, json!({ "sub": "stageplot-check", "video": video }))
}

/// A token that says whose a webhook's body is.
pub(super) fn token_of_body(key: &str, secret: &str, body: &[u8]) -> Result<String, Problem> {
    signed(key, secret, json!({ "sha256": BASE64_STANDARD.encode(Sha256::digest(body)) }))
}

/// Claims, good for a while, with their signature.
fn signed(key: &str, secret: &str, mut claims: serde_json::Value) -> Result<String, Problem> {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    claims["iss"] = key.into();
    claims["nbf"] = now.saturating_sub(1).into();
    claims["exp"] = (now + SECONDS).into();
    let header = json!({ "alg": "HS256", "typ": "JWT" });
    let part = |value: &serde_json::Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
    let signed = format!("{}.{}", part(&header), part(&claims));
    let mut mac = Hmac::<Sha256>::new_from_slice(secret.as_bytes())
        .map_err(|error| Problem::not_tried(Cause::SecretUnknown, format!("{key} signs nothing: {error}")))?;
    mac.update(signed.as_bytes());
    Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())))
}
