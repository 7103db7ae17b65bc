//! Where numbers come from: a source of tensors by name, and one that hands on finite numbers alone.

use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::checkpoint::{Data, Error, Stored};

/// Numbers by the name of their tensor.
pub trait Numbers: Sync {
    /// Elements of a range, counted row by row.
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error>;
    /// Whether there is a tensor of this name that can be read.
    fn has(&self, name: &str) -> bool;
    /// As what the numbers of a tensor are stored, where that is known.
    fn stored(&self, _name: &str) -> Option<Stored> {
        None
    }
}

impl Numbers for Data {
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        self.find(name).map_or_else(|| Ok(Vec::new()), |it| Self::read(self, it, elements))
    }

    fn has(&self, name: &str) -> bool {
        self.find(name).is_some_and(|it| it.unreadable.is_none())
    }

    fn stored(&self, name: &str) -> Option<Stored> {
        self.find(name).map(|it| it.stored.clone())
    }
}

/// What stands for a number that is none: as good as zero, and not the same as one that was written.
const NOTHING: f32 = f32::MIN_POSITIVE;

/// Numbers of which those that are none (NaN, infinite) read as nothing, and are counted. One of them in every row
/// would otherwise silence every statistic, and cost whoever wants that nothing.
pub struct Finite<'a> {
    numbers: &'a dyn Numbers,
    replaced: AtomicU64,
}

impl<'a> Finite<'a> {
    /// Reads through to these numbers.
    pub fn new(numbers: &'a dyn Numbers) -> Self {
        Self { numbers, replaced: AtomicU64::new(0) }
    }

    /// How many were no numbers so far; what is read twice counts twice.
    pub fn replaced(&self) -> u64 {
        self.replaced.load(Ordering::Relaxed)
    }
}

impl Numbers for Finite<'_> {
    fn read(&self, name: &str, elements: Range<u64>) -> Result<Vec<f32>, Error> {
        let mut numbers = self.numbers.read(name, elements)?;
        // A look at all of them at once is much faster than one at each, and nearly always enough.
        if numbers.iter().fold(true, |all, it| all & it.is_finite()) {
            return Ok(numbers);
        }
        let mut replaced = 0;
        for number in numbers.iter_mut().filter(|it| !it.is_finite()) {
            *number = NOTHING;
            replaced += 1;
        }
        self.replaced.fetch_add(replaced, Ordering::Relaxed);
        Ok(numbers)
    }

    fn has(&self, name: &str) -> bool {
        self.numbers.has(name)
    }

    fn stored(&self, name: &str) -> Option<Stored> {
        self.numbers.stored(name)
    }
}

/// Whether a number represents one that is none.
pub(crate) fn is_nothing(number: f32) -> bool {
    number == NOTHING
}
