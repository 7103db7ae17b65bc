//! What the rows of added tokens were before they were trained: a mean, a copy, drawn numbers, or nothing.
//!
//! **What is looked at.** Rows of the subject's embedding whose token the reference lacks, against the reference's
//! rows, in the subject's coordinates. In this order: all zero; each the same as a row of the reference (to rounding);
//! all the same as the mean of all rows of the reference, or close to it and to each other; else drawn: no two alike,
//! around nothing.
//!
//! **Nulls.** Of a mean: rows drawn around zero have an average whose squared length is that of a row over their
//! number, with a relative standard deviation of `sqrt(2 / d)`, and whose cosine with the reference's mean row has one
//! of `sqrt(1 / d)`; a mean start is named only where both stand four deviations up. Of a copy: the
//! largest of `R` cosines of unrelated rows stays near `sqrt(2 ln R / d)`; 0.999 is asked. Of drawn numbers: a kurtosis
//! of 3 for normal and 1.8 for uniform ones, with standard deviation `sqrt(24 / n)`.
//!
//! **What it cannot tell.** What long training wiped out. A weighted mean of the pieces that a token splits into is not
//! looked for.

use serde_json::{Value, json};

use crate::checkpoint::Error;
use crate::fact::{RecipeStep, StepId, Weights, WeightsRelation};
use crate::linalg::matrix::{Matrix, cosine, dot, norm};
use crate::stats::levels::rounded;
use crate::weights::matching::matched::Measured;
use crate::weights::model::view::Net;

/// At most so many new rows and rows of the reference are looked at.
const ROWS: usize = 4_096;

/// How many standard deviations a mean start has to stand out by.
const SURE: f64 = 4.0;

/// Cosine from which on a row is a copy but for rounding.
const COPY: f64 = 0.999;

/// How the rows began, as far as it shows.
#[derive(Clone, Debug, PartialEq)]
enum Start {
    Zero,
    /// All the same as the mean row, to rounding.
    Mean,
    /// Spread around the mean row; the spread, over that of the reference's rows around it.
    MeanThenTrained(f64),
    /// Each the same as a row of the reference.
    Copy,
    /// Standard deviation and kurtosis.
    Drawn(f64, f64),
    /// Around nothing that is known, and no law of drawn numbers.
    Unknown,
}

/// Adds how many rows are new, and how they began, to the step `vocabulary-extended`; where tokens were replaced and
/// their number stayed, as a step `tokens-replaced`.
pub(crate) fn describe(
    subject: &Net<'_>,
    reference: &Net<'_>,
    tokens: Option<&[(u32, u32)]>,
    measured: &Measured,
    weights: &mut Weights,
) -> Result<(), Error> {
    let (Some(ours), Some(theirs), Some(tokens)) = (&subject.embedding, &reference.embedding, tokens) else {
        return Ok(());
    };
    if weights.relation != WeightsRelation::Derived || tokens.is_empty() || reference.is_fingerprint() {
        return Ok(());
    }
    let known: std::collections::BTreeSet<usize> = tokens.iter().map(|it| it.0 as usize).collect();
    let new: Vec<usize> = (0..ours.outputs()).filter(|it| !known.contains(it)).collect();
    if new.is_empty() {
        return Ok(());
    }
    let chosen: Vec<usize> = new.iter().copied().step_by(new.len().div_ceil(ROWS)).collect();
    let every = theirs.outputs().div_ceil(ROWS).max(1);
    let old: Vec<usize> = (0..theirs.outputs()).step_by(every).collect();
    let old = measured.stream.apply(theirs.load_rows(reference.numbers, &old)?);
    let rows = ours.load_rows(subject.numbers, &chosen)?;
    if rows.cols != old.cols {
        return Ok(());
    }
    let start = start(&rows, &old);
    add(weights, new.len(), theirs.outputs(), &start);
    Ok(())
}

fn start(new: &Matrix, old: &Matrix) -> Start {
    let largest = |matrix: &Matrix| matrix.data.iter().fold(0.0_f32, |all, it| all.max(it.abs()));
    if largest(new) == 0.0 {
        return Start::Zero;
    }
    let (mean, own) = (mean(old), mean(new));
    let spread = |rows: &Matrix, centre: &[f32]| (squares_around(rows, centre) / rows.rows.max(1) as f64).sqrt();
    let (old_spread, new_spread) = (spread(old, &mean), spread(new, &mean));
    let length = (new.iter().map(|it| norm(it).powi(2)).sum::<f64>() / new.rows.max(1) as f64).sqrt();
    if new_spread < 0.005 * length {
        return Start::Mean;
    }
    if new.iter().all(|row| old.iter().any(|it| cosine(row, it) >= COPY)) {
        return Start::Copy;
    }
    let excess = norm(&own).powi(2) * new.rows as f64 / (length * length) - 1.0;
    let stands_out = excess > SURE * (2.0 / new.cols.max(1) as f64).sqrt();
    let is_mean = cosine(&own, &mean) * (new.cols as f64).sqrt() > SURE;
    let ratio = norm(&own) / norm(&mean).max(f64::MIN_POSITIVE);
    if stands_out && is_mean && (0.5..2.0).contains(&ratio) && new_spread < old_spread {
        return Start::MeanThenTrained(new_spread / old_spread.max(f64::MIN_POSITIVE));
    }
    drawn(new, stands_out)
}

