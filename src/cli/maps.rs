//! Maps below the level of layers, as parts of the page of `compare`.

use comfy_table::Table;

use crate::bytes::grouped;
use crate::cli::inspect::align_right;
use crate::cli::terminal::table;
use crate::fact::{ExpertSource, KeptUnits, TokenMap};

/// How many runs are shown; JSON has more.
const RUNS: usize = 8;

/// One row an expert.
pub(super) fn experts(map: &[ExpertSource]) -> Table {
    let mut output = table(["Layer", "Expert", "Reference's layer", "Block", "Units with a partner", "Cosine"]);
    (0..6).for_each(|column| align_right(&mut output, column));
    let number = |it: Option<u32>| it.map_or_else(|| "none".to_owned(), |it| it.to_string());
    for it in map {
        output.add_row([
            it.layer.to_string(),
            it.expert.to_string(),
            number(it.reference_layer),
            number(it.reference_expert),
            format!("{:.0} %", it.units * 100.0),
            format!("{:.3}", it.cosine),
        ]);
    }
    output
}

/// One row a block, its kept units as runs.
pub(super) fn kept(blocks: &[KeptUnits]) -> Table {
    let mut output = table(["Layer", "Expert", "Reference's layer", "Found", "Of", "Which"]);
    (0..5).for_each(|column| align_right(&mut output, column));
    for it in blocks {
        output.add_row([
            it.subject.to_string(),
            it.expert.to_string(),
            it.reference.to_string(),
            grouped(it.count),
            grouped(it.of),
            runs(&it.kept),
        ]);
    }
    output
}

/// Runs as `0-3, 5`, the first few of them.
fn runs(kept: &[[u64; 2]]) -> String {
    let run = |[first, length]: &[u64; 2]| match length {
        0 | 1 => first.to_string(),
        _ => format!("{first}-{}", first + length - 1),
    };
    let shown: Vec<String> = kept.iter().take(RUNS).map(run).collect();
    format!("{}{}", shown.join(", "), if kept.len() > RUNS { ", …" } else { "" })
}

/// What became of the token rows, and the first runs.
pub(super) fn tokens(map: &TokenMap) -> Vec<String> {
    let mut all = vec![format!(
        "{} rows come from the reference, {} of them from another id; {} are new, {} of the reference's are gone",
        grouped(map.kept),
        grouped(map.moved),
        grouped(map.new),
        grouped(map.dropped)
    )];
    let run = |[ours, theirs, length]: &[u64; 3]| {
        format!("{ours}-{} come from {theirs}-{}", ours + length.max(&1) - 1, theirs + length.max(&1) - 1)
    };
    all.extend(map.runs.iter().take(RUNS).map(run));
    let more = (map.runs.len().saturating_sub(RUNS)) as u64 + map.runs_left_off;
    if more > 0 {
        all.push(format!("and {} runs more", grouped(more)));
    }
    all
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn runs_read_well() {
        assert_eq!(runs(&[[0, 4], [5, 1]]), "0-3, 5");
        let many: Vec<[u64; 2]> = (0..9).map(|it| [it * 2, 1]).collect();
        assert_eq!(runs(&many), "0, 2, 4, 6, 8, 10, 12, 14, …");
        let map = TokenMap { kept: 10, new: 2, dropped: 0, moved: 0, runs: vec![[0, 0, 10]], runs_left_off: 0 };
        assert_eq!(tokens(&map)[1], "0-9 come from 0-9");
    }
}
