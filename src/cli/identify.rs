//! Looks a model up in the catalogue.

use std::process::ExitCode;

use clap::builder::RangedU64ValueParser;

use crate::catalog::{Catalog, SCHEME};
use crate::cli::inspect::{align_right, shown_name};
use crate::cli::library::Library;
use crate::cli::progress::Progress;
use crate::cli::terminal::table;
use crate::cli::{Failure, Terminal, inspect, reach, weights};
use crate::fact::{CatalogReach, Closeness, FingerprintMatch, FormRelation, Identification, Match, RuleId};
use crate::lineage;
use crate::lineage::{Look, identify, look_up};
use crate::weights::Effort;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// A folder or file, `hf:ORG/NAME`, `ms:ORG/NAME`, `https://…`, or `catalog:ORG/NAME`
    model: String,
    /// List at most this many entries
    #[arg(long, default_value_t = 10, value_parser = RangedU64ValueParser::<usize>::new().range(1..))]
    limit: usize,
    /// Hold the weights of a model behind an address against fingerprints too; it is read whole
    #[arg(long)]
    weights: bool,
    /// Print JSON
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    library: Library,
    #[command(flatten)]
    reach: reach::Arguments,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let catalog = Catalog::builtin();
    let reach = arguments.reach.reach()?;
    let model = inspect::open(&arguments.model, &reach)?;
    let mut answer = identify(&model, catalog, arguments.limit);
    let (library, unusable) = arguments.library.models()?;
    for error in &unusable {
        terminal.say(&format!("warning: {error}"));
    }
    if !model.is_far() || arguments.weights {
        let progress = Progress::new(terminal);
        let looked = look_up(
            &mut answer,
            &model,
            &library,
            &Look { effort: Some(Effort::Standard), references: 1, watch: &progress },
        );
        progress.finish();
        looked.map_err(lineage::Error::from)?;
    }
    if arguments.json {
        terminal.print_json(&answer);
    } else {
        terminal.print(&page(&answer));
    }
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

fn page(answer: &Identification) -> String {
    let mut parts = vec![format!("{}\n{}", answer.model.location, sentence(answer))];
    if !answer.matches.is_empty() {
        parts.push(matches(&answer.matches));
    }
    let shown = answer.matches.len() as u64;
    if shown < answer.matched {
        parts.push(format!("{shown} of {} matches are shown; `--limit {}` shows all.", answer.matched, answer.matched));
    }
    parts.push(limits(answer));
    parts.push(fingerprints(&answer.fingerprints));
    if !answer.fingerprints.is_empty() {
        parts.push(format!("Not examined\n{}", inspect::unexamined(&answer.unexamined)));
    }
    parts.join("\n\n")
}

/// What weights say against the library.
fn fingerprints(found: &[FingerprintMatch]) -> String {
    if found.is_empty() {
        return "Weights: not compared with anything. `unshell catalog add MODEL` keeps a fingerprint of a reference; \
                `identify` tests the weights of a model on this machine, or with `--weights` any model's, against all \
                of them."
            .to_owned();
    }
    let mut output = table(["Fingerprint", "Weights", "log10 p", "Rule"]);
    align_right(&mut output, 2);
    for it in found {
        output.add_row([
            shown_name(&it.reference.name),
            weights::relation_word(it.relation).to_owned(),
            it.log10_p.map_or_else(|| "-".to_owned(), weights::power_of_ten),
            it.rule.map_or("-", RuleId::word).to_owned(),
        ]);
    }
    let paid = if found.len() > 1 {
        format!("\n\nEach p-value has paid for {} fingerprints being tried.", found.len())
    } else {
        String::new()
    };
    format!("Weights, against the fingerprints at hand\n{}{paid}", output.trim_fmt())
}

/// The outcome in words.
fn sentence(answer: &Identification) -> String {
    let Some(first) = answer.matches.first() else {
        if answer.outcome == "undetermined" {
            return "Undetermined: only names are known of this model, and nobody knows what some of them mean."
                .to_owned();
        }
        return "No catalogue entry is built like this model.".to_owned();
    };
    let but = match first.closeness {
        Closeness::SameShapes => "tensor for tensor",
        Closeness::PaddedVocabulary => "tensor for tensor, but for a few rows of the vocabulary",
        Closeness::OtherVocabulary => "tensor for tensor, but for the size of the vocabulary",
        Closeness::Stated => "by all names and every size that is stated; no shape was there to be seen",
        Closeness::OtherDimensions => {
            return format!(
                "No catalogue entry has the dimensions of this model. {} its architecture in other dimensions, some \
                 with additions; nearest first:",
                count(answer.matched, "entry shares", "entries share")
            );
        }
    };
    match first.tied_with.len() {
        0 => format!("Built like one catalogue entry, {but}: {}.", name(&first.reference)),
        others => format!("Built like {} catalogue entries, {but}; form cannot tell these apart.", others + 1),
    }
}

fn matches(matches: &[Match]) -> String {
    let mut output = table(["Rank", "Model", "Form", "Shapes", "Differences", "Released"]);
    for it in matches {
        output.add_row([
            if it.tied_with.is_empty() { it.rank.to_string() } else { format!("{} =", it.rank) },
            name(&it.reference).to_owned(),
            form(it).to_owned(),
            closeness(it.closeness).to_owned(),
            it.differences.to_string(),
            it.release_date.clone().unwrap_or_else(|| "-".to_owned()),
        ]);
    }
    let ties = matches.iter().any(|it| !it.tied_with.is_empty());
    let legend =
        if ties { "\n\n= shares its rank: names and shapes alone cannot tell these entries apart." } else { "" };
    format!("{}{legend}", output.trim_fmt())
}

/// What the answer cannot know.
fn limits(answer: &Identification) -> String {
    let CatalogReach { size, newest, newest_date, .. } = &answer.catalog;
    format!(
        "Compared with {size} entries. The catalogue ends with {} ({newest_date}): a later model, or one it never had, \
         has no entry to match.\nThis is about names and shapes, which say nothing about weights: models trained \
         independently share a form, and a copy can change it.",
        name(newest)
    )
}

fn form(matched: &Match) -> &'static str {
    match (matched.relation, matched.closeness) {
        (FormRelation::Identical, _) | (FormRelation::SameFamily, Closeness::OtherVocabulary) => "same names",
        (FormRelation::SameUpToRenaming, _) => "same up to renaming",
        (FormRelation::FusedOrSplit, _) => "projections fused or split",
        (FormRelation::SameFamily, _) => "same family",
        (FormRelation::Undetermined, _) => "undetermined",
        (FormRelation::Different, _) => "different",
    }
}

fn closeness(closeness: Closeness) -> &'static str {
    match closeness {
        Closeness::SameShapes => "same",
        Closeness::PaddedVocabulary => "same but vocabulary padding",
        Closeness::OtherVocabulary => "same but vocabulary",
        Closeness::Stated => "same as stated",
        Closeness::OtherDimensions => "other",
    }
}

fn name(reference: &str) -> &str {
    reference.strip_prefix(SCHEME).unwrap_or(reference)
}

fn count(number: u64, one: &str, many: &str) -> String {
    if number == 1 { format!("1 {one}") } else { format!("{number} {many}") }
}
