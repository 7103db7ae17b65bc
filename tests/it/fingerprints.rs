//! Fingerprints: what is kept of a reference answers as its files do, holds the null, and cannot be tampered with
//! unseen. And a quick look, which reads little and accuses nobody whom the whole files would not accuse.

use std::path::Path;
use std::process::Command;

use unshell::catalog::Catalog;
use unshell::fact::{Comparison, Weights, WeightsRelation};
use unshell::lineage::{ENDING, Look, Model, compare_with_weights, fingerprint};
use unshell::remote::Reach;
use unshell::weights::{About, Effort, Fingerprint, Finite, Net, Plan, Room, relate};

use crate::weights::{Tiny, excess, p_values, tiny};

const FAMILY: &str = "tests/families/small";

fn open(path: &Path) -> Model {
    Model::open(path.to_str().unwrap(), Path::new(""), Catalog::builtin(), &Reach::local()).unwrap()
}

fn member(name: &str) -> Model {
    open(&Path::new(FAMILY).join(name))
}

fn compared(subject: &Model, reference: &Model, look: &Look<'_>) -> Comparison {
    compare_with_weights(subject, reference, Catalog::builtin(), look).unwrap()
}

/// The fingerprint of a member, written to a folder and opened again.
fn kept(name: &str, folder: &Path) -> Model {
    let (taken, left_out) = fingerprint(&member(name)).unwrap();
    assert!(left_out.is_empty(), "{left_out:?}");
    let file = folder.join(format!("{name}.{ENDING}"));
    std::fs::write(&file, taken.to_bytes()).unwrap();
    open(&file)
}

#[test]
fn a_fingerprint_answers_as_the_files_do() {
    let folder = tempfile::tempdir().unwrap();
    let truth = std::fs::read_to_string(Path::new(FAMILY).join("manifest.json")).unwrap();
    let truth: serde_json::Value = serde_json::from_str(&truth).unwrap();
    let members = truth["members"].as_array().unwrap().iter().map(|it| it["path"].as_str().unwrap());
    let members: Vec<&str> = members.filter(|it| *it != "lora_adapter").collect();
    let mut different = Vec::new();
    for base in ["base_a", "base_b"] {
        let (reference, kept) = (member(base), kept(base, folder.path()));
        for name in members.iter().step_by(2) {
            let subject = member(name);
            let by_files = compared(&subject, &reference, &Look::default()).weights.relation;
            let by_print = compared(&subject, &kept, &Look::default()).weights.relation;
            // A fingerprint keeps no number as it was, so that it cannot tell a copy from a descendant.
            let expected = if by_files == WeightsRelation::Identical { WeightsRelation::Derived } else { by_files };
            if by_print != expected {
                different.push(format!("{name} < {base}: {by_files:?} by files, {by_print:?} by fingerprint"));
            }
        }
    }
    assert!(different.is_empty(), "{different:#?}");
}

/// A third of the tokens, two layers and 24 units of each: little enough to be a sample of these small models.
fn thin(model: &Tiny) -> Fingerprint {
    let finite = Finite::new(&model.numbers);
    let net = Net::new(&model.blueprint, &finite);
    let room = Room { tokens: 64, layers: 2, units: 24 };
    Fingerprint::take(&net, &model.blueprint, None, About::named("null", "null", None, None), room).unwrap()
}

pub(crate) fn rows(kept: &Fingerprint) -> Vec<(u32, u32)> {
    kept.about.token_ids.iter().copied().zip(0..).collect()
}

