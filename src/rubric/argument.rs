//! The argument of the guide, computed: how far reading errors move the mean of an axis, and where the cut-offs lie.

use std::path::Path;

use super::*;

/// Chances of errors in half levels times weight: exact, since weights of the shipped rubrics are whole numbers.
type Errors = BTreeMap<i64, f64>;

const GUIDE: &str = include_str!("../../rubrics/README.md");

/// Errors of one criterion that so many readers read, in half levels.
fn of_reading(rate: f64, readers: u32) -> Errors {
    let off = (1.0 - rate) / 2.0;
    let one = [(-1, off), (0, rate), (1, off)];
    let both = one.iter().flat_map(|(first, p)| one.iter().map(move |(second, q)| (first + second, p * q)));
    match readers {
        1 => one.iter().map(|(error, p)| (2 * error, *p)).collect(),
        _ => both.fold(Errors::new(), |mut sum, (error, p)| {
            *sum.entry(error).or_default() += p;
            sum
        }),
    }
}

/// Errors of a weighted mean, with the largest sum of weights in half levels.
fn of_mean(rubric: &Rubric, axis: &AxisMean, readers: u32) -> (Errors, f64, usize) {
    let pillar = |it: &Criterion| it.id.trim_end_matches(|it: char| it.is_ascii_digit()).to_owned();
    let taken = rubric.criteria.iter().filter(|it| it.id != rubric.axes.derived_criterion);
    let taken: Vec<&Criterion> = taken.filter(|it| axis.takes(&it.id, &pillar(it))).collect();
    let reading = of_reading(rubric.robustness.exact_readings, readers);
    let errors = taken.iter().fold(Errors::from([(0, 1.0)]), |sum, criterion| {
        assert_eq!(criterion.weight.fract(), 0.0, "{}: weights are whole numbers", criterion.id);
        let mut next = Errors::new();
        for (so_far, p) in &sum {
            for (error, q) in &reading {
                *next.entry(so_far + error * criterion.weight as i64).or_default() += p * q;
            }
        }
        next
    });
    (errors, 2.0 * taken.iter().map(|it| it.weight).sum::<f64>(), taken.len())
}

/// Standard deviation, half-width that holds 95 % of errors, chance that level 2 throughout is read as medium.
fn figures(rubric: &Rubric, axis: &AxisMean, readers: u32) -> [f64; 3] {
    let (errors, scale, _) = of_mean(rubric, axis, readers);
    let chance = |holds: &dyn Fn(f64) -> bool| {
        errors.iter().filter(|(error, _)| holds(**error as f64 / scale)).map(|it| it.1).sum::<f64>()
    };
    let deviation = errors.iter().map(|(error, p)| p * (*error as f64 / scale).powi(2)).sum::<f64>().sqrt();
    let widths = errors.keys().filter(|it| **it >= 0).map(|it| *it as f64 / scale);
    let half_width = widths.into_iter().find(|width| chance(&|error| error.abs() <= width + 1e-9) >= 0.95);
    let (low, high) = (rubric.axes.low_below, rubric.axes.high_from);
    [deviation, half_width.unwrap(), chance(&|error| 2.0 + error >= low - 1e-9 && 2.0 + error < high - 1e-9)]
}

#[test]
fn the_table_of_the_guide_is_what_the_rates_give() {
    let rubric = find("llm-originality", Path::new("")).unwrap();
    for (id, axis) in &rubric.axes.means {
        let (_, _, criteria) = of_mean(&rubric, axis, 1);
        let [one, two] = [1, 2].map(|readers| {
            let [deviation, half_width, medium] = figures(&rubric, axis, readers);
            format!("{deviation:.2} | {half_width:.2} | {:.0} %", 100.0 * medium)
        });
        let row = format!("| {id} | {criteria} | {one} | {two} |");
        assert!(GUIDE.contains(&row), "the guide has no row `{row}`");
    }
}

/// Half a level is wider than the error of two readers on every axis of every rubric, and lies half way between levels.
#[test]
fn cut_offs_lie_half_way_between_levels_and_outside_the_reading_error() {
    for id in shelf_ids() {
        let rubric = find(id, Path::new("")).unwrap();
        assert_eq!((rubric.axes.low_below, rubric.axes.high_from), (1.5, 2.5), "{id}");
        for (axis, mean) in &rubric.axes.means {
            let [_, half_width, medium] = figures(&rubric, mean, 2);
            let (_, _, criteria) = of_mean(&rubric, mean, 2);
            // An axis of two criteria has three possible errors a side, and is read no better than they are.
            if criteria > 2 {
                assert!(half_width < 0.5 && medium > 0.95, "{id} {axis}: {half_width} {medium}");
            }
        }
    }
}

/// What two readers of one rate would show in an archive, and the rate that an archive gives back.
#[test]
fn an_archive_of_double_readings_gives_the_rate() {
    let agreement = |rate: f64| rate * rate + 2.0 * ((1.0 - rate) / 2.0).powi(2);
    let rate = |agreement: f64| {
        let exact = (agreement * 1e9).round() as u64;
        Pairs { count: 1_000_000_000, exact, within_one: 1_000_000_000 }.rate().unwrap().rate
    };
    assert!((agreement(0.68) - 0.51).abs() < 0.005);
    assert!((rate(0.68) - 0.81).abs() < 0.005);
    for known in [0.5, 0.68, 0.8, 1.0] {
        assert!((rate(agreement(known)) - known).abs() < 1e-6, "{known}");
    }
}
