/// Whether a text may stand as the MUD URL of a profile: `https`, with a host, and nothing but what a URI may have
/// (RFC 8520, RFC 3986 §2). A device can say anything. One with a user or a password in front of its host is none (RFC
/// 9110 §4.2.4), nor is one in which `***` stands for a secret: everybody may read a profile.
pub fn is_mud_url(text: &str) -> bool {
    let Some(rest) = text.strip_prefix("https://") else { return false };
    let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
    let has_host =
        authority.bytes().next().is_some_and(|first| first.is_ascii_alphanumeric() || first == b'[');
    let has_secret = authority.contains('@') || text.contains("***");
    has_host && !has_secret && text.len() <= MOST_URL_BYTES && is_uri_text(text.as_bytes())
}

/// Length of a MUD URL in bytes: DHCP carries 255 of them in an option, and those of an operator are not
/// much longer.
const MOST_URL_BYTES: usize = 1024;

/// Whether bytes are such as a URI has, each `%` with two hexadecimal digits behind it.
fn is_uri_text(mut bytes: &[u8]) -> bool {
    while let Some((first, rest)) = bytes.split_first() {
        bytes = match first {
            b'%' => match rest {
                [high, low, rest @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => rest,
                _ => return false,
            },
            _ if first.is_ascii_alphanumeric() || b"-._~:/?#[]@!$&'()*+,;=".contains(first) => rest,
            _ => return false,
        };
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_mud_url_is_a_uri_of_https() {
        let check = |text: &str, expected: bool| assert_eq!(is_mud_url(text), expected, "{text:?}");
        check("https://lamp.example/lamp.json", true);
        check("https://lamp.example:8443/a%20b?c=d#e", true);
        check("https://[2001:db8::1]/lamp", true);
        check("https://lamp.example", true);
        check("http://lamp.example/lamp.json", false);
        check("https://", false);
        check("https:///lamp.json", false);
        check("https://user@/lamp.json", false);
        check("https://user@lamp.example/lamp.json", false);
        check("https://user:password@lamp.example/lamp.json", false);
        check("https://***@lamp.example/lamp.json", false);
        check("https://lamp.example/lamp.json?token=***", false);
        check("https://lamp.example/@lamp.json", true);
        check("https://lamp.example/a b", false);
        check("https://lamp.example/a\n", false);
        check("https://lamp.example/\u{0}", false);
        check("https://lämp.example/", false);
        check("https://lamp.example/%2", false);
        check("https://lamp.example/\"<>", false);
        check(&format!("https://lamp.example/{}", "a".repeat(1024)), false);
    }
}
