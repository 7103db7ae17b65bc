//! A day, a month or a year, as dates of publication are known: an interval of days.

use std::borrow::Cow;

use chrono::{Datelike, Days, Months, NaiveDate};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// All days from `from` to `to`, both included. Written as `2024-03-12`, `2024-03` or `2024`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Period {
    /// First day it may be.
    pub from: NaiveDate,
    /// Last day it may be.
    pub to: NaiveDate,
}

impl Period {
    /// A day that is known exactly.
    pub fn day(day: NaiveDate) -> Self {
        Self { from: day, to: day }
    }

    /// Reads a day, a month or a year; none where it is neither.
    pub fn parse(text: &str) -> Option<Self> {
        let digits = |it: &str, count: usize| it.len() == count && it.bytes().all(|it| it.is_ascii_digit());
        let parts: Vec<&str> = text.trim().split('-').collect();
        let first = |year: &str, month: &str, day: &str| {
            NaiveDate::from_ymd_opt(year.parse().ok()?, month.parse().ok()?, day.parse().ok()?)
        };
        let until = |from: NaiveDate, months: u32| {
            let to = from.checked_add_months(Months::new(months))?.checked_sub_days(Days::new(1))?;
            Some(Self { from, to })
        };
        match parts.as_slice() {
            [year] if digits(year, 4) => until(first(year, "1", "1")?, 12),
            [year, month] if digits(year, 4) && digits(month, 2) => until(first(year, month, "1")?, 1),
            [year, month, day] if digits(year, 4) && digits(month, 2) && digits(day, 2) => {
                first(year, month, day).map(Self::day)
            }
            _ => None,
        }
    }

    /// Whether every day of it is before every day of another: the order is known only then.
    pub fn is_before(self, other: Self) -> bool {
        self.to < other.from
    }
}

impl std::fmt::Display for Period {
    fn fmt(&self, out: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (from, to) = (self.from, self.to);
        if from == to {
            return write!(out, "{from}");
        }
        let written = if from.month() == to.month() { from.format("%Y-%m") } else { from.format("%Y") };
        write!(out, "{written}")
    }
}

impl Serialize for Period {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Period {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        Self::parse(&text).ok_or_else(|| serde::de::Error::custom(format!("`{text}` is no day, month or year")))
    }
}

impl JsonSchema for Period {
    fn schema_name() -> Cow<'static, str> {
        "Period".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            // A year alone is a number to YAML.
            "type": ["string", "integer"],
            "description": "A day (YYYY-MM-DD), a month (YYYY-MM) or a year (YYYY).",
            "pattern": "^[0-9]{4}(-[0-9]{2}(-[0-9]{2})?)?$",
            "minimum": 1000,
            "maximum": 9999
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: Option<(&str, &str)>) {
        let found = Period::parse(text).map(|it| (it.from.to_string(), it.to.to_string()));
        assert_eq!(found, expected.map(|(from, to)| (from.to_owned(), to.to_owned())), "{text}");
        if let Some(period) = Period::parse(text) {
            assert_eq!(period.to_string(), text);
        }
    }

    #[test]
    fn a_period_is_as_long_as_it_is_written() {
        check("2024-03-12", Some(("2024-03-12", "2024-03-12")));
        check("2024-02", Some(("2024-02-01", "2024-02-29")));
        check("2023", Some(("2023-01-01", "2023-12-31")));
        for wrong in ["", "24", "2024-3", "2024-13", "2024-02-30", "2024/03", "March 2024", "2024-03-12-01"] {
            check(wrong, None);
        }
    }

    #[test]
    fn the_order_is_known_only_where_periods_do_not_overlap() {
        let before = |one, other| Period::parse(one).unwrap().is_before(Period::parse(other).unwrap());
        assert!(before("2023", "2024-01-01") && before("2024-03", "2024-04-01"));
        assert!(!before("2024", "2024-06-01") && !before("2024-03-12", "2024-03-12") && !before("2025", "2024"));
    }
}
