use std::fmt;

use serde::{Serialize, Serializer};

use crate::message::{MessageBody, size};
use crate::{Credential, Text, Uri};

/// The head of an HTTP request (RFC 9112 §3). Texts are as sent, bytes outside printable ASCII as `\xNN`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpRequest {
    /// `GET`, `POST` ...
    pub method: String,
    /// The request target.
    pub uri: Uri,
    /// The version that the request line names; 0.9 where it names none.
    pub version: HttpVersion,
    /// `Host`.
    pub host: Option<Uri>,
    /// `User-Agent`.
    pub user_agent: Option<Text>,
    /// What each `Authorization` says, then each `Proxy-Authorization`; at most 64.
    pub authentication: Vec<Authentication>,
    /// Names of parameters of the target, and of fields of a form behind the head, that hold a password by their name and have a
    /// value; at most 8, and never the value.
    pub password_fields: Vec<String>,
    /// Names of the headers in order, in lower case, joined by commas; the first 512 bytes.
    pub field_order: Option<String>,
}

/// The head of an HTTP response (RFC 9112 §4).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct HttpResponse {
    /// The version that the status line names; absent for `ICY`, by which radio streams answer.
    pub version: Option<HttpVersion>,
    /// The status code, 100 to 999.
    pub status: u16,
    /// The reason phrase, which may be empty.
    pub phrase: Text,
    /// `Server`.
    pub server: Option<Text>,
    /// The schemes that `WWW-Authenticate` and then `Proxy-Authenticate` ask for, each once, as sent; at most 64.
    pub authentication_types: Vec<String>,
}

/// A version of HTTP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct HttpVersion {
    /// Before the dot.
    pub major: u8,
    /// After the dot.
    pub minor: u8,
}

/// How a request says who sends it (RFC 9110 §11.6.2).
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Authentication {
    /// The scheme: `Basic`, `Digest`, `Bearer` ...; absent where the secret is sent without one.
    #[serde(rename = "authentication_type")]
    pub scheme: Option<String>,
    /// What follows the scheme; absent where the header is empty.
    pub credential: Option<Credential>,
}

impl fmt::Display for HttpVersion {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

impl Serialize for HttpVersion {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl MessageBody for HttpRequest {
    fn heap_bytes(&self) -> usize {
        self.method.len()
            + size::uri(Some(&self.uri))
            + size::uri(self.host.as_ref())
            + size::said(self.user_agent.as_ref())
            + size::text(self.field_order.as_ref())
            + self.authentication.iter().map(Authentication::held_bytes).sum::<usize>()
            + self.password_fields.iter().map(|name| size_of::<String>() + name.len()).sum::<usize>()
    }

    fn show_credentials(&mut self) {
        self.uri.show();
        self.host.iter_mut().for_each(Uri::show);
        self.user_agent.iter_mut().for_each(Text::show);
        let credentials = self.authentication.iter_mut().flat_map(|sent| &mut sent.credential);
        credentials.for_each(Credential::show);
    }
}

impl MessageBody for HttpResponse {
    fn heap_bytes(&self) -> usize {
        let schemes: usize =
            self.authentication_types.iter().map(|scheme| size_of::<String>() + scheme.len()).sum();
        self.phrase.held_bytes() + size::said(self.server.as_ref()) + schemes
    }

    fn show_credentials(&mut self) {
        self.phrase.show();
        self.server.iter_mut().for_each(Text::show);
    }
}

impl Authentication {
    fn held_bytes(&self) -> usize {
        size_of::<Self>()
            + size::text(self.scheme.as_ref())
            + self.credential.as_ref().map_or(0, |credential| credential.reveal().len())
    }
}
