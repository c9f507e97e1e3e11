use super::head::Headers;
use crate::text::escaped;
use crate::{Authentication, Credential};

/// Credentials, or schemes that are asked for, that are reported of one head; there are some fifteen schemes (IANA "HTTP
/// Authentication Schemes").
const MOST_SCHEMES: usize = 64;

/// The credentials of a request, those for the server first: one for each header.
pub(super) fn sent(headers: Headers<'_>) -> Vec<Authentication> {
    let values = headers.values(["authorization", "proxy-authorization"]);
    values.map(|value| credentials(&value)).take(MOST_SCHEMES).collect()
}

/// The schemes that a response asks for, those for the server first, each once.
pub(super) fn asked_for(headers: Headers<'_>) -> Vec<String> {
    let mut schemes: Vec<String> = Vec::new();
    for value in headers.values(["www-authenticate", "proxy-authenticate"]) {
        for scheme in elements(&value).filter_map(challenge_scheme).map(escaped) {
            if schemes.len() < MOST_SCHEMES && !schemes.contains(&scheme) {
                schemes.push(scheme);
            }
        }
    }
    schemes
}

/// Credentials: `scheme SP secret` (RFC 9110 §11.4), with any blanks. Where there is no scheme, or nothing behind what
/// looks like one, the whole value is the secret: keys of services are often sent like that.
fn credentials(value: &[u8]) -> Authentication {
    let secret = |bytes: &[u8]| (!bytes.is_empty()).then(|| Credential::new(escaped(bytes)));
    match split_scheme(value) {
        Some((scheme, rest)) => Authentication { scheme: Some(escaped(scheme)), credential: secret(rest) },
        None => Authentication { scheme: None, credential: secret(value) },
    }
}

/// A scheme and what follows it, which is not empty.
fn split_scheme(value: &[u8]) -> Option<(&[u8], &[u8])> {
    let (scheme, rest) = split_token(value)?;
    let is_blank = |byte: &u8| byte.is_ascii_whitespace() || byte.is_ascii_control();
    let secret_at = rest.iter().position(|byte| !is_blank(byte)).filter(|blanks| *blanks > 0)?;
    Some((scheme, rest.get(secret_at..)?))
}

/// The elements of a list (RFC 9110 §5.6.1): what stands between commas, except those in quotation marks (§5.6.4).
fn elements(list: &[u8]) -> impl Iterator<Item = &[u8]> {
    let (mut is_quoted, mut is_escaped) = (false, false);
    let ends = move |byte: &u8| {
        match byte {
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = is_quoted,
            b'"' => is_quoted = !is_quoted,
            b',' => return !is_quoted,
            _ => {}
        }
        false
    };
    list.split(ends).map(<[u8]>::trim_ascii)
}

/// The scheme that an element of a list of challenges begins with (RFC 9110 §11.6.1); none where the element is one
/// more parameter, `name=value`, of the challenge before.
fn challenge_scheme(element: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = split_token(element)?;
    (rest.trim_ascii_start().first() != Some(&b'=')).then_some(scheme)
}

/// The token that bytes begin with, and what follows it; the whole where nothing else does.
fn split_token(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|&byte| !is_token_byte(byte)).unwrap_or(bytes.len());
    bytes.split_at_checked(end).filter(|(token, _)| !token.is_empty())
}

/// RFC 9110 §5.6.2.
const fn is_token_byte(byte: u8) -> bool {
    byte.is_ascii_graphic()
        && !matches!(
            byte,
            b'"' | b'('
                | b')'
                | b','
                | b'/'
                | b':'
                | b';'
                | b'<'
                | b'='
                | b'>'
                | b'?'
                | b'@'
                | b'['
                | b'\\'
                | b']'
                | b'{'
                | b'}'
        )
}
