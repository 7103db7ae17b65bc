//! The bands that results are compared with: a dated data file with the source of every figure.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use crate::claims::{BandMark, Outcome, spelling};
use crate::fact::Interval;
use crate::shelf;

/// Version of the file format.
pub const BANDS_SCHEMA: &str = "unshell/bands/2";

/// One bands file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// [`BANDS_SCHEMA`].
    pub schema: String,
    /// The day its figures were looked up.
    pub date: NaiveDate,
    /// How far a stated figure may have been rounded.
    pub rounding: Rounding,
    /// Model FLOP utilization of a run, as a share of the dense peak.
    pub utilization: SourcedMarks,
    /// How much more than 6 FLOP per active parameter and token a mixture of experts spends.
    pub mixture_overhead: SourcedRange,
    /// Active parameters of a mixture of experts, as a share of all.
    pub mixture_share: SourcedRange,
    /// Hidden size over depth of dense models, for the work of attention where neither is known.
    pub width_over_depth: SourcedRange,
    /// Accelerators with their peaks.
    pub accelerators: Vec<Accelerator>,
    /// The accelerator that is assumed where none is named.
    pub assumed_accelerator: String,
    /// The number format that is assumed where nothing is named.
    pub assumed_precision: String,
    /// Share of calendar time that a cluster computes.
    pub availability: SourcedRange,
    /// US dollars for an accelerator-hour, where hours must be reckoned from money.
    pub hour_price: SourcedRange,
    /// US dollars for an accelerator-hour, where both hours and money are stated.
    pub cost: SourcedMarks,
    /// Yuan for a US dollar, ascending by date.
    pub yuan: Vec<Rate>,
    /// Passes over clean data.
    pub epochs: SourcedMarks,
    /// Clean tokens times passes, over the tokens seen.
    pub passes: SourcedMarks,
    /// Counted in the files, over what was claimed.
    pub counted: SourcedMarks,
    /// Compute as stated, over what follows from parameters and tokens.
    pub flop: SourcedMarks,
    /// Accelerator-hours, over accelerators x 24 x days of the run.
    pub wall_clock: SourcedMarks,
    /// Energy per accelerator-hour, over the board power of the accelerator.
    pub energy: SourcedMarks,
    /// Share of the peak in a fine-tuning run.
    pub fine_tune: SourcedMarks,
    /// What is usual and what is unheard of in cluster sizes.
    pub cluster: Cluster,
    /// Published runs.
    pub runs: Vec<Run>,
    /// Clean tokens for each petabyte of raw data.
    pub data_yield: SourcedMarks,
}

/// Bands over a scale, and where they come from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcedMarks {
    /// Ascending, without gaps.
    pub marks: Vec<BandMark>,
    /// Where the bounds come from.
    pub sources: Vec<String>,
}

/// A range, and where it comes from.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct SourcedRange {
    /// Lower bound.
    pub from: f64,
    /// Upper bound.
    pub to: f64,
    /// Where the bounds come from.
    pub sources: Vec<String>,
}

/// How far a stated figure may have been rounded.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rounding {
    /// This share at least.
    pub always: f64,
    /// Half of the last stated digit, but no more than this share.
    pub at_most: f64,
    /// The same for the size in the name of a model (`1B`), which is rounded more coarsely.
    pub name: f64,
    /// Where the shares come from.
    pub sources: Vec<String>,
}

/// Yuan for a US dollar on a day.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rate {
    /// The day.
    pub date: NaiveDate,
    /// Yuan for a dollar.
    pub yuan: f64,
    /// Where it was published.
    pub source: String,
}

/// A peak: one figure, or a range over the versions that go by one name.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(untagged)]
pub enum Peak {
    /// FLOP per second.
    One(f64),
    /// The slowest and the fastest version.
    Versions {
        /// FLOP per second of the slowest.
        from: f64,
        /// FLOP per second of the fastest.
        to: f64,
    },
}

impl Peak {
    /// The peak as an interval.
    pub fn interval(self) -> Interval {
        match self {
            Self::One(peak) => Interval::exactly(peak),
            Self::Versions { from, to } => Interval::new(from, to),
        }
    }
}

