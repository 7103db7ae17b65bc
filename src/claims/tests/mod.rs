//! The checks on real and made-up claims, to the printed digits.

use std::collections::BTreeSet;
use std::sync::LazyLock;

use crate::claims::{
    About, Bands, CHECKS, Check, Claim, ClaimAsWritten, Counted, MESSAGE_KEYS, Outcome, ValueAsWritten, check_all,
    worst,
};
use crate::fact::{Argument, Message, Text};

mod contradictions;
mod counted;
mod hours;
mod money;
mod published;

/// Read once: a property test asks for it a thousand times.
static BANDS: LazyLock<Bands> = LazyLock::new(Bands::shipped);

/// Claims from lines `about: value and unit`, the line being the quote.
fn claims(lines: &str) -> Vec<Claim> {
    let lines = lines.lines().map(str::trim).filter(|it| !it.is_empty());
    lines.enumerate().map(|(idx, line)| claim(idx, line)).collect()
}

fn claim(idx: usize, line: &str) -> Claim {
    let (about, value) = line.split_once(": ").unwrap();
    let written = ClaimAsWritten {
        id: format!("CL-{}", idx + 1),
        subject: None,
        about: about.to_owned(),
        value: match value {
            "true" => ValueAsWritten::Yes(true),
            "false" => ValueAsWritten::Yes(false),
            value => ValueAsWritten::Words(value.to_owned()),
        },
        unit: None,
        quote: Text::plain(line),
        source: vec!["EV-001".to_owned()],
        date: "2023-11-06".to_owned(),
    };
    written.validate(&BANDS).unwrap_or_else(|it| panic!("{line}: {it:?}"))
}

fn run_all(lines: &str, counted: &Counted) -> Vec<Check> {
    check_all(&claims(lines), counted, &BANDS)
}

fn run(lines: &str, id: &str) -> Check {
    run_with(lines, id, &Counted::default())
}

fn run_with(lines: &str, id: &str, counted: &Counted) -> Check {
    run_all(lines, counted).into_iter().find(|it| it.id == id).unwrap()
}

#[track_caller]
fn check(id: &str, lines: &str, outcome: Outcome) -> Check {
    let check = run(lines, id);
    assert_eq!(check.outcome, outcome, "{check:#?}");
    check
}

fn has(messages: &[Message], key: &str) -> bool {
    messages.iter().any(|it| it.key == key)
}

const YI: &str = "parameters: 34 B parameters
    training_tokens: 3.1 T tokens
    raw_data: 3 PB
    clean_tokens: 3 T tokens
    training_start: 2023-06-01
    release: 2023-11-02";

#[test]
fn yi_34b_is_normal_without_a_claim_on_gpu_hours_and_that_is_no_praise() {
    for id in ["compute", "calendar"] {
        assert!(check(id, YI, Outcome::Normal).assumed);
    }
    assert!(!check("data_yield", YI, Outcome::Normal).assumed);
    assert_eq!(worst(&run_all(YI, &Counted::default())), Outcome::Normal);
}

#[test]
fn yi_34b_to_printed_digits() {
    let checks = run_all(YI, &Counted::default());
    let computed = checks.iter().filter(|it| it.outcome > Outcome::NotComputable);
    let lines: Vec<String> = computed.flat_map(printed).collect();
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
    lines.push(format!("  allows for {}", keys(&check.allowances)));
    lines.push(format!("  misses {}", check.missing.iter().map(|it| it.word()).collect::<Vec<_>>().join(" ")));
    lines.push(format!("  remarks {}", keys(&check.remarks)));
    lines
}

#[test]
fn every_check_is_there_in_order_and_says_what_it_assumed() {
    for lines in ALL {
        let checks = run_all(lines, &Counted::default());
        assert_eq!(checks.iter().map(|it| it.id.as_str()).collect::<Vec<_>>(), CHECKS);
        assert!(checks.iter().all(|it| it.assumed != it.assumptions.is_empty()));
    }
}

#[test]
fn what_cannot_be_computed_says_what_is_missing() {
    for (id, lines, missing) in [
        ("compute", "training_tokens: 3 T tokens", vec![About::GpuHours, About::Parameters]),
        ("data_yield", "clean_tokens: 3 T tokens", vec![About::RawData]),
        ("data_yield", "", vec![About::CleanTokens, About::RawData]),
        ("calendar", "release: 2023-11-02", vec![About::TrainingStart, About::GpuHours]),
        ("cost", "cost: 3 M USD", vec![About::GpuHours]),
        ("energy", "energy: 400 MWh", vec![About::GpuHours]),
        ("wall_clock", "gpus: 2048", vec![About::GpuHours, About::TrainingDays]),
        ("fine_tune", "fine_tune_tokens: 2 B tokens", vec![About::FineTuneHours]),
        ("flop", "parameters: 34B", vec![About::Flop]),
        ("epochs", "clean_tokens: 1T", vec![About::TrainingTokens, About::Epochs]),
    ] {
        let check = run(lines, id);
        assert_eq!(check.outcome, Outcome::NotComputable);
        assert!(missing.iter().all(|it| check.missing.contains(it)), "{id}: {:?}", check.missing);
    }
}

#[test]
fn yields() {
    let lines = |tokens: &str| format!("raw_data: 3 PB\n clean_tokens: {tokens} T tokens");
    check("data_yield", &lines("0.3"), Outcome::Ask);
    check("data_yield", &lines("3"), Outcome::Normal);
    check("data_yield", &lines("9"), Outcome::Ask);
    check("data_yield", &lines("3000"), Outcome::Implausible);
    check("data_yield", &lines("60000"), Outcome::Impossible);
    let seen = check("data_yield", "raw_data: 3 PB\n training_tokens: 3.1T", Outcome::Normal);
    assert!(seen.assumed && (seen.result.unwrap().value.low - 3.1e12 / 3.0).abs() < 10.0);
}

