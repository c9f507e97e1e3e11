//! Answers to programs: JSON with the field names of the commands. All keys are always there, null where there is no
//! value.

use std::sync::Arc;

use axum::Json;
use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderName, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};
use thingprint_flow::{DeviceId, Timestamp};
use thingprint_table::rfc3339;
use thingprint_watch::{Event, EventFilter, EventKind};

use crate::device_list::{DeviceList, DeviceQuery};
use crate::pages::{device_id, parameters, unknown_device};
use crate::problem::Problem;
use crate::site::{Site, ask, clock};
use crate::views::changes::ChangeQuery;

/// Rows of an answer if nothing is said, and at most.
const DEFAULT_ROWS: usize = 200;
const MOST_ROWS: usize = 1_000;
/// The format of `/metrics`.
const METRICS: &str = "application/openmetrics-text; version=1.0.0; charset=utf-8";

type Parameters<T> = Result<Query<T>, QueryRejection>;

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct WindowParameters {
    #[serde(default)]
    from: String,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct EventParameters {
    #[serde(default)]
    device: String,
    #[serde(default)]
    kind: String,
    #[serde(default)]
    since: String,
    #[serde(default)]
    is_open: bool,
    before: Option<u64>,
    limit: Option<usize>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct FindingParameters {
    #[serde(default)]
    device: String,
}

/// An address that takes none: one that is written wrong is told, and not ignored.
#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct NoParameters {}

pub(crate) async fn devices(State(site): State<Arc<Site>>, query: Parameters<DeviceQuery>) -> Response {
    answer(&site, move |site| {
        let list = DeviceList::try_from(parameters(query)?)?;
        let devices = site.devices()?;
        let page = list.of(&devices);
        Ok(json!({ "devices": page.devices, "total": page.total, "page": page.page, "pages": page.pages }))
    })
    .await
}

pub(crate) async fn device(
    State(site): State<Arc<Site>>,
    Path(device): Path<String>,
    query: Parameters<NoParameters>,
) -> Response {
    answer(&site, move |site| {
        parameters(query)?;
        let device = device_id(&device)?;
        let known = site.records()?.device(device)?.ok_or_else(|| unknown_device(device))?;
        Ok(json!(known))
    })
    .await
}

pub(crate) async fn windows(
    State(site): State<Arc<Site>>,
    Path(device): Path<String>,
    query: Parameters<WindowParameters>,
) -> Response {
    answer(&site, move |site| {
        let query = parameters(query)?;
        let device = known_device(site, &device)?;
        let from = time(&query.from)?.unwrap_or(Timestamp::MIN);
        Ok(json!({ "windows": site.records()?.windows(device, from, rows(query.limit)?)? }))
    })
    .await
}

pub(crate) async fn changes_of(
    State(site): State<Arc<Site>>,
    Path(device): Path<String>,
    query: Parameters<NoParameters>,
) -> Response {
    answer(&site, move |site| {
        parameters(query)?;
        let device = known_device(site, &device)?;
        Ok(json!({ "changes": site.records()?.changes(device)? }))
    })
    .await
}

pub(crate) async fn why(
    State(site): State<Arc<Site>>,
    Path(device): Path<String>,
    query: Parameters<NoParameters>,
) -> Response {
    answer(&site, move |site| {
        parameters(query)?;
        let device = known_device(site, &device)?;
        Ok(json!({ "why": site.why(device)? }))
    })
    .await
}

pub(crate) async fn events(State(site): State<Arc<Site>>, query: Parameters<EventParameters>) -> Response {
    answer(&site, move |site| {
        let filter = parameters(query)?.filter()?;
        let events = site.records()?.events(&filter)?;
        Ok(json!({ "events": events, "next_before": next_before(&events, filter.most) }))
    })
    .await
}

pub(crate) async fn findings(
    State(site): State<Arc<Site>>,
    query: Parameters<FindingParameters>,
) -> Response {
    answer(&site, move |site| {
        let device = some_device(&parameters(query)?.device)?;
        Ok(json!({ "findings": site.records()?.findings(device)? }))
    })
    .await
}

pub(crate) async fn changes(State(site): State<Arc<Site>>, query: Parameters<ChangeQuery>) -> Response {
    answer(&site, move |site| {
        let filter = parameters(query)?.filter(clock(&site.backend.health()))?;
        let devices = site.devices()?;
        let is_new = |first_seen: Timestamp| filter.since.is_none_or(|since| first_seen >= since);
        let new = devices.iter().filter(|device| is_new(device.sighting.first_seen));
        let new: Vec<String> = new.map(|device| device.sighting.device.to_string()).collect();
        let events = site.records()?.events(&filter)?;
        let since = filter.since.map(rfc3339::format);
        let next_before = next_before(&events, filter.most);
        Ok(json!({ "since": since, "new_devices": new, "events": events, "next_before": next_before }))
    })
    .await
}

pub(crate) async fn health(State(site): State<Arc<Site>>, query: Parameters<NoParameters>) -> Response {
    answer(&site, |site| {
        parameters(query)?;
        Ok(json!(site.backend.health()))
    })
    .await
}

pub(crate) async fn labels(State(site): State<Arc<Site>>, query: Parameters<NoParameters>) -> Response {
    answer(&site, |site| {
        parameters(query)?;
        Ok(json!({ "labels": site.records()?.labels()? }))
    })
    .await
}

pub(crate) async fn training(State(site): State<Arc<Site>>, query: Parameters<NoParameters>) -> Response {
    let answer = |_| Json(json!({ "training": site.training.state().json() })).into_response();
    parameters(query).map_or_else(Problem::json, answer)
}

pub(crate) async fn metrics(State(site): State<Arc<Site>>) -> Response {
    let text = ask(&site, |site| Ok(site.backend.metrics())).await;
    text.map_or_else(Problem::json, |text| typed(METRICS, text))
}

/// Says that the page works, and nothing else.
pub(crate) async fn healthz() -> Response {
    typed("text/plain; charset=utf-8", "ok\n".to_owned())
}

pub(crate) async fn not_found() -> Response {
    Problem::not_found("There is nothing at this address.").json()
}

impl EventParameters {
    fn filter(&self) -> Result<EventFilter, Problem> {
        let kind: Option<EventKind> = match self.kind.as_str() {
            "" => None,
            kind => Some(kind.parse().map_err(|error| Problem::bad(format!("{error}.")))?),
        };
        Ok(EventFilter {
            device: some_device(&self.device)?,
            kind,
            since: time(&self.since)?,
            is_open: self.is_open,
            before: self.before,
            most: rows(self.limit)?,
        })
    }
}

async fn answer(
    site: &Arc<Site>,
    question: impl FnOnce(&Site) -> Result<Value, Problem> + Send + 'static,
) -> Response {
    // It becomes text on the thread that may wait: ten thousand devices are megabytes.
    let text = ask(site, move |site| question(site).map(|value| value.to_string())).await;
    text.map_or_else(Problem::json, |text| typed("application/json", text))
}

fn typed(media: &'static str, text: String) -> Response {
    let headers: [(HeaderName, &str); 1] = [(header::CONTENT_TYPE, media)];
    (headers, text).into_response()
}

/// The number that the next page of a list of events is asked for with; null for the last page.
fn next_before(events: &[Event], most: usize) -> Option<u64> {
    if events.len() < most { None } else { events.last().map(|event| event.id) }
}

fn known_device(site: &Site, text: &str) -> Result<DeviceId, Problem> {
    let device = device_id(text)?;
    let known = site.records()?.device(device)?;
    known.map(|_| device).ok_or_else(|| unknown_device(device))
}

fn some_device(text: &str) -> Result<Option<DeviceId>, Problem> {
    if text.is_empty() { Ok(None) } else { device_id(text).map(Some) }
}

fn rows(limit: Option<usize>) -> Result<usize, Problem> {
    let rows = limit.unwrap_or(DEFAULT_ROWS);
    let is_good = (1..=MOST_ROWS).contains(&rows);
    if is_good { Ok(rows) } else { Err(Problem::bad(format!("limit is 1 to {MOST_ROWS}, and not {rows}."))) }
}

fn time(text: &str) -> Result<Option<Timestamp>, Problem> {
    if text.is_empty() {
        return Ok(None);
    }
    let problem = || Problem::bad(format!("'{text}' is no time: write it like 2026-11-30T07:00:00Z."));
    rfc3339::parse(text).map(Some).ok_or_else(problem)
}
