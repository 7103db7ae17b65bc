//! Licenses by their features. No text of a license is kept here: those of the SPDX list come from its crate, those of
//! AI models are read from a folder that `UNSHELL_LICENSE_TEXTS` names, where there is one (CONTRIBUTING.md says how to
//! make it).

use super::*;

/// A text with the features of a family and none of its sentences.
fn made(family: &Family) -> String {
    let terms: Vec<&str> = family.terms.iter().filter_map(|it| it.split('|').next()).collect();
    format!("{}\n\nTerms of this text: {}.\n", family.title[0].to_uppercase(), terms.join("; "))
}

#[test]
fn every_family_is_known_by_its_own_features_and_by_no_other() {
    let families = families();
    assert!(families.len() >= 30, "{}", families.len());
    for family in families {
        for title in &family.title {
            let text = made(family).replace(&family.title[0].to_uppercase(), &title.to_uppercase());
            assert_eq!(recognise(&text).id, family.id, "{text}");
        }
        for duty in &family.duties {
            let kind = duty.check.split(": ").next().unwrap();
            let known = ["license_copy", "notice", "words", "prefix", "none"];
            assert!(known.contains(&kind) && !duty.section.is_empty() && !duty.asks.is_empty(), "{duty:?}");
        }
    }
}

#[test]
fn no_text_of_the_spdx_list_is_taken_for_a_license_of_ai_models() {
    let mut wrong = Vec::new();
    for (id, text) in spdx::text::LICENSE_TEXTS {
        if let Some(found) = of_family(text) {
            wrong.push(format!("{id} as {}", found.id));
        }
    }
    assert!(spdx::text::LICENSE_TEXTS.len() > 600 && wrong.is_empty(), "{wrong:?}");
}

fn text_of(id: &str) -> &'static str {
    spdx::text::LICENSE_TEXTS.iter().find(|it| it.0 == id).unwrap().1
}

#[test]
fn usual_licenses_are_known_by_their_words() {
    for id in ["MIT", "Apache-2.0", "BSD-3-Clause", "GPL-3.0-only", "CC-BY-4.0", "MPL-2.0", "ISC", "Unlicense"] {
        let found = recognise(text_of(id));
        assert!(found.id == id || found.percent == 100, "{id}: {found:?}");
    }
    let mine = text_of("MIT").replace("<year> <copyright holders>", "2026 Acme Ltd.");
    assert_eq!(recognise(&mine).id, "MIT");
    let apache = text_of("Apache-2.0");
    let short = &apache[..apache.find("APPENDIX").unwrap()];
    assert_eq!(recognise(short).id, "Apache-2.0");
}

/// One more condition makes another license, however it begins.
#[test]
fn a_text_that_begins_like_mit_and_asks_more_is_not_mit() {
    let more = "Any commercial use requires prior written authorization from the authors of this work.";
    let changed = text_of("MIT").replace("THE SOFTWARE IS PROVIDED", &format!("{more}\n\nTHE SOFTWARE IS PROVIDED"));
    let found = recognise(&changed);
    assert_eq!(found.id, "unknown", "{found:?}");
    assert!(found.name.starts_with("like MIT"), "{found:?}");
    let minimax = format!("NON-COMMERCIAL LICENSE\n\nMiniMax-M2.7\n\n{changed}\n(non-commercial)");
    assert_eq!(recognise(&minimax).id, "minimax-non-commercial");
    let kimi = format!("Modified MIT License\n\n{}\nYou shall prominently display Kimi K2.", text_of("MIT"));
    assert_eq!(recognise(&kimi).id, "kimi-modified-mit");
    assert_eq!(recognise("").id, "unknown");
}

#[test]
fn a_parent_brings_its_license_along() {
    let of = |name: &str| of_parent(name).map(|it| it.id).unwrap_or_default();
    assert_eq!(of("meta-llama/Llama-3.1-8B"), "llama3.1");
    assert_eq!(of("meta-llama/Llama-3.2-1B"), "llama3.2");
    assert_eq!(of("meta-llama/Meta-Llama-3-8B"), "llama3");
    assert_eq!(of("Llama 3.3 70B Instruct"), "llama3.3");
    assert_eq!(of("meta-llama/Llama-2-7b-hf"), "llama2");
    assert_eq!(of("google/gemma-2-9b"), "gemma");
    assert_eq!(of("acme/other-7b"), "");
    assert_eq!(by_name("llama3.1").unwrap().id, "llama3.1");
    assert_eq!(by_name("apache-2.0").unwrap().id, "Apache-2.0");
    assert_eq!(by_name("other"), None);
}

/// Real texts, where they were fetched: each file is `ID--anything`, with the id of the family that it is.
#[test]
#[expect(clippy::print_stdout, reason = "what was skipped, and what was measured, is said with `--nocapture`")]
fn real_texts_are_known_where_they_are_at_hand() {
    let Some(folder) = std::env::var_os("UNSHELL_LICENSE_TEXTS") else {
        println!("skipped: UNSHELL_LICENSE_TEXTS names no folder with texts of licenses");
        return;
    };
    let mut count = 0;
    recognise("the data of this room is read once");
    for file in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
        let name = file.file_name().unwrap().to_string_lossy().into_owned();
        let Some((id, _)) = name.split_once("--") else { continue };
        let text = std::fs::read_to_string(&file).unwrap();
        let start = std::time::Instant::now();
        let found = recognise(&text);
        assert_eq!(found.id, id, "{name}: {found:?}");
        println!("{name}: {} ms", start.elapsed().as_millis());
        count += 1;
    }
    assert!(count > 0);
}