/// One accelerator.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accelerator {
    /// Its name.
    pub name: String,
    /// Other spellings of the name.
    pub also: Vec<String>,
    /// Dense peak in FLOP per second by number format.
    pub peaks: BTreeMap<String, Peak>,
    /// Number formats that it has no units for. A format in neither list is one of which no peak is known.
    #[serde(default)]
    pub lacks: Vec<String>,
    /// Board power in watts; none where no maker published it.
    pub power: Option<f64>,
    /// The day it was announced; none where there was no announcement.
    pub announced: Option<NaiveDate>,
    /// Where the figures come from.
    pub sources: Vec<String>,
}

/// Cluster sizes.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Cluster {
    /// So many times the largest published cluster is still a question; beyond it nobody is on record.
    pub implausible_above_largest: f64,
    /// The middle half of published clusters of large runs.
    pub typical: Span,
}

/// A range of counts.
#[derive(Clone, Copy, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Span {
    /// Smallest.
    pub from: u32,
    /// Largest.
    pub to: u32,
}

/// A run that its makers described.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Run {
    /// The model.
    pub model: String,
    /// Active parameters.
    pub parameters: f64,
    /// Tokens seen.
    pub tokens: f64,
    /// Accelerator.
    pub accelerator: String,
    /// Accelerators used at once.
    pub gpus: u32,
    /// Where the figures come from.
    pub source: String,
}

impl SourcedRange {
    /// The range as an interval.
    pub fn interval(&self) -> Interval {
        Interval::new(self.from, self.to)
    }
}

impl Bands {
    /// The newest bands file that ships inside the program.
    pub fn shipped() -> Self {
        let (path, bytes) = shelf::below(shelf::RUBRICS, "bands").last().expect("a bands file ships with the program");
        serde_yaml::from_slice(bytes).unwrap_or_else(|error| panic!("`rubrics/bands/{path}`: {error}"))
    }

    /// An accelerator by its name or another spelling of it: case, maker, memory, form factor and spaces do not matter.
    pub fn accelerator(&self, name: &str) -> Option<&Accelerator> {
        let wanted = accelerator_key(name);
        let is_wanted =
            |it: &&Accelerator| std::iter::once(&it.name).chain(&it.also).any(|it| accelerator_key(it) == wanted);
        if wanted.is_empty() { None } else { self.accelerators.iter().find(is_wanted) }
    }

    /// A number format by its name or another spelling of it.
    pub fn precision(&self, name: &str) -> Option<String> {
        let plain = spelling::plain(name).to_lowercase();
        let plain = plain.trim_end_matches("mixed precision").trim_end_matches("混合精度").trim();
        let plain = match plain {
            "bfloat16" | "bf-16" => "bf16",
            "float16" | "half" | "fp-16" => "fp16",
            "float8" | "fp-8" | "fp8 e4m3" => "fp8",
            other => other,
        };
        self.precisions().into_iter().find(|it| it == plain)
    }

    /// The rate of a day: the last one published by then, or the first there is.
    pub fn rate(&self, day: NaiveDate) -> Option<&Rate> {
        self.yuan.iter().rev().find(|it| it.date <= day).or(self.yuan.first())
    }

    /// Every number format that any accelerator has a peak for, sorted.
    pub fn precisions(&self) -> Vec<String> {
        let mut precisions: Vec<_> = self.accelerators.iter().flat_map(|it| it.peaks.keys().cloned()).collect();
        precisions.sort();
        precisions.dedup();
        precisions
    }

    /// The share of the peak that comparable runs reach.
    pub fn normal_utilization(&self) -> Interval {
        normal(&self.utilization.marks).expect("a test keeps the file honest")
    }

    /// The highest utilization that still counts as `outcome`.
    pub fn highest(&self, outcome: Outcome) -> f64 {
        let bounds = self.utilization.marks.iter().filter(|it| it.outcome == outcome).filter_map(|it| it.to);
        bounds.max_by(f64::total_cmp).unwrap_or(1.0)
    }

    /// The lowest price of an accelerator-hour that is not implausible, US dollars.
    pub fn lowest_price(&self) -> f64 {
        let marks = self.cost.marks.iter().filter(|it| it.outcome < Outcome::Implausible).filter_map(|it| it.from);
        marks.min_by(f64::total_cmp).unwrap_or(self.hour_price.from)
    }

    /// Bounds for the number of accelerators a run needs, from published clusters.
    pub fn cluster_marks(&self) -> Vec<BandMark> {
        let largest = self.runs.iter().map(|it| it.gpus).max().map_or(0.0, f64::from);
        let unheard_of = largest * self.cluster.implausible_above_largest;
        vec![
            BandMark { outcome: Outcome::Normal, from: None, to: Some(largest) },
            BandMark { outcome: Outcome::Ask, from: Some(largest), to: Some(unheard_of) },
            BandMark { outcome: Outcome::Implausible, from: Some(unheard_of), to: None },
        ]
    }

