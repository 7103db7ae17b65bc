//! The units a claim may be given in: a closed list for each thing a claim can be about.

use crate::claims::About;

/// A unit, and how many base units it is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Unit {
    /// As the case file writes it.
    pub name: &'static str,
    /// Base units (parameters, tokens, bytes, hours, accelerators, US dollars) in one of it.
    pub factor: f64,
}

/// What kind of value a claim carries.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Expected {
    /// A number in one of these units; the first is the usual one.
    Number(&'static [Unit]),
    /// A day.
    Date,
    /// Yes or no.
    YesOrNo,
    /// A name of a closed list.
    Name,
}

impl About {
    /// Everything a claim can be about.
    pub const ALL: [Self; 14] = [
        Self::Parameters,
        Self::ActiveParameters,
        Self::TrainingTokens,
        Self::CleanTokens,
        Self::RawData,
        Self::GpuHours,
        Self::Gpus,
        Self::GpuModel,
        Self::Precision,
        Self::Cost,
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
            Self::TrainingTokens => "training_tokens",
            Self::CleanTokens => "clean_tokens",
            Self::RawData => "raw_data",
            Self::GpuHours => "gpu_hours",
            Self::Gpus => "gpus",
            Self::GpuModel => "gpu_model",
            Self::Precision => "precision",
            Self::Cost => "cost",
            Self::TrainingStart => "training_start",
            Self::Release => "release",
            Self::FromScratch => "from_scratch",
            Self::OwnWork => "own_work",
        }
    }

    /// What a claim about it must state.
    pub fn expected(self) -> Expected {
        match self {
            Self::Parameters | Self::ActiveParameters => Expected::Number(PARAMETERS),
            Self::TrainingTokens | Self::CleanTokens => Expected::Number(TOKENS),
            Self::RawData => Expected::Number(BYTES),
            Self::GpuHours => Expected::Number(HOURS),
            Self::Gpus => Expected::Number(ACCELERATORS),
            Self::Cost => Expected::Number(DOLLARS),
            Self::GpuModel | Self::Precision => Expected::Name,
            Self::TrainingStart | Self::Release => Expected::Date,
            Self::FromScratch | Self::OwnWork => Expected::YesOrNo,
        }
    }
}

const fn unit(name: &'static str, factor: f64) -> Unit {
    Unit { name, factor }
}

// 亿 and 万亿 are how Chinese press releases count; nobody should have to convert a quote by hand.
const PARAMETERS: &[Unit] =
    &[unit("B parameters", 1e9), unit("M parameters", 1e6), unit("T parameters", 1e12), unit("亿参数", 1e8)];
const TOKENS: &[Unit] = &[
    unit("T tokens", 1e12),
    unit("B tokens", 1e9),
    unit("M tokens", 1e6),
    unit("万亿 tokens", 1e12),
    unit("亿 tokens", 1e8),
];
// Decimal and binary multiples differ by 13% at a petabyte, so both are spelled out.
const BYTES: &[Unit] = &[
    unit("PB", 1e15),
    unit("TB", 1e12),
    unit("GB", 1e9),
    unit("PiB", 1_125_899_906_842_624.0),
    unit("TiB", 1_099_511_627_776.0),
];
const HOURS: &[Unit] = &[
    unit("GPU-hours", 1.0),
    unit("hours", 1.0),
    unit("M GPU-hours", 1e6),
    unit("GPU-days", 24.0),
    unit("万卡时", 1e4),
];
const ACCELERATORS: &[Unit] = &[unit("GPUs", 1.0)];
const DOLLARS: &[Unit] = &[unit("USD", 1.0), unit("M USD", 1e6)];

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
    fn every_unit_is_a_positive_multiple_and_named_once() {
        for about in About::ALL {
            let Expected::Number(units) = about.expected() else { continue };
            for (idx, unit) in units.iter().enumerate() {
                assert!(unit.factor >= 1.0, "{}", unit.name);
                assert!(units[..idx].iter().all(|it| it.name != unit.name), "{}", unit.name);
            }
        }
    }
}
