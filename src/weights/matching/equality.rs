//! Number for number: the same, or the same but for the precision they are kept in.
//!
//! Exact facts and no test. The pass stops at the first number that rules everything out, so that it costs next to
//! nothing for models that differ.

use crate::checkpoint::Error;
use crate::weights::matching::same_data;
use crate::weights::model::layer::Layer;
use crate::weights::model::projection::Slot;
use crate::weights::model::view::Net;

/// Numbers of one side that are held at once.
const TILE: usize = 4 << 20;

/// What all numbers have in common.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Equality {
    /// Every number is the same.
    pub(crate) is_same: bool,
    /// Every number of the subject is the reference's, rounded to bfloat16.
    pub(crate) is_bf16: bool,
    /// The same for IEEE half precision.
    pub(crate) is_f16: bool,
}

impl Equality {
    const NONE: Self = Self { is_same: false, is_bf16: false, is_f16: false };

    fn is_ruled_out(self) -> bool {
        self == Self::NONE
    }

    fn look(&mut self, subject: &[f32], reference: &[f32]) {
        if subject.len() != reference.len() {
            *self = Self::NONE;
        }
        for (one, other) in subject.iter().zip(reference) {
            if one == other {
                continue;
            }
            self.is_same = false;
            let apart = (f64::from(*one) - f64::from(*other)).abs();
            self.is_bf16 &= apart <= half_step(*other, 7, -126);
            self.is_f16 &= apart <= half_step(*other, 10, -14);
            if self.is_ruled_out() {
                return;
            }
        }
    }
}

/// Half the distance between neighbours of a number in a format with so many bits behind the point.
fn half_step(number: f32, bits: i32, least: i32) -> f64 {
    let exponent = ((number.to_bits() >> 23 & 0xff) as i32 - 127).max(least);
    f64::from_bits(((exponent - bits - 1 + 1023) as u64) << 52) // a power of two, without the cost of `powi`
}

/// Matrices that hold nothing may be this much of a model that is called the same.
const EMPTY: f64 = 0.1;

/// Holds every matrix and vector of one model against the other's at the same place, or where roles differ, every
/// tensor against one that holds the same numbers.
pub(crate) fn compare(subject: &Net<'_>, reference: &Net<'_>) -> Result<Equality, Error> {
    // What cannot be read cannot be the same, and of nothing nothing is said.
    let has_gaps = !subject.left_out.is_empty() || !reference.left_out.is_empty();
    if has_gaps || is_hollow(subject) || is_hollow(reference) {
        return Ok(Equality::NONE);
    }
    let found = by_place(subject, reference)?;
    if !found.is_same && same_data::holds(subject, reference)? {
        return Ok(Equality { is_same: true, ..found });
    }
    Ok(found)
}

/// Whether too much of a model holds nothing.
fn is_hollow(net: &Net<'_>) -> bool {
    let all: f64 = net.tensors.values().map(|it| it.elements as f64).sum();
    let empty: f64 = net.empty.values().map(|it| *it as f64).sum();
    empty > EMPTY * all
}

fn by_place(subject: &Net<'_>, reference: &Net<'_>) -> Result<Equality, Error> {
    let mut found = Equality { is_same: true, is_bf16: true, is_f16: true };
    let is_one_shape = subject.layers.len() == reference.layers.len() && subject.hidden == reference.hidden;
    if !is_one_shape || subject.layers.is_empty() || subject.empty.len() != reference.empty.len() {
        return Ok(Equality::NONE);
    }
    for (one, other) in subject.layers.iter().zip(&reference.layers) {
        if found.is_ruled_out() {
            return Ok(found);
        }
        layer(&mut found, subject, one, reference, other)?;
    }
    others(&mut found, subject, reference)?;
    // A head that is not there is the embedding, and an embedding that is not there is the head.
    let ends = |net: &Net<'_>| {
        let (rows, head) = (net.embedding.clone(), net.head.clone());
        (rows.clone().or(head.clone()), head.or(rows))
    };
    let (ours, theirs) = (ends(subject), ends(reference));
    slots(&mut found, subject, ours.0.as_ref(), reference, theirs.0.as_ref())?;
    slots(&mut found, subject, ours.1.as_ref(), reference, theirs.1.as_ref())?;
    vectors(&mut found, subject, subject.final_norm.as_ref(), reference, reference.final_norm.as_ref())?;
    Ok(found)
}

