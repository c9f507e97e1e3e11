use std::sync::Arc;
use std::time::Duration;

use axum::extract::{ConnectInfo, Request, State};
use axum::http::header::{self, HeaderName, HeaderValue};
use axum::http::{HeaderMap, StatusCode, Uri};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};
use tokio::time::{sleep, timeout};

use crate::address::without_parameter;
use crate::connection::Budget;
use crate::cookie::{is_equal, set_cookie, shows_token};
use crate::origin::{check_host, check_origin};
use crate::problem::{Problem, wants_json};
use crate::site::Site;
use crate::views::login;

/// Where the token is given by a form.
pub(crate) const LOGIN: &str = "/login";
/// Whether the page works, for what watches over programs. It says nothing else, so that it needs no token.
pub(crate) const HEALTHZ: &str = "/healthz";
/// Live updates, which go on without an end.
pub(crate) const UPDATES: &str = "/api/v1/updates";
/// Pause before a wrong token is refused, so that trying many takes long.
const WRONG_TOKEN_PAUSE: Duration = Duration::from_millis(500);

/// Headers of every answer. The one style sheet by hash is that of the form for the token. The referrer stays within the page: with `no-referrer` browsers hide the origin of its own
/// forms, which would then be refused.
const HEADERS: [(&str, &str); 7] = [
    (
        "content-security-policy",
        "default-src 'none'; script-src 'self'; \
         style-src 'self' 'sha256-vzyu9dC0W3rbGHHE0Sy2fhrhfXodidzBcFhhcoVNN7k='; \
         img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    ),
    ("x-content-type-options", "nosniff"),
    ("referrer-policy", "same-origin"),
    ("x-frame-options", "DENY"),
    ("cross-origin-opener-policy", "same-origin"),
    ("cross-origin-resource-policy", "same-origin"),
    ("permissions-policy", "camera=(), microphone=(), geolocation=()"),
];

/// Stands before every handler: lets requests in, limits their time, and adds the headers that keep the page safe.
pub(crate) async fn guard(
    State(site): State<Arc<Site>>,
    ConnectInfo(budget): ConnectInfo<Budget>,
    request: Request,
    next: Next,
) -> Response {
    let limits = site.options.limits.clone();
    budget.renew(limits.request + limits.response);
    let (parts, body) = request.into_parts();
    let wants_json = wants_json(parts.uri.path(), &parts.headers);
    let is_stream = parts.uri.path() == UPDATES;
    let mut response = match admit(&site, &parts).await {
        Ok(()) => {
            let answer = next.run(Request::from_parts(parts, body));
            let answer = timeout(limits.request, answer).await;
            answer.map_or_else(|_| late(wants_json), |answer| worded(answer, wants_json))
        }
        Err(response) => response,
    };
    if is_stream && response.status() == StatusCode::OK {
        budget.endless();
    } else {
        budget.renew(limits.response);
    }
    add_headers(response.headers_mut());
    response
}

/// Lets a request in, or gives the answer to it.
async fn admit(site: &Site, parts: &axum::http::request::Parts) -> Result<(), Response> {
    let wants_json = wants_json(parts.uri.path(), &parts.headers);
    let refuse = |problem: Problem| problem.answer(wants_json);
    check_host(parts, &site.options).map_err(refuse)?;
    check_origin(parts).map_err(refuse)?;
    let Some(token) = &site.options.token else { return Ok(()) };
    let given = token_of(&parts.uri);
    if let Some(given) = &given {
        if is_equal(given, token) {
            return Err(welcome(site, token, &parts.uri));
        }
        sleep(WRONG_TOKEN_PAUSE).await;
    }
    let needs_none = matches!(parts.uri.path(), HEALTHZ | LOGIN);
    if needs_none || (given.is_none() && shows_token(&parts.headers, token, site.port)) {
        return Ok(());
    }
    Err(login::needed(&parts.uri, wants_json, given.is_some()))
}

/// Takes the token out of the address and into a cookie.
fn welcome(site: &Site, token: &str, uri: &Uri) -> Response {
    let path = crate::address::back(Some(uri.path()));
    let query = without_parameter(uri.query().unwrap_or(""), "token");
    let place = query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}"));
    signed_in(token, site.port, &place)
}

/// Leads to a place of the page, with the cookie.
pub(crate) fn signed_in(token: &str, port: u16, place: &str) -> Response {
    let headers = [(header::SET_COOKIE, set_cookie(token, port)), (header::LOCATION, place.to_owned())];
    (StatusCode::SEE_OTHER, headers).into_response()
}

/// Checks a token that was given by the form.
pub(crate) async fn is_token(site: &Site, given: &str) -> bool {
    let is_right = site.options.token.as_ref().is_none_or(|token| is_equal(given, token));
    if !is_right {
        sleep(WRONG_TOKEN_PAUSE).await;
    }
    is_right
}

/// The token in the address; browsers write it as it is, or encoded where a proxy was between.
fn token_of(uri: &Uri) -> Option<String> {
    #[derive(serde::Deserialize)]
    struct Parameters {
        token: Option<String>,
    }
    axum::extract::Query::<Parameters>::try_from_uri(uri).ok()?.0.token
}

fn late(wants_json: bool) -> Response {
    Problem::busy("The answer took too long. Try again in a moment.").answer(wants_json)
}

/// Puts into words what the router refuses by a status alone, such as a method.
fn worded(response: Response, wants_json: bool) -> Response {
    let status = response.status();
    let media =
        response.headers().get(header::CONTENT_TYPE).and_then(|media| media.to_str().ok()).unwrap_or("");
    let has_words = media.starts_with("text/html") || media.starts_with("application/json");
    if !(status.is_client_error() || status.is_server_error()) || has_words {
        return response;
    }
    let text = match status {
        StatusCode::METHOD_NOT_ALLOWED => "Ask with GET, and send requests with POST.",
        StatusCode::BAD_REQUEST => "The address cannot be read. Go on from the list of devices.",
        _ => "The request cannot be answered. docs/page.md lists what can be asked for.",
    };
    let mut answer = Problem::new(status, text).answer(wants_json);
    if let Some(allow) = response.headers().get(header::ALLOW) {
        answer.headers_mut().insert(header::ALLOW, allow.clone());
    }
    answer
}

fn add_headers(headers: &mut HeaderMap) {
    for (name, value) in HEADERS {
        headers.insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
}

#[cfg(test)]
mod tests {
    use base64::Engine as _;
    use base64::engine::general_purpose::STANDARD;
    use sha2::{Digest, Sha256};

    use super::*;

    #[test]
    fn the_policy_lets_the_form_s_own_style_in() {
        let hash = STANDARD.encode(Sha256::digest(login::STYLE));
        assert!(HEADERS[0].1.contains(&format!("'sha256-{hash}'")), "the style sheet has {hash}");
    }
}
