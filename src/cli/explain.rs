//! Explains anything that has an id, from the same data that uses it.

use std::path::PathBuf;
use std::process::ExitCode;

use crate::blueprint;
use crate::checkpoint::{self, Reading};
use crate::cli::{Failure, Terminal};
use crate::fact::Text;
use crate::report::Language;
use crate::rubric;
use crate::rubric::{Criterion, Gate, Rubric, Verdict};
use crate::tokenizer;

/// Below this likeness a name is no suggestion.
const LIKE_ENOUGH: f64 = 0.7;

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
        let id = key.trim_start_matches("explain.").replace('_', " ");
        let text = language.get(key).expect("it is one of its keys");
        add("term", &id, text.to_owned());
    }
    all
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
    for kind in ["criterion", "gate", "verdict", "finding", "layout", "term"] {
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
    fn every_disguise_every_step_of_a_recipe_every_kind_of_merge_and_every_layout_is_explained() {
        for tag in ["en", "zh-CN"] {
            let language = Language::find(tag).unwrap();
            let families = ["disguise.", "recipe.", "merge.said."];
            let ids = language.keys().filter_map(|key| families.iter().find_map(|it| key.strip_prefix(it)));
            let ids: Vec<&str> = ids.collect();
            assert!(ids.len() > 30, "{ids:?}");
            let layouts = checkpoint::LAYOUTS.iter().map(|it| it.id);
            let ids: Vec<&str> = ids.into_iter().chain(layouts).collect();
            let missing: Vec<&&str> =
                ids.iter().filter(|it| language.get(&format!("explain.{it}")).is_none()).collect();
            assert!(missing.is_empty(), "{tag}: {missing:?}");
        }
    }
}
