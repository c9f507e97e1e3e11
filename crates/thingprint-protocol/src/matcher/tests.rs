use proptest::prelude::*;
use thingprint_flow::Timestamp;

use super::{Automaton, Beginning, BytePattern, CompiledCondition, Tallies, View, hir, searcher};
use crate::schema::{Condition, Measure, Statistic};
use crate::{Sender, Span};

#[test]
fn byte_patterns_find_what_they_say() {
    let check = |pattern: &str, bytes: &[u8], expected: bool| {
        let automaton = Automaton::of_bytes(pattern).unwrap();
        assert_eq!(automaton.finds(bytes, true), Some(expected), "{pattern} in {bytes:02x?}");
    };
    check("16 03", &[0, 0x16, 3], true);
    check("@0 16 03", &[0, 0x16, 3], false);
    check("@1 16 03", &[0, 0x16, 3], true);
    check("@2 16", &[0, 0x16], false);
    check("@0 1603", &[0x16, 3], true);
    check("@0 (14|15 03) 01", &[0x15, 3, 1], true);
    check("@0 (14|15 03) 01", &[0x15, 1], false);
    check("@0 00-40 [00-0f F0 f8-ff]", &[0x40, 0xf0], true);
    check("@0 00-40 [00-0f f0 f8-ff]", &[0x41, 0xf0], false);
    check("@0 [00 - 0E]", &[0x0e], true);
    check("@0 .{2} ?? 01", &[10, 9, 8, 1], true);
    check("@0 (01 02){1,2} 03", &[1, 2, 1, 2, 3], true);
    check("@0 (01 02){1,2} 03", &[1, 2, 1, 2, 1, 2, 3], false);
    check("@0 .....", &[0, 1, b'\n', b'\r', 0xff], true);
}

#[test]
fn byte_patterns_are_refused_where_they_are_wrong() {
    let check = |pattern: &str, span: (usize, usize), reason: &str| {
        let error = BytePattern::parse(pattern).unwrap_err();
        assert_eq!((error.span, error.reason.as_str()), (Span::new(span.0, span.1), reason), "{pattern}");
    };
    check("", (0, 0), "expected a byte, such as `16` or `00-ff`");
    check("@70000 16", (1, 6), "expected an offset from 0 to 65535");
    check("@0", (2, 2), "expected a byte, such as `16` or `00-ff`");
    check("@1ab", (2, 3), "expected a blank behind the offset");
    check("16 0", (3, 4), "expected two hexadecimal digits");
    check("16 zz", (3, 4), "expected a byte, a class, a group, `.` or `??`");
    check("16 ?", (4, 4), "expected a second `?`");
    check("20-10", (0, 5), "a range that ends before it starts");
    check("(16|", (4, 4), "expected a byte, such as `16` or `00-ff`");
    check("(16", (0, 1), "expected `)` for this");
    check("16)", (2, 3), "expected a byte, a class, a group, `.` or `??`");
    check("[16", (0, 1), "expected `]` for this");
    check("[]", (0, 2), "expected a byte, such as `16` or `00-ff`");
    check("16{3,2}", (3, 6), "a repetition that never is");
    check("16{0}", (3, 4), "a repetition that never is");
    check("16{2000}", (3, 7), "expected a count from 0 to 1024");
    check("16{2", (4, 4), "expected `}`");
    check(&"(".repeat(40), (32, 33), "nested more than 32 deep");
    check(&"1".repeat(5000), (4096, 5000), "a byte pattern of more than 4096 bytes");
}

#[test]
fn regular_expressions_are_refused_where_they_are_wrong() {
    let check = |pattern: &str, span: (usize, usize)| {
        let error = Automaton::of_text(pattern).unwrap_err();
        assert_eq!(error.span, Span::new(span.0, span.1), "{pattern}: {error}");
    };
    check("a(b", (1, 2));
    check("a(?<=b)c", (1, 5));
    check("[z-a]", (1, 4));
    check("a{5,2}", (1, 6));
    check(&"(".repeat(70), (69, 70));
}

