//! The facts that a gate may name, and the values each can have.

/// What the value of a fact can be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FactValues {
    /// `true` or `false`.
    YesOrNo,
    /// One of these words.
    Words(&'static [&'static str]),
    /// A word of a list that is kept elsewhere.
    AnyWord,
}

/// A fact that a gate may name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct GateFact {
    /// Its dotted key.
    pub key: &'static str,
    /// What its value can be.
    pub values: FactValues,
}

/// Words for what is known of a statement: shown on evidence that an accusation may rest on, hearsay alone, denied by
/// the company itself, or not on record. On evidence in between it is unknown.
pub(crate) const CLAIM_WORDS: &[&str] = &["shown", "hearsay", "no", "none"];

/// How a borrowed part was named: at the first release, later and unasked, when asked, only after others had exposed
/// it, not at all, or denied.
pub(crate) const DISCLOSURE_WORDS: &[&str] =
    &["at_release", "later", "when_asked", "after_exposure", "silent", "denied"];

const FORMS: &[&str] = &["identical", "same up to renaming", "fused or split projections", "same family", "different"];

const OUTCOMES: &[&str] = &["impossible", "implausible", "ask", "normal", "not_computable"];

/// Every fact that a gate may name, by key. `evidence` states them; a test there compares the two.
pub const GATE_FACTS: &[GateFact] = &[
    GateFact { key: "borrowed.distinctive", values: FactValues::YesOrNo },
    GateFact { key: "claim.from_scratch", values: FactValues::Words(CLAIM_WORDS) },
    GateFact { key: "claim.own_work", values: FactValues::Words(CLAIM_WORDS) },
    GateFact { key: "claims.worst", values: FactValues::Words(OUTCOMES) },
    GateFact { key: "counted.contradicted", values: FactValues::YesOrNo },
    GateFact { key: "disclosed.architecture", values: FactValues::Words(DISCLOSURE_WORDS) },
    GateFact { key: "disclosed.code", values: FactValues::Words(DISCLOSURE_WORDS) },
    GateFact { key: "disclosed.data", values: FactValues::Words(DISCLOSURE_WORDS) },
    GateFact { key: "disclosed.tokenizer", values: FactValues::Words(DISCLOSURE_WORDS) },
    GateFact { key: "disclosed.weights", values: FactValues::Words(DISCLOSURE_WORDS) },
    GateFact { key: "form.closest", values: FactValues::Words(FORMS) },
    GateFact { key: "ledger.tampered", values: FactValues::YesOrNo },
    GateFact { key: "model.kind", values: FactValues::Words(&["files", "api", "none"]) },
    GateFact { key: "weights.relation", values: FactValues::AnyWord },
    GateFact { key: "weights.title", values: FactValues::Words(&["open", "clear"]) },
];
