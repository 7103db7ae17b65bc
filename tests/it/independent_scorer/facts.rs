//! Facts of section 5 of the guide that need no weights: what was said of parts and of own work, and whose weights of
//! models that cannot be read. They are compared with those of `evidence.json`.

use std::collections::BTreeSet;

use serde_json::Value;

use super::written::{C, D, Written, evened, items, list, text};

const WHENS: [&str; 5] = ["at_release", "later", "when_asked", "after_exposure", "denied"];

/// What differs, a line each.
pub(crate) fn differences(written: &Written, model: &Value) -> Vec<String> {
    let subject = items(&written.case["subjects"]).iter().find(|it| it["id"] == model["id"]).unwrap();
    let mut out = Vec::new();
    let mut compare = |what: &str, expected: String, found: String| {
        if expected != found {
            out.push(format!("{what} of {}: by the guide {expected}, found {found}", model["id"]));
        }
    };
    for part in ["architecture", "weights", "tokenizer", "code", "data"] {
        let found = &model["disclosures"][part];
        if found["source"] == "read" {
            continue;
        }
        let expected = stated(written, subject, part);
        let found: BTreeSet<&str> = list(&found["values"]).into_iter().collect();
        compare(&format!("disclosures.{part}"), format!("{expected:?}"), format!("{found:?}"));
        let word = (expected.len() == 1).then(|| *expected.first().unwrap());
        let fact = &model["facts"][format!("disclosed.{part}")]["value"]["word"];
        compare(&format!("disclosed.{part}"), format!("{word:?}"), format!("{:?}", fact.as_str()));
    }
    for about in ["from_scratch", "own_work"] {
        let found = &model["facts"][format!("claim.{about}")]["value"];
        let found = found["word"].as_str().or(found["unknown"].as_str()).unwrap_or("nothing");
        compare(&format!("claim.{about}"), claim(written, subject, about).to_owned(), found.to_owned());
    }
    if items(&model["relations"]).iter().all(|it| it["has_weights"] == false) {
        let whose = &model["whose"];
        let found = format!("{} {} {}", whose["levels"], whose["closed"], text(&whose["basis"]));
        compare("whose", whose_by_documents(written, subject), found);
    }
    out
}

/// The ways in which a part may have been named, by all statements that count.
fn stated(written: &Written, subject: &Value, part: &str) -> BTreeSet<&'static str> {
    let mut so_far: Option<BTreeSet<usize>> = None;
    for parent in items(&subject["declared_parents"]).iter().filter(|it| it["part"] == part) {
        let support = written.support(&list(&parent["evidence"]), |it| it.said);
        let (counts, values) = match WHENS.iter().position(|it| parent["when"] == *it) {
            Some(4) => (support.shows(), vec![4]),
            Some(at) => (support.is(C), vec![at]),
            None => (support.is(D), vec![0, 1, 2, 3]),
        };
        if counts {
            so_far = Some(match so_far {
                None => values.into_iter().collect(),
                Some(known) => known.iter().flat_map(|one| values.iter().map(move |it| *one.max(it))).collect(),
            });
        }
    }
    so_far.into_iter().flatten().map(|it| WHENS[it]).collect()
}

fn claim(written: &Written, subject: &Value, about: &str) -> &'static str {
    let is_about = |it: &&Value| it["about"] == about && (it["subject"].is_null() || it["subject"] == subject["id"]);
    let all: Vec<&Value> = items(&written.case["claims"]).iter().filter(is_about).collect();
    let supports: Vec<_> = all
        .iter()
        .filter(|it| it["value"] == true)
        .map(|it| written.support(&list(&it["source"]), |it| it.said))
        .collect();
    if all.is_empty() {
        "none"
    } else if supports.is_empty() {
        "no"
    } else if supports.iter().any(|it| it.shows()) {
        "shown"
    } else if supports.iter().all(|it| !it.is(D)) {
        "hearsay"
    } else {
        "unexamined"
    }
}

fn whose_by_documents(written: &Written, subject: &Value) -> String {
    let open = "[0,1,2,3,4] false open".to_owned();
    match text(&subject["kind"]) {
        "api" => {
            let upstream = &subject["upstream"]["evidence"];
            let is_shown = written.support(&list(upstream), |it| it.grade).shows();
            return if is_shown { "[0] true upstream".to_owned() } else { open };
        }
        "none" => return open,
        _ => {}
    }
    let reports = |relation: &str| {
        items(&subject["reported_tests"]).iter().filter(|it| it["relation"] == relation).any(|it| {
            let evidence = list(&it["evidence"]);
            written.intact(&evidence).any(|it| it.method == "third_party" && it.grade <= C)
        })
    };
    let is_admitted = items(&subject["declared_parents"]).iter().any(|it| {
        let says = it["part"] == "weights" && it["when"] != "denied";
        says && written.support(&list(&it["evidence"]), |it| it.grade).is(D)
            && !is_of_the_case(written, text(&it["model"]))
    });
    match (reports("derived"), reports("independent"), is_admitted) {
        // Whatever was reported, an admission closes it at what is left of 0 to 2.
        (_, _, true) => "[0,1,2] true admitted".to_owned(),
        (true, _, false) => "[0,1,2] false reported".to_owned(),
        (false, true, false) => "[3] false reported".to_owned(),
        (false, false, false) => open,
    }
}

fn is_of_the_case(written: &Written, name: &str) -> bool {
    let is = |it: &Value| it.as_str().is_some_and(|it| evened(it) == evened(name));
    items(&written.case["subjects"]).iter().any(|it| is(&it["id"]) || is(&it["name"]))
}
