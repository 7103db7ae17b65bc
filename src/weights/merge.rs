//! Is a subject made of several references, and how.
//!
//! **Fit.** Matrix by matrix the subject is taken apart into the references by least squares, from the sums of products of what
//! they differ by from the first one. Coefficients are those of all matrices together; their 95 % intervals come from leaving out one
//! matrix at a time (the jackknife), so that matrices which were mixed differently widen them.
//!
//! **Kinds.** A linear merge has one set of coefficients for all matrices and leaves rounding. A spherical one (SLERP) has
//! one parameter `t` for all, and coefficients `sin((1-t)θ)/sin θ`, `sin(tθ)/sin θ` that follow the angle `θ` of each matrix: their
//! sum is above 1. TIES and DARE add differences from a base of which numbers were dropped: entry by entry the subject is the base plus
//! some of `c_i d_i`; TIES drops the small ones, keeps one scale and averages what agrees in sign, DARE drops at random and scales
//! up. Interleaving takes whole layers. Each kind is named by the share of numbers that it gives to within the rounding of the
//! subject's own format, which no unrelated numbers reach, and by nothing else.
//!
//! **What it cannot tell.** References must be in the subject's coordinates and of its shape. Linear and spherical merges of
//! near models differ by less than a coarse format keeps, and then are not told apart. A fit that leaves much over is no merge: a
//! model that was trained on from one reference, on what another was trained on, has coefficients on both.
//!
//! References: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985 (SLERP); P. Yadav et al., "TIES-Merging",
//! `NeurIPS` 2023; L. Yu et al., "Language Models are Super Mario" (DARE), ICML 2024; B. Efron, C. Stein, "The jackknife estimate of
//! variance", Ann. Stat. 9 (1981).

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::Error;
use crate::fact::{Coefficient, LayerParent, Merge};
use crate::weights::merge_kinds::{self, Kind};
use crate::weights::net::Net;
use crate::weights::relation::rounded;
use crate::weights::slot::Slot;

/// At most so many numbers of a matrix are looked at, in rows that are evenly chosen.
const NUMBERS: usize = 1 << 16;

/// At most so many numbers of a model are looked at, so that memory does not grow with it.
const TOTAL: usize = 1 << 23;

/// Numbers of the same places of all models, of one matrix.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Sample {
    /// The layer, none for token rows.
    pub(crate) layer: Option<u32>,
    pub(crate) subject: Vec<f64>,
    /// One list for each reference.
    pub(crate) references: Vec<Vec<f64>>,
}

/// Coefficients with their intervals, and what they explain.
#[derive(Clone, Debug, Default, PartialEq)]
pub(crate) struct Fit {
    /// Value, low, high; one for each reference.
    pub(crate) coefficients: Vec<(f64, f64, f64)>,
    /// Share of the squared distance to the nearest reference.
    pub(crate) explained: f64,
    /// Which reference is nearest.
    pub(crate) nearest: usize,
}

/// The same places of all models; none where a reference has another shape. Matrices are read one after the other.
pub(crate) fn samples(subject: &Net<'_>, references: &[&Net<'_>]) -> Result<Option<Vec<Sample>>, Error> {
    let same = |it: &&Net<'_>| it.hidden == subject.hidden && it.layers.len() == subject.layers.len();
    if !references.iter().all(same) {
        return Ok(None);
    }
    let places = slots(subject);
    let most = (TOTAL / places.len().max(1)).min(NUMBERS);
    let mut samples = Vec::new();
    for (at, (layer, slot)) in places.into_iter().enumerate() {
        let mut others = Vec::new();
        for reference in references {
            let Some(other) = slots(reference).into_iter().nth(at).map(|it| it.1) else { return Ok(None) };
            match (slot, other) {
                (Some(one), Some(other)) if (one.outputs(), one.inputs()) == (other.outputs(), other.inputs()) => {
                    others.push(chosen(reference, other, most)?);
                }
                (None, None) => {}
                // Token rows may have been added; a layer's own matrices may not differ.
                _ if layer.is_none() => {}
                _ => return Ok(None),
            }
        }
        if let Some(slot) = slot.filter(|_| others.len() == references.len()) {
            samples.push(Sample { layer, subject: chosen(subject, slot, most)?, references: others });
        }
    }
    Ok(Some(samples))
}

fn chosen(net: &Net<'_>, slot: &Slot, most: usize) -> Result<Vec<f64>, Error> {
    let (rows, cols) = (slot.outputs(), slot.inputs().max(1));
    let kept = (most / cols).clamp(1, rows.max(1));
    let rows: Vec<usize> = (0..kept.min(rows)).map(|it| it * rows / kept).collect();
    let matrix = slot.load_rows(net.numbers, &rows)?;
    Ok(matrix.data.into_iter().map(f64::from).collect())
}

/// Every matrix of a dense model at its place, the same places for models of one shape.
fn slots<'a>(net: &'a Net<'_>) -> Vec<(Option<u32>, Option<&'a Slot>)> {
    let mut all = vec![(None, net.embedding.as_ref()), (None, net.head.as_ref())];
    for layer in &net.layers {
        all.extend(layer.matrices().into_iter().map(|it| (Some(layer.index), it)));
    }
    all
}

