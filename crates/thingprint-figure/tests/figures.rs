//! Figures of any data: well-formed, without values that are no numbers, and with all text inside.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop")]

use proptest::prelude::*;
use roxmltree::{Document, Node};
use thingprint_figure::{
    Arrangement, Axis, BarSeries, Bars, Class, Confusion, Cumulative, Estimate, Facets, Figure, Guide,
    Histogram, LinePoint, LineSeries, Lines, Panel, PanelBar, PanelSpan, Ranking, RankingRow, Samples,
    Sankey, SankeyFlow, Scale, Steps, Strip, StripCell, Strips, Timeline,
};

/// The estimate of widths that figures are laid out by.
#[path = "../src/lettering.rs"]
mod lettering;

#[test]
fn a_figure_without_data_says_so() {
    let nothing = [f64::NAN, f64::INFINITY];
    let samples = vec![Samples::new("a", nothing)];
    let check = |figure: &dyn Figure| {
        let svg = figure.svg();
        assert!(svg.contains(">no data</text>"), "{svg}");
        assert_sound(&svg);
    };
    check(&Bars::default());
    check(&Ranking::default());
    check(&Lines::default());
    check(&Steps { series: samples.clone(), ..Steps::default() });
    check(&Histogram { series: samples, ..Histogram::default() });
    check(&Confusion { actual: vec!["a".into()], predicted: vec!["a".into()], ..Confusion::default() });
    check(&Strips::default());
    check(&Timeline::default());
    check(&Sankey { columns: vec!["a".into()], ..Sankey::default() });
}

#[test]
fn fractions_of_instances_are_drawn() {
    let names = || vec!["a".to_owned(), "b".to_owned()];
    let counts = vec![vec![0.3, 0.1], vec![0.0, 2.0]];
    let svg = Confusion { actual: names(), predicted: names(), counts, ..Confusion::default() }.svg();
    for text in ["n = 0.40", "(0.30 of 0.40)", "(0.10 of 0.40)", "n = 2<", "(2 of 2)"] {
        assert!(svg.contains(text), "{text} is not in {svg}");
    }
}

#[test]
fn what_is_not_finite_is_counted() {
    let values = [1.0, f64::NAN, 2.0, f64::INFINITY];
    let svg = Steps { series: vec![Samples::new("a", values)], ..Steps::default() }.svg();
    assert!(svg.contains("2 values are not shown") && svg.contains("n = 2"), "{svg}");
    let axis = Axis::new("x", "s").scale(Scale::Log10);
    let svg =
        Histogram { x: axis, series: vec![Samples::new("a", [0.0, 5.0])], ..Histogram::default() }.svg();
    assert!(svg.contains("1 value is not shown") && svg.contains("n = 1"), "{svg}");
}

#[test]
fn names_are_written_as_text() {
    let hostile = "</text><script>alert('x')</script>&\u{0}\u{202e}";
    let row = RankingRow { label: hostile.into(), value: 1.0.into(), class: 0 };
    let svg = Ranking { title: hostile.into(), rows: vec![row], ..Ranking::default() }.svg();
    let document = Document::parse(&svg).unwrap();
    assert!(!document.descendants().any(|node| node.has_tag_name("script")));
    let title = document.root_element().first_element_child().unwrap();
    assert_eq!(title.text(), Some("</text><script>alert('x')</script>&\u{fffd}\u{fffd}"));
}

#[test]
fn a_long_name_is_shortened_and_whole_under_the_pointer() {
    let long = "device-metrics.eu-central-1.softwareupdates.vendor-cloud.example";
    let row = RankingRow { label: long.into(), value: 1.0.into(), class: 0 };
    let svg = Ranking { rows: vec![row], ..Ranking::default() }.svg();
    let document = Document::parse(&svg).unwrap();
    let label = texts(&document).into_iter().find(|text| shown(*text).contains('…')).unwrap();
    assert_eq!(label.first_element_child().and_then(|title| title.text()), Some(long));
}

