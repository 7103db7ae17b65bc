//! The honesty of the data: what every file and every record must keep.

use super::*;

/// The catalogue straight from its YAML, so that nothing rests on what the build made of it.
fn families() -> Vec<(String, FamilyAsWritten)> {
    yaml_files().map(|(path, yaml)| (path.clone(), read(&path, &yaml))).collect()
}

fn yaml_files() -> impl Iterator<Item = (String, String)> {
    let files = crate::shelf::below(crate::shelf::CATALOG, "models");
    files.map(|(path, bytes)| (path.to_owned(), String::from_utf8(bytes.to_vec()).unwrap()))
}

fn read<T: serde::de::DeserializeOwned>(path: &str, yaml: &str) -> T {
    serde_yaml::from_str(yaml).unwrap_or_else(|error| panic!("{path}: {error}"))
}

#[test]
fn every_file_is_named_after_its_family() {
    for (path, family) in families() {
        assert_eq!(path, format!("{}.yaml", family.family));
    }
}

#[test]
fn every_entry_holds_together() {
    let families = families().into_iter().map(|(_, family)| family).collect();
    let problems = Catalog::new(families, Twins::default()).err().unwrap_or_default();
    let problems: Vec<_> = problems.iter().map(Problem::to_string).collect();
    assert!(problems.is_empty(), "\n{}", problems.join("\n"));
}

#[test]
fn the_build_embeds_what_the_files_say() {
    let families: Vec<serde_json::Value> = yaml_files().map(|(path, yaml)| read(&path, &yaml)).collect();
    let embedded: Vec<serde_json::Value> = serde_json::from_str(embedded::FAMILIES).unwrap();
    assert_eq!(families.len(), embedded.len());
    for (written, compiled) in families.iter().zip(&embedded) {
        // By way of text: a float may come back from JSON with another last bit.
        let written: serde_json::Value = serde_json::from_str(&written.to_string()).unwrap();
        assert_eq!(&written, compiled);
    }
}

#[test]
fn nothing_was_lost_on_the_way_here() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.entries().len(), 324);
    assert_eq!(catalog.entries().iter().filter(|it| it.design().is_some()).count(), 272);
    let sourced = |has: fn(&Entry) -> bool| catalog.entries().iter().filter(|it| has(it)).count();
    assert_eq!(sourced(|it| it.released().is_some()), 275);
    assert_eq!(sourced(|it| it.licence().is_some()), 260);
    assert_eq!(sourced(|it| it.tokenizer().is_some()), 264);
    assert_eq!(sourced(|it| it.training_tokens().is_some()), 89);
    assert_eq!(sourced(|it| it.parentage().is_some()), 56);
    assert_eq!(sourced(|it| it.published_parameters().is_some()), 290);
    assert_eq!(sourced(|it| it.file_list().is_some()), 33);
    assert_eq!(sourced(|it| it.access().is_some()), 35);
    assert_eq!(sourced(|it| it.prediction_layers().is_some()), 7);
}

#[test]
fn the_reach_is_told() {
    let reach = Catalog::builtin().reach();
    assert_eq!((reach.size, reach.entries), (272, 324));
    assert_eq!((reach.newest.as_str(), reach.newest_date.as_str()), ("catalog:tencent/Hy4-preview", "2026-08-28"));
}

#[test]
fn entries_are_found_by_name() {
    let catalog = Catalog::builtin();
    assert_eq!(catalog.find("01-ai/Yi-34B@2023-11").unwrap().family(), "yi");
    assert_eq!(catalog.find("catalog:01-ai/Yi-34B").unwrap().organisation(), "01.AI");
    assert!(catalog.find("01-ai/Yi-35B").is_none());
    assert_eq!(catalog.suggest("01-ai/yi-34b").first(), Some(&"01-ai/Yi-34B"));
    assert!(catalog.suggest("Llama-2-7b").contains(&"meta-llama/Llama-2-7b-hf"));
    assert!(catalog.suggest("bert-base-uncased").is_empty());
}

#[test]
fn a_date_of_release_is_an_interval_with_its_source() {
    let published = |id: &str| Catalog::builtin().find(id).unwrap().published().unwrap();
    let solar = published("upstage/Solar-Open-100B");
    assert_eq!((solar.first.to_string(), solar.last.to_string()), ("2025-12-01".to_owned(), "2025-12-31".to_owned()));
    assert_eq!(solar.precision, DatePrecision::Month);
    assert!(Catalog::builtin().entries().iter().filter_map(Entry::published).all(|it| it.first <= it.last));
    assert_eq!(Catalog::builtin().find("huggyllama/llama-7b").unwrap().owner(), "huggyllama");
}

