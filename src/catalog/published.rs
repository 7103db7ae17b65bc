//! When a model was published: an interval, as wide as its source leaves it.

use chrono::{Days, Months, NaiveDate};
use serde::Serialize;

/// How precise a stated date is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum DatePrecision {
    /// `2023`: any day of that year.
    Year,
    /// `2023-11`: any day of that month.
    Month,
    /// `2023-11-02`.
    Day,
}

/// The days on which a model may have been published, both ends included.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Published<'a> {
    /// The first of them.
    pub first: NaiveDate,
    /// The last of them.
    pub last: NaiveDate,
    /// How precise the source is.
    pub precision: DatePrecision,
    /// Where it says so.
    pub source: &'a str,
}

/// The days that `2023`, `2023-11` or `2023-11-02` stands for; none for anything else.
pub(crate) fn days(text: &str) -> Option<(NaiveDate, NaiveDate, DatePrecision)> {
    let lengths: Vec<_> = text.split('-').map(str::len).collect();
    let (whole, precision) = match lengths.as_slice() {
        [4] => (format!("{text}-01-01"), DatePrecision::Year),
        [4, 2] => (format!("{text}-01"), DatePrecision::Month),
        [4, 2, 2] => (text.to_owned(), DatePrecision::Day),
        _ => return None,
    };
    let first = NaiveDate::parse_from_str(&whole, "%Y-%m-%d").ok()?;
    let last = match precision {
        DatePrecision::Year => before(first.checked_add_months(Months::new(12))?)?,
        DatePrecision::Month => before(first.checked_add_months(Months::new(1))?)?,
        DatePrecision::Day => first,
    };
    Some((first, last, precision))
}

fn before(day: NaiveDate) -> Option<NaiveDate> {
    day.checked_sub_days(Days::new(1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str, DatePrecision)>) {
        let found = days(text).map(|(first, last, precision)| (first.to_string(), last.to_string(), precision));
        assert_eq!(found, expected.map(|(first, last, precision)| (first.to_owned(), last.to_owned(), precision)));
    }

    #[test]
    fn a_date_is_as_wide_as_its_source() {
        check("2023", Some(("2023-01-01", "2023-12-31", DatePrecision::Year)));
        check("2024-02", Some(("2024-02-01", "2024-02-29", DatePrecision::Month)));
        check("2023-12", Some(("2023-12-01", "2023-12-31", DatePrecision::Month)));
        check("2023-11-02", Some(("2023-11-02", "2023-11-02", DatePrecision::Day)));
    }

    #[test]
    fn what_is_no_date_has_no_days() {
        for text in ["", "May 2024", "2024-13", "2024-5", "2023-02-29", "24-05-01", "2024-05-01T00:00"] {
            check(text, None);
        }
    }
}
