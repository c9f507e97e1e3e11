//! The token, and the cookie that keeps it in a browser.

use axum::http::HeaderMap;
use axum::http::header::{AUTHORIZATION, COOKIE};

/// For how long a browser keeps the cookie, in seconds: a month, as people keep a page open.
const AGE_S: u32 = 30 * 24 * 3600;

/// Whether a request shows the token: in its cookie, or as `Authorization: Bearer`.
pub(crate) fn shows_token(headers: &HeaderMap, token: &str, port: u16) -> bool {
    let bearer = headers.get(AUTHORIZATION).and_then(|value| value.to_str().ok()).and_then(bearer);
    if let Some(given) = bearer {
        return is_equal(given, token);
    }
    let name = name(port);
    let cookies = headers.get_all(COOKIE).iter().filter_map(|value| value.to_str().ok());
    let mut pairs =
        cookies.flat_map(|cookies| cookies.split(';')).filter_map(|pair| pair.trim().split_once('='));
    pairs.any(|(key, value)| key == name && is_equal(value, token))
}

/// Compares in a time that does not depend on where two texts differ; their lengths are no secret.
pub(crate) fn is_equal(given: &str, token: &str) -> bool {
    if given.len() != token.len() {
        return false;
    }
    let differences = given.bytes().zip(token.bytes()).fold(0, |all, (a, b)| all | (a ^ b));
    std::hint::black_box(differences) == 0
}

/// The header that has a browser keep the token. Other pages neither read it nor have it sent.
pub(crate) fn set_cookie(token: &str, port: u16) -> String {
    format!("{}={token}; Path=/; Max-Age={AGE_S}; HttpOnly; SameSite=Strict", name(port))
}

/// Cookies know no ports: another page of this machine must not take the place of this one.
fn name(port: u16) -> String {
    format!("thingprint-{port}")
}

fn bearer(value: &str) -> Option<&str> {
    let (scheme, token) = value.split_once(' ')?;
    scheme.eq_ignore_ascii_case("bearer").then_some(token.trim())
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    #[test]
    fn the_token_is_in_the_cookie_or_in_the_header() {
        let check = |name: axum::http::HeaderName, value: &'static str, expected| {
            let headers = HeaderMap::from_iter([(name, HeaderValue::from_static(value))]);
            assert_eq!(shows_token(&headers, "secret-secret-01", 7860), expected, "{value}");
        };
        check(COOKIE, "a=b; thingprint-7860=secret-secret-01", true);
        check(COOKIE, "thingprint-7861=secret-secret-01", false);
        check(COOKIE, "thingprint-7860=secret-secret-0", false);
        check(AUTHORIZATION, "Bearer secret-secret-01", true);
        check(AUTHORIZATION, "bearer secret-secret-02", false);
        check(AUTHORIZATION, "Basic secret-secret-01", false);
        assert!(!shows_token(&HeaderMap::new(), "secret-secret-01", 7860));
    }
}
