//! The rules for sentences, as `catalog/disclosure/rules.yaml` has them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use schemars::JsonSchema;
use serde::Deserialize;

use crate::disclosure::patterns::Pattern;
use crate::fact::{StatedAbout, StatedPart};
use crate::shelf;
use crate::yaml;

/// The file as it is written.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Written {
    #[serde(rename = "self")]
    itself: Vec<String>,
    rules: Vec<WrittenRule>,
    guards: Guards<String>,
    nouns: BTreeMap<String, Vec<String>>,
    behind_name: Vec<String>,
    triggers: Vec<String>,
}

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct WrittenRule {
    id: String,
    about: StatedAbout,
    #[serde(default)]
    part: Option<StatedPart>,
    #[serde(default)]
    relation: Option<String>,
    patterns: Vec<String>,
}

/// What keeps a match from being a statement.
#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct Guards<T> {
    pub(crate) negated: Vec<T>,
    pub(crate) not_negated: Vec<T>,
    pub(crate) attributed: Vec<T>,
    pub(crate) comparison: Vec<T>,
    pub(crate) hypothetical: Vec<T>,
    pub(crate) other_subject: Vec<T>,
}

/// One rule.
#[derive(Debug)]
pub(crate) struct Rule {
    pub(crate) id: String,
    pub(crate) about: StatedAbout,
    pub(crate) part: Option<StatedPart>,
    pub(crate) relation: Option<String>,
    pub(crate) patterns: Vec<Pattern>,
}

/// All of them.
#[derive(Debug)]
pub(crate) struct Rules {
    pub(crate) itself: Vec<Pattern>,
    pub(crate) rules: Vec<Rule>,
    pub(crate) guards: Guards<Pattern>,
    /// Words for parts; `None` for what is no part of the model.
    pub(crate) nouns: Vec<(String, Option<StatedPart>)>,
    pub(crate) behind_name: BTreeSet<String>,
    pub(crate) triggers: Vec<Pattern>,
}

impl Rules {
    /// The rules that ship inside the program.
    pub(crate) fn builtin() -> &'static Self {
        static BUILTIN: LazyLock<Rules> = LazyLock::new(|| {
            let file = "disclosure/rules.yaml";
            let bytes = shelf::find(shelf::CATALOG, file).expect("it ships inside the program");
            Rules::new(yaml::read(file, bytes).expect("a test reads it"))
        });
        &BUILTIN
    }

    fn new(written: Written) -> Self {
        let rules = written.rules.into_iter().map(|it| Rule {
            id: it.id,
            about: it.about,
            part: it.part,
            relation: it.relation,
            patterns: parsed(&it.patterns),
        });
        let guards = &written.guards;
        let mut nouns: Vec<(String, Option<StatedPart>)> =
            written.nouns.iter().flat_map(|(part, words)| words.iter().map(|it| (it.clone(), part_of(part)))).collect();
        // Of two that begin alike the longer one is meant.
        nouns.sort_by(|left, right| right.0.len().cmp(&left.0.len()).then_with(|| left.0.cmp(&right.0)));
        Self {
            itself: parsed(&written.itself),
            rules: rules.collect(),
            guards: Guards {
                negated: parsed(&guards.negated),
                not_negated: parsed(&guards.not_negated),
                attributed: parsed(&guards.attributed),
                comparison: parsed(&guards.comparison),
                hypothetical: parsed(&guards.hypothetical),
                other_subject: parsed(&guards.other_subject),
            },
            nouns,
            behind_name: written.behind_name.into_iter().collect(),
            triggers: parsed(&written.triggers),
        }
    }
}

fn parsed(patterns: &[String]) -> Vec<Pattern> {
    patterns.iter().map(|it| Pattern::parse(it)).collect()
}

fn part_of(word: &str) -> Option<StatedPart> {
    match word {
        "tokenizer" => Some(StatedPart::Tokenizer),
        "architecture" => Some(StatedPart::Architecture),
        "code" => Some(StatedPart::Code),
        "data" => Some(StatedPart::Data),
        _ => None,
    }
}
