//! Judges a case by its rubric, into `out/scorecard.json`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bytes;
use crate::case::Case;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal};
use crate::evidence;
use crate::evidence::Evidence;
use crate::fact::{Interval, Text, Truth};
use crate::rubric;
use crate::scoring;
use crate::scoring::{GateOutcome, Scorecard};

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder
    case: PathBuf,
    /// Print the scorecard as JSON too
    #[arg(long)]
    json: bool,
    /// End with exit code 1 if this gate is tripped and not waived; `any` for any gate
    #[arg(long, value_name = "GATE")]
    fail_on: Vec<String>,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let case = Case::read(&arguments.case)?;
    let evidence = evidence::store::read_current(&case)?;
    let card = score(&case, &evidence)?;
    check_gates_exist(&arguments.fail_on, &card)?;
    let path = write(&case.folder, &card)?;
    if arguments.json {
        terminal.print_json(&card);
    } else {
        terminal.print(&summary(&card));
    }
    terminal.say(&format!("wrote {}", path.display()));
    Ok(exit_code(&arguments.fail_on, &card, terminal))
}

/// Judges a case by the rubric it names.
pub(crate) fn score(case: &Case, evidence: &Evidence) -> Result<Scorecard, Failure> {
    let rubric = rubric::find(&case.rubric, &case.folder)?;
    Ok(scoring::score(&rubric, case, evidence))
}

/// Keeps a scorecard; gives the path it is kept at.
pub(crate) fn write(folder: &Path, card: &Scorecard) -> Result<PathBuf, Failure> {
    let path = folder.join(scoring::store::PATH);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)
            .map_err(|error| Failure::new(format!("could not make the folder `{}`: {error}", parent.display())))?;
    }
    bytes::replace(&path, &scoring::store::render(card)).map_err(evidence::Error::from)?;
    Ok(path)
}

/// A gate that does not exist could never fail, so a mistyped one is refused.
pub(crate) fn check_gates_exist(wanted: &[String], card: &Scorecard) -> Result<(), Failure> {
    let gates: Vec<&str> = card.gates.iter().map(|it| it.id.as_str()).collect();
    match wanted.iter().find(|it| *it != "any" && !gates.contains(&it.as_str())) {
        Some(unknown) => {
            let hint = format!("`any`, or one of {}", gates.join(", "));
            Err(Failure::new(format!("rubric `{}` has no gate `{unknown}`", card.rubric.id)).hint(hint))
        }
        None => Ok(()),
    }
}

/// 1 where a gate that was asked for is tripped and not waived.
pub(crate) fn exit_code(wanted: &[String], card: &Scorecard, terminal: &Terminal) -> ExitCode {
    let is_wanted = |gate: &&GateOutcome| wanted.iter().any(|it| it == "any" || *it == gate.id);
    let tripped = card.gates.iter().filter(is_wanted).filter(|it| it.tripped == Truth::Yes && it.waived.is_none());
    let ids: Vec<&str> = tripped.map(|it| it.id.as_str()).collect();
    if ids.is_empty() {
        return ExitCode::SUCCESS;
    }
    terminal.say(&format!("tripped: {}", ids.join(", ")));
    ExitCode::from(1)
}

/// The judgement in a few lines.
pub(crate) fn summary(card: &Scorecard) -> String {
    let language = card.languages.first().map_or("en", String::as_str);
    let words = |text: &Text| text.in_language(language).to_owned();
    let mut lines = vec![format!("{}: {} ({})", words(&card.company), words(&card.verdict.name), card.stamp)];
    lines.push(words(&card.verdict.recommendation));
    lines.push(how_decided(card, &words));
    lines.push(format!(
        "coverage {:.0}%, confidence {} ({:.0}% of weight), score {}",
        card.coverage * 100.0,
        card.confidence.word,
        card.confidence.share * 100.0,
        range(card.score)
    ));
    lines.push(String::new());
    lines.push(pillars(card, &words));
    let notable = card.gates.iter().filter(|it| it.tripped != Truth::No);
    lines.extend(notable.map(|it| format!("gate {}: {} ({})", it.id, state(it), words(&it.name))));
    let checks = card.checks.iter();
    lines.extend(
        checks.map(|it| format!("claims, {}: {}", it.id.replace('_', " "), it.outcome.word().replace('_', " "))),
    );
    lines.extend(card.questions.iter().take(3).map(|it| format!("ask next, {}: {}", it.criterion, words(&it.ask_for))));
    lines.join("\n")
}

fn how_decided(card: &Scorecard, words: &dyn Fn(&Text) -> String) -> String {
    let verdict = &card.verdict;
    let deciding = verdict.deciding.as_deref().unwrap_or_default();
    match verdict.decided_by.as_str() {
        "gate" => format!("decided by gate {deciding}"),
        "table" if verdict.holds_whatever_the_weights == Some(true) => {
            format!("decided by the table (rows {deciding}), whoever the weights belong to")
        }
        "table" => format!("decided by the table (rows {deciding})"),
        _ => {
            let possible: Vec<String> = verdict.possible.iter().map(|it| words(&it.name)).collect();
            format!("still possible: {}", possible.join("; "))
        }
    }
}

fn pillars(card: &Scorecard, words: &dyn Fn(&Text) -> String) -> String {
    let mut table = table(["pillar", "score 0-4", "coverage"]);
    for pillar in &card.pillars {
        let score = pillar.score.map_or_else(|| "does not apply".to_owned(), range);
        table.add_row([words(&pillar.name), score, format!("{:.0}%", pillar.coverage * 100.0)]);
    }
    table.to_string()
}

fn state(gate: &GateOutcome) -> &'static str {
    match (gate.tripped, &gate.waived) {
        (Truth::Yes, Some(_)) => "tripped and waived",
        (Truth::Yes, None) => "tripped",
        (Truth::Maybe, _) => "open",
        (Truth::No, _) => "clear",
    }
}

fn range(interval: Interval) -> String {
    if interval.width() < 0.05 {
        format!("{:.1}", interval.low)
    } else {
        format!("{:.1}-{:.1}", interval.low, interval.high)
    }
}