/// Sums of products of what is fitted: the unknowns are a factor of the first reference and one for the difference of each other.
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Normal {
    gram: Vec<Vec<f64>>,
    right: Vec<f64>,
    own: f64,
}

impl Normal {
    pub(crate) fn of(sample: &Sample) -> Self {
        let first = &sample.references[0];
        let less = |numbers: &Vec<f64>| -> Vec<f64> { numbers.iter().zip(first).map(|(a, b)| a - b).collect() };
        let mut columns = vec![first.clone()];
        columns.extend(sample.references[1..].iter().map(less));
        let target = less(&sample.subject);
        let product = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        Self {
            gram: columns.iter().map(|a| columns.iter().map(|b| product(a, b)).collect()).collect(),
            right: columns.iter().map(|a| product(a, &target)).collect(),
            own: product(&target, &target),
        }
    }

    fn add(&mut self, other: &Self, sign: f64) {
        for (row, others) in self.gram.iter_mut().zip(&other.gram) {
            row.iter_mut().zip(others).for_each(|(it, more)| *it += sign * more);
        }
        self.right.iter_mut().zip(&other.right).for_each(|(it, more)| *it += sign * more);
        self.own += sign * other.own;
    }

    /// The coefficients of the references; none where two of them are the same.
    pub(crate) fn coefficients(&self) -> Option<Vec<f64>> {
        let solved = solve(self.gram.clone(), self.right.clone())?;
        let others: f64 = solved[1..].iter().sum();
        let mut all = vec![1.0 + solved[0] - others];
        all.extend(&solved[1..]);
        Some(all)
    }

    /// What the coefficients leave of the squared distance.
    fn left(&self, coefficients: &[f64]) -> f64 {
        let others: f64 = coefficients[1..].iter().sum();
        let mut factors = vec![coefficients[0] - 1.0 + others];
        factors.extend(&coefficients[1..]);
        let crossed: f64 = factors.iter().zip(&self.right).map(|(a, b)| a * b).sum();
        let squared: f64 = self
            .gram
            .iter()
            .zip(&factors)
            .map(|(row, a)| a * row.iter().zip(&factors).map(|(g, b)| g * b).sum::<f64>())
            .sum();
        (self.own - 2.0 * crossed + squared).max(0.0)
    }
}

/// Solves a symmetric positive system; none where it is not.
fn solve(mut gram: Vec<Vec<f64>>, mut right: Vec<f64>) -> Option<Vec<f64>> {
    let size = right.len();
    for at in 0..size {
        let pivot = gram[at][at];
        if pivot.is_nan() || pivot <= 1e-12 * gram.iter().flatten().fold(0.0_f64, |a, b| a.max(b.abs())) {
            return None;
        }
        for row in at + 1..size {
            let factor = gram[row][at] / pivot;
            let (above, below) = gram.split_at_mut(row);
            below[0].iter_mut().zip(&above[at]).for_each(|(it, other)| *it -= factor * other);
            right[row] -= factor * right[at];
        }
    }
    for at in (0..size).rev() {
        let known: f64 = (at + 1..size).map(|it| gram[at][it] * right[it]).sum();
        right[at] = (right[at] - known) / gram[at][at];
    }
    Some(right)
}

/// Fits the references to the subject over all matrices; none where fewer than two matrices or two references of one kind.
pub(crate) fn fit(samples: &[Sample]) -> Option<Fit> {
    let each: Vec<Normal> = samples.iter().map(Normal::of).collect();
    let mut all = each.first()?.clone();
    each[1..].iter().for_each(|it| all.add(it, 1.0));
    let coefficients = all.coefficients()?;
    let count = each.len() as f64;
    let mut squares = vec![0.0; coefficients.len()];
    for left_out in &each {
        let mut rest = all.clone();
        rest.add(left_out, -1.0);
        let other = rest.coefficients()?;
        squares.iter_mut().zip(other.iter().zip(&coefficients)).for_each(|(it, (a, b))| *it += (a - b).powi(2));
    }
    let width = |at: usize| 1.96 * ((count - 1.0) / count * squares[at]).sqrt();
    let alone = |at: usize| {
        let mut only = vec![0.0; coefficients.len()];
        only[at] = 1.0;
        all.left(&only)
    };
    let nearest = (0..coefficients.len()).min_by(|a, b| alone(*a).total_cmp(&alone(*b)))?;
    let distance = alone(nearest);
    let explained = if distance > 0.0 { 1.0 - all.left(&coefficients) / distance } else { 0.0 };
    let coefficients = coefficients.iter().enumerate().map(|(at, it)| (*it, it - width(at), it + width(at))).collect();
    Some(Fit { coefficients, explained, nearest })
}

