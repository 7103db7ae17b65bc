//! What a claim can be about: a closed list.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What a claim can be about: a closed list, each with the units it may be given in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum About {
    /// Total parameters.
    Parameters,
    /// Parameters active per token (mixture of experts).
    ActiveParameters,
    /// Tokens of the vocabulary.
    Vocabulary,
    /// Tokens the model is said to take in at once.
    ContextLength,
    /// Tokens seen in pre-training, every pass counted.
    TrainingTokens,
    /// Tokens left after cleaning, where they differ from those seen in training.
    CleanTokens,
    /// Passes over the clean tokens.
    Epochs,
    /// Raw data before cleaning, bytes.
    RawData,
    /// Compute of the final run as the company states it, FLOP.
    Flop,
    /// Accelerator-hours of the final run, by the clock: an accelerator that waits counts as well.
    GpuHours,
    /// Accelerators used at once.
    Gpus,
    /// Name of the accelerator, as the bands file lists it; `other: NAME` for one that it does not list.
    GpuModel,
    /// Number format of the matrix products (`bf16`, `fp8`, …).
    Precision,
    /// Model FLOP utilization as the company states it: work of the model only.
    Mfu,
    /// Hardware FLOP utilization as the company states it: recomputed work counts as well.
    Hfu,
    /// Days the final run took by the calendar, restarts included.
    TrainingDays,
    /// Money spent on the final run, US dollars.
    Cost,
    /// Energy of the final run, megawatt-hours.
    Energy,
    /// Tokens seen in fine-tuning, every pass counted.
    FineTuneTokens,
    /// Accelerator-hours of fine-tuning.
    FineTuneHours,
    /// First day training could have started (founding, funding, cluster hand-over).
    TrainingStart,
    /// Day of release, or of the end of training.
    Release,
    /// Whether the company says the model was trained from scratch.
    FromScratch,
    /// Whether the company says it developed the model itself (自研), in other words than "from scratch".
    OwnWork,
}

impl About {
    /// Everything a claim can be about.
    pub const ALL: [Self; 24] = [
        Self::Parameters,
        Self::ActiveParameters,
        Self::Vocabulary,
        Self::ContextLength,
        Self::TrainingTokens,
        Self::CleanTokens,
        Self::Epochs,
        Self::RawData,
        Self::Flop,
        Self::GpuHours,
        Self::Gpus,
        Self::GpuModel,
        Self::Precision,
        Self::Mfu,
        Self::Hfu,
        Self::TrainingDays,
        Self::Cost,
        Self::Energy,
        Self::FineTuneTokens,
        Self::FineTuneHours,
        Self::TrainingStart,
        Self::Release,
        Self::FromScratch,
        Self::OwnWork,
    ];

    /// The word for it in files, facts and language keys.
    pub fn word(self) -> &'static str {
        match self {
            Self::Parameters => "parameters",
            Self::ActiveParameters => "active_parameters",
            Self::Vocabulary => "vocabulary",
            Self::ContextLength => "context_length",
            Self::TrainingTokens => "training_tokens",
            Self::CleanTokens => "clean_tokens",
            Self::Epochs => "epochs",
            Self::RawData => "raw_data",
            Self::Flop => "flop",
            Self::GpuHours => "gpu_hours",
            Self::Gpus => "gpus",
            Self::GpuModel => "gpu_model",
            Self::Precision => "precision",
            Self::Mfu => "mfu",
            Self::Hfu => "hfu",
            Self::TrainingDays => "training_days",
            Self::Cost => "cost",
            Self::Energy => "energy",
            Self::FineTuneTokens => "fine_tune_tokens",
            Self::FineTuneHours => "fine_tune_hours",
            Self::TrainingStart => "training_start",
            Self::Release => "release",
            Self::FromScratch => "from_scratch",
            Self::OwnWork => "own_work",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_the_words_of_the_files() {
        for about in About::ALL {
            assert_eq!(serde_json::to_value(about).unwrap(), about.word());
        }
    }

    #[test]
    fn the_list_is_whole_and_in_order() {
        assert!(About::ALL.windows(2).all(|it| it[0] < it[1]));
        assert_eq!(About::ALL.len(), About::OwnWork as usize + 1);
    }
}
