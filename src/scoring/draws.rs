//! Random draws of everything that is not certain in a scorecard and not a fact: how a level was read, what weight a
//! criterion has, where a cut-off lies.
//!
//! Every number comes from a counter-based generator, keyed by what is drawn: the same draws whatever else a rubric
//! holds, on every machine. Logarithms and the like are those of `libm`, whose results do not depend on the platform.

use crate::rubric::Rubric;

/// Any fixed number; results state nothing that hangs on which.
const SEED: u64 = 0x756e_7368_656c_6c32;

/// One set of draws for a rubric.
#[derive(Clone, Debug)]
pub(crate) struct Draws {
    /// Number of samples.
    pub(crate) samples: usize,
    criteria: usize,
    /// Weight of each criterion, sample by sample.
    weights: Vec<f64>,
    /// Levels that the readings of two readers are off, sample by sample.
    shifts: Vec<[i8; 2]>,
    /// The two cut-offs, sample by sample.
    cuts: Vec<(f64, f64)>,
}

impl Draws {
    /// Draws for a rubric; `samples` at most as many as it asks for.
    pub(crate) fn new(rubric: &Rubric, samples: usize) -> Self {
        let criteria = rubric.criteria.len();
        let keys: Vec<u64> = rubric.criteria.iter().map(|it| key(&it.id)).collect();
        let total: f64 = rubric.criteria.iter().map(|it| it.weight).sum();
        let mut weights = Vec::with_capacity(samples * criteria);
        let mut shifts = Vec::with_capacity(samples * criteria);
        let mut cuts = Vec::with_capacity(samples);
        for sample in 0..samples as u64 {
            for (criterion, key) in rubric.criteria.iter().zip(&keys) {
                let mut stream = Stream::new(*key, sample);
                let concentration = rubric.robustness.concentration * criterion.weight / total;
                let mut off = || shift(stream.unit(), rubric.robustness.exact_readings);
                shifts.push([off(), off()]);
                weights.push(gamma(&mut stream, concentration));
            }
            let mut stream = Stream::new(key("cut-offs"), sample);
            let off = rubric.robustness.cut_offs;
            let mut factor = || 1.0 + off * (2.0 * stream.unit() - 1.0);
            let (low, high) = (rubric.axes.low_below * factor(), rubric.axes.high_from * factor());
            cuts.push((low.min(high), high.max(low)));
        }
        Self { samples, criteria, weights, shifts, cuts }
    }

    /// The first samples of the same draws.
    pub(crate) fn first(&self, samples: usize) -> Self {
        let samples = samples.min(self.samples);
        Self {
            samples,
            criteria: self.criteria,
            weights: self.weights[..samples * self.criteria].to_vec(),
            shifts: self.shifts[..samples * self.criteria].to_vec(),
            cuts: self.cuts[..samples].to_vec(),
        }
    }

    /// Weights of the criteria in one sample.
    pub(crate) fn weights(&self, sample: usize) -> &[f64] {
        &self.weights[sample * self.criteria..][..self.criteria]
    }

    /// How far the readings of two readers are off in one sample.
    pub(crate) fn shifts(&self, sample: usize) -> &[[i8; 2]] {
        &self.shifts[sample * self.criteria..][..self.criteria]
    }

    /// The two cut-offs of one sample.
    pub(crate) fn cuts(&self, sample: usize) -> (f64, f64) {
        self.cuts[sample]
    }
}

/// A reading hits its level, or is a level off, as often up as down.
fn shift(unit: f64, exact: f64) -> i8 {
    let off = (1.0 - exact) / 2.0;
    match unit {
        it if it < off => -1,
        it if it < 1.0 - off => 0,
        _ => 1,
    }
}