/// Every model of the null against the fingerprint of every other.
pub(crate) fn a_thousand_pairs(
    take: fn(&Tiny) -> Fingerprint,
    relate: impl Fn(&Net<'_>, &Fingerprint, Plan) -> Weights,
) -> Vec<Weights> {
    let models: Vec<Tiny> = (0..33).map(|it| tiny(&format!("null-{it:03}"))).collect();
    let kept: Vec<Fingerprint> = models.iter().map(take).collect();
    let plan = Plan { effort: Effort::Standard, goes_on: false, references: 1 };
    let mut answers = Vec::new();
    for (at, model) in models.iter().enumerate() {
        let finite = Finite::new(&model.numbers);
        let net = Net::new(&model.blueprint, &finite);
        answers.extend(kept.iter().enumerate().filter(|it| it.0 != at).map(|it| relate(&net, it.1, plan)));
    }
    assert_eq!(answers.len(), 33 * 32);
    answers
}

#[test]
fn a_thousand_pairs_against_thin_fingerprints_hold_the_null() {
    let answers = a_thousand_pairs(thin, |net, it, plan| relate(net, &it.net(), Some(&rows(it)), plan, &()).unwrap());
    let accused = answers.iter().filter(|it| it.relation != WeightsRelation::Independent).count();
    assert_eq!(accused, 0);
    for (id, component) in [("random-sign", "feed-forward"), ("random-sign", "feed-forward, in place")] {
        let p = p_values(&answers, id, component);
        assert!(p.len() > 1_000, "{id}: {}", p.len());
        // The critical value of the one-sided test at one in a hundred.
        assert!(excess(p.clone()) <= 1.52 / (p.len() as f64).sqrt(), "{id}, {component}: {}", excess(p));
    }
}

#[test]
fn a_thin_fingerprint_still_finds_its_children() {
    let parent = thin(&tiny("null-000"));
    let child = tiny("child-000");
    let finite = Finite::new(&child.numbers);
    let net = Net::new(&child.blueprint, &finite);
    let plan = Plan { effort: Effort::Standard, goes_on: false, references: 1_000 };
    let answer = relate(&net, &parent.net(), Some(&rows(&parent)), plan, &()).unwrap();
    assert_eq!(answer.relation, WeightsRelation::Derived, "{answer:#?}");
}

#[test]
fn a_quick_look_decides_what_stands_in_its_place_and_goes_on_otherwise() {
    let quick = Look { effort: Some(Effort::Quick), ..Look::default() };
    let check = |subject: &str, expected: WeightsRelation, used: &str| {
        let weights = compared(&member(subject), &member("base_a"), &quick).weights;
        assert_eq!((weights.relation, weights.effort.unwrap().used.as_str()), (expected, used), "{subject}");
    };
    check("ft_code", WeightsRelation::Derived, "quick");
    check("base_same_init", WeightsRelation::SharedInit, "quick");
    check("obf_all", WeightsRelation::Derived, "standard");
    check("base_b", WeightsRelation::Independent, "standard");
}

#[test]
fn a_quick_look_alone_leaves_open_what_it_cannot_see() {
    let models: Vec<Tiny> = (0..40).map(|it| tiny(&format!("null-{it:03}"))).collect();
    let plan = Plan { effort: Effort::Quick, goes_on: false, references: 1 };
    for pair in models.windows(2) {
        let finite = (Finite::new(&pair[0].numbers), Finite::new(&pair[1].numbers));
        let nets = (Net::new(&pair[0].blueprint, &finite.0), Net::new(&pair[1].blueprint, &finite.1));
        let weights = relate(&nets.0, &nets.1, None, plan, &()).unwrap();
        assert_eq!(
            (weights.relation, weights.rule.map(|it| it.word())),
            (WeightsRelation::Undetermined, Some("quick-look"))
        );
    }
}

fn unshell(library: &Path, arguments: &[&str]) -> (i32, String, String) {
    let run =
        Command::new(env!("CARGO_BIN_EXE_unshell")).args(arguments).env("UNSHELL_LIBRARY", library).output().unwrap();
    let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
    (run.status.code().unwrap(), text(run.stdout), text(run.stderr))
}

#[test]
fn a_library_is_filled_listed_and_tested_against() {
    let folder = tempfile::tempdir().unwrap();
    let library = folder.path().join("library");
    let member = |name: &str| format!("{FAMILY}/{name}");
    let (code, page, _) = unshell(&library, &["catalog", "fingerprints"]);
    assert!(code == 0 && page.contains("No fingerprints in"), "{page}");
    for name in ["base_a", "base_b"] {
        let (code, page, talk) = unshell(&library, &["catalog", "add", &member(name)]);
        assert!(code == 0 && page.contains(&format!("{name}.{ENDING}")), "{page}{talk}");
    }
    let (code, _, talk) = unshell(&library, &["catalog", "add", &member("base_a")]);
    assert!(code == 2 && talk.contains("is there already") && talk.contains("hint:"), "{talk}");
    let (_, page, _) = unshell(&library, &["catalog", "fingerprints"]);
    assert!(page.contains("base_a") && page.contains("base_b"), "{page}");
    let (code, page, talk) = unshell(&library, &["identify", "--json", &member("ft_code")]);
    assert_eq!(code, 0, "{talk}");
    let answer: serde_json::Value = serde_json::from_str(&page).unwrap();
    let relations: Vec<_> = answer["fingerprints"]
        .as_array()
        .unwrap()
        .iter()
        .map(|it| (&it["reference"]["name"], &it["relation"]))
        .collect();
    assert_eq!(relations, [(&"base_a".into(), &"derived".into()), (&"base_b".into(), &"independent".into())]);
}

#[test]
fn a_changed_fingerprint_is_refused_and_the_others_are_used() {
    let folder = tempfile::tempdir().unwrap();
    kept("base_b", folder.path());
    let file = folder.path().join(format!("base_a.{ENDING}"));
    let mut bytes = fingerprint(&member("base_a")).unwrap().0.to_bytes();
    *bytes.last_mut().unwrap() ^= 0x10;
    std::fs::write(&file, bytes).unwrap();
    let subject = format!("{FAMILY}/ft_code");
    let (code, _, talk) = unshell(folder.path(), &["compare", &subject, file.to_str().unwrap()]);
    assert!(code == 2 && talk.contains("its numbers were changed") && talk.contains("hint: take it anew"), "{talk}");
    let (code, page, talk) = unshell(folder.path(), &["identify", &subject]);
    assert!(code == 0 && talk.contains("its numbers were changed") && page.contains("base_b"), "{page}{talk}");
}
