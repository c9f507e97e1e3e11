//! The page that asks for the token. It needs no other file, since those need the token as well.

use axum::http::{StatusCode, Uri, header};
use axum::response::{Html as Document, IntoResponse, Response};

use crate::address::{back, without_parameter};
use crate::html::Html;
use crate::problem::Problem;

/// Style sheet of this page alone; the content security policy has its SHA-256.
pub(crate) const STYLE: &str = include_str!("../page/login.css");

/// Refuses a request without the token.
pub(crate) fn needed(uri: &Uri, wants_json: bool, was_wrong: bool) -> Response {
    let text = "A token is needed: send it as 'Authorization: Bearer TOKEN'.";
    if wants_json {
        return Problem::new(StatusCode::UNAUTHORIZED, text).json();
    }
    let query = without_parameter(uri.query().unwrap_or(""), "token");
    let place = query.map_or_else(|| uri.path().to_owned(), |query| format!("{}?{query}", uri.path()));
    page(back(Some(&place)), was_wrong)
}

/// The form, which leads to a place of the page.
pub(crate) fn page(place: &str, was_wrong: bool) -> Response {
    let mut html = Html::new();
    html.raw("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n");
    html.raw("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n");
    html.raw("<meta name=\"color-scheme\" content=\"light dark\">\n<title>Token needed · thingprint</title>\n<style>");
    html.raw(STYLE).raw("</style>\n</head>\n<body>\n<main>\n<h1>Token needed</h1>\n");
    html.raw("<p>This page is protected. The program printed an address with the token when it began; a file given by ");
    html.raw("<code>--token-file</code> has it as well.</p>\n");
    if was_wrong {
        html.raw("<p role=\"alert\" class=\"wrong\">That token is wrong.</p>\n");
    }
    html.raw("<form method=\"post\" action=\"/login\">\n<input type=\"hidden\" name=\"back\"")
        .attr("value", place);
    html.raw(">\n<label for=\"token\">Token</label>\n<input id=\"token\" name=\"token\" type=\"password\" ");
    html.raw(
        "autocomplete=\"current-password\" required autofocus>\n<button>Show the page</button>\n</form>\n",
    );
    html.raw("</main>\n</body>\n</html>\n");
    let challenge = [(header::WWW_AUTHENTICATE, "Bearer")];
    (StatusCode::UNAUTHORIZED, challenge, Document(html.into_string())).into_response()
}
