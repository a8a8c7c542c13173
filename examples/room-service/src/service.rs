//! The service as a whole: its routes, and what every request goes through.

use std::sync::Arc;
use std::time::Duration;

use axum::body::Bytes;
use axum::error_handling::HandleErrorLayer;
use axum::extract::{DefaultBodyLimit, State};
use axum::http::StatusCode;
use axum::routing::{get, post};
use axum::{BoxError, Json, Router};
use serde_json::{Value, json};
use tower::ServiceBuilder;
use tower::limit::GlobalConcurrencyLimitLayer;
use tower_http::timeout::TimeoutLayer;
use tower_http::trace::TraceLayer;

use crate::failure::Failure;
use crate::livekit::LiveKit;
use crate::site::Site;
use crate::webhook::Seen;
use crate::{page, rooms, webhook};

/// What a request may take, its body included.
const REQUEST: Duration = Duration::from_secs(10);

/// How many requests are under way at most; what comes on top is turned away.
const AT_ONCE: usize = 256;

/// The largest request but for webhooks, in bytes.
const LIMIT: usize = 4096;

/// What handlers share.
#[derive(Debug)]
pub(crate) struct Service {
    pub(crate) site: Site,
    pub(crate) livekit: LiveKit,
    pub(crate) seen: Seen,
}

/// [`Service`], as handlers ask for it.
pub(crate) type Shared = State<Arc<Service>>;

/// All routes. `client` is LiveKit's own JavaScript, which the page loads.
pub(crate) fn router(service: Service, client: Bytes) -> Router {
    let limits = ServiceBuilder::new()
        // At debug: method, path and status; no headers, which hold tokens.
        .layer(TraceLayer::new_for_http())
        .layer(HandleErrorLayer::new(|_: BoxError| async {
            Failure::new(StatusCode::SERVICE_UNAVAILABLE, "too many requests at once")
        }))
        .load_shed()
        .layer(GlobalConcurrencyLimitLayer::new(AT_ONCE))
        .layer(TimeoutLayer::with_status_code(StatusCode::REQUEST_TIMEOUT, REQUEST));
    Router::new()
        .route("/health", get(health))
        .route("/api/rooms", post(rooms::create))
        .route("/api/rooms/{room_name}/join", post(rooms::join))
        .route("/api/rooms/{room_name}/leave", post(rooms::leave))
        .route("/api/webhook", post(webhook::receive).layer(DefaultBodyLimit::max(webhook::LIMIT)))
        .merge(page::routes(&service.site.public_url, client))
        .layer(DefaultBodyLimit::max(LIMIT))
        .layer(limits)
        .with_state(Arc::new(service))
}

/// `GET /health`: whether this service can do its work. It asks LiveKit what only a
/// server answers that takes our key and reaches its Redis.
async fn health(State(service): Shared) -> (StatusCode, Json<Value>) {
    match service.livekit.has_room(&service.site.keys, "health").await {
        Ok(_) => (StatusCode::OK, Json(json!({ "livekit": "ok" }))),
        Err(error) => (StatusCode::SERVICE_UNAVAILABLE, Json(json!({ "livekit": error.to_string() }))),
    }
}
