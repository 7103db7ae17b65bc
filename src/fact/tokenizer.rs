//! What two tokenizers have in common, as plain data: part of the JSON of `compare`.
//!
//! A published contract as `model.rs` is: a field is added, never renamed.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What two tokenizers have in common. It says "borrowed" at most, and nothing on weights.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenizerFacts {
    /// The relation in one word.
    pub relation: TokenizerRelation,
    /// The subject's tokenizer.
    pub subject: TokenizerSide,
    /// The reference's tokenizer.
    pub reference: TokenizerSide,
    /// How the tokens overlap.
    pub tokens: TokenOverlap,
    /// How the merges overlap; none where either has no merges that are written down.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub merges: Option<MergeOverlap>,
    /// How the special tokens overlap.
    pub special: SpecialOverlap,
    /// Whether both even texts out in the same way; none where their formats cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_normaliser: Option<bool>,
    /// Whether both split texts in the same way; none where their formats cannot be compared.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub same_pre_tokeniser: Option<bool>,
    /// Special tokens of a known vendor that both have, in order of the subject's ids.
    pub residues: Vec<Residue>,
}

/// How a subject's tokenizer relates to a reference's.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub enum TokenizerRelation {
    /// The same tokens under the same ids, special ones included, and the same merges.
    #[serde(rename = "identical")]
    Identical,
    /// The same learned tokens in the same order and the same merges; the special tokens differ, and may shift the ids.
    #[serde(rename = "same but for special tokens")]
    SameButSpecial,
    /// Every learned token of the reference under its id, and more tokens: a vocabulary that was extended.
    #[serde(rename = "superset")]
    Superset,
    /// Fewer tokens, all of them the reference's, in its order: a vocabulary that was cut down.
    #[serde(rename = "trimmed")]
    Trimmed,
    /// The same learned tokens, under other ids or merged in another order.
    #[serde(rename = "reordered")]
    Reordered,
    /// At least half of the shorter list of merges in common, and in an order that lists learned apart do not share.
    /// Both may come from a third.
    #[serde(rename = "shared merges")]
    SharedMerges,
    /// More tokens in common than vocabularies that were learned apart were seen to have.
    #[serde(rename = "overlapping")]
    Overlapping,
    /// No more in common than vocabularies that were learned apart have.
    #[serde(rename = "unrelated")]
    Unrelated,
}

/// One tokenizer in numbers.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenizerSide {
    /// The file it was read from.
    pub file: String,
    /// `BPE`, `Unigram`, `WordPiece` or `WordLevel`.
    pub kind: String,
    /// Number of tokens.
    pub tokens: u64,
    /// How many of them are special or were added by hand.
    pub special: u64,
    /// Number of tokens that a merge makes.
    pub merges: u64,
    /// SHA-256 of the rules by which texts are evened out, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub normaliser_sha256: Option<String>,
    /// SHA-256 of the rules by which texts are split, if stated.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub pre_tokeniser_sha256: Option<String>,
}

/// How learned tokens overlap. Single bytes are left out of the shares: every vocabulary has them.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct TokenOverlap {
    /// Tokens that both have, special ones and single bytes included.
    pub shared: u64,
    /// How many of them have the same id in both.
    pub same_id: u64,
    /// Learned tokens of two bytes and more that both have.
    pub shared_learned: u64,
    /// Share of the subject's learned tokens that the reference has, 0 to 1; none where it has none.
    pub of_subject: Option<f64>,
    /// Share of the reference's learned tokens that the subject has, 0 to 1; none where it has none.
    pub of_reference: Option<f64>,
    /// Shared learned tokens over all learned tokens of either (Jaccard), 0 to 1; none where there are none.
    pub jaccard: Option<f64>,
}

/// How merges overlap, by what each makes.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct MergeOverlap {
    /// How many merges at the start of both lists are the same.
    pub common_prefix: u64,
    /// How many merges both have, wherever they stand.
    pub shared: u64,
    /// Kendall's tau of the ranks of shared merges, -1 to 1; none below two of them.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub tau: Option<RankAgreement>,
}

/// Kendall's tau with its null: that the shared merges stand in an order that has nothing to do with the reference's.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct RankAgreement {
    /// From -1, the other way round, to 1, the same order.
    pub tau: f64,
    /// How many standard deviations of the null it is above 0.
    pub z: f64,
    /// Logarithm to base 10 of the chance of so much agreement or more under the null.
    pub log10_p: f64,
    /// `exact` for short lists, `asymptotic` (normal) for long ones.
    pub p_kind: String,
}

/// How special tokens and those added by hand overlap, by name.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct SpecialOverlap {
    /// How many both have.
    pub shared: u64,
    /// Those only the subject has, by id; the first few.
    pub only_subject: Vec<String>,
    /// Those only the reference has, by id; the first few.
    pub only_reference: Vec<String>,
    /// How many only the subject has.
    pub only_subject_count: u64,
    /// How many only the reference has.
    pub only_reference_count: u64,
}

/// A token that is a known vendor's and stands in both.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[non_exhaustive]
pub struct Residue {
    /// The token's name.
    pub token: String,
    /// Whose it is.
    pub vendor: String,
    /// Its id in the subject.
    pub subject_id: u32,
    /// Its id in the reference.
    pub reference_id: u32,
}