#[test]
fn light_and_dark_and_a_name_are_in_every_file() {
    let svg = Lines { title: "Accuracy".into(), description: "It rises.".into(), ..Lines::default() }.svg();
    let document = Document::parse(&svg).unwrap();
    let root = document.root_element();
    assert_eq!(root.attribute("role"), Some("img"));
    let first: Vec<_> = root.children().filter(Node::is_element).take(3).collect();
    assert_eq!(
        first.iter().map(|node| node.tag_name().name()).collect::<Vec<_>>(),
        ["title", "desc", "style"]
    );
    assert_eq!(first.iter().take(2).filter_map(Node::text).collect::<Vec<_>>(), ["Accuracy", "It rises."]);
    assert!(
        first.iter().any(|node| node.text().is_some_and(|css| css.contains("prefers-color-scheme:dark")))
    );
}

#[test]
fn bars_are_as_high_as_their_values() {
    let values = [0.25, 0.5, 1.0].map(|value| Some(Estimate::from(value)));
    let bars = Bars {
        value: Axis::percent("").bounds(0.0, 1.0),
        groups: vec!["a".into(), "b".into(), "c".into()],
        series: vec![BarSeries { name: "s".into(), values: values.into() }],
        ..Bars::default()
    };
    assert_eq!(lengths(&bars.svg(), "f0", "height"), [70.0, 140.0, 280.0]);
}

#[test]
fn ribbons_are_as_wide_as_their_amounts() {
    let flow = |path: [&str; 2], value| SankeyFlow { path: path.map(String::from).into(), value };
    let sankey = Sankey {
        columns: vec!["x".into(), "y".into()],
        flows: vec![flow(["a", "c"], 3.0), flow(["a", "d"], 1.0), flow(["a", "c"], 2.0)],
        ..Sankey::default()
    };
    // All amounts together are 270 pixels high: "a" has all of it, "c" 5/6 and "d" 1/6.
    assert_eq!(lengths(&sankey.svg(), "f0", "height"), [270.0]);
    assert_eq!(lengths(&sankey.svg(), "dark", "height"), [225.0, 45.0]);
}

#[test]
fn small_nodes_are_joined() {
    let flow = |name: String, value| SankeyFlow { path: vec![name], value };
    let mut flows = vec![flow("big".into(), 1000.0)];
    flows.extend((0..5).map(|index| flow(format!("small {index}"), 1.0)));
    let svg = Sankey { columns: vec!["x".into()], flows, ..Sankey::default() }.svg();
    assert!(svg.contains("other (5)") && !svg.contains("small"), "{svg}");
}

