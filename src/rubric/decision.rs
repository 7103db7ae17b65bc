//! The decision table gives exactly one verdict for every case, every row of it can decide, and every verdict can be
//! given.

use crate::rubric::validate::Validator;
use crate::yaml::Cursor;

const BANDS: [&str; 3] = ["low", "medium", "high"];
/// Most axes a table may have; all combinations of their bands are tried.
const MOST_AXES: usize = 6;

/// Notes everything that is wrong with the verdicts and the table.
pub(crate) fn validate(root: &Cursor<'_>, check: &mut Validator<'_>) {
    verdicts(root, check);
    let table = root.field("decision_table");
    for row in table.items() {
        check.text(&row.field("because"));
        check.problems.extend(row.field("then").unknown_name("unknown-verdict", "verdict", &check.names.verdicts));
        for (axis, bands) in row.field("bands").fields() {
            axis_and_bands(axis, &bands, check);
        }
    }
    if table.exists() && check.names.axes.len() <= MOST_AXES {
        combinations(&table, check);
        monotone(root, &table, check);
    }
    unused_criteria(root, check);
}

fn verdicts(root: &Cursor<'_>, check: &mut Validator<'_>) {
    let mut ranks: Vec<f64> = Vec::new();
    let given = given_verdicts(root);
    let mut without_rank = 0;
    for verdict in root.field("verdicts").items() {
        for text in ["name", "meaning", "recommendation"] {
            check.text(&verdict.field(text));
        }
        let rank = verdict.field("rank");
        match rank.number() {
            Some(number) if ranks.contains(&number) => {
                let message = format!("`{}`: another verdict has rank {number}", rank.path());
                check.problems.push(rank.problem("duplicate-rank", message).hint("no two verdicts are equally good"));
            }
            Some(number) => ranks.push(number),
            None => without_rank += 1,
        }
        if let Some(id) = verdict.field("id").text().filter(|it| !given.contains(it)) {
            let message = format!("no row of the table and no gate gives the verdict `{id}`");
            check.problems.push(verdict.field("id").problem("unreachable", message).hint("add a row, or leave it out"));
        }
    }
    if root.field("verdicts").exists() && without_rank != 1 {
        let message =
            format!("{without_rank} verdicts have no rank, expected one: the one that says nothing is decided");
        check.problems.push(root.field("verdicts").key_problem("rank", message).hint("worst is rank 0"));
    }
}

fn given_verdicts<'a>(root: &Cursor<'a>) -> Vec<&'a str> {
    let rows = root.field("decision_table").items().filter_map(|it| it.field("then").text());
    let gates = root.field("gates").items().flat_map(|it| it.field("effect").fields().collect::<Vec<_>>());
    rows.chain(gates.filter_map(|(_, value)| value.text())).collect()
}

fn axis_and_bands(axis: &str, bands: &Cursor<'_>, check: &mut Validator<'_>) {
    if !check.names.axes.contains(&axis) {
        let message = format!("`{}`: there is no axis `{axis}`", bands.path());
        let hint = format!("the axes are {}", crate::yaml::list_of_names(check.names.axes.iter().copied()));
        check.problems.push(bands.key_problem("unknown-axis", message).label("unknown axis").hint(hint));
    }
    if bands.exists() && bands.items().next().is_none() {
        let message = format!("`{}` allows no band, so the row never matches", bands.path());
        check.problems.push(bands.problem("empty", message).hint("leave the axis out where it may be anything"));
    }
}

/// Tries every combination: each is decided, and each row decides one.
fn combinations(table: &Cursor<'_>, check: &mut Validator<'_>) {
    let rows: Vec<Cursor<'_>> = table.items().collect();
    let axes = &check.names.axes;
    let mut decides = vec![false; rows.len()];
    let mut open: Option<String> = None;
    for derived in [true, false] {
        for number in 0..BANDS.len().pow(u32::try_from(axes.len()).unwrap_or(0)) {
            let bands = bands_of(number, axes.len());
            match rows.iter().position(|row| matches(row, derived, axes, &bands)) {
                Some(row) => decides[row] = true,
                None => open = open.or_else(|| Some(described(derived, axes, &bands))),
            }
        }
    }
    if let Some(combination) = open {
        let message = format!("no row of the decision table matches {combination}");
        check
            .problems
            .push(table.key_problem("open-table", message).hint("end the table with rows that leave axes out"));
    }
    for (row, _) in rows.iter().zip(decides).filter(|(_, decides)| !decides) {
        let message = format!("`{}` never decides: the rows above it take every case", row.path());
        check.problems.push(row.problem("unreachable", message).hint("move it up, or leave it out"));
    }
}

