//! The sum of independent signs of known sizes, and Hoeffding's bound on its tail.
//!
//! Reference: W. Hoeffding, "Probability inequalities for sums of bounded random variables", JASA 58 (1963).

use std::collections::BTreeMap;

use crate::stats::tail;

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
        tail::random_signs(self.sum(), self.squares())
    }

    /// The same for signs that lie to either side.
    pub(crate) fn two_sided(&self) -> f64 {
        tail::smallest_of(tail::random_signs(self.sum().abs(), self.squares()), 2)
    }

    /// Mean of what a coin shows.
    pub(crate) fn mean(&self) -> f64 {
        self.sum() / self.coins.len().max(1) as f64
    }

    /// The smallest mean that would have been found at this level, were it the same for every unit: the power of the
    /// test. `unrelated` is the variance of what a coin of unrelated models shows; related ones may show less.
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
    use crate::linalg::random::Random;

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