#[test]
fn ribbons_that_need_not_cross_do_not() {
    let flow = |path: [&str; 2], value| SankeyFlow { path: path.map(String::from).into(), value };
    // By size alone the right column would be q, p; then every ribbon would cross the other.
    let sankey = Sankey {
        columns: vec!["x".into(), "y".into()],
        flows: vec![flow(["a", "p"], 5.0), flow(["b", "q"], 4.0), flow(["c", "q"], 3.0)],
        ..Sankey::default()
    };
    let svg = sankey.svg();
    let document = Document::parse(&svg).unwrap();
    let y = |name: &str| {
        let label = texts(&document).into_iter().find(|text| shown(*text).starts_with(name)).unwrap();
        number(label, "y")
    };
    assert!(y("a (") < y("b (") && y("p (") < y("q ("));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn any_bars_are_sound(title in text(), names in names(), rows in values(), stacked: bool) {
        let series = rows.iter().map(|values| BarSeries {
            name: title.clone(),
            values: values.iter().enumerate().map(|(index, value)| (index % 5 != 4).then(|| Estimate::new(*value, value / 3.0))).collect(),
        });
        let arrangement = if stacked { Arrangement::Stacked } else { Arrangement::Grouped };
        let bars = Bars {
            title: title.clone(), x_label: title.clone(), value: Axis::new(&title, &title), groups: names,
            series: series.collect(), arrangement, ..Bars::default()
        };
        assert_sound(&bars.svg());
    }

    #[test]
    fn any_ranking_is_sound(names in names(), means in numbers(), axis in axis()) {
        let row = |(class, (label, mean)): (usize, (&String, &f64))| RankingRow {
            label: label.clone(), value: Estimate::new(*mean, mean.abs()), class,
        };
        let rows = names.iter().zip(&means).enumerate().map(row).collect();
        let ranking = Ranking { value: axis, classes: Class::list(["a", "b"]), rows, ..Ranking::default() };
        assert_sound(&ranking.svg());
    }

    #[test]
    fn any_lines_are_sound(title in text(), rows in values(), axes in (axis(), axis())) {
        let point = |pair: &[f64]| LinePoint { x: pair[0], y: Estimate::new(pair[pair.len() - 1], 0.5) };
        let line = |row: &Vec<f64>| LineSeries { name: title.clone(), points: row.chunks(2).map(point).collect() };
        let at = rows.first().and_then(|row| row.first()).copied().unwrap_or(0.0);
        let lines = Lines {
            title: title.clone(), description: title.clone(), x: axes.0, y: axes.1,
            series: rows.iter().map(line).collect(), guides: vec![Guide::x(at, &title), Guide::y(at, &title)],
        };
        assert_sound(&lines.svg());
    }

    #[test]
    fn any_distributions_are_sound(name in text(), rows in values(), x in axis(), bins in 0..400_usize) {
        let series: Vec<Samples> = rows.into_iter().map(|row| Samples::new(&name, row)).collect();
        let (title, description) = (name.clone(), String::new());
        let cumulative = if bins % 2 == 0 { Cumulative::Cdf } else { Cumulative::Ccdf };
        let facets = if bins % 2 == 0 { Facets::Apart } else { Facets::Together };
        let guides = vec![Guide::x(1.0, &name)];
        assert_sound(&Steps { title, description, x: x.clone(), cumulative, series: series.clone(), guides }.svg());
        assert_sound(&Histogram { x, bins, facets, series, ..Histogram::default() }.svg());
    }

    #[test]
    fn any_confusion_is_sound(actual in names(), predicted in names(), counts in counts()) {
        assert_sound(&Confusion { actual, predicted, counts, ..Confusion::default() }.svg());
    }

    #[test]
    fn any_strips_are_sound(rows in names(), classes in prop::collection::vec(0..4_usize, 0..120)) {
        let label = rows.first().cloned().unwrap_or_default();
        let cells: Vec<StripCell> =
            classes.iter().map(|class| StripCell { label: label.clone(), class: *class }).collect();
        let strip = |label: String| Strip { label, cells: cells.clone() };
        let rows = rows.into_iter().map(strip).collect();
        let classes = Class::list(["a", "b"]);
        assert_sound(&Strips { x_label: label, classes, rows, ..Strips::default() }.svg());
    }

    #[test]
    fn any_timeline_is_sound(names in names(), values in numbers()) {
        let bar = |(index, value): (usize, &f64)| PanelBar {
            from: index as f64,
            to: index as f64 + 1.0,
            value: *value,
            class: index % 4,
            tip: names.first().cloned().unwrap_or_default(),
        };
        let bars: Vec<PanelBar> = values.iter().enumerate().map(bar).collect();
        let span = |(index, label): (usize, &String)| PanelSpan {
            from: 2.0 * index as f64,
            to: 2.0 * index as f64 + 2.0,
            label: label.clone(),
            class: index,
        };
        let timeline = Timeline {
            title: names.first().cloned().unwrap_or_default(),
            time: (0.0, 20.0),
            ticks: names.iter().enumerate().map(|(index, name)| (index as f64, name.clone())).collect(),
            classes: Class::list(["a", "b"]),
            spans: names.iter().enumerate().map(span).collect(),
            panels: vec![Panel { axis: Axis::new("x", "s"), bars: bars.clone() }, Panel { axis: Axis::percent("y"), bars }],
            ..Timeline::default()
        };
        assert_sound(&timeline.svg());
    }

    #[test]
    fn any_sankey_is_sound(columns in names(), paths in prop::collection::vec(names(), 0..20), values in numbers()) {
        let flows = paths.into_iter().zip(values).map(|(path, value)| SankeyFlow { path, value });
        let colour_by = columns.len() / 2;
        let sankey = Sankey { columns, flows: flows.collect(), colour_by, most_nodes: 6, ..Sankey::default() };
        assert_sound(&sankey.svg());
        assert_eq!(sankey.svg(), sankey.svg());
    }
}

