//! What it serves.

use std::convert::Infallible;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::extract::ws::{Message, WebSocket, WebSocketUpgrade};
use axum::extract::{ConnectInfo, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{any, get, post};
use axum::{Json, Router};
use futures_util::{Stream, StreamExt as _, stream};
use secrecy::ExposeSecret as _;
use serde::Deserialize;
use serde_json::{Value, json};
use subtle::ConstantTimeEq as _;
use tower_http::trace::TraceLayer;

use crate::data::{CountError, Data};
use crate::session::Sessions;
use crate::settings::Settings;

/// What every request may want to know.
#[derive(Debug)]
pub(crate) struct Node {
    /// What this node is called.
    pub(crate) name: String,
    pub(crate) settings: Settings,
    pub(crate) sessions: Sessions,
    pub(crate) data: Data,
}

type Shared = State<Arc<Node>>;

pub(crate) fn router(node: Node) -> Router {
    Router::new()
        .route("/", get(page))
        .route("/health", get(health))
        .route("/api/seen", any(seen))
        .route("/api/login", post(login))
        .route("/api/me", get(me))
        .route("/api/visits", post(visit))
        .route("/api/pools", get(pools))
        .route("/api/events", get(events))
        .route("/api/wait", get(wait))
        .route("/ws", any(echo))
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::new(node))
}

async fn page(State(node): Shared) -> Html<String> {
    let escape = |text: &str| text.replace('&', "&amp;").replace('<', "&lt;");
    let (title, name) = (escape(&node.settings.title), escape(&node.name));
    Html(format!("<!doctype html><title>{title}</title><h1>{title}</h1><p>This is {name}.</p>\n"))
}

/// Like the real one, it says that it lives, and nothing of what it needs.
async fn health() -> Json<Value> {
    Json(json!({ "status": "ok" }))
}

/// What a request looks like from here.
async fn seen(
    State(node): Shared,
    ConnectInfo(peer): ConnectInfo<SocketAddr>,
    headers: HeaderMap,
) -> Json<Value> {
    let header = |name: &str| {
        let all = headers.get_all(name).iter().map(|value| String::from_utf8_lossy(value.as_bytes()));
        all.collect::<Vec<_>>().join(", ")
    };
    Json(json!({
        "node": node.name, "peer": peer.ip(), "forwarded_for": header("x-forwarded-for"),
        "forwarded_proto": header("x-forwarded-proto"), "forwarded_host": header("x-forwarded-host"),
        "real_ip": header("x-real-ip"),
    }))
}

#[derive(Debug, Deserialize)]
struct Login {
    email: String,
    password: String,
}

async fn login(State(node): Shared, Json(login): Json<Login>) -> Response {
    let known = node.settings.admin_password.expose_secret().as_bytes();
    let right =
        bool::from(login.password.as_bytes().ct_eq(known)) & (login.email == node.settings.admin_email);
    match right {
        true => Json(json!({ "token": node.sessions.begin(&login.email, &node.name) })).into_response(),
        false => StatusCode::UNAUTHORIZED.into_response(),
    }
}

/// Who is asking, and whether this node knows them from before.
async fn me(State(node): Shared, headers: HeaderMap) -> Response {
    let token = headers.get("authorization").and_then(|value| value.to_str().ok()?.strip_prefix("Bearer "));
    match token.and_then(|token| node.sessions.of(token)) {
        Some((claims, began_here)) => {
            Json(json!({ "node": node.name, "email": claims.sub, "began_here": began_here })).into_response()
        }
        None => StatusCode::UNAUTHORIZED.into_response(),
    }
}

async fn visit(State(node): Shared) -> Response {
    match node.data.count(&node.name).await {
        Ok((for_good, of_late)) => {
            Json(json!({ "node": node.name, "for_good": for_good, "of_late": of_late })).into_response()
        }
        Err(error) => {
            let lost = if matches!(error, CountError::Postgres(_)) { "Postgres" } else { "Redis" };
            tracing::warn!(%error, "a visit was not counted");
            (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "lost": lost }))).into_response()
        }
    }
}

/// How many connections are held.
async fn pools(State(node): Shared) -> Json<Value> {
    Json(json!({ "postgres": node.data.postgres.size(), "redis": node.data.redis.state().connections }))
}

/// Server-sent events: one now, and one every half second.
async fn events(State(node): Shared) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let name = node.name.clone();
    let events = stream::unfold(0_u64, move |count| {
        let name = name.clone();
        async move {
            if count > 0 {
                tokio::time::sleep(Duration::from_millis(500)).await;
            }
            Some((Ok(Event::default().data(format!("{count} {name}"))), count + 1))
        }
    });
    Sse::new(events).keep_alive(KeepAlive::default())
}

/// Long polling: the head of the answer comes at once, and its end after a second.
async fn wait() -> Response {
    let first = stream::once(async { Ok::<_, Infallible>("wait\n") });
    let last = stream::once(async {
        tokio::time::sleep(Duration::from_secs(1)).await;
        Ok("done\n")
    });
    axum::body::Body::from_stream(first.chain(last)).into_response()
}

async fn echo(upgrade: WebSocketUpgrade) -> Response {
    upgrade.on_upgrade(|mut socket: WebSocket| async move {
        while let Some(Ok(message)) = socket.recv().await {
            let answer = matches!(message, Message::Text(_) | Message::Binary(_));
            if answer && socket.send(message).await.is_err() {
                return;
            }
        }
    })
}
