//! Layer and expert numbers in short: `0-59`, `0-46/2` for every second, `0-3,5-11`.

use std::fmt;
use std::ops::RangeInclusive;

use crate::catalog::document::IndicesAsWritten;

/// No released model has more layers or experts, so a longer list is a slip of the pen.
const MOST: u32 = 4096;

/// Rising numbers: as ranges, and as they were written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Indices {
    ranges: Vec<RangeInclusive<u32>>,
    written: String,
}

impl Indices {
    /// Reads the notation; the error is one sentence.
    pub(crate) fn read(written: &IndicesAsWritten) -> Result<Self, String> {
        let text = match written {
            IndicesAsWritten::One(number) => number.to_string(),
            IndicesAsWritten::Ranges(text) => text.clone(),
        };
        let mut ranges: Vec<RangeInclusive<u32>> = Vec::new();
        for part in text.split(',') {
            let (first, last, step) = range(part).ok_or_else(|| format!("`{part}` is no range such as `0-31`"))?;
            if first > last || last >= MOST || step == 0 {
                return Err(format!("`{part}` must rise, by at least 1, to less than {MOST}"));
            }
            if ranges.last().is_some_and(|before| *before.end() >= first) {
                return Err(format!("`{text}` must rise throughout"));
            }
            match step {
                1 => ranges.push(first..=last),
                _ => ranges.extend((first..=last).step_by(step as usize).map(|it| it..=it)),
            }
        }
        Ok(Self { ranges, written: text })
    }

    /// The numbers as rising ranges.
    pub fn ranges(&self) -> &[RangeInclusive<u32>] {
        &self.ranges
    }

    /// How many there are.
    pub fn count(&self) -> u64 {
        self.ranges.iter().map(|it| u64::from(it.end() - it.start()) + 1).sum()
    }
}

impl fmt::Display for Indices {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.written)
    }
}

fn range(part: &str) -> Option<(u32, u32, u32)> {
    let (span, step) = part.split_once('/').unwrap_or((part, "1"));
    let (first, last) = span.split_once('-').unwrap_or((span, span));
    Some((first.parse().ok()?, last.parse().ok()?, step.parse().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Result<&[u32], &str>) {
        let read = Indices::read(&IndicesAsWritten::Ranges(text.to_owned()));
        match expected {
            Ok(numbers) => {
                let found: Vec<u32> = read.unwrap().ranges().iter().cloned().flatten().collect();
                assert_eq!(found, numbers);
            }
            Err(words) => assert!(read.as_ref().is_err_and(|it| it.contains(words)), "{read:?}"),
        }
    }

    #[test]
    fn ranges_are_read() {
        check("0-3", Ok(&[0, 1, 2, 3]));
        check("7", Ok(&[7]));
        check("1-7/2", Ok(&[1, 3, 5, 7]));
        check("0-1,4-5", Ok(&[0, 1, 4, 5]));
    }

    #[test]
    fn slips_are_refused() {
        check("", Err("no range"));
        check("0..3", Err("no range"));
        check("3-0", Err("must rise"));
        check("0-3,2-5", Err("throughout"));
        check("0-8/0", Err("at least 1"));
        check("0-4000000000", Err("less than 4096"));
    }
}
