//! ion-sfu: a call that it has to refuse.

use futures_util::{SinkExt as _, StreamExt as _};
use serde::Deserialize;
use serde_json::json;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::WebSocketConfig;

use super::connection::broken;
use super::{Attempt, Step};
use crate::{Cause, Problem};

/// How much of one message is read.
const LONGEST: usize = 64 << 10;

/// The number of the call.
const CALL: u64 = 2;

/// What it answers with JSON-RPC 2.0 (<https://www.jsonrpc.org/specification>).
#[derive(Deserialize)]
struct Answer {
    id: Option<u64>,
    error: Option<Refusal>,
}

#[derive(Deserialize)]
struct Refusal {
    message: String,
}

/// An offer of somebody who has joined nothing is refused: nothing comes of it, and only
/// ion-sfu's own signalling refuses it so. Never a `join`: one without what it needs ends the
/// process.
pub(super) async fn call(attempt: &mut Attempt<'_>) -> Result<(), Problem> {
    let target = attempt.trial.target.to_string();
    let stream = attempt.connect().await?;
    let config = WebSocketConfig::default().max_message_size(Some(LONGEST)).max_frame_size(Some(LONGEST));
    let url = format!("ws://{target}/ws");
    let opened = tokio_tungstenite::client_async_with_config(url, stream, Some(config)).await;
    let (mut socket, _) = opened.map_err(|error| match error {
        tokio_tungstenite::tungstenite::Error::Http(response) => {
            let what = format!("{target} opens no WebSocket at /ws: it answers {}", response.status());
            Problem::failed(Cause::WrongProtocol, what)
        }
        error => broken(&error, &target),
    })?;
    let offer = json!({
        "jsonrpc": "2.0", "id": CALL, "method": "offer", "params": { "desc": { "type": "offer", "sdp": "" } },
    });
    let asked = Message::text(offer.to_string());
    socket.send(asked).await.map_err(|error| broken(&error, &target))?;
    loop {
        let message = socket.next().await.unwrap_or(Ok(Message::Close(None)));
        match message.map_err(|error| broken(&error, &target))? {
            Message::Text(text) => {
                attempt.progress.reached(Step::Answering);
                let answer: Option<Answer> = serde_json::from_str(&text).ok();
                let refusal = answer.filter(|answer| answer.id == Some(CALL)).and_then(|answer| answer.error);
                if refusal.as_ref().is_some_and(|refusal| refusal.message.contains("rtc transport")) {
                    // What it makes of that is not asked: a deadline is a deadline.
                    let _ = socket.close(None).await;
                    return Ok(());
                }
                attempt.evidence.note("answer", text.as_str());
                let what = match refusal {
                    Some(refusal) => {
                        format!("{target} refuses an offer as ion-sfu does not: {}", refusal.message)
                    }
                    None => format!("{target} answers an offer with no refusal"),
                };
                return Err(Problem::failed(Cause::WrongProtocol, what));
            }
            Message::Close(_) => {
                let what = format!("{target} closed the WebSocket before it answered");
                return Err(Problem::failed(Cause::ClosedEarly, what));
            }
            _ => {}
        }
    }
}
