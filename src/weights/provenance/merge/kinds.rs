//! Which kind of merge gives the subject's numbers to within rounding: what
//! [`merge`](crate::weights::provenance::merge) says of kinds.

use crate::weights::provenance::merge::fit::{Fit, Normal, Sample};

/// From this share of numbers on a recipe is taken to give the subject.
const GIVES: f64 = 0.99;

/// Share of the distance to the nearest reference that mixing must explain; rounding a merge to bfloat16 leaves far
/// more.
const EXPLAINS: f64 = 0.5;

/// At least so many of the ratios to one reference agree where a scale was used.
const MODE: f64 = 0.05;

/// So many times the rounding error of a sum of coefficients has to be exceeded by what a spherical merge adds to it.
const SEEN: f64 = 10.0;

/// How near two ratios are that are called the same.
const NEAR: f64 = 2e-4;

/// How references were put together.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Kind {
    Linear,
    /// With its parameter.
    Slerp(f64),
    /// Not told apart at the subject's precision.
    LinearOrSlerp,
    /// Differences from a base with numbers dropped.
    Sparse(Sparse),
}

/// TIES or DARE.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sparse {
    pub(crate) is_dare: bool,
    /// Position of the base among the references.
    pub(crate) base: usize,
    /// What each difference is multiplied by where it was kept, in the order of the other references.
    pub(crate) scales: Vec<f64>,
    /// Share of each difference's numbers that was dropped.
    pub(crate) dropped: Vec<f64>,
}

/// The kind that gives the numbers, with the share that it gives; none where no kind does.
pub(crate) fn find(samples: &[Sample], fit: &Fit) -> Option<(Kind, f64)> {
    let step = precision(samples);
    let coefficients: Vec<f64> = fit.coefficients.iter().map(|it| it.0).collect();
    let linear = share(samples, step, |sample, at| mixed(sample, at, &coefficients));
    let slerp = slerps(samples, step, fit);
    // Sparse fine-tunes of one model give most numbers of each other without any mixing.
    let is_mixed = fit.explained >= EXPLAINS;
    match (linear >= GIVES && is_mixed, slerp.filter(|_| is_mixed)) {
        (true, Some(Arc { is_spherical: None, .. })) => return Some((Kind::LinearOrSlerp, linear)),
        (_, Some(Arc { t, exact, is_spherical: Some(true) })) if exact >= GIVES => {
            return Some((Kind::Slerp(t), exact));
        }
        (true, _) => return Some((Kind::Linear, linear)),
        _ => {}
    }
    let bases = 0..samples.first()?.references.len();
    let sparse = bases.filter_map(|base| sparse(samples, step, base));
    sparse.max_by(|one, other| one.1.total_cmp(&other.1)).map(|(it, exact)| (Kind::Sparse(it), exact))
}

/// The largest relative rounding of the subject's numbers, from the bits that they leave empty.
fn precision(samples: &[Sample]) -> f64 {
    let all = || samples.iter().flat_map(|it| &it.subject).map(|it| (*it as f32).to_bits());
    match () {
        () if all().all(|it| it & 0xffff == 0) => 2.0_f64.powi(-8),
        () if all().all(|it| it & 0x1fff == 0) => 2.0_f64.powi(-11),
        // Merges are computed in single precision, some steps long.
        () => 4.0 * 2.0_f64.powi(-24),
    }
}

/// Whether two numbers are the same but for rounding numbers of this size.
fn is_near(one: f64, other: f64, size: f64, step: f64) -> bool {
    (one - other).abs() <= step * size.max(one.abs())
}

fn mixed(sample: &Sample, at: usize, coefficients: &[f64]) -> f64 {
    sample.references.iter().zip(coefficients).map(|(it, factor)| it[at] * factor).sum()
}

/// The share of numbers that a recipe gives.
fn share(samples: &[Sample], step: f64, recipe: impl Fn(&Sample, usize) -> f64) -> f64 {
    let (mut given, mut all) = (0_u64, 0_u64);
    for sample in samples {
        for (at, number) in sample.subject.iter().enumerate() {
            let size = sample.references.iter().map(|it| it[at].abs()).fold(0.0, f64::max);
            given += u64::from(is_near(*number, recipe(sample, at), size, step));
            all += 1;
        }
    }
    given as f64 / all.max(1) as f64
}