/// A gamma variate of this shape and scale 1, by the method of Marsaglia and Tsang (2000): acceptance of a transformed
/// normal; a shape below 1 is drawn one higher and scaled back.
fn gamma(stream: &mut Stream, shape: f64) -> f64 {
    if shape < 1.0 {
        let scale = libm::pow(stream.open_unit(), 1.0 / shape);
        return gamma(stream, shape + 1.0) * scale;
    }
    let d = shape - 1.0 / 3.0;
    let c = 1.0 / libm::sqrt(9.0 * d);
    loop {
        let x = normal(stream);
        let v = 1.0 + c * x;
        if v <= 0.0 {
            continue;
        }
        let v = v * v * v;
        let u = stream.open_unit();
        if libm::log(u) < 0.5 * x * x + d - d * v + d * libm::log(v) {
            return d * v;
        }
    }
}

/// A standard normal variate, by the method of Box and Muller.
fn normal(stream: &mut Stream) -> f64 {
    let radius = libm::sqrt(-2.0 * libm::log(stream.open_unit()));
    radius * libm::cos(std::f64::consts::TAU * stream.unit())
}

/// A name as a number: FNV-1a, 64 bits.
fn key(name: &str) -> u64 {
    name.bytes().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3))
}

/// A stream of its own for each thing that is drawn in each sample: `SplitMix64` from a mixed start.
struct Stream(u64);

impl Stream {
    fn new(key: u64, sample: u64) -> Self {
        Self(mixed(SEED ^ mixed(key ^ mixed(sample))))
    }

    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        mixed(self.0)
    }

    /// At least 0 and below 1.
    fn unit(&mut self) -> f64 {
        (self.next() >> 11) as f64 / (1_u64 << 53) as f64
    }

    /// Above 0 and at most 1, so that it has a logarithm.
    fn open_unit(&mut self) -> f64 {
        1.0 - self.unit()
    }
}

fn mixed(number: u64) -> u64 {
    let number = (number ^ (number >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    let number = (number ^ (number >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    number ^ (number >> 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> (f64, f64) {
        let mean = values.iter().sum::<f64>() / values.len() as f64;
        let variance = values.iter().map(|it| (it - mean) * (it - mean)).sum::<f64>() / values.len() as f64;
        (mean, variance)
    }

    /// Mean and variance of a gamma variate of scale 1 are both its shape.
    #[test]
    fn gamma_variates_have_the_moments_of_their_law() {
        for shape in [0.4, 0.8, 1.0, 3.6, 12.0] {
            let draw = |sample| gamma(&mut Stream::new(key("test"), sample), shape);
            let (mean, variance) = moments(&(0..40_000).map(draw).collect::<Vec<_>>());
            assert!((mean - shape).abs() < 0.03 * shape.max(1.0), "{shape}: mean {mean}");
            assert!((variance - shape).abs() < 0.06 * shape.max(1.0), "{shape}: variance {variance}");
        }
    }

    #[test]
    fn readings_are_off_as_often_as_is_stated() {
        let shifts: Vec<i8> = (0..40_000).map(|sample| shift(Stream::new(key("T2"), sample).unit(), 0.68)).collect();
        let share = |value: i8| shifts.iter().filter(|it| **it == value).count() as f64 / shifts.len() as f64;
        assert!((share(0) - 0.68).abs() < 0.01 && (share(1) - 0.16).abs() < 0.01 && (share(-1) - 0.16).abs() < 0.01);
    }

    /// A criterion more or less in a rubric changes no draw of another.
    #[test]
    fn draws_hang_on_what_is_drawn_and_on_nothing_else() {
        let whole = crate::rubric::find("llm-originality", std::path::Path::new("")).unwrap();
        let mut shorter = whole.clone();
        shorter.criteria.remove(0);
        let (one, other) = (Draws::new(&whole, 50), Draws::new(&shorter, 50));
        assert_eq!(one.shifts(49)[1..], *other.shifts(49));
        assert_eq!(one.cuts(49), other.cuts(49));
        assert_eq!(one.first(10).weights(9), one.weights(9));
    }
}