/// Checks that a file is well-formed, that its numbers are numbers, and that its text lies inside.
#[track_caller]
fn assert_sound(svg: &str) {
    let document = Document::parse(svg).unwrap_or_else(|error| panic!("{error} in {svg}"));
    let root = document.root_element();
    let (width, height) = (number(root, "width"), number(root, "height"));
    assert_eq!(root.attribute("viewBox"), Some(format!("0 0 {width} {height}").as_str()));
    for node in document.descendants().filter(Node::is_element) {
        for attribute in node.attributes() {
            let is_odd = attribute.value().contains("NaN") || attribute.value().contains("inf");
            assert!(!is_odd, "{} in {svg}", attribute.name());
        }
        for name in ["x", "y", "width", "height", "font-size", "stroke-width", "fill-opacity"] {
            assert!(node.attribute(name).is_none_or(|value| value.parse::<f64>().is_ok()), "{name}");
        }
    }
    for text in texts(&document) {
        assert_inside(text, (width, height));
    }
}

/// Checks that a text lies inside, as far as its width is known without its font.
#[track_caller]
fn assert_inside(text: Node<'_, '_>, (width, height): (f64, f64)) {
    let (x, y, size) = (number(text, "x"), number(text, "y"), number(text, "font-size"));
    let length = lettering::width(&shown(text), size);
    let start = match text.attribute("text-anchor") {
        Some("middle") => -length / 2.0,
        Some("end") => -length,
        _ => 0.0,
    };
    let turn = text.attribute("transform").and_then(|turn| turn.strip_prefix("rotate(")?.split(' ').next());
    let angle = turn.map_or(0.0, |turn| turn.parse::<f64>().unwrap()).to_radians();
    for along in [start, start + length] {
        let (x, y) = (x + along * angle.cos(), y + along * angle.sin());
        let is_inside = (-1.0..=width + 1.0).contains(&x) && (-1.0..=height + 1.0).contains(&y);
        assert!(is_inside, "{x}, {y} outside of {width} x {height}: {}", shown(text));
    }
}

fn texts<'a, 'input>(document: &'a Document<'input>) -> Vec<Node<'a, 'input>> {
    document.descendants().filter(|node| node.has_tag_name("text")).collect()
}

/// The text that is written, without what shows under the pointer.
fn shown(text: Node<'_, '_>) -> String {
    text.children().filter(Node::is_text).filter_map(|node| node.text().map(str::to_owned)).collect()
}

#[track_caller]
fn number(node: Node<'_, '_>, name: &str) -> f64 {
    node.attribute(name).unwrap().parse().unwrap()
}

/// An attribute of all rectangles of a class.
fn lengths(svg: &str, class: &str, attribute: &str) -> Vec<f64> {
    let document = Document::parse(svg).unwrap();
    let rects = document.descendants().filter(|node| node.has_tag_name("rect"));
    rects.filter(|rect| rect.attribute("class") == Some(class)).map(|rect| number(rect, attribute)).collect()
}

/// Text of any kind, some of it long.
fn text() -> impl Strategy<Value = String> {
    prop_oneof![
        any::<String>(),
        "[a-z.<&\"']{0,300}",
        Just("WWWWWWWW WWWWWWWW ".repeat(12)),
        Just(String::new())
    ]
}

fn names() -> impl Strategy<Value = Vec<String>> {
    prop::collection::vec(text(), 0..45)
}

/// A number of any kind, common ones included.
fn value() -> impl Strategy<Value = f64> {
    let odd = [f64::NAN, f64::INFINITY, f64::NEG_INFINITY, f64::MAX, f64::MIN, 5e-324, -0.0, 1e300, -1e300];
    prop_oneof![any::<f64>(), -10.0..1000.0_f64, prop::sample::select(odd.to_vec()), Just(1.0)]
}

fn numbers() -> impl Strategy<Value = Vec<f64>> {
    prop::collection::vec(value(), 0..40)
}

fn values() -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(numbers(), 0..12)
}

fn counts() -> impl Strategy<Value = Vec<Vec<f64>>> {
    prop::collection::vec(prop::collection::vec(prop_oneof![0.0..100.0, any::<f64>()], 0..45), 0..45)
}

fn axis() -> impl Strategy<Value = Axis> {
    let scale = prop::sample::select(vec![Scale::Linear, Scale::Log2, Scale::Log10]);
    let bounds = prop::option::of((value(), value()));
    (text(), text(), scale, bounds, any::<bool>()).prop_map(|(label, unit, scale, bounds, percent)| Axis {
        label,
        unit,
        scale,
        bounds,
        percent,
    })
}
