//! Hours, clocks, calendars and utilization.

use proptest::prelude::*;

use crate::claims::tests::{BANDS, check, claims, has, run, run_with};
use crate::claims::{Counted, Outcome, check_all};

const DENSE: Counted = Counted {
    parameters: Some(34_388_917_248),
    active_parameters: None,
    experts: None,
    layers: None,
    hidden_size: None,
    vocabulary: None,
    context_length: None,
};

fn run_of(hours: &str) -> String {
    format!(
        "parameters: 34B\n training_tokens: 3.1T\n gpu_model: A800\n precision: bf16\n gpu_hours: {hours} GPU-hours"
    )
}

#[test]
fn utilization_by_hours() {
    // 6 x 3.4e10 x 3.1e12 = 6.324e23 FLOP over hours x 3600 x 3.12e14: 0.0626 hours a million, so 56.3, 0.73, 0.56,
    // 0.40, 0.06.
    for (hours, outcome) in [
        ("10001", Outcome::Impossible),
        ("770000", Outcome::Implausible),
        ("1010000", Outcome::Ask),
        ("1410000", Outcome::Normal),
        ("9000000", Outcome::Ask),
    ] {
        check("compute", &run_of(hours), outcome);
    }
    assert!(!run_with(&run_of("1410000"), "compute", &DENSE).assumed, "every figure is stated");
}

#[test]
fn rounding_softens_what_is_grave_and_answers_no_question() {
    // 0.61 of the peak: 5 % on three figures explain it, and it stays a question.
    let softened = check("compute", &run_of("924000"), Outcome::Ask);
    assert!(has(&softened.remarks, "remark.rounding_explains"), "{softened:#?}");
    // 0.56: a question at its word, and no rounding makes it an answer.
    check("compute", &run_of("1000000"), Outcome::Ask);
}

#[test]
fn nothing_is_impossible_on_a_mere_assumption() {
    // A mixture of which nobody stated the active parameters: 3.1 of the peak if all worked on each token.
    let lines =
        "parameters: 671B\n training_tokens: 14.8T\n gpu_hours: 2.664M GPU-hours\n gpu_model: H800\n precision: fp8";
    let assumed = check("compute", lines, Outcome::Implausible);
    assert!(assumed.assumed && has(&assumed.remarks, "remark.only_if_mixture"), "{assumed:#?}");
    let dense = Counted { parameters: Some(671_026_419_200), ..Counted::default() };
    assert_eq!(run_with(lines, "compute", &dense).outcome, Outcome::Impossible);
    // The files show a mixture, and the active parameters were counted: no assumption at all.
    let mixture = Counted { active_parameters: Some(37_500_000_000), experts: Some(256), ..dense };
    let counted = run_with(lines, "compute", &mixture);
    assert_eq!((counted.outcome, counted.assumed), (Outcome::Normal, false), "{counted:#?}");
    // A mixture by its own words, or by its files without a count: not computable, never dense.
    let words = format!("{lines}\n release: 2024-12-26").replace("parameters: 671B", "parameters: 671B MoE parameters");
    assert!(std::panic::catch_unwind(|| claims(&words)).is_err(), "a quote is not a unit");
    let experts = Counted { experts: Some(256), ..Counted::default() };
    let unknown = run_with(lines, "compute", &experts);
    assert_eq!(unknown.outcome, Outcome::NotComputable);
    assert!(has(&unknown.remarks, "remark.active_unknown"));
}

#[test]
fn a_mixture_by_the_words_of_a_quote_is_not_taken_for_dense() {
    let mut claims =
        claims("parameters: 671B\n training_tokens: 14.8T\n gpu_hours: 2.664M GPU-hours\n gpu_model: H800");
    for (quote, is_mixture) in [
        ("DeepSeek-V3 is a Mixture-of-Experts model", true),
        ("我们的混合专家模型", true),
        ("a strong MoE with 671B", true),
        ("Some of Moet's models", false),
    ] {
        claims[0].quote = crate::fact::Text::plain(quote);
        let checks = check_all(&claims, &Counted::default(), &BANDS);
        assert_eq!(checks[0].outcome == Outcome::NotComputable, is_mixture, "{quote}");
    }
}

