//! Gates name only what exists: verdicts with a rank, criteria, pillars, facts and their values.

use crate::rubric::gate_facts::{FactValues, GATE_FACTS};
use crate::rubric::validate::{LEVELS, Validator};
use crate::yaml::{Cursor, list_of_names};

/// Notes everything that is wrong with one gate.
pub(crate) fn validate(gate: &Cursor<'_>, check: &mut Validator<'_>) {
    check.text(&gate.field("name"));
    check.text(&gate.field("meaning"));
    effect(&gate.field("effect"), check);
    condition(&gate.field("when"), check);
}

fn effect(at: &Cursor<'_>, check: &mut Validator<'_>) {
    for (key, value) in at.fields() {
        match key {
            "veto" | "hold" | "cap" => {
                check.problems.extend(value.unknown_name("unknown-verdict", "verdict", &check.names.verdicts));
            }
            "stamp" => check.problems.extend(value.unknown_name("unknown-stamp", "stamp", &["draft"])),
            _ => {}
        }
    }
}

fn condition(at: &Cursor<'_>, check: &mut Validator<'_>) {
    for (key, value) in at.fields() {
        match key {
            "all" | "any" => {
                if value.items().next().is_none() && value.exists() {
                    let message = format!("`{}` has no condition", value.path());
                    check.problems.push(value.problem("empty", message).hint("write at least one"));
                }
                value.items().for_each(|it| condition(&it, check));
            }
            "not" => condition(&value, check),
            "level_at_most" => criterion_and_level(&value, check),
            "fact" => fact(&value, check),
            "coverage_below" => coverage(&value, check),
            "readers_below" => readers(&value, check),
            "not_applicable_above" => share(&value, check),
            _ => {}
        }
    }
}

fn criterion_and_level(at: &Cursor<'_>, check: &mut Validator<'_>) {
    let criterion = at.field("criterion");
    check.problems.extend(criterion.unknown_name("unknown-criterion", "criterion", &check.names.criteria));
    let level = at.field("level");
    if let Some(number) = level.number().filter(|it| *it >= LEVELS as f64) {
        let message = format!("`{}` is {number}, expected a level from 0 to {}", level.path(), LEVELS - 1);
        check
            .problems
            .push(level.problem("out-of-range", message).label("out of range").hint("levels run from 0 to 4"));
    }
}

fn fact(at: &Cursor<'_>, check: &mut Validator<'_>) {
    let (key, is) = (at.field("key"), at.field("is"));
    let keys: Vec<&str> = GATE_FACTS.iter().map(|it| it.key).collect();
    check.problems.extend(key.unknown_name("unknown-fact", "fact", &keys));
    let Some(known) = GATE_FACTS.iter().find(|it| Some(it.key) == key.text()) else { return };
    let words: &[&str] = match known.values {
        FactValues::YesOrNo => &["true", "false"],
        FactValues::Words(words) => words,
        FactValues::AnyWord => return,
    };
    if let Some(text) = is.text().filter(|it| !words.contains(it)) {
        let message = format!("`{}`: `{}` is never `{text}`", is.path(), known.key);
        let hint = format!("it is one of {}", list_of_names(words.iter().copied()));
        check.problems.push(is.problem("not-in-list", message).label("no such value").hint(hint));
    }
}

fn coverage(at: &Cursor<'_>, check: &mut Validator<'_>) {
    check.problems.extend(at.field("pillar").unknown_name("unknown-pillar", "pillar", &check.names.pillars));
    share(&at.field("share"), check);
}

fn readers(at: &Cursor<'_>, check: &mut Validator<'_>) {
    let count = at.field("count");
    if count.number() == Some(0.0) {
        let message = format!("`{}` is 0, and nobody can be fewer", count.path());
        check.problems.push(count.problem("out-of-range", message).hint("write 1 or more"));
    }
    share(&at.field("share"), check);
}

/// A share of the weight.
pub(crate) fn share(at: &Cursor<'_>, check: &mut Validator<'_>) {
    if let Some(number) = at.number().filter(|it| *it <= 0.0 || *it > 1.0) {
        let message = format!("`{}` is {number}, expected more than 0 and at most 1", at.path());
        check.problems.push(at.problem("out-of-range", message).label("out of range").hint("70% is written `0.70`"));
    }
}