    /// The published run with the most accelerators.
    pub fn largest_run(&self) -> Option<&Run> {
        self.runs.iter().max_by_key(|it| it.gpus)
    }
}

/// Words in the name of an accelerator that do not tell which one it is.
const NOISE: &[&str] = &[
    "nvidia",
    "amd",
    "huawei",
    "google",
    "cloud",
    "instinct",
    "tesla",
    "geforce",
    "gpu",
    "gpus",
    "npu",
    "npus",
    "card",
    "cards",
    "tensor",
    "core",
    "sxm",
    "sxm2",
    "sxm3",
    "sxm4",
    "sxm5",
    "hgx",
    "dgx",
    "oam",
    "hbm",
    "hbm2",
    "hbm2e",
    "hbm3",
    "hbm3e",
    "chip",
    "chips",
    "accelerator",
    "accelerators",
];

/// What is left of an accelerator's name when maker, memory and form factor are taken off.
fn accelerator_key(name: &str) -> String {
    let mut name = spelling::plain(name).to_lowercase();
    for (from, to) in [("昇腾", " ascend "), ("升腾", " ascend "), ("英伟达", " "), ("华为", " "), ("谷歌", " ")]
    {
        name = name.replace(from, to);
    }
    for word in ["加速卡", "显卡", "芯片", "卡"] {
        name = name.replace(word, " ");
    }
    let is_memory = |it: &str| {
        let digits = it.trim_end_matches("gib").trim_end_matches("gb").trim_end_matches('g');
        digits.len() < it.len() && digits.chars().all(|it| it.is_ascii_digit())
    };
    let words = name.split(|it: char| it.is_whitespace() || "-_/(),".contains(it)).filter(|it| !it.is_empty());
    words.filter(|it| !NOISE.contains(it) && !is_memory(it)).collect()
}