#[test]
fn patterns_that_grow_too_large_are_refused() {
    for pattern in ["(?:a{1000}){1000}", "(?:(?:(?:a|b){50}){50}){50}"] {
        let error = Automaton::of_text(pattern).unwrap_err();
        assert_eq!(error.reason, "a pattern that grows too large", "{pattern}");
    }
    let pattern = "(((00{1024}){1024}){1024}){1024}";
    assert_eq!(Automaton::of_bytes(pattern).unwrap_err().reason, "a pattern that grows too large");
}

#[test]
fn patterns_with_too_many_states_are_searched_in_linear_time() {
    let automaton = Automaton::of_bytes("61 [61 62]{30} 78").unwrap();
    let mut payload = vec![b'a'; 100_000];
    assert_eq!(automaton.finds(&payload, true), Some(false));
    assert_eq!(automaton.finds(&payload, false), None);
    payload.push(b'x');
    assert_eq!(automaton.finds(&payload, false), Some(true));
    assert_eq!(automaton.beginning(), Beginning::ANY);
}

#[test]
fn a_beginning_tells_as_soon_as_the_rest_does_not_matter() {
    let check = |pattern: &str, beginning: &str, expected: Option<bool>| {
        let automaton = Automaton::of_text(pattern).unwrap();
        assert_eq!(automaton.finds(beginning.as_bytes(), false), expected, "{pattern} in {beginning:?}");
    };
    check("^GET ", "GE", None);
    check("^GET ", "GET ", Some(true));
    check("^GET ", "GEX", Some(false));
    check("GET ", "xxxx", None);
    check("^GET$", "GET", None);
    check(r"^GET\b", "GET", None);
    check("^(?i)get", "GeT", Some(true));
    check("^.", "\n", Some(false));
    let late = Automaton::of_bytes("@4 01").unwrap();
    assert_eq!(late.finds(&[0; 4], false), None);
    assert_eq!(late.finds(&[0; 4], true), Some(false));
    assert_eq!(late.finds(&[0; 5], false), Some(false));
}

#[test]
fn beginnings_are_those_that_a_match_can_have() {
    let check = |automaton: Automaton, expected: [usize; 6]| {
        let beginning = automaton.beginning();
        let counts: Vec<usize> =
            (0..6).map(|place| (0..=255).filter(|&byte| beginning.admits(place, byte)).count()).collect();
        assert_eq!(counts, expected);
    };
    let bytes = |pattern: &str| Automaton::of_bytes(pattern).unwrap();
    check(bytes("@0 16-18 03"), [3, 1, 256, 256, 256, 256]);
    check(bytes("@1 16 (17 18|20)"), [256, 1, 2, 256, 256, 256]);
    check(bytes("@2 ?? (01|02) ?? 03 04"), [256, 256, 256, 2, 256, 1]);
    check(bytes("@9 16"), [256; 6]);
    check(bytes("16"), [256; 6]);
    let text = |pattern: &str| Automaton::of_text(pattern).unwrap();
    check(text("^[A-Z]+x"), [26, 27, 256, 256, 256, 256]);
    check(text("^(?:ab?){2,3}c"), [1, 2, 3, 256, 256, 256]);
    check(text("^(?:a|bc)*d"), [3, 256, 256, 256, 256, 256]);
    check(text("^x(?:a|bc){2}y"), [1, 2, 3, 4, 256, 256]);
    check(text("^(?:|a){3}b"), [2, 256, 256, 256, 256, 256]);
    check(text("^(?:(?:a?){9}){9}bcdefgh"), [2, 3, 4, 5, 6, 7]);
}

fn condition(statistic: Statistic, of: Measure, within: Option<[f64; 2]>) -> Condition {
    Condition { statistic, of, within, at_least: Some(2.0), at_most: Some(3.0), packets: 4 }
}

