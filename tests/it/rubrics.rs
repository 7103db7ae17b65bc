//! The rubrics that ask other questions than the main one: YAML alone, and each tells companies apart.
//!
//! A company is given by the level it has on every criterion, on originals, as two readers found it.

use std::fs;
use std::path::Path;

use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::evidence::collect;
use unshell::remote::Reach;
use unshell::rubric;
use unshell::scoring::{Scorecard, Strength, score};

/// A company that is judged by one of the rubrics.
struct Company {
    rubric: &'static str,
    /// The lines of its only model, behind its id and name.
    model: String,
    /// Models to compare with, as the case writes them.
    references: String,
    /// Statements of the company: what about, and its words.
    claims: &'static [(&'static str, &'static str)],
    /// The level on every criterion that is not named in `levels`.
    level: u8,
    levels: &'static [(&'static str, u8)],
}

impl Company {
    fn judged(&self) -> Scorecard {
        let folder = tempfile::tempdir().unwrap();
        let rubric = rubric::find(self.rubric, Path::new("")).unwrap();
        let write = |path: &str, text: String| {
            let path = folder.path().join(path);
            fs::create_dir_all(path.parent().unwrap()).unwrap();
            fs::write(path, text).unwrap();
        };
        write("case.yaml", self.case_file());
        write("documents/original.txt", "kept\n".to_owned());
        write("evidence.yaml", ledger(&rubric));
        for name in ["chen", "wei"] {
            write(&format!("answers/{name}.yaml"), self.answers(&rubric, name));
        }
        let case = Case::read_with_models(folder.path()).unwrap_or_else(|problems| panic!("\n{problems}"));
        let evidence = collect(&case, Catalog::builtin(), &Reach::local(), &[]).unwrap();
        score(&rubric, &case, &evidence)
    }

    fn case_file(&self) -> String {
        let claim = |(about, words): &(&str, &str)| {
            format!(
                "  - {{id: {about}, subject: m, about: {about}, value: true, quote: \"{words}\", \
                 source: [EV-said], date: 2026-10-01}}\n"
            )
        };
        let claims: String = self.claims.iter().map(claim).collect();
        format!(
            "schema: unshell/case/2\ntitle: t\ncompany: Acme\ndate: 2026-11-23\nrubric: {}\nlanguages: [en]\n\
             subjects:\n  - {{id: m, name: Acme-1, published: 2026-06-01, evidence: [EV-day], {}}}\n\
             references: [{}]\nclaims:{}\n",
            self.rubric,
            self.model,
            self.references,
            if claims.is_empty() { " []".to_owned() } else { format!("\n{claims}") },
        )
    }

    fn answers(&self, rubric: &rubric::Rubric, name: &str) -> String {
        let mut out = format!("schema: unshell/answers/1\nname: {name}\nsigned: 2026-11-20\nanswers:\n");
        for criterion in &rubric.criteria {
            let named = self.levels.iter().find(|it| it.0 == criterion.id);
            let level = named.map_or(self.level, |it| it.1);
            let evidence = criterion.kinds.iter().map(|it| format!("EV-{it}")).collect::<Vec<_>>().join(", ");
            out.push_str(&format!("  {}: {{level: {level}, evidence: [{evidence}], reason: seen}}\n", criterion.id));
        }
        out
    }
}

/// An original of every kind, the day of release, and a dated page with the company's words.
fn ledger(rubric: &rubric::Rubric) -> String {
    let sha256 = unshell::bytes::sha256(b"kept\n");
    let mut out = "schema: unshell/ledger/1\nevidence:\n".to_owned();
    let mut add = |id: &str, kind: &str, method: &str, more: &str| {
        out.push_str(&format!(
            "  - {{id: EV-{id}, kind: {kind}, method: {method}, title: t, collected: 2026-11-10, origin: {id}{more}}}\n"
        ));
    };
    let kept = format!(", file: original.txt, sha256: {sha256}");
    for kind in rubric.evidence.kinds.keys() {
        add(kind, kind, "test", &kept);
    }
    add("day", "public_repository", "examine_original", &kept);
    add("said", "public_page", "public_record", ", url: \"https://acme.example.org\", published: 2026-10-01");
    add("calls", "public_page", "third_party", "");
    add("bill", "invoice", "examine_original", &kept);
    out
}

/// Where a member of the family of tiny models is.
fn family(member: &str) -> String {
    std::env::current_dir().unwrap().join("tests/families/small").join(member).display().to_string()
}

