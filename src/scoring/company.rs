//! The verdict on a company from the verdicts on its models: that of the flagship, but never more than one class above
//! the worst model that is sold.

use crate::rubric::Rubric;
use crate::scoring::decide::{rank, undetermined, verdict};
use crate::scoring::{ModelVerdict, VerdictReached};

/// So many classes above the worst sold model the company may stand.
const CLASSES_ABOVE: u8 = 1;

/// The verdict on the company.
pub(crate) fn verdict_on_company(rubric: &Rubric, models: &[ModelVerdict]) -> Option<VerdictReached> {
    let flagship = models.iter().find(|it| it.flagship)?;
    let reached = &flagship.verdict;
    let Some(rank_reached) = rank(rubric, &reached.id) else { return Some(reached.clone()) };
    let sold = models.iter().filter(|it| it.sold && it.id != flagship.id);
    let limits: Vec<(u8, u8, &ModelVerdict)> = sold
        .filter_map(|it| ends(rubric, it).map(|(low, high)| (low + CLASSES_ABOVE, high + CLASSES_ABOVE, it)))
        .collect();
    let Some((low, high, model)) = limits.into_iter().min_by_key(|(low, high, it)| (*high, *low, it.id.clone())) else {
        return Some(reached.clone());
    };
    match () {
        () if low >= rank_reached => Some(reached.clone()),
        () if high <= rank_reached.min(low) => limited(rubric, reached, high, model),
        () => Some(VerdictReached {
            strength: None,
            because: None,
            holds_whatever_the_weights: None,
            ..worded(rubric, reached, &undetermined(rubric), model)?
        }),
    }
}

/// The worst and best rank that a model may have.
fn ends(rubric: &Rubric, model: &ModelVerdict) -> Option<(u8, u8)> {
    if let Some(rank) = rank(rubric, &model.verdict.id) {
        return Some((rank, rank));
    }
    let ranks: Vec<u8> = model.verdict.possible.iter().filter_map(|it| rank(rubric, &it.id)).collect();
    // A verdict that is held, or of which nothing ranked came out, limits nothing.
    Some((*ranks.iter().min()?, *ranks.iter().max()?))
}

fn limited(rubric: &Rubric, reached: &VerdictReached, to: u8, model: &ModelVerdict) -> Option<VerdictReached> {
    let id = rubric.verdicts.iter().find(|it| it.rank == Some(to)).map(|it| it.id.clone())?;
    let strength = reached.strength.into_iter().chain(model.verdict.strength).min();
    Some(VerdictReached { strength, because: None, ..worded(rubric, reached, &id, model)? })
}

fn worded(rubric: &Rubric, reached: &VerdictReached, id: &str, model: &ModelVerdict) -> Option<VerdictReached> {
    let words = verdict(rubric, id)?;
    Some(VerdictReached {
        id: id.to_owned(),
        name: words.name.clone(),
        meaning: words.meaning.clone(),
        recommendation: words.recommendation.clone(),
        decided_by: "sold_model".to_owned(),
        deciding: Some(model.id.clone()),
        ..reached.clone()
    })
}