#[test]
fn passes_over_the_data() {
    // 15 T seen of 0.5 T: 30 passes.
    check("epochs", "training_tokens: 15T\n clean_tokens: 0.5T", Outcome::Ask);
    check("epochs", "training_tokens: 3T\n clean_tokens: 0.95T", Outcome::Normal);
    check("epochs", "training_tokens: 100T\n clean_tokens: 1T", Outcome::Implausible);
    check("epochs", "epochs: 3", Outcome::Normal);
    check("epochs", "epochs: 30", Outcome::Ask);
    // 1 T x 2 passes cannot be 10 T seen; 0.95 T x 3 are 2.85 T, which is 3 T in round figures.
    let disagree = check("epochs", "training_tokens: 4T\n clean_tokens: 1T\n epochs: 2", Outcome::Ask);
    assert!(has(&disagree.remarks, "remark.passes.ask_low"), "{disagree:#?}");
    check("epochs", "training_tokens: 3T\n clean_tokens: 0.95T\n epochs: 3", Outcome::Normal);
    check("epochs", "training_tokens: 1T\n clean_tokens: 1T\n epochs: 6", Outcome::Implausible);
}

#[test]
fn open_ended_figures_are_honest_and_praise_nobody() {
    // More than 10,000 hours is true of any run; fewer than 10,000 is not enough for this one.
    let lines = |hours: &str| {
        format!("parameters: 34B\n training_tokens: 3.1T\n gpu_model: A800\n precision: bf16\n gpu_hours: {hours}")
    };
    let open = run(&lines("more than 10000 GPU-hours"), "compute");
    assert!(open.outcome <= Outcome::Normal && open.assumed, "{open:#?}");
    assert!(has(&open.remarks, "remark.range_reaches"));
    check("compute", &lines("fewer than 10000 GPU-hours"), Outcome::Impossible);
    check("compute", &lines("1-2 M GPU-hours"), Outcome::Normal);
    check("compute", &lines("about 1.4 M GPU-hours"), Outcome::Normal);
}

/// Inputs that between them use every sentence of the room.
const ALL: &[&str] = &[
    YI,
    "",
    "clean_tokens: 3 T tokens\n parameters: 34 B parameters\n cost: 2 M USD",
    "cost: 2 M USD\n gpu_hours: 1 M GPU-hours\n energy: 400 MWh\n training_days: 21 days\n gpus: 2048",
    "parameters: 34 B parameters\n active_parameters: 37 B parameters",
    "parameters: 34B\n training_tokens: 3T\n flop: 6e23 FLOP\n fine_tune_tokens: 2B\n fine_tune_hours: 500 GPU-hours",
    "parameters: 34B\n parameters: 70B\n gpu_model: A100\n gpu_model: H100\n gpu_hours: 1M GPU-hours\n training_tokens: 3T",
    "parameters: 34B\n training_tokens: 3T\n gpu_model: A100\n precision: fp8\n gpu_hours: 1M GPU-hours\n mfu: 20%\n hfu: 90%",
    "parameters: 34B\n training_tokens: 3T\n gpu_model: other: MLU590\n gpu_hours: 1M GPU-hours\n energy: 1 MWh",
    "parameters: 7B\n training_tokens: 3T\n context_length: 1M tokens\n gpu_hours: 1000 GPU-hours\n release: 2019-01-01\n gpu_model: H100",
    "epochs: 30\n clean_tokens: 1T\n training_tokens: 10T\n raw_data: 1 TB",
];

#[test]
fn every_sentence_is_listed() {
    let mut stated = BTreeSet::new();
    let files = Counted { parameters: Some(48_864), vocabulary: Some(1000), ..Counted::default() };
    for (lines, counted) in ALL.iter().flat_map(|lines| [(lines, Counted::default()), (lines, files)]) {
        for check in run_all(lines, &counted) {
            let messages = check.assumptions.iter().chain(&check.allowances).chain(&check.remarks);
            messages.chain(check.steps.iter().map(|it| &it.what)).for_each(|it| gather(it, &mut stated));
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

/// Every band of every scale has its sentence, whichever side of the usual it lies on.
#[test]
fn every_band_has_its_sentence() {
    let bands = Bands::shipped();
    let cluster = bands.cluster_marks();
    for (family, marks) in [
        ("utilization", &bands.utilization.marks),
        ("data_yield", &bands.data_yield.marks),
        ("cost", &bands.cost.marks),
        ("epochs", &bands.epochs.marks),
        ("counted", &bands.counted.marks),
        ("flop", &bands.flop.marks),
        ("wall_clock", &bands.wall_clock.marks),
        ("energy", &bands.energy.marks),
        ("fine_tune", &bands.fine_tune.marks),
        ("cluster", &cluster),
    ] {
        let normal = marks.iter().position(|it| it.outcome == Outcome::Normal).unwrap();
        for (idx, mark) in marks.iter().enumerate() {
            let side = if idx < normal { "_low" } else { "" };
            let key = format!("remark.{family}.{}{side}", mark.outcome.word());
            assert!(MESSAGE_KEYS.contains(&key.as_str()), "{key}");
        }
    }
}

fn gather(message: &Message, keys: &mut BTreeSet<String>) {
    keys.insert(message.key.clone());
    message.arguments.values().for_each(|it| gather_argument(it, keys));
}

fn gather_argument(argument: &Argument, keys: &mut BTreeSet<String>) {
    match argument {
        Argument::Term(term) => gather(term, keys),
        Argument::List(items) => items.iter().for_each(|it| gather_argument(it, keys)),
        _ => {}
    }
}
