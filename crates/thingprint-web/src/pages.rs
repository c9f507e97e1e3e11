//! Answers to browsers.

use std::collections::BTreeSet;
use std::sync::Arc;

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::response::{Html as Document, IntoResponse, Response};
use serde::Deserialize;
use thingprint_flow::DeviceId;
use thingprint_watch::{Event, EventFilter, EventKind};

use crate::device_list::{DeviceList, DeviceQuery};
use crate::problem::Problem;
use crate::site::{Site, ask, clock};
use crate::time;
use crate::views::changes::ChangeQuery;
use crate::views::device::{DeviceView, SPANS};
use crate::views::findings::FindingQuery;
use crate::views::{changes, devices, findings, health, model};

/// Windows of a device that its page reads: 30 days of hours, and some pieces.
const MOST_WINDOWS: usize = 1_000;
/// Events of a device on its page.
const MOST_EVENTS: usize = 100;
/// Events of findings that are looked through for the one to acknowledge.
const MOST_FINDING_EVENTS: usize = 10_000;
/// Days that the page of a device shows if nothing is said.
const DEFAULT_DAYS: u32 = 7;
/// Labels and classes to choose from.
const MOST_LABELS: usize = 500;

/// What axum gives for the parameters of an address.
type Parameters<T> = Result<Query<T>, QueryRejection>;

#[derive(Debug, Default, Deserialize)]
pub(crate) struct DeviceParameters {
    days: Option<u32>,
}

pub(crate) async fn devices_page(State(site): State<Arc<Site>>, query: Parameters<DeviceQuery>) -> Response {
    let view = move |site: &Site| {
        // A view has pages of one length, however many rows an address asks for.
        let list = DeviceList::try_from(DeviceQuery { limit: None, ..parameters(query)? })?;
        Ok(devices::document(&site.devices()?, &list, &site.backend.health()))
    };
    document(ask(&site, view).await)
}

pub(crate) async fn device_page(
    State(site): State<Arc<Site>>,
    Path(device): Path<String>,
    query: Parameters<DeviceParameters>,
) -> Response {
    let view = move |site: &Site| {
        let days = parameters(query)?.days.unwrap_or(DEFAULT_DAYS);
        if !SPANS.iter().any(|(span, _)| *span == days) {
            return Err(Problem::bad(format!("days is 1, 7 or 30, and not {days}.")));
        }
        let health = site.backend.health();
        Ok(device_view(site, device_id(&device)?, days)?.document(&health))
    };
    document(ask(&site, view).await)
}

pub(crate) async fn changes_page(State(site): State<Arc<Site>>, query: Parameters<ChangeQuery>) -> Response {
    let view = move |site: &Site| {
        let query = parameters(query)?;
        let health = site.backend.health();
        let filter = query.filter(clock(&health))?;
        let events = site.records()?.events(&filter)?;
        Ok(changes::document(&events, &site.devices()?, (&query, &filter), &health))
    };
    document(ask(&site, view).await)
}

pub(crate) async fn findings_page(
    State(site): State<Arc<Site>>,
    query: Parameters<FindingQuery>,
) -> Response {
    let view = move |site: &Site| {
        let query = parameters(query)?;
        query.check()?;
        let records = site.records()?;
        let (found, events) = (records.findings(None)?, records.events(&finding_events())?);
        Ok(findings::document((&found, &events), &site.devices()?, &query, &site.backend.health()))
    };
    document(ask(&site, view).await)
}

pub(crate) async fn health_page(State(site): State<Arc<Site>>) -> Response {
    document(ask(&site, |site| Ok(health::document(&site.backend.health()))).await)
}

pub(crate) async fn model_page(State(site): State<Arc<Site>>) -> Response {
    let view = |site: &Site| {
        let labels = site.records()?.labels()?;
        Ok(model::document(&labels, &site.devices()?, &site.training.state(), &site.backend.health()))
    };
    document(ask(&site, view).await)
}

/// The value of parameters, or what is wrong with them.
pub(crate) fn parameters<T>(parameters: Parameters<T>) -> Result<T, Problem> {
    let problem = |rejection: QueryRejection| {
        Problem::bad(format!("The address has a parameter that cannot be read: {}.", rejection.body_text()))
    };
    parameters.map(|Query(parameters)| parameters).map_err(problem)
}

/// The device that an address names.
pub(crate) fn device_id(text: &str) -> Result<DeviceId, Problem> {
    text.parse()
        .map_err(|error| Problem::bad(format!("{error}. The list of devices has all that are known.")))
}

pub(crate) fn unknown_device(device: DeviceId) -> Problem {
    Problem::not_found(format!("No device {device} was seen. The list of devices has all that are known."))
}

fn document(view: Result<String, Problem>) -> Response {
    view.map_or_else(Problem::page, |document| Document(document).into_response())
}

fn device_view(site: &Site, device: DeviceId, days: u32) -> Result<DeviceView, Problem> {
    let records = site.records()?;
    let known = records.device(device)?.ok_or_else(|| unknown_device(device))?;
    let from = time::before(clock(&site.backend.health()), i64::from(days) * time::DAY_S);
    let filter = EventFilter { device: Some(device), most: MOST_EVENTS, ..EventFilter::default() };
    Ok(DeviceView {
        windows: records.windows(device, from, MOST_WINDOWS)?,
        changes: records.changes(device)?,
        findings: records.findings(Some(device))?,
        events: events_of(&*records, &filter)?,
        why: site.why(device).map_err(|error| error.to_string()),
        labels: known_labels(site)?,
        days,
        device: known,
    })
}

/// The latest events of a device, and those of its findings that are open, however old.
fn events_of(records: &dyn thingprint_watch::Records, filter: &EventFilter) -> Result<Vec<Event>, Problem> {
    let mut events = records.events(filter)?;
    let known: BTreeSet<u64> = events.iter().map(|event| event.id).collect();
    let open = EventFilter { is_open: true, kind: Some(EventKind::Finding), ..filter.clone() };
    events.extend(records.events(&open)?.into_iter().filter(|event| !known.contains(&event.id)));
    events.sort_by_key(|event| std::cmp::Reverse((event.at, event.id)));
    Ok(events)
}

fn finding_events() -> EventFilter {
    let kind = Some(EventKind::Finding);
    EventFilter { kind, is_open: true, most: MOST_FINDING_EVENTS, ..EventFilter::default() }
}

/// Labels and classes that there are, each once, in order.
fn known_labels(site: &Site) -> Result<Vec<String>, Problem> {
    let devices = site.devices()?;
    let of = |device: &thingprint_watch::DeviceRecord| {
        let class = device.verdict.as_ref().and_then(|verdict| verdict.class.clone());
        [device.label.clone(), class]
    };
    let known: BTreeSet<String> = devices.iter().flat_map(of).flatten().collect();
    Ok(known.into_iter().take(MOST_LABELS).collect())
}
