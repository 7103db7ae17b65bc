//! Two layers that answer each other.

/// The best answer of each subject layer.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Answer {
    /// Position in the subject's list of layers.
    pub(crate) subject: usize,
    /// Position in the reference's list.
    pub(crate) reference: usize,
    /// Correlation of the two sketches.
    pub(crate) similarity: f64,
    /// How far it stands above the other layers of the reference, in their standard deviations.
    pub(crate) margin: f64,
}
