//! Interval plot: one row a pillar, the bar covers every score that is still possible.

use crate::fact::Interval;
use crate::report::chart::{Drawing, Paint, Place, text_width, wrap};

/// The words and rows of the chart.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct Intervals {
    /// What the chart is called.
    pub(in crate::report) title: String,
    /// What it shows.
    pub(in crate::report) description: String,
    /// Names of the levels, from 0 up.
    pub(in crate::report) levels: Vec<String>,
    /// Rows from the top.
    pub(in crate::report) rows: Vec<IntervalRow>,
}

/// One row.
#[derive(Clone, Debug, PartialEq)]
pub(in crate::report) struct IntervalRow {
    /// What it is about.
    pub(in crate::report) name: String,
    /// The range; none where nothing applies.
    pub(in crate::report) score: Option<Interval>,
    /// What stands at the right.
    pub(in crate::report) note: String,
    /// Whether it sums up the others.
    pub(in crate::report) is_total: bool,
}

const WIDTH: f64 = 480.0;
const ROW: f64 = 17.5;
const TOP: f64 = 24.0;
const TEXT: f64 = 8.4;
const AXIS: (f64, f64) = (164.0, 420.0);

/// Draws the rows one below the other on one axis from 0 to 4.
pub(in crate::report) fn draw_intervals(chart: &Intervals) -> Drawing {
    let height = TOP + ROW * chart.rows.len() as f64 + 6.0;
    let mut drawing = Drawing::new("pillars", WIDTH, height, &chart.title, &chart.description);
    for (step, name) in chart.levels.iter().enumerate() {
        let x = at(step as f64);
        drawing.line((x, TOP - 6.0), (x, height - 4.0), Paint::Grid);
        let shown = format!("{step} {name}");
        let fits = text_width(&shown, 7.4) < (AXIS.1 - AXIS.0) / 4.0 - 2.0;
        drawing.text((x, TOP - 11.0), if fits { shown } else { step.to_string() }, "middle", 7.4, Paint::Quiet);
    }
    for (idx, row) in chart.rows.iter().enumerate() {
        draw_row(&mut drawing, row, TOP + ROW * (idx as f64 + 0.5));
    }
    drawing
}

fn draw_row(drawing: &mut Drawing, row: &IntervalRow, y: f64) {
    if row.is_total {
        drawing.line((0.0, y - ROW / 2.0), (WIDTH, y - ROW / 2.0), Paint::Frame);
    }
    let lines = wrap(&row.name, TEXT, AXIS.0 - 22.0);
    let first = y + 3.0 - 4.8 * (lines.len() as f64 - 1.0);
    for (idx, line) in lines.iter().enumerate() {
        let spot = (0.0, first + 9.6 * idx as f64);
        if row.is_total {
            drawing.strong(spot, line, "start", TEXT, Paint::Ink);
        } else {
            drawing.text(spot, line, "start", TEXT, Paint::Ink);
        }
    }
    if let Some(score) = row.score {
        draw_score(drawing, score, y);
    }
    drawing.text((WIDTH, y + 3.0), &row.note, "end", TEXT, Paint::Ink);
}

fn draw_score(drawing: &mut Drawing, score: Interval, y: f64) {
    let (from, to) = (at(score.low), at(score.high));
    if to - from < 2.0 {
        drawing.diamond(f64::midpoint(from, to), y, 4.5, Paint::Measured);
        return;
    }
    drawing.fill(Place { x: from, y: y - 4.0, width: to - from, height: 8.0 }, Paint::Uncertain);
    for x in [from, to] {
        drawing.line((x, y - 6.0), (x, y + 6.0), Paint::Ink);
    }
}

fn at(value: f64) -> f64 {
    AXIS.0 + (AXIS.1 - AXIS.0) * value.clamp(0.0, 4.0) / 4.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::report::chart::check_no_collision;

    #[test]
    fn rows_and_levels_stand_apart_in_both_languages() {
        for (name, levels) in [
            ("Technology and product roadmap", ["absent", "claimed", "partial", "substantial", "demonstrated"]),
            ("技术与产品路线图", ["缺失", "仅声称", "部分具备", "实质具备", "已经证实"]),
        ] {
            let row = |low, high, is_total| IntervalRow {
                name: name.to_owned(),
                score: Some(Interval::new(low, high)),
                note: "2.0–3.4 · 98%".to_owned(),
                is_total,
            };
            check_no_collision(&draw_intervals(&Intervals {
                title: String::new(),
                description: String::new(),
                levels: levels.map(str::to_owned).to_vec(),
                rows: vec![row(0.0, 4.0, false), row(2.0, 2.0, false), row(1.0, 3.5, true)],
            }));
        }
    }
}
