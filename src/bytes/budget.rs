//! How many bytes a run may read, and how many it has read.

use std::borrow::Cow;
use std::ops::Range;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use crate::bytes::{Error, Names, Place, Source};

/// A number of bytes that everything read in one run shares: from disk, and over the network.
#[derive(Debug)]
pub struct Budget {
    limit: u64,
    read: AtomicU64,
}

impl Budget {
    /// So many bytes and no more.
    pub fn new(limit: u64) -> Self {
        Self { limit, read: AtomicU64::new(0) }
    }

    /// No bound.
    pub fn unlimited() -> Self {
        Self::new(u64::MAX)
    }

    /// How many were taken so far.
    pub fn read(&self) -> u64 {
        self.read.load(Ordering::Relaxed)
    }

    /// Fails where so many more bytes would be too many, and takes none.
    pub fn would_fit(&self, bytes: u64, name: &dyn Fn() -> String) -> Result<(), Error> {
        let read = self.read();
        if read.checked_add(bytes).is_some_and(|it| it <= self.limit) {
            return Ok(());
        }
        Err(Error::OverBudget { name: name(), wanted: bytes, read, limit: self.limit })
    }

    /// Takes so many bytes, or fails and takes none.
    pub fn take(&self, bytes: u64, name: &dyn Fn() -> String) -> Result<(), Error> {
        let within = |read: u64| read.checked_add(bytes).filter(|it| *it <= self.limit);
        let taken = self.read.fetch_update(Ordering::Relaxed, Ordering::Relaxed, within);
        taken.map(drop).map_err(|read| Error::OverBudget { name: name(), wanted: bytes, read, limit: self.limit })
    }
}

/// A place whose files are read within a budget.
#[derive(Debug)]
pub struct Budgeted<P> {
    place: P,
    budget: Arc<Budget>,
}

impl<P: Place> Budgeted<P> {
    /// The same place, within this budget.
    pub fn new(place: P, budget: Arc<Budget>) -> Self {
        Self { place, budget }
    }
}

impl<P: Place> Place for Budgeted<P> {
    fn path(&self) -> &Path {
        self.place.path()
    }

    fn single(&self) -> Option<&str> {
        self.place.single()
    }

    fn names(&self) -> Result<Names, Error> {
        self.place.names()
    }

    fn holds(&self, name: &str) -> bool {
        self.place.holds(name)
    }

    fn open(&self, name: &str) -> Result<Arc<dyn Source>, Error> {
        let name_shown = self.place.path_of(name);
        Ok(Arc::new(BudgetedSource {
            source: self.place.open(name)?,
            name: name_shown,
            budget: Arc::clone(&self.budget),
        }))
    }

    fn local(&self) -> Option<&Path> {
        self.place.local()
    }

    fn at_once(&self) -> usize {
        self.place.at_once()
    }

    fn path_of(&self, name: &str) -> PathBuf {
        self.place.path_of(name)
    }
}

struct BudgetedSource {
    source: Arc<dyn Source>,
    name: PathBuf,
    budget: Arc<Budget>,
}

impl BudgetedSource {
    /// A range that is not inside the file costs nothing; reading it tells what is wrong.
    fn take(&self, range: &Range<u64>) -> Result<(), Error> {
        if range.end > self.source.len() {
            return Ok(());
        }
        let size = range.end.saturating_sub(range.start);
        self.budget.take(size, &|| crate::bytes::shown(self.name.to_string_lossy()))
    }
}

impl Source for BudgetedSource {
    fn len(&self) -> u64 {
        self.source.len()
    }

    fn read_at(&self, range: Range<u64>) -> Result<Cow<'_, [u8]>, Error> {
        self.take(&range)?;
        self.source.read_at(range)
    }

    fn read_into(&self, range: Range<u64>, buffer: &mut Vec<u8>) -> Result<(), Error> {
        self.take(&range)?;
        self.source.read_into(range, buffer)
    }

    fn version(&self) -> Option<String> {
        self.source.version()
    }

    fn bytes_read(&self) -> u64 {
        self.source.bytes_read()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::bytes::LocalPlace;

    #[test]
    fn what_does_not_fit_is_not_taken_and_tells_the_numbers() {
        let budget = Budget::new(10);
        let name = || "`x`".to_owned();
        budget.take(7, &name).unwrap();
        let error = budget.take(4, &name).unwrap_err();
        assert_eq!(error.to_string(), "`x`: 4 more bytes would pass the limit of 10; 7 were read so far");
        assert!(budget.would_fit(4, &name).is_err() && budget.take(u64::MAX, &name).is_err());
        budget.take(3, &name).unwrap();
        assert_eq!(budget.read(), 10);
    }

    #[test]
    fn files_of_a_place_share_a_budget() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["a", "b"] {
            std::fs::write(folder.path().join(name), "0123456789").unwrap();
        }
        let budget = Arc::new(Budget::new(15));
        let place = Budgeted::new(LocalPlace::new(folder.path()), Arc::clone(&budget));
        let (one, other) = (place.open("a").unwrap(), place.open("b").unwrap());
        one.read_at(0..10).unwrap();
        assert!(matches!(other.read_at(0..10), Err(Error::OverBudget { wanted: 10, read: 10, limit: 15, .. })));
        assert!(matches!(other.read_at(0..11), Err(Error::Beyond { .. })));
        let mut buffer = vec![7; 9];
        other.read_into(0..5, &mut buffer).unwrap();
        assert_eq!((buffer.as_slice(), budget.read()), (&b"01234"[..], 15));
        assert!(matches!(other.read_into(0..1, &mut buffer), Err(Error::OverBudget { .. })));
    }
}
