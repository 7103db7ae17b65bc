//! Claimed against counted.

use crate::claims::tests::{has, run_with};
use crate::claims::{Counted, Outcome};

fn files(parameters: u64) -> Counted {
    Counted { parameters: Some(parameters), ..Counted::default() }
}

#[test]
fn parameters_claimed_and_counted() {
    for (claimed, counted, outcome) in [
        ("7B", 6_738_415_616, Outcome::Normal),
        ("34B", 34_388_917_248, Outcome::Normal),
        ("70B", 70_553_706_496, Outcome::Normal),
        // The name rounds: 1B for 1.24B; 7B for 7.6B does not, 7.5 would.
        ("1B", 1_235_814_400, Outcome::Normal),
        ("7B", 7_615_616_512, Outcome::Ask),
        ("7B", 7_490_000_000, Outcome::Normal),
        ("7.0B", 7_490_000_000, Outcome::Ask),
        ("7B", 8_900_000_000, Outcome::Implausible),
        ("7B", 10_600_000_000, Outcome::Impossible),
        ("70B", 34_388_917_248, Outcome::Impossible),
        ("7B", 48_864, Outcome::Impossible),
        ("70B", 48_000_000_000, Outcome::Implausible),
        ("70B", 46_000_000_000, Outcome::Impossible),
        ("70B", 63_000_000_000, Outcome::Ask),
        ("6-8B", 6_738_415_616, Outcome::Normal),
        ("at least 7B", 70_553_706_496, Outcome::Normal),
    ] {
        let check = run_with(&format!("parameters: {claimed}"), "counted", &files(counted));
        assert_eq!(check.outcome, outcome, "{claimed} and {counted}: {check:#?}");
        assert!(has(&check.remarks, "remark.counted.numbers"));
        assert_eq!(check.rests_on, ["CL-1"]);
    }
}

#[test]
fn nothing_counted_is_no_finding() {
    let check = run_with("parameters: 7B", "counted", &Counted::default());
    assert_eq!(check.outcome, Outcome::NotComputable);
    assert!(has(&check.remarks, "remark.counted.not_read"));
}

#[test]
fn vocabulary_context_and_active_parameters() {
    let counted = Counted {
        vocabulary: Some(64_000),
        context_length: Some(4096),
        active_parameters: Some(3_000_000_000),
        ..files(30_000_000_000)
    };
    for (lines, outcome) in [
        ("vocabulary: 64K", Outcome::Normal),
        ("vocabulary: 6.4万词元", Outcome::Normal),
        ("vocabulary: 128,000", Outcome::Impossible),
        ("context_length: 4K", Outcome::Normal),
        ("context_length: 2048", Outcome::Normal),
        // Longer than the configuration allows: by an extension, or not at all.
        ("context_length: 200K", Outcome::Ask),
        ("active_parameters: 3.3B", Outcome::Ask),
        ("active_parameters: 30B", Outcome::Ask),
        ("parameters: 30B\n vocabulary: 128,000", Outcome::Impossible),
    ] {
        assert_eq!(run_with(lines, "counted", &counted).outcome, outcome, "{lines}");
    }
    let length = Counted { context_length: Some(131_072), ..Counted::default() };
    assert_eq!(run_with("context_length: 128K", "counted", &length).outcome, Outcome::Normal);
}
