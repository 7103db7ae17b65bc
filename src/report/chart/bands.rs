//! Band plot of a claim check: the bands on a logarithmic scale, and where the claim falls.

use crate::fact::Interval;
use crate::report::chart::{Drawing, Paint, Place, text_width};

/// The words and numbers of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Bands {
    /// Name of the check; part of the ids.
    pub(in crate::report) id: String,
    /// What the chart is called.
    pub(in crate::report) title: String,
    /// What it shows.
    pub(in crate::report) description: String,
    /// Bands in ascending order.
    pub(in crate::report) parts: Vec<BandPart>,
    /// Where the claim falls.
    pub(in crate::report) value: Interval,
    /// What stands above the mark.
    pub(in crate::report) label: String,
}

/// One band.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct BandPart {
    /// From; open where none.
    pub(in crate::report) from: Option<f64>,
    /// To; open where none.
    pub(in crate::report) to: Option<f64>,
    /// Its word.
    pub(in crate::report) word: String,
    /// How it is painted.
    pub(in crate::report) paint: Paint,
    /// What stands at its lower bound.
    pub(in crate::report) from_label: Option<String>,
}

const WIDTH: f64 = 480.0;
const BAR: (f64, f64) = (27.0, 14.0);
const TEXT: f64 = 7.6;
const ROW: f64 = 9.4;
/// Room at both ends that stands for "and beyond".
const BEYOND: f64 = 1.6;

/// Draws the bands from left to right with the claim as a mark; none where there is nothing to draw on a log scale.
pub(in crate::report) fn draw_bands(chart: &Bands) -> Option<Drawing> {
    let scale = Scale::covering(chart)?;
    let mut drawing = Drawing::new(&chart.id, WIDTH, BAR.0 + BAR.1, &chart.title, &chart.description);
    let (mut words, mut bounds) = (Vec::new(), Vec::new());
    for part in &chart.parts {
        let (from, to) = (part.from.map_or(0.0, |it| scale.at(it)), part.to.map_or(WIDTH, |it| scale.at(it)));
        drawing.fill(Place { x: from, y: BAR.0, width: to - from, height: BAR.1 }, part.paint);
        words.push((f64::midpoint(from, to), part.word.clone()));
        bounds.extend(part.from_label.iter().map(|label| (from, label.clone())));
        if part.from.is_some() {
            drawing.line((from, BAR.0), (from, BAR.0 + BAR.1 + 3.0), Paint::Frame);
        }
    }
    let below = draw_spread(&mut drawing, &bounds, BAR.0 + BAR.1 + 10.5, Paint::Ink) + 2.0;
    drawing.height = draw_spread(&mut drawing, &words, below, Paint::Quiet) - ROW + 3.0;
    draw_mark(&mut drawing, chart, &scale);
    Some(drawing)
}

fn draw_mark(drawing: &mut Drawing, chart: &Bands, scale: &Scale) {
    let (from, to) = (scale.at(chart.value.low), scale.at(chart.value.high));
    let y = BAR.0 + BAR.1 / 2.0;
    if to - from > 2.0 {
        drawing.fill(Place { x: from, y: y - 3.0, width: to - from, height: 6.0 }, Paint::Measured);
    } else {
        drawing.diamond(from, y, 5.0, Paint::Measured);
    }
    let middle = f64::midpoint(from, to);
    let half = text_width(&chart.label, 8.6) * 1.05 / 2.0;
    let x = middle.clamp(half, WIDTH - half);
    drawing.line((middle, BAR.0 - 12.0), (middle, y - 5.0), Paint::Ink);
    drawing.strong((x, BAR.0 - 16.0), &chart.label, "middle", 8.6, Paint::Ink);
}

/// Writes labels in one row, or in a second one where the first is taken; one that fits in neither is left out of the
/// drawing (the table below the chart has it). Returns where the next row may stand.
fn draw_spread(drawing: &mut Drawing, labels: &[(f64, String)], y: f64, paint: Paint) -> f64 {
    let mut ends = [f64::NEG_INFINITY; 2];
    for (middle, text) in labels {
        let width = text_width(text, TEXT);
        let left = (middle - width / 2.0).clamp(0.0, (WIDTH - width).max(0.0));
        let Some(row) = ends.iter().position(|end| left >= end + 4.0) else { continue };
        ends[row] = left + width;
        drawing.text((left, y + ROW * row as f64), text, "start", TEXT, paint);
    }
    y + ROW * ends.iter().filter(|it| it.is_finite()).count() as f64
}

/// A logarithmic scale.
struct Scale {
    low: f64,
    high: f64,
}

impl Scale {
    fn covering(chart: &Bands) -> Option<Self> {
        let bounds = chart.parts.iter().flat_map(|it| [it.from, it.to]).flatten();
        let all: Vec<f64> = bounds.chain([chart.value.low, chart.value.high]).filter(|it| *it > 0.0).collect();
        let low = all.iter().copied().min_by(f64::total_cmp)? / BEYOND;
        let high = all.iter().copied().max_by(f64::total_cmp)? * BEYOND;
        (chart.parts.len() > 1 && chart.value.low > 0.0 && high.is_finite()).then_some(Self { low, high })
    }

    fn at(&self, value: f64) -> f64 {
        let share = (value.max(self.low) / self.low).log10() / (self.high / self.low).log10();
        WIDTH * share.clamp(0.0, 1.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::check_no_collision;

    fn chart(value: Interval, words: [&str; 5]) -> Bands {
        let bounds = [None, Some(0.15), Some(0.52), Some(0.60), Some(1.0), None];
        let part = |idx: usize| BandPart {
            from: bounds[idx],
            to: bounds[idx + 1],
            word: words[idx].to_owned(),
            paint: Paint::Normal,
            from_label: bounds[idx].map(|it| format!("{it}%")),
        };
        Bands {
            id: "compute".to_owned(),
            title: String::new(),
            description: String::new(),
            parts: (0..5).map(part).collect(),
            value,
            label: "claim: 40%".to_owned(),
        }
    }

    #[test]
    fn labels_never_collide_wherever_the_claim_falls() {
        for words in
            [["ask", "normal", "ask", "implausible", "impossible"], ["需追问", "正常", "需追问", "不合常理", "不可能"]]
        {
            for step in 1..60 {
                let low = f64::from(step) / 20.0;
                check_no_collision(&draw_bands(&chart(Interval::new(low, low * 1.2), words)).unwrap());
            }
        }
    }

    #[test]
    fn nothing_is_drawn_where_a_log_scale_says_nothing() {
        assert!(draw_bands(&chart(Interval::new(0.0, 0.3), ["a"; 5])).is_none());
    }
}
