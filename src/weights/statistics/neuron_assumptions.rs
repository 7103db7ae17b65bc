//! What the tests of neurons take for granted, and whether it holds in at least one of the two models.

use crate::weights::matching::matched::Measured;
use crate::weights::matching::symmetry::Symmetry;

/// What the tests of hidden units take for granted, where at least one of the models keeps it.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Assumptions {
    /// Signs behind gates.
    pub(crate) are_fair: bool,
    /// Gate and up projection are one look, in both.
    pub(crate) are_tied: bool,
}

impl Assumptions {
    pub(crate) fn of(measured: &Measured) -> Self {
        let both = |is: fn(&Symmetry) -> bool| measured.symmetry.iter().all(is);
        Self { are_fair: !both(Symmetry::is_broken), are_tied: both(Symmetry::is_tied) }
    }

    pub(crate) fn do_units_speak(self, has_gate: bool) -> bool {
        has_gate && self.are_fair || !self.are_tied
    }

    pub(crate) fn reason(self, has_gate: bool) -> Option<&'static str> {
        match self {
            Self { are_fair: false, are_tied: true } => Some(
                "in both models gates and what stands behind them are tied, which no initialisation that is symmetric \
                 about zero does: neither signs of hidden units nor their agreement were used",
            ),
            Self { are_fair: false, .. } if has_gate => Some(
                "in both models up or down projections point the way of their gates, which no initialisation that is \
                 symmetric about zero does: signs of hidden units are no fair coins there, and were not used",
            ),
            Self { are_tied: true, .. } => Some(
                "in both models the two projections that hidden units are matched by are nearly the same, so that \
                 their agreement says nothing and was not used",
            ),
            _ => None,
        }
    }
}