#[test]
fn a_mixture_of_experts_is_reckoned_by_active_parameters() {
    let lines = "parameters: 671B\n active_parameters: 37B\n training_tokens: 14.8T\n gpu_hours: 2.664M GPU-hours
        gpu_model: H800\n precision: bf16";
    let result = run(lines, "compute").result.unwrap().value;
    // 6 x 3.7e10 x 1.48e13 = 3.2856e24 over 2.664e6 x 3600 x 9.89e14 = 9.485e24.
    assert!((result.low - 0.3464).abs() < 5e-4 && (result.high - 1.6 * result.low).abs() < 1e-9, "{result:?}");
}

#[test]
fn no_more_parameters_are_active_than_there_are() {
    let lines = |total: &str| format!("parameters: {total}\n active_parameters: 37B\n training_tokens: 2T");
    check("compute", &lines("30B"), Outcome::Impossible);
    check("compute", &lines("37B"), Outcome::NotComputable);
}

#[test]
fn a_number_format_that_the_accelerator_has_not_is_a_finding() {
    let lines = run_of("1410000").replace("bf16", "fp8");
    let lacking = check("compute", &lines, Outcome::Implausible);
    assert!(has(&lacking.remarks, "remark.format_lacking"));
    check("compute", &lines.replace("A800", "H800"), Outcome::Ask);
    // Where no figure was found, nothing is said of the company.
    let unknown = run(&lines.replace("A800", "TPU v6e"), "compute");
    assert!(unknown.assumed && has(&unknown.assumptions, "assumption.format_without_peak"), "{unknown:#?}");
}

#[test]
fn an_accelerator_without_a_known_peak_is_kept_and_not_guessed() {
    let check = check("compute", &run_of("1410000").replace("A800", "other: MLU590"), Outcome::NotComputable);
    assert!(has(&check.remarks, "remark.peak_unknown"));
}

#[test]
fn an_accelerator_that_nobody_named_was_there_by_the_release() {
    // 230,000 hours for 34B x 3.1T: 2.45 of an A800, 0.77 of an H100 in bf16, 0.39 in fp8; what came later does not
    // count.
    let lines = "parameters: 34B\n training_tokens: 3.1T\n gpu_hours: 230000 GPU-hours\n release: 2021-11-02";
    let early = run(lines, "compute");
    assert_eq!(early.outcome, Outcome::Implausible, "{early:#?}");
    assert!(early.assumed);
    let late = run(&lines.replace("2021", "2023"), "compute");
    assert!(late.outcome < Outcome::Implausible && late.assumed && has(&late.remarks, "remark.range_reaches"));
}

#[test]
fn a_model_older_than_its_accelerator_is_a_question() {
    let lines = format!("{}\n release: 2021-01-01", run_of("1410000"));
    let early = check("compute", &lines, Outcome::Ask);
    assert!(has(&early.remarks, "remark.accelerator_too_late"));
    check("compute", &lines.replace("2021", "2023"), Outcome::Normal);
}

#[test]
fn stated_utilization() {
    // 0.40 by the hours. Stated 45 % fits; 30 % is less than the hours imply; 65 % no run reached.
    let lines = |stated: &str| format!("{}\n {stated}", run_of("1410000"));
    check("compute", &lines("mfu: 45%"), Outcome::Normal);
    let implied = check("compute", &lines("mfu: 30%"), Outcome::Ask);
    assert!(has(&implied.remarks, "remark.implied_above_stated"));
    let record = check("compute", &lines("mfu: 65%"), Outcome::Ask);
    assert!(has(&record.remarks, "remark.stated_above_record"));
    // Of a hardware utilization of 65 %, 49 % at least are the model's.
    check("compute", &lines("hfu: 65%"), Outcome::Normal);
}

