//! The models that a model card names as those it was made from: the `base_model` of its front matter, and nothing else of it.

use crate::bytes::{Place, limits};

/// Where hubs keep the card.
const CARD: &str = "README.md";

/// The fields that name a base.
const FIELDS: [&str; 2] = ["base_model:", "base_models:"];

/// At most so many names are taken: a merge names a handful.
const MOST: usize = 32;

/// Longest name of a repository that counts as one.
const LONGEST: usize = 200;

/// What the card names; nothing where there is no card, or where it is not text.
pub(super) fn base_models(place: &dyn Place) -> Vec<String> {
    read(place).map(|it| named(&it)).unwrap_or_default()
}

/// One field of the card, where it is one line.
pub(super) fn field(place: &dyn Place, field: &str) -> Option<String> {
    let card = read(place)?;
    let start = format!("{field}:");
    let found = front_matter(&card).find_map(|it| it.strip_prefix(&start)).map(plain)?;
    is_name(found).then(|| found.to_owned())
}

fn read(place: &dyn Place) -> Option<String> {
    let bytes = place.holds(CARD).then(|| place.read_whole(CARD, limits::CARD).ok()).flatten()?;
    Some(String::from_utf8_lossy(&bytes).into_owned())
}

/// The lines between the two lines of `---` at the top.
fn front_matter(card: &str) -> impl Iterator<Item = &str> {
    let mut lines = card.trim_start_matches('\u{feff}').lines();
    let is_there = lines.next().map(str::trim_end) == Some("---");
    lines.take_while(move |it| is_there && it.trim_end() != "---")
}

/// `base_model: ORG/NAME`, a list in brackets, or a list of lines with dashes, between the two lines of `---` at the top.
fn named(card: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_list = false;
    for line in front_matter(card) {
        let field = FIELDS.iter().find_map(|it| line.strip_prefix(it));
        let item = line.trim_start().strip_prefix("- ").filter(|_| is_list);
        is_list = field.is_some_and(|it| it.trim().is_empty()) || item.is_some();
        let text = field.or(item).unwrap_or_default().trim().trim_start_matches('[').trim_end_matches(']');
        found.extend(text.split(',').map(plain).filter(|it| is_name(it)).map(str::to_owned));
    }
    found.truncate(MOST);
    found
}

fn plain(text: &str) -> &str {
    text.trim().trim_matches(['"', '\''])
}

fn is_name(text: &str) -> bool {
    !text.is_empty() && text.len() <= LONGEST && !text.chars().any(char::is_control)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(card: &str, expected: &[&str]) {
        assert_eq!(named(card), expected, "{card}");
    }

    #[test]
    fn the_front_matter_names_the_base() {
        check("---\nlicense: mit\nbase_model: Qwen/Qwen2.5-7B\n---\n# A", &["Qwen/Qwen2.5-7B"]);
        check("---\nbase_model:\n- a/b\n- \"c/d\"\ntags:\n- x\n---\n", &["a/b", "c/d"]);
        check("---\nbase_model: [a/b, 'c/d']\n---\n", &["a/b", "c/d"]);
    }

    #[test]
    fn what_is_no_front_matter_names_nothing() {
        check("# A\nbase_model: a/b\n", &[]);
        check("---\nlicense: mit\n---\nbase_model: a/b\n", &[]);
        check("", &[]);
    }
}
