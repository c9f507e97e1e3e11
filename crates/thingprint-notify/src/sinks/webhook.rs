use std::fmt;
use std::fmt::Write as _;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use ureq::Agent;
use ureq::http::{Response, Uri};

use super::{Kind, Parsed, Sink, Target};
use crate::clock;
use crate::delivery::{Delivery, Failure};
use crate::error::NotifyError;
use crate::options::NotifyOptions;
use crate::secret::Secret;

/// `http://...` and `https://...`: a POST with one event in JSON.
pub(crate) const KIND: Kind = Kind { forms: &["http://HOST/PATH", "https://HOST/PATH"], parse };

/// What a webhook may answer in its header: it has nothing to say to us.
const MAX_RESPONSE_HEADER_BYTES: usize = 16 * 1024;
/// Certificates in place of the public ones: all public roots together have a quarter of a megabyte.
#[cfg(feature = "tls")]
const MAX_ROOTS_BYTES: u64 = 4 << 20;

const USER_AGENT: &str = concat!("thingprint/", env!("CARGO_PKG_VERSION"));

fn parse(text: &str) -> Option<Parsed> {
    let (scheme, rest) = text.split_once("://")?;
    if !matches!(scheme, "http" | "https") {
        return None;
    }
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let bad = |problem: &str| NotifyError::bad_sink(format!("{scheme}://..."), problem);
    if authority.contains('@') {
        let problem = "a user or password in the address is not sent; sign with --webhook-key-file, and let the \
                       receiver check the signature";
        return Some(Err(bad(problem)));
    }
    let uri = match text.parse::<Uri>() {
        Ok(uri) if uri.host().is_some_and(|host| !host.is_empty()) => uri,
        Ok(_) => return Some(Err(bad("it has no host; write http://HOST/PATH"))),
        Err(error) if authority.is_empty() => {
            return Some(Err(bad(&format!("it has no host ({error}); write http://HOST/PATH"))));
        }
        Err(error) => return Some(Err(bad(&format!("it is not an address of the web: {error}")))),
    };
    if scheme == "https" && !cfg!(feature = "tls") {
        let problem = "this thingprint was built without the cargo feature 'tls'; build it with '--features tls', or \
                       send to a proxy on this machine by http://";
        return Some(Err(NotifyError::bad_sink(shown(&uri), problem)));
    }
    Some(Ok(Arc::new(WebhookTarget { uri })))
}

struct WebhookTarget {
    uri: Uri,
}

/// The address without what may be a secret.
fn shown(uri: &Uri) -> String {
    let authority = uri.authority().map_or("", |authority| authority.as_str());
    let path = uri.path_and_query().map_or("/", |path| path.as_str());
    let rest = if path == "/" { "/" } else { "/..." };
    format!("{}://{authority}{rest}", uri.scheme_str().unwrap_or("http"))
}

impl fmt::Display for WebhookTarget {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&shown(&self.uri))
    }
}

impl Target for WebhookTarget {
    fn open(&self, options: &mut NotifyOptions) -> Result<Box<dyn Sink>, NotifyError> {
        let config = Agent::config_builder()
            .http_status_as_error(false)
            // A redirect of a POST either loses the body or hands it to somebody else.
            .max_redirects(0)
            .max_redirects_will_error(false)
            .max_response_header_size(MAX_RESPONSE_HEADER_BYTES)
            // Events are rare: a connection that was kept is one that was closed meanwhile.
            .max_idle_connections(0)
            .proxy(None)
            .user_agent(USER_AGENT);
        let config = match &options.webhook_roots {
            Some(path) => with_roots(config, path)?,
            None => config,
        };
        let agent = Agent::new_with_config(config.build());
        Ok(Box::new(Webhook { uri: self.uri.clone(), agent, key: options.webhook_key.clone() }))
    }
}

type ConfigBuilder = ureq::config::ConfigBuilder<ureq::typestate::AgentScope>;

/// Takes the certificates of a PEM file in place of the public ones.
#[cfg(not(feature = "tls"))]
fn with_roots(_config: ConfigBuilder, path: &Path) -> Result<ConfigBuilder, NotifyError> {
    let problem = "certificates are of no use without the cargo feature 'tls'; build with '--features tls'";
    Err(NotifyError::bad_sink(path.display().to_string(), problem))
}

