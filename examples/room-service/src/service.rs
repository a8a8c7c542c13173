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
        // At debug: method, path and status; no headers, which hold tokens. What failed
        // is told where it does.
        .layer(TraceLayer::new_for_http().on_failure(()))
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

#[cfg(test)]
mod tests {
    use std::io::{Read as _, Write as _};
    use std::net::{SocketAddr, TcpStream};

    use secrecy::SecretString;
    use stageplot_tests::wait_for;
    use tokio::net::TcpListener;

    use super::*;
    use crate::token::Keys;

    /// A service without a LiveKit, and where it listens.
    async fn serve() -> SocketAddr {
        let key = ("main".to_owned(), SecretString::from("secret"));
        let site = Site {
            listen: Vec::new(),
            livekit: Vec::new(),
            public_url: "wss://livekit.example.com".to_owned(),
            keys: Keys::new([key]).expect("a key"),
        };
        let livekit = LiveKit::new(Vec::new()).expect("a client");
        let app = router(Service { site, livekit, seen: Seen::default() }, Bytes::from_static(b"script"));
        let listener = TcpListener::bind("127.0.0.1:0").await.expect("a port");
        let address = listener.local_addr().expect("an address");
        tokio::spawn(axum::serve(listener, app).into_future());
        address
    }

    /// Sends the beginning of a request and leaves it at that.
    fn begin(address: SocketAddr, request: &str) -> TcpStream {
        let mut stream = TcpStream::connect(address).expect("a connection");
        stream.set_read_timeout(Some(REQUEST)).expect("a deadline");
        stream.write_all(request.as_bytes()).expect("sent");
        stream
    }

    /// The status of an answer.
    fn status(mut stream: TcpStream) -> String {
        let mut start = [0; 12];
        stream.read_exact(&mut start).expect("an answer");
        String::from_utf8_lossy(&start[9..]).into_owned()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_too_much_at_once_is_turned_away() {
        let address = serve().await;
        let page = || status(begin(address, "GET / HTTP/1.1\r\nHost: rooms\r\n\r\n"));
        assert_eq!(page(), "200");
        let head = "POST /api/rooms HTTP/1.1\r\nHost: rooms\r\nContent-Type: application/json\r\n";
        let unfinished = format!("{head}Content-Length: 9\r\n\r\n{{");
        let held: Vec<_> = (0..AT_ONCE).map(|_| begin(address, &unfinished)).collect();
        // Connections are taken up one by one.
        wait_for("turned away", REQUEST, || page() == "503");
        drop(held);
        wait_for("answered again", REQUEST, || page() == "200");
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn without_livekit_it_is_not_well() {
        let address = serve().await;
        let ask = |path: &str| status(begin(address, &format!("GET {path} HTTP/1.1\r\nHost: rooms\r\n\r\n")));
        assert_eq!((ask("/health"), ask("/page/livekit-client.js")), ("503".to_owned(), "200".to_owned()));
    }
}
