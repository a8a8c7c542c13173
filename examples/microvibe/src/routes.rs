//! What it serves.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use axum::extract::ws::WebSocketUpgrade;
use axum::extract::ws::rejection::WebSocketUpgradeRejection;
use axum::extract::{DefaultBodyLimit, Form, Path, Query, State};
use axum::http::StatusCode;
use axum::http::header::CONTENT_TYPE;
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use tower_http::trace::TraceLayer;

use crate::data::{Data, REDIS_POOL, said};
use crate::failure::{Body, Failure};
use crate::metrics::{self, Metrics};
use crate::relay::{LONGEST, relay};
use crate::rooms::{Room, Rooms};
use crate::settings::Settings;
use crate::sfu;
use crate::streaming::{Addresses, Protocol};

/// The longest body of a request, in bytes.
const LONGEST_BODY: usize = 64 << 10;

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// What every request may want to know.
#[derive(Debug)]
pub(crate) struct Node {
    /// What this node is called.
    name: String,
    settings: Settings,
    data: Data,
    rooms: Rooms,
    /// How many visitors are connected to an SFU.
    relays: AtomicUsize,
}

impl Node {
    pub(crate) fn new(name: String, settings: Settings, data: Data) -> Self {
        Self { name, settings, rooms: Rooms::new(data.clone()), data, relays: AtomicUsize::new(0) }
    }
}

type Shared = State<Arc<Node>>;

pub(crate) fn router(node: Node) -> Router {
    Router::new()
        .route("/health", get(health))
        .route("/metrics", get(numbers))
        .route("/api/v1/live/create", post(create))
        .route("/api/v1/live/auth/publish", post(publish))
        .route("/api/v1/live/auth/publish_done", post(publish_done))
        .route("/api/v1/live/ws", get(socket))
        .route("/api/v1/live/{room_id}", get(state))
        .route("/api/v1/live/{room_id}/watch", get(watch))
        .route("/api/v1/live/{room_id}/end", post(end))
        .layer(DefaultBodyLimit::max(LONGEST_BODY))
        .layer(TraceLayer::new_for_http())
        .with_state(Arc::new(node))
}

/// Like the real one, it is only as well as what it needs.
async fn health(State(node): Shared) -> Response {
    let health = node.data.health().await;
    let status = if health.is_good() { StatusCode::OK } else { StatusCode::SERVICE_UNAVAILABLE };
    (status, Json(json!({ "status": said(health.is_good()), "services": health }))).into_response()
}

/// What cannot be counted now is left out: it is not none.
async fn numbers(State(node): Shared) -> Response {
    let health = node.data.health().await;
    let mut metrics = Metrics::default();
    let up = [("postgresql", u8::from(health.postgresql)), ("redis", u8::from(health.redis))];
    metrics.of_services("microvibe_service_up", "1 where the service answers.", &up);
    if health.postgresql
        && let Ok(rooms) = node.rooms.count().await
    {
        metrics.gauge("microvibe_rooms", "Rooms that have not ended.", rooms);
    }
    if health.redis
        && let Ok(live) = node.rooms.count_live().await
    {
        metrics.gauge("microvibe_live_streams", "Rooms that are on.", live);
    }
    let relays = node.relays.load(Ordering::Relaxed);
    metrics.gauge("microvibe_relays", "Visitors that are connected to an SFU through this node.", relays);
    let Data { postgres, redis } = &node.data;
    let held = [("postgresql", postgres.size()), ("redis", redis.state().connections)];
    metrics.of_services("microvibe_pool_connections", "Connections that are held.", &held);
    let most = [("postgresql", postgres.options().get_max_connections()), ("redis", REDIS_POOL)];
    metrics.of_services("microvibe_pool_connections_max", "Connections at most.", &most);
    ([(CONTENT_TYPE, metrics::CONTENT_TYPE)], metrics.into_text()).into_response()
}

#[derive(Debug, Deserialize)]
struct Wish {
    title: String,
    push_protocol: Protocol,
}

#[derive(Debug, Serialize)]
struct Created {
    room_id: String,
    stream_key: String,
    #[serde(flatten)]
    addresses: Addresses,
    protocol: Protocol,
}

async fn create(State(node): Shared, Body(wish): Body<Wish>) -> Result<Json<Value>, Failure> {
    let title = wish.title.trim();
    if title.is_empty() || title.chars().count() > LONGEST_TITLE || title.contains(char::is_control) {
        let message = format!("a title has between 1 and {LONGEST_TITLE} characters, and no controls");
        return Err(Failure::new(StatusCode::BAD_REQUEST, message));
    }
    let protocol = wish.push_protocol;
    let (room_id, stream_key) = node.rooms.create(title, protocol).await?;
    let addresses = node.settings.streaming.addresses(protocol, &room_id, &stream_key);
    Ok(success(Created { room_id, stream_key, addresses, protocol }))
}

