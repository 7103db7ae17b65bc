//! The checks on real and made-up claims, to the printed digits.

use std::collections::BTreeSet;

use crate::claims::{
    About, Bands, Check, Claim, ClaimAsWritten, MESSAGE_KEYS, Outcome, ValueAsWritten, check_all, worst,
};
use crate::fact::{Argument, Message, Text};

/// Claims from lines `about: value unit`.
fn claims(lines: &str) -> Vec<Claim> {
    let lines = lines.lines().map(str::trim).filter(|it| !it.is_empty());
    lines.enumerate().map(|(idx, line)| claim(idx, line)).collect()
}

fn claim(idx: usize, line: &str) -> Claim {
    let (about, rest) = line.split_once(": ").unwrap();
    let (value, unit) = match rest.split_once(' ') {
        Some((value, unit)) => (ValueAsWritten::Number(value.parse().unwrap()), Some(unit.to_owned())),
        None => (ValueAsWritten::Words(rest.to_owned()), None),
    };
    let written = ClaimAsWritten {
        id: format!("CL-{}", idx + 1),
        subject: None,
        about: about.to_owned(),
        value,
        unit,
        quote: Text::plain(line),
        source: vec!["EV-001".to_owned()],
        date: "2023-11-06".to_owned(),
    };
    written.validate(&Bands::shipped()).unwrap()
}

fn run(lines: &str, id: &str) -> Check {
    check_all(&claims(lines), &Bands::shipped()).into_iter().find(|it| it.id == id).unwrap()
}

#[track_caller]
fn check(id: &str, lines: &str, outcome: Outcome) {
    let check = run(lines, id);
    assert_eq!(check.outcome, outcome, "{check:#?}");
}

const YI: &str = "parameters: 34 B parameters
    training_tokens: 3.1 T tokens
    raw_data: 3 PB
    clean_tokens: 3 T tokens
    training_start: 2023-06-01
    release: 2023-11-02";

#[test]
fn yi_34b_is_normal_without_a_claim_on_gpu_hours() {
    for id in ["compute", "calendar", "data_yield"] {
        check(id, YI, Outcome::Normal);
    }
    assert_eq!(worst(&check_all(&claims(YI), &Bands::shipped())), Outcome::Normal);
}

#[test]
fn yi_34b_to_printed_digits() {
    let lines: Vec<String> = check_all(&claims(YI), &Bands::shipped()).iter().flat_map(printed).collect();
    insta::assert_snapshot!(lines.join("\n"));
}

fn printed(check: &Check) -> Vec<String> {
    let steps = check.steps.iter().map(|step| {
        let value = step.result.value;
        format!("  {} {} = {:.4e}..{:.4e} {}", step.what.key, step.expression, value.low, value.high, step.result.unit)
    });
    let keys = |messages: &[Message]| messages.iter().map(|it| it.key.clone()).collect::<Vec<_>>().join(" ");
    let mut lines = vec![format!("{}: {}", check.id, check.outcome.word())];
    lines.extend(steps);
    lines.push(format!("  rests on {}", check.rests_on.join(" ")));
    lines.push(format!("  assumes {}", keys(&check.assumptions)));
    lines.push(format!("  misses {}", check.missing.iter().map(|it| it.word()).collect::<Vec<_>>().join(" ")));
    lines.push(format!("  remarks {}", keys(&check.remarks)));
    lines
}

#[test]
fn yi_34b_with_tokens_as_trained_yields_the_same() {
    let lines = YI.replace("clean_tokens: 3 T tokens", "");
    check("data_yield", &lines, Outcome::Normal);
    let result = run(&lines, "data_yield").result.unwrap().value;
    assert!((result.low - 3.1e12 / 3.0).abs() < 10.0);
}

#[test]
fn published_runs_are_normal() {
    // DeepSeek-V3, Llama 2 70B, LLaMA-65B, Skywork-13B, in their makers' figures.
    check(
        "compute",
        "parameters: 671 B parameters
         active_parameters: 37 B parameters
         training_tokens: 14.8 T tokens
         gpu_hours: 2.664 M GPU-hours
         gpu_model: H800
         precision: fp8",
        Outcome::Normal,
    );
    check(
        "compute",
        "parameters: 69 B parameters
         training_tokens: 2 T tokens
         gpu_hours: 1720320 GPU-hours
         gpu_model: A100
         precision: bf16",
        Outcome::Normal,
    );
    check(
        "calendar",
        "gpu_hours: 1.02 M GPU-hours
         gpus: 2048 GPUs
         training_start: 2022-12-01
         release: 2023-02-24",
        Outcome::Normal,
    );
}

