//! Whether a request was meant for this page: its host, and where it comes from.

use std::net::IpAddr;

use axum::http::header::{CONTENT_TYPE, HOST, ORIGIN};
use axum::http::request::Parts;
use axum::http::{HeaderMap, HeaderName, Method};

use crate::options::WebOptions;
use crate::problem::Problem;

const SEC_FETCH_SITE: HeaderName = HeaderName::from_static("sec-fetch-site");

/// Refuses a request that names another host. Else a page of somebody else's could point the name of its own host to this
/// machine and read everything, as if it came from there (DNS rebinding).
pub(crate) fn check_host(parts: &Parts, options: &WebOptions) -> Result<(), Problem> {
    let mut hosts = parts.headers.get_all(HOST).iter();
    let (Some(host), None) = (hosts.next(), hosts.next()) else {
        return Err(Problem::bad("The request has to name its host once."));
    };
    let in_target = parts.uri.authority().map(axum::http::uri::Authority::as_str);
    let host = host.to_str().unwrap_or("");
    if is_trusted(host, options) && in_target.is_none_or(|target| is_trusted(target, options)) {
        return Ok(());
    }
    Err(Problem::misdirected(
        "This page is not served under that name. Add the name to the trusted hosts if a proxy of yours passes it on.",
    ))
}

/// Refuses a request that changes something unless it comes from the page itself or from a program. Browsers name the
/// page that a request comes from; a page of somebody else's cannot send JSON without asking first, which is not granted.
pub(crate) fn check_origin(parts: &Parts) -> Result<(), Problem> {
    if matches!(parts.method, Method::GET | Method::HEAD) {
        return Ok(());
    }
    let text = |name: HeaderName| parts.headers.get(name).map(|value| value.to_str().unwrap_or(""));
    let is_own = match (text(SEC_FETCH_SITE), text(ORIGIN)) {
        (Some(site), _) => site == "same-origin",
        (None, Some(origin)) => is_same(origin, text(HOST).unwrap_or("")),
        (None, None) => is_json(&parts.headers),
    };
    if is_own {
        return Ok(());
    }
    // Browsers name where they come from; what does not is a program that sends something else than JSON.
    let is_program = parts.headers.get(SEC_FETCH_SITE).is_none() && parts.headers.get(ORIGIN).is_none();
    Err(Problem::forbidden(if is_program {
        "A program has to send its request as JSON, with the header Content-Type: application/json. docs/page.md lists the requests."
    } else {
        "The request comes from another page."
    }))
}

/// Whether the body is JSON.
pub(crate) fn is_json(headers: &HeaderMap) -> bool {
    let content = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("");
    content.split(';').next().is_some_and(|media| media.trim().eq_ignore_ascii_case("application/json"))
}

fn is_trusted(host: &str, options: &WebOptions) -> bool {
    let name = name(host);
    if let Ok(ip) = name.parse::<IpAddr>() {
        let own = options.listen.ip();
        // An address is no name that could be pointed elsewhere: at all addresses, any of them may be ours.
        return ip.is_loopback() || ip == own || own.is_unspecified();
    }
    let is_name = |trusted: &str| trusted.eq_ignore_ascii_case(name);
    is_name("localhost") || options.trusted_hosts.iter().any(|trusted| is_name(trusted))
}

/// The host without its port, and without the brackets of an IPv6 address.
fn name(host: &str) -> &str {
    if let Some(rest) = host.strip_prefix('[') {
        return rest.split(']').next().unwrap_or("");
    }
    match host.rsplit_once(':') {
        Some((name, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => name,
        _ => host,
    }
}

/// Whether an origin is that of the host which the request names. The scheme is left aside: a proxy may end TLS.
fn is_same(origin: &str, host: &str) -> bool {
    let authority = origin.strip_prefix("http://").or_else(|| origin.strip_prefix("https://"));
    authority.is_some_and(|authority| !authority.is_empty() && authority.eq_ignore_ascii_case(host))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_hosts_of_this_page_are_trusted() {
        let check = |listen: &str, host: &str, expected| {
            let options = WebOptions {
                listen: listen.parse().unwrap(),
                trusted_hosts: vec!["page.example.org".into()],
                ..WebOptions::default()
            };
            assert_eq!(is_trusted(host, &options), expected, "{host} at {listen}");
        };
        let local = "127.0.0.1:7860";
        for host in ["localhost", "LocalHost:7860", "127.0.0.1:8080", "[::1]:7860", "Page.Example.org"] {
            check(local, host, true);
        }
        for host in ["", "evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "192.168.1.5"] {
            check(local, host, false);
        }
        check("192.168.1.5:7860", "192.168.1.5:7860", true);
        check("192.168.1.5:7860", "192.168.1.6:7860", false);
        check("0.0.0.0:7860", "192.168.1.6:7860", true);
        check("0.0.0.0:7860", "evil.example:7860", false);
    }

    #[test]
    fn an_origin_has_the_authority_of_the_host() {
        assert!(is_same("http://localhost:7860", "localhost:7860"));
        assert!(is_same("https://page.example.org", "Page.example.org"));
        for origin in
            ["null", "", "http://", "http://localhost", "file://localhost:7860", "http://localhost:1"]
        {
            assert!(!is_same(origin, "localhost:7860"), "{origin}");
        }
    }
}
