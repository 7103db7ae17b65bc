//! Every rubric on the shelf is valid, and each promise of a rubric is seen to be kept.

use std::path::Path;

use super::*;

fn shelf_text() -> String {
    let (_, bytes) = find_bytes("llm-originality", Path::new("")).unwrap();
    String::from_utf8(bytes).unwrap()
}

/// Changes the shelf's rubric in one place; the problems have to start with these words.
#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    let text = shelf_text();
    assert!(text.contains(from), "the rubric has no `{from}`");
    let problems = read("llm-originality.yaml", text.replacen(from, to, 1).as_bytes()).expect_err("a mistake");
    let found = problems.to_string();
    assert!(found.contains(expected), "expected `{expected}` in:\n{found}");
}

#[test]
fn every_rubric_on_the_shelf_is_valid() {
    for id in shelf_ids() {
        let rubric = find(id, Path::new("")).unwrap_or_else(|problems| panic!("{problems}"));
        assert_eq!(rubric.id, id);
        assert_eq!(rubric.sha256.len(), 64);
    }
    assert!(shelf_ids().contains(&"llm-originality"));
}

#[test]
fn an_unknown_rubric_is_told_with_the_ones_there_are() {
    let problems = find("llm-originalty", Path::new("")).unwrap_err();
    assert!(problems.to_string().ends_with("hint: did you mean `llm-originality`?"), "{problems}");
}

#[test]
fn each_promise_is_checked() {
    check("id: llm-originality", "id: other", "`id` is `other`, but the file is called `llm-originality.yaml`");
    check("version: 2.0.0\nreleased", "version: 2.0\nreleased", "`version`: `2.0` is not a version");
    check("languages: [en, zh-CN]", "languages: [en, zh-CN, fr]", "`title` has no text in `fr`");
    check("languages: [en, zh-CN]", "languages: [en]", "is in a language that the rubric does not list");
    check("  - {en: absent, zh-CN: 缺失}\n", "", "`levels` has 4 levels, expected 5: 0 to 4");
    check("  - {en: absent, zh-CN: 缺失}", "  - absent", "the text does not say which language it is in");
    check("      cap: 3\n", "      cap: 1\n", "a better grade may not buy less than a worse one");
    check("derived_criterion: T1", "derived_criterion: T19", "there is no criterion `T19`");
    check("pillars: [D, T]", "pillars: [D, X]", "there is no pillar `X`");
    check("low_below: 1.5", "low_below: 3.5", "below `axes.low_below`");
    check(
        "effect: {veto: undisclosed_wrapper}",
        "effect: {veto: undisclosed_wraper}",
        "did you mean `undisclosed_wrapper`?",
    );
    check("effect: {stamp: draft}", "effect: {stamp: draught}", "there is no stamp `draught`");
    check("effect: {hold: undetermined}", "effect: {helt: undetermined}", "unknown key `gates[G-TAMPER].effect.helt`");
    check("key: ledger.tampered, is: true", "key: ledger.tampered, is: maybe", "`ledger.tampered` is never `maybe`");
    check("key: claims.worst", "key: claim.worst", "did you mean `claims.worst`?");
    check(
        "level_at_most: {criterion: A2, level: 0}",
        "level_at_most: {criterion: A2, level: 7}",
        "expected a level from 0 to 4",
    );
    check("share: 0.70", "share: 70", "hint: 70% is written `0.70`");
    check("    rank: 3\n", "    rank: 2\n", "another verdict has rank 2");
    check(
        "  - derived: true\n    bands: {substance: [low]}",
        "  - derived: true",
        "never decides: the rows above it take every case",
    );
    check("bands: {substance: [low]}", "bands: {substanse: [low]}", "there is no axis `substanse`");
}

/// A table is held to more than its form: whatever the means are it decides, better work never costs a verdict, and
/// nothing is asked for that is not used.
#[test]
fn a_table_decides_every_case_and_better_is_never_worse() {
    check(
        "  - derived: false\n    then: undetermined",
        "  - derived: false\n    bands: {substance: [low], path: [low]}\n    then: undetermined",
        "no row of the decision table matches derived false, substance low, path medium, disclosure low",
    );
    check(
        "bands: {substance: [medium], path: [medium, high]}\n    then: transitional",
        "bands: {substance: [medium], path: [medium, high]}\n    then: independent",
        "decides a better `substance` than derived false, substance medium, path medium, disclosure low, and gives a worse verdict",
    );
    // A mean that is undetermined where a worse one is decided is no better.
    check(
        "  - derived: true\n    then: transitional",
        "  - derived: true\n    then: undetermined",
        "and gives a worse verdict",
    );
    check("      also: [R4]\n", "", "no axis and no gate uses the criterion `R4`");
    check(
        "effect: {veto: unattributed}",
        "effect: {veto: disclosed_wrapper}",
        "no row of the table and no gate gives the verdict `unattributed`",
    );
}

#[test]
fn weights_add_up() {
    let weight = shelf_text().lines().find(|it| it.starts_with("    weight: ")).unwrap().to_owned();
    check(&weight, "    weight: 1000", "the weights of the pillars add up to ");
}