#[test]
fn twins_are_told() {
    let (same, padded) = Catalog::builtin().twins("huggyllama/llama-7b");
    assert_eq!(same, ["meta-llama/Llama-2-7b-hf", "openlm-research/open_llama_7b"]);
    assert_eq!(padded, ["codellama/CodeLlama-7b-hf", "deepseek-ai/deepseek-coder-6.7b-base", "BAAI/AquilaChat2-7B"]);
}

/// A record that is right, for tests that break it.
const RIGHT: &str = "
family: acme
lineage: acme
entries:
- id: acme/one
  organisation: Acme
  released: {date: 2024-05, source: press}
  licence: null
  training_tokens: null
  parentage: null
  tokenizer: null
  published_parameters: {value: 100, precision: exact, source: card}
  access: {state: open, source: hub}
  config: {basis: secondary source, sources: [blog], unsourced: [head_dim], fields: {hidden_size: 10}}
  blueprint:
    parameters: 100
    check: equal
    tensors: 2
    layers: 2
    made_from: written by hand
    templates:
    - {name: 'layers.{i}.w', shape: [5, 10], layers: 0-1, role: attention.query}
";

/// Breaks the right record in one place and looks for the problem that this must give.
#[track_caller]
fn check(from: &str, to: &str, expected: &str) {
    assert!(RIGHT.contains(from), "`{from}` is not there to be broken");
    let outcome = serde_yaml::from_str::<FamilyAsWritten>(&RIGHT.replacen(from, to, 1))
        .map_err(|error| error.to_string())
        .and_then(|family| {
            let told = |problems: Vec<Problem>| problems.iter().map(|it| format!("{it}\n")).collect::<String>();
            Catalog::new(vec![family], Twins::default()).map_err(told)
        });
    let told = outcome.err().unwrap_or_default();
    assert!(told.contains(expected), "expected `{expected}`, got `{told}`");
}

#[test]
fn a_broken_record_is_told_apart() {
    check("id: acme/one", "id: one", "the id must read ORG/NAME");
    check("2024-05", "May 2024", "`May 2024` is no date");
    check("2024-05", "2024-13", "`2024-13` is no date");
    check("source: press", "source: ' '", "`released` has no source");
    check("source: hub", "source: ''", "`access` has no source");
    check("state: open", "state: free", "unknown variant `free`");
    check("sources: [blog]", "sources: []", "`config` has no source");
    check("unsourced: [head_dim]", "unsourced: [hidden_size]", "stated and called unsourced");
    check("  licence: null\n", "", "missing field `licence`");
    check("licence: null", "license: MIT", "unknown field `license`");
    check("shape: [5, 10]", "shape: [5, 11]", "hold 110, `parameters` says 100");
    check("shape: [5, 10]", "shape: [4294967296, 4294967296]", "more than can be counted");
    check("tensors: 2", "tensors: 3", "stand for 2 tensors, `tensors` says 3");
    check("value: 100", "value: 101", "`check` says Equal");
    check("layers: 0-1, ", "", "must hold `{i}`");
    check("layers: 0-1, ", "layers: 0..1, ", "no range");
    check("family: acme", "family: Acme Models", "may hold a-z");
    check("    parameters: 100\n", "    parameters: 100\n    hash: 7\n", "unknown field `hash`");
}

#[test]
fn every_problem_is_told_at_once() {
    let broken = RIGHT.replace("2024-05", "soon").replace("tensors: 2", "tensors: 9").replace("[blog]", "[]");
    let problems = Catalog::new(vec![serde_yaml::from_str(&broken).unwrap()], Twins::default()).unwrap_err();
    assert_eq!(problems.len(), 3, "{problems:?}");
}

/// Two accounts of what 4,445 templates do, made apart: labels checked by hand, and roles told from names and shapes.
#[test]
fn told_roles_agree_with_the_labels() {
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for entry in Catalog::builtin().entries() {
        let Some((design, blueprint)) = entry.design().zip(entry.blueprint()) else { continue };
        let facts = blueprint.template_facts();
        for template in &design.templates {
            let told = facts.iter().filter(|it| it.template == template.name).map(|it| it.role.as_str());
            let told: Vec<_> = told.collect();
            if told.is_empty() || !told.iter().all(|it| agrees(&template.role, it)) {
                wrong.push(format!("{} {}: label {}, told {told:?}", entry.id(), template.name, template.role));
            }
            looked_at += 1;
        }
    }
    assert_eq!(looked_at, 4445);
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

/// A told role may be finer than the label, and be one of two that the label leaves open.
fn agrees(label: &str, told: &str) -> bool {
    let is_within = |label: &str| told == label || told.strip_prefix(label).is_some_and(|rest| rest.starts_with('.'));
    label == "unknown" || label.split(" or ").any(is_within)
}
