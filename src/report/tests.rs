//! Memos of two scorecards, looked at from outside: words, files, sameness.

#[cfg(feature = "pdf")]
use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::LazyLock;
#[cfg(feature = "pdf")]
use std::sync::{Arc, Mutex, OnceLock};

use super::*;

mod lineage;

/// A case that the table decides, and one that is held since too little is known.
static CARDS: LazyLock<[(&str, String); 2]> = LazyLock::new(|| {
    ["transitional", "undetermined"]
        .map(|name| (name, std::fs::read_to_string(format!("tests/report/{name}.json")).unwrap()))
});

/// The scorecards of the examples, as the snapshots of their stages keep them.
#[cfg(feature = "pdf")]
const EXAMPLES: [(&str, &str); 2] = [
    ("yi-34b", include_str!("../../tests/snapshots/stages/yi-34b.scorecard.snap")),
    ("yi-34b-day-one", include_str!("../../tests/snapshots/stages/yi-34b-day-one.scorecard.snap")),
];

fn card(json: &str) -> Scorecard {
    serde_json::from_str(json).unwrap()
}

fn view(json: &str, tag: &str) -> View {
    let language = Language::find(tag).unwrap();
    View::new(&card(json), &language, &Drawings::load().unwrap()).unwrap()
}

/// The hash of a scorecard changes with every field that is added; snapshots do not care.
fn without_hash(text: String, json: &str) -> String {
    let hash = view::scorecard_hash(&card(json));
    text.replace(&hash, "HASH").replace(&hash[..12], "HASH")
}

fn each(mut check: impl FnMut(&str, &str, &str)) {
    for (name, json) in CARDS.iter() {
        for tag in Language::tags() {
            check(name, json, tag);
        }
    }
}

/// The view as lines of plain text, for people to review.
fn as_text(view: &View) -> String {
    let mut lines = vec![view.title.clone(), String::new()];
    let page = &view.decision;
    lines.extend([page.kicker.clone(), page.company.clone(), page.title.clone()]);
    lines.extend(page.stamp.iter().map(|it| format!("[{it}]")));
    let labelled =
        |lines: &mut Vec<String>, label: &str, words: &Words| lines.push(format!("{label}: {}", words.text()));
    page.facts.iter().for_each(|it| labelled(&mut lines, &it.label, &it.words));
    let heading = &page.heading;
    labelled(&mut lines, &heading.label, &heading.words);
    lines.extend(heading.branches.iter().map(|it| format!("  | {}", it.text())));
    lines.push(format!("{} {} [{:?}]", heading.class.text(), heading.scope, heading.tone));
    lines.extend(heading.details.iter().chain(&page.meaning).map(Words::text));
    labelled(&mut lines, &page.recommendation.label, &page.recommendation.words);
    lines.push(format!("{}: {}", page.strip.title, page.strip.columns.join(" | ")));
    let cells = |row: &Vec<Words>| row.iter().map(Words::text).collect::<Vec<_>>().join(" | ");
    lines.extend(page.strip.rows.iter().map(cells));
    lines.extend(page.strip.note.iter().map(Words::text));
    page.sentences.iter().for_each(|it| labelled(&mut lines, &it.label, &it.words));
    for points in [&page.believe, &page.worry, &page.change].into_iter().chain(&page.waivers) {
        lines.push(points.title.clone());
        lines.extend(points.items.iter().map(|it| format!("  - {}", it.text())));
    }
    lines.push(page.gates_title.clone());
    lines.extend(page.gates.iter().map(|it| format!("  {} {} {}", it.symbol, it.state, it.name)));
    lines.push(format!("{} [{}]", page.quadrant.caption, page.quadrant.description));
    lines.push(format!("{}: {} | {}", page.vote.title, page.vote.options.join(" "), page.vote.lines.join(" | ")));
    lines.push(page.small_print.text());
    for section in &view.sections {
        lines.extend([String::new(), format!("## {}", section.heading)]);
        section.blocks.iter().for_each(|block| lines.extend(block_lines(block)));
    }
    lines.extend([String::new(), view.frame.recipient.clone(), view.frame.page.clone()]);
    lines.join("\n")
}

