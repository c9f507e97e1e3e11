//! What people ask for, by forms and by JSON.

use std::sync::Arc;

use axum::extract::State;
use axum::extract::rejection::{FormRejection, JsonRejection};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};
use axum::{Form, Json};
use serde::Deserialize;
use serde_json::json;
use thingprint_table::escape::is_control;
use thingprint_watch::{Choice, Request};

use crate::address::back;
use crate::guard::{is_token, signed_in};
use crate::pages::device_id;
use crate::problem::{Problem, wants_json};
use crate::site::{Site, ask};
use crate::training::Training;
use crate::update::Message;
use crate::views::login;

/// Longest label, in characters.
pub(crate) const LONGEST_LABEL: usize = 200;
/// Events that one form acknowledges.
pub(crate) const MOST_EVENTS: usize = 1_000;

/// The fields of all forms.
#[derive(Debug, Deserialize)]
pub(crate) struct Fields {
    request: String,
    device: Option<String>,
    label: Option<String>,
    /// Numbers of events, separated by commas.
    event: Option<String>,
    /// Id of a rule of the audit.
    rule: Option<String>,
    is_muted: Option<bool>,
    choice: Option<Choice>,
    /// Where to go afterwards.
    back: Option<String>,
}

/// A request of a program, each field by its name.
#[derive(Debug, Deserialize)]
#[serde(tag = "request", rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum JsonRequest {
    Label {
        device: String,
        /// Has to be there: a label is taken back by null, and not by forgetting it.
        #[serde(deserialize_with = "given")]
        label: Option<String>,
    },
    Acknowledge {
        event: u64,
    },
    AcknowledgeAll {
        events: Vec<u64>,
    },
    AcknowledgeFinding {
        device: String,
        rule: String,
    },
    Mute {
        device: String,
        is_muted: bool,
    },
    Train,
    Decide {
        choice: Choice,
    },
}

#[derive(Debug, Deserialize)]
pub(crate) struct Login {
    token: String,
    back: Option<String>,
}

/// A form of the page. The script sends the same form and wants JSON.
pub(crate) async fn requests(
    State(site): State<Arc<Site>>,
    headers: HeaderMap,
    form: Result<Form<Fields>, FormRejection>,
) -> Response {
    let wants_json = wants_json("", &headers);
    let fields = match form {
        Ok(Form(fields)) => fields,
        Err(rejection) => return unreadable(rejection.status(), &rejection.body_text()).answer(wants_json),
    };
    let place = back(fields.back.as_deref()).to_owned();
    let result = match fields.request() {
        Ok(request) => carry_out(&site, request).await,
        Err(problem) => Err(problem),
    };
    match result {
        Err(problem) => problem.answer(wants_json),
        Ok(()) if wants_json => Json(json!({ "ok": true })).into_response(),
        Ok(()) => (StatusCode::SEE_OTHER, [(header::LOCATION, place)]).into_response(),
    }
}

/// The same from programs: a request as JSON.
pub(crate) async fn api_requests(
    State(site): State<Arc<Site>>,
    request: Result<Json<JsonRequest>, JsonRejection>,
) -> Response {
    let request = match request {
        Ok(Json(request)) => request,
        Err(rejection) => return unreadable(rejection.status(), &rejection.body_text()).json(),
    };
    let result = match Request::try_from(request).and_then(checked) {
        Ok(request) => carry_out(&site, request).await,
        Err(problem) => Err(problem),
    };
    let training = site.training.state().json();
    result.map_or_else(Problem::json, |()| Json(json!({ "ok": true, "training": training })).into_response())
}

/// The form that takes the token.
pub(crate) async fn login(
    State(site): State<Arc<Site>>,
    form: Result<Form<Login>, FormRejection>,
) -> Response {
    let Ok(Form(login)) = form else { return Problem::bad("The form has no token.").page() };
    let place = back(login.back.as_deref());
    let token = site.options.token.as_deref().unwrap_or("");
    if is_token(&site, &login.token).await {
        return signed_in(token, site.port, place);
    }
    login::page(place, true)
}

impl TryFrom<JsonRequest> for Request {
    type Error = Problem;

