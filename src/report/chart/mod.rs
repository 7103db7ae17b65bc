//! Charts: laid out here, drawn by `templates/memo/chart.svg`, the same drawing in HTML and PDF.
//!
//! Meaning is carried by place, shape and word; colour (blue and orange, never red and green) only repeats it, so that
//! a grey print says the same.

mod bands;
mod intervals;
mod measure;
mod quadrant;

use serde::Serialize;

pub(in crate::report) use bands::{BandPart, Bands, draw_bands};
pub(in crate::report) use intervals::{IntervalRow, Intervals, draw_intervals};
pub(in crate::report) use quadrant::{Mark, QuadrantWords, draw_quadrant};

pub(in crate::report) use measure::{Place, text_width, wrap};

/// A laid-out chart, in points.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub(in crate::report) struct Drawing {
    /// Name of the chart; its parts' ids start with it.
    pub(in crate::report) id: String,
    /// Width of the whole.
    pub(in crate::report) width: f64,
    /// Height of the whole.
    pub(in crate::report) height: f64,
    /// What the chart is called.
    pub(in crate::report) title: String,
    /// What it shows, in a sentence or two.
    pub(in crate::report) description: String,
    /// What is drawn, from the bottom up.
    pub(in crate::report) shapes: Vec<Shape>,
}

/// One thing that is drawn.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "shape", rename_all = "snake_case")]
pub(in crate::report) enum Shape {
    /// A box.
    Box {
        /// Left edge.
        x: f64,
        /// Upper edge.
        y: f64,
        /// Width.
        width: f64,
        /// Height.
        height: f64,
        /// How it is painted.
        paint: Paint,
    },
    /// A straight line.
    Line {
        /// Start.
        x1: f64,
        /// Start.
        y1: f64,
        /// End.
        x2: f64,
        /// End.
        y2: f64,
        /// How it is painted.
        paint: Paint,
    },
    /// A diamond that marks a value.
    Diamond {
        /// Middle.
        x: f64,
        /// Middle.
        y: f64,
        /// From the middle to a corner.
        size: f64,
        /// How it is painted.
        paint: Paint,
    },
    /// A line of text.
    Text {
        /// Where it is anchored.
        x: f64,
        /// The baseline.
        y: f64,
        /// The text.
        text: String,
        /// `start`, `middle` or `end`.
        anchor: &'static str,
        /// Size in points.
        size: f64,
        /// Whether it is heavier.
        strong: bool,
        /// How it is painted.
        paint: Paint,
        /// Turned upright, reading from below.
        turned: bool,
    },
}

/// How a shape is painted; the template knows the colours.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub(in crate::report) enum Paint {
    /// Text and marks.
    Ink,
    /// Secondary text.
    Quiet,
    /// Axes and frames.
    Frame,
    /// Grid lines.
    Grid,
    /// A faint ground.
    Ground,
    /// A ground that keeps text readable.
    Halo,
    /// An interval or uncertainty box.
    Uncertain,
    /// An edge that stands for "not examined".
    Open,
    /// A measured value.
    Measured,
    /// A band that is normal.
    Normal,
    /// A band in which there is something to ask.
    Ask,
    /// A band outside anything on record.
    Implausible,
    /// A band against arithmetic.
    Impossible,
}

impl Drawing {
    /// An empty drawing.
    pub(in crate::report) fn new(id: &str, width: f64, height: f64, title: &str, description: &str) -> Self {
        Self {
            id: id.to_owned(),
            width,
            height,
            title: title.to_owned(),
            description: description.to_owned(),
            shapes: Vec::new(),
        }
    }

    fn fill(&mut self, place: Place, paint: Paint) {
        let Place { x, y, width, height } = place;
        self.shapes.push(Shape::Box { x: round(x), y: round(y), width: round(width), height: round(height), paint });
    }

    fn line(&mut self, from: (f64, f64), to: (f64, f64), paint: Paint) {
        let ((x1, y1), (x2, y2)) = (from, to);
        self.shapes.push(Shape::Line { x1: round(x1), y1: round(y1), x2: round(x2), y2: round(y2), paint });
    }

    fn diamond(&mut self, x: f64, y: f64, size: f64, paint: Paint) {
        self.shapes.push(Shape::Diamond { x: round(x), y: round(y), size, paint });
    }

    fn text(&mut self, at: (f64, f64), text: impl Into<String>, anchor: &'static str, size: f64, paint: Paint) {
        let text = text.into();
        let (x, y) = (round(at.0), round(at.1));
        self.shapes.push(Shape::Text { x, y, text, anchor, size, strong: false, paint, turned: false });
    }

    fn strong(&mut self, at: (f64, f64), text: impl Into<String>, anchor: &'static str, size: f64, paint: Paint) {
        let text = text.into();
        let (x, y) = (round(at.0), round(at.1));
        self.shapes.push(Shape::Text { x, y, text, anchor, size, strong: true, paint, turned: false });
    }

    fn turned(&mut self, at: (f64, f64), text: impl Into<String>, size: f64, paint: Paint) {
        let text = text.into();
        let (x, y) = (round(at.0), round(at.1));
        self.shapes.push(Shape::Text { x, y, text, anchor: "middle", size, strong: false, paint, turned: true });
    }
}

/// A tenth of a point is finer than any printer, and keeps the files small and the same everywhere.
fn round(value: f64) -> f64 {
    (value * 10.0).round() / 10.0
}

/// Places and texts of a drawing, for tests that labels never collide.
#[cfg(test)]
pub(in crate::report) fn text_places(drawing: &Drawing) -> Vec<(Place, String)> {
    let place = |shape: &Shape| match shape {
        Shape::Text { x, y, text, anchor, size, strong, turned: false, .. } => {
            let width = text_width(text, *size) * if *strong { 1.04 } else { 1.0 };
            let left = match *anchor {
                "middle" => x - width / 2.0,
                "end" => x - width,
                _ => *x,
            };
            Some((Place { x: left, y: y - size * 0.8, width, height: *size }, text.clone()))
        }
        _ => None,
    };
    drawing.shapes.iter().filter_map(place).collect()
}

#[cfg(test)]
pub(in crate::report) fn check_no_collision(drawing: &Drawing) {
    let places = text_places(drawing);
    for (idx, (one, text)) in places.iter().enumerate() {
        assert!(one.x >= -0.5 && one.x + one.width <= drawing.width + 0.5, "`{text}` leaves `{}`", drawing.id);
        assert!(one.y >= -0.5 && one.y + one.height <= drawing.height + 0.5, "`{text}` leaves `{}`", drawing.id);
        for (other, second) in &places[idx + 1..] {
            assert!(!one.meets(*other), "`{text}` meets `{second}` in `{}`", drawing.id);
        }
    }
}
