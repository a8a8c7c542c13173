//! LiveKit's API: the few calls that this service makes of its `RoomService`.

use std::time::Duration;

use serde::Deserialize;
use serde_json::{Value, json};
use stageplot_topology::SocketTarget;

use crate::token::{Claims, Grants, Keys, now};

/// What a server may take to accept a connection before the next one is tried.
const CONNECT: Duration = Duration::from_millis(500);

/// What a call may take in all. An edge, or Docker, waits three seconds for the
/// answer to a health check.
const CALL: Duration = Duration::from_millis(2500);

/// How long the token of one call is good, in seconds.
const TOKEN: u64 = 30;

/// The API of a LiveKit cluster. Any of its servers answers for all.
#[derive(Debug)]
pub(crate) struct LiveKit {
    http: reqwest::Client,
    servers: Vec<SocketTarget>,
}

/// Why a call came to nothing.
#[derive(Debug, thiserror::Error)]
pub(crate) enum CallError {
    #[error("no server could be reached")]
    Unreachable,
    #[error("not answered in time")]
    Late,
    #[error("answered {status} ({code})")]
    Refused {
        status: u16,
        /// Twirp's word for it, such as `not_found`.
        code: String,
    },
    #[error("answered something that is no answer")]
    Unreadable,
}

impl LiveKit {
    /// The API of these servers.
    ///
    /// # Errors
    ///
    /// Where the HTTP client cannot be set up.
    pub(crate) fn new(servers: Vec<SocketTarget>) -> Result<Self, reqwest::Error> {
        // Its servers are in the plot's own networks, whatever proxy the rest may use.
        // In a build with other crates reqwest may speak TLS, and wants a provider for it.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let http = reqwest::Client::builder().connect_timeout(CONNECT).timeout(CALL).no_proxy().build()?;
        Ok(Self { http, servers })
    }

    /// Creates a room; one that is there already stays as it is.
    pub(crate) async fn create_room(&self, keys: &Keys, room: &str) -> Result<(), CallError> {
        let grants = Grants { room_create: true, ..Grants::default() };
        self.call(keys, "CreateRoom", grants, json!({ "name": room })).await.map(drop)
    }

    /// Whether a room is there.
    pub(crate) async fn has_room(&self, keys: &Keys, room: &str) -> Result<bool, CallError> {
        let grants = Grants { room_list: true, ..Grants::default() };
        let listed = self.call(keys, "ListRooms", grants, json!({ "names": [room] })).await?;
        Ok(listed["rooms"].as_array().is_some_and(|rooms| !rooms.is_empty()))
    }

    /// Removes a participant; one that is not there has left already.
    pub(crate) async fn remove(&self, keys: &Keys, room: &str, identity: &str) -> Result<(), CallError> {
        let grants = Grants { room_admin: true, room: room.to_owned(), ..Grants::default() };
        let participant = json!({ "room": room, "identity": identity });
        match self.call(keys, "RemoveParticipant", grants, participant).await {
            Err(CallError::Refused { code, .. }) if code == "not_found" => Ok(()),
            removed => removed.map(drop),
        }
    }

    /// Calls a method of Twirp's `livekit.RoomService` at the first server that takes
    /// connections.
    async fn call(
        &self,
        keys: &Keys,
        method: &str,
        grants: Grants,
        request: Value,
    ) -> Result<Value, CallError> {
        let token = keys.sign(Claims { exp: now() + TOKEN, video: Some(grants), ..Claims::default() });
        let all = async {
            for server in &self.servers {
                let url = format!("http://{server}/twirp/livekit.RoomService/{method}");
                match self.http.post(url).bearer_auth(&token).json(&request).send().await {
                    // Nothing was asked yet, so another server may be.
                    Err(error) if error.is_connect() => tracing::warn!(%server, "LiveKit is unreachable"),
                    Err(error) if error.is_timeout() => return Err(CallError::Late),
                    Err(_) => return Err(CallError::Unreadable),
                    Ok(response) => return answer(response).await,
                }
            }
            Err(CallError::Unreachable)
        };
        tokio::time::timeout(CALL, all).await.unwrap_or(Err(CallError::Late))
    }
}

async fn answer(response: reqwest::Response) -> Result<Value, CallError> {
    #[derive(Deserialize)]
    struct Refusal {
        code: String,
    }
    let status = response.status();
    if status.is_success() {
        return response.json().await.map_err(|_| CallError::Unreadable);
    }
    let code = response.json().await.map_or_else(|_| "no reason".to_owned(), |Refusal { code }| code);
    Err(CallError::Refused { status: status.as_u16(), code })
}