/// What nginx-rtmp tells of a stream, as far as it matters here.
#[derive(Debug, Deserialize)]
struct Stream {
    /// The stream key.
    #[serde(default)]
    name: String,
    /// Which of its clients sends it.
    #[serde(default, rename = "clientid")]
    client: String,
}

/// Asked by nginx-rtmp before it takes a stream; it takes none that is not answered well.
async fn publish(State(node): Shared, Form(stream): Form<Stream>) -> Result<StatusCode, Failure> {
    let room = known(&node, &stream).await?;
    if room.is_ended {
        return Err(refused());
    }
    node.rooms.mark_live(&room.room_id, &stream.client).await?;
    Ok(StatusCode::OK)
}

/// Told by nginx-rtmp when a stream ended; the answer is nothing to it.
async fn publish_done(State(node): Shared, Form(stream): Form<Stream>) -> Result<StatusCode, Failure> {
    let room = known(&node, &stream).await?;
    node.rooms.mark_off(&room.room_id, &stream.client).await?;
    if room.is_ended { Err(refused()) } else { Ok(StatusCode::OK) }
}

async fn known(node: &Node, stream: &Stream) -> Result<Room, Failure> {
    node.rooms.of_key(&stream.name).await?.ok_or_else(refused)
}

/// Whoever guesses learns nothing about what the key was.
fn refused() -> Failure {
    Failure::new(StatusCode::FORBIDDEN, "no room takes this stream key")
}

async fn state(State(node): Shared, Path(room_id): Path<String>) -> Result<Json<Value>, Failure> {
    let room = found(&node, &room_id).await?;
    let is_live = node.rooms.is_live(&room).await?;
    // A player's address has the key in it, as the real one's has.
    let is_played = room.protocol == Protocol::Rtmp.as_str();
    let hls = node.settings.streaming.hls(&room.stream_key).filter(|_| is_played);
    Ok(success(json!({
        "room_id": room.room_id, "title": room.title, "protocol": room.protocol, "live": is_live,
        "ended": room.is_ended, "hls_url": hls, "node": node.name,
    })))
}

/// A page that plays the room, whichever that is: it asks for it itself.
async fn watch() -> Html<&'static str> {
    Html(include_str!("watch.html"))
}

async fn end(State(node): Shared, Path(room_id): Path<String>) -> Result<Json<Value>, Failure> {
    let room = found(&node, &room_id).await?;
    node.rooms.end(&room.room_id).await?;
    Ok(success(Value::Null))
}

#[derive(Debug, Deserialize)]
struct Which {
    #[serde(default)]
    room_id: String,
}

/// Connects a visitor to the SFU of their room. It is reached first, so that whoever comes
/// while it is away learns so by a status.
async fn socket(
    State(node): Shared,
    Query(Which { room_id }): Query<Which>,
    upgrade: Result<WebSocketUpgrade, WebSocketUpgradeRejection>,
) -> Result<Response, Failure> {
    let Some(address) = node.settings.sfus.of(&room_id) else {
        return Err(Failure::new(
            StatusCode::SERVICE_UNAVAILABLE,
            "there is no SFU: SFU_ENABLED is not true",
        ));
    };
    let upgrade = upgrade.map_err(|error| Failure::new(error.status(), error.body_text()))?;
    if found(&node, &room_id).await?.is_ended {
        return Err(Failure::new(StatusCode::GONE, "the room has ended"));
    }
    let sfu = sfu::connect(address).await.map_err(|error| {
        tracing::warn!(address, %error, "the SFU");
        Failure::new(StatusCode::BAD_GATEWAY, "the room's SFU does not answer as it should")
    })?;
    tracing::info!(room_id, address, "a visitor");
    let upgrade = upgrade.max_message_size(LONGEST).max_frame_size(LONGEST);
    let node = Arc::clone(&node);
    Ok(upgrade.on_upgrade(async move |visitor| {
        node.relays.fetch_add(1, Ordering::Relaxed);
        relay(visitor, sfu).await;
        node.relays.fetch_sub(1, Ordering::Relaxed);
    }))
}

async fn found(node: &Node, room_id: &str) -> Result<Room, Failure> {
    let missing = || Failure::new(StatusCode::NOT_FOUND, "there is no such room");
    node.rooms.of_id(room_id).await?.ok_or_else(missing)
}

/// As the real one wraps whatever went well.
fn success(data: impl Serialize) -> Json<Value> {
    Json(json!({ "code": 0, "message": "success", "data": data }))
}
