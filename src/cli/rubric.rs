//! Lists, shows or checks rubrics.

use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde::Serialize;

use crate::case::{Case, Level};
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal};
use crate::fact::Text;
use crate::rubric;
use crate::rubric::{Criterion, Effect, MIN_PAIRS, Pairs, Rate, Rubric};
use crate::yaml::Problem;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, clap::Subcommand)]
enum Command {
    /// List the rubrics that ship inside the program
    List {
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Show a rubric: criteria with their levels, evidence rules, gates, decision table
    Show {
        /// Id of a rubric, or the path of one
        rubric: String,
        /// Language of the texts; the rubric's first one where left out
        #[arg(long, value_name = "TAG")]
        language: Option<String>,
        /// Write JSON, in all languages
        #[arg(long)]
        json: bool,
    },
    /// How exactly readers read levels, from cases that two or more of them read: what may replace a rubric's
    /// `exact_readings`
    Readers {
        /// Folders of closed cases
        #[arg(required = true, value_name = "CASE")]
        cases: Vec<PathBuf>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Check a rubric file and report every mistake in it
    Check {
        /// The file
        path: PathBuf,
        /// Write the mistakes as JSON
        #[arg(long)]
        json: bool,
    },
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    match &arguments.command {
        Command::List { json } => list(*json, terminal),
        Command::Show { rubric, language, json } => show(rubric, language.as_deref(), *json, terminal),
        Command::Readers { cases, json } => readers(cases, *json, terminal),
        Command::Check { path, json } => check(path, *json, terminal),
    }
}

#[derive(Serialize)]
struct Listed {
    id: String,
    version: String,
    released: chrono::NaiveDate,
    title: Text,
    languages: Vec<String>,
    criteria: usize,
    sha256: String,
}

fn list(json: bool, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let mut listed = Vec::new();
    for id in rubric::shelf_ids() {
        let it = rubric::find(id, Path::new(""))?;
        let (criteria, sha256) = (it.criteria.len(), it.sha256);
        let (id, version, released, title, languages) = (it.id, it.version, it.released, it.title, it.languages);
        listed.push(Listed { id, version, released, title, languages, criteria, sha256 });
    }
    if json {
        terminal.print_json(&listed);
        return Ok(ExitCode::SUCCESS);
    }
    let mut rows = table(["id", "version", "released", "criteria", "languages", "title"]);
    for it in &listed {
        let languages = it.languages.join(", ");
        let title = it.title.in_language(it.languages.first().map_or("en", String::as_str));
        rows.add_row([&it.id, &it.version, &it.released.to_string(), &it.criteria.to_string(), &languages, title]);
    }
    terminal.print(&rows.to_string());
    Ok(ExitCode::SUCCESS)
}

fn show(name: &str, language: Option<&str>, json: bool, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let rubric = rubric::find(name, Path::new(""))?;
    if json {
        terminal.print_json(&rubric);
        return Ok(ExitCode::SUCCESS);
    }
    let language = match language {
        Some(tag) if !rubric.languages.iter().any(|it| it == tag) => {
            let hint = format!("it is written in {}", rubric.languages.join(", "));
            return Err(Failure::new(format!("the rubric `{}` has no texts in `{tag}`", rubric.id)).hint(hint));
        }
        Some(tag) => tag,
        None => rubric.languages.first().map_or("en", String::as_str),
    };
    terminal.print(&Page { rubric: &rubric, language }.text());
    Ok(ExitCode::SUCCESS)
}

fn readers(folders: &[PathBuf], json: bool, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let mut pairs = Pairs::default();
    for folder in folders {
        let case = Case::read(folder)?;
        let rubric = rubric::find(&case.rubric, folder)?;
        double_readings(&case, &rubric, &mut pairs);
    }
    let rate = pairs.rate();
    if json {
        let cases = folders.len();
        terminal.print_json(&serde_json::json!({ "cases": cases, "pairs": pairs, "exact_readings": rate }));
        return Ok(ExitCode::SUCCESS);
    }
    terminal.print(&said_of_readers(folders.len(), pairs, rate));
    Ok(ExitCode::SUCCESS)
}

/// Criteria with a level by two readers, every two of them; whose the weights are is measured and no reading.
fn double_readings(case: &Case, rubric: &Rubric, pairs: &mut Pairs) {
    let levels = |criterion: &str| -> Vec<u8> {
        let answers = case.answers.values().filter_map(|it| it.answers.get(criterion));
        answers.filter_map(|it| if let Level::At(level) = it.level { Some(level) } else { None }).collect()
    };
    let read = rubric.criteria.iter().filter(|it| it.id != rubric.axes.derived_criterion);
    for criterion in read {
        let levels = levels(&criterion.id);
        for (at, one) in levels.iter().enumerate() {
            levels[at + 1..].iter().for_each(|other| pairs.add(*one, *other));
        }
    }
}

fn said_of_readers(cases: usize, pairs: Pairs, rate: Option<Rate>) -> String {
    let share = |part: u64| 100.0 * part as f64 / pairs.count.max(1) as f64;
    let mut lines = vec![format!(
        "{} pairs of readings in {cases} case(s): {:.0} % agree exactly, {:.0} % within one level.",
        pairs.count,
        share(pairs.exact),
        share(pairs.within_one)
    )];
    match rate {
        Some(Rate { rate, low, high }) => {
            let low = low.map_or_else(|| "less than a third".to_owned(), |it| format!("{it:.2}"));
            lines.push(format!("One reader is exact with rate {rate:.2} (95 % interval: {low} to {high:.2})."));
        }
        None => lines.push("Readers who agree so little show no rate.".to_owned()),
    }
    match rate {
        Some(it) if pairs.count >= MIN_PAIRS => {
            lines.push(format!("In your own copy of the rubric:\n\nrobustness:\n  exact_readings: {:.2}", it.rate));
        }
        _ => lines.push(format!("{MIN_PAIRS} pairs or more may replace a rubric's `exact_readings`; these do not.")),
    }
    lines.join("\n")
}

#[derive(Serialize)]
struct Checked<'a> {
    is_valid: bool,
    problems: Vec<Shown<'a>>,
}

#[derive(Serialize)]
struct Shown<'a> {
    file: &'a str,
    line: Option<usize>,
    column: Option<usize>,
    code: &'a str,
    message: &'a str,
    hint: Option<&'a str>,
}

