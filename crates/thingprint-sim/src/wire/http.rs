use std::fmt::Write;

use crate::profile::Request;

/// The head of a request with a body of this length behind the form, if it has one, which comes with it.
pub(crate) fn request(request: &Request, host: &str, body_bytes: usize) -> Vec<u8> {
    let mut head =
        format!("{} {} HTTP/{}\r\nHost: {host}\r\n", request.method, request.path, request.version);
    if let Some(agent) = &request.agent {
        add(&mut head, "User-Agent", agent);
    }
    if let Some(authorization) = &request.authorization {
        add(&mut head, "Authorization", authorization);
    }
    head.push_str("Accept: */*\r\n");
    let form = request.form.as_deref().unwrap_or_default();
    let content_type = match &request.form {
        Some(_) => "application/x-www-form-urlencoded",
        None => "application/octet-stream",
    };
    if body_bytes + form.len() > 0 {
        add(&mut head, "Content-Type", content_type);
        add(&mut head, "Content-Length", &(body_bytes + form.len()).to_string());
    }
    head.push_str("\r\n");
    head.push_str(form);
    head.into_bytes()
}

/// The head of a response with a body of this length.
pub(crate) fn response(request: &Request, body_bytes: usize) -> Vec<u8> {
    let status = match (&request.challenge, body_bytes) {
        (Some(_), _) => "401 Unauthorized",
        (None, 0) => "204 No Content",
        (None, _) => "200 OK",
    };
    let mut head = format!("HTTP/{} {status}\r\n", request.answer_version);
    add(&mut head, "Server", &request.server);
    if let Some(challenge) = &request.challenge {
        add(&mut head, "WWW-Authenticate", challenge);
    }
    if body_bytes > 0 {
        add(&mut head, "Content-Type", &request.content_type);
        add(&mut head, "Content-Length", &body_bytes.to_string());
    }
    head.push_str("Connection: keep-alive\r\n\r\n");
    head.into_bytes()
}

/// Adds a header line; a `String` takes every write.
fn add(head: &mut String, name: &str, value: &str) {
    let _ = write!(head, "{name}: {value}\r\n");
}