/// Two references mixed matrix by matrix.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Arc {
    t: f64,
    /// Share of the numbers that come out.
    exact: f64,
    /// Whether the sums of the coefficients exceed one by what the angles ask for; none where rounding hides it.
    is_spherical: Option<bool>,
}

/// The arc between the two references that the fit is made of; the others must have no part in it.
fn slerps(samples: &[Sample], step: f64, fit: &Fit) -> Option<Arc> {
    let mut order: Vec<usize> = (0..fit.coefficients.len()).collect();
    order.sort_by(|one, other| fit.coefficients[*other].0.abs().total_cmp(&fit.coefficients[*one].0.abs()));
    let mut ends = order.get(..2)?.to_vec();
    ends.sort_unstable();
    let pick = |it: &Sample| {
        let references = ends.iter().map(|at| it.references[*at].clone()).collect();
        Sample { references, subject: it.subject.clone(), layer: it.layer }
    };
    slerp(&samples.iter().map(pick).collect::<Vec<_>>(), step)
}

fn slerp(samples: &[Sample], step: f64) -> Option<Arc> {
    let each: Vec<Vec<f64>> = samples.iter().map(|it| Normal::of(it).coefficients()).collect::<Option<_>>()?;
    let (mut parameter, mut weight, mut excess, mut expected) = (0.0, 0.0, 0.0, 0.0);
    for (sample, it) in samples.iter().zip(&each) {
        let angle = angle(&sample.references[0], &sample.references[1]);
        let count = sample.subject.len() as f64;
        let t = it[1] / (it[0] + it[1]);
        let sum = if angle > 0.0 { (((1.0 - t) * angle).sin() + (t * angle).sin()) / angle.sin() } else { 1.0 };
        parameter += t * count;
        weight += count;
        excess += (it[0] + it[1] - 1.0) * count;
        expected += (sum - 1.0) * count;
    }
    let mut given = 0.0;
    for (sample, it) in samples.iter().zip(&each) {
        let one = std::slice::from_ref(sample);
        given += share(one, step, |sample, at| mixed(sample, at, it)) * sample.subject.len() as f64;
    }
    // Rounding blurs the sum of the coefficients by its step over the root of how many numbers there are.
    let is_seen = expected / weight > SEEN * step / weight.sqrt();
    let is_spherical = is_seen.then(|| (excess / expected - 1.0).abs() < 0.2);
    Some(Arc { t: parameter / weight, exact: given / weight, is_spherical })
}

fn angle(one: &[f64], other: &[f64]) -> f64 {
    let dot = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
    let lengths = (dot(one, one) * dot(other, other)).sqrt();
    if lengths > 0.0 { (dot(one, other) / lengths).clamp(-1.0, 1.0).acos() } else { 0.0 }
}

/// Differences from one base, some numbers of which were dropped; with the share of numbers given.
fn sparse(samples: &[Sample], step: f64, base: usize) -> Option<(Sparse, f64)> {
    let count = samples.first()?.references.len() - 1;
    if !(2..=3).contains(&count) {
        return None;
    }
    let children: Vec<usize> = (0..=count).filter(|it| *it != base).collect();
    let scales: Vec<f64> = children.iter().map(|it| scale(samples, base, *it)).collect::<Option<_>>()?;
    let is_one_scale = scales.iter().all(|it| (it / scales[0] - 1.0).abs() < 1e-3);
    let dare = Tally::of(samples, step, base, &children, &scales, false);
    let ties = is_one_scale.then(|| Tally::of(samples, step, base, &children, &scales, true));
    let is_dare = ties.as_ref().is_none_or(|it| dare.given > it.given);
    let tally = if is_dare { dare } else { ties? };
    let numbers = tally.all.max(1) as f64;
    let dropped: Vec<f64> = tally.dropped.iter().map(|it| *it as f64 / numbers).collect();
    let exact = tally.given as f64 / numbers;
    // Where nothing was dropped it is a linear merge, which did not give the numbers.
    let is_sparse = dropped.iter().all(|it| *it > 0.01);
    (exact >= GIVES && is_sparse).then_some((Sparse { is_dare, base, scales, dropped }, exact))
}

