use proptest::prelude::*;

use super::{Expression, Word};
use crate::Span;

fn word(text: &str) -> Expression {
    Expression::Is(Word { text: text.to_owned(), span: Span::new(0, 0) })
}

/// The expression with every span gone.
fn placeless(expression: &Expression) -> Expression {
    let bare = |word: &Word| Ok::<_, ()>(Word { text: word.text.clone(), span: Span::new(0, 0) });
    expression.try_map(&mut { bare }).unwrap()
}

#[test]
fn operators_bind_as_in_logic() {
    let check = |text: &str, expected: &str| {
        assert_eq!(text.parse::<Expression>().unwrap().to_string(), expected, "{text}");
    };
    check("1", "1");
    check("a | b & c", "a or b and c");
    check("(a || b) && !c", "(a or b) and not c");
    check("NOT not a AND b", "not not a and b");
    check("! (a and b) or c-1", "not (a and b) or c-1");
    check("a or (b or c)", "a or (b or c)");
    check("((a))", "a");
}

#[test]
fn errors_point_into_the_text() {
    let check = |text: &str, span: (usize, usize), reason: &str| {
        let error = text.parse::<Expression>().unwrap_err();
        assert_eq!((error.span, error.reason.as_str()), (Span::new(span.0, span.1), reason), "{text}");
    };
    check("", (0, 0), "expected an id, `not` or `(`");
    check("a and", (5, 5), "expected an id, `not` or `(`");
    check("a b", (2, 3), "expected an operator or the end");
    check("a & (b | c", (4, 5), "`(` without its `)`");
    check("(a b)", (3, 4), "expected an operator or `)`");
    check("a)", (1, 2), "expected an operator or the end");
    check("a = b", (2, 3), "expected an operator or the end");
    check("and a", (0, 3), "expected an id, `not` or `(`");
    check("a or é", (5, 7), "expected an id, `not` or `(`");
    check(&"(".repeat(100), (64, 65), "nested more than 64 deep");
    check(&"!".repeat(5000), (4096, 5000), "an expression of more than 4096 bytes");
}

#[test]
fn what_is_unknown_matters_only_where_the_rest_leaves_it_open() {
    let check = |text: &str, expected: Option<bool>| {
        let expression: Expression = text.parse().unwrap();
        let value = expression.value(&mut |word| match word.text.as_str() {
            "yes" => Some(true),
            "no" => Some(false),
            _ => None,
        });
        assert_eq!(value, expected, "{text}");
    };
    check("yes and open", None);
    check("open and no", Some(false));
    check("open or yes", Some(true));
    check("no or open", None);
    check("not open", None);
    check("not no and yes", Some(true));
    check("open and (open or yes) and not yes", Some(false));
}

fn expressions() -> impl Strategy<Value = Expression> {
    let word =
        "[a-z0-9_-]{1,6}".prop_filter("an operator", |text| !matches!(text.as_str(), "and" | "or" | "not"));
    word.prop_map(|text| self::word(&text)).prop_recursive(4, 24, 3, |inner| {
        let several = || prop::collection::vec(inner.clone(), 2..4);
        prop_oneof![
            inner.clone().prop_map(|inner| Expression::Not(Box::new(inner))),
            several().prop_map(Expression::And),
            several().prop_map(Expression::Or),
        ]
    })
}

proptest! {
    #[test]
    fn what_is_written_is_read_back(expression in expressions()) {
        let text = expression.to_string();
        prop_assert_eq!(placeless(&text.parse().unwrap()), expression, "{}", text);
    }

    #[test]
    fn any_text_is_survived(text in "[ ()&|!a-cé-]{0,40}|.{0,40}") {
        match text.parse::<Expression>() {
            Ok(expression) => {
                for word in expression.words() {
                    prop_assert_eq!(text.get(word.span.start..word.span.end), Some(word.text.as_str()));
                }
            }
            Err(error) => {
                prop_assert!(text.get(error.span.start..error.span.end).is_some());
                error.pointed_out(&text);
            }
        }
    }
}
