//! What a request gets that cannot be met: a status, and the same with a reason in JSON.

use axum::Json;
use axum::extract::FromRequest;
use axum::extract::rejection::JsonRejection;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::json;

use crate::data::DataError;

/// A failed request.
#[derive(Debug)]
pub(crate) struct Failure {
    status: StatusCode,
    message: String,
}

impl Failure {
    /// A status, and what to tell the one who asked.
    pub(crate) fn new(status: StatusCode, message: impl Into<String>) -> Self {
        Self { status, message: message.into() }
    }
}

impl IntoResponse for Failure {
    fn into_response(self) -> Response {
        let body = json!({ "code": self.status.as_u16(), "message": self.message });
        (self.status, Json(body)).into_response()
    }
}

impl From<DataError> for Failure {
    fn from(error: DataError) -> Self {
        tracing::warn!(%error, "a request was not met");
        let lost = if matches!(error, DataError::Postgres(_)) { "Postgres" } else { "Redis" };
        Self::new(StatusCode::SERVICE_UNAVAILABLE, format!("{lost} does not answer as it should"))
    }
}

/// A body in JSON, whose mistakes are told in JSON.
#[derive(FromRequest)]
#[from_request(via(Json), rejection(Failure))]
pub(crate) struct Body<T>(pub(crate) T);

impl From<JsonRejection> for Failure {
    /// Gin has one status for all of them.
    fn from(rejection: JsonRejection) -> Self {
        Self::new(StatusCode::BAD_REQUEST, rejection.body_text())
    }
}
