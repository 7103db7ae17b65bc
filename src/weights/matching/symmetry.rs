//! Do both models keep what the tests of hidden units take for granted?
//!
//! **Statistic.** Inside each model, for every unit that was compared: the cosine of its gate with its up projection,
//! and with its down projection. Their signs are tested as the [random-sign
//! test](crate::weights::statistics::random_sign) tests those between two models, on both sides of zero; their mean
//! size tells how far one follows the other.
//!
//! **Null.** An initialisation that is symmetric about zero. Turning the sign of up and down projection then is an
//! equally likely course of training, so that inside the model too signs against the gate are fair coins.
//!
//! **What it decides.** Units are matched by their gates, so that matched gates agree in sign by selection. Where up or
//! down projection follows the gate in *both* models, the agreement carries over, and signs between the models are no
//! coins. One model whose signs are fair is enough for the test to be exact. This look is far more sensitive than what
//! it guards: with `n` units in `d` dimensions that follow by `r` it shows `r √(n d)` standard deviations, where the
//! test between models is off by `r² √(2 n ln n)` at most. Where gate and up projection of both models are nearly the
//! same, whatever their sign, matching by the one and by the other is no independent agreement either.
//!
//! **What it cannot tell.** Which side was made so, and what for: weights that were tied, or a block without a gate
//! that was copied into one with a gate.

use crate::stats::levels::LEVEL;
use crate::stats::sign_test::RandomSign;
use crate::stats::tail;

/// Mean |cosine| from which on two projections of a unit are one and the same look. Between units that are tied to 0.9
/// in both models agreement begins to grow.
const TIED: f64 = 0.5;

/// How far what stands behind a unit's gate follows it: cosines of the gate with up and with down projection; of a
/// block without gates, of up with down projection, and nothing.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(crate) struct Following {
    pub(crate) up: f64,
    pub(crate) down: f64,
}

/// What all units say of their own model.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Symmetry {
    up: RandomSign,
    down: RandomSign,
    size: f64,
}

impl Symmetry {
    /// Adds what one unit shows.
    pub(crate) fn add(&mut self, coin: (usize, usize, usize), following: Following) {
        self.up.add(coin, following.up);
        self.down.add(coin, following.down);
        self.size += following.up.abs();
    }

    /// Whether signs behind gates are no fair coins.
    pub(crate) fn is_broken(&self) -> bool {
        tail::smallest_of(self.up.two_sided().min(self.down.two_sided()), 2) <= LEVEL
    }

    /// Whether the two projections that units are matched by are nearly the same.
    pub(crate) fn is_tied(&self) -> bool {
        self.up.terms > 0 && self.size / self.up.terms as f64 >= TIED
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    /// Units in 64 dimensions that follow their gate by so much.
    fn units(count: usize, following: f64, is_turned: bool, seed: u64) -> Symmetry {
        let mut random = Random::new(seed);
        let mut symmetry = Symmetry::default();
        for unit in 0..count {
            let sign = if is_turned { f64::from(random.sign()) } else { 1.0 };
            let mut own = || f64::from(random.normal()) / 8.0;
            let up = following * sign + own();
            symmetry.add((0, 0, unit), Following { up, down: own() });
        }
        symmetry
    }

    #[test]
    fn fair_signs_are_never_called_broken() {
        let broken = (0..2_000).filter(|it| units(200, 0.0, false, *it).is_broken()).count();
        assert_eq!(broken, 0);
    }

    #[test]
    fn units_that_follow_their_gate_are_seen() {
        let weak = units(400, 0.1, false, 1);
        assert!(weak.is_broken() && !weak.is_tied());
        assert!(units(400, -0.1, false, 2).is_broken(), "against it as well");
        let turned = units(400, 0.9, true, 3);
        assert!(!turned.is_broken() && turned.is_tied(), "signs are coins, and the two are one look");
        assert!(!Symmetry::default().is_tied() && !Symmetry::default().is_broken());
    }
}
