//! How much is looked at: three levels, and what each may cost on a pair of models.
//!
//! A level is a limit on work and never on what small models show: where all of a model costs less than the limit, all
//! of it is looked at. What is left out is left out by number, evenly spread, before any weight was read, so that no
//! test loses its exactness; it loses power, and states what it has left.

use rayon::prelude::*;

use crate::checkpoint::Error;
use crate::weights::model::view::Net;

/// How much is looked at.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Effort {
    /// Norm gains, some token rows and some hidden units, all at their places.
    Quick,
    /// Aligns both models, and tests some layers and some units of each.
    #[default]
    Standard,
    /// Every layer and every unit.
    Deep,
}

impl Effort {
    /// The word for it, as the command line has it.
    pub fn word(self) -> &'static str {
        match self {
            Self::Quick => "quick",
            Self::Standard => "standard",
            Self::Deep => "deep",
        }
    }
}

/// Multiplications that matching one pair of layers may cost at standard effort.
const LAYER_WORK: f64 = 1.0e9;

/// And all layers together.
const WORK: f64 = 6.0e9;

/// Fewer layers are never tested.
const LEAST_LAYERS: usize = 4;

/// Fewer units of a block are never tested; of one expert, a quarter.
const LEAST_UNITS: usize = 64;

/// What may be looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Budget {
    /// Layers whose units and heads are compared.
    pub(crate) layers: usize,
    /// Units of one block, or one expert, of the reference.
    pub(crate) units: usize,
    /// Experts of one layer of the subject.
    pub(crate) experts: usize,
    /// Heads of one layer of the subject.
    pub(crate) heads: usize,
    /// Token rows.
    pub(crate) tokens: usize,
    /// The widest stream that a rotation is looked for in.
    pub(crate) rotated: usize,
    /// Rows of a projection that its change is measured on.
    pub(crate) changed_rows: usize,
}

impl Budget {
    /// What an effort allows on this pair.
    pub(crate) fn of(effort: Effort, subject: &Net<'_>, reference: &Net<'_>) -> Self {
        let hidden = subject.hidden.max(reference.hidden);
        match effort {
            Effort::Deep => Self {
                layers: usize::MAX,
                units: usize::MAX,
                experts: usize::MAX,
                heads: usize::MAX,
                tokens: hidden.saturating_mul(4).max(4_096),
                rotated: usize::MAX,
                changed_rows: usize::MAX,
            },
            Effort::Standard | Effort::Quick => Self::standard(&Shape::of(subject), &Shape::of(reference)),
        }
    }

    fn standard(subject: &Shape, reference: &Shape) -> Self {
        let unit = subject.width as f64 * subject.hidden.max(1) as f64 * 2.0; // one reference unit against one block
        let is_moe = reference.experts > 1;
        let least = if is_moe { LEAST_UNITS / 4 } else { LEAST_UNITS };
        let fit = |room: f64, one: f64, least: usize, most: usize| {
            let count = if one > 0.0 { (room / one).min(most as f64) as usize } else { most };
            count.max(least.min(most)).max(1)
        };
        let theirs = reference.experts.max(1);
        let experts = fit(LAYER_WORK, unit * (theirs * least) as f64, 2, subject.experts.max(1));
        let units = fit(LAYER_WORK, unit * (theirs * experts) as f64, least, reference.width);
        let layer = unit * (theirs * experts * units) as f64;
        Self {
            layers: fit(WORK, layer, LEAST_LAYERS, subject.layers.max(reference.layers)),
            units,
            experts,
            heads: 16,
            tokens: 4_096,
            rotated: 1_024,
            changed_rows: 256,
        }
    }
}

/// What the cost of a comparison depends on.
struct Shape {
    hidden: usize,
    layers: usize,
    experts: usize,
    width: usize,
}

impl Shape {
    fn of(net: &Net<'_>) -> Self {
        let most = |number: &dyn Fn(&crate::weights::model::layer::Layer) -> usize| {
            net.layers.iter().map(number).max().unwrap_or(0)
        };
        Self {
            hidden: net.hidden,
            layers: net.layers.len(),
            experts: most(&|it| it.ffns.len()),
            width: most(&|it| it.ffns.iter().map(|it| it.width).max().unwrap_or(0)),
        }
    }
}

/// At most so many of so many, evenly spread; all where there are no more.
pub(crate) fn spread(count: usize, most: usize) -> Vec<usize> {
    if count <= most {
        return (0..count).collect();
    }
    (0..most).map(|it| (it as u128 * count as u128 / most as u128) as usize).collect()
}

/// Bytes of one side's rows that are held at once.
pub(crate) const TILE: usize = 32 << 20;

/// Bytes that things which are worked on at once may hold together.
const HELD: usize = 256 << 20;

/// What comes out of each of some things, in their order; of as many at once as hold no more than they may together,
/// and no more than there are cores; one at a time where one alone holds more.
pub(crate) fn of_each<T: Sync, R: Send>(
    things: &[T],
    bytes_each: usize,
    one: impl Fn(&T) -> Result<R, Error> + Sync,
) -> Result<Vec<R>, Error> {
    let mut all = Vec::with_capacity(things.len());
    for some in things.chunks((HELD / bytes_each.max(1)).clamp(1, rayon::current_num_threads())) {
        let found: Vec<Result<R, Error>> = some.par_iter().map(&one).collect();
        all.extend(found.into_iter().collect::<Result<Vec<_>, _>>()?);
    }
    Ok(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn budget(hidden: usize, layers: usize, experts: usize, width: usize) -> Budget {
        let shape = || Shape { hidden, layers, experts, width };
        Budget::standard(&shape(), &shape())
    }

    #[test]
    fn small_models_are_looked_at_whole() {
        let small = budget(64, 8, 1, 176);
        assert!(small.layers == 8 && small.units == 176, "{small:?}");
        let experts = budget(64, 6, 8, 176);
        assert!(experts.layers == 6 && experts.units == 176 && experts.experts == 8, "{experts:?}");
    }

    /// The shapes of SmolLM2-135M, Llama-2-70B and DeepSeek-V3.
    #[test]
    fn large_models_cost_what_they_may() {
        let check = |budget: Budget, (layers, units, experts): (usize, usize, usize)| {
            assert_eq!((budget.layers, budget.units, budget.experts), (layers, units, experts));
        };
        check(budget(576, 30, 1, 1_536), (6, 565, 1));
        check(budget(8_192, 80, 1, 28_672), (4, 64, 1));
        check(budget(7_168, 61, 256, 2_048), (4, 16, 2));
    }

    #[test]
    fn what_is_spread_is_in_order_and_without_repeats() {
        assert_eq!(spread(5, 9), [0, 1, 2, 3, 4]);
        assert_eq!(spread(10, 4), [0, 2, 5, 7]);
        assert_eq!(spread(0, 4), [0_usize; 0]);
    }
}
