//! Memos of whole cases: what was measured and scored can be said in every language and format, and page 1 says
//! nothing that another sentence, the scorecard or the law of the house denies.
#![allow(clippy::write_with_newline, reason = "each line of YAML is written as it stands in the file")]

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use sha2::Digest as _;
use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::evidence::collect;
use unshell::fact::Truth;
use unshell::report::{FontSources, Format, Language, memos};
use unshell::rubric;
use unshell::scoring::{Scorecard, score};

/// A scorecard with its memos, by language.
struct Written {
    card: Scorecard,
    html: BTreeMap<String, String>,
}

impl Written {
    fn of(folder: &Path) -> Self {
        let case = Case::read(folder).unwrap_or_else(|problems| panic!("\n{problems}"));
        let rubric = rubric::find(&case.rubric, &case.folder).unwrap();
        let evidence = collect(&case, Catalog::builtin(), &unshell::remote::Reach::local(), &[]).unwrap();
        Self::from(score(&rubric, &case, &evidence))
    }

    fn from(card: Scorecard) -> Self {
        let languages: Vec<_> = Language::tags().into_iter().map(str::to_owned).collect();
        let written = memos(&card, &languages, &[Format::Html], &FontSources::default());
        let written = written.unwrap_or_else(|it| panic!("{it}"));
        let html = languages.into_iter().zip(written).map(|(tag, it)| (tag, String::from_utf8(it.bytes).unwrap()));
        let html: BTreeMap<String, String> = html.collect();
        if let Some(folder) = std::env::var_os("UNSHELL_KEEP_MEMOS") {
            for (tag, text) in &html {
                std::fs::write(Path::new(&folder).join(format!("{}.{tag}.html", card.case)), text).unwrap();
            }
        }
        Self { card, html }
    }

    /// Page 1 as its readers see it, one piece of text a line.
    fn page1(&self, tag: &str) -> String {
        let html = &self.html[tag];
        let from = html.find("<article").unwrap();
        let page = &html[from..html.find("</article>").unwrap()];
        // What a chart shows is described for those who cannot see it, model by model.
        let seen = page.split("<desc").map(|it| it.split_once("</desc>").map_or(it, |(_, behind)| behind));
        text_of(&seen.collect::<String>())
    }

    fn all(&self, tag: &str) -> String {
        text_of(&self.html[tag])
    }
}

