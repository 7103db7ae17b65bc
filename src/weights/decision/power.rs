//! What would still have been found.

use crate::fact::Power;
use crate::stats::levels::{LEVEL, rounded};
use crate::stats::sign_test::RandomSign;
use crate::weights::matching::matched::Measured;

/// What would still have been found, if the streams are in the same coordinates or rows show the map between them.
/// Matched units must find their partner among all others first; units at the same place need none.
pub(super) fn power(measured: &Measured) -> Power {
    let (dimensions, crowd) = measured.crowd;
    let stands_out = (2.0 * (crowd.max(2) as f64).ln() / dimensions.max(1) as f64).sqrt();
    // A coin adds two cosines, up and down; a quick look has up alone.
    let is_quick = measured.blocks.is_empty() && measured.place_signs.count() > 0;
    let cosines = if is_quick { 1.0 } else { 2.0 };
    let least = |it: &RandomSign| it.least_mean_found(LEVEL, cosines / dimensions.max(1) as f64) / cosines;
    let matched = least(&measured.unit_signs).max(stands_out);
    let in_place = least(&measured.place_signs);
    let bounded = |it: f64| rounded(if it.is_finite() { it.min(1.0) } else { 1.0 });
    let (least_cosine, in_place) = (bounded(matched), bounded(in_place));
    let change = |cosine: f64| (1.0 / (cosine * cosine).max(1e-6) - 1.0).max(0.0).sqrt();
    if is_quick {
        let units = measured.place_signs.count() as u64;
        let detail = format!(
            "with {units} units, each at its own place, derivation that left them a mean cosine of {in_place} would \
             have been found; units at other places were not looked for"
        );
        return Power { least_cosine: in_place, units, detail };
    }
    let units = measured.total(|it| it.possible) as u64;
    if units == 0 {
        let detail =
            "no hidden unit was compared, so that there is no measure of what would have been found".to_owned();
        return Power { least_cosine: 1.0, units, detail };
    }
    let mut detail = format!(
        "with {units} units, derivation that left matched units a mean cosine of {least_cosine} would have been found \
         (a change of {:.1} times the weights' own size), whatever order, sign and scale the units have, where both \
         streams have the same coordinates, or token rows or hidden units show the map",
        change(least_cosine)
    );
    if measured.place_signs.count() > 0 && in_place < least_cosine {
        detail += &format!(
            "; with every unit left at its place, a mean cosine of {in_place} ({:.1} times)",
            change(in_place)
        );
    }
    Power { least_cosine, units, detail }
}
