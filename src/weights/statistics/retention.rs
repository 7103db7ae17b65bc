//! Retention: how much of what training wrote into one model the other still has.
//!
//! **Statistic.** The regression slope of the later model's norm weights, less their start of one, on the earlier
//! model's; where they were folded or scaled away, of sizes of columns, what blocks write into the stream and token
//! rows.
//!
//! **Null.** None is claimed: a heuristic. Under derivation the slope is 1, however long the later model was trained;
//! of two trainings from one start it is what the data force on both, measured at 0.55 and less where both were trained
//! as long as is usual, and at up to 0.78 where they were hardly trained.
//!
//! **Assumptions.** Norm weights started at one and were not rewritten.
//!
//! **What it cannot tell.** Whether models are related at all: it is read only where a test shows that. Trainings of
//! one start on the same data in the same order keep as much of each other as derivation does, where both were short.
//!
//! Reference: none, it is a heuristic of this program.

use crate::checkpoint::Error;
use crate::fact::{PKind, StatisticId};
use crate::weights::matching::matched::Measured;
use crate::weights::statistics::{Compared, Definition, Observation, Role, Support};

pub(crate) const DEFINITION: Definition = Definition { ids: &[StatisticId::Retention], role: Role::Decides, observe };

/// How much of what training wrote must be kept for derivation rather than a shared start. Under derivation the
/// regression slope of the later model on the earlier one is 1, however long the later one was trained; two trainings
/// from one start share only what the data force on both.
/// The less both were trained, the more of what gains hold is forced alike: up to 0.55 between models of one start that
/// were trained as long as is usual here, 0.78 in a family trained at half the rate. Of two that were trained at
/// different rates the slope may be anything, which is why it alone is not enough.
pub(crate) const RETAINED: f64 = 0.8;

/// Below this it is a shared start; between the two nobody is told anything that might be wrong.
pub(crate) const SHARED: f64 = 0.55;

/// The least correlation of gains, or of sizes of columns, that still tells derivation. The slope alone says nothing
/// where one side was trained at another rate, or had its gains scaled and the next weights scaled back: it grows with
/// the spread of the one. Trainings from one start, at one rate or two, agree to 0.58 at most in eight families;
/// derived models do less after very long training alone.
pub(crate) const GAINS_AGREE: f64 = 0.6;

/// From here on gains are taken to say something about what was kept.
const GAINS_SPEAK: f64 = -3.0;

/// Cosine of token rows from which on they are taken to be trained on and not replaced.
const ROWS_SPEAK: f64 = 0.3;

/// So many gains speak for themselves: their slope is then known to about 0.05.
const ENOUGH_GAINS: usize = 256;

fn observe(compared: &Compared<'_>) -> Result<Vec<Observation>, Error> {
    let measured = compared.measured;
    let observation = |kept: Kept| Observation {
        id: StatisticId::Retention,
        component: "body".to_owned(),
        value: kept.share,
        samples: measured.total(|it| it.possible),
        kind: PKind::Heuristic,
        null: "two trainings from one start keep less than 0.8 of what each wrote".to_owned(),
        support: Support::OfRelated(kept.share >= RETAINED),
    };
    Ok(Kept::of(measured).map(observation).into_iter().collect())
}

/// Whether there are enough gains, they agree at all, and they were not written over: gains that were scaled one by
/// one, with the next weights scaled back, agree by little, where the sizes of columns that they are folded into agree
/// as before.
pub(crate) fn do_gains_speak(measured: &Measured) -> bool {
    let gains = &measured.kept_gains;
    let is_written_over = || {
        gains.agreement < GAINS_AGREE
            && measured.columns().and_then(|it| it.agreement()).is_some_and(|it| it >= GAINS_AGREE)
    };
    gains.count > 0 && gains.dimensions >= 16 && gains.log10_p() <= GAINS_SPEAK && !is_written_over()
}

/// Whether gains and sizes of columns say opposite things, as where gains were written over and the next weights made
/// up for it.
pub(crate) fn are_at_odds(measured: &Measured) -> bool {
    let gains = measured.kept_gains.sums.retained(1.0);
    let columns = measured.columns().and_then(|it| it.retained());
    columns.is_some_and(|it| gains < SHARED && it >= RETAINED || gains >= RETAINED && it < SHARED / 2.0)
}

/// How much of what training wrote is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub(crate) share: f64,
    /// How well the numbers that told it agree, whatever their spread; none where they were not those that every start
    /// has alike.
    pub(crate) agreement: Option<f64>,
}

impl Kept {
    /// Gains start at one in every model, so that all of what they hold was written by training; where there are few of
    /// them, token rows, which start small, speak beside them.
    ///
    /// Gains that show nothing although the body is related were folded or scaled away. Then the sizes of columns,
    /// which such gains are still in, stand for them, and beside those token rows and what blocks write into the
    /// stream. The stream may have been scaled as a whole, and what is written is measured by the size of the token
    /// rows, which such a scale multiplies alike. Without sizes of columns nobody is told of a shared start, since what
    /// blocks write fades with training too.
    pub(crate) fn of(measured: &Measured) -> Option<Self> {
        let tokens = [&measured.embedding, &measured.head].into_iter().find(|it| it.cosine >= ROWS_SPEAK);
        let gains = &measured.kept_gains;
        if do_gains_speak(measured) {
            let kept = gains.sums.retained(1.0);
            let beside =
                tokens.filter(|_| gains.count * gains.dimensions < ENOUGH_GAINS).map(|it| it.sums.retained(1.0));
            let share = beside.map_or(kept, |it| f64::midpoint(kept, it));
            return Some(Self { share, agreement: Some(gains.agreement) });
        }
        let down = measured.sums(|it| it.down);
        let scale = tokens.map_or(1.0, |it| (it.sums.subject / it.sums.reference.max(f64::MIN_POSITIVE)).sqrt());
        let rows = tokens.map(|it| it.sums.retained(scale));
        let written = (down.reference > 0.0).then(|| rows.unwrap_or(f64::INFINITY).min(down.retained(scale)))?;
        let columns = measured.columns();
        let share = columns.and_then(|it| it.retained()).map_or(written, |it| f64::midpoint(it, written.min(1.0)));
        Some(Self { share, agreement: columns.and_then(|it| it.agreement()) })
    }
}
