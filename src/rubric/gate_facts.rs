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

/// Every fact that a gate may name, by key. `evidence` states them; a test there holds the two against each other.
pub const GATE_FACTS: &[GateFact] = &[
    GateFact { key: "claim.from_scratch", values: FactValues::YesOrNo },
    GateFact { key: "claim.gpu_model", values: FactValues::AnyWord },
    GateFact { key: "claim.precision", values: FactValues::AnyWord },
    GateFact {
        key: "claims.worst",
        values: FactValues::Words(&["impossible", "implausible", "ask", "normal", "not_computable"]),
    },
    GateFact {
        key: "form.closest",
        values: FactValues::Words(&[
            "identical",
            "same up to renaming",
            "fused or split projections",
            "same family",
            "different",
        ]),
    },
    GateFact { key: "ledger.tampered", values: FactValues::YesOrNo },
    GateFact { key: "weights.relation", values: FactValues::AnyWord },
];
