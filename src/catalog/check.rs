//! From a catalogue file as written to entries that hold together, or to everything that is wrong.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::OnceLock;

use crate::blueprint::Config;
use crate::catalog::document::{
    Basis, BlueprintAsWritten, CountCheck, EntryAsWritten, FamilyAsWritten, PredictionAsWritten, PublishedCount,
    TemplateAsWritten,
};
use crate::catalog::entry::{Design, Entry, PredictionLayers, Template};
use crate::catalog::honesty;
use crate::catalog::indices::Indices;
use crate::catalog::{SCHEME, Twins, published};

/// The role of a tensor that is stored and never trained.
const BUFFER: &str = "buffer";

/// One thing that is wrong with the catalogue.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The family file.
    pub family: String,
    /// The entry, if it is about one.
    pub entry: Option<String>,
    /// What is wrong, in one sentence.
    pub detail: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { family, entry, detail } = self;
        match entry {
            Some(entry) => write!(formatter, "{family}.yaml: `{entry}`: {detail}"),
            None => write!(formatter, "{family}.yaml: {detail}"),
        }
    }
}

/// Where problems of one entry go.
struct Report<'a> {
    family: &'a str,
    entry: &'a str,
    problems: &'a mut Vec<Problem>,
}

impl Report<'_> {
    fn problem(&mut self, detail: impl Into<String>) {
        self.problems.push(Problem {
            family: self.family.to_owned(),
            entry: Some(self.entry.to_owned()),
            detail: detail.into(),
        });
    }

    fn unless(&mut self, holds: bool, detail: impl FnOnce() -> String) {
        if !holds {
            self.problem(detail());
        }
    }
}

/// The entries of one file.
pub(crate) fn family(written: FamilyAsWritten, problems: &mut Vec<Problem>) -> Vec<Entry> {
    let FamilyAsWritten { family, lineage, entries } = written;
    for (name, word) in [("family", &family), ("lineage", &lineage)] {
        if !is_file_name(word) {
            let detail = format!("`{name}: {word}` may hold a-z, 0-9, `-` and `.` only");
            problems.push(Problem { family: family.clone(), entry: None, detail });
        }
    }
    entries.into_iter().map(|it| entry(it, &family, &lineage, problems)).collect()
}

/// No two entries have one id.
pub(crate) fn ids_are_unique(sorted: &[Entry], problems: &mut Vec<Problem>) {
    for pair in sorted.windows(2) {
        if let [left, right] = pair
            && left.id == right.id
        {
            let detail = format!("the same id stands in {}.yaml", left.family);
            problems.push(Problem { family: right.family.clone(), entry: Some(right.id.clone()), detail });
        }
    }
}

/// Every twin is an entry.
pub(crate) fn twins_exist(twins: &Twins, by_id: &BTreeMap<String, usize>, problems: &mut Vec<Problem>) {
    for id in twins.same_shapes.iter().chain(&twins.same_up_to_vocabulary).flatten() {
        if !by_id.contains_key(id) {
            let detail = "there is no such entry".to_owned();
            problems.push(Problem { family: "../twins".to_owned(), entry: Some(id.clone()), detail });
        }
    }
}

fn entry(written: EntryAsWritten, family: &str, lineage: &str, problems: &mut Vec<Problem>) -> Entry {
    let id = written.id.clone();
    let mut report = Report { family, entry: &id, problems };
    check_id(&written.id, &mut report);
    check_sources(&written, &mut report);
    check_config(&written, &mut report);
    if let Some(date) = &written.released {
        report.unless(published::days(&date.date).is_some(), || {
            format!("`{}` is no date such as 2023-11-02 or 2023-11", date.date)
        });
    }
    report.unless(written.blueprint.is_some() != written.no_blueprint.is_some(), || {
        "give either `blueprint` or, where it is null, the reason in `no_blueprint`".to_owned()
    });
    let published = written.published_parameters.clone();
    let design = written.blueprint.map(|it| design(it, published.as_ref(), &mut report));
    let prediction_layers = written.prediction_layers.map(|it| prediction(it, &mut report));
    let config = Config::from_fields(written.config.fields.clone());
    if let Some(design) = &design {
        honesty::contradictions(design, &config, &written.config.fields).into_iter().for_each(|it| report.problem(it));
    }
    Entry {
        id: written.id,
        family: family.to_owned(),
        lineage: lineage.to_owned(),
        organisation: written.organisation,
        variant: written.variant,
        released: written.released,
        licence: written.licence,
        training_tokens: written.training_tokens,
        parentage: written.parentage,
        tokenizer: written.tokenizer,
        published_parameters: written.published_parameters,
        written_config: written.config,
        config,
        blueprint: OnceLock::new(),
        access: written.access,
        file_list: written.file_list,
        traps: written.traps,
        prefix: written.prefix,
        notes: written.notes,
        prediction_layers,
        design,
        no_blueprint: written.no_blueprint,
    }
}

fn check_id(id: &str, report: &mut Report<'_>) {
    let parts: Vec<_> = id.split('/').collect();
    let is_plain = !id.contains(|it: char| it.is_whitespace() || it.is_control()) && !id.starts_with(SCHEME);
    report.unless(is_plain && parts.len() == 2 && parts.iter().all(|it| !it.is_empty()), || {
        "the id must read ORG/NAME".to_owned()
    });
}

