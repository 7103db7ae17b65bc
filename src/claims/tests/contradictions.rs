//! A company that contradicts itself gains nothing by it.

use proptest::prelude::*;

use crate::claims::tests::{check, has, run, run_all};
use crate::claims::{About, Counted, Outcome};

const RUN: &str = "parameters: 70B\n gpu_hours: 180000 GPU-hours\n gpu_model: A100\n training_tokens: 15T";

#[test]
fn a_second_figure_excuses_nothing() {
    let dense = Counted { parameters: Some(70_553_706_496), ..Counted::default() };
    let alone = crate::claims::tests::run_with(RUN, "compute", &dense);
    assert_eq!(alone.outcome, Outcome::Impossible);
    for second in ["training_tokens: 0.1T", "gpu_hours: 14M GPU-hours", "parameters: 1B", "gpu_model: GB200"] {
        let both = crate::claims::tests::run_with(&format!("{RUN}\n {second}"), "compute", &dense);
        assert_eq!(both.outcome, Outcome::Impossible, "{second}: {both:#?}");
        assert!(has(&both.remarks, "remark.gravest_taken"), "{second}");
        assert!(both.rests_on.contains(&"CL-5".to_owned()), "the other figure is named as well");
        let finding = run(&format!("{RUN}\n {second}"), "consistency");
        assert!(finding.outcome >= Outcome::Ask && finding.outcome < Outcome::Impossible, "{finding:#?}");
    }
}

#[test]
fn roundings_of_one_figure_are_no_contradiction() {
    for lines in [
        "training_tokens: 3T\n training_tokens: 3.1T",
        "parameters: 34B\n parameters: 34.4B",
        "gpus: at least 2000\n gpus: 2048",
        "training_tokens: >15T\n training_tokens: 15.6T",
        "release: 2023-11-02\n release: 2023-11-02",
    ] {
        let check = check("consistency", lines, Outcome::Normal);
        assert!(!has(&check.remarks, "remark.consistency.contradict"));
    }
    // The most precise of them is reckoned with.
    let compute =
        run("parameters: 34B\n training_tokens: 3T\n training_tokens: 3.1T\n training_tokens: at least 3T", "compute");
    assert_eq!(compute.steps[0].expression, "6 × 3.4e10 × 3.1e12");
}

#[test]
fn contradictions_are_findings() {
    for (lines, outcome) in [
        ("training_tokens: 3.1T\n training_tokens: 4.2T", Outcome::Ask),
        ("training_tokens: 15T\n training_tokens: 0.1T", Outcome::Implausible),
        ("gpu_model: A100\n gpu_model: H100", Outcome::Ask),
        ("release: 2023-11-02\n release: 2023-12-02", Outcome::Ask),
        ("from_scratch: true\n from_scratch: false", Outcome::Ask),
        ("parameters: 7B\n training_tokens: 2T", Outcome::NotComputable),
    ] {
        check("consistency", lines, outcome);
    }
}

#[test]
fn of_two_windows_the_shorter_counts() {
    let lines = "gpu_hours: 1.02M GPU-hours\n gpus: 2048\n training_start: 2023-01-01\n \
                 release: 2023-01-15\n release: 2023-06-01";
    check("calendar", lines, Outcome::Impossible);
}

#[test]
fn many_contradictions_are_still_answered() {
    let numbers = About::ALL.map(|it| (it.word(), it.expected()));
    let lines: Vec<String> = numbers
        .into_iter()
        .filter_map(|(word, expected)| match expected {
            crate::claims::Expected::Number(measure) => Some((word, measure.examples[0])),
            _ => None,
        })
        .flat_map(|(word, unit)| ["0.1", "0.9"].map(|it| format!("{word}: {it} {unit}")))
        .collect();
    let checks = run_all(&lines.join("\n"), &Counted::default());
    assert_eq!(checks.last().unwrap().outcome, Outcome::Implausible);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 200, ..ProptestConfig::default() })]

    /// Another figure for anything never makes a check milder.
    #[test]
    fn a_contradiction_is_never_milder_than_the_worse_figure(
        parameters in 1_u32..500,
        tokens in 1_u32..40,
        hours in 1_u32..5000,
        gpus in 8_u32..4096,
        which in 0_usize..4,
        times in 3_u32..50,
    ) {
        let of = |parameters: u32, tokens: u32, hours: u32, gpus: u32| {
            format!("parameters: {parameters}B\n training_tokens: {tokens}T
                gpu_hours: {hours} K GPU-hours\n gpus: {gpus}
                gpu_model: A100\n training_start: 2023-01-01\n release: 2023-06-30\n cost: 3 M USD")
        };
        let second = [
            format!("parameters: {}B", parameters * times),
            format!("training_tokens: {}T", tokens * times),
            format!("gpu_hours: {} K GPU-hours", hours * times),
            format!("gpus: {}", gpus * times),
        ];
        let changed = [
            of(parameters * times, tokens, hours, gpus),
            of(parameters, tokens * times, hours, gpus),
            of(parameters, tokens, hours * times, gpus),
            of(parameters, tokens, hours, gpus * times),
        ];
        let counted = Counted { parameters: Some(u64::from(parameters) * 1_000_000_000), ..Counted::default() };
        let base = of(parameters, tokens, hours, gpus);
        let (one, other) = (run_all(&base, &counted), run_all(&changed[which], &counted));
        let both = run_all(&format!("{base}\n {}", second[which]), &counted);
        for ((one, other), both) in one.iter().zip(&other).zip(&both) {
            prop_assert!(both.outcome >= one.outcome.max(other.outcome), "{}: {one:?} {other:?} {both:?}", both.id);
        }
    }
}
