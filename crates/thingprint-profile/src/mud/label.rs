//! Texts of others as a profile can hold them.

/// Length of the device's part in the names of lists, which have 64 bytes in all.
const MOST_SLUG_BYTES: usize = 40;
/// Longest name of a protocol.
const MOST_PROTOCOL_CHARS: usize = 64;
/// Longest `systeminfo`: drafts of RFC 8520 had that limit, and some readers keep to it.
const MOST_SYSTEMINFO_CHARS: usize = 60;

/// Whether the YANG module of the extension has room for a name, which anybody's model can have.
pub(super) fn is_protocol_name(name: &str) -> bool {
    (1..=MOST_PROTOCOL_CHARS).contains(&name.chars().count()) && !name.contains(char::is_control)
}

/// A label without what YANG has no characters for (RFC 7950 §9.4).
pub(super) fn systeminfo(label: &str) -> String {
    label.chars().filter(|c| !c.is_control()).take(MOST_SYSTEMINFO_CHARS).collect()
}

/// A label as a part of names: lower-case letters and digits, anything else one hyphen.
pub(super) fn slug(label: &str) -> String {
    let mut slug = String::new();
    for byte in label.bytes() {
        if byte.is_ascii_alphanumeric() {
            slug.push(char::from(byte.to_ascii_lowercase()));
        } else if !slug.is_empty() && !slug.ends_with('-') {
            slug.push('-');
        }
    }
    slug.truncate(MOST_SLUG_BYTES);
    let slug = slug.trim_end_matches('-');
    if slug.is_empty() { "device".to_owned() } else { slug.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_label_becomes_a_part_of_names() {
        let check = |label: &str, expected: &str| assert_eq!(slug(label), expected);
        check("LiFX Bulb (kitchen)", "lifx-bulb-kitchen");
        check("d0:73:d5:01:83:08", "d0-73-d5-01-83-08");
        check("ß", "device");
        check(&"a".repeat(100), &"a".repeat(40));
    }

    #[test]
    fn texts_of_others_are_such_as_yang_has() {
        let check = |name: &str, expected: bool| assert_eq!(is_protocol_name(name), expected, "{name:?}");
        check("tls", true);
        check(&"ä".repeat(64), true);
        check(&"a".repeat(65), false);
        check("", false);
        check("a\u{7}b", false);
        assert_eq!(systeminfo("lamp\u{0} one"), "lamp one");
    }
}
