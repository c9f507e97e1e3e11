//! Texts of others in rule files: what a device or a file says may name nothing and end nothing there.

/// Bytes of a comment that are kept: a line that no reader of rule files finds too long.
const MOST_COMMENT_BYTES: usize = 240;
/// Bytes of the comment of a rule; nftables takes 128.
const MOST_RULE_BYTES: usize = 120;

/// A text as it may stand in a comment of every format: one line, of letters, digits and a few marks that mean nothing to
/// a shell, nftables, UCI or IOS, also within quotes.
pub(super) fn comment(text: &str) -> String {
    plain(text, MOST_COMMENT_BYTES)
}

/// The same for the comment of a rule, with a remark, which stays whole.
pub(super) fn rule_comment(text: &str, remark: Option<&str>) -> String {
    let remark = remark.map(|remark| format!(": {}", plain(remark, MOST_RULE_BYTES))).unwrap_or_default();
    plain(text, MOST_RULE_BYTES.saturating_sub(remark.len())) + &remark
}

fn plain(text: &str, most: usize) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " .,:_+-/()=@".contains(c);
    let plain = text.chars().map(|c| if is_plain(c) { c } else { '_' });
    let mut plain: String = plain.take(most).collect();
    plain.truncate(plain.trim_end().len());
    plain
}

/// A text as an identifier: lower-case letters, digits and single underscores, no more than `most` of them.
pub(super) fn identifier(text: &str, most: usize) -> String {
    let words = text.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    let mut name = words.collect::<Vec<_>>().join("_").to_ascii_lowercase();
    name.truncate(most);
    name.truncate(name.trim_end_matches('_').len());
    if name.is_empty() { "device".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_comment_is_one_line_of_plain_characters() {
        let check = |text: &str, expected: &str| assert_eq!(comment(text), expected, "{text:?}");
        check("lamp-from-ipv4-0", "lamp-from-ipv4-0");
        check("a\" accept; flush ruleset #", "a_ accept_ flush ruleset _");
        check("a\nflush ruleset", "a_flush ruleset");
        check("a\\", "a_");
        check("'; reboot; '$(id)`id`", "__ reboot_ __(id)_id_");
        check("lämp?\u{202e}\u{85}\u{2028}", "l_mp____");
        check(&"a".repeat(500), &"a".repeat(240));
        assert_eq!(rule_comment(&"a".repeat(500), None), "a".repeat(120));
        assert_eq!(rule_comment(&"a".repeat(500), Some("seen\"")), "a".repeat(113) + ": seen_");
    }

    #[test]
    fn an_identifier_has_letters_digits_and_underscores() {
        let check = |text: &str, expected: &str| assert_eq!(identifier(text, 20), expected, "{text:?}");
        check("LiFX Bulb (kitchen)", "lifx_bulb_kitchen");
        check("cdn.example-9.net", "cdn_example_9_net");
        check("; flush ruleset", "flush_ruleset");
        check("灯", "device");
        check(&"a".repeat(30), &"a".repeat(20));
        check("aaaaaaaaaaaaaaaaaaa.b", "aaaaaaaaaaaaaaaaaaa");
    }
}