/// Takes the certificates of a PEM file in place of the public ones.
#[cfg(feature = "tls")]
fn with_roots(config: ConfigBuilder, path: &Path) -> Result<ConfigBuilder, NotifyError> {
    use std::fs::File;
    use std::io::Read;

    use ureq::tls::{PemItem, RootCerts, TlsConfig, parse_pem};

    let bad = |problem: String| NotifyError::bad_sink(path.display().to_string(), problem);
    let mut pem = Vec::new();
    let read = File::open(path).and_then(|file| file.take(MAX_ROOTS_BYTES + 1).read_to_end(&mut pem));
    read.map_err(|error| bad(format!("read the certificates: {error}")))?;
    if pem.len() as u64 > MAX_ROOTS_BYTES {
        return Err(bad("it has more than 4 MiB; give a file with certificates alone (PEM)".to_owned()));
    }
    let certificates: Vec<_> = parse_pem(&pem)
        .filter_map(|item| match item {
            Ok(PemItem::Certificate(certificate)) => Some(certificate),
            _ => None,
        })
        .collect();
    if certificates.is_empty() {
        return Err(bad("it has no certificate; give a file with BEGIN CERTIFICATE (PEM)".to_owned()));
    }
    let tls = TlsConfig::builder().root_certs(RootCerts::Specific(Arc::new(certificates))).build();
    Ok(config.tls_config(tls))
}

struct Webhook {
    uri: Uri,
    agent: Agent,
    key: Option<Secret>,
}

impl Sink for Webhook {
    fn deliver(&mut self, delivery: &Delivery, limit: Duration) -> Result<(), Failure> {
        let body = delivery.json();
        let time_s = clock::now().as_nanos() / 1_000_000_000;
        let mut request = self
            .agent
            .post(&self.uri)
            .config()
            .timeout_global(Some(limit))
            .build()
            .header("Content-Type", "application/json")
            .header("Idempotency-Key", &delivery.letter.key);
        if let Some(key) = &self.key {
            request = request.header("Thingprint-Signature", signature(key, time_s, &body));
        }
        match request.send(&body) {
            Ok(response) => judge(&response),
            Err(error) => Err(Failure::later(error.to_string())),
        }
    }
}

/// What the receiver said.
fn judge<B>(response: &Response<B>) -> Result<(), Failure> {
    let status = response.status();
    match status.as_u16() {
        200..=299 => Ok(()),
        300..=399 => Err(Failure::never(format!(
            "the receiver answered {status}; redirects are not followed: give the address where it is now"
        ))),
        408 | 425 | 429 | 500..=599 => Err(Failure::Later {
            why: format!("the receiver answered {status}"),
            pause_s: response
                .headers()
                .get("Retry-After")
                .and_then(|value| value.to_str().ok())
                .and_then(|text| text.trim().parse().ok()),
        }),
        _ => Err(Failure::never(format!("the receiver answered {status}: it does not accept the event"))),
    }
}

/// `t=SECONDS,v1=HEX`: HMAC-SHA256 over the seconds, a dot, and the body. The time is signed as well, so that a receiver
/// can refuse what somebody recorded and sends again.
fn signature(key: &Secret, time_s: i64, body: &str) -> String {
    let mut text = format!("t={time_s},v1=");
    // HMAC takes keys of every length.
    let Ok(mut mac) = Hmac::<Sha256>::new_from_slice(key.bytes()) else { return text };
    mac.update(format!("{time_s}.{body}").as_bytes());
    for byte in mac.finalize().into_bytes() {
        // Writing to a text cannot fail.
        let _ = write!(text, "{byte:02x}");
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_signature_is_hmac_sha256() {
        // Computed with: printf '1700000000.{"id":1}' | openssl dgst -sha256 -hmac 'hunter2'
        let expected = "t=1700000000,v1=1c99b0412a85df55d0bc11bc548b7b0e8540e98f7d63bf5a6b09ff03cc4cf5fb";
        assert_eq!(signature(&Secret::new("hunter2"), 1_700_000_000, "{\"id\":1}"), expected);
    }

    #[test]
    fn statuses_are_taken_refused_or_tried_again() {
        let check = |status: u16, retry_after: Option<&str>, expected: Option<Option<u64>>| {
            let mut response = Response::builder().status(status);
            if let Some(value) = retry_after {
                response = response.header("Retry-After", value);
            }
            let found = match judge(&response.body(()).unwrap()) {
                Ok(()) => None,
                Err(Failure::Later { pause_s, .. }) => Some(pause_s),
                Err(Failure::Never { .. }) => Some(Some(u64::MAX)),
            };
            assert_eq!(found, expected, "{status}");
        };
        let never = Some(Some(u64::MAX));
        check(200, None, None);
        check(204, None, None);
        check(301, None, never);
        check(308, None, never);
        check(400, None, never);
        check(404, None, never);
        check(408, None, Some(None));
        check(429, Some("17"), Some(Some(17)));
        check(429, Some("Wed, 21 Oct 2026 07:28:00 GMT"), Some(None));
        check(500, None, Some(None));
        check(503, Some("120"), Some(Some(120)));
    }
}
