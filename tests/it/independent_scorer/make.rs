//! Cases made at random: a company of some quality, a ledger of some strength, readers who agree more or less.

use std::fs;
use std::path::Path;

use serde_json::Value;

use super::chance::Chance;
use super::readings::criteria;
use super::written::{items, list, text, yaml};

const KEPT: &[u8] = b"kept\n";
const ORIGINS: [&str; 7] = ["Acme", "acme", "A.C.M.E.", "Example Labs", "example-labs", "court", "auditor"];
const SUBJECTS: [&str; 3] =
    ["catalog:01-ai/Yi-34B@2023-11", "catalog:BAAI/AquilaChat2-7B", "catalog:EleutherAI/pythia-70m"];
const REFERENCES: [&str; 3] =
    ["catalog:EleutherAI/pythia-160m", "catalog:EleutherAI/gpt-j-6b", "catalog:01-ai/Yi-6B@2023-11"];
const LETTERS: [&str; 12] = [
    "weights",
    "weights",
    "weights",
    "weights",
    "weights",
    "weights",
    "architecture",
    "tokenizer",
    "code",
    "data",
    "weights",
    "weights",
];

/// What a case is like as a whole, so that companies of every kind come up.
struct Company {
    rubric: Value,
    id: &'static str,
    level: f64,
    /// From 0 (assertions) to 1 (originals).
    strength: f64,
    /// How often a reader has no level.
    gaps: f64,
    spread: f64,
    ids: Vec<(String, String)>,
}

/// Writes the case of a seed into a folder.
pub(crate) fn case(folder: &Path, seed: u64) {
    let mut chance = Chance::new(seed);
    let rubrics =
        ["llm-originality", "llm-originality", "llm-originality", "api-application", "sovereign-from-scratch"];
    let rubric: &'static str = chance.of(&rubrics);
    let mut company = Company::new(rubric, &mut chance);
    company.write_ledger(folder, &mut chance);
    let count = 1 + usize::from(chance.is(0.4)) + usize::from(chance.is(0.2));
    let models: Vec<String> = (0..count).map(|at| company.subject(at, &mut chance)).collect();
    let references: Vec<&str> = REFERENCES.into_iter().filter(|_| chance.is(0.3)).collect();
    let claims = company.claims(count, &mut chance);
    let waivers = company.waivers(&mut chance);
    let head = head(rubric);
    let case = format!(
        "{head}subjects:\n{}references: {}\n{claims}{waivers}",
        models.concat(),
        serde_json::to_string(&references).unwrap()
    );
    write(folder, "case.yaml", &case);
    company.write_answers(folder, count, &mut chance);
}

/// Writes a case over models with weights; only its answers hang on the seed.
pub(crate) fn measured(folder: &Path, subjects: &str, references: &str, seed: u64) {
    let mut fixed = Chance::new(1);
    let mut company = Company::new("llm-originality", &mut fixed);
    company.strength = 0.9;
    company.write_ledger(folder, &mut fixed);
    let (kept, head) = (kept(), head("llm-originality"));
    let path = folder.join("evidence.yaml");
    let more = format!(
        "  - {{id: EV-day, kind: public_repository, method: examine_original, title: t, collected: 2026-06-10, \
         origin: hub{kept}}}\n  - {{id: EV-said, kind: public_page, method: public_record, title: t, \
         collected: 2026-06-10, published: 2026-06-01, url: \"https://acme.example.org\", origin: acme}}\n"
    );
    fs::write(&path, fs::read_to_string(&path).unwrap() + &more).unwrap();
    let claim = "claims:\n  - {id: scratch, subject: m0, about: from_scratch, value: true, quote: all our own, \
                 source: [EV-said], date: 2026-06-01}\n";
    write(folder, "case.yaml", &format!("{head}subjects:\n{subjects}references:\n{references}{claim}"));
    let mut chance = Chance::new(seed);
    let ids = company.ids;
    company = Company::new("llm-originality", &mut chance);
    company.ids = ids;
    let count = subjects.lines().count();
    company.write_answers(folder, count, &mut chance);
}