#[test]
fn attention_over_a_long_context_is_allowed_for() {
    // LLaMA-7B's shape at 32,768 tokens: 32 x 4096 x 32768 / 6.738e9 = 0.637 of 6 x N x D on top.
    let lines = "parameters: 6.7B\n training_tokens: 2T\n context_length: 32768 tokens\n gpu_hours: 500000 GPU-hours
        gpu_model: A100\n precision: bf16";
    let shape =
        Counted { parameters: Some(6_738_415_616), layers: Some(32), hidden_size: Some(4096), ..Counted::default() };
    let check = run_with(lines, "compute", &shape);
    let step = check.steps.iter().find(|it| it.what.key == "step.attention").unwrap();
    let factor = step.result.value.high / step.result.value.low;
    assert!((factor - (1.0 + 32.0 * 4096.0 * 32768.0 / 6.7e9)).abs() < 1e-6, "{factor}");
    // Estimated from the size alone it comes out near: hidden size at least (6.7e9 x 64 / 12)^(1/3) = 3294.
    let estimated = run(lines, "compute");
    let step = estimated.steps.iter().find(|it| it.what.key == "step.attention").unwrap();
    let factor = step.result.value.high / step.result.value.low;
    assert!((factor - (1.0 + 32768.0 / (12.0 * 3294.0))).abs() < 1e-3, "{factor}");
    // At 2,048 tokens it is lost in the rounding.
    assert!(run(&lines.replace("32768", "2048"), "compute").allowances.is_empty());
}

#[test]
fn machines_and_window_bound_utilization_from_below() {
    let lines = |gpus: u32| {
        format!(
            "parameters: 34B\n training_tokens: 3.1T\n gpus: {gpus} GPUs\n gpu_model: A800\n precision: bf16
             training_start: 2023-06-01\n release: 2023-11-02"
        )
    };
    // 155 days: 280 x 24 x 155 = 1.04e6 hours, 0.54 of the peak; 190: 0.80; 16: 9.5.
    check("compute", &lines(1024), Outcome::Normal);
    check("compute", &lines(280), Outcome::Ask);
    check("compute", &lines(190), Outcome::Implausible);
    check("compute", &lines(16), Outcome::Implausible);
    for id in ["compute", "calendar"] {
        assert_eq!(run_with(&lines(16), id, &DENSE).outcome, Outcome::Impossible, "{id}");
        assert_eq!(run_with(&lines(1024), id, &DENSE).outcome, Outcome::Normal, "{id}");
    }
}

#[test]
fn a_window_that_is_too_short() {
    let lines = |release: &str| {
        format!("gpu_hours: 1.02M GPU-hours\n gpus: 2048 GPUs\n training_start: 2023-01-01\n release: {release}")
    };
    // 1.02e6 / (2048 x 24) = 20.75 days by the clock: 1 to 22 January are 22 days, to 21 January 21, to 15 January 15.
    for (release, outcome) in [
        ("2023-02-01", Outcome::Normal),
        ("2023-01-22", Outcome::Normal),
        ("2023-01-21", Outcome::Normal),
        ("2023-01-15", Outcome::Impossible),
        ("2022-12-31", Outcome::Impossible),
    ] {
        assert!(!check("calendar", &lines(release), outcome).assumed);
    }
    check("calendar", "training_days: 90 days\n training_start: 2023-09-01\n release: 2023-11-30", Outcome::Normal);
    check("calendar", "training_days: 90 days\n training_start: 2023-10-01\n release: 2023-11-30", Outcome::Impossible);
}

#[test]
fn a_cluster_nobody_ever_had() {
    let lines = |days: &str| {
        format!("parameters: 405B\n training_tokens: 15.6T\n training_start: 2024-01-01\n release: {days}")
    };
    check("compute", &lines("2024-07-23"), Outcome::Normal);
    check("compute", &lines("2024-01-15"), Outcome::Ask);
    check("compute", &lines("2024-01-02"), Outcome::Implausible);
    check("calendar", &lines("2023-12-31"), Outcome::Impossible);
    // A release on the day of the start is not before it, and the cluster is our assumption.
    let same_day = check("calendar", &lines("2024-01-01"), Outcome::Implausible);
    assert!(!has(&same_day.remarks, "remark.calendar.release_before_start"));
}

