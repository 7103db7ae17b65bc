//! "Did you mean": the known name that a person most likely meant.

use crate::yaml::to_half_width;

/// The known name nearest to what was written, if one is near enough to be meant.
pub fn did_you_mean<'a>(written: &str, known: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let plain =
        |text: &str| to_half_width(text).trim_matches(['"', '\'', ' ']).replace(['-', ' ', '.'], "_").to_lowercase();
    let wanted = plain(written);
    let mut best: Option<(f64, &str)> = None;
    for name in known {
        let likeness = likeness(&wanted, &plain(name));
        if likeness >= 0.7 && best.is_none_or(|(other, _)| likeness > other) {
            best = Some((likeness, name));
        }
    }
    best.map(|(_, name)| name)
}

/// Names as a sentence lists them: `` `a`, `b` or `c` ``; long lists are cut.
pub fn list_of_names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const MOST: usize = 24;
    let names: Vec<&str> = names.into_iter().collect();
    let shown: Vec<String> = names.iter().take(MOST).map(|name| format!("`{name}`")).collect();
    match shown.as_slice() {
        [] => "nothing".to_owned(),
        [one] => one.clone(),
        _ if names.len() > MOST => format!("{} … ({} in all)", shown.join(", "), names.len()),
        [most @ .., last] => format!("{} or {last}", most.join(", ")),
    }
}

/// Short ids differ in one character from many others, so only equality up to spelling counts for them.
fn likeness(wanted: &str, name: &str) -> f64 {
    let shorter = wanted.chars().count().min(name.chars().count());
    if wanted == name {
        1.0
    } else if shorter <= 2 {
        0.0
    } else if shorter >= 4 && (wanted.starts_with(name) || name.starts_with(wanted)) {
        0.9
    } else {
        strsim::normalized_damerau_levenshtein(wanted, name)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slip_is_recognised_and_a_stranger_is_not() {
        let known = ["level", "evidence", "reason", "would_change", "EV-001", "EV-011", "T1"];
        let check = |written: &str, expected: Option<&str>| assert_eq!(did_you_mean(written, known), expected);
        check("levle", Some("level"));
        check("Reason", Some("reason"));
        check("would-change", Some("would_change"));
        check("“level”", Some("level"));
        check("ＥＶ－００１", Some("EV-001"));
        check("t1", Some("T1"));
        check("T9", None);
        check("weight", None);
    }

    #[test]
    fn names_are_listed_as_a_sentence_lists_them() {
        assert_eq!(list_of_names(["a"]), "`a`");
        assert_eq!(list_of_names(["a", "b", "c"]), "`a`, `b` or `c`");
        assert_eq!(list_of_names([]), "nothing");
    }
}