fn layer(
    found: &mut Equality,
    subject: &Net<'_>,
    one: &Layer,
    reference: &Net<'_>,
    other: &Layer,
) -> Result<(), Error> {
    if one.ffns.len() != other.ffns.len() {
        *found = Equality::NONE;
        return Ok(());
    }
    for (a, b) in one.matrices().into_iter().zip(other.matrices()) {
        slots(found, subject, a, reference, b)?;
    }
    vectors(found, subject, one.attention_norm.as_ref(), reference, other.attention_norm.as_ref())?;
    vectors(found, subject, one.ffn_norm.as_ref(), reference, other.ffn_norm.as_ref())?;
    if one.biases.keys().ne(other.biases.keys()) {
        *found = Equality::NONE;
    }
    for (a, b) in one.biases.values().zip(other.biases.values()) {
        if !found.is_ruled_out() {
            let (one, other) = (subject.vector(Some(a))?, reference.vector(Some(b))?);
            found.look(&one.unwrap_or_default(), &other.unwrap_or_default());
        }
    }
    Ok(())
}

fn slots(
    found: &mut Equality,
    subject: &Net<'_>,
    one: Option<&Slot>,
    reference: &Net<'_>,
    other: Option<&Slot>,
) -> Result<(), Error> {
    if found.is_ruled_out() {
        return Ok(());
    }
    if one.map(|it| (it.outputs(), it.inputs())) != other.map(|it| (it.outputs(), it.inputs())) {
        *found = Equality::NONE;
        return Ok(());
    }
    let (Some(one), Some(other)) = (one, other) else { return Ok(()) };
    let most = (TILE / one.inputs().max(1)).max(1);
    for start in (0..one.outputs()).step_by(most) {
        let rows: Vec<usize> = (start..(start + most).min(one.outputs())).collect();
        found.look(&one.load_rows(subject.numbers, &rows)?.data, &other.load_rows(reference.numbers, &rows)?.data);
        if found.is_ruled_out() {
            break;
        }
    }
    Ok(())
}

/// Tensors that no test has a place for, by their names; or under other names, with the same numbers.
fn others(found: &mut Equality, subject: &Net<'_>, reference: &Net<'_>) -> Result<(), Error> {
    if subject.others != reference.others {
        let (ours, theirs) = (same_data::others(subject), same_data::others(reference));
        if found.is_ruled_out() || !same_data::hold((subject, ours), (reference, theirs))? {
            *found = Equality::NONE;
        }
        return Ok(());
    }
    for (name, elements) in &subject.others {
        for start in (0..*elements).step_by(TILE) {
            if found.is_ruled_out() {
                return Ok(());
            }
            let range = start..start.saturating_add(TILE as u64).min(*elements);
            found.look(&subject.numbers.read(name, range.clone())?, &reference.numbers.read(name, range)?);
        }
    }
    Ok(())
}

fn vectors(
    found: &mut Equality,
    subject: &Net<'_>,
    one: Option<&String>,
    reference: &Net<'_>,
    other: Option<&String>,
) -> Result<(), Error> {
    if !found.is_ruled_out() {
        let (one, other) = (subject.norm(one)?, reference.norm(other)?);
        found.look(&one.unwrap_or_default(), &other.unwrap_or_default());
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rounding_is_told_from_change() {
        let numbers = [1.0_f32, -0.337_12, 3.3e-5, 0.0, 812.4];
        let bf16: Vec<f32> = numbers
            .iter()
            .map(|it| f32::from_bits((it.to_bits() + 0x7fff + (it.to_bits() >> 16 & 1)) & 0xffff_0000))
            .collect();
        let mut found = Equality { is_same: true, is_bf16: true, is_f16: true };
        found.look(&bf16, &numbers);
        assert_eq!(found, Equality { is_same: false, is_bf16: true, is_f16: false });
        found.look(&[0.34], &[0.337_12]);
        assert_eq!(found, Equality::NONE);
    }
}
