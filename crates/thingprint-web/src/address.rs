//! Addresses of the page's own places.

use std::fmt::Write;

/// Where forms lead back to when they do not say where from.
pub(crate) const START: &str = "/";

/// Text as a part of a path or query (RFC 3986 §2.1).
pub(crate) fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' | b':' => {
                encoded.push(char::from(byte));
            }
            // Writing into a string does not fail.
            _ => _ = write!(encoded, "%{byte:02X}"),
        }
    }
    encoded
}

/// A path with a query of the parameters that have a value.
pub(crate) fn with_query(path: &str, parameters: &[(&str, &str)]) -> String {
    let mut address = path.to_owned();
    let with_value = parameters.iter().filter(|(_, value)| !value.is_empty());
    for (index, (name, value)) in with_value.enumerate() {
        address.extend([if index == 0 { "?" } else { "&" }, *name, "=", &encoded(value)]);
    }
    address
}

/// The query without the parameter of a name; none where nothing is left.
pub(crate) fn without_parameter(query: &str, name: &str) -> Option<String> {
    let other = |part: &&str| part.split('=').next() != Some(name) && !part.is_empty();
    let rest: Vec<&str> = query.split('&').filter(other).collect();
    (!rest.is_empty()).then(|| rest.join("&"))
}

/// Where a form leads back to: a place of this page and of no other, whatever the form says. A browser takes `//host`
/// and `/\host` for another host.
pub(crate) fn back(place: Option<&str>) -> &str {
    let is_own = |place: &&str| {
        place.starts_with('/')
            && !place.starts_with("//")
            && !place.contains('\\')
            && place.bytes().all(|byte| byte.is_ascii_graphic())
    };
    place.filter(is_own).unwrap_or(START)
}

/// The page of a device.
pub(crate) fn device(id: impl std::fmt::Display) -> String {
    format!("/devices/{}", encoded(&id.to_string()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_lead_back_to_the_page_alone() {
        let check = |place, expected| assert_eq!(back(place), expected, "{place:?}");
        check(Some("/devices?q=a"), "/devices?q=a");
        for place in
            ["https://evil.example", "//evil.example", "/\\evil.example", "", "/a\r\nb", "javascript:x"]
        {
            check(Some(place), "/");
        }
        check(None, "/");
    }

    #[test]
    fn queries_hold_any_text() {
        let query = [("q", "a&b=ü c"), ("show", ""), ("page", "2")];
        assert_eq!(with_query("/devices", &query), "/devices?q=a%26b%3D%C3%BC%20c&page=2");
        assert_eq!(without_parameter("a=1&token=x&b", "token").as_deref(), Some("a=1&b"));
        assert_eq!(without_parameter("token=x", "token"), None);
        assert_eq!(device("fe80::1"), "/devices/fe80::1");
    }
}
