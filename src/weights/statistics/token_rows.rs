//! Embedding and LM head rows of tokens that both models have.
//!
//! **Statistic.** The mean cosine of rows of the same token, the mean row taken away, on rows that had no part in the
//! change of basis.
//!
//! **Null.** Rows of unrelated models have a cosine near 0, unless both learned the same geometry from like text; so no
//! p-value is claimed. Before rows are called taken over they must also find their own token among the others, far more
//! often than a random permutation would have it and for at least half of them.
//!
//! **Assumptions.** The tokens are the same strings on both sides.
//!
//! **What it cannot tell.** Whether rows were copied or came from one published table; nothing on the body.
//!
//! Reference: A. Conneau et al., "Word Translation Without Parallel Data", ICLR 2018, for how far geometries learned
//! apart agree.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::stats::levels::ASYMPTOTIC_LEVEL;
use crate::weights::align::token_rows::Tokens;
use crate::weights::matching::matched::Measured;
use crate::weights::statistics::{Compared, Definition, Family, Observation, Role, Support, Test};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::TokenRows], role: Role::Decides, observe };

/// Cosine of token rows from which on they are called the same part.
pub(crate) const TOKEN_COSINE: f64 = 0.5;

/// The same where coordinates had to be re-ordered, turned in sign or rotated first. Embeddings of unrelated models
/// learn a like geometry from like text, and a map that is made from them brings it out; a copy keeps nearly all of it.
const MAPPED_COSINE: f64 = 0.9;

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let sides = [("embeddings", &measured.embedding), ("head", &measured.head)];
    let observation = |(name, rows): (&str, &Tokens)| Observation {
        id: StatisticId::TokenRows,
        component: name.to_owned(),
        value: rows.cosine,
        samples: rows.count,
        kind: PKind::Heuristic,
        null: "unrelated models: rows of the same token have a cosine near 0 after alignment".to_owned(),
        support: Support::Filter(own_token(measured, rows)),
    };
    Ok(sides.into_iter().filter(|it| it.1.count > 0).map(observation).collect())
}

/// Whether rows are the same part: they find their own token, and agree by enough.
pub(crate) fn own_token(measured: &Measured, rows: &Tokens) -> Test {
    Test {
        log10_p: rows.own_token_log10_p(),
        family: Family::References,
        level: ASYMPTOTIC_LEVEL,
        is_large: rows.cosine >= token_cosine(measured) && rows.do_most_find_their_own(),
    }
}

/// From which cosine on token rows are called the same part.
pub(crate) fn token_cosine(measured: &Measured) -> f64 {
    let is_plain = matches!(measured.stream.word(), "same coordinates" | "chosen coordinates");
    if is_plain { TOKEN_COSINE } else { MAPPED_COSINE }
}
