//! Fields by which a request sends passwords in the clear: parameters of its target, and fields of the form behind its head.
//!
//! Names alone are kept, never a value.
use super::{Headers, Outline, outline};
use crate::Message;
use crate::parser::StreamView;
use crate::phase::Step;
use crate::secrecy::is_password_name;
use crate::text::escaped;

/// Bytes of a form that are waited for, and looked at; those to sign in are shorter.
const MOST_FORM_BYTES: usize = 4096;
/// Names that are kept of a request.
const MOST_FIELDS: usize = 8;
/// Letters of a name; longer ones are no names.
const MOST_NAME_BYTES: usize = 64;
/// What forms are called whose fields are joined by `&` (HTML Living Standard §4.10.21).
const PAIRS: &str = "application/x-www-form-urlencoded";
/// Forms whose names stand between quotation marks (RFC 7578, RFC 8259).
const QUOTED: [&str; 3] = ["multipart/form-data", "application/json", "text/json"];

/// A step that reads a request, with the names in the form behind the head. It waits for the form where the stream keeps as
/// much; a client that asks first whether it may send the form (RFC 9110 §10.1.1) may never send it.
pub(super) fn with_fields(step: Step, view: StreamView<'_>) -> Step {
    let Step::Read { bytes, message: Some(Message::HttpRequest(mut request)), then } = step else {
        return step;
    };
    if let Outline::Whole { headers, length, .. } = outline(view.bytes)
        && let wanted @ 1.. = bytes.saturating_sub(length).min(MOST_FORM_BYTES)
        && let Some(form) = Form::of(headers)
    {
        let is_kept = length + wanted <= view.longest;
        if view.bytes.len() < length + wanted && is_kept && headers.text("expect").is_none() {
            return Step::More;
        }
        form.add(&mut request.password_fields, view.bytes.get(length..).unwrap_or_default());
    }
    Step::Read { bytes, message: Some(Message::HttpRequest(request)), then }
}

/// A request at the end of a stream, with the names in what there is of its form.
pub(super) fn with_cut_fields(message: Message, bytes: &[u8]) -> Message {
    match (message, outline(bytes)) {
        (Message::HttpRequest(mut request), Outline::Whole { headers, length, .. }) => {
            if let Some(form) = Form::of(headers) {
                form.add(&mut request.password_fields, bytes.get(length..).unwrap_or_default());
            }
            Message::HttpRequest(request)
        }
        (message, _) => message,
    }
}

/// The names of parameters of a request's target that hold a password.
pub(super) fn of_target(target: &[u8]) -> Vec<String> {
    let mut fields = Vec::new();
    let query = target.iter().position(|byte| *byte == b'?').and_then(|at| target.get(at + 1..));
    let is_pair = |byte: &u8| matches!(byte, b'&' | b';' | b'?');
    for parameter in query.unwrap_or_default().split(is_pair) {
        add_parameter(&mut fields, parameter);
    }
    fields
}

/// How the fields of a form are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    /// `name=value` between `&`.
    Pairs,
    /// `"name": value` of JSON, and `name="name"` of parts.
    Quoted,
}

impl Form {
    /// The form behind a head, where there is one.
    fn of(headers: Headers<'_>) -> Option<Self> {
        let kind = headers.text("content-type")?;
        let kind = kind.split(';').next()?.trim();
        if kind.eq_ignore_ascii_case(PAIRS) {
            return Some(Self::Pairs);
        }
        QUOTED.iter().any(|form| form.eq_ignore_ascii_case(kind)).then_some(Self::Quoted)
    }

    /// Adds the names of passwords in a body.
    fn add(self, fields: &mut Vec<String>, body: &[u8]) {
        let body = body.get(..MOST_FORM_BYTES).unwrap_or(body);
        match self {
            Self::Pairs => {
                body.split(|byte| *byte == b'&').for_each(|parameter| add_parameter(fields, parameter));
            }
            Self::Quoted => add_quoted(fields, body),
        }
    }
}

fn add_quoted(fields: &mut Vec<String>, mut rest: &[u8]) {
    while let Some((before, quoted, behind)) = quoted(rest) {
        let is_key = behind.trim_ascii_start().first() == Some(&b':');
        if is_key || before.ends_with(b" name=") {
            add_name(fields, quoted);
        }
        rest = behind;
    }
}

/// What stands before the first quotation mark, between it and the next, and behind that.
fn quoted(bytes: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let is_mark = |bytes: &[u8], at: usize| {
        bytes.get(at) == Some(&b'"') && at.checked_sub(1).and_then(|at| bytes.get(at)) != Some(&b'\\')
    };
    let mark = |bytes: &[u8]| (0..bytes.len()).find(|at| is_mark(bytes, *at));
    let (before, from) = bytes.split_at_checked(mark(bytes)?)?;
    let text = from.get(1..)?;
    let (text, from) = text.split_at_checked(mark(text)?)?;
    Some((before, text, from.get(1..)?))
}

