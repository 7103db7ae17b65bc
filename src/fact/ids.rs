//! Ids that decisions rest on, as enums: kebab-case words in JSON, `explain` and the languages.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// One enum of ids: its variants, the word for each, and all of them in their order.
macro_rules! ids {
    ($(#[$about:meta])* $name:ident { $($(#[$one:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$about])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
        pub enum $name {
            $($(#[$one])* #[serde(rename = $word)] $variant,)*
        }

        impl $name {
            /// Every id, in the order of their declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The id as JSON has it.
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }
        }

        impl std::fmt::Display for $name {
            fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str(self.word())
            }
        }
    };
}

ids! {
    /// A statistic on weights.
    StatisticId {
        /// Fit of the change of basis on rows that it was not made from.
        BasisFit = "basis-fit",
        /// Signs of matched neurons or value channels.
        RandomSign = "random-sign",
        /// Neurons that gate and up projections, matched apart, pair alike.
        PartnerAgreement = "partner-agreement",
        /// Neurons and index-aligned rows that are the same but for rounding.
        EqualWeights = "equal-weights",
        /// OV products of heads that were matched by their QK products.
        HeadProducts = "head-products",
        /// Norm weights, by rank.
        NormWeights = "norm-weights",
        /// Share of learned weights that the other model keeps.
        Retention = "retention",
        /// Embedding or LM head rows of shared tokens.
        TokenRows = "token-rows",
        /// Neurons that match the neuron of their own number.
        FixedPoints = "fixed-points",
        /// Likeness of query and key matrices, layer by layer.
        QueryKeyCka = "query-key-cka",
        /// Biases, by rank.
        Biases = "biases",
        /// Cosines of index-aligned rows.
        RowCosines = "row-cosines",
        /// Values that are the same or neighbors as bfloat16.
        NearValues = "near-values",
        /// Bits in which bfloat16 patterns differ.
        BitDistance = "bit-distance",
        /// Second moments of a model in the signs of an adapter.
        AdapterMoments = "adapter-moments",
        /// Share of those moments that the adapter carries.
        AdapterCarried = "adapter-carried",
    }
}

ids! {
    /// A rule that decides a relation of weights.
    RuleId {
        /// Every value is the same.
        AllEqual = "all-equal",
        /// Related, and less is kept than derivation keeps.
        SharedInitialization = "shared-initialization",
        /// Most neurons or rows are the same but for rounding.
        EqualUnits = "equal-units",
        /// Related, and what is kept does not decide between derivation and a shared initialization.
        InitializationOrDerived = "initialization-or-derived",
        /// Signs of neurons, an exact test.
        BodySigns = "body-signs",
        /// Agreement of gate and up projections.
        BodyAgreement = "body-agreement",
        /// Attention or token rows, and no feed-forward block.
        PartOnly = "part-only",
        /// Norm weights and nothing else.
        NormsOnly = "norms-only",
        /// Token rows agree as those of unrelated models of like text do.
        LearnedAlike = "learned-alike",
        /// No derivation found, at the power stated.
        NothingFound = "nothing-found",
        /// Too few neurons, or too little of the bodies, for a negative result or a part to count.
        TooLittle = "too-little",
        /// An encoder beside the language model, and no language model to compare.
        TowerOnly = "tower-only",
        /// Another list of layers beside a language model of which nothing was found.
        StackOnly = "stack-only",
        /// A quick look that did not decide.
        QuickLook = "quick-look",
        /// An adapter of this model or of a close relative.
        AdapterSigns = "adapter-signs",
        /// An adapter of this model or of one of the same initialization.
        AdapterInitialization = "adapter-initialization",
        /// An adapter whose modules do not fit.
        AdapterUnfit = "adapter-unfit",
        /// An adapter with more than chance and too little to decide.
        AdapterFaint = "adapter-faint",
        /// An adapter that reads the model's token coordinates alone.
        AdapterPart = "adapter-part",
        /// An adapter too small for the test.
        AdapterWeak = "adapter-weak",
        /// An adapter of another model, at the power stated.
        AdapterSilent = "adapter-silent",
    }
}

impl RuleId {
    /// Whether it decides on an adapter.
    pub fn is_on_adapter(self) -> bool {
        self.word().starts_with("adapter-")
    }
}

ids! {
    /// A re-arrangement that leaves what the model computes unchanged.
    DisguiseId {
        /// The residual stream was rotated.
        RotatedStream = "rotated-stream",
        /// Coordinates of the residual stream in another order.
        PermutedStream = "permuted-stream",
        /// Coordinates of the residual stream with the other sign.
        SignFlippedStream = "sign-flipped-stream",
        /// Neurons in another order.
        PermutedUnits = "permuted-units",
        /// Neurons with the other sign before and after the activation.
        SignFlippedUnits = "sign-flipped-units",
        /// Neurons scaled before and scaled back after the activation.
        ScaledUnits = "scaled-units",
        /// Norm weights multiplied into the next projection.
        FoldedNormWeights = "folded-norm-weights",
        /// Attention heads in another order.
        PermutedHeads = "permuted-heads",
        /// Another basis inside attention heads.
        ChangedHeadBasis = "changed-head-basis",
    }
}

ids! {
    /// A step from the reference to the subject.
    StepId {
        /// Layers of the reference are missing.
        LayersDropped = "layers-dropped",
        /// Layers were used more than once.
        LayersDuplicated = "layers-duplicated",
        /// Layers that match none of the reference's.
        LayersAdded = "layers-added",
        /// Layers in another order.
        LayersReordered = "layers-reordered",
        /// A smaller hidden size.
        WidthPruned = "width-pruned",
        /// Fewer neurons.
        UnitsPruned = "units-pruned",
        /// Experts made from a dense block.
        MoeUpcycled = "moe-upcycled",
        /// More token rows.
        VocabularyExtended = "vocabulary-extended",
        /// Token rows that were replaced.
        TokensReplaced = "tokens-replaced",
        /// Another embedding.
        EmbeddingReplaced = "embedding-replaced",
        /// Rounded to another floating-point format.
        Cast = "cast",
        /// Rounded to few levels.
        Quantized = "quantized",
        /// Small values set to zero.
        MagnitudePruned = "magnitude-pruned",
        /// A low-rank change.
        LoraMerged = "lora-merged",
        /// A change that is noise.
        NoiseAdded = "noise-added",
        /// A small change of the projections named.
        FineTuned = "fine-tuned",
        /// A large change of the projections named.
        ContinuedPretraining = "continued-pretraining",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn json_has_the_word_of_an_id() {
        for id in RuleId::ALL {
            assert_eq!(serde_json::to_string(id).unwrap(), format!("{:?}", id.word()));
        }
        assert_eq!(serde_json::from_str::<StepId>("\"lora-merged\"").unwrap(), StepId::LoraMerged);
    }
}
