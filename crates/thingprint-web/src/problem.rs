use axum::Json;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{Html as Document, IntoResponse, Response};
use serde_json::json;
use thingprint_watch::{RecordsError, RequestError};

use crate::html::Html;
use crate::views::shell;

/// Why a request has no answer, for the person who asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Problem {
    pub(crate) status: StatusCode,
    /// Sentences: what is wrong, and what to do.
    pub(crate) text: String,
}

impl Problem {
    pub(crate) fn new(status: StatusCode, text: impl Into<String>) -> Self {
        Self { status, text: text.into() }
    }

    /// The request cannot be understood.
    pub(crate) fn bad(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, text)
    }

    pub(crate) fn forbidden(text: &str) -> Self {
        Self::new(StatusCode::FORBIDDEN, text)
    }

    pub(crate) fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, text)
    }

    pub(crate) fn misdirected(text: &str) -> Self {
        Self::new(StatusCode::MISDIRECTED_REQUEST, text)
    }

    pub(crate) fn busy(text: &str) -> Self {
        Self::new(StatusCode::SERVICE_UNAVAILABLE, text)
    }

    /// As JSON, with the key `error`.
    pub(crate) fn json(self) -> Response {
        (self.status, Json(json!({ "error": self.text }))).into_response()
    }

    /// As a page.
    pub(crate) fn page(self) -> Response {
        let mut body = Html::new();
        body.raw("<h1>").text(heading(self.status)).raw("</h1><p class=\"lead\">").text(&self.text);
        body.raw("</p><p><a href=\"/\">All devices</a></p>");
        (self.status, Document(shell::bare(heading(self.status), &body))).into_response()
    }

    /// As the client wants it.
    pub(crate) fn answer(self, wants_json: bool) -> Response {
        if wants_json { self.json() } else { self.page() }
    }
}

impl From<RecordsError> for Problem {
    fn from(error: RecordsError) -> Self {
        let text = format!("What is kept cannot be read: {error}. The view Capture says how the store is.");
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, text)
    }
}

impl From<RequestError> for Problem {
    fn from(error: RequestError) -> Self {
        Self::new(StatusCode::UNPROCESSABLE_ENTITY, format!("The request was not carried out: {error}"))
    }
}

/// Whether a client is a program: it asks for the API, or for JSON.
pub(crate) fn wants_json(path: &str, headers: &HeaderMap) -> bool {
    let accepts = headers.get(header::ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or("");
    path.starts_with("/api/") || accepts.starts_with("application/json")
}

fn heading(status: StatusCode) -> &'static str {
    match status {
        StatusCode::NOT_FOUND => "Not found",
        StatusCode::UNAUTHORIZED => "Token needed",
        StatusCode::SERVICE_UNAVAILABLE => "Too busy",
        StatusCode::UNPROCESSABLE_ENTITY | StatusCode::CONFLICT => "Not done",
        status if status.is_server_error() => "Something failed",
        _ => "Request refused",
    }
}
