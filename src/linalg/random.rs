//! A small seeded generator, so that every run draws the same numbers.
//!
//! Reference: G. Steele, D. Lea, C. Flood, "Fast splittable pseudorandom number generators" (`SplitMix64`), OOPSLA
//! 2014.

#[cfg(test)]
use crate::linalg::matrix::Matrix;

/// A stream of numbers that depends on its seed alone.
#[derive(Clone, Debug)]
pub(crate) struct Random(u64);

impl Random {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub(crate) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// `+1` or `-1`.
    pub(crate) fn sign(&mut self) -> f32 {
        if self.next() >> 63 == 0 { 1.0 } else { -1.0 }
    }

    /// Sum of twelve uniform numbers less six: mean 0, variance 1, and normal enough for weights.
    pub(crate) fn normal(&mut self) -> f32 {
        let uniform = |it: u64| (it >> 40) as f32 / (1_u64 << 24) as f32;
        (0..12).map(|_| uniform(self.next())).sum::<f32>() - 6.0
    }
}

/// A matrix of normal numbers that depend on the seed alone.
#[cfg(test)]
pub(crate) fn drawn(rows: usize, cols: usize, seed: u64) -> Matrix {
    let mut random = Random::new(seed);
    Matrix::new(rows, cols, (0..rows * cols).map(|_| random.normal()).collect())
}
