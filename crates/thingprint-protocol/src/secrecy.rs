//! What of a text from a capture nobody should read by chance: users and passwords in URIs, and parameters that by their
//! names hold secrets.
use std::ops::Range;

/// What stands for a secret.
pub(crate) const HIDDEN: &str = "***";

/// Parts of names, in lower case, of what holds a secret.
const PARTS: [&str; 14] = [
    "pass",
    "loginpas",
    "pwd",
    "psw",
    "token",
    "secret",
    "key",
    "credential",
    "authorization",
    "signature",
    "session",
    "cookie",
    "psk",
    "jwt",
];
/// Names, in lower case, of what holds a secret.
const NAMES: [&str; 7] = ["auth", "pw", "pin", "sid", "sig", "otp", "hmac"];
/// Names of parameters, in lower case and of letters and digits alone, that are no secrets anywhere else: codes and tickets
/// that are as good as a password for some minutes, proofs that are made of one, and who signs in.
const PARAMETERS: [&str; 20] = [
    "accesscode",
    "account",
    "authcode",
    "code",
    "codeverifier",
    "hash",
    "k",
    "login",
    "pincode",
    "sign",
    "smscode",
    "ticket",
    "uname",
    "user",
    "userid",
    "username",
    "usr",
    "verificationcode",
    "verifycode",
    "xauth",
];

