//! Texts by language: a language that nobody asked for would print as another one, without a word about it.

use crate::yaml::{Cursor, Problems, did_you_mean, list_of_names};

/// Notes every text below a place that is in a language the rubric does not have.
pub(crate) fn check(at: &Cursor<'_>, languages: &[&str], problems: &mut Problems) {
    at.items().for_each(|it| check(&it, languages, problems));
    let fields: Vec<_> = at.fields().collect();
    if !is_text(&fields, languages) {
        fields.iter().for_each(|(_, it)| check(it, languages, problems));
        return;
    }
    for (tag, text) in fields.iter().filter(|(tag, _)| !languages.contains(tag)) {
        // `zh` and `cn` are what people write for `zh-CN`.
        let part_of = |it: &&str| it.split('-').any(|part| part.eq_ignore_ascii_case(tag));
        let meant = languages.iter().copied().find(part_of).or_else(|| did_you_mean(tag, languages.iter().copied()));
        let hint = match meant {
            _ if !text.exists() => "inside `{ }` a comma ends the text; put text with a comma into quotes".to_owned(),
            Some(meant) => format!("did you mean `{meant}`?"),
            None => format!("texts can be in {}", list_of_names(languages.iter().copied())),
        };
        let message = format!("`{}`: `{tag}` is not a language of the rubric", text.path());
        problems.push(text.key_problem("text-language", message).label("unknown language").hint(hint));
    }
}

/// A mapping is a text where one key is a language, or every key looks like one (`zh`, `zh_CN`, `EN`).
fn is_text(fields: &[(&str, Cursor<'_>)], languages: &[&str]) -> bool {
    let looks_like_language = |tag: &str| {
        let mut parts = tag.split(['-', '_']);
        parts.next().is_some_and(|it| it.len() == 2 && it.bytes().all(|it| it.is_ascii_alphabetic()))
            && parts.all(|it| matches!(it.len(), 2 | 4) && it.bytes().all(|it| it.is_ascii_alphabetic()))
    };
    let tags = || fields.iter().map(|(tag, _)| *tag).filter(|it| *it != "id");
    tags().any(|it| languages.contains(&it))
        || !fields.is_empty() && fields.len() == tags().filter(|it| looks_like_language(it)).count()
}
