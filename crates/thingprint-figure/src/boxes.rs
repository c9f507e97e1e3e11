//! Distributions as boxes, one for each class.

use crate::axis::Axis;
use crate::class::Colour;
use crate::drawing::{Anchor, Drawing, Figure, Label, MARGIN, Paint, Rect, SMALL, TEXT, polyline, widest};
use crate::frame::{WIDTH, upright_lines, x_marks};
use crate::range::Range;
use crate::series::Samples;

/// Height of a row, in pixels.
const ROW: f64 = 24.0;
/// Greatest width of names, in pixels.
const NAMES: f64 = 220.0;
/// Room for the number of values, in pixels.
const COUNTS: f64 = 70.0;
/// Shares of values below the marks of a box: whisker, quartile, median, quartile, whisker.
const QUANTILES: [f64; 5] = [0.05, 0.25, 0.5, 0.75, 0.95];

/// For each row of samples a box from the lower to the upper quartile with the median in it, and whiskers that reach
/// from the 5 % to the 95 % quantile.
///
/// Quantiles lie between neighbouring values as Hyndman and Fan's seventh definition has it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Boxes {
    /// What the figure shows.
    pub title: String,
    /// The same in more words, for those who cannot see it.
    pub description: String,
    /// What is distributed.
    pub value: Axis,
    /// The rows from top to bottom.
    pub rows: Vec<Samples>,
}

impl Figure for Boxes {
    fn draw(&self) -> Drawing {
        let mut drawing = Drawing::new(&self.title, &self.description, WIDTH);
        let values = self.rows.iter().flat_map(|row| row.values.iter().copied());
        let Some(range) = Range::of(&self.value, values.clone()) else { return drawing.no_data() };
        let left_out = values.filter(|value| range.share(*value).is_none()).count();
        let area = self.area(&mut drawing);
        upright_lines(&mut drawing, area, &range);
        for (index, row) in self.rows.iter().enumerate() {
            let row_area = Rect { y: area.y + ROW * index as f64, height: ROW, ..area };
            self.draw_row(&mut drawing, row_area, &range, row);
        }
        x_marks(&mut drawing, area, &self.value, &range);
        drawing.note(
            "Box: quartiles, with the median in it. Whiskers: 5% to 95% of values. n: number of values.",
        );
        drawing.note_left_out(left_out);
        drawing
    }
}

impl Boxes {
    fn area(&self, drawing: &mut Drawing) -> Rect {
        let names = widest(self.rows.iter().map(|row| row.name.as_str()), TEXT, NAMES);
        let (x, y) = (MARGIN + names + 8.0, drawing.bottom() + 2.0);
        let height = ROW * self.rows.len() as f64;
        let area = Rect { x, y, width: drawing.width() - x - COUNTS - MARGIN, height };
        drawing.reach(area.bottom());
        area
    }

    fn draw_row(&self, drawing: &mut Drawing, row: Rect, range: &Range, samples: &Samples) {
        let middle = row.y + row.height / 2.0;
        let name = Label::new(&samples.name, row.x - 8.0, middle + 4.0).anchor(Anchor::End);
        drawing.label(name.limit(NAMES));
        let mut values: Vec<f64> =
            samples.values.iter().copied().filter(|value| range.share(*value).is_some()).collect();
        values.sort_by(f64::total_cmp);
        let count = format!("n = {}", values.len());
        let label = Label::new(&count, row.right() + 8.0, middle + 4.0).size(SMALL);
        drawing.label(label.limit(COUNTS).class("m"));
        let Some(quantiles) = quantiles(&values) else { return };
        let tip = self.tip(&samples.name, quantiles);
        let places = quantiles.map(|value| row.x + row.width * range.clamped(value));
        draw_box(drawing, Rect { y: row.y + 5.0, height: row.height - 10.0, ..row }, places, &tip);
    }

    fn tip(&self, name: &str, quantiles: [f64; 5]) -> String {
        let [low, lower, median, upper, high] = quantiles.map(|value| self.value.exact(value));
        let unit = &self.value.unit;
        format!("{name}: median {median} {unit}, quartiles {lower} and {upper}, 5% at {low}, 95% at {high}")
    }
}

fn draw_box(drawing: &mut Drawing, row: Rect, places: [f64; 5], tip: &str) {
    let [low, lower, median, upper, high] = places;
    let (middle, bottom) = (row.y + row.height / 2.0, row.bottom());
    let upright = |x: f64, half: f64| polyline(&[(x, middle - half), (x, middle + half)]);
    let whiskers =
        [polyline(&[(low, middle), (lower, middle)]), polyline(&[(upper, middle), (high, middle)])];
    let whiskers = format!("{}{}{}", whiskers.concat(), upright(low, 4.0), upright(high, 4.0));
    drawing.path(&whiskers, Paint::new("ink").stroke_width(1.2), tip);
    let width = upper - lower;
    let rect =
        Rect { x: lower - (1.0 - width).max(0.0) / 2.0, y: row.y, width: width.max(1.0), height: row.height };
    drawing.rect(rect, Paint::new(Colour::Sky.fill()), tip);
    let median = polyline(&[(median, row.y - 1.0), (median, bottom + 1.0)]);
    drawing.path(&median, Paint::new("cut").stroke_width(2.5), tip);
}

/// The quantiles of sorted values; none of no values.
fn quantiles(sorted: &[f64]) -> Option<[f64; 5]> {
    let last = sorted.len().checked_sub(1)?;
    let quantile = |share: f64| {
        let at = share * last as f64;
        let below = (0..=last).take_while(|index| *index as f64 <= at).last().unwrap_or(0);
        let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
        low + (high - low) * (at - below as f64)
    };
    Some(QUANTILES.map(quantile))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_lie_between_values() {
        assert_eq!(quantiles(&[]), None);
        assert_eq!(quantiles(&[3.0]), Some([3.0; 5]));
        assert_eq!(quantiles(&[0.0, 10.0, 20.0]), Some([1.0, 5.0, 10.0, 15.0, 19.0]));
        assert_eq!(quantiles(&[1.0, 2.0, 3.0, 4.0]).map(|q| q[2]), Some(2.5));
    }
}