#[test]
fn a_mixture_of_experts_is_reckoned_by_active_parameters() {
    let lines = "parameters: 671 B parameters
        active_parameters: 37 B parameters
        training_tokens: 14.8 T tokens
        gpu_hours: 2.664 M GPU-hours
        gpu_model: H800
        precision: bf16";
    let result = run(lines, "compute").result.unwrap().value;
    assert!((result.low - 0.3464).abs() < 5e-4 && (result.high - 1.6 * result.low).abs() < 1e-9, "{result:?}");
    // Reckoned by all its parameters the same run would be impossible.
    check("compute", &lines.replace("active_parameters: 37 B parameters", ""), Outcome::Impossible);
}

#[test]
fn utilisation_by_hours() {
    let lines = |hours: &str| {
        format!(
            "parameters: 34 B parameters
             training_tokens: 3.1 T tokens
             gpu_model: A800
             precision: bf16
             gpu_hours: {hours} GPU-hours"
        )
    };
    check("compute", &lines("10000"), Outcome::Impossible);
    check("compute", &lines("800000"), Outcome::Implausible);
    check("compute", &lines("1000000"), Outcome::Ask);
    check("compute", &lines("1410000"), Outcome::Normal);
    check("compute", &lines("9000000"), Outcome::Ask);
    // A faster accelerator could have done it, as long as nobody says which it was.
    let unnamed = lines("400000").replace("gpu_model: A800", "").replace("precision: bf16", "");
    check("compute", &unnamed, Outcome::Normal);
    check("compute", &lines("400000"), Outcome::Impossible);
}

#[test]
fn a_number_format_that_the_accelerator_has_not_is_told() {
    let lines = "parameters: 34 B parameters
        training_tokens: 3.1 T tokens
        gpu_model: A800
        precision: fp8
        gpu_hours: 1410000 GPU-hours";
    assert!(run(lines, "compute").assumptions.iter().any(|it| it.key == "assumption.format_without_peak"));
}

#[test]
fn hours_from_cost() {
    let lines = |cost: &str| {
        format!("parameters: 34 B parameters\n training_tokens: 3.1 T tokens\n cost: {cost} M USD\n gpu_model: H800")
    };
    check("compute", &lines("2"), Outcome::Normal);
    check("compute", &lines("0.01"), Outcome::Impossible);
}

#[test]
fn machines_and_window_bound_utilisation_from_below() {
    let lines = |gpus: u32| {
        format!(
            "parameters: 34 B parameters
             training_tokens: 3.1 T tokens
             gpus: {gpus} GPUs
             gpu_model: A800
             precision: bf16
             training_start: 2023-06-01
             release: 2023-11-02"
        )
    };
    for id in ["compute", "calendar"] {
        check(id, &lines(1024), Outcome::Normal);
        check(id, &lines(280), Outcome::Ask);
        check(id, &lines(200), Outcome::Implausible);
        check(id, &lines(64), Outcome::Impossible);
    }
}

#[test]
fn a_window_that_is_too_short() {
    let lines = |release: &str| {
        format!("gpu_hours: 1.02 M GPU-hours\n gpus: 2048 GPUs\n training_start: 2023-01-01\n release: {release}")
    };
    check("calendar", &lines("2023-02-01"), Outcome::Normal);
    check("calendar", &lines("2023-01-22"), Outcome::Implausible);
    check("calendar", &lines("2023-01-15"), Outcome::Impossible);
    check("calendar", &lines("2022-12-31"), Outcome::Impossible);
}

#[test]
fn no_more_parameters_are_active_than_there_are() {
    let lines =
        |total: &str| format!("parameters: {total}\n active_parameters: 37 B parameters\n training_tokens: 2 T tokens");
    check("compute", &lines("34 B parameters"), Outcome::Impossible);
    check("compute", &lines("37 B parameters"), Outcome::NotComputable);
    // Two models of one company: the figures may belong to either.
    check("compute", &lines("34 B parameters\n parameters: 671 B parameters"), Outcome::NotComputable);
}