/// The normal band of a scale, where it is closed on both sides.
fn normal(marks: &[BandMark]) -> Option<Interval> {
    let mark = marks.iter().find(|it| it.outcome == Outcome::Normal)?;
    Some(Interval::new(mark.from?, mark.to?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn every_file() -> Vec<(&'static str, Bands)> {
        shelf::below(shelf::RUBRICS, "bands")
            .map(|(path, bytes)| (path, serde_yaml::from_slice(bytes).unwrap_or_else(|it| panic!("{path}: {it}"))))
            .collect()
    }

    fn scales(bands: &Bands) -> [&SourcedMarks; 10] {
        [
            &bands.utilization,
            &bands.data_yield,
            &bands.cost,
            &bands.epochs,
            &bands.passes,
            &bands.counted,
            &bands.flop,
            &bands.wall_clock,
            &bands.energy,
            &bands.fine_tune,
        ]
    }

    #[test]
    fn files_are_named_by_their_month() {
        for (path, bands) in every_file() {
            assert_eq!(path, format!("{}.yaml", bands.date.format("%Y-%m")));
            assert_eq!(bands.schema, BANDS_SCHEMA);
        }
    }

    #[test]
    fn scales_have_no_gap_and_no_overlap() {
        for (_, bands) in every_file() {
            let cluster = bands.cluster_marks();
            for marks in scales(&bands).into_iter().map(|it| &it.marks).chain([&cluster]) {
                assert_eq!(marks.first().unwrap().from, None);
                assert_eq!(marks.last().unwrap().to, None);
                assert!(marks.windows(2).all(|it| it[0].to.is_some() && it[0].to == it[1].from));
                assert!(marks.iter().all(|it| it.from.zip(it.to).is_none_or(|(from, to)| from < to)));
            }
        }
    }

    #[test]
    fn every_figure_has_a_source() {
        for (_, bands) in every_file() {
            assert!(scales(&bands).into_iter().all(|it| !it.sources.is_empty()));
            let ranges = [
                &bands.mixture_overhead,
                &bands.mixture_share,
                &bands.width_over_depth,
                &bands.availability,
                &bands.hour_price,
            ];
            assert!(ranges.into_iter().all(|it| !it.sources.is_empty() && it.from <= it.to));
            assert!(!bands.rounding.sources.is_empty());
            assert!(bands.yuan.iter().all(|it| !it.source.is_empty() && it.yuan > 0.0));
            assert!(bands.yuan.windows(2).all(|it| it[0].date < it[1].date));
            assert!(bands.accelerators.iter().all(|it| !it.sources.is_empty() && !it.peaks.is_empty()));
            assert!(bands.runs.iter().all(|it| !it.source.is_empty() && it.gpus > 0));
        }
    }

    #[test]
    fn names_inside_a_file_exist() {
        for (_, bands) in every_file() {
            let assumed = bands.accelerator(&bands.assumed_accelerator).unwrap();
            assert!(assumed.peaks.contains_key(&bands.assumed_precision));
            assert!(bands.runs.iter().all(|it| bands.accelerator(&it.accelerator).is_some()));
        }
    }

    #[test]
    fn peaks_are_those_of_matrix_units_and_formats_are_listed_once() {
        for (_, bands) in every_file() {
            for accelerator in &bands.accelerators {
                let peaks = accelerator.peaks.values().map(|it| it.interval());
                assert!(peaks.clone().all(|it| 1e14 <= it.low && it.high <= 2e16), "{}", accelerator.name);
                assert!(accelerator.lacks.iter().all(|it| !accelerator.peaks.contains_key(it)), "{}", accelerator.name);
                assert!(accelerator.power.is_none_or(|it| (70.0..3000.0).contains(&it)));
            }
        }
    }

    #[test]
    fn every_spelling_is_of_one_accelerator() {
        let bands = Bands::shipped();
        for accelerator in &bands.accelerators {
            for name in std::iter::once(&accelerator.name).chain(&accelerator.also) {
                assert_eq!(bands.accelerator(name).map(|it| &it.name), Some(&accelerator.name), "{name}");
            }
        }
    }

    #[test]
    fn accelerators_as_people_write_them() {
        for (written, name) in [
            ("NVIDIA A100 80GB", "A100"),
            ("A100-SXM4-80GB", "A100"),
            ("a100 40g", "A100"),
            ("A800 80GB PCIe", "A800"),
            ("H800 SXM", "H800"),
            ("NVIDIA H100 SXM5 80GB HBM3", "H100"),
            ("H100 PCIe", "H100 PCIe"),
            ("英伟达H20", "H20"),
            ("H200 141GB", "H200"),
            ("昇腾910B", "Ascend 910B"),
            ("华为昇腾 910B", "Ascend 910B"),
            ("Ascend 910B3", "Ascend 910B"),
            ("Ascend 910C", "Ascend 910C"),
            ("AMD Instinct MI300X", "MI300X"),
            ("Cloud TPU v5p", "TPU v5p"),
            ("TPUv4", "TPU v4"),
            ("Trillium", "TPU v6e"),
            ("RTX 4090", "RTX 4090"),
            ("GeForce RTX4090", "RTX 4090"),
            ("Tesla V100 32GB", "V100"),
            ("L40S", "L40S"),
            ("GB200 NVL72", "GB200"),
        ] {
            assert_eq!(Bands::shipped().accelerator(written).map(|it| it.name.as_str()), Some(name), "{written}");
        }
        for unknown in ["T4", "A10", "NVIDIA", "80GB", ""] {
            assert!(Bands::shipped().accelerator(unknown).is_none(), "{unknown}");
        }
        assert_eq!(Bands::shipped().precision("BF16 mixed precision").as_deref(), Some("bf16"));
        assert_eq!(Bands::shipped().precision("fp32"), None);
    }

    #[test]
    fn the_rate_is_the_last_one_by_that_day() {
        let bands = Bands::shipped();
        let rate = |day: &str| bands.rate(day.parse().unwrap()).unwrap().date.to_string();
        assert_eq!(rate("2024-01-05"), "2023-12-29");
        assert_eq!(rate("2010-01-01"), bands.yuan[0].date.to_string());
    }

    #[test]
    fn the_typical_cluster_is_the_middle_half_of_large_runs() {
        for (_, bands) in every_file() {
            let mut gpus: Vec<_> =
                bands.runs.iter().filter(|it| 6.0 * it.parameters * it.tokens >= 1e23).map(|it| it.gpus).collect();
            gpus.sort_unstable();
            let quartile = |part: usize| gpus[(gpus.len() * part).div_ceil(4) - 1];
            assert_eq!(bands.cluster.typical, Span { from: quartile(1), to: quartile(3) }, "{gpus:?}");
        }
    }
}