/// The text of a piece of HTML, one element a line; charts with their words.
fn text_of(html: &str) -> String {
    let mut text = String::new();
    for part in html.split('<') {
        let (tag, words) = part.split_once('>').unwrap_or(("", part));
        let name: String = tag.trim_start_matches('/').chars().take_while(char::is_ascii_alphanumeric).collect();
        let is_inline = ["strong", "span", "code", "a", ""].contains(&name.as_str());
        text.push_str(if is_inline { "" } else { "\n" });
        text.push_str(words);
    }
    [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&#x27;", "'"), ("&#39;", "'"), ("&#x2F;", "/"), ("&amp;", "&")]
        .iter()
        .fold(text, |text, (from, to)| text.replace(from, to))
}

/// A case to be: what differs from a well-documented company whose readers answered level 3 throughout.
struct Draft {
    subjects: String,
    references: String,
    claims: String,
    waivers: String,
    languages: &'static str,
    valid_until: &'static str,
    /// Levels by criterion, for both readers.
    levels: BTreeMap<&'static str, &'static str>,
    /// Levels of the second reader, where they differ.
    second: BTreeMap<&'static str, &'static str>,
    is_answered: bool,
}

impl Draft {
    /// One model against references, each with its name and, where it has one, the day it was published.
    fn new(model: (&str, &str, Option<&str>), references: &[(&str, &str, Option<&str>)]) -> Self {
        let references = references.iter().map(|(place, name, day)| {
            format!("  - {{location: \"{}\", name: {name}{}}}\n", located(place), dated(*day))
        });
        Self {
            subjects: subject("flagship", model, ""),
            references: references.collect(),
            claims: String::new(),
            waivers: String::new(),
            languages: "[en, zh-CN]",
            valid_until: "2027-02-27",
            levels: BTreeMap::new(),
            second: BTreeMap::new(),
            is_answered: true,
        }
    }

    fn declares(mut self, parent: &str, when: &str) -> Self {
        let declared = format!("{{model: {parent}, part: weights, when: {when}, evidence: [EV-public_page]}}");
        write!(self.subjects, "    declared_parents:\n      - {declared}\n").unwrap();
        self
    }

    fn says(mut self, about: &str) -> Self {
        let quote = "quote: \"all weights are ours\", source: [EV-public_page], date: 2026-08-01";
        write!(self.claims, "  - {{id: CL-1, about: {about}, value: true, {quote}}}\n").unwrap();
        self
    }

    fn at(mut self, criterion: &'static str, level: &'static str) -> Self {
        self.levels.insert(criterion, level);
        self
    }

    fn waived(mut self, gate: &str, approver: &str, until: &str) -> Self {
        writeln!(self.waivers, "  - {{gate: {gate}, approver: \"{approver}\", reason: on file, expires: {until}}}")
            .unwrap();
        self
    }

    fn write(&self, name: &str) -> (tempfile::TempDir, PathBuf) {
        let rubric = rubric::find("llm-originality", Path::new(".")).unwrap();
        let home = tempfile::tempdir().unwrap();
        let folder = home.path().join(name);
        std::fs::create_dir_all(folder.join("documents")).unwrap();
        std::fs::create_dir_all(folder.join("answers")).unwrap();
        let list = |key: &str, items: &str| if items.is_empty() { String::new() } else { format!("{key}:\n{items}") };
        let case = format!(
            "schema: unshell/case/2\ntitle: {{en: A model, zh-CN: 某模型}}\ncompany: {{en: Acme, zh-CN: 甲公司}}\n\
             date: 2026-11-27\nvalid_until: {}\nrubric: llm-originality\nlanguages: {}\nsubjects:\n{}{}{}{}",
            self.valid_until,
            self.languages,
            self.subjects,
            list("references", &self.references),
            list("claims", &self.claims),
            list("waivers", &self.waivers),
        );
        std::fs::write(folder.join("case.yaml"), case).unwrap();
        let kinds: BTreeSet<&String> = rubric.criteria.iter().flat_map(|it| &it.kinds).collect();
        let mut ledger = "schema: unshell/ledger/1\nevidence:\n".to_owned();
        for kind in kinds {
            let bytes = format!("what was seen: {kind}\n");
            let digest: String = sha2::Sha256::digest(&bytes).iter().map(|it| format!("{it:02x}")).collect();
            std::fs::write(folder.join(format!("documents/{kind}.txt")), bytes).unwrap();
            write!(
                ledger,
                "  - {{id: EV-{kind}, kind: {kind}, method: test, title: {{en: Seen {kind}, zh-CN: 已查验 {kind}}}, \
                 file: {kind}.txt, sha256: {digest}, collected: 2026-11-20, origin: from-{kind}}}\n"
            )
            .unwrap();
        }
        std::fs::write(folder.join("evidence.yaml"), ledger).unwrap();
        for (reader, name) in [("chen", "Chen Wei"), ("brandt", "Lukas Brandt")] {
            let mut answers = format!("schema: unshell/answers/1\nname: {name}\nsigned: 2026-11-25\nanswers:\n");
            let asked = rubric.criteria.iter().filter(|it| self.is_answered && it.id != "T1");
            for it in asked {
                let own = self.second.get(it.id.as_str()).filter(|_| reader == "brandt");
                let level = own.or(self.levels.get(it.id.as_str())).unwrap_or(&"3");
                let reason = "{en: As seen on the originals., zh-CN: 见原件。}";
                write!(answers, "  {}: {{level: {level}, evidence: [EV-{}], reason: {reason}}}\n", it.id, it.kinds[0])
                    .unwrap();
            }
            if !self.is_answered {
                answers.push_str("  R1: {level: unknown}\n");
            }
            std::fs::write(folder.join(format!("answers/{reader}.yaml")), answers).unwrap();
        }
        (home, folder)
    }

    fn written(&self, name: &str) -> Written {
        let (_home, folder) = self.write(name);
        Written::of(&folder)
    }
}

fn located(place: &str) -> String {
    if place.contains(':') {
        return place.to_owned();
    }
    std::env::current_dir().unwrap().join("tests/families/small").join(place).to_str().unwrap().to_owned()
}

fn dated(day: Option<&str>) -> String {
    day.map(|day| format!(", published: {day}, evidence: [EV-public_repository]")).unwrap_or_default()
}

fn subject(id: &str, (place, name, day): (&str, &str, Option<&str>), more: &str) -> String {
    let day = day.map(|day| format!("    published: {day}\n    evidence: [EV-public_page]\n")).unwrap_or_default();
    format!("  - id: {id}\n    name: {name}\n    location: \"{}\"\n{day}{more}", located(place))
}

const EARLY: Option<&str> = Some("2025-01-15");
const LATE: Option<&str> = Some("2026-06-01");

/// A renamed copy of an earlier model, sold as trained from scratch, with nothing named.
fn hidden_copy() -> Draft {
    Draft::new(("renamed", "Borealis-1", LATE), &[("base_a", "Open Base", EARLY), ("base_b", "Other Base", EARLY)])
        .says("from_scratch")
        .at("A1", "1")
}

/// A fine-tune whose parent is named on its card from the first day.
fn honest() -> Draft {
    Draft::new(("ft_legal", "Harbor Code 1", LATE), &[("base_a", "Open Base", EARLY), ("base_b", "Other Base", EARLY)])
        .declares("Open Base", "at_release")
        .at("A1", "4")
}

/// An original, compared with a later model that was made from it; who was first is not entered.
fn victim(ours: Option<&str>, theirs: Option<&str>) -> Draft {
    Draft::new(("base_a", "First Model", ours), &[("ft_legal", "Later Copy", theirs), ("base_b", "Other Base", theirs)])
}

fn independent() -> Draft {
    Draft::new(
        ("base_b", "Own Model", LATE),
        &[("base_a", "Open Base", EARLY), ("catalog:meta-llama/Llama-2-7b-hf", "Llama-2-7b", None)],
    )
}

// ---- What must hold of every memo ---------------------------------------------------------------------------------

/// Page 1 of every memo, against itself and its scorecard.
fn check_page_1(name: &str, it: &Written) {
    for tag in Language::tags() {
        let page = it.page1(tag);
        check_no_sentence_twice(name, &page);
        check_gates(name, it, tag, &page);
        check_changes(name, it, tag, &page);
        check_words(name, it, tag, &page);
        check_chances(name, it, tag, &page);
        assert!(!page.contains("tests/families") && !page.contains("../"), "a path on page 1 of {name}.{tag}:\n{page}");
        for model in &it.card.models {
            let text = model.name.in_language(tag);
            assert!(page.contains(text), "`{text}` is not on page 1 of {name}.{tag}");
        }
    }
    check_digests(name, it);
}

fn check_no_sentence_twice(name: &str, page: &str) {
    let mut seen = BTreeSet::new();
    let lines = page.lines().map(str::trim).filter(|it| !it.is_empty());
    for sentence in lines.flat_map(|line| line.split_inclusive(['。', '.'])).map(str::trim) {
        let is_sentence = sentence.ends_with(['.', '。']) && sentence.chars().count() > 24;
        assert!(!is_sentence || seen.insert(sentence.to_owned()), "twice on page 1 of {name}: {sentence}\n{page}");
    }
}

/// What a gate means stands where it is not met, and nowhere else; no class of verdict is called disclosed beside a
/// gate that says the source is not named.
fn check_gates(name: &str, it: &Written, tag: &str, page: &str) {
    for gate in &it.card.gates {
        let meaning = gate.meaning.in_language(tag);
        let is_printed = page.contains(meaning);
        assert!(!is_printed || gate.tripped == Truth::Yes, "{name}.{tag} prints what {} means", gate.id);
    }
    let contrary =
        [("a statement of the company to the contrary is on record", "No statement to the contrary is on record")];
    assert!(contrary.iter().all(|(one, other)| !(page.contains(one) && page.contains(other))), "{name}:\n{page}");
    let is_unnamed = it.card.gates.iter().any(|it| it.id == "G-NAMED" && it.tripped == Truth::Yes);
    assert!(!is_unnamed || it.card.verdict.id != "disclosed_wrapper", "{name}");
    if it.card.verdict.decided_by == "gate" {
        assert!(
            it.card.decision_table.iter().all(|it| it.decides != Truth::Yes),
            "{name}: a row decides beside a gate"
        );
    }
    for left_over in ["Without it, the table", "若无此项"] {
        assert!(!page.contains(left_over), "{name}.{tag}");
    }
}

/// One line for each change of a direction that is printed; a direction is said to be empty only where it is.
fn check_changes(name: &str, it: &Written, tag: &str, page: &str) {
    let language = Language::find(tag).unwrap();
    let is_printed = |direction: &str| {
        let sentence = language.get(&format!("flip.{direction}")).unwrap();
        sentence.split('{').next().map(str::trim).is_some_and(|it| page.contains(it))
    };
    for direction in ["up", "down", "settle"] {
        let flips: Vec<_> = it.card.flips.iter().filter(|it| it.direction == direction).collect();
        let none = page.contains(language.get(&format!("flip.none_{direction}")).unwrap());
        assert!(!none || flips.is_empty(), "{name}.{tag}: no change {direction}, and there are {}", flips.len());
        let is_limited = ["sold_model"].contains(&it.card.verdict.decided_by.as_str());
        if flips.is_empty() || is_limited {
            continue;
        }
        assert!(is_printed(direction), "{name}.{tag} lacks the changes {direction}:\n{page}");
        for change in flips.iter().flat_map(|it| &it.changes) {
            let criterion = it.card.criteria.iter().find(|it| it.id == change.criterion).unwrap();
            let anchor = criterion.levels[usize::from(change.level.min(3))].in_language(tag).trim();
            assert!(page.contains(anchor), "{name}.{tag} lacks `{anchor}`");
        }
    }
}

/// Words that accuse, and words that nobody outside the house understands.
fn check_words(name: &str, it: &Written, tag: &str, page: &str) {
    let text = it.all(tag);
    let anywhere: &[&str] = match tag {
        "en" => {
            &["any course of training", "disguise", "Disguise", "hide where", "every other claim", "Diffs", "Orig."]
        }
        _ => &["派生", "闸门", "伪装"],
    };
    let on_page_1: &[&str] = match tag {
        "en" => &[
            "As level",
            "Pass.",
            "somebody else's",
            "sold as",
            "users were not told",
            "robability that",
            "stands behind",
            "held against",
        ],
        _ => &["达 3 级", "未告知"],
    };
    let found =
        anywhere.iter().filter(|it| text.contains(**it)).chain(on_page_1.iter().filter(|it| page.contains(**it)));
    let found: Vec<_> = found.collect();
    assert!(found.is_empty(), "{name}.{tag} says {found:?}");
    // A criterion on which the readers differ is no unknown.
    for line in text.lines().filter(|it| it.contains("readers differ") || it.contains("意见不一")) {
        assert!(!line.contains("? unknown") && !line.contains("? 未知"), "{name}.{tag}: {line}");
    }
}

/// No chance on page 1; every other with its kind, its null and what it assumes, and with the heuristic step named.
fn check_chances(name: &str, it: &Written, tag: &str, page: &str) {
    assert!(!page.contains("10⁻"), "a chance on page 1 of {name}.{tag}");
    let html = &it.html[tag];
    let from = html.find("<section id=\"lineage\"").unwrap();
    let lineage = text_of(&html[from..from + html[from..].find("<section id=\"claims\"").unwrap()]);
    let (null, kinds, retention) = match tag {
        "en" => ("Null hypothesis", ["exact", "approximate"], "retention"),
        _ => ("零假设", ["精确", "近似"], "保留率"),
    };
    if lineage.contains("10⁻") {
        assert!(lineage.contains(null) && kinds.iter().any(|it| lineage.contains(it)), "{name}.{tag}:\n{lineage}");
        let language = Language::find(tag).unwrap();
        let tests = it.card.subjects.iter().flat_map(|it| it.comparisons.iter().chain(&it.siblings));
        for statistic in tests.flat_map(|it| &it.weights.statistics).filter(|it| it.log10_p.is_some()) {
            let null = language.get(&format!("null.{}", statistic.id));
            let null = null.unwrap_or_else(|| panic!("no null of {} in {tag}", statistic.id));
            assert!(lineage.contains(null), "{name}.{tag} prints no null of {}", statistic.id);
        }
        let derived = language.get("lineage.weights_derived").unwrap();
        assert!(!lineage.contains(derived) || lineage.contains(retention), "{name}.{tag}:\n{lineage}");
    }
}

/// The digest of every weight file stands in the audit.
fn check_digests(name: &str, it: &Written) {
    for file in it.card.models.iter().flat_map(|it| &it.files) {
        let digest = file.sha256.as_ref().unwrap_or(&file.read_sha256);
        for (tag, html) in &it.html {
            assert!(html.contains(digest.as_str()), "{name}.{tag} lacks the digest of {}", file.name);
        }
    }
}

#[track_caller]
fn check_page_says(it: &Written, tag: &str, said: &[&str]) {
    let page = it.page1(tag);
    for words in said {
        assert!(page.contains(words), "`{words}` is not on page 1 ({tag}):\n{page}");
    }
}

/// Every sentence of the room that measures is in every language.
#[test]
fn every_key_of_the_evidence_can_be_said() {
    for tag in Language::tags() {
        let language = Language::find(tag).unwrap();
        for key in unshell::evidence::MESSAGE_KEYS {
            assert!(language.get(key).is_some(), "`{key}` is missing in `{tag}`");
        }
    }
}

// ---- Cases --------------------------------------------------------------------------------------------------------

#[test]
fn examples_become_memos() {
    for name in ["yi-34b", "yi-34b-day-one"] {
        let folder = Path::new("examples").join(name);
        let it = Written::of(&folder);
        check_page_1(name, &it);
        if name == "yi-34b" {
            assert!(it.html.values().all(|it| it.contains("6.3 × 10²³ FLOP")), "{name} lacks the compute");
        }
        if cfg!(feature = "pdf") {
            let languages: Vec<_> = Language::tags().into_iter().map(str::to_owned).collect();
            let written = memos(&it.card, &languages, &[Format::Pdf], &FontSources::default());
            assert_eq!(written.unwrap_or_else(|it| panic!("{name}: {it}")).len(), languages.len());
        }
    }
}

/// The author of the original is no wrapper: without dates the order of publication is the open question, and no
/// colour says more than that.
#[test]
fn who_was_first_is_asked_before_anybody_is_called_a_wrapper() {
    let it = victim(None, None).written("victim");
    check_page_1("victim", &it);
    assert_eq!(it.card.verdict.id, "undetermined");
    assert_eq!(it.card.verdict.conditions.len(), 1);
    check_page_says(
        &it,
        "en",
        &[
            "Open question",
            "Depends on the order of publication",
            "If First Model came first",
            "If Later Copy came first",
        ],
    );
    check_page_says(&it, "zh-CN", &["待决问题", "取决于发布先后", "若 First Model 发布在先"]);
    assert!(it.html["en"].contains("class=\"verdict plain\""), "an open question has a colour");
    let dated = victim(EARLY, LATE).written("victim-dated");
    check_page_1("victim-dated", &dated);
    assert!(!dated.card.verdict.id.contains("wrapper"), "{}", dated.card.verdict.id);
    check_page_says(
        &dated,
        "en",
        &[
            "Later Copy, which came later, is kin to it",
            "By the order of publication First Model (2025-01-15) came before Later Copy (2026-06-01).",
        ],
    );
}

/// A renamed copy of an earlier model: the fact first, the class beside it, how sure, and where from.
#[test]
fn a_hidden_copy_is_said_as_a_fact() {
    let it = hidden_copy().written("hidden-copy");
    check_page_1("hidden-copy", &it);
    assert_eq!(it.card.verdict.id, "undisclosed_wrapper");
    assert_ne!(it.card.confidence.word, "low");
    let page = it.page1("en");
    let fact = page.find("The weights of Borealis-1 are derived from Open Base.").expect("the fact stands on page 1");
    assert!(fact < page.find("■ Undisclosed wrapper").expect("the class stands beside it"), "{page}");
    check_page_says(
        &it,
        "en",
        &[
            "(definite)",
            "as of 27 November 2026, from 2 of 2 references",
            "By the order of publication Open Base (2025-01-15) came before Borealis-1 (2026-06-01).",
            "✗ found, and not declared",
            "Our confidence is high. The weakest of what decides",
            "What was said of the weights is true",
        ],
    );
    check_page_says(
        &it,
        "zh-CN",
        &["Borealis-1 的权重衍生自 Open Base。", "■ 隐瞒套壳", "✗ 已发现，未披露", "置信程度为高"],
    );
    assert!(it.html["en"].contains("class=\"verdict against\""));
}

/// An honest fine-tune: its parent and that both agree stand on page 1, and its mark is another one, in grey too.
#[test]
fn an_honest_fine_tune_agrees_with_what_was_measured() {
    let it = honest().written("honest-finetune");
    check_page_1("honest-finetune", &it);
    check_page_says(&it, "en", &["Open Base (named at release)", "agrees with what was measured"]);
    check_page_says(&it, "zh-CN", &["Open Base（发布时写明）", "与实测一致"]);
    for tag in Language::tags() {
        let page = it.page1(tag);
        assert!(page.matches("T1").count() <= 1, "{page}");
        assert!(!page.contains('■'), "{page}");
    }
}

/// What was not compared is not found to be anybody's own.
#[test]
fn no_derivation_is_said_only_of_what_was_compared() {
    let alone = Draft::new(("base_b", "Own Model", LATE), &[("catalog:meta-llama/Llama-2-7b-hf", "Llama-2-7b", None)]);
    let it = alone.written("indep-noref");
    check_page_1("indep-noref", &it);
    assert_eq!(it.card.verdict.id, "undetermined");
    let found = |tag: &str, words: &[&str]| words.iter().any(|words| it.page1(tag).contains(words));
    assert!(!found("en", &["No derivation was found", "No derivation of", "none found"]), "{}", it.page1("en"));
    assert!(!found("zh-CN", &["未发现 Own Model", "个，未发现衍生"]), "{}", it.page1("zh-CN"));
    check_page_says(&it, "en", &["from 0 of 1 reference\n", "Not compared by weights: Llama-2-7b."]);
    let it = independent().written("independent");
    check_page_1("independent", &it);
    check_page_says(&it, "en", &["No derivation of the weights of Own Model was found.", "from 1 of 2 references"]);
    assert!(it.all("en").contains("would have been found, where both streams have the same coordinates"));
}

/// A case that a gate holds says so, and prints no share.
#[test]
fn a_held_case_says_what_holds_it() {
    let mut draft = independent();
    draft.is_answered = false;
    let it = draft.written("held");
    check_page_1("held", &it);
    check_page_says(&it, "en", &["no verdict is given until it is", "First the gate"]);
    assert!(!it.page1("en").contains("share of the tested"));
}

/// Two readers apart by a level: both levels stand there.
#[test]
fn readers_who_differ_are_no_unknown() {
    let mut draft = independent();
    draft.second = BTreeMap::from([("D2", "2"), ("R1", "1")]);
    let it = draft.written("readers-differ");
    check_page_1("readers-differ", &it);
    let text = it.all("en");
    assert!(text.contains("2–3, readers differ") && text.contains("1–3, readers differ"), "{text}");
    assert!(it.all("zh-CN").contains("2–3，评估人意见不一"));
}

/// Every waiver has its line, and a memo does not outlive the one that its verdict rests on.
#[test]
fn every_waiver_says_what_it_is() {
    let it = honest()
        .at("A2", "0")
        .waived("G-LICENCE", "Liu Fang", "2027-01-31")
        .waived("G-LICENCE", "Liu Fang", "2026-11-01")
        .waived("G-LICENCE", "Chen Wei", "2027-01-31")
        .written("waivers");
    check_page_1("waivers", &it);
    check_page_says(
        &it,
        "en",
        &[
            "“License breaches are cured” is waived by Liu Fang until 31 January 2027: on file",
            "by Liu Fang ended on 1 November 2026 and does not count",
            "was approved by Chen Wei, a reader of this case, and does not count",
            "31 January 2027 (end of the waiver of “License breaches are cured”)",
        ],
    );
    check_page_says(&it, "zh-CN", &["由 Liu Fang 豁免，至2027年1月31日", "豁免期满"]);
    let unused = honest().waived("G-LICENCE", "Liu Fang", "2027-01-31").written("unused-waiver");
    check_page_1("unused-waiver", &unused);
    check_page_says(
        &unused,
        "en",
        &[
            "The waiver of “License breaches are cured” by Liu Fang until 31 January 2027 is not used",
            "27 February 2027\n",
        ],
    );
}

/// Several models: one row and one mark each, with its own name; a changed rubric is named.
#[test]
fn several_models_have_a_row_and_a_mark_each() {
    let mut draft = honest();
    draft.subjects.push_str(&subject("own", ("base_c", "Harbor Edge", LATE), ""));
    draft.subjects.push_str(&subject("other", ("renamed", "Harbor Legal", LATE), ""));
    let mut it = draft.written("several");
    check_page_1("several", &it);
    for tag in Language::tags() {
        let html = &it.html[tag];
        let strip = &html[html.find("class=\"strip\"").unwrap()..];
        let strip = text_of(&strip[..strip.find("</div>").unwrap()]);
        let chart = &html[html.find("id=\"figure-quadrant\"").unwrap()..];
        let chart = text_of(&chart[chart.find("</desc>").unwrap()..chart.find("</svg>").unwrap()]);
        for name in ["Harbor Code 1", "Harbor Edge", "Harbor Legal"] {
            assert_eq!(strip.matches(name).count(), 1, "{strip}");
            assert_eq!(chart.matches(name).count(), 1, "{chart}");
        }
    }
    it.card.rubric.changed_from = Some("ab".repeat(32));
    let changed = Written::from(it.card.clone());
    check_page_says(&changed, "en", &["changed, not the shipped file of `llm-originality`"]);
    check_page_says(&changed, "zh-CN", &["已改动，并非随附的 `llm-originality`"]);
}

/// Of whose models a subject was put together stands on the first page, and how on the lineage page; so do changes
/// that leave what it computes as it is, in words that accuse nobody.
#[test]
fn merges_and_rearrangements_are_the_first_page_s_business() {
    let merged =
        Draft::new(("merge_linear", "Mixed", LATE), &[("ft_code", "Coder", EARLY), ("ft_legal", "Lawyer", EARLY)]);
    let it = merged.at("A1", "1").written("merged");
    check_page_1("merged", &it);
    check_page_says(&it, "en", &["By its weights, Mixed was put together from Coder and Lawyer: a linear merge."]);
    check_page_says(&it, "zh-CN", &["就权重而言，Mixed 由 Coder和Lawyer 合并而成：线性合并。"]);
    assert!(it.all("en").contains("Made of several references: ") && it.all("zh-CN").contains("由多个参照构成："));
    let turned = Draft::new(("obf_all_ft", "Turned", LATE), &[("base_a", "Open Base", EARLY)]).at("A1", "1");
    let it = turned.written("rearranged");
    check_page_1("rearranged", &it);
    check_page_says(&it, "en", &["that leave what the model computes unchanged."]);
    check_page_says(&it, "zh-CN", &["处重排，均不改变模型的计算结果。"]);
}

/// The command line speaks the language of the case, whole.
#[test]
fn a_chinese_case_is_summed_up_in_chinese() {
    let mut draft = hidden_copy();
    draft.languages = "[zh-CN]";
    let (home, _) = draft.write("chinese");
    for step in ["collect", "score"] {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_unshell"))
            .args([step, "chinese"])
            .current_dir(home.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
        let text = String::from_utf8(output.stdout).unwrap();
        let english = [
            "decided",
            "coverage",
            "confidence",
            "gate ",
            "ask next",
            "claims",
            "pillar",
            "tripped",
            "against",
            "derived",
        ];
        let found: Vec<_> = english.iter().filter(|it| text.contains(**it)).collect();
        assert!(found.is_empty(), "{found:?} in:\n{text}");
        let said = if step == "score" {
            ["隐瞒套壳", "由门槛项 G-MISREP 判定", "覆盖率"]
        } else {
            ["权重衍生", "48,864 个参数", "对照"]
        };
        for words in said {
            assert!(text.contains(words), "`{words}` is not in:\n{text}");
        }
    }
}
