//! Dates as people write them, and what they should have written.

use chrono::NaiveDate;

use crate::yaml::to_half_width;

/// A date written as `2024-03-31`, or what is wrong and what to do.
pub(crate) fn parse(text: &str) -> Result<NaiveDate, (String, String)> {
    let is_written_well = text.len() == 10
        && text.bytes().enumerate().all(|(idx, byte)| match idx {
            4 | 7 => byte == b'-',
            _ => byte.is_ascii_digit(),
        });
    let (year, month, day) = parts(text);
    let date = match (year, month, day) {
        (Some(year @ 1..=9999), Some(month), Some(day)) => {
            NaiveDate::from_ymd_opt(i32::try_from(year).unwrap_or(0), month, day)
        }
        _ => None,
    };
    match date {
        Some(date) if is_written_well => Ok(date),
        Some(date) => Err((
            format!("`{text}` is not written as a date"),
            format!("write it as year-month-day in half-width digits: `{}`", date.format("%Y-%m-%d")),
        )),
        None => Err((format!("`{text}` is not a date"), no_such_day(year, month, day))),
    }
}

/// Three numbers, whatever stands between them (`2024/3/1`, `2024年3月1日`, full-width digits).
fn parts(text: &str) -> (Option<u32>, Option<u32>, Option<u32>) {
    let text = to_half_width(text);
    let mut numbers = text.split(|it: char| !it.is_ascii_digit()).filter(|it| !it.is_empty()).map(str::parse);
    let mut next = || numbers.next().and_then(Result::ok);
    let parts = (next(), next(), next());
    if next().is_some() { (None, None, None) } else { parts }
}

fn no_such_day(year: Option<u32>, month: Option<u32>, day: Option<u32>) -> String {
    match (year, month, day) {
        (Some(year @ 10_000..), ..) => {
            format!("year {year} has more than four digits; write the date as year-month-day")
        }
        (Some(year), Some(month @ 1..=12), Some(day)) => {
            format!("month {month} of year {year} has no day {day}; write the date as year-month-day")
        }
        (Some(_), Some(month), Some(_)) => format!("there is no month {month}; write the date as year-month-day"),
        _ => "write the date as year-month-day, e.g. `2024-03-31`".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(text: &str, expected: &str) {
        let found = match parse(text) {
            Ok(date) => date.to_string(),
            Err((message, hint)) => format!("{message}; {hint}"),
        };
        assert_eq!(found, expected);
    }

    #[test]
    fn a_date_is_read_or_its_mistake_is_named() {
        check("2024-02-29", "2024-02-29");
        check(
            "2024/3/1",
            "`2024/3/1` is not written as a date; write it as year-month-day in half-width digits: `2024-03-01`",
        );
        check(
            "２０２４－０３－０１",
            "`２０２４－０３－０１` is not written as a date; write it as year-month-day in half-width digits: `2024-03-01`",
        );
        check(
            "2024年3月1日",
            "`2024年3月1日` is not written as a date; write it as year-month-day in half-width digits: `2024-03-01`",
        );
        check(
            "20256-11-23",
            "`20256-11-23` is not a date; year 20256 has more than four digits; write the date as year-month-day",
        );
        check("2023-13-40", "`2023-13-40` is not a date; there is no month 13; write the date as year-month-day");
        check(
            "2023-02-29",
            "`2023-02-29` is not a date; month 2 of year 2023 has no day 29; write the date as year-month-day",
        );
        check("soon", "`soon` is not a date; write the date as year-month-day, e.g. `2024-03-31`");
        check("2024-03", "`2024-03` is not a date; write the date as year-month-day, e.g. `2024-03-31`");
        check(
            "2024-03-01T00:00",
            "`2024-03-01T00:00` is not a date; write the date as year-month-day, e.g. `2024-03-31`",
        );
    }
}