#[test]
fn the_clock_has_24_hours_a_day() {
    let lines = |hours: &str| format!("gpu_hours: {hours} GPU-hours\n gpus: 384\n training_days: 117 days");
    // 384 x 24 x 117 = 1,078,272.
    check("wall_clock", &lines("1,082,990"), Outcome::Normal);
    check("wall_clock", &lines("1078272"), Outcome::Normal);
    check("wall_clock", &lines("700000"), Outcome::Normal);
    check("wall_clock", &lines("300000"), Outcome::Ask);
    check("wall_clock", &lines("1400000"), Outcome::Impossible);
}

#[test]
fn compute_as_stated() {
    // 6 x 1.75e11 x 3e11 = 3.15e23.
    let lines = |flop: &str| format!("parameters: 175B\n training_tokens: 300B\n flop: {flop} FLOP");
    check("flop", &lines("3.15e23"), Outcome::Normal);
    check("flop", &lines("4.3e23"), Outcome::Normal);
    check("flop", &lines("7e23"), Outcome::Ask);
    check("flop", &lines("1.1e23"), Outcome::Implausible);
    check("flop", &lines("3.15e24"), Outcome::Implausible);
    // Stated compute stands in for tokens that nobody stated.
    check(
        "compute",
        "flop: 6.324e23 FLOP\n gpu_hours: 1.41M GPU-hours\n gpu_model: A800\n precision: bf16",
        Outcome::Normal,
    );
}

#[test]
fn fine_tuning() {
    let lines = |hours: &str| {
        format!("parameters: 70B\n fine_tune_tokens: 2B tokens\n fine_tune_hours: {hours} GPU-hours\n gpu_model: A100")
    };
    // 4 to 6 x 7e10 x 2e9 = 5.6e20 to 8.4e20; an A100-hour is 1.123e18 at its peak: 499 hours at least.
    check("fine_tune", &lines("5000"), Outcome::Normal);
    check("fine_tune", &lines("50000"), Outcome::Normal);
    check("fine_tune", &lines("900"), Outcome::Ask);
    check("fine_tune", &lines("101"), Outcome::Impossible);
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, ..ProptestConfig::default() })]

    /// Accelerators x 24 x days in exactly those days: whoever states it is believed.
    #[test]
    fn honest_hours_are_normal(gpus in 1_u32..100_000, days in 1_i64..700, start in 0_i64..2000) {
        let first = chrono::NaiveDate::from_ymd_opt(2020, 1, 1).unwrap();
        let from = first + chrono::Days::new(u64::try_from(start).unwrap());
        let release = from + chrono::Days::new(u64::try_from(days - 1).unwrap());
        let hours = i64::from(gpus) * 24 * days;
        let lines = format!(
            "gpus: {gpus}\n gpu_hours: {hours} GPU-hours\n training_start: {from}\n release: {release}\n training_days: {days} days"
        );
        let checks = check_all(&claims(&lines), &Counted::default(), &BANDS);
        for id in ["calendar", "wall_clock"] {
            let check = checks.iter().find(|it| it.id == id).unwrap();
            prop_assert_eq!(check.outcome, Outcome::Normal, "{:#?}", check);
            prop_assert!(!check.assumed);
        }
        // A third more than the clock has is not to be explained by rounding.
        let more = hours + hours.div_euclid(3) + 1;
            let more = lines.replace(&format!("gpu_hours: {hours} "), &format!("gpu_hours: {more} "));
        let checks = check_all(&claims(&more), &Counted::default(), &BANDS);
        prop_assert_eq!(checks.iter().find(|it| it.id == "wall_clock").unwrap().outcome, Outcome::Impossible);
    }
}