fn check_sources(entry: &EntryAsWritten, report: &mut Report<'_>) {
    let sources = [
        ("released", entry.released.as_ref().map(|it| &it.source)),
        ("licence", entry.licence.as_ref().map(|it| &it.source)),
        ("training_tokens", entry.training_tokens.as_ref().map(|it| &it.source)),
        ("parentage", entry.parentage.as_ref().map(|it| &it.source)),
        ("tokenizer", entry.tokenizer.as_ref().map(|it| &it.source)),
        ("published_parameters", entry.published_parameters.as_ref().map(|it| &it.source)),
        ("prediction_layers", entry.prediction_layers.as_ref().map(|it| &it.source)),
        ("file_list", entry.file_list.as_ref().map(|it| &it.source)),
        ("access", entry.access.as_ref().map(|it| &it.source)),
    ];
    for (fact, source) in sources {
        report.unless(source.is_none_or(|it| !it.trim().is_empty()), || format!("`{fact}` has no source"));
    }
    let config = &entry.config.sources;
    let is_nothing = entry.config.basis == Basis::NotSourced;
    report.unless(is_nothing || !config.is_empty() && config.iter().all(|it| !it.trim().is_empty()), || {
        "`config` has no source".to_owned()
    });
    report.unless(
        !is_nothing || config.is_empty() && entry.config.fields.is_empty() && entry.blueprint.is_none(),
        || "a configuration that is not sourced has no sources, no fields and no blueprint".to_owned(),
    );
}

fn check_config(entry: &EntryAsWritten, report: &mut Report<'_>) {
    for field in &entry.config.unsourced {
        // `norm_eps` stands for either of two fields, so its name may be stated for the one that is known.
        let is_stated = entry.config.fields.contains_key(field) && field != "norm_eps";
        report.unless(!is_stated, || format!("`{field}` is stated and called unsourced"));
    }
}

fn design(written: BlueprintAsWritten, published: Option<&PublishedCount>, report: &mut Report<'_>) -> Design {
    let templates: Vec<_> = written.templates.into_iter().filter_map(|it| template(it, report)).collect();
    let tensors: u64 = templates.iter().map(Template::count).sum();
    report.unless(tensors == written.tensors, || {
        format!("the templates stand for {tensors} tensors, `tensors` says {}", written.tensors)
    });
    for (name, stated, of_buffers) in
        [("parameters", written.parameters, false), ("buffer_values", written.buffer_values, true)]
    {
        let of_kind = templates.iter().filter(|it| (it.role == BUFFER) == of_buffers);
        let values = of_kind.map(Template::values).try_fold(0_u64, |sum, it| sum.checked_add(it?));
        report.unless(values == Some(stated), || {
            let found = values.map_or("more than can be counted".to_owned(), |it| it.to_string());
            format!("the templates hold {found}, `{name}` says {stated}")
        });
    }
    let check = count_check(written.parameters, written.buffer_values, published);
    report.unless(check == written.check, || {
        format!("`check` says {:?}, the published count gives {check:?}", written.check)
    });
    let BlueprintAsWritten { parameters, buffer_values, check, tensors, layers, made_from, .. } = written;
    Design { parameters, buffer_values, check, tensors, layers, made_from, templates }
}

fn prediction(written: PredictionAsWritten, report: &mut Report<'_>) -> PredictionLayers {
    let PredictionAsWritten { source, note, tensors, parameters, templates } = written;
    let templates: Vec<_> = templates.into_iter().filter_map(|it| template(it, report)).collect();
    let counted: u64 = templates.iter().map(Template::count).sum();
    let values = templates.iter().map(Template::values).try_fold(0_u64, |sum, it| sum.checked_add(it?));
    report.unless((counted, values) == (tensors, Some(parameters)), || {
        format!(
            "`prediction_layers` stand for {counted} tensors and {values:?} parameters, not {tensors} and {parameters}"
        )
    });
    PredictionLayers { tensors, parameters, source, note, templates }
}

fn template(written: TemplateAsWritten, report: &mut Report<'_>) -> Option<Template> {
    let TemplateAsWritten { name, shape, layers, experts, role } = written;
    let mut read = |written: Option<_>, mark: &str| -> Option<Option<Indices>> {
        report.unless(written.is_some() == name.contains(mark), || {
            format!("`{name}` must hold `{mark}` exactly if its numbers are given")
        });
        match written.map(|it| Indices::read(&it)).transpose() {
            Ok(indices) => Some(indices),
            Err(detail) => {
                report.problem(format!("`{name}`: {detail}"));
                None
            }
        }
    };
    let (layers, experts) = (read(layers, "{i}")?, read(experts, "{j}")?);
    report.unless(!shape.contains(&0), || format!("`{name}` has an empty dimension"));
    Some(Template { name, shape, layers, experts, role })
}

/// How a count compares with the published one, which may or may not count buffers.
fn count_check(parameters: u64, buffer_values: u64, published: Option<&PublishedCount>) -> CountCheck {
    let Some(published) = published else { return CountCheck::Unchecked };
    let with_buffers = parameters.saturating_add(buffer_values);
    let text = published.value.saturating_sub(published.beside.unwrap_or_default());
    let difference = parameters.abs_diff(text).min(with_buffers.abs_diff(text));
    let is_within = |parts: u64| difference.saturating_mul(parts) <= text;
    match difference {
        0 => CountCheck::Equal,
        _ if is_within(1000) => CountCheck::Thousandth,
        _ if is_within(20) => CountCheck::Twentieth,
        _ => CountCheck::Off,
    }
}

fn is_file_name(word: &str) -> bool {
    let is_plain = |it: char| it.is_ascii_lowercase() || it.is_ascii_digit() || it == '-' || it == '.';
    word.starts_with(|it: char| it.is_ascii_alphanumeric()) && word.chars().all(is_plain)
}