/// For every layer which reference is nearest, and whether it is the same; of references that are equally near, the one that
/// is nearest as a whole.
pub(crate) fn layers(samples: &[Sample], whole: usize) -> Vec<(u32, usize, bool)> {
    let mut found: Vec<(u32, usize, bool)> = Vec::new();
    let mut distances: BTreeMap<u32, Vec<f64>> = BTreeMap::new();
    for sample in samples {
        let Some(layer) = sample.layer else { continue };
        let sums = distances.entry(layer).or_insert_with(|| vec![0.0; sample.references.len()]);
        for (sum, reference) in sums.iter_mut().zip(&sample.references) {
            *sum += reference.iter().zip(&sample.subject).map(|(a, b)| (a - b).powi(2)).sum::<f64>();
        }
    }
    for (layer, sums) in distances {
        let order = |at: &usize| (sums[*at], *at != whole);
        let nearest =
            (0..sums.len()).min_by(|a, b| order(a).0.total_cmp(&order(b).0).then(order(a).1.cmp(&order(b).1)));
        found.extend(nearest.map(|it| (layer, it, sums[it] == 0.0)));
    }
    found
}

/// What several references together say of a subject: the fit, the kind with the share of numbers that it gives, and the nearest
/// reference of every layer.
pub struct Merged {
    pub(crate) fit: Fit,
    pub(crate) kind: Option<(Kind, f64)>,
    pub(crate) layers: Vec<(u32, usize, bool)>,
    pub(crate) matrices: usize,
}

/// Takes a subject apart into several references; none where one of them has another shape, or two are the same.
pub fn merged(subject: &Net<'_>, references: &[&Net<'_>]) -> Result<Option<Merged>, Error> {
    let Some(samples) = samples(subject, references)?.filter(|it| it.len() > 1) else { return Ok(None) };
    let Some(fit) = fit(&samples) else { return Ok(None) };
    let kind = merge_kinds::find(&samples, &fit);
    let layers = layers(&samples, fit.nearest);
    Ok(Some(Merged { fit, kind, layers, matrices: samples.len() }))
}

impl Merged {
    /// In the words of the answer; `names` are the references' locations.
    pub fn fact(&self, names: &[String]) -> Merge {
        let name = |at: usize| names.get(at).cloned().unwrap_or_default();
        let coefficient = |(at, it): (usize, &(f64, f64, f64))| Coefficient {
            reference: name(at),
            value: rounded(it.0),
            low: rounded(it.1),
            high: rounded(it.2),
        };
        let layer = |it: &(u32, usize, bool)| LayerParent { subject: it.0, reference: name(it.1), is_same: it.2 };
        let (kind, detail) = self.words(&name);
        let is_taken_whole = kind == "interleaved" || kind == "same";
        let (base, scales, dropped) = match &self.kind {
            Some((Kind::Sparse(it), _)) if kind == "ties" || kind == "dare" => {
                (Some(name(it.base)), it.scales.clone(), it.dropped.clone())
            }
            _ => (None, Vec::new(), Vec::new()),
        };
        Merge {
            kind: kind.to_owned(),
            certainty: if kind == "unknown" { "possible" } else { "measured" }.to_owned(),
            coefficients: self.fit.coefficients.iter().enumerate().map(coefficient).collect(),
            explained: rounded(self.fit.explained),
            exact: if is_taken_whole { 1.0 } else { rounded(self.kind.as_ref().map_or(0.0, |it| it.1)) },
            base,
            scales: scales.into_iter().map(rounded).collect(),
            dropped: dropped.into_iter().map(rounded).collect(),
            layers: self.layers.iter().map(layer).collect(),
            matrices: self.matrices as u64,
            detail,
        }
    }

    fn words(&self, name: &dyn Fn(usize) -> String) -> (&'static str, String) {
        let parents: BTreeSet<usize> = self.layers.iter().map(|it| it.1).collect();
        let are_same = !self.layers.is_empty() && self.layers.iter().all(|it| it.2);
        if are_same && parents.len() > 1 {
            return ("interleaved", format!("its layers are those of {} references, as they are", parents.len()));
        }
        if are_same {
            return ("same", format!("its layers are those of {}, as they are", name(self.fit.nearest)));
        }
        let mixed = |sure: &str| format!("every number is the same mixture of the references, but for rounding{sure}");
        match &self.kind {
            Some((Kind::Linear, _)) => ("linear", mixed("")),
            Some((Kind::LinearOrSlerp, _)) => {
                ("linear-or-slerp", mixed("; its format is too coarse to tell a linear from a spherical one"))
            }
            Some((Kind::Slerp(t), _)) => {
                ("slerp", format!("every matrix lies on the arc between the two references, at {t:.3} of the way"))
            }
            Some((Kind::Sparse(it), _)) if it.is_dare => {
                ("dare", format!("{} plus scaled differences, numbers of which were dropped at random", name(it.base)))
            }
            Some((Kind::Sparse(it), _)) => {
                ("ties", format!("{} plus trimmed differences, averaged where signs agree", name(it.base)))
            }
            None => (
                "unknown",
                format!(
                    "no merge of these references gives its numbers; mixing them explains {:.0} % of its distance to the \
                     nearest, as training on like text may",
                    self.fit.explained * 100.0
                ),
            ),
        }
    }
}