/// Whether something of this name holds a secret.
pub(crate) fn is_secret_name(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    NAMES.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a field of this name holds a password: what signs in, or lets into a wireless network.
pub(crate) fn is_password_name(name: &str) -> bool {
    const WORDS: [&str; 6] = ["pass", "pw", "psk", "userpass", "loginpass", "loginpas"];
    const PARTS: [&str; 9] =
        ["password", "passwd", "passwort", "passphrase", "passcode", "passkey", "pwd", "psw", "wpapsk"];
    let name: String =
        name.chars().filter(char::is_ascii_alphanumeric).map(|letter| letter.to_ascii_lowercase()).collect();
    WORDS.contains(&name.as_str()) || PARTS.iter().any(|part| name.contains(part))
}

/// Whether a parameter of this name holds a secret. `form[user]` is called `user`, and `auth_code` is `authcode`.
fn is_secret_parameter(name: &str) -> bool {
    let bare = |name: &str| -> String {
        name.chars().filter(char::is_ascii_alphanumeric).map(|c| c.to_ascii_lowercase()).collect()
    };
    let last = name.trim_end_matches(']').rsplit(['[', ']', '.', '$']).next().unwrap_or_default();
    let is_parameter = |name: &str| is_secret_name(name) || PARAMETERS.contains(&bare(name).as_str());
    is_parameter(name) || is_parameter(last)
}

/// Whether an attribute of this name holds a secret, whether its model says so or not. A `security` tag holds a user
/// and a password.
pub(crate) fn is_secret_attribute(name: &str) -> bool {
    is_secret_name(name) || name.to_ascii_lowercase().contains("security")
}

/// A URI, or a part of one, with `***` for each secret part of it.
pub(crate) fn redacted(uri: &str) -> String {
    let letters = letters(uri);
    let found = users(&letters).into_iter().chain(parameters(&letters)).chain(segments(&letters));
    hidden(uri, found.collect())
}

/// Any other text with `***` for each secret part of it; `None` where it has no such part.
pub(crate) fn redacted_text(text: &str) -> Option<String> {
    // Nearly no text has one of the signs by which a secret is known.
    let has_quoted_names = text.contains(':') && text.bytes().any(|byte| matches!(byte, b'"' | b'\''));
    if !has_quoted_names && !text.bytes().any(|byte| matches!(byte, b'=' | b'@' | b'%')) {
        return None;
    }
    let letters = letters(text);
    let words = letters.split(|letter| matches!(letter.byte, b' ' | b'"' | b'<' | b'>' | b'\''));
    let found: Vec<Range<usize>> = words.flat_map(users_in_word).chain(parameters(&letters)).collect();
    (!found.is_empty()).then(|| hidden(text, found))
}

/// The text with `***` for these parts.
fn hidden(text: &str, parts: Vec<Range<usize>>) -> String {
    let mut shown = String::with_capacity(text.len());
    let mut at = 0;
    for hidden in joined(parts) {
        shown.push_str(text.get(at..hidden.start).unwrap_or_default());
        shown.push_str(HIDDEN);
        at = hidden.end;
    }
    shown.push_str(text.get(at..).unwrap_or_default());
    shown
}

/// The parts in order, with a gap between any two.
fn joined(mut found: Vec<Range<usize>>) -> Vec<Range<usize>> {
    found.sort_by_key(|part| part.start);
    let mut joined: Vec<Range<usize>> = Vec::new();
    for part in found {
        match joined.last_mut() {
            Some(last) if part.start <= last.end => last.end = last.end.max(part.end),
            _ => joined.push(part),
        }
    }
    joined
}

/// A byte of a text, written as it is or in percent signs and digits (RFC 3986 §2.1), perhaps several times over.
#[derive(Clone, Copy, Debug)]
struct Letter {
    byte: u8,
    start: usize,
    end: usize,
}

impl Letter {
    const fn is_plain(self) -> bool {
        self.end - self.start == 1
    }
}

fn letters(text: &str) -> Vec<Letter> {
    let bytes = text.as_bytes();
    let mut letters = Vec::with_capacity(bytes.len());
    let mut start = 0;
    while let Some(&first) = bytes.get(start) {
        let encoded = bytes.get(start + 1..).filter(|_| first == b'%').and_then(percent_encoded);
        let (byte, length) = encoded.map_or((first, 1), |(byte, length)| (byte, 1 + length));
        letters.push(Letter { byte, start, end: start + length });
        start += length;
    }
    letters
}

/// The byte that digits behind a percent sign mean, and how many they are; `2540` is `%40` encoded again.
fn percent_encoded(digits: &[u8]) -> Option<(u8, usize)> {
    let again = digits.chunks_exact(2).take_while(|pair| *pair == b"25").count();
    let digit = |at: usize| digits.get(at).and_then(|&digit| char::from(digit).to_digit(16));
    let value = |at: usize| u8::try_from(digit(at)? << 4 | digit(at + 1)?).ok();
    value(2 * again).map(|byte| (byte, 2 * again + 2)).or_else(|| (again > 0).then_some((b'%', 2 * again)))
}

/// The user information (RFC 3986 §3.2.1) behind each `://` of a text, behind `//` at its start, and in a text that is
/// neither a path nor has a scheme: the target of `CONNECT`.
fn users(letters: &[Letter]) -> Vec<Range<usize>> {
    let mut begins = behind_schemes(letters);
    if starts_with(letters, b"//") {
        begins.insert(0, 2);
    }
    if begins.is_empty() && !starts_with(letters, b"/") {
        return part(letters.get(..last_at(letters).unwrap_or(0)).unwrap_or_default()).into_iter().collect();
    }
    behind(letters, &begins)
}

/// The user information behind each `://` of a word; of a word without one what is before `@`, if it has a colon as a user with
/// a password has.
fn users_in_word(letters: &[Letter]) -> Vec<Range<usize>> {
    let begins = behind_schemes(letters);
    if !begins.is_empty() {
        return behind(letters, &begins);
    }
    let before = letters.get(..last_at(letters).unwrap_or(0)).unwrap_or_default();
    let is_with_password =
        before.iter().any(|letter| letter.byte == b':') && !starts_with(letters, b"mailto:");
    part(before).filter(|_| is_with_password).into_iter().collect()
}

/// Where authorities begin.
fn behind_schemes(letters: &[Letter]) -> Vec<usize> {
    let is_behind = |at: &usize| letters.get(..*at).is_some_and(|before| ends_with(before, b"://"));
    (3..=letters.len()).filter(is_behind).collect()
}

/// The user information of the authorities that begin at these places.
fn behind(letters: &[Letter], begins: &[usize]) -> Vec<Range<usize>> {
    let found = begins.iter().filter_map(|&start| {
        let is_plain = letters.get(start - 1).is_some_and(|slash| slash.is_plain());
        user(letters.get(start..)?, is_plain)
    });
    found.collect()
}

fn starts_with(letters: &[Letter], mark: &[u8]) -> bool {
    letters.len() >= mark.len() && letters.iter().zip(mark).all(|(letter, byte)| letter.byte == *byte)
}

fn ends_with(letters: &[Letter], mark: &[u8]) -> bool {
    letters.len() >= mark.len()
        && letters.iter().rev().zip(mark.iter().rev()).all(|(letter, byte)| letter.byte == *byte)
}

/// The user information at the start of an authority and what follows it.
///
/// A password with a slash belongs into percent signs, but is written as it is: a port that is no number betrays it.
fn user(letters: &[Letter], is_plain: bool) -> Option<Range<usize>> {
    let ends =
        |letter: &Letter| matches!(letter.byte, b'/' | b'?' | b'#') && (letter.is_plain() || !is_plain);
    let authority =
        letters.iter().position(ends).map_or(letters, |end| letters.get(..end).unwrap_or_default());
    if let Some(at) = last_at(authority) {
        return part(authority.get(..at)?);
    }
    let port_at = authority.iter().position(|letter| letter.byte == b':')?;
    let is_address = authority.first()?.byte == b'[';
    let is_port = authority.get(port_at + 1..)?.iter().all(|letter| letter.byte.is_ascii_digit());
    if is_address || is_port {
        return None;
    }
    part(letters.get(..last_at(letters)?)?)
}

fn last_at(letters: &[Letter]) -> Option<usize> {
    letters.iter().rposition(|letter| letter.byte == b'@')
}

/// The values of parameters (`name=value`, `"name":value`) with names of secrets, up to the next `&` that is written as
/// it is: nobody knows whether an encoded one, or any other mark, belongs to the value.
fn parameters(letters: &[Letter]) -> Vec<Range<usize>> {
    let mut found = Vec::new();
    let mut at = 0;
    while let Some(letter) = letters.get(at) {
        at += 1;
        let before = letters.get(..at - 1).unwrap_or_default();
        let is_named = match letter.byte {
            b'=' => is_secret_parameter(&name_at_end(before)),
            b':' => quoted_at_end(before).is_some_and(|before| is_secret_parameter(&name_at_end(before))),
            _ => false,
        };
        if !is_named {
            continue;
        }
        let rest = letters.get(at..).unwrap_or_default();
        let length =
            rest.iter().position(|letter| letter.byte == b'&' && letter.is_plain()).unwrap_or(rest.len());
        found.extend(part(rest.get(..length).unwrap_or_default()));
        at += length;
    }
    found
}

/// The segments of a path that name who asks, as bridges of lamps and bots have it: what follows `/api/` and is long, with
/// letters and digits, and what begins with `bot` and a number and goes on behind a colon.
fn segments(letters: &[Letter]) -> Vec<Range<usize>> {
    const LEAST_LETTERS: usize = 10;
    let end = letters.iter().position(|letter| matches!(letter.byte, b'?' | b'#')).unwrap_or(letters.len());
    let path = letters.get(..end).unwrap_or_default();
    let mut found = Vec::new();
    let mut is_behind_api = false;
    for segment in path.split(|letter| letter.byte == b'/') {
        let is_word =
            |letter: &Letter| letter.byte.is_ascii_alphanumeric() || matches!(letter.byte, b'-' | b'_');
        let has = |is: fn(&u8) -> bool| segment.iter().any(|letter| is(&letter.byte));
        let is_mixed = has(u8::is_ascii_digit) && has(u8::is_ascii_alphabetic);
        let is_key =
            is_behind_api && segment.len() >= LEAST_LETTERS && segment.iter().all(is_word) && is_mixed;
        found.extend(if is_key { part(segment) } else { bot(segment) });
        is_behind_api =
            segment.len() == 3 && segment.iter().zip(b"api").all(|(letter, byte)| letter.byte == *byte);
    }
    found
}

/// What follows the number of a bot in a segment.
fn bot(segment: &[Letter]) -> Option<Range<usize>> {
    let colon = segment.iter().position(|letter| letter.byte == b':')?;
    let (name, token) = segment.split_at_checked(colon + 1)?;
    let number = name.get(3..colon).filter(|_| starts_with(name, b"bot"))?;
    let is_number = !number.is_empty() && number.iter().all(|letter| letter.byte.is_ascii_digit());
    part(token).filter(|_| is_number)
}

/// What stands before a closing quotation mark.
fn quoted_at_end(letters: &[Letter]) -> Option<&[Letter]> {
    let blanks = letters.iter().rev().take_while(|letter| letter.byte == b' ').count();
    let (mark, before) = letters.get(..letters.len() - blanks)?.split_last()?;
    matches!(mark.byte, b'"' | b'\'').then_some(before)
}

/// The name that ends where the letters end.
fn name_at_end(letters: &[Letter]) -> String {
    const MOST_NAME_LETTERS: usize = 64;
    let is_name =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.' | b'$' | b'[' | b']');
    let last = letters.iter().rev().map(|letter| letter.byte).take_while(|&byte| is_name(byte));
    let mut name: Vec<char> = last.take(MOST_NAME_LETTERS).map(char::from).collect();
    name.reverse();
    name.into_iter().collect()
}

/// Where letters stand, if they are any.
fn part(letters: &[Letter]) -> Option<Range<usize>> {
    Some(letters.first()?.start..letters.last()?.end)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::{redacted, redacted_text};

    fn check(text: &str, expected: &str) {
        assert_eq!(redacted(text), expected, "{text}");
    }

    #[test]
    fn users_and_passwords_are_hidden_wherever_they_stand() {
        check("http://user:pass@lamp.example/a@b", "http://***@lamp.example/a@b");
        check("http://user@lamp.example", "http://***@lamp.example");
        check("u:pw@lamp.example:443", "***@lamp.example:443");
        check("u:p/w@lamp.example:443", "***@lamp.example:443");
        check("//u:pw@lamp.example/", "//***@lamp.example/");
        check("/?next=http://u:pw@h/&x=1", "/?next=http://***@h/&x=1");
        check("/?next=http%3A%2F%2Fu%3Apw%40h%2Fa", "/?next=http%3A%2F%2F***%40h%2Fa");
        check("/?next=http%253a%252f%252fu%253apw%2540h", "/?next=http%253a%252f%252f***%2540h");
        check("http://u:a/b@h/", "http://***@h/");
        check("http://u:a?b@h/", "http://***@h/");
        check("http://u:a%2Fb@h/", "http://***@h/");
        check("http://u:a@b@h/", "http://***@h/");
        check("http://a:b@c/d?e=rtsp://f:g@h/", "http://***@c/d?e=rtsp://***@h/");
    }

    #[test]
    fn parameters_are_hidden_by_their_names() {
        check("/login?user=a&password=x", "/login?user=***&password=***");
        check("/a?PWD=x;y&b=c", "/a?PWD=***&b=c");
        check("/a?api_key=x%26y&b=c", "/a?api_key=***&b=c");
        check("/a?p%61ssword=x", "/a?p%61ssword=***");
        check("/a;token=x", "/a;token=***");
        check("/a?user[secret]=x#y", "/a?user[secret]=***");
        check("/a?q={\"password\": \"x\"}", "/a?q={\"password\":***");
        check("/a?q=%7B%22token%22%3A%22x%22%7D&b=c", "/a?q=%7B%22token%22%3A***&b=c");
        check("/a?token=", "/a?token=");
        check("/api/0Ax3-9sdfk2/lights?a=b", "/api/***/lights?a=b");
        check("http://h/api/0Ax39sdfk2", "http://h/api/***");
        check("/bot123456:AAE-x_9/sendMessage", "/bot123456:***/sendMessage");
        for name in [
            "authcode",
            "auth_code",
            "code",
            "ticket",
            "sign",
            "hash",
            "user",
            "usr",
            "k",
            "form[user]",
            "Code",
        ] {
            check(&format!("/a?b=c&{name}=x%26y&d=e"), &format!("/a?b=c&{name}=***&d=e"));
        }
        check(
            "/a?country_code=de&hashtag=x&users=3&ok=1&signal=5",
            "/a?country_code=de&hashtag=x&users=3&ok=1&signal=5",
        );
    }

    #[test]
    fn secrets_in_texts_are_hidden() {
        let check =
            |text: &str, expected: &str| assert_eq!(redacted_text(text).as_deref(), Some(expected), "{text}");
        check("Linux, see http://u:pw@h/x for more@home", "Linux, see http://***@h/x for more@home");
        check("a \"rtsp://u:p/w@h\" b", "a \"rtsp://***@h\" b");
        check("Lamp/1 (http://h/?token=x)", "Lamp/1 (http://h/?token=***");
        check("admin:pw@lamp.example", "***@lamp.example");
        check("rtsp%3a%2f%2fu%3apw%40h", "rtsp%3a%2f%2f***%40h");
        check("{\"password\" : \"x\"}", "{\"password\" :***");
        for text in [
            "Linux/3.14 UPnP/1.0 Lamp/1.0",
            "bot (me@lamp.example; mailto:you@lamp.example)",
            "max-age=1800",
            "uuid:1234::upnp:rootdevice",
            "md=Lamp 100 % of http://lamp.example:80/a@b",
            "",
        ] {
            assert_eq!(redacted_text(text), None, "{text}");
        }
    }

    #[test]
    fn what_is_no_secret_stays() {
        for text in [
            "/",
            "*",
            "/a/b@c?d=e",
            "http://lamp.example/a@b",
            "http://lamp.example:8080/a@b",
            "http://[2001:db8::1]:80/a@b",
            "http://192.0.2.7:49152/description.xml",
            "lamp.example:443",
            "/api/v1/measurements/a1b2c3d4e5f6",
            "/api/getMeasurements",
            "/robot1:2/both:3",
            "/a?state=on&authentication_type=Basic&author=b",
            "/100%/a%2",
            "",
        ] {
            check(text, text);
        }
    }

    proptest! {
        #[test]
        fn any_text_is_redacted_without_panic(text in "[a-z:/@?&=%250-9\"]{0,60}", other: String) {
            let _ = (redacted(&text), redacted(&other), redacted_text(&text), redacted_text(&other));
        }

        #[test]
        fn a_password_is_hidden_in_any_place(
            secret in "[A-Z]{8,12}[/?a-z:]{0,4}",
            before in "(http|rtsp)://[a-z]{1,5}:",
            around in prop::sample::select(vec!["", "/?next=", "/a/b?c=d&e=", "x=http://lamp/&y="]),
        ) {
            let shown = redacted(&format!("{around}{before}{secret}@lamp/path"));
            prop_assert!(!shown.contains(&secret[..8]), "{shown}");
        }
    }
}
