//! A [`Figure`] draws numbers as SVG, and a [`Page`] puts figures, tables and prose into one HTML file.
//!
//! A figure is plain data: fill in the fields of [`Bars`], [`Ranking`], [`Lines`], [`Steps`], [`Histogram`],
//! [`Confusion`], [`Strips`], [`Timeline`] or [`Sankey`], and ask for [`Figure::svg`]. Text stays text, colours follow
//! the reader's choice of light or dark and can be told apart by colour-blind people, and nothing is said by colour
//! alone. Same data give the same bytes. Values that are not finite are left out, and a note in the figure says how
//! many; a figure without any says "no data".
//!
//! ```
//! use thingprint_figure::{Axis, Estimate, Figure, LinePoint, LineSeries, Lines, Page, Scale};
//!
//! let points = [(1.0, 0.81), (2.0, 0.9), (4.0, 0.95)];
//! let figure = Lines {
//!     title: "Accuracy against days of training".into(),
//!     x: Axis::new("training", "days").scale(Scale::Log2),
//!     y: Axis::percent("accuracy"),
//!     series: vec![LineSeries {
//!         name: "final".into(),
//!         points: points.map(|(x, mean)| LinePoint { x, y: Estimate::new(mean, 0.01) }).into(),
//!     }],
//!     ..Lines::default()
//! };
//! assert!(figure.svg().starts_with("<svg "));
//!
//! let mut page = Page::new("An experiment");
//! page.paragraph("What is asked, and what came out.").figure(&figure, "Mean and deviation over ten seeds.");
//! assert!(page.html().starts_with("<!DOCTYPE html>"));
//! ```
#![cfg_attr(not(test), warn(clippy::disallowed_methods, clippy::disallowed_types))]

mod axis;
mod bars;
mod class;
mod confusion;
mod drawing;
mod frame;
mod histogram;
mod legend;
mod lettering;
mod lines;
mod number;
mod page;
mod range;
mod ranking;
mod sankey;
mod series;
mod steps;
mod strips;
mod timeline;

pub use axis::{Axis, Guide, Scale};
pub use bars::{Arrangement, BarSeries, Bars};
pub use class::{Class, Colour};
pub use confusion::Confusion;
pub use drawing::{Drawing, Figure};
pub use histogram::{Facets, Histogram};
pub use lines::{LinePoint, LineSeries, Lines};
pub use page::Page;
pub use ranking::{Ranking, RankingRow};
pub use sankey::{Sankey, SankeyFlow};
pub use series::{Estimate, Samples};
pub use steps::{Cumulative, Steps};
pub use strips::{Strip, StripCell, Strips};
pub use timeline::{Panel, PanelBar, PanelSpan, Timeline};
