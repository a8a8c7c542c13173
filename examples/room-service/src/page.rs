//! The page: a small client for browsers.

use axum::Router;
use axum::body::Bytes;
use axum::http::HeaderValue;
use axum::http::header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE, X_CONTENT_TYPE_OPTIONS};
use axum::routing::{MethodRouter, get};

/// Its routes, all of them at `/` and below `/page/`. LiveKit is at `public_url`;
/// `client` is its JavaScript.
pub(crate) fn routes<S: Clone + Send + Sync + 'static>(public_url: &str, client: Bytes) -> Router<S> {
    // The page loads nothing from elsewhere, and talks to LiveKit alone, which is also
    // asked over HTTP why it took no WebSocket.
    let http = public_url.replacen("ws", "http", 1);
    let policy = format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src data:; \
         connect-src 'self' {public_url} {http}; media-src 'self' blob: mediastream:; \
         base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    );
    // A host name fits a header; where it did not, the page would do nothing.
    let policy = HeaderValue::try_from(policy).unwrap_or(HeaderValue::from_static("default-src 'none'"));
    let own = |kind, text: &'static str| file(kind, Bytes::from_static(text.as_bytes()), "no-cache", &policy);
    Router::new()
        .route("/", own("text/html; charset=utf-8", include_str!("../page/index.html")))
        .route("/page/style.css", own("text/css; charset=utf-8", include_str!("../page/style.css")))
        .route("/page/script.js", own("text/javascript; charset=utf-8", include_str!("../page/script.js")))
        .route(
            "/page/livekit-client.js",
            file("text/javascript; charset=utf-8", client, "max-age=86400", &policy),
        )
}

fn file<S: Clone + Send + Sync + 'static>(
    kind: &'static str,
    content: Bytes,
    cache: &'static str,
    policy: &HeaderValue,
) -> MethodRouter<S> {
    let headers = [
        (CONTENT_TYPE, HeaderValue::from_static(kind)),
        (CONTENT_SECURITY_POLICY, policy.clone()),
        (X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (CACHE_CONTROL, HeaderValue::from_static(cache)),
    ];
    get(async move || (headers, content))
}
