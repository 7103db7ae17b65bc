//! What the lineage page says, and what it keeps silent.

use super::*;

/// How a subject is made of several references is told in every language, kind by kind.
#[test]
fn merges_are_said() {
    let mut card = card(&CARDS[0].1);
    let part = |name: &str, value: f64| {
        let (low, high) = (value - 0.002, value + 0.001);
        serde_json::json!({ "reference": name, "value": value, "low": low, "high": high })
    };
    let layers: Vec<_> = [("one", 0), ("one", 1), ("other", 2), ("one", 3)]
        .map(|(name, at)| serde_json::json!({ "subject": at, "reference": name, "is_same": true }))
        .into();
    for (kind, tag, said) in [
        (
            "linear",
            "en",
            [
                "Made of several references: every number is the same mixture",
                "(measured) 99.9% of its numbers",
                "one | 0.600 | 0.598 to 0.601",
            ],
        ),
        (
            "linear",
            "zh-CN",
            ["由多个参照构成：除舍入误差外", "（实测）其数值中有 99.9%", "one | 0.600 | 0.598 至 0.601"],
        ),
        (
            "ties",
            "en",
            [
                "a TIES merge. (measured)",
                "Difference of other: 50.0% of its numbers were dropped, and the others multiplied by 1.200.",
                "Differences are taken from one",
            ],
        ),
        (
            "interleaved",
            "en",
            [
                "and none was changed. (measured) 99.9%",
                "one | 0.600 | 0.598 to 0.601 | 0–1, 3",
                "other | 0.400 | 0.398 to 0.401 | 2",
            ],
        ),
        ("of-a-later-version", "zh-CN", ["由多个参照构成：something new 〔英文〕", "99.9%", "one | 0.600"]),
    ] {
        card.subjects[0].merge = Some(
            serde_json::from_value(serde_json::json!({
                "kind": kind,
                "certainty": "measured",
                "coefficients": [part("one", 0.6), part("other", 0.4)],
                "explained": 0.98,
                "exact": 0.9996,
                "base": (kind == "ties").then_some("one"),
                "scales": [1.2],
                "dropped": [0.5],
                "layers": layers,
                "matrices": 21,
                "detail": "something new",
            }))
            .unwrap(),
        );
        check_said(&card, tag, &said);
    }
    card.subjects[0].merge = None;
    card.subjects[0].no_merge = Some("of other shapes".to_owned());
    check_said(&card, "en", &["Two or more references are related to the subject by their weights."]);
    card.subjects[0].no_merge = None;
    let text = text_of(&card, "en");
    assert!(!text.contains("Made of several") && !text.contains("Two or more references"), "{text}");
}

/// A line on what was not examined says which reference or part it is about.
#[test]
fn what_was_not_examined_is_told_with_its_place() {
    let mut card = card(&CARDS[0].1);
    let unexamined = |what: &str, why: &str, detail: &str| crate::fact::Unexamined {
        what: what.to_owned(),
        why: why.to_owned(),
        detail: detail.to_owned(),
    };
    let subject = &mut card.subjects[0];
    for it in &mut subject.comparisons {
        it.unexamined.push(unexamined("tokenizer", "tokenizer-missing", "no file"));
    }
    subject.comparisons[1].unexamined.push(unexamined("weights", "quick-look", "a quick look"));
    subject.comparisons[2].unexamined.push(unexamined("tensors", "not-decoded", "acme: not read: blk.0.odd"));
    check_said(
        &card,
        "en",
        &[
            "- Weights: a catalogue entry is a blueprint",
            "- Tokenizer, against every reference: none of the files describes one.",
            "- Weights, against meta-llama/Llama-2-13b-hf: a quick look",
            "- Tensors, against meta-llama/Llama-2-70b-hf: some tensors have an element type or a layout that \
             cannot be decoded. acme: not read: blk.0.odd",
        ],
    );
    check_said(
        &card,
        "zh-CN",
        &[
            "- 分词器，对照 全部参照：文件中没有词表。",
            "- 张量，对照 meta-llama/Llama-2-70b-hf：部分张量的元素类型或布局无法解码。acme: not read: blk.0.odd 〔英文〕",
        ],
    );
    let mut second = card.subjects[0].clone();
    second.id = "second".to_owned();
    second.name = crate::fact::Text::plain("Second");
    card.subjects.push(second);
    check_said(&card, "en", &["- Weights, Second against meta-llama/Llama-2-13b-hf: a quick look"]);
}

/// A table with a head and no rows tells nothing.
#[test]
fn an_empty_ledger_is_one_sentence() {
    let mut card = card(&CARDS[0].1);
    card.ledger.clear();
    check_said(&card, "en", &["Nothing is in the ledger"]);
    check_said(&card, "zh-CN", &["台账为空"]);
    let language = Language::find("en").unwrap();
    let view = View::new(&card, &language, &Drawings::load().unwrap()).unwrap();
    let tables = view.sections.iter().flat_map(|it| &it.blocks).filter_map(|it| match it {
        Block::Table(table) => Some(table),
        _ => None,
    });
    assert!(tables.clone().count() > 5 && tables.clone().all(|it| !it.rows.is_empty()));
}

/// Dimensions that an index does not show are not other dimensions.
#[test]
fn dimensions_that_were_not_seen_are_not_called_other() {
    let mut card = card(&CARDS[0].1);
    let form = &mut card.subjects[0].comparisons[0].form;
    form.same_dimensions = false;
    form.differences.clear();
    form.dimensions =
        vec![crate::fact::DimensionPair { name: "hidden".to_owned(), subject: Some(64), reference: Some(64) }];
    check_said(&card, "en", &["| not seen |"]);
    check_said(&card, "zh-CN", &["| 未见 |"]);
    card.subjects[0].comparisons[0].form.dimensions[0].reference = Some(32);
    let text = text_of(&card, "en");
    assert!(!text.contains("| not seen |"), "{text}");
}
