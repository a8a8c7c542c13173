//! LiveKit's tokens: JSON Web Tokens (RFC 7519) signed with HMAC-SHA-256, and with
//! nothing else.

use std::collections::BTreeMap;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// How far the clocks of two machines may be apart.
pub(crate) const LEEWAY: Duration = Duration::from_secs(10);

/// What a token says.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub(crate) struct Claims {
    /// The API key that signed it; set by [`Keys::sign`].
    pub(crate) iss: String,
    /// The participant's identity.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) sub: String,
    /// The name that others see.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) name: String,
    /// From when on it is good, in seconds since 1970; always, where not set.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) nbf: Option<u64>,
    /// Until when it is good. A token without an end is never good.
    pub(crate) exp: u64,
    /// What its bearer may do.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) video: Option<Grants>,
    /// The SHA-256 of the request that it came with, in Base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) sha256: Option<String>,
}

/// What the bearer of a token may do. What is not set, LiveKit does not grant; for
/// publishing and subscribing it is the other way round.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub(crate) struct Grants {
    #[serde(skip_serializing_if = "String::is_empty")]
    pub(crate) room: String,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) room_create: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) room_list: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) room_admin: bool,
    #[serde(skip_serializing_if = "is_false")]
    pub(crate) room_join: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) can_publish_data: Option<bool>,
    /// Kinds of tracks that may be published; any where none is named.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) can_publish_sources: Vec<String>,
}

fn is_false(value: &bool) -> bool {
    !value
}

impl Claims {
    /// Whether the token is good at a time.
    pub(crate) fn is_good_at(&self, now: u64) -> bool {
        let leeway = LEEWAY.as_secs();
        self.nbf.is_none_or(|nbf| nbf <= now.saturating_add(leeway)) && now <= self.exp.saturating_add(leeway)
    }
}

/// Seconds since 1970.
pub(crate) fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// LiveKit's API keys with their secrets. There is one at least.
#[derive(Debug)]
pub(crate) struct Keys {
    /// The one that signs.
    signer: (String, SecretString),
    others: BTreeMap<String, SecretString>,
}

impl Keys {
    /// Keys, of which the first signs; `None` where there is none.
    pub(crate) fn new(keys: impl IntoIterator<Item = (String, SecretString)>) -> Option<Self> {
        let mut keys = keys.into_iter();
        Some(Self { signer: keys.next()?, others: keys.collect() })
    }

    /// A token that says this.
    pub(crate) fn sign(&self, claims: Claims) -> String {
        let (key, secret) = &self.signer;
        let claims = Claims { iss: key.clone(), ..claims };
        let claims = serde_json::to_string(&claims).expect("plain fields");
        let encode = |part: &[u8]| URL_SAFE_NO_PAD.encode(part);
        let signed = format!("{}.{}", encode(br#"{"alg":"HS256","typ":"JWT"}"#), encode(claims.as_bytes()));
        format!("{signed}.{}", encode(&mac(secret, &signed).finalize().into_bytes()))
    }

    /// What a token says that one of the keys has signed, at whatever time it is good.
    pub(crate) fn open(&self, token: &str) -> Option<Claims> {
        #[derive(Deserialize)]
        struct Header {
            alg: String,
        }
        let decode = |part: &str| URL_SAFE_NO_PAD.decode(part).ok();
        let (signed, signature) = token.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        let header: Header = serde_json::from_slice(&decode(header)?).ok()?;
        if header.alg != "HS256" {
            return None;
        }
        let claims: Claims = serde_json::from_slice(&decode(claims)?).ok()?;
        let secret = match &self.signer {
            (key, secret) if *key == claims.iss => secret,
            _ => self.others.get(&claims.iss)?,
        };
        // Compared in constant time.
        mac(secret, signed).verify_slice(&decode(signature)?).ok()?;
        Some(claims)
    }
}

fn mac(secret: &SecretString, signed: &str) -> Hmac<Sha256> {
    let secret = secret.expose_secret().as_bytes();
    Hmac::new_from_slice(secret).expect("HMAC takes keys of any length").chain_update(signed)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(name: &str, secret: &str) -> Keys {
        Keys::new([(name.to_owned(), SecretString::from(secret))]).expect("a key")
    }

    #[test]
    fn what_is_signed_is_read_back() {
        let keys = keys("main", "secret");
        let claims = Claims { sub: "ann".to_owned(), exp: 7, ..Claims::default() };
        let read = keys.open(&keys.sign(claims.clone()));
        assert_eq!(read, Some(Claims { iss: "main".to_owned(), ..claims }));
    }

    #[test]
    fn a_key_that_only_verifies_does_so() {
        let second = (String::from("second"), SecretString::from("other"));
        let both = Keys::new([("main".to_owned(), SecretString::from("secret")), second]).expect("keys");
        assert!(both.open(&keys("second", "other").sign(Claims::default())).is_some());
        assert!(both.open(&both.sign(Claims::default())).is_some_and(|claims| claims.iss == "main"));
    }

    #[test]
    fn what_others_signed_is_not_read() {
        let own = keys("main", "secret");
        let token = own.sign(Claims::default());
        assert!(own.open(&keys("main", "other").sign(Claims::default())).is_none());
        assert!(own.open(&keys("unknown", "secret").sign(Claims::default())).is_none());
        let (signed, signature) = token.rsplit_once('.').expect("three parts");
        let (_, claims) = signed.split_once('.').expect("three parts");
        for header in [r#"{"alg":"none"}"#, r#"{"alg":"HS512"}"#, "{}", "", "null"] {
            let header = URL_SAFE_NO_PAD.encode(header);
            for token in [format!("{header}.{claims}."), format!("{header}.{claims}.{signature}")] {
                assert!(own.open(&token).is_none(), "{token}");
            }
        }
        for token in ["", ".", "..", "...", signed, &token[..token.len() - 1], &format!("{token}.")] {
            assert!(own.open(token).is_none(), "{token}");
        }
    }

    #[test]
    fn a_token_is_good_for_its_time_and_a_little_more() {
        let claims = Claims { nbf: Some(1000), exp: 2000, ..Claims::default() };
        let good: Vec<_> =
            [989, 990, 1500, 2010, 2011].into_iter().map(|now| claims.is_good_at(now)).collect();
        assert_eq!(good, [false, true, true, true, false]);
        assert!(!Claims::default().is_good_at(1_700_000_000), "no end");
    }

    #[test]
    fn secrets_do_not_print() {
        assert!(!format!("{:?}", keys("main", "do-not-print")).contains("do-not-print"));
    }
}