#[test]
fn a_cluster_nobody_ever_had() {
    let lines = |days: &str| {
        format!(
            "parameters: 405 B parameters
             training_tokens: 15.6 T tokens
             training_start: 2024-01-01
             release: {days}"
        )
    };
    check("compute", &lines("2024-07-23"), Outcome::Normal);
    check("compute", &lines("2024-01-15"), Outcome::Ask);
    check("compute", &lines("2024-01-02"), Outcome::Implausible);
    // A release on the day of the start is not before it.
    let same_day = run(&lines("2024-01-01"), "calendar");
    assert_eq!(same_day.outcome, Outcome::Implausible, "{same_day:#?}");
    assert!(same_day.remarks.iter().all(|it| it.key != "remark.calendar.release_before_start"));
    check("calendar", &lines("2023-12-31"), Outcome::Impossible);
    // On clusters as they are published it would take longer than there was, but the cluster is our assumption.
    check("calendar", &lines("2024-01-02"), Outcome::Implausible);
}

#[test]
fn yields() {
    let lines = |tokens: &str| format!("raw_data: 3 PB\n clean_tokens: {tokens} T tokens");
    check("data_yield", &lines("0.3"), Outcome::Ask);
    check("data_yield", &lines("3"), Outcome::Normal);
    check("data_yield", &lines("9"), Outcome::Ask);
    check("data_yield", &lines("3000"), Outcome::Implausible);
    check("data_yield", &lines("60000"), Outcome::Impossible);
}

#[test]
fn what_cannot_be_computed_says_what_is_missing() {
    for (id, lines, missing) in [
        ("compute", "training_tokens: 3 T tokens", vec![About::GpuHours, About::Parameters]),
        ("data_yield", "clean_tokens: 3 T tokens", vec![About::RawData]),
        ("data_yield", "", vec![About::CleanTokens, About::RawData]),
        ("calendar", "release: 2023-11-02", vec![About::TrainingStart, About::GpuHours]),
    ] {
        let check = run(lines, id);
        assert_eq!(check.outcome, Outcome::NotComputable);
        assert!(missing.iter().all(|it| check.missing.contains(it)), "{id}: {:?}", check.missing);
    }
}

#[test]
fn claims_that_differ_make_a_range() {
    let lines = format!("{YI}\n training_tokens: 3 T tokens");
    let check = run(&lines, "compute");
    assert_eq!(check.outcome, Outcome::Normal);
    assert_eq!(check.steps[0].expression, "6 × 3.4e10 × (3e12–3.1e12)");
    assert!(check.assumptions.iter().any(|it| it.key == "assumption.claims_differ"));
}

/// Inputs that between them use every sentence of the room.
const ALL: &[&str] = &[
    YI,
    "",
    "clean_tokens: 3 T tokens\n parameters: 34 B parameters\n cost: 2 M USD",
    "raw_data: 3 PB\n clean_tokens: 0.3 T tokens",
    "raw_data: 3 PB\n clean_tokens: 9 T tokens",
    "raw_data: 3 PB\n clean_tokens: 3000 T tokens",
    "raw_data: 3 PB\n training_tokens: 60000 T tokens",
    "parameters: 34 B parameters\n active_parameters: 37 B parameters",
];

#[test]
fn every_sentence_is_listed() {
    let mut stated = BTreeSet::new();
    for lines in ALL {
        for check in check_all(&claims(lines), &Bands::shipped()) {
            let messages = check.assumptions.iter().chain(&check.remarks).chain(check.steps.iter().map(|it| &it.what));
            messages.for_each(|it| gather(it, &mut stated));
            stated.extend(check.steps.iter().map(|it| format!("unit.{}", it.result.unit)));
            stated.insert(format!("check.{}", check.id));
            stated.insert(format!("outcome.{}", check.outcome.word()));
        }
    }
    let unlisted: Vec<_> = stated.iter().filter(|it| !MESSAGE_KEYS.contains(&it.as_str())).collect();
    assert!(unlisted.is_empty(), "{unlisted:?}");
    assert!(MESSAGE_KEYS.is_sorted());
    assert!(About::ALL.iter().all(|it| MESSAGE_KEYS.contains(&format!("about.{}", it.word()).as_str())));
}

fn gather(message: &Message, keys: &mut BTreeSet<String>) {
    keys.insert(message.key.clone());
    for argument in message.arguments.values() {
        if let Argument::Term(term) = argument {
            gather(term, keys);
        }
    }
}
