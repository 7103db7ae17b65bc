//! Explains anything that has an id, from the same data that uses it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::blueprint;
use crate::checkpoint::{self, Reading};
use crate::cli::{Failure, Terminal};
use crate::fact::{DisguiseId, RuleId, StatisticId, StepId, Text, WeightsRelation};
use crate::report::Language;
use crate::rubric;
use crate::rubric::{Criterion, Gate, Rubric, Verdict};
use crate::tokenizer;

/// Below this likeness a name is no suggestion.
const LIKE_ENOUGH: f64 = 0.7;

/// Kinds of ids, in the order of the list.
const KINDS: [&str; 11] =
    ["criterion", "gate", "verdict", "finding", "layout", "relation", "rule", "statistic", "disguise", "step", "term"];

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A criterion (`T1`), gate (`G-COVER`), verdict, finding, layout of files, check, relation, rule, statistic,
    /// disguise, recipe step or kind of merge; all ids where left out
    id: Option<String>,
    /// The rubric that criteria, gates and verdicts are taken from
    #[arg(long, value_name = "ID|PATH", default_value = "llm-originality")]
    rubric: String,
    /// Language to explain in; findings are explained in English
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let rubric = rubric::find(&arguments.rubric, &PathBuf::from("."))?;
    let entries = entries(&rubric, &Language::find(&arguments.language)?);
    let Some(id) = &arguments.id else {
        terminal.print(&listed(&entries));
        return Ok(ExitCode::SUCCESS);
    };
    // A verdict and a relation may share a word: whoever asks gets both.
    // Files write `not_computable` where the list says `not computable`.
    let spaced = id.replace('_', " ");
    let found = entries.iter().filter(|it| it.id.eq_ignore_ascii_case(id) || it.id.eq_ignore_ascii_case(&spaced));
    let found: Vec<String> = found.map(|it| format!("{} ({})\n\n{}", it.id, it.kind, it.text)).collect();
    if found.is_empty() {
        return Err(unknown(id, &entries));
    }
    terminal.print(&found.join("\n\n"));
    Ok(ExitCode::SUCCESS)
}

/// One id and what is to be said of it.
struct Entry {
    kind: &'static str,
    id: String,
    text: String,
}

fn entries(rubric: &Rubric, language: &Language) -> Vec<Entry> {
    let mut all = Vec::new();
    let mut add = |kind, id: &str, text| all.push(Entry { kind, id: id.to_owned(), text });
    for it in &rubric.criteria {
        add("criterion", &it.id, criterion(it, language.tag()));
    }
    for it in &rubric.gates {
        add("gate", &it.id, gate(it, language.tag()));
    }
    for it in &rubric.verdicts {
        add("verdict", &it.id, verdict(it, language.tag()));
    }
    for (code, meaning, advice) in checkpoint::FINDINGS.iter().chain(tokenizer::FINDINGS).chain(blueprint::FINDINGS) {
        add("finding", code, format!("{meaning}\n\nWhat to do: {advice}"));
    }
    for it in checkpoint::LAYOUTS {
        let how_far = match it.reading {
            Reading::Numbers => "numbers",
            Reading::Sizes => "sizes",
            Reading::Named => "named",
        };
        let texts = [format!("explain.{}", it.id), format!("layout.reading.{how_far}")].map(|key| language.get(&key));
        add("layout", it.id, texts.map(|text| text.unwrap_or_default()).join("\n\n"));
    }
    let is_layout = |key: &str| checkpoint::LAYOUTS.iter().any(|it| key.strip_prefix("explain.") == Some(it.id));
    for key in language.keys().filter(|it| it.starts_with("explain.") && !is_layout(it)) {
        let id = key.trim_start_matches("explain.");
        let text = language.get(key).expect("it is one of its keys");
        let kind = ids_of_weights().find(|it| it.1 == id).map_or("term", |it| it.0);
        add(kind, &id.replace('_', " "), text.to_owned());
    }
    all
}

/// Every id that an answer on weights may hold, with its kind.
fn ids_of_weights() -> impl Iterator<Item = (&'static str, &'static str)> {
    let relations = WeightsRelation::ALL.iter().map(|it| ("relation", it.word()));
    let rules = RuleId::ALL.iter().map(|it| ("rule", it.word()));
    let statistics = StatisticId::ALL.iter().map(|it| ("statistic", it.word()));
    let disguises = DisguiseId::ALL.iter().map(|it| ("disguise", it.word()));
    let steps = StepId::ALL.iter().map(|it| ("step", it.word()));
    relations.chain(rules).chain(statistics).chain(disguises).chain(steps)
}