/// A better mean never leads to a worse verdict: otherwise better work would cost a company its verdict.
fn monotone(root: &Cursor<'_>, table: &Cursor<'_>, check: &mut Validator<'_>) {
    let rows: Vec<Cursor<'_>> = table.items().collect();
    let axes = &check.names.axes;
    let rank = |row: usize| {
        let then = rows[row].field("then");
        let verdict = root.field("verdicts").items().find(|it| it.field("id").text() == then.text())?;
        // The verdict that decides nothing is below every other.
        Some(verdict.field("rank").number().unwrap_or(-1.0))
    };
    let decides = |derived: bool, number: usize| {
        let bands = bands_of(number, axes.len());
        rows.iter().position(|row| matches(row, derived, axes, &bands))
    };
    for derived in [true, false] {
        for number in 0..BANDS.len().pow(u32::try_from(axes.len()).unwrap_or(0)) {
            for axis in (0..axes.len()).filter(|it| bands_of(number, axes.len())[*it] != "high") {
                let better = number + BANDS.len().pow(u32::try_from(axis).unwrap_or(0));
                let Some((worse, better)) = decides(derived, number).zip(decides(derived, better)) else { continue };
                if rank(better) < rank(worse) {
                    let bands = described(derived, axes, &bands_of(number, axes.len()));
                    let message = format!(
                        "`{}` decides a better `{}` than {bands}, and gives a worse verdict",
                        rows[better].path(),
                        axes[axis]
                    );
                    let hint = "order the rows so that raising a mean never lowers the verdict";
                    check.problems.push(rows[better].problem("not-monotone", message).label("worse").hint(hint));
                    return;
                }
            }
        }
    }
}

/// A criterion that neither an axis nor a gate looks at is asked for nothing.
fn unused_criteria(root: &Cursor<'_>, check: &mut Validator<'_>) {
    let axes = root.field("axes");
    let derived = axes.field("derived_criterion");
    let mut used: Vec<&str> = derived.text().into_iter().collect();
    for (_, mean) in axes.field("means").fields() {
        let pillars: Vec<&str> = mean.field("pillars").items().filter_map(|it| it.text()).collect();
        let without: Vec<&str> = mean.field("without").items().filter_map(|it| it.text()).collect();
        let of_pillar = |it: &&str| pillars.contains(&it.trim_end_matches(|it: char| it.is_ascii_digit()));
        used.extend(check.names.criteria.iter().copied().filter(|it| of_pillar(it) && !without.contains(it)));
        used.extend(mean.field("also").items().filter_map(|it| it.text()));
    }
    root.field("gates").items().for_each(|it| criteria_of(&it.field("when"), &mut used));
    for criterion in root.field("criteria").items() {
        let id = criterion.field("id");
        if let Some(text) = id.text().filter(|it| !used.contains(it)) {
            let message = format!("no axis and no gate uses the criterion `{text}`");
            check
                .problems
                .push(id.problem("unused", message).label("not used").hint("add it to an axis, or leave it out"));
        }
    }
}

/// The criteria that a condition names.
fn criteria_of<'a>(condition: &Cursor<'a>, used: &mut Vec<&'a str>) {
    for (key, value) in condition.fields() {
        match key {
            "all" | "any" => value.items().for_each(|it| criteria_of(&it, used)),
            "not" => criteria_of(&value, used),
            "level_at_most" => used.extend(value.field("criterion").text()),
            _ => {}
        }
    }
}

/// The digits of `number` to the base of three, one an axis.
fn bands_of(number: usize, axes: usize) -> Vec<&'static str> {
    (0..axes)
        .scan(number, |rest, _| {
            let band = BANDS[*rest % BANDS.len()];
            *rest /= BANDS.len();
            Some(band)
        })
        .collect()
}

fn matches(row: &Cursor<'_>, derived: bool, axes: &[&str], bands: &[&str]) -> bool {
    let wanted = row.field("derived");
    let derived_fits = !wanted.exists() || wanted.text() == Some(if derived { "true" } else { "false" });
    derived_fits
        && axes.iter().zip(bands).all(|(axis, band)| {
            let allowed = row.field("bands").field(axis);
            !allowed.exists() || allowed.items().any(|it| it.text() == Some(band))
        })
}

fn described(derived: bool, axes: &[&str], bands: &[&str]) -> String {
    let bands: Vec<String> = axes.iter().zip(bands).map(|(axis, band)| format!("{axis} {band}")).collect();
    format!("derived {derived}, {}", bands.join(", "))
}