/// The ratio of the subject's difference to a reference's that most numbers share.
fn scale(samples: &[Sample], base: usize, child: usize) -> Option<f64> {
    let mut ratios = Vec::new();
    for sample in samples {
        let (base, child) = (&sample.references[base], &sample.references[child]);
        let mean = base.iter().zip(child).map(|(a, b)| (b - a).abs()).sum::<f64>() / base.len().max(1) as f64;
        for ((number, base), child) in sample.subject.iter().zip(base).zip(child) {
            let (ours, theirs) = (number - base, child - base);
            if theirs.abs() > mean && ours != 0.0 {
                ratios.push(ours / theirs);
            }
        }
    }
    ratios.retain(|it| *it > 0.0);
    ratios.sort_by(f64::total_cmp);
    let (mut best, mut first) = ((0, 0), 0);
    for (last, ratio) in ratios.iter().enumerate() {
        while ratio / ratios[first] > 1.0 + NEAR {
            first += 1;
        }
        if last + 1 - first > best.1 - best.0 {
            best = (first, last + 1);
        }
    }
    let found = &ratios[best.0..best.1];
    let is_mode = found.len() as f64 >= MODE * ratios.len() as f64 && !found.is_empty();
    is_mode.then(|| found.iter().sum::<f64>() / found.len() as f64)
}

/// How many numbers are the base plus some of the scaled differences.
struct Tally {
    given: u64,
    all: u64,
    /// How often each difference had no part.
    dropped: Vec<u64>,
}

impl Tally {
    fn of(samples: &[Sample], step: f64, base: usize, children: &[usize], scales: &[f64], is_mean: bool) -> Self {
        let mut tally = Self { given: 0, all: 0, dropped: vec![0; children.len()] };
        for sample in samples {
            for at in 0..sample.subject.len() {
                let from = sample.references[base][at];
                let differences: Vec<f64> = children
                    .iter()
                    .zip(scales)
                    .map(|(it, scale)| scale * (sample.references[*it][at] - from))
                    .collect();
                tally.look(sample.subject[at], from, &differences, step, is_mean);
            }
        }
        tally
    }