fn block_lines(block: &Block) -> Vec<String> {
    match block {
        Block::Paragraph { words } | Block::Note { words, .. } => vec![words.text()],
        Block::Heading { text } => vec![format!("### {text}")],
        Block::List { items } => items.iter().map(|it| format!("  - {}", it.text())).collect(),
        Block::Figure(figure) => vec![format!("{} [{}]", figure.caption, figure.description)],
        Block::Table(table) => {
            let head = table.columns.iter().map(|it| it.title.clone()).collect::<Vec<_>>().join(" | ");
            let row = |row: &Vec<Cell>| row.iter().map(|it| it.words.text()).collect::<Vec<_>>().join(" | ");
            let mut lines = vec![table.title.clone(), head];
            lines.extend(table.rows.iter().map(row));
            lines.extend(table.note.iter().map(Words::text));
            lines
        }
    }
}

#[test]
fn memos_in_words() {
    each(|name, json, tag| {
        insta::assert_snapshot!(format!("{name}.{tag}"), without_hash(as_text(&view(json, tag)), json));
    });
}

/// Weights that were read are told in every language: relation, chance, parts, disguises, recipe, tokenizer.
#[test]
fn measured_weights_are_said() {
    let mut card = card(&CARDS[0].1);
    let comparison = &mut card.subjects[0].comparisons[0];
    comparison.weights = serde_json::from_value(serde_json::json!({
        "relation": "derived",
        "log10_p": -152.4,
        "p_kind": "exact",
        "components": [{
            "component": "feed-forward",
            "relation": "derived",
            "log10_p": -152.4,
            "p_kind": "exact",
            "cosine": 0.9982,
        }],
        "recipe": [
            {
                "step": "layers-duplicated",
                "certainty": "measured",
                "parameters": { "map": [0, 1, 2, 1] },
                "detail": "known",
            },
            {
                "step": "units-pruned",
                "certainty": "likely",
                "parameters": {},
                "detail": "something without its numbers was done",
            },
        ],
        "disguises": [{ "kind": "permuted-units", "detail": "704 of 704 stand elsewhere" }],
    }))
    .unwrap();
    for (tag, said) in [
        (
            "en",
            [
                "Weights against ",
                "a chance of at most 10⁻¹⁵²",
                "feed-forward | derived | 0.998 | 10⁻¹⁵² | exact",
                "Re-arrangement that leaves what the model computes unchanged: hidden units are in another order.",
                "come from 0, 1, 2, 1 of the reference. (measured)",
                "Recipe: something without its numbers was done",
            ],
        ),
        (
            "zh-CN",
            [
                "权重对照 ",
                "不超过 10⁻¹⁵²",
                "前馈 | 衍生 | 0.998 | 10⁻¹⁵² | 精确",
                "重排（不改变模型的计算结果）：隐藏单元的次序不同。",
                "（实测）",
                "something without its numbers was done 〔英文〕",
            ],
        ),
    ] {
        check_said(&card, tag, &said);
    }
}

fn text_of(card: &Scorecard, tag: &str) -> String {
    let language = Language::find(tag).unwrap();
    as_text(&View::new(card, &language, &Drawings::load().unwrap()).unwrap())
}

#[track_caller]
fn check_said(card: &Scorecard, tag: &str, said: &[&str]) {
    let text = text_of(card, tag);
    for words in said {
        assert!(text.contains(words), "`{words}` is not in the memo `{tag}`:\n{text}");
    }
}

#[test]
fn memos_as_html() {
    each(|name, json, tag| {
        let html = Drawings::load().unwrap().html(&view(json, tag)).unwrap();
        for outside in ["<script", "<link", "src=", "@import", "url(http"] {
            assert!(!html.contains(outside), "`{outside}` in the memo `{name}.{tag}`");
        }
        assert!(html.contains(&format!("<html lang=\"{tag}\">")));
        if name == CARDS[0].0 {
            insta::assert_snapshot!(format!("{name}.{tag}.html"), without_hash(html, json));
        }
    });
}

#[test]
fn ids_are_unique_and_headings_never_skip_a_level() {
    each(|name, json, tag| {
        let html = Drawings::load().unwrap().html(&view(json, tag)).unwrap();
        let mut ids = BTreeSet::new();
        for id in html.split(" id=\"").skip(1).filter_map(|it| it.split('"').next()) {
            assert!(ids.insert(id), "`{id}` stands twice in `{name}.{tag}`");
        }
        for target in html.split("href=\"#").skip(1).filter_map(|it| it.split('"').next()) {
            assert!(ids.contains(target), "`#{target}` leads nowhere in `{name}.{tag}`");
        }
        let levels: Vec<u32> = html.split("<h").skip(1).filter_map(|it| it.chars().next()?.to_digit(10)).collect();
        assert_eq!(levels.first(), Some(&1));
        assert_eq!(levels.iter().filter(|it| **it == 1).count(), 1);
        assert!(levels.windows(2).all(|pair| pair[1] <= pair[0] + 1), "{levels:?}");
    });
}

