//! The bands that results are held against: a dated data file with the source of every figure.

use chrono::NaiveDate;
use serde::Deserialize;

use crate::claims::{BandMark, Outcome};
use crate::fact::Interval;
use crate::shelf;

/// Version of the file format.
pub const BANDS_SCHEMA: &str = "unshell/bands/1";

/// One bands file.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bands {
    /// [`BANDS_SCHEMA`].
    pub schema: String,
    /// The day its figures were looked up.
    pub date: NaiveDate,
    /// Model FLOP utilisation of a run, as a share of the dense peak.
    pub utilisation: SourcedMarks,
    /// How much more than 6 FLOP per active parameter and token a mixture of experts spends.
    pub mixture_overhead: SourcedRange,
    /// Accelerators with their peaks.
    pub accelerators: Vec<Accelerator>,
    /// The accelerator that is assumed where none is named.
    pub assumed_accelerator: String,
    /// The number format that is assumed where nothing is named.
    pub assumed_precision: String,
    /// Share of calendar time that a cluster computes.
    pub availability: SourcedRange,
    /// US dollars for an accelerator-hour.
    pub hour_price: SourcedRange,
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

/// One accelerator.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Accelerator {
    /// Its name.
    pub name: String,
    /// Other spellings of the name.
    pub also: Vec<String>,
    /// Dense peak in FLOP per second by number format.
    pub peaks: std::collections::BTreeMap<String, f64>,
    /// Where the peaks come from.
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

    /// An accelerator by its name or another spelling of it, in any case.
    pub fn accelerator(&self, name: &str) -> Option<&Accelerator> {
        let name = name.trim();
        self.accelerators
            .iter()
            .find(|it| it.name.eq_ignore_ascii_case(name) || it.also.iter().any(|also| also.eq_ignore_ascii_case(name)))
    }

    /// Every number format that any accelerator has a peak for, sorted.
    pub fn precisions(&self) -> Vec<String> {
        let mut precisions: Vec<_> = self.accelerators.iter().flat_map(|it| it.peaks.keys().cloned()).collect();
        precisions.sort();
        precisions.dedup();
        precisions
    }

    /// The share of the peak that comparable runs reach.
    pub fn normal_utilisation(&self) -> Interval {
        normal(&self.utilisation.marks).expect("a test keeps the file honest")
    }

    /// The highest utilisation that still counts as `outcome`.
    pub fn highest(&self, outcome: Outcome) -> f64 {
        let bounds = self.utilisation.marks.iter().filter(|it| it.outcome == outcome).filter_map(|it| it.to);
        bounds.max_by(f64::total_cmp).unwrap_or(1.0)
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
            for marks in [&bands.utilisation.marks, &bands.data_yield.marks, &bands.cluster_marks()] {
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
            let lists = [&bands.utilisation.sources, &bands.data_yield.sources, &bands.availability.sources];
            assert!(lists.into_iter().all(|it| !it.is_empty()));
            assert!(!bands.mixture_overhead.sources.is_empty() && !bands.hour_price.sources.is_empty());
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
    fn the_assumed_accelerator_is_the_slowest() {
        for (_, bands) in every_file() {
            let precision = &bands.assumed_precision;
            let assumed = bands.accelerator(&bands.assumed_accelerator).unwrap().peaks[precision];
            assert!(bands.accelerators.iter().all(|it| it.peaks[precision] >= assumed));
        }
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
