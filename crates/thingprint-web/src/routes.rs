use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::middleware::from_fn_with_state;
use axum::response::Response;
use axum::routing::{get, post};

use crate::guard::{HEALTHZ, LOGIN, UPDATES, guard};
use crate::problem::Problem;
use crate::site::Site;
use crate::{api, asset, form, pages, stream};

/// Longest body of a request: a form that acknowledges a page of events.
const MOST_BODY_BYTES: usize = 16 * 1024;

/// All that the page answers.
pub(crate) fn routes(site: Arc<Site>) -> Router {
    let api = Router::new()
        .route("/devices", get(api::devices))
        .route("/devices/{device}", get(api::device))
        .route("/devices/{device}/windows", get(api::windows))
        .route("/devices/{device}/changes", get(api::changes_of))
        .route("/devices/{device}/why", get(api::why))
        .route("/events", get(api::events))
        .route("/findings", get(api::findings))
        .route("/changes", get(api::changes))
        .route("/health", get(api::health))
        .route("/labels", get(api::labels))
        .route("/training", get(api::training))
        .route("/requests", post(form::api_requests))
        .fallback(api::not_found);
    Router::new()
        .route("/", get(pages::devices_page))
        .route("/devices/{device}", get(pages::device_page))
        .route("/changes", get(pages::changes_page))
        .route("/findings", get(pages::findings_page))
        .route("/health", get(pages::health_page))
        .route("/model", get(pages::model_page))
        .route("/requests", post(form::requests))
        .route("/static/page.css", get(asset::style))
        .route("/static/page.js", get(asset::script))
        .route("/static/icon.svg", get(asset::icon))
        .route("/metrics", get(api::metrics))
        .route(LOGIN, post(form::login))
        .route(HEALTHZ, get(api::healthz))
        .route(UPDATES, get(stream::updates))
        .nest("/api/v1", api)
        .fallback(nothing)
        .layer(DefaultBodyLimit::max(MOST_BODY_BYTES))
        .layer(from_fn_with_state(Arc::clone(&site), guard))
        .with_state(site)
}

async fn nothing() -> Response {
    Problem::not_found("There is nothing at this address.").page()
}