/// What people write is shown as they wrote it, and never run.
#[test]
fn words_of_others_are_escaped() {
    let mut card = card(&CARDS[0].1);
    card.company = crate::fact::Text::plain("<script>alert(1)</script>");
    for subject in &mut card.subjects {
        subject.name = crate::fact::Text::plain("</text><script>");
    }
    for model in &mut card.models {
        model.name = crate::fact::Text::plain("</text><script>");
    }
    let memos = memos(&card, &["en".to_owned()], &[Format::Html], &FontSources::default()).unwrap();
    let html = String::from_utf8(memos[0].bytes.clone()).unwrap();
    assert!(!html.contains("<script"));
    assert!(html.contains("&lt;script&gt;alert(1)"));
}

#[test]
fn words_in_another_language_carry_a_mark() {
    let chinese = as_text(&view(&CARDS[0].1, "zh-CN"));
    assert!(chinese.contains("A seeded rerun that does not reproduce the logged loss 〔英文〕"));
    assert!(!chinese.contains("公开材料一致，但未见原始日志 〔"));
    let english = as_text(&view(&CARDS[0].1, "en"));
    assert!(english.contains("公开材料一致，但未见原始日志 [zh]"));
    assert!(!english.contains("logged loss [en]"));
}

/// Law 4 and 7: nothing is rated by chance, and both languages show the same numbers.
#[test]
fn numbers_of_the_case_stand_in_both_languages() {
    for (tag, figures) in [
        ("en", ["34B parameters", "3.1T tokens", "6.3 × 10²³ FLOP", "1T tokens per PB", "34,388,917,248"]),
        ("zh-CN", ["340 亿参数", "3.1 万亿词元", "6.3 × 10²³ FLOP", "每 PB 1 万亿词元", "34,388,917,248"]),
    ] {
        let text = as_text(&view(&CARDS[0].1, tag));
        for figure in figures {
            assert!(text.contains(figure), "`{figure}` is not in the {tag} memo");
        }
    }
}

#[test]
fn what_a_language_cannot_say_is_told_all_at_once() {
    let mut card = card(&CARDS[0].1);
    card.believe[0].text.key = "no.such".to_owned();
    card.worry[0].text.key = "nor.this".to_owned();
    let error = memos(&card, &["en".to_owned()], &[Format::Html], &FontSources::default()).unwrap_err();
    let text = error.to_string();
    assert!(text.contains("no.such") && text.contains("nor.this"), "{text}");
    assert!(matches!(
        memos(&card, &["xx".to_owned()], &[], &FontSources::default()),
        Err(Error::UnknownLanguage { .. })
    ));
}

/// Every key another room states must be in every language.
#[test]
fn every_key_of_the_engine_can_be_said() {
    for tag in Language::tags() {
        let language = Language::find(tag).unwrap();
        for key in crate::claims::MESSAGE_KEYS.iter().chain(crate::scoring::MESSAGE_KEYS) {
            assert!(language.get(key).is_some(), "`{key}` is missing in `{tag}`");
        }
    }
}

/// Every key the view says is in the languages; so no memo can fail for want of a sentence.
#[test]
fn every_key_of_the_view_can_be_said() {
    let language = Language::find("en").unwrap();
    let mut sources = Vec::new();
    for entry in std::fs::read_dir("src/report/view").unwrap() {
        sources.push(std::fs::read_to_string(entry.unwrap().path()).unwrap());
    }
    let mut missing = BTreeSet::new();
    for source in &sources {
        for quoted in source.split('"').skip(1).step_by(2) {
            let is_key = quoted.split('.').count() > 1
                && quoted
                    .split('.')
                    .all(|part| !part.is_empty() && part.chars().all(|it| it.is_ascii_lowercase() || it == '_'));
            if is_key
                && language.get(quoted).is_none()
                && !["method.text", "limits.text", "strip.how"].contains(&quoted)
            {
                missing.insert(quoted.to_owned());
            }
        }
    }
    assert!(missing.is_empty(), "{missing:?}");
}

