//! Is a subject made of several references, and how.
//!
//! **Fit.** Matrix by matrix the subject is taken apart into the references by least squares, from the sums of products
//! of what they differ by from the first one. Coefficients are those of all matrices together; their 95 % intervals
//! come from leaving out one matrix at a time (the jackknife), so that matrices which were mixed differently widen
//! them.
//!
//! **Kinds.** A linear merge has one set of coefficients for all matrices and leaves rounding. A spherical one (SLERP)
//! has one parameter `t` for all, and coefficients `sin((1-t)θ)/sin θ`, `sin(tθ)/sin θ` that follow the angle `θ` of
//! each matrix: their sum is above 1. TIES and DARE add differences from a base of which numbers were dropped: entry by
//! entry the subject is the base plus some of `c_i d_i`; TIES drops the small ones, keeps one scale and averages what
//! agrees in sign, DARE drops at random and scales up. Interleaving takes whole layers. Each kind is named by the share
//! of numbers that it gives to within the rounding of the subject's own format, which no unrelated numbers reach, and
//! by nothing else.
//!
//! **What it cannot tell.** References must be in the subject's coordinates and of its shape. Linear and spherical
//! merges of near models differ by less than a coarse format keeps, and then are not told apart. A fit that leaves much
//! over is no merge: a model that was trained on from one reference, on what another was trained on, has coefficients
//! on both.
//!
//! References: K. Shoemake, "Animating rotation with quaternion curves", SIGGRAPH 1985 (SLERP); P. Yadav et al.,
//! "TIES-Merging", `NeurIPS` 2023; L. Yu et al., "Language Models are Super Mario" (DARE), ICML 2024; B. Efron, C.
//! Stein, "The jackknife estimate of variance", Ann. Stat. 9 (1981).

pub(crate) mod fit;
pub(crate) mod kinds;

use std::collections::{BTreeMap, BTreeSet};

use crate::checkpoint::Error;
use crate::fact::{Coefficient, LayerParent, Merge};
use crate::stats::levels::rounded;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;
use crate::weights::provenance::merge::fit::{Fit, Sample};
use crate::weights::provenance::merge::kinds::Kind;

/// At most so many numbers of a matrix are looked at, in rows that are evenly chosen.
const NUMBERS: usize = 1 << 16;

/// At most so many numbers of a model are looked at, so that memory does not grow with it.
const TOTAL: usize = 1 << 23;

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

/// For every layer which reference is nearest, and whether it is the same; of references that are equally near, the one
/// that is nearest as a whole.
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

/// What several references together say of a subject: the fit, the kind with the share of numbers that it gives, and
/// the nearest reference of every layer.
pub struct Merged {
    pub(crate) fit: Fit,
    pub(crate) kind: Option<(Kind, f64)>,
    pub(crate) layers: Vec<(u32, usize, bool)>,
    pub(crate) matrices: usize,
}

/// Takes a subject apart into several references; none where one of them has another shape, or two are the same.
pub fn merged(subject: &Net<'_>, references: &[&Net<'_>]) -> Result<Option<Merged>, Error> {
    let Some(samples) = samples(subject, references)?.filter(|it| it.len() > 1) else { return Ok(None) };
    let Some(fit) = fit::fit(&samples) else { return Ok(None) };
    let kind = kinds::find(&samples, &fit);
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
                    "no merge of these references gives its numbers; mixing them explains {:.0} % of its distance to \
                     the nearest, as training on like text may",
                    self.fit.explained * 100.0
                ),
            ),
        }
    }
}