fn criterion(it: &Criterion, language: &str) -> String {
    let words = |text: &Text| text.in_language(language).to_owned();
    let mut lines = vec![words(&it.question), String::new(), words(&it.why), String::new()];
    lines.extend(it.levels.iter().enumerate().map(|(level, text)| {
        let needs = it.needs.get(&u8::try_from(level).unwrap_or(u8::MAX));
        let needs =
            needs.map(|grade| format!("  [evidence of grade {} or better]", grade.letter())).unwrap_or_default();
        format!("  {level}  {}{needs}", words(text))
    }));
    lines.push(String::new());
    lines.push(format!("weight {} of 100, version {}, evidence: {}", it.weight, it.version, it.kinds.join(", ")));
    lines.push(words(&it.ask_for));
    lines.join("\n")
}

fn gate(it: &Gate, language: &str) -> String {
    format!("{}\n\n{}", it.name.in_language(language), it.meaning.in_language(language))
}

fn verdict(it: &Verdict, language: &str) -> String {
    let [name, meaning, advice] = [&it.name, &it.meaning, &it.recommendation].map(|text| text.in_language(language));
    format!("{name}\n\n{meaning}\n{advice}")
}

fn listed(entries: &[Entry]) -> String {
    let mut lines: Vec<String> = Vec::new();
    for kind in KINDS {
        let ids: Vec<&str> = entries.iter().filter(|it| it.kind == kind).map(|it| it.id.as_str()).collect();
        lines.push(format!("{kind}: {}", ids.join(", ")));
    }
    lines.join("\n")
}

fn unknown(id: &str, entries: &[Entry]) -> Failure {
    let likeness = |entry: &&Entry| strsim::jaro_winkler(&entry.id.to_lowercase(), &id.to_lowercase());
    let nearest = entries.iter().max_by(|one, other| likeness(one).total_cmp(&likeness(other)));
    let failure = Failure::new(format!("nothing has the id `{id}`"));
    match nearest.filter(|it| likeness(it) >= LIKE_ENOUGH) {
        Some(entry) => failure.hint(format!("did you mean `{}`?", entry.id)),
        None => failure.hint("`unshell explain` lists every id"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_check_on_claims_and_every_outcome_is_explained() {
        let outcomes = ["not_computable", "normal", "ask", "implausible", "impossible"];
        for tag in ["en", "zh-CN"] {
            let language = Language::find(tag).unwrap();
            let missing: Vec<&str> = outcomes
                .into_iter()
                .chain(crate::claims::CHECKS)
                .filter(|it| language.get(&format!("explain.{it}")).is_none())
                .collect();
            assert!(missing.is_empty(), "{tag}: {missing:?}");
        }
    }

    /// Whatever an answer names can be asked about.
    #[test]
    fn every_id_of_an_answer_is_explained() {
        for tag in ["en", "zh-CN"] {
            let language = Language::find(tag).unwrap();
            let merges = language.keys().filter_map(|key| key.strip_prefix("merge.said."));
            let ids = ids_of_weights().map(|it| it.1).chain(merges).chain(checkpoint::LAYOUTS.iter().map(|it| it.id));
            let missing: Vec<&str> = ids.filter(|it| language.get(&format!("explain.{it}")).is_none()).collect();
            assert!(missing.is_empty(), "{tag}: {missing:?}");
        }
    }

    /// A memo says disguises and steps in its own language.
    #[test]
    fn every_disguise_and_every_step_has_a_sentence() {
        for tag in ["en", "zh-CN"] {
            let language = Language::find(tag).unwrap();
            let sentence = |kind: &str, id| format!("{}.{id}", if kind == "disguise" { kind } else { "recipe" });
            let keys =
                ids_of_weights().filter(|it| ["disguise", "step"].contains(&it.0)).map(|it| sentence(it.0, it.1));
            let missing: Vec<String> = keys.filter(|it| language.get(it).is_none()).collect();
            assert!(missing.is_empty(), "{tag}: {missing:?}");
        }
    }
}