#[track_caller]
fn check(company: &Company, verdict: &str, deciding: Option<&str>) -> Scorecard {
    let scorecard = company.judged();
    let found = (scorecard.verdict.id.as_str(), scorecard.verdict.deciding.as_deref());
    assert_eq!(found.0, verdict, "{:?}", scorecard.verdict);
    if deciding.is_some() {
        assert_eq!(found.1, deciding, "{:?}", scorecard.verdict);
    }
    scorecard
}

/// An assistant that is served from somebody else's interface, shown by an invoice.
fn application(
    claims: &'static [(&'static str, &'static str)],
    level: u8,
    levels: &'static [(&'static str, u8)],
) -> Company {
    Company {
        rubric: "api-application",
        model: "kind: api, upstream: {model: Other-XL, evidence: [EV-bill]}".to_owned(),
        references: String::new(),
        claims,
        level,
        levels,
    }
}

#[test]
fn an_application_is_judged_by_what_is_its_own_and_whether_it_says_whose_model_answers() {
    let lasting = check(&application(&[], 3, &[]), "lasting_application", None);
    assert_eq!(lasting.verdict.strength, Some(Strength::Definite));
    assert_eq!(lasting.stamp, "final");
    check(&application(&[], 2, &[("A2", 3)]), "application", None);
    check(&application(&[], 1, &[("A2", 3)]), "thin_front", None);
    // Good work, and customers are not told: no more than a front, and a false statement is more than silence.
    check(&application(&[], 3, &[("A2", 1)]), "thin_front", Some("G-NAMED"));
    let words = &[("own_work", "our self-developed model")];
    check(&application(words, 3, &[("A2", 1)]), "hidden_upstream", Some("G-MISREP"));
    // The same words of a company that named its supplier at once are no false statement on whose model answers.
    check(&application(words, 3, &[("A2", 3)]), "lasting_application", None);
    // No way out, and no measurement of its own.
    check(&application(&[], 3, &[("X1", 0)]), "application", None);
    check(&application(&[], 3, &[("E1", 1)]), "application", Some("G-MEASURED"));
}

#[test]
fn an_interface_of_which_nothing_is_shown_is_no_hidden_supplier() {
    let unknown = Company {
        model: "kind: api".to_owned(),
        claims: &[("own_work", "our own model")],
        ..application(&[], 3, &[("A2", 1)])
    };
    let scorecard = check(&unknown, "undetermined", None);
    assert!(scorecard.verdict.possible.iter().any(|it| it.id == "hidden_upstream" && it.lowest == 0));
}

fn applicant(member: &str, level: u8, levels: &'static [(&'static str, u8)]) -> Company {
    Company {
        rubric: "sovereign-from-scratch",
        model: format!("location: \"{}\"", family(member)),
        references: format!("{{location: \"{}\", published: 2025-01-15, evidence: [EV-day]}}", family("base_a")),
        claims: &[],
        level,
        levels,
    }
}

#[test]
fn originality_comes_before_points() {
    let scorecard = check(&applicant("base_c", 3, &[]), "qualifies", None);
    assert_eq!(scorecard.verdict.strength, Some(Strength::Definite));
    check(&applicant("base_c", 2, &[("O1", 3), ("O2", 3), ("O3", 3)]), "below_line", None);
    // High points do not make up for weights of others, in the whole or in a part, however openly they were taken.
    check(&applicant("ft_legal", 4, &[]), "not_from_scratch", Some("G-ORIGIN"));
    check(&applicant("embed_reuse", 4, &[]), "not_from_scratch", Some("G-ORIGIN"));
    check(&applicant("base_c", 4, &[("O2", 0)]), "not_from_scratch", Some("G-ORIGIN"));
    // A run that nobody showed, and consent from abroad.
    check(&applicant("base_c", 4, &[("O3", 1)]), "below_line", Some("G-RUN"));
    check(&applicant("base_c", 4, &[("U2", 0)]), "below_line", Some("G-CONSENT"));
}

#[test]
fn each_rubric_says_everything_in_both_languages() {
    for id in ["api-application", "sovereign-from-scratch"] {
        let rubric = rubric::find(id, Path::new("")).unwrap();
        assert_eq!(rubric.languages, ["en", "zh-CN"]);
        for verdict in &rubric.verdicts {
            let [english, chinese] = ["en", "zh-CN"].map(|it| verdict.meaning.get(it).unwrap());
            assert!(english.is_ascii() && !chinese.is_ascii(), "{id} {}", verdict.id);
        }
    }
}