#[test]
fn conditions_are_judged_once_by_the_first_packets() {
    let bounds = |condition: Condition, low: f64, high: f64| Condition {
        at_least: Some(low),
        at_most: Some(high),
        ..condition
    };
    // Four packets, one each second: the device sends 100, 200 and 300 bytes, the peer 1000.
    let check = |condition: Condition, expected: [bool; 3]| {
        let conditions = [CompiledCondition::new(&condition, 0).unwrap()];
        let mut tallies = Tallies::default();
        let packets = [
            (Sender::Device, 100, 0),
            (Sender::Device, 200, 1),
            (Sender::Peer, 1000, 2),
            (Sender::Device, 300, 3),
            (Sender::Device, 60_000, 4),
        ];
        let views = [View::From(Sender::Device), View::From(Sender::Peer), View::Both];
        for (count, (sender, size, second)) in packets.into_iter().enumerate() {
            let known = views.map(|view| conditions[0].holds(&tallies, view));
            assert_eq!(known[0].is_some(), count >= 4, "{condition:?} after {count}");
            let time = Timestamp::from_nanos(second * 1_000_000_000);
            tallies.note(&conditions, sender, size, Some(time));
        }
        let values = views.map(|view| conditions[0].holds(&tallies, view).unwrap());
        assert_eq!(values, expected, "{condition:?}");
    };
    let size = |statistic| condition(statistic, Measure::Size, None);
    check(bounds(size(Statistic::Mean), 200.0, 200.0), [true, false, false]);
    check(bounds(size(Statistic::Mean), 400.0, 400.0), [false, false, true]);
    check(bounds(size(Statistic::Minimum), 100.0, 100.0), [true, false, true]);
    check(bounds(size(Statistic::Maximum), 1000.0, 1000.0), [false, true, true]);
    check(bounds(size(Statistic::Count), 1.0, 3.0), [true, true, false]);
    let gap = |statistic| condition(statistic, Measure::Gap, None);
    check(bounds(gap(Statistic::Mean), 1.5, 1.5), [true, false, false]);
    check(bounds(gap(Statistic::Maximum), 1.0, 1.0), [false, false, true]);
    let share = condition(Statistic::Share, Measure::Size, Some([150.0, 300.0]));
    check(bounds(share.clone(), 0.5, 0.5), [false, false, true]);
    check(bounds(share, 0.6, 0.7), [true, false, false]);
}

#[test]
fn a_packet_back_in_time_makes_no_gap() {
    let greatest = condition(Statistic::Maximum, Measure::Gap, None);
    let condition =
        CompiledCondition::new(&Condition { at_least: Some(1.0), at_most: Some(1.0), ..greatest }, 0)
            .unwrap();
    let conditions = [condition];
    let mut tallies = Tallies::default();
    for second in [5, 6, 2, 7] {
        let time = Timestamp::from_nanos(second * 1_000_000_000);
        tallies.note(&conditions, Sender::Device, 1, Some(time));
    }
    assert_eq!(conditions[0].holds(&tallies, View::Both), Some(true));
}

#[test]
fn conditions_that_say_nothing_are_refused() {
    let check = |condition: Condition, expected: &str| {
        assert_eq!(CompiledCondition::new(&condition, 0).err().as_deref(), Some(expected));
    };
    let mean = condition(Statistic::Mean, Measure::Size, None);
    check(
        Condition { at_least: None, at_most: None, ..mean.clone() },
        "a condition without `at-least` and `at-most` says nothing",
    );
    check(Condition { at_least: Some(9.0), ..mean.clone() }, "`at-least` exceeds `at-most`");
    check(Condition { at_least: Some(f64::NAN), ..mean.clone() }, "bounds have to be numbers");
    check(Condition { packets: 0, ..mean.clone() }, "`packets` has to be 1 to 1000");
    check(Condition { within: Some([1.0, 2.0]), ..mean }, "`within` is for `share` alone");
    check(condition(Statistic::Share, Measure::Gap, None), "`share` needs `within`");
    check(condition(Statistic::Share, Measure::Gap, Some([2.0, 1.0])), "`within` ends before it starts");
}

