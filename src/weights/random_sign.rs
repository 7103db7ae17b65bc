//! The random-sign test: are the signs of what two models have in common fair coins?
//!
//! **Statistic.** For each matched hidden unit `h` of a gated feed-forward block, `c_h` is the cosine of the subject's and
//! the reference's up projection plus that of their down projections; `T` is the sum of all `c_h`.
//!
//! **Null.** The two models were initialised independently. Turning the sign of a unit's up and down projection together
//! changes no output, and keeps the law of any initialisation that is symmetric about zero. SGD, Adam, `AdamW`, Lion and Muon
//! treat both signs alike, so that for every run of training there is an equally likely one with the unit turned. Whatever
//! the data, their order and the hyper-parameters, the signs of `c_h` are therefore independent fair coins, given their
//! sizes; and anything that was aligned or matched without looking at up or down leaves them so. Units that answer the same
//! reference unit share its coin and are added up before they are tested, and so do units that are
//! [copies](crate::weights::copies) of each other. Whether signs are fair inside the models is looked at
//! ([`symmetry`](crate::weights::symmetry)); where they are in neither, the test is not used, and the answer says so.
//!
//! **p-value.** Hoeffding's bound `exp(-T² / 2 Σ c²)`: finite-sample, one-sided, never too small.
//!
//! **What it cannot tell.** A shared initialisation from derivation (`retention` does). Signs that somebody turned at
//! random make it silent; `agreement` then speaks, with the size of `c` beside it. It needs a gate (or, for value dimensions,
//! nothing but attention); for blocks without a gate the permutation test takes its place.
//!
//! **Power.** Long training hides the partner of a unit before it hides the sign: a gate must stand out from all gates of the
//! reference, by a cosine of about `sqrt(2 ln F / d)` for `F` units in `d` dimensions. In the same coordinates units at the
//! same place need no partner found, and are tested beside the matched ones.
//!
//! Reference: W. Hoeffding, JASA 58 (1963); S. Zhu et al., "Independence Tests for Language Models", ICML 2025, for testing
//! exchangeable initialisations.

use std::collections::BTreeMap;

use crate::chance;

/// Coins and what they show.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct RandomSign {
    /// By the coin: which group of like layers of the reference, which unit.
    coins: BTreeMap<(usize, usize, usize), f64>,
    /// How many cosines were added up.
    pub(crate) terms: usize,
}

impl RandomSign {
    /// Adds what one unit shows.
    pub(crate) fn add(&mut self, coin: (usize, usize, usize), value: f64) {
        *self.coins.entry(coin).or_default() += value;
        self.terms += 1;
    }

    /// Number of coins.
    pub(crate) fn count(&self) -> usize {
        self.coins.len()
    }

    /// Base-10 logarithm of the bound of the p-value.
    pub(crate) fn log10_p(&self) -> f64 {
        chance::random_signs(self.sum(), self.squares())
    }

    /// The same for signs that lie to either side.
    pub(crate) fn two_sided(&self) -> f64 {
        chance::smallest_of(chance::random_signs(self.sum().abs(), self.squares()), 2)
    }

    /// Mean of what a coin shows.
    pub(crate) fn mean(&self) -> f64 {
        self.sum() / self.coins.len().max(1) as f64
    }

    /// The smallest mean that would have been found at this level, were it the same for every unit: the power of the test.
    /// `unrelated` is the variance of what a coin of unrelated models shows; related ones may show less.
    pub(crate) fn least_mean_found(&self, log10_p: f64, unrelated: f64) -> f64 {
        let count = self.coins.len().max(1) as f64;
        let needed = 2.0 * -log10_p * std::f64::consts::LN_10;
        // T = n m, Σ c² = Σ noise² + n m²; solve T² = needed · Σ c² for m.
        let noise = (self.squares() - self.sum().powi(2) / count).max(count * unrelated);
        let room = count * count - needed * count;
        if room > 0.0 { (needed * noise / room).sqrt() } else { f64::INFINITY }
    }

    fn sum(&self) -> f64 {
        self.coins.values().sum()
    }

    fn squares(&self) -> f64 {
        self.coins.values().map(|it| it * it).sum()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::weights::random::Random;

    /// The bound holds for fair coins of any sizes, and is far away from them for coins that lie.
    #[test]
    fn fair_coins_are_never_called_unfair() {
        let mut random = Random::new(11);
        let mut below = [0_usize; 3];
        for _ in 0..10_000 {
            let mut test = RandomSign::default();
            for unit in 0..40 {
                test.add((0, 0, unit), f64::from(random.sign()) * f64::from(random.normal().abs()));
            }
            for (count, level) in below.iter_mut().zip([-1.0, -2.0, -3.0]) {
                *count += usize::from(test.log10_p() <= level);
            }
        }
        assert!(below[0] <= 1000 && below[1] <= 100 && below[2] <= 10, "{below:?}");
    }

    #[test]
    fn the_power_it_states_is_the_power_it_has() {
        let mut random = Random::new(12);
        let noise: Vec<f64> = (0..300).map(|_| f64::from(random.normal()) * 0.1).collect();
        let of = |mean: f64| {
            let mut test = RandomSign::default();
            noise.iter().enumerate().for_each(|(unit, it)| test.add((0, 0, unit), it + mean));
            test
        };
        let least = of(0.0).least_mean_found(-6.0, 0.0);
        assert!(of(least * 1.5).log10_p() < -6.0 && of(least * 0.5).log10_p() > -6.0, "{least}");
    }
}
