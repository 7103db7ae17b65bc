//! A rubric as its file writes it.

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::fact::Text;
use crate::rubric::{Axes, Criterion, EvidenceRules, Gate, Pillar, Robustness, Row, Rubric, Verdict};

/// A rubric: pillars, criteria with anchored levels, evidence rules, gates and the decision table.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[schemars(title = "unshell rubric")]
pub struct RubricAsWritten {
    /// Which kind of file this is, and which version of its format.
    pub schema: RubricSchema,
    /// Short id, the same as the file's name without `.yaml`.
    pub id: String,
    /// Version of the whole rubric, three numbers as in `1.0.0`.
    pub version: String,
    /// Date of release.
    pub released: NaiveDate,
    /// Languages every text is written in; the first one controls.
    #[schemars(length(min = 1))]
    pub languages: Vec<String>,
    /// What the rubric is called.
    pub title: Text,
    /// Names of the five levels, from 0 up.
    pub levels: Vec<Text>,
    /// Evidence kinds, methods and grades, and what each grade may buy.
    pub evidence: EvidenceRules,
    /// Pillars in order of printing; their weights add up to 100.
    pub pillars: Vec<Pillar>,
    /// Criteria in order of printing; the weights of a pillar's criteria add up to the pillar's.
    pub criteria: Vec<Criterion>,
    /// The axes the decision table is written in.
    pub axes: Axes,
    /// Gates, in order.
    pub gates: Vec<Gate>,
    /// Every verdict that the table or a gate can give.
    pub verdicts: Vec<Verdict>,
    /// The decision table: the first row that matches decides.
    pub decision_table: Vec<Row>,
    /// How certain a reading is, and from which share of the samples on a verdict is given.
    pub robustness: Robustness,
}

/// The format of a rubric file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub enum RubricSchema {
    /// Version 2.
    #[serde(rename = "unshell/rubric/2")]
    Two,
}

impl RubricAsWritten {
    /// The rubric itself; only for one in which nothing was found wrong.
    pub(crate) fn into_rubric(self, sha256: String) -> Rubric {
        Rubric {
            id: self.id,
            version: self.version,
            released: self.released,
            languages: self.languages,
            title: self.title,
            levels: self.levels,
            evidence: self.evidence,
            pillars: self.pillars,
            criteria: self.criteria,
            axes: self.axes,
            gates: self.gates,
            verdicts: self.verdicts,
            decision_table: self.decision_table,
            robustness: self.robustness,
            sha256,
        }
    }
}
