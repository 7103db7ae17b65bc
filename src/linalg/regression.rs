//! Regression of one set of numbers on another, from three sums.

use crate::linalg::matrix::dot;

/// Sums from which the slope and the cosine of one set of numbers on another follow.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Sums {
    pub(crate) both: f64,
    pub(crate) subject: f64,
    pub(crate) reference: f64,
}

impl Sums {
    pub(crate) fn add(&mut self, both: f64, subject: f64, reference: f64) {
        self.both += both;
        self.subject += subject;
        self.reference += reference;
    }

    pub(crate) fn rows(&mut self, subject: &[f32], reference: &[f32], scale: f64) {
        self.add(scale * dot(subject, reference), scale * scale * dot(subject, subject), dot(reference, reference));
    }

    pub(crate) fn cosine(&self) -> f64 {
        let lengths = (self.subject * self.reference).sqrt();
        if lengths > 0.0 { self.both / lengths } else { 0.0 }
    }

    /// How much of the one is kept in the other: the larger of the two regression slopes. 1 where one side is the other
    /// plus something unrelated to it, whichever side that is. `scale` is how much larger the subject is by its units.
    pub(crate) fn retained(&self, scale: f64) -> f64 {
        let slope = |size: f64| if size > 0.0 { self.both / size } else { 0.0 };
        (slope(self.reference) / scale).max(slope(self.subject) * scale)
    }
}