/// Byte patterns that are well formed.
fn byte_patterns() -> impl Strategy<Value = String> {
    let item = prop_oneof![
        any::<u8>().prop_map(|byte| format!("{byte:02x}")),
        any::<[u8; 2]>().prop_map(|[a, b]| format!("{:02x}-{:02x}", a.min(b), a.max(b))),
        any::<[u8; 3]>().prop_map(|[a, b, c]| format!("[{c:02x} {:02x}-{:02x}]", a.min(b), a.max(b))),
        Just("??".to_owned()),
        Just(".".to_owned()),
    ];
    let sequence =
        prop::collection::vec((item, prop::option::of((1_u8..4, 0_u8..3))), 1..5).prop_map(|items| {
            let text = items.into_iter().map(|(item, repeat)| match repeat {
                Some((least, more)) => format!("{item}{{{least},{}}}", least + more),
                None => item,
            });
            text.collect::<Vec<_>>().join(" ")
        });
    let place = prop::option::of(0_usize..4);
    (place, prop::collection::vec(sequence, 1..3)).prop_map(|(place, sequences)| {
        let place = place.map_or_else(String::new, |place| format!("@{place} "));
        format!("{place}({})", sequences.join("|"))
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(600))]

    #[test]
    fn any_byte_pattern_text_is_survived(text in "[0-9a-f@()\\[\\]{},.|? é-]{0,30}") {
        if let Err(error) = BytePattern::parse(&text) {
            prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?}");
        }
    }

    #[test]
    fn any_regular_expression_text_is_survived(text in "[ab0(){}?*+|\\[\\]^$\\\\.:<=!,é]{0,20}") {
        if let Err(error) = Automaton::of_text(&text) {
            prop_assert!(text.get(error.span.start..error.span.end).is_some(), "{error:?}");
        }
    }

    #[test]
    fn what_a_beginning_tells_stays_true(
        pattern in byte_patterns(),
        bytes in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let automaton = Automaton::of_bytes(&pattern).unwrap();
        let whole = automaton.finds(&bytes, true);
        prop_assert!(whole.is_some());
        for end in 0..=bytes.len() {
            let told = automaton.finds(&bytes[..end], false);
            prop_assert!(told.is_none() || told == whole, "{} of {:02x?}", end, bytes);
        }
        if whole == Some(true) {
            let beginning = automaton.beginning();
            prop_assert!(bytes.iter().enumerate().all(|(place, &byte)| beginning.admits(place, byte)));
        }
    }

    #[test]
    fn a_beginning_leaves_out_no_match(
        pattern in prop::sample::select(vec![
            r"^GET \b", r"^ON\B", "^(?:abc)?", "^$", "^a|$", r"^\b", r"^\B", "(?m)^a$", r"^ab*\b", r"^[^G]\b", "^(?:a|ab)$", "x*",
        ]),
        text in "[abGETON. \n]{0,8}|GET [ab.]{0,3}|ON[ab.]{0,3}",
    ) {
        let automaton = Automaton::of_text(pattern).unwrap();
        if automaton.finds(text.as_bytes(), true) == Some(true) {
            let beginning = automaton.beginning();
            let is_possible = text.bytes().enumerate().all(|(place, byte)| beginning.admits(place, byte));
            prop_assert!(is_possible, "{} in {:?}", pattern, text);
        }
    }

    #[test]
    fn an_automaton_and_a_search_agree(
        pattern in byte_patterns(),
        bytes in prop::collection::vec(any::<u8>(), 0..24),
    ) {
        let BytePattern { offset, hir } = BytePattern::parse(&pattern).unwrap();
        let searcher = searcher(&hir, &pattern).unwrap();
        let found = match offset {
            None => searcher.is_match(&bytes),
            Some(offset) => bytes.get(offset..).is_some_and(|rest| {
                let input = regex_automata::Input::new(rest).anchored(regex_automata::Anchored::Yes);
                searcher.is_match(input)
            }),
        };
        prop_assert_eq!(Automaton::of_bytes(&pattern).unwrap().finds(&bytes, true), Some(found));
    }

    #[test]
    fn a_regular_expression_and_a_search_agree(
        pattern in prop::sample::select(vec!["^GET [^ ]+ HTTP", "b+(?:a|$)", "(?i)a.b", r"\bab\b", "^a|b$", "(?s)a.*b"]),
        text in "[abAB GETHTP/\n]{0,24}",
    ) {
        let searcher = searcher(&hir(pattern).unwrap(), pattern).unwrap();
        let automaton = Automaton::of_text(pattern).unwrap();
        prop_assert_eq!(automaton.finds(text.as_bytes(), true), Some(searcher.is_match(&text)));
    }
}
