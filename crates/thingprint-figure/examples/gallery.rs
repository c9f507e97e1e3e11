//! Writes a sample of every figure, and a page with all of them, into a folder.
//!
//! ```sh
//! cargo run --release -p thingprint-figure --example gallery -- gallery
//! ```
//!
//! All numbers are made up.

use std::error::Error;
use std::fs;
use std::path::Path;

use thingprint_figure::{
    Arrangement, Axis, BarSeries, Bars, Class, Colour, Confusion, Cumulative, Drawing, Estimate, Facets,
    Figure, Guide, Histogram, LinePoint, LineSeries, Lines, Page, Ranking, RankingRow, Samples, Sankey,
    SankeyFlow, Scale, Steps, Strip, StripCell, Strips,
};
use thingprint_table::{Badge, Cell, Column, Prose, Table, Tone, Type};

const DEVICES: [&str; 28] = [
    "hub",
    "speaker",
    "camera indoors",
    "camera outdoors",
    "doorbell",
    "smoke alarm",
    "thermostat",
    "weather station",
    "air quality monitor",
    "motion sensor",
    "switch",
    "plug",
    "light bulb",
    "light bridge",
    "photo frame",
    "printer",
    "television stick",
    "toy",
    "scale",
    "sleep sensor",
    "blood pressure meter",
    "baby monitor",
    "vacuum cleaner",
    "oven",
    "washing machine",
    "blinds",
    "sprinkler",
    "laptop",
];

fn main() -> Result<(), Box<dyn Error>> {
    let folder = std::env::args().nth(1).unwrap_or_else(|| "gallery".to_owned());
    let folder = Path::new(&folder);
    fs::create_dir_all(folder)?;
    let samples = samples();
    for (name, drawing) in &samples {
        fs::write(folder.join(format!("{name}.svg")), drawing.to_string())?;
    }
    fs::write(folder.join("gallery.html"), page(&samples).html())?;
    Ok(())
}

fn samples() -> Vec<(&'static str, Drawing)> {
    vec![
        ("bars", bars().draw()),
        ("stacked", stacked().draw()),
        ("ranking", ranking().draw()),
        ("merits", merits().draw()),
        ("lines", lines().draw()),
        ("steps", steps().draw()),
        ("histogram", histogram(Facets::Apart).draw()),
        ("together", histogram(Facets::Together).draw()),
        ("confusion", confusion(28).draw()),
        ("confusion-small", confusion(6).draw()),
        ("strips", strips().draw()),
        ("sankey", sankey().draw()),
        ("empty", Lines { title: "Nothing was seen".into(), ..Lines::default() }.draw()),
    ]
}

