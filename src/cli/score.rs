//! Judges a case by its rubric, into `out/scorecard.json`.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bytes;
use crate::case::Case;
use crate::cli::said::Said;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal};
use crate::evidence;
use crate::evidence::Evidence;
use crate::fact::{Interval, Truth};
use crate::rubric;
use crate::scoring;
use crate::scoring::{Condition, ConditionKind, GateOutcome, PossibleVerdict, Scorecard};

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
        terminal.print(&summary(&card)?);
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

/// The judgement in a few lines, in the first language of the case.
pub(crate) fn summary(card: &Scorecard) -> Result<String, Failure> {
    let said = Said::in_language(card.languages.first().map(String::as_str))?;
    let mut lines = vec![title(card, &said)];
    lines.push(said.text(&card.verdict.recommendation));
    lines.push(how_decided(card, &said));
    lines.extend(card.verdict.conditions.iter().map(|it| depends(it, &said)));
    lines.push(said.fill(
        "summary.measures",
        &[
            ("coverage", &percent(card.coverage)),
            ("confidence", &said.word("confidence", &card.confidence.word)),
            ("score", &range(card.score)),
        ],
    ));
    lines.extend(card.models.iter().map(|it| {
        let fact = said.message(&it.verdict.fact);
        let verdict = said.text(&it.verdict.name);
        said.fill("summary.model", &[("model", &said.text(&it.name)), ("verdict", &verdict), ("fact", &fact)])
    }));
    lines.push(String::new());
    lines.push(pillars(card, &said));
    let notable = card.gates.iter().filter(|it| it.tripped != Truth::No);
    lines.extend(notable.map(|it| {
        let state = said.fill(state(it), &[]);
        said.fill("summary.gate", &[("id", &it.id), ("state", &state), ("name", &said.text(&it.name))])
    }));
    lines.extend(card.checks.iter().map(|it| {
        let outcome = said.word("outcome", it.outcome.word());
        said.fill("summary.claims", &[("check", &said.word("check", &it.id)), ("outcome", &outcome)])
    }));
    lines.extend(
        card.questions
            .iter()
            .take(3)
            .map(|it| said.fill("summary.ask", &[("criterion", &it.criterion), ("ask_for", &said.text(&it.ask_for))])),
    );
    said.checked(lines.join("\n"))
}

fn title(card: &Scorecard, said: &Said) -> String {
    let stamp = said.word("stamp", &card.stamp);
    let strength = card.verdict.strength.map(|it| said.word("strength", it.word()));
    let details: Vec<String> = strength.into_iter().chain([stamp]).collect();
    let details = details.join(&said.fill("style.list", &[]));
    let (company, verdict) = (said.text(&card.company), said.text(&card.verdict.name));
    said.fill("summary.title", &[("company", &company), ("verdict", &verdict), ("details", &details)])
}

fn depends(condition: &Condition, said: &Said) -> String {
    match condition.kind {
        ConditionKind::Order => said.fill("heading.depends_order", &[]),
        ConditionKind::Test => said.fill("heading.depends_test", &[("hours", &said.number(condition.hours))]),
    }
}

fn how_decided(card: &Scorecard, said: &Said) -> String {
    let verdict = &card.verdict;
    let deciding = verdict.deciding.as_deref().unwrap_or_default();
    match verdict.decided_by.as_str() {
        "gate" => said.fill("summary.decided_gate", &[("gate", deciding)]),
        "sold_model" => said.fill("summary.decided_sold", &[("model", deciding)]),
        "table" if verdict.holds_whatever_the_weights == Some(true) => {
            said.fill("summary.decided_whatever", &[("rows", deciding)])
        }
        "table" => said.fill("summary.decided_table", &[("rows", deciding)]),
        _ => {
            let clause = said.fill("style.clause", &[]);
            let possible: Vec<String> = verdict.possible.iter().map(|it| possible(it, said)).collect();
            said.fill("summary.possible", &[("possible", &possible.join(&clause))])
        }
    }
}

fn possible(possible: &PossibleVerdict, said: &Said) -> String {
    let share = match (possible.lowest, possible.highest) {
        (low, high) if low == high => format!("{low}%"),
        (low, high) => format!("{low}-{high}%"),
    };
    said.fill("likelihood.possible", &[("verdict", &said.text(&possible.name)), ("share", &share)])
}

fn pillars(card: &Scorecard, said: &Said) -> String {
    let heads = ["column.pillar", "column.score", "column.coverage"].map(|it| said.fill(it, &[]));
    let mut table = table(heads.each_ref().map(String::as_str));
    for pillar in &card.pillars {
        let score = pillar.score.map_or_else(|| said.fill("word.not_applicable", &[]), range);
        table.add_row([said.text(&pillar.name), score, percent(pillar.coverage)]);
    }
    table.to_string()
}

fn state(gate: &GateOutcome) -> &'static str {
    match (gate.tripped, &gate.waived) {
        (Truth::Yes, Some(_)) => "gate.waived",
        (Truth::Yes, None) => "gate.tripped",
        (Truth::Maybe, _) => "gate.open",
        (Truth::No, _) => "gate.clear",
    }
}

fn percent(share: f64) -> String {
    format!("{:.0}%", share * 100.0)
}

fn range(interval: Interval) -> String {
    if interval.width() < 0.05 {
        format!("{:.1}", interval.low)
    } else {
        format!("{:.1}-{:.1}", interval.low, interval.high)
    }
}