/// Adds the name of `name=value`, where there is a value.
fn add_parameter(fields: &mut Vec<String>, parameter: &[u8]) {
    let Some(equals) = parameter.iter().position(|byte| *byte == b'=') else { return };
    if let Some((name, [_, _, ..])) = parameter.split_at_checked(equals) {
        add_name(fields, name);
    }
}

/// Adds a name of a password, once.
fn add_name(fields: &mut Vec<String>, name: &[u8]) {
    if name.len() > MOST_NAME_BYTES || fields.len() >= MOST_FIELDS {
        return;
    }
    let name = escaped(name);
    if is_password_name(&name) && !fields.contains(&name) {
        fields.push(name);
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{Form, of_target};
    use crate::Message;
    use crate::parser::{Memo, Parser, StreamView};
    use crate::phase::Step;
    use crate::protocols::http::{HEAD, Http};

    fn fields(body: &str) -> Vec<String> {
        let mut fields = Vec::new();
        let form = if body.contains('"') { Form::Quoted } else { Form::Pairs };
        form.add(&mut fields, body.as_bytes());
        fields
    }

    fn post(kind: &str, more: &str, body: &str) -> String {
        let length = body.len();
        format!(
            "POST /login HTTP/1.1\r\nContent-Type: {kind}\r\nContent-Length: {length}\r\n{more}\r\n{body}"
        )
    }

    fn begin(text: &str, longest: usize) -> Option<Vec<String>> {
        match Http::begin(StreamView { bytes: text.as_bytes(), longest, memo: Memo::default() }) {
            Step::Read { message: Some(Message::HttpRequest(request)), bytes, .. } => {
                assert!(bytes >= text.len());
                Some(request.password_fields)
            }
            step => {
                assert_eq!(step, Step::More);
                None
            }
        }
    }

    #[test]
    fn fields_are_found_in_every_form() {
        assert_eq!(fields("user=a&password=b&next=%2F"), ["password"]);
        assert_eq!(fields("user%5Bpassword%5D=b"), ["user%5Bpassword%5D"]);
        assert_eq!(fields("password=&user=a"), [""; 0], "nothing is sent");
        assert_eq!(fields("a=pwd&b=password"), [""; 0], "a value is no name");
        assert_eq!(fields("{\"user\": \"a\", \"passwd\" : \"b\", \"x\": \"password\"}"), ["passwd"]);
        assert_eq!(fields("{\"a\": \"\\\"b\", \"pwd\": 1}"), ["pwd"], "an escaped mark ends no text");
        assert_eq!(
            fields("--x\r\nContent-Disposition: form-data; name=\"pwd\"\r\n\r\nb\r\n--x--\r\n"),
            ["pwd"]
        );
        assert_eq!(fields("pwd=a&pwd=b&PWD=c"), ["pwd", "PWD"]);
        assert_eq!(of_target(b"/cgi?user=a&pwd=b"), ["pwd"]);
        assert_eq!(of_target(b"/pwd=b"), [""; 0]);
    }

    #[test]
    fn a_form_is_waited_for_up_to_what_is_kept() {
        let form = "application/x-www-form-urlencoded; charset=utf-8";
        let whole = post(form, "", "user=a&password=b");
        for cut in whole.len() - 16..whole.len() {
            assert_eq!(begin(&whole[..cut], 16384), None, "{cut}");
        }
        assert_eq!(begin(&whole, 16384), Some(vec!["password".to_owned()]));
        let head = &whole[..whole.len() - 17];
        assert_eq!(begin(head, head.len()), Some(Vec::new()), "no room for the form");
        let Some(Message::HttpRequest(cut)) = Http::cut(HEAD, &whole.as_bytes()[..whole.len() - 1]) else {
            panic!("a request");
        };
        assert_eq!(cut.password_fields, [""; 0], "its value is not there");
        let two = post(form, "", "pwd=b&c=d");
        let Some(Message::HttpRequest(cut)) = Http::cut(HEAD, &two.as_bytes()[..two.len() - 2]) else {
            panic!("a request");
        };
        assert_eq!(cut.password_fields, ["pwd"]);
        let other = post("text/plain", "", "user=a&password=b");
        assert_eq!(begin(&other[..other.len() - 5], 16384), Some(Vec::new()));
        let asks = post(form, "Expect: 100-continue\r\n", "user=a&password=b");
        assert_eq!(begin(&asks[..asks.len() - 17], 16384), Some(Vec::new()));
        let long = post(form, "", &format!("password=b&x={}", "y".repeat(1 << 20)));
        assert_eq!(begin(&long[..6000], 16384), Some(vec!["password".to_owned()]));
    }

    proptest! {
        #[test]
        fn any_form_is_survived(body in proptest::collection::vec(any::<u8>(), 0..300)) {
            let mut fields = of_target(&body);
            Form::Pairs.add(&mut fields, &body);
            Form::Quoted.add(&mut fields, &body);
            prop_assert!(fields.len() <= super::MOST_FIELDS);
        }
    }
}