    fn look(&mut self, number: f64, from: f64, differences: &[f64], step: f64, is_mean: bool) {
        let with = |mask: usize| {
            let kept = || differences.iter().enumerate().filter(move |it| mask >> it.0 & 1 == 1);
            let sum: f64 = kept().map(|it| it.1).sum();
            from + if is_mean { sum / kept().count().max(1) as f64 } else { sum }
        };
        let masks = 0..1_usize << differences.len();
        let away = |mask: &usize| (number - with(*mask)).abs();
        let Some(best) = masks.min_by(|one, other| away(one).total_cmp(&away(other))) else { return };
        let size = differences.iter().map(|it| it.abs()).fold(from.abs(), f64::max);
        self.all += 1;
        self.given += u64::from(is_near(number, with(best), size, step));
        for (at, dropped) in self.dropped.iter_mut().enumerate() {
            *dropped += u64::from(best >> at & 1 == 0);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;
    use crate::weights::provenance::merge::fit::fit;

    /// A base and two children of it, in several matrices of other sizes.
    fn family() -> Vec<Vec<Vec<f64>>> {
        let mut random = Random::new(31);
        let mut drawn =
            |size: usize, scale: f32| -> Vec<f64> { (0..size).map(|_| f64::from(random.normal() * scale)).collect() };
        let mut matrices = Vec::new();
        for (size, change) in [(400, 0.1), (900, 0.3), (1_600, 0.2), (700, 0.15)] {
            let base = drawn(size, 1.0);
            let mut child = || -> Vec<f64> {
                base.iter().zip(drawn(size, change)).map(|(a, b)| f64::from((a + b) as f32)).collect()
            };
            let (one, other) = (child(), child());
            matrices.push(vec![base.iter().map(|it| f64::from(*it as f32)).collect(), one, other]);
        }
        matrices
    }

    /// Samples whose subject is made of base and children, rounded to single precision.
    fn made(with_base: bool, mut recipe: impl FnMut(&[Vec<f64>], usize) -> f64) -> Vec<Sample> {
        let sample = |(at, all): (usize, Vec<Vec<f64>>)| {
            let subject = (0..all[0].len()).map(|it| f64::from(recipe(&all, it) as f32)).collect();
            let references = if with_base { all } else { all[1..].to_vec() };
            Sample { layer: Some(at as u32), subject, references }
        };
        family().into_iter().enumerate().map(sample).collect()
    }

    fn kind(samples: &[Sample]) -> Option<Kind> {
        find(samples, &fit(samples).unwrap()).map(|it| it.0)
    }

    #[test]
    fn a_linear_merge_is_linear_and_its_coefficients_come_out() {
        let samples = made(false, |it, at| 0.6 * it[1][at] + 0.4 * it[2][at]);
        assert_eq!(kind(&samples), Some(Kind::Linear));
        let fit = fit(&samples).unwrap();
        for ((value, low, high), truth) in fit.coefficients.iter().zip([0.6, 0.4]) {
            assert!((value - truth).abs() < 1e-6 && low <= value && value <= high && high - low < 1e-5, "{fit:?}");
        }
        assert!(fit.explained > 0.999_999 && fit.nearest == 0, "{fit:?}");
    }

    #[test]
    fn a_spherical_merge_is_told_from_a_linear_one() {
        let samples = made(false, |it, at| {
            let angle = angle(&it[1], &it[2]);
            (((0.6 * angle).sin()) * it[1][at] + (0.4 * angle).sin() * it[2][at]) / angle.sin()
        });
        let Some(Kind::Slerp(t)) = kind(&samples) else { panic!("{:?}", kind(&samples)) };
        assert!((t - 0.4).abs() < 1e-3, "{t}");
    }

    #[test]
    fn dropped_numbers_are_seen_and_their_scales_come_out() {
        let mut random = Random::new(32);
        let samples = made(true, |it, at| {
            let mut kept = |child: usize| {
                let difference = 0.6 * (it[child][at] - it[0][at]) / 0.5;
                if random.sign() > 0.0 { difference } else { 0.0 }
            };
            it[0][at] + kept(1) + kept(2)
        });
        let Some(Kind::Sparse(it)) = kind(&samples) else { panic!("{:?}", kind(&samples)) };
        assert!(it.is_dare && it.base == 0, "{it:?}");
        assert!(it.scales.iter().all(|it| (it - 1.2).abs() < 1e-4), "{it:?}");
        assert!(it.dropped.iter().all(|it| (it - 0.5).abs() < 0.05), "{it:?}");
    }

    #[test]
    fn trimmed_and_elected_signs_are_ties() {
        let samples = made(true, |it, at| {
            let trimmed = |child: usize| {
                let difference = it[child][at] - it[0][at];
                if difference.abs() > 0.1 { difference } else { 0.0 }
            };
            let (one, other) = (trimmed(1), trimmed(2));
            let elected = (one + other).signum();
            let kept: Vec<f64> = [one, other].into_iter().filter(|it| *it != 0.0 && it.signum() == elected).collect();
            it[0][at] + kept.iter().sum::<f64>() / kept.len().max(1) as f64
        });
        let Some(Kind::Sparse(it)) = kind(&samples) else { panic!("{:?}", kind(&samples)) };
        assert!(!it.is_dare && it.base == 0 && it.scales.iter().all(|it| (it - 1.0).abs() < 1e-4), "{it:?}");
    }

    /// A model that was trained on from one of them is none of these, however much its coefficients look like it.
    #[test]
    fn further_training_is_no_merge() {
        let mut random = Random::new(33);
        let samples = made(true, |it, at| 0.7 * it[1][at] + 0.3 * it[2][at] + f64::from(random.normal()) * 0.05);
        assert_eq!(kind(&samples), None);
        let explained = fit(&samples).unwrap().explained;
        assert!(explained > 0.2 && explained < 0.99, "{explained}");
    }
}