/// Numbers drawn around zero, one row apart from the other; anything else is unknown.
fn drawn(rows: &Matrix, has_a_mean: bool) -> Start {
    let count = rows.data.len().max(1) as f64;
    let square = dot(&rows.data, &rows.data) / count;
    let fourth = rows.data.iter().map(|it| f64::from(*it).powi(4)).sum::<f64>() / count;
    let kurtosis = fourth / (square * square).max(f64::MIN_POSITIVE);
    let error = SURE * (24.0 / count).sqrt();
    let is_law = (kurtosis - 3.0).abs() < error || (kurtosis - 1.8).abs() < error;
    if is_law && !has_a_mean { Start::Drawn(square.sqrt(), kurtosis) } else { Start::Unknown }
}

fn mean(rows: &Matrix) -> Vec<f32> {
    let mut mean = vec![0.0_f64; rows.cols];
    for row in rows.iter() {
        mean.iter_mut().zip(row).for_each(|(it, number)| *it += f64::from(*number) / rows.rows as f64);
    }
    mean.into_iter().map(|it| it as f32).collect()
}

fn squares_around(rows: &Matrix, centre: &[f32]) -> f64 {
    let away = |(a, b): (&f32, &f32)| (f64::from(*a) - f64::from(*b)).powi(2);
    rows.iter().map(|row| row.iter().zip(centre).map(away).sum::<f64>()).sum()
}

fn add(weights: &mut Weights, count: usize, from: usize, start: &Start) {
    let (word, certainty, more) = match start {
        Start::Zero => ("zero", "measured", "they are zero".to_owned()),
        Start::Mean => ("mean", "measured", "each is the mean of the reference's rows".to_owned()),
        Start::MeanThenTrained(spread) => (
            "mean",
            "likely",
            format!(
                "they stand around the mean of the reference's rows, {spread:.2} times as far as its own rows do: \
                 started there and trained since"
            ),
        ),
        Start::Copy => ("copy", "measured", "each is the same as a row of the reference".to_owned()),
        Start::Drawn(size, _) => {
            ("drawn", "likely", format!("they look like numbers drawn with standard deviation {size:.4}"))
        }
        Start::Unknown => ("unknown", "possible", "how they began does not show".to_owned()),
    };
    let mut parameters: Vec<(&str, Value)> = vec![("new", json!(count)), ("initialisation", json!(word))];
    match start {
        Start::MeanThenTrained(spread) => parameters.push(("spread", json!(rounded(*spread)))),
        Start::Drawn(size, kurtosis) => {
            parameters.push(("deviation", json!(rounded(*size))));
            parameters.push(("kurtosis", json!(rounded(*kurtosis))));
        }
        Start::Zero | Start::Mean | Start::Copy | Start::Unknown => {}
    }
    let parameters = parameters.into_iter().map(|(name, value)| (name.to_owned(), value));
    match weights.recipe.iter_mut().find(|it| it.step == StepId::VocabularyExtended) {
        Some(step) => {
            step.parameters.extend(parameters);
            step.detail = format!("{}; {count} tokens are new: {more}", step.detail);
        }
        None => weights.recipe.push(RecipeStep {
            step: StepId::TokensReplaced,
            certainty: certainty.to_owned(),
            parameters: parameters.chain([("rows".to_owned(), json!(from))]).collect(),
            detail: format!("{count} tokens are not the reference's: of their rows, {more}"),
        }),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::linalg::random::Random;

    fn noise(rows: usize, cols: usize, size: f32, seed: u64) -> Matrix {
        let mut random = Random::new(seed);
        Matrix::new(rows, cols, (0..rows * cols).map(|_| random.normal() * size).collect())
    }

    /// Rows around a common one, as trained embeddings are.
    fn old() -> Matrix {
        let mut rows = noise(500, 64, 0.1, 1);
        let centre = noise(1, 64, 0.05, 2);
        rows.data
            .chunks_exact_mut(64)
            .for_each(|row| row.iter_mut().zip(&centre.data).for_each(|(it, more)| *it += more));
        rows
    }

    fn means(count: usize, noise: &Matrix) -> Matrix {
        let mean = mean(&old());
        let data = (0..count).flat_map(|row| mean.iter().zip(noise.row(row)).map(|(a, b)| a + b).collect::<Vec<_>>());
        Matrix::new(count, 64, data.collect())
    }

    #[test]
    fn every_start_is_told_from_the_others() {
        let old = old();
        assert_eq!(start(&Matrix::new(40, 64, Vec::new()), &old), Start::Zero);
        assert_eq!(start(&means(40, &noise(40, 64, 0.0, 3)), &old), Start::Mean);
        assert_eq!(start(&old.gather(&[3, 3, 77, 401]), &old), Start::Copy);
        let trained = start(&means(40, &noise(40, 64, 0.05, 4)), &old);
        assert!(matches!(trained, Start::MeanThenTrained(it) if (it - 0.5).abs() < 0.1), "{trained:?}");
        let drawn = start(&noise(40, 64, 0.02, 5), &old);
        assert!(matches!(drawn, Start::Drawn(size, _) if (size - 0.02).abs() < 0.001), "{drawn:?}");
    }

    #[test]
    fn heavy_tails_are_no_law_of_drawn_numbers() {
        let mut rows = noise(40, 64, 0.02, 6);
        rows.data.iter_mut().for_each(|it| *it = it.powi(3));
        assert_eq!(start(&rows, &old()), Start::Unknown);
    }
}
