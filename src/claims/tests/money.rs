//! Cost against hours, and energy against hours.

use crate::claims::Outcome;
use crate::claims::tests::{check, has, run};

#[test]
fn the_price_of_an_hour() {
    let lines = |cost: &str| format!("gpu_hours: 2.788M GPU-hours\n cost: {cost}");
    // 5.576 M dollars: 2 dollars an hour; 0.1 M: 3.6 cents, less than the power; 30 M: 10.8.
    check("cost", &lines("$5.576M"), Outcome::Normal);
    check("cost", &lines("4000万元"), Outcome::Normal);
    check("cost", &lines("0.1 M USD"), Outcome::Implausible);
    check("cost", &lines("0.8 M USD"), Outcome::Ask);
    check("cost", &lines("30 M USD"), Outcome::Ask);
    assert!(!run(&lines("$5.576M"), "cost").assumed);
    // Accelerators and days of the run give the hours as well: 2048 x 24 x 57 = 2.8e6.
    check("cost", "gpus: 2048\n training_days: 57 days\n cost: $5.576M", Outcome::Normal);
}

#[test]
fn hours_from_cost_rest_on_a_price() {
    let lines = |cost: &str| {
        format!("parameters: 34B\n training_tokens: 3.1T\n cost: {cost} M USD\n gpu_model: H800\n precision: bf16")
    };
    assert!(check("compute", &lines("2"), Outcome::Normal).assumed);
    // 50,000 hours at a dollar: 3.6 of the peak; at ten cents it would fit.
    let cheap = check("compute", &lines("0.05"), Outcome::Implausible);
    assert!(has(&cheap.remarks, "remark.only_if_cheaper"), "{cheap:#?}");
    check("compute", &format!("{}\n active_parameters: 33B", lines("0.001")), Outcome::Impossible);
}

#[test]
fn energy_per_hour() {
    let lines = |energy: &str| format!("gpu_hours: 1,082,990 GPU-hours\n gpu_model: A100\n energy: {energy}");
    // 433 MWh: 400 W, the board power of an A100.
    check("energy", &lines("433 MWh"), Outcome::Normal);
    check("energy", &lines("69万度"), Outcome::Normal);
    check("energy", &lines("1.3 GWh"), Outcome::Ask);
    check("energy", &lines("100 MWh"), Outcome::Implausible);
    check("energy", &lines("5 MWh"), Outcome::Impossible);
    check("energy", &lines("5 GWh"), Outcome::Implausible);
    assert!(!run(&lines("433 MWh"), "energy").assumed);
    // Nobody named the accelerator: any on the list. Its maker published no power: nothing is reckoned.
    assert!(run("gpu_hours: 1M GPU-hours\n energy: 400 MWh", "energy").assumed);
    let unknown =
        check("energy", "gpu_hours: 1M GPU-hours\n energy: 400 MWh\n gpu_model: 昇腾910B", Outcome::NotComputable);
    assert!(has(&unknown.remarks, "remark.power_unknown"));
}
