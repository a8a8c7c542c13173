//! Sessions: a token that any node takes, for all have one secret, and what only the
//! node knows that it was given by.

use std::collections::BTreeSet;
use std::sync::{Mutex, PoisonError};
use std::time::{SystemTime, UNIX_EPOCH};

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit as _, Mac as _};
use secrecy::{ExposeSecret as _, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

/// Who is signed in: a JSON Web Token (RFC 7519), signed with HMAC-SHA-256.
#[derive(Debug, Serialize, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    /// The node that they signed in at.
    pub(crate) node: String,
    /// Until when, in seconds since 1970.
    pub(crate) exp: u64,
}

/// The sessions of one node.
#[derive(Debug)]
pub(crate) struct Sessions {
    secret: SecretString,
    hours: u64,
    /// Those that began here: like the real one, it keeps some of them in memory.
    own: Mutex<BTreeSet<String>>,
}

impl Sessions {
    pub(crate) fn new(secret: SecretString, hours: u64) -> Self {
        Self { secret, hours, own: Mutex::default() }
    }

    /// Begins a session at a node.
    pub(crate) fn begin(&self, who: &str, node: &str) -> String {
        let claims = Claims { sub: who.to_owned(), node: node.to_owned(), exp: now() + self.hours * 3600 };
        let claims = serde_json::to_vec(&claims).unwrap_or_default();
        let head = URL_SAFE_NO_PAD.encode(br#"{"alg":"HS256","typ":"JWT"}"#);
        let signed = format!("{head}.{}", URL_SAFE_NO_PAD.encode(claims));
        let token = format!("{signed}.{}", URL_SAFE_NO_PAD.encode(self.mac(&signed).finalize().into_bytes()));
        self.own.lock().unwrap_or_else(PoisonError::into_inner).insert(token.clone());
        token
    }

    /// Whose session it is, and whether it began here; none where it is not good.
    pub(crate) fn of(&self, token: &str) -> Option<(Claims, bool)> {
        let (signed, signature) = token.rsplit_once('.')?;
        let signature = URL_SAFE_NO_PAD.decode(signature).ok()?;
        self.mac(signed).verify_slice(&signature).ok()?;
        let claims = URL_SAFE_NO_PAD.decode(signed.split_once('.')?.1).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let is_own = self.own.lock().unwrap_or_else(PoisonError::into_inner).contains(token);
        (claims.exp > now()).then_some((claims, is_own))
    }

    fn mac(&self, signed: &str) -> Hmac<Sha256> {
        let key = self.secret.expose_secret().as_bytes();
        // HMAC takes keys of any length.
        let mut mac = Hmac::new_from_slice(key).expect("a key");
        mac.update(signed.as_bytes());
        mac
    }
}

fn now() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_is_good_at_every_node_with_the_secret_and_at_no_other() {
        let node = |secret: &str| Sessions::new(secret.to_owned().into(), 1);
        let (one, two, stranger) = (node("same"), node("same"), node("other"));
        let token = one.begin("ops@example.com", "one");
        assert!(one.of(&token).is_some_and(|(claims, own)| own && claims.sub == "ops@example.com"));
        assert!(two.of(&token).is_some_and(|(claims, own)| !own && claims.node == "one"));
        assert!(stranger.of(&token).is_none());
        assert!(one.of(&format!("{token}x")).is_none() && one.of("").is_none());
        assert!(Sessions::new("same".to_owned().into(), 0).of(&token).is_some());
        let over = Sessions::new("same".to_owned().into(), 0).begin("ops", "one");
        assert!(one.of(&over).is_none(), "it ended at once");
    }
}