/// Every line of the view that is shown as text, white space left out.
#[cfg(feature = "pdf")]
fn shown(view: &View) -> BTreeSet<String> {
    fn visit(data: &serde_json::Value, key: &str, found: &mut BTreeSet<String>) {
        const NOT_SHOWN: &[&str] = &[
            "svg",
            "id",
            "description",
            "language",
            "tone",
            "kind",
            "align",
            "link",
            "generator",
            "date",
            "skip",
            "contents",
            "appendices",
            "page",
            "block",
        ];
        match data {
            serde_json::Value::String(line) if !NOT_SHOWN.contains(&key) => {
                found.insert(line.split_whitespace().collect());
            }
            serde_json::Value::Array(parts) => parts.iter().for_each(|it| visit(it, key, found)),
            serde_json::Value::Object(parts) => parts.iter().for_each(|(key, it)| visit(it, key, found)),
            _ => {}
        }
    }
    let mut found = BTreeSet::new();
    let mut data = serde_json::to_value(view).unwrap();
    // The title stands in the document's properties; figures are known by their captions.
    data["title"] = serde_json::Value::Null;
    for name in ["quadrant", "pillars", "check-compute", "check-calendar", "check-data-yield"] {
        found.insert(name.to_owned());
    }
    let names = std::mem::take(&mut found);
    visit(&data, "", &mut found);
    found.retain(|it| !it.is_empty() && !names.contains(it));
    found
}

/// The PDF of a card, written once for all tests: a build without optimisation takes seconds for each.
#[cfg(feature = "pdf")]
fn pdf_of(json: &str, tag: &str) -> Vec<u8> {
    type Slots = BTreeMap<(String, String), Arc<OnceLock<Vec<u8>>>>;
    static WRITTEN: Mutex<Slots> = Mutex::new(BTreeMap::new());
    let slot = WRITTEN.lock().unwrap().entry((json.to_owned(), tag.to_owned())).or_default().clone();
    slot.get_or_init(|| fresh_pdf(json, tag)).clone()
}

#[cfg(feature = "pdf")]
fn fresh_pdf(json: &str, tag: &str) -> Vec<u8> {
    let formats = [Format::Pdf];
    memos(&card(json), &[tag.to_owned()], &formats, &FontSources::default()).unwrap().remove(0).bytes
}

/// What a reader copies out of the PDF is what the view says, in Chinese too.
#[test]
#[cfg(feature = "pdf")]
fn text_copied_from_a_pdf_is_the_views_text() {
    each(|name, json, tag| {
        let view = view(json, tag);
        let pages = pdf_text::pages(&pdf_of(json, tag));
        let all = pages.len();
        let mut text = String::new();
        for (idx, page) in pages.iter().enumerate() {
            let number = view.frame.page.replace("{page}", &(idx + 1).to_string()).replace("{pages}", &all.to_string());
            let foot: String =
                format!("{}{number}{}", view.frame.recipient, view.frame.hash).split_whitespace().collect();
            assert!(page.contains(&foot), "page {} of `{name}.{tag}` has no foot", idx + 1);
            if idx > 0 {
                text.push_str(&page.replace(&foot, ""));
            } else {
                text.push_str(page);
            }
        }
        let lost = text.split('\u{FFFD}').skip(1).map(|it| it.chars().take(12).collect::<String>()).collect::<Vec<_>>();
        assert!(lost.is_empty(), "{lost:?}: a character of `{name}.{tag}` cannot be copied");
        let lost: Vec<_> = shown(&view).into_iter().filter(|it| !text.contains(it.as_str())).collect();
        assert!(lost.is_empty(), "not in the PDF of `{name}.{tag}`: {lost:#?}");
    });
}

/// The text of a view's sections in reading order, white space left out: what stands in a chart and in its table too.
#[cfg(feature = "pdf")]
fn in_order(view: &View) -> Vec<String> {
    let mut lines = Vec::new();
    for section in &view.sections {
        lines.push(section.heading.clone());
        for block in &section.blocks {
            match block {
                Block::Paragraph { words } | Block::Note { words, .. } => lines.push(words.text()),
                Block::Heading { text } => lines.push(text.clone()),
                Block::List { items } => lines.extend(items.iter().map(Words::text)),
                Block::Figure(figure) => {
                    lines.extend(chart_texts(&figure.svg));
                    lines.push(figure.caption.clone());
                }
                Block::Table(table) => {
                    lines.push(table.title.clone());
                    lines.extend(table.rows.iter().flatten().map(|it| it.words.text()));
                    lines.extend(table.note.iter().map(Words::text));
                }
            }
        }
    }
    lines.iter().map(|it| it.split_whitespace().collect::<String>()).filter(|it: &String| !it.is_empty()).collect()
}