fn page(samples: &[(&'static str, Drawing)]) -> Page {
    let mut page = Page::new("A gallery of figures");
    page.summary("A sample of every figure and every part of a page. All numbers are made up.");
    page.section("Prose and tables");
    let prose =
        Prose::from("Text may be ").strong("strong").text(", name things as programs do (").code("a.example");
    page.paragraph(prose.text("), and link to ").link("references", "https://www.rfc-editor.org").text("."));
    page.note(Tone::Medium, Prose::new().strong("How this may mislead. ").text("Nothing here was measured."));
    page.table(&table(), "Devices with made-up findings");
    page.details("How this page was made", |page| {
        page.definitions([("program", "gallery"), ("seed", "1"), ("commit", "0000000")]);
        page.code("cargo run --release -p thingprint-figure --example gallery\n");
    });
    page.section("Figures");
    for (name, drawing) in samples {
        page.drawing(drawing, Prose::from("Sample ").code(*name).text(". Made-up data."));
    }
    page.section("Lists");
    page.list(["one thing", "another thing"]);
    page
}

fn table() -> Table {
    let tones = [Tone::Good, Tone::Note, Tone::Low, Tone::Medium, Tone::High, Tone::Critical];
    let words = ["fine", "note", "low", "medium", "high", "critical"];
    let mut table = Table::new([
        Column::texts("Device"),
        Column::new("Severity", Type::Badges).help("How much the finding weighs"),
        Column::count("Flows"),
        Column::percent("Share", 1),
        Column::decimals("Sleep in s", 1),
        Column::new("Suite", Type::Prose),
    ]);
    for (index, (tone, word)) in tones.into_iter().zip(words).enumerate() {
        let share = 1.0 / (index + 1) as f64;
        table.add([
            Cell::from(DEVICES[index * 3]),
            Cell::from(Badge::new(word, tone)),
            Cell::from(1_234_u64 << index),
            Cell::from((index != 2).then_some(share)),
            Cell::from(share * 300.0),
            Cell::from(Prose::new().code(format!("0xc0{:02x}", index + 19))),
        ]);
    }
    table
}

fn bars() -> Bars {
    let values = |shift: f64| -> Vec<Option<Estimate>> {
        let mean = |mean: f64| Some(Estimate::new(mean - shift, 0.01 + shift / 4.0));
        vec![mean(0.921), mean(0.795), mean(0.36), mean(0.974), mean(0.9988)]
    };
    let series = |name: &str, shift| BarSeries { name: name.into(), values: values(shift) };
    let mut home = series("home captures", 0.09);
    home.values[2] = None;
    Bars {
        title: "Accuracy by scenario and data set (made-up data)".into(),
        description: "Five scenarios on three data sets.".into(),
        x_label: "scenario".into(),
        value: Axis::percent("accuracy").bounds(0.0, 1.0),
        groups: ["ports", "domains", "cipher suites", "stage-0 combined", "final"].map(String::from).into(),
        series: vec![series("simulated testbed", 0.0), home, series("two weeks", 0.15)],
        arrangement: Arrangement::Grouped,
    }
}

fn stacked() -> Bars {
    let series = |name: &str, values: [f64; 12]| BarSeries {
        name: name.into(),
        values: values.map(|value| Some(Estimate::from(value * 1000.0))).into(),
    };
    let (up, down) = ([9.0, 2.0, 5.0, 8.0, 1.0, 4.0], [1.0, 3.0, 2.0, 6.0, 2.0, 2.5]);
    let twelve =
        |half: [f64; 6], shift: f64| -> [f64; 12] { std::array::from_fn(|i| half[i % 6] + shift * i as f64) };
    Bars {
        title: "Flows by protocol (made-up data)".into(),
        value: Axis::new("flows", ""),
        groups: DEVICES.iter().take(12).map(|name| (*name).to_owned()).collect(),
        series: vec![
            series("TLS", twelve(up, 0.3)),
            series("DNS", twelve(down, 0.1)),
            series("NTP", twelve(down, 0.0)),
            series("HTTP", twelve(up, -0.05)),
        ],
        arrangement: Arrangement::Stacked,
        ..Bars::default()
    }
}

fn ranking() -> Ranking {
    let domains = [
        ("device-metrics.eu-central-1.softwareupdates.vendor-cloud.example", 41_233.0),
        ("pool.ntp.example", 20_518.0),
        ("api.vendor.example", 9_301.0),
        ("broker.lamps.example", 4_022.0),
        ("time.example", 377.0),
        ("firmware.vendor.example", 12.0),
    ];
    let row = |(label, count): (&str, f64)| RankingRow { label: label.into(), value: count.into(), class: 0 };
    Ranking {
        title: "Domains of a speaker by frequency, 6 distinct (made-up data)".into(),
        value: Axis::new("queries", "").scale(Scale::Log10),
        rows: domains.map(row).into(),
        ..Ranking::default()
    }
}

fn merits() -> Ranking {
    let rows = [
        ("flow volume", 3.41, 0),
        ("bag of ports", 3.2, 1),
        ("bag of domains", 3.02, 2),
        ("flow duration", 2.77, 0),
        ("flow rate", 2.31, 0),
        ("bag of cipher suites", 1.44, 2),
        ("DNS interval", 1.2, 1),
        ("NTP interval", 0.83, 1),
        ("sleep time", 0.61, 1),
    ];
    let row = |(label, merit, class): (&str, f64, usize)| RankingRow {
        label: label.into(),
        value: Estimate::new(merit, 0.06),
        class,
    };
    Ranking {
        title: "Information gain of attributes (made-up data)".into(),
        value: Axis::new("merit", "bit"),
        classes: Class::list(["low cost", "medium cost", "high cost"]),
        rows: rows.map(row).into(),
        ..Ranking::default()
    }
}

fn lines() -> Lines {
    let days = [1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0];
    let series = |name: &str, from: f64, to: f64| LineSeries {
        name: name.into(),
        points: days
            .map(|x| LinePoint { x, y: Estimate::new(to + (from - to) / x.powf(0.6), 0.035 / x.powf(0.3)) })
            .into(),
    };
    Lines {
        title: "Accuracy and RRSE against days of training (made-up data)".into(),
        description: "Accuracy rises and RRSE falls with more days.".into(),
        x: Axis::new("training", "days").scale(Scale::Log2),
        y: Axis::percent("accuracy, RRSE"),
        series: vec![
            series("accuracy", 0.82, 0.999),
            series("RRSE", 0.46, 0.05),
            series("RRSE, paper", 0.4, 0.03),
        ],
        guides: vec![Guide::y(0.99, "99 %"), Guide::x(16.0, "two weeks")],
    }
}

fn steps() -> Steps {
    let right = Noise(1).take(4_000).map(|noise| 1.0 - noise * noise * noise * 0.4);
    let wrong = Noise(2).take(60).map(|noise| 0.25 + noise * 0.5);
    Steps {
        title: "Confidence of right and wrong verdicts (made-up data)".into(),
        x: Axis::percent("confidence").bounds(0.0, 1.0),
        cumulative: Cumulative::Ccdf,
        series: vec![Samples::new("right", right), Samples::new("wrong", wrong)],
        guides: vec![Guide::x(0.8, "threshold of the paper")],
        ..Steps::default()
    }
}

fn histogram(facets: Facets) -> Histogram {
    let around = |name: &str, seconds: f64, seed| {
        Samples::new(name, Noise(seed).take(900).map(|noise| seconds * libm::exp2((noise - 0.5) * 1.4)))
    };
    Histogram {
        title: "NTP intervals (made-up data)".into(),
        x: Axis::new("interval", "s").scale(Scale::Log10),
        bins: 60,
        facets,
        series: vec![around("switch", 60.0, 3), around("light bulb", 300.0, 4), around("hub", 600.0, 5)],
        ..Histogram::default()
    }
}

fn confusion(classes: usize) -> Confusion {
    let names: Vec<String> = DEVICES.iter().take(classes).map(|name| (*name).to_owned()).collect();
    let count = |row: usize, column: usize| match (row, column) {
        (row, column) if row == column => 400.0 + 37.0 * row as f64,
        (3, 2) => 160.0,
        (17, 12) => 380.5,
        (row, column) if (row * 7 + column * 3) % 53 == 0 => 9.0,
        _ => 0.0,
    };
    Confusion {
        title: "Confusion matrix, all attributes (made-up data)".into(),
        counts: (0..classes).map(|row| (0..classes).map(|column| count(row, column)).collect()).collect(),
        actual: names.clone(),
        predicted: names,
        ..Confusion::default()
    }
}

fn grades() -> Vec<Class> {
    vec![
        Class::new("insecure", Colour::Vermillion),
        Class::new("weak", Colour::Orange),
        Class::new("secure", Colour::Sky),
        Class::new("recommended", Colour::Green),
    ]
}

fn strips() -> Strips {
    let strip = |(index, label): (usize, &&str)| Strip {
        label: format!("{label}, list {}", index % 2 + 1),
        cells: (0..[10, 91, 55, 17, 66, 80, 13][index % 7])
            .map(|cell| StripCell {
                label: format!("0x{:04x}", 0xc02f - cell),
                class: cell * (index + 3) / 9 % 4,
            })
            .collect(),
    };
    Strips {
        title: "Cipher lists in the order offered (made-up data)".into(),
        x_label: "place in the list".into(),
        classes: grades(),
        rows: DEVICES.iter().enumerate().take(7).map(strip).collect(),
        ..Strips::default()
    }
}

fn sankey() -> Sankey {
    let flow = |path: [&str; 5], value| SankeyFlow { path: path.map(String::from).into(), value };
    let flows = vec![
        flow(["unicast", "WAN", "TCP", "443", "device-metrics.eu-central-1.vendor.example"], 420.0),
        flow(["unicast", "WAN", "TCP", "443", "api.vendor.example"], 260.0),
        flow(["unicast", "WAN", "TCP", "443", "firmware.vendor.example"], 22.0),
        flow(["unicast", "WAN", "TCP", "80", "check.example"], 96.0),
        flow(["unicast", "WAN", "TCP", "33434", "calls.vendor.example"], 40.0),
        flow(["unicast", "WAN", "UDP", "123", "pool.ntp.example"], 48.0),
        flow(["unicast", "LAN", "UDP", "53", "none"], 310.0),
        flow(["unicast", "LAN", "UDP", "67", "none"], 4.0),
        flow(["unicast", "LAN", "ICMP", "0", "none"], 24.0),
        flow(["unicast", "WAN", "UDP", "40317", "a.example"], 3.0),
        flow(["unicast", "WAN", "UDP", "40318", "b.example"], 2.0),
        flow(["multicast", "LAN", "UDP", "1900", "none"], 130.0),
        flow(["multicast", "LAN", "UDP", "5353", "none"], 71.0),
        flow(["multicast", "LAN", "IGMP", "0", "none"], 18.0),
    ];
    Sankey {
        title: "A day of a speaker (made-up data)".into(),
        description: "Most flows are TLS to two domains of the vendor, then DNS to the gateway.".into(),
        unit: "flows".into(),
        columns: ["reach", "network", "protocol", "port", "domain"].map(String::from).into(),
        flows,
        colour_by: 2,
        ..Sankey::default()
    }
}

/// Numbers from 0 to 1 that look random (Knuth's linear congruential generator).
struct Noise(u64);

impl Iterator for Noise {
    type Item = f64;

    fn next(&mut self) -> Option<f64> {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        Some((self.0 >> 11) as f64 / (1_u64 << 53) as f64)
    }
}