    fn try_from(request: JsonRequest) -> Result<Self, Problem> {
        Ok(match request {
            JsonRequest::Label { device, label } => Self::Label { device: device_id(&device)?, label },
            JsonRequest::Acknowledge { event } => Self::Acknowledge { event },
            JsonRequest::AcknowledgeAll { events } if events.len() > MOST_EVENTS => {
                return Err(Problem::bad(format!("At most {MOST_EVENTS} events are acknowledged at once.")));
            }
            JsonRequest::AcknowledgeAll { events } => Self::AcknowledgeAll { events },
            JsonRequest::AcknowledgeFinding { device, rule } => {
                Self::AcknowledgeFinding { device: device_id(&device)?, rule }
            }
            JsonRequest::Mute { device, is_muted } => Self::Mute { device: device_id(&device)?, is_muted },
            JsonRequest::Train => Self::Train,
            JsonRequest::Decide { choice } => Self::Decide(choice),
        })
    }
}

impl Fields {
    /// The request that the form stands for.
    fn request(self) -> Result<Request, Problem> {
        let request = match self.request.as_str() {
            "acknowledge" => self.acknowledgement()?,
            "acknowledge-finding" => {
                let rule = self.rule.clone().ok_or_else(|| Problem::bad("The form lacks rule."))?;
                Request::AcknowledgeFinding { device: self.device()?, rule }
            }
            "label" => Request::Label { device: self.device()?, label: self.label },
            "mute" => {
                let is_muted = self.is_muted.ok_or_else(|| Problem::bad("The form lacks is_muted."))?;
                Request::Mute { device: self.device()?, is_muted }
            }
            "train" => Request::Train,
            "decide" => Request::Decide(self.choice.ok_or_else(|| Problem::bad("The form lacks choice."))?),
            other => return Err(Problem::bad(format!("There is no request '{other}'."))),
        };
        checked(request)
    }

    fn device(&self) -> Result<thingprint_flow::DeviceId, Problem> {
        device_id(self.device.as_deref().unwrap_or(""))
    }

    fn acknowledgement(&self) -> Result<Request, Problem> {
        let numbers = self.event.as_deref().unwrap_or("").split(',').take(MOST_EVENTS);
        let number = |number: &str| {
            let problem = |_| Problem::bad(format!("'{number}' is not the number of an event."));
            number.trim().parse().map_err(problem)
        };
        let events = numbers.map(number).collect::<Result<Vec<u64>, _>>()?;
        Ok(match events[..] {
            [event] => Request::Acknowledge { event },
            _ => Request::AcknowledgeAll { events },
        })
    }
}

/// Takes the space around a label away; an empty one takes the label back.
fn checked(request: Request) -> Result<Request, Problem> {
    let Request::Label { device, label } = request else { return Ok(request) };
    let label = label.map(|label| label.trim().to_owned()).filter(|label| !label.is_empty());
    let Some(text) = &label else { return Ok(Request::Label { device, label }) };
    if text.chars().count() > LONGEST_LABEL {
        return Err(Problem::bad(format!(
            "A label has at most {LONGEST_LABEL} characters. Take a shorter one."
        )));
    }
    if text.chars().any(is_control) {
        return Err(Problem::bad(
            "A label has no control characters and no marks that turn the direction of writing.",
        ));
    }
    Ok(Request::Label { device, label })
}

async fn carry_out(site: &Arc<Site>, request: Request) -> Result<(), Problem> {
    if request == Request::Train {
        return Training::start(site);
    }
    ask(site, move |site| {
        let decided = decide(site, request);
        site.forget();
        site.say(Message::requested());
        decided
    })
    .await
}

/// Carries a request out; after a decision nothing is left to decide.
fn decide(site: &Site, request: Request) -> Result<(), Problem> {
    let is_decision = matches!(request, Request::Decide(_));
    site.backend.request(request)?;
    if is_decision {
        site.training.decided();
    }
    Ok(())
}

/// A value that may be null and has to be there.
fn given<'de, D: serde::Deserializer<'de>>(from: D) -> Result<Option<String>, D::Error> {
    Option::deserialize(from)
}

fn unreadable(status: StatusCode, why: &str) -> Problem {
    Problem::new(status, format!("The request cannot be read: {why}. docs/page.md lists the requests."))
}