fn check(path: &Path, json: bool, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let outcome = rubric::read_file(path);
    if json {
        let problems = outcome.as_ref().err();
        let problems = problems.map(|it| it.iter().map(shown).collect()).unwrap_or_default();
        terminal.print_json(&Checked { is_valid: outcome.is_ok(), problems });
        return Ok(if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::from(2) });
    }
    let rubric = outcome?;
    terminal.print(&format!(
        "{} {} is valid: {} pillars, {} criteria, {} gates, {} rows; SHA-256 {}",
        rubric.id,
        rubric.version,
        rubric.pillars.len(),
        rubric.criteria.len(),
        rubric.gates.len(),
        rubric.decision_table.len(),
        rubric.sha256
    ));
    Ok(ExitCode::SUCCESS)
}

fn shown(problem: &Problem) -> Shown<'_> {
    Shown {
        file: &problem.file,
        line: problem.place.as_ref().map(|it| it.line()),
        column: problem.place.as_ref().map(|it| it.column()),
        code: problem.code,
        message: &problem.message,
        hint: problem.hint.as_deref(),
    }
}

/// A rubric as text for a terminal, in one language.
struct Page<'a> {
    rubric: &'a Rubric,
    language: &'a str,
}

impl Page<'_> {
    fn text(&self) -> String {
        let it = self.rubric;
        let head = format!("{} {} ({})\n{}\n", it.id, it.version, it.released, self.words(&it.title));
        let mut parts = vec![head];
        for pillar in &it.pillars {
            parts.push(format!("{}  {}  [{}]", pillar.id, self.words(&pillar.name), pillar.weight));
            let of_pillar = |it: &&Criterion| it.id.trim_end_matches(|it: char| it.is_ascii_digit()) == pillar.id;
            parts.extend(it.criteria.iter().filter(of_pillar).map(|it| self.criterion(it)));
        }
        parts.extend([self.grades(), self.methods_and_kinds(), self.gates(), self.decisions()]);
        parts.join("\n")
    }

    fn words<'t>(&self, text: &'t Text) -> &'t str {
        text.in_language(self.language)
    }

    fn criterion(&self, it: &Criterion) -> String {
        let mut out = format!("\n{} [{}] {}\n", it.id, it.weight, self.words(&it.question));
        for (level, text) in it.levels.iter().enumerate() {
            let needs = u8::try_from(level).ok().and_then(|it_level| it.needs.get(&it_level));
            let needs = needs.map(|grade| format!("  (at least {})", grade.letter())).unwrap_or_default();
            out.push_str(&format!("   {level}  {}{needs}\n", self.words(text)));
        }
        out.push_str(&format!("   kinds: {}\n", it.kinds.join(", ")));
        out
    }

    fn grades(&self) -> String {
        let mut rows = table(["grade", "buys", "meaning"]);
        for (grade, rule) in &self.rubric.evidence.grades {
            rows.add_row([grade.letter(), &format!("up to {}", rule.cap), self.words(&rule.meaning)]);
        }
        format!("{rows}\n")
    }

    fn methods_and_kinds(&self) -> String {
        let mut methods = table(["method", "grade", "name"]);
        for (id, rule) in &self.rubric.evidence.methods {
            methods.add_row([id, rule.grade.letter(), self.words(&rule.name)]);
        }
        let mut kinds = table(["kind", "valid days", "name"]);
        for (id, rule) in &self.rubric.evidence.kinds {
            kinds.add_row([id, &rule.valid_days.to_string(), self.words(&rule.name)]);
        }
        format!("{methods}\n\n{kinds}\n")
    }

    fn gates(&self) -> String {
        let mut rows = table(["gate", "effect", "name"]);
        for gate in &self.rubric.gates {
            let effect = match &gate.effect {
                Effect::Veto(verdict) => format!("veto: {verdict}"),
                Effect::Hold(verdict) => format!("hold: {verdict}"),
                Effect::Cap(verdict) => format!("cap: {verdict}"),
                Effect::Stamp(word) => format!("stamp: {word}"),
            };
            rows.add_row([&gate.id, &effect, self.words(&gate.name)]);
        }
        format!("{rows}\n")
    }

    fn decisions(&self) -> String {
        let mut rows = table(["row", "weights derived", "axes", "verdict"]);
        for (idx, row) in self.rubric.decision_table.iter().enumerate() {
            let derived = row.derived.map_or("any", |it| if it { "yes" } else { "no" });
            let axes: Vec<String> =
                row.bands.iter().map(|(axis, bands)| format!("{axis} {}", bands_in_words(bands))).collect();
            let verdict = self.rubric.verdicts.iter().find(|it| it.id == row.then);
            let verdict = verdict.map_or(row.then.as_str(), |it| self.words(&it.name));
            rows.add_row([&(idx + 1).to_string(), derived, &axes.join(", "), verdict]);
        }
        rows.to_string()
    }
}

fn bands_in_words(bands: &[rubric::Band]) -> String {
    let word = |band: &rubric::Band| match band {
        rubric::Band::Low => "low",
        rubric::Band::Medium => "medium",
        rubric::Band::High => "high",
    };
    bands.iter().map(word).collect::<Vec<_>>().join(" or ")
}