fn head(rubric: &str) -> String {
    format!("schema: unshell/case/2\ntitle: t\ncompany: Acme\ndate: 2026-11-23\nrubric: {rubric}\nlanguages: [en]\n")
}

fn kept() -> String {
    format!(", file: original.txt, sha256: {}", unshell::bytes::sha256(KEPT))
}

fn write(folder: &Path, path: &str, text: &str) {
    let path = folder.join(path);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

impl Company {
    fn new(rubric: &'static str, chance: &mut Chance) -> Self {
        Self {
            rubric: yaml(&Path::new("rubrics").join(format!("{rubric}.yaml"))),
            id: rubric,
            level: 4.4 * chance.unit() - 0.2,
            strength: chance.unit().sqrt(),
            gaps: [0.0, 0.02, 0.1, 0.4][chance.below(4)],
            spread: [0.5, 1.0, 2.0][chance.below(3)],
            ids: Vec::new(),
        }
    }

    fn write_ledger(&mut self, folder: &Path, chance: &mut Chance) {
        write(folder, "documents/original.txt", "kept\n");
        let mut out = "schema: unshell/ledger/1\nevidence:\n".to_owned();
        let kinds: Vec<String> = self.rubric["evidence"]["kinds"].as_object().unwrap().keys().cloned().collect();
        for kind in &kinds {
            for _ in 0..3 {
                let id = format!("EV-{}", self.ids.len());
                out.push_str(&self.entry(&id, kind, chance));
                self.ids.push((id, kind.clone()));
            }
        }
        write(folder, "evidence.yaml", &out);
    }

    fn entry(&self, id: &str, kind: &str, chance: &mut Chance) -> String {
        let strong = ["test", "examine_original", "public_record", "third_party"];
        let weak =
            ["company_document", "interview", "assertion", "public_record", "examine_copy", "third_party", "test"];
        let method = if chance.is(self.strength) { chance.of(&strong) } else { chance.of(&weak) };
        let mut out =
            format!("  - {{id: {id}, kind: {kind}, method: {method}, title: t, origin: {}", chance.of(&ORIGINS));
        let (year, month) = if chance.is(0.15) { (2024, 1 + chance.below(12)) } else { (2026, 6 + chance.below(5)) };
        out.push_str(&format!(", collected: {year}-{month:02}-{:02}", 1 + chance.below(28)));
        if chance.is(0.85) {
            out.push_str(", published: 2023-10-01");
        }
        if chance.is(0.85) {
            out.push_str(", url: \"https://acme.example.org/a\"");
        }
        if chance.is(0.0003) {
            out.push_str(&format!(", file: original.txt, sha256: {}", "0".repeat(64)));
        } else if chance.is(0.85) {
            out.push_str(&kept());
        }
        if chance.is(0.05) {
            out.push_str(&format!(", expires: 2026-11-{}", 20 + chance.below(9)));
        }
        if chance.is(0.2) {
            out.push_str(", against_interest: true");
        }
        if chance.is(0.3) {
            out.push_str(", note: it harms who wrote it");
        }
        let downgrades: Vec<&str> =
            ["indirect", "inconsistent", "imprecise", "selected"].into_iter().filter(|_| chance.is(0.04)).collect();
        format!("{out}, downgrades: [{}]}}\n", downgrades.join(", "))
    }

    /// One or two entries, of any kind.
    fn some(&self, chance: &mut Chance) -> String {
        let count = 1 + chance.below(2);
        self.cited(&[], count, chance)
    }

    /// Entries of some kinds, or of any.
    fn cited(&self, kinds: &[&str], count: usize, chance: &mut Chance) -> String {
        let fits: Vec<&str> = self
            .ids
            .iter()
            .filter(|it| kinds.is_empty() || kinds.contains(&it.1.as_str()))
            .map(|it| it.0.as_str())
            .collect();
        let mut out: Vec<&str> = (0..count).map(|_| chance.of(&fits)).collect();
        out.sort_unstable();
        out.dedup();
        format!("[{}]", out.join(", "))
    }

    fn subject(&self, at: usize, chance: &mut Chance) -> String {
        let api = if self.id == "api-application" { 0.85 } else { 0.25 };
        let kind = if chance.is(api) {
            "api"
        } else if chance.is(0.06) {
            "none"
        } else {
            "files"
        };
        let mut out = format!("  - {{id: m{at}, name: Acme-{at}, kind: {kind}");
        if kind == "files" {
            out.push_str(&format!(", location: \"{}\"", SUBJECTS[at]));
        }
        if kind == "api" && chance.is(0.8) {
            out.push_str(&format!(", upstream: {{model: Other-XL, evidence: {}}}", self.some(chance)));
        }
        if chance.is(0.3) {
            out.push_str(", sold: false");
        }
        if at == 1 && chance.is(0.2) {
            out.push_str(", flagship: true");
        }
        let tests: Vec<String> = (0..[0, 1, 1, 2][chance.below(4)])
            .map(|_| {
                let relation = chance.of(&["derived", "independent", "independent"]);
                format!("{{reference: Elder-7B, relation: {relation}, evidence: {}}}", self.some(chance))
            })
            .collect();
        let parents: Vec<String> = (0..[0, 0, 1, 1, 2, 3][chance.below(6)]).map(|_| self.parent(at, chance)).collect();
        format!("{out}, reported_tests: [{}], declared_parents: [{}]}}\n", tests.join(", "), parents.join(", "))
    }

    fn parent(&self, at: usize, chance: &mut Chance) -> String {
        let when = chance.of(&["at_release", "later", "when_asked", "after_exposure", "denied", "denied", ""]);
        let when = if when.is_empty() { String::new() } else { format!(", when: {when}") };
        let model = chance.of(&["Elder-7B", "pythia-160m", "gpt-j-6b", "catalog:01-ai/Yi-6B@2023-11"]);
        let model = if at > 0 && chance.is(0.1) { "Acme-0" } else { model };
        format!("{{model: \"{model}\", part: {}{when}, evidence: {}}}", chance.of(&LETTERS), self.some(chance))
    }

    fn claims(&self, count: usize, chance: &mut Chance) -> String {
        let mut out = Vec::new();
        for at in 0..count {
            for about in ["from_scratch", "own_work", "from_scratch"] {
                if chance.is(0.35) {
                    let source = self.some(chance);
                    let value = chance.is(0.8);
                    out.push(format!(
                        "subject: m{at}, about: {about}, value: {value}, quote: our own, source: {source}"
                    ));
                }
            }
            for (about, value) in
                [("parameters", "34B parameters"), ("training_tokens", "900T tokens"), ("gpu_hours", "1000 GPU-hours")]
            {
                if chance.is(0.15) {
                    out.push(format!(
                        "subject: m{at}, about: {about}, value: {value}, quote: ours, source: {}",
                        self.some(chance)
                    ));
                }
            }
        }
        let lines: Vec<String> =
            out.iter().enumerate().map(|(at, it)| format!("  - {{id: CL-{at}, {it}, date: 2026-06-01}}\n")).collect();
        if lines.is_empty() { "claims: []\n".to_owned() } else { format!("claims:\n{}", lines.concat()) }
    }

    fn waivers(&self, chance: &mut Chance) -> String {
        let gates: Vec<&str> =
            items(&self.rubric["gates"]).iter().filter(|it| it["waivable"] == true).map(|it| text(&it["id"])).collect();
        if gates.is_empty() || chance.is(0.6) {
            return String::new();
        }
        let approver = chance.of(&["Partner", "Partner", "Reader 0", "reader-0", "  "]);
        let day = chance.of(&["2026-11-22", "2026-11-23", "2027-01-01"]);
        format!("waivers: [{{gate: {}, approver: \"{approver}\", reason: r, expires: {day}}}]\n", chance.of(&gates))
    }

    fn write_answers(&self, folder: &Path, models: usize, chance: &mut Chance) {
        let by_name = asked_by_name(&self.rubric);
        let left_out: Vec<&str> = criteria(&self.rubric)
            .iter()
            .map(|it| text(&it["id"]))
            .filter(|it| !by_name.contains(it) && chance.is(0.04))
            .collect();
        let bases: Vec<f64> =
            criteria(&self.rubric).iter().map(|_| self.level + self.spread * (chance.unit() - 0.5)).collect();
        for reader in 0..[1, 2, 2, 2, 3][chance.below(5)] {
            let mut out = format!("schema: unshell/answers/1\nname: Reader {reader}\nsigned: 2026-11-20\nanswers:\n  ");
            let mut all: Vec<String> = Vec::new();
            for (criterion, base) in criteria(&self.rubric).iter().zip(&bases) {
                let id = text(&criterion["id"]);
                if left_out.contains(&id) && chance.is(0.9) {
                    all.push(format!("{id}: {{level: not_applicable, reason: r}}"));
                } else if !chance.is(self.gaps * 0.3) {
                    all.push(format!("{id}: {}", self.answer(criterion, *base, &by_name, chance)));
                }
            }
            out.push_str(&if all.is_empty() { "{}".to_owned() } else { all.join("\n  ") });
            out.push('\n');
            let mut own = String::new();
            for model in 0..models {
                let each = criteria(&self.rubric).iter().filter(|it| it["per_model"] == true);
                let some: Vec<String> = each
                    .filter_map(|it| {
                        let level = self.level + 2.0 * (chance.unit() - 0.5);
                        chance
                            .is(0.25)
                            .then(|| format!("    {}: {}\n", text(&it["id"]), self.answer(it, level, &by_name, chance)))
                    })
                    .collect();
                if !some.is_empty() {
                    own.push_str(&format!("  m{model}:\n{}", some.concat()));
                }
            }
            if !own.is_empty() {
                out.push_str(&format!("models:\n{own}"));
            }
            write(folder, &format!("answers/reader-{reader}.yaml"), &out);
        }
    }

    fn answer(&self, criterion: &Value, base: f64, by_name: &[&str], chance: &mut Chance) -> String {
        if chance.is(self.gaps) {
            let word = chance.of(&["unknown", "unknown", "refused", "not_observable", "not_applicable"]);
            let word =
                if word == "not_applicable" && by_name.contains(&text(&criterion["id"])) { "refused" } else { word };
            return format!("{{level: {word}, evidence: {}, reason: r}}", self.some(chance));
        }
        let step = if chance.is(0.25) { 1.0 } else { 0.0 };
        let level = (base + if chance.is(0.5) { step } else { -step }).round().clamp(0.0, 4.0) as u8;
        let count = 1 + chance.below(3);
        let evidence = if chance.is(0.02) {
            "[]".to_owned()
        } else if chance.is(0.04) {
            self.some(chance)
        } else {
            self.cited(&list(&criterion["kinds"]), count, chance)
        };
        format!("{{level: {level}, evidence: {evidence}, reason: r}}")
    }
}

/// Criteria that cannot be left out.
fn asked_by_name(rubric: &Value) -> Vec<&str> {
    fn named<'a>(it: &'a Value, out: &mut Vec<&'a str>) {
        out.extend(it["level_at_most"]["criterion"].as_str());
        items(&it["all"]).iter().chain(items(&it["any"])).for_each(|it| named(it, out));
    }
    let mut out = vec![text(&rubric["axes"]["derived_criterion"])];
    out.extend(items(&rubric["axes"]["level_facts"]).iter().map(|it| text(&it["criterion"])));
    items(&rubric["gates"]).iter().for_each(|it| named(&it["when"], &mut out));
    out
}
