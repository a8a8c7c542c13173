//! Access tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256, with LiveKit's
//! own claims (`auth/grants.go` of livekit/protocol).

use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
use hmac::digest::InvalidLength;
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
    let signature = signature(secret.as_bytes(), &signed)
        .map_err(|error| Problem::not_tried(Cause::SecretUnknown, format!("{key} signs nothing: {error}")))?;
    Ok(format!("{signed}.{signature}"))
}

/// The signature of a header and its claims (RFC 7515, section 5.1; RFC 7518, section 3.2).
fn signature(secret: &[u8], signed: &str) -> Result<String, InvalidLength> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret)?;
    mac.update(signed.as_bytes());
    Ok(BASE64_URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_is_signed_as_in_appendix_a_1_of_rfc_7515() {
        let secret = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow";
        let signed = "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9\
                      .eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
        let secret = BASE64_URL_SAFE_NO_PAD.decode(secret).expect("Base64");
        let signature = signature(&secret, signed).expect("any key will do");
        assert_eq!(signature, "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk");
    }

    #[test]
    fn a_token_says_who_may_do_what_for_how_long() {
        let grant = Grant::Join("room".to_owned());
        let token = token("main", "secret", &grant).expect("a token");
        let parts: Vec<_> = token.split('.').collect();
        let [header, claims, written] = parts.as_slice() else { panic!("{token} has three parts") };
        let read = |part: &str| -> serde_json::Value {
            let part = BASE64_URL_SAFE_NO_PAD.decode(part).expect("Base64 for URLs, without padding");
            serde_json::from_slice(&part).expect("JSON")
        };
        assert_eq!(read(header), json!({ "alg": "HS256", "typ": "JWT" }));
        let claims_read = read(claims);
        assert_eq!((&claims_read["iss"], &claims_read["video"]["room"]), (&json!("main"), &json!("room")));
        let (from, to) = (claims_read["nbf"].as_u64(), claims_read["exp"].as_u64());
        assert_eq!(to.zip(from).map(|(to, from)| to - from), Some(SECONDS + 1));
        assert_eq!(signature(b"secret", &format!("{header}.{claims}")).as_deref(), Ok(*written));
    }
}