/// What is written in a chart.
#[cfg(feature = "pdf")]
fn chart_texts(svg: &str) -> Vec<String> {
    let texts = svg.split("<text ").skip(1).filter_map(|it| it.split_once('>')?.1.split_once("</text>"));
    let plain = |it: &str| it.replace("&amp;", "&").replace("&lt;", "<").replace("&gt;", ">").replace("&#39;", "'");
    texts.map(|(text, _)| plain(&text.replace("&#x27;", "'").replace("&quot;", "\""))).collect()
}

/// Page 1 is the decision, alone; the body has at most six pages; everything stands in the order of the view. On the
/// examples too, which are what people see first.
#[test]
#[cfg(feature = "pdf")]
fn the_decision_fits_a_page_and_the_body_six() {
    let examples = EXAMPLES.iter().flat_map(|(name, kept)| {
        let json = &kept[kept.find("\n{").unwrap()..];
        Language::tags().into_iter().map(move |tag| (*name, json, tag))
    });
    let cards =
        CARDS.iter().flat_map(|(name, json)| Language::tags().into_iter().map(move |tag| (*name, json.as_str(), tag)));
    for (name, json, tag) in cards.chain(examples) {
        let view = view(json, tag);
        let pages = pdf_text::pages(&pdf_of(json, tag));
        let text: String = pages[1..].concat();
        let mut from = 0;
        for line in in_order(&view) {
            // A table's head, or the foot of a page, may come between two lines of a cell.
            let start: String = line.chars().take(8).collect();
            let found = text[from..].find(&start);
            from += found.unwrap_or_else(|| panic!("`{line}` is not where it belongs in `{name}.{tag}`"));
        }
        let starts = |heading: &str| {
            let heading: String = heading.split_whitespace().collect();
            pages.iter().position(|it| it.contains(&heading)).unwrap()
        };
        let last: String = view.decision.small_print.text().split_whitespace().collect();
        assert!(pages[0].contains(&last), "the decision of `{name}.{tag}` runs over");
        assert_eq!(starts(&view.sections[0].heading), 1);
        let appendix = view.sections.iter().find(|it| it.is_appendix).unwrap();
        assert!(starts(&appendix.heading) <= 6, "the body of `{name}.{tag}` is longer than six pages");
    }
}

#[test]
#[cfg(feature = "pdf")]
fn the_same_scorecard_gives_the_same_pdf() {
    for tag in Language::tags() {
        let bytes = pdf_of(&CARDS[0].1, tag);
        assert!(bytes == fresh_pdf(&CARDS[0].1, tag));
        let text = String::from_utf8_lossy(&bytes);
        assert!(text.contains(&format!("/Lang({tag})")), "the PDF does not say that it is in {tag}");
        assert!(text.contains("/MarkInfo<</Marked true"));
        assert!(text.contains("pdfuaid") && text.contains("pdfaid"));
        assert!(text.contains("2024-03-31") && !text.contains("typst 0."));
    }
}

#[test]
#[cfg(feature = "pdf")]
fn a_character_without_a_font_is_named_with_its_place() {
    let mut card = card(&CARDS[0].1);
    card.company = crate::fact::Text::plain("㐂乐智能");
    let write = |fonts: &FontSources| memos(&card, &["zh-CN".to_owned()], &[Format::Pdf], fonts);
    let error = write(&FontSources::default()).unwrap_err();
    assert_eq!(error.to_string(), "no font at hand can show `㐂` (U+3402) in “㐂乐智能” of the zh-CN memo");
    assert!(error.hint().unwrap().contains("--font-path"));
}

/// Where rows for both answers lead to one verdict, the memo says neither as a fact.
#[test]
fn whose_weights_they_are_is_never_taken_for_granted() {
    let mut card = card(&CARDS[0].1);
    card.verdict.because = None;
    card.verdict.deciding = Some("3, 6".to_owned());
    card.verdict.holds_whatever_the_weights = Some(true);
    let text = text_of(&card, "en");
    assert!(text.contains("Why: Whoever the weights belong to, the verdict is the same, because"), "{text}");
    assert!(!text.contains("can still match"));
}
