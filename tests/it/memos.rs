//! The examples as memos: what the program measured and scored can be said in every language and both formats.

use std::path::Path;

use unshell::case::Case;
use unshell::catalog::Catalog;
use unshell::evidence::collect;
use unshell::report::{FontSources, Format, Language, memos};
use unshell::rubric;
use unshell::scoring::score;

#[test]
fn examples_become_memos() {
    for name in ["yi-34b", "yi-34b-day-one"] {
        let case = Case::read(&Path::new("examples").join(name)).unwrap_or_else(|problems| panic!("\n{problems}"));
        let rubric = rubric::find(&case.rubric, &case.folder).unwrap();
        let card =
            score(&rubric, &case, &collect(&case, Catalog::builtin(), &unshell::remote::Reach::local()).unwrap());
        let languages: Vec<_> = Language::tags().into_iter().map(str::to_owned).collect();
        let formats: &[Format] = if cfg!(feature = "pdf") { &[Format::Html, Format::Pdf] } else { &[Format::Html] };
        let written =
            memos(&card, &languages, formats, &FontSources::default()).unwrap_or_else(|it| panic!("{name}: {it}"));
        assert_eq!(written.len(), languages.len() * formats.len());
        for memo in written {
            if let Some(folder) = std::env::var_os("UNSHELL_KEEP_MEMOS") {
                std::fs::write(Path::new(&folder).join(format!("{name}.{}", memo.file_name)), &memo.bytes).unwrap();
            }
            if name == "yi-34b" && memo.file_name.ends_with(".html") {
                let text = String::from_utf8(memo.bytes).unwrap();
                assert!(text.contains("6.3 × 10²³ FLOP"), "`{}` of {name} lacks the compute", memo.file_name);
            }
        }
    }
}

/// The memos of a new case that holds one small model against others, English first.
fn memos_of(subject: &str, references: &[&str]) -> [String; 2] {
    let folder = tempfile::tempdir().unwrap();
    let unshell = |arguments: &[&str]| {
        let output = std::process::Command::new(env!("CARGO_BIN_EXE_unshell"))
            .args(arguments)
            .current_dir(folder.path())
            .output()
            .unwrap();
        assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    };
    unshell(&["init", "acme"]);
    let case = folder.path().join("acme/case.yaml");
    let family = std::env::current_dir().unwrap().join("tests/families/small");
    let family = family.to_str().unwrap();
    let text = std::fs::read_to_string(&case).unwrap();
    let text = text.replace("\"catalog:01-ai/Yi-34B@2023-11\"", &format!("\"{family}/{subject}\""));
    let lines: Vec<String> = references.iter().map(|it| format!("  - \"{family}/{it}\"")).collect();
    let text = text.replace("  - catalog:meta-llama/Llama-2-7b-hf", &lines.join("\n"));
    std::fs::write(&case, text).unwrap();
    unshell(&["run", "acme"]);
    ["en", "zh-CN"].map(|it| std::fs::read_to_string(folder.path().join(format!("acme/out/memo.{it}.html"))).unwrap())
}

/// Weights that were measured stand on the first page, and the chart does not say that they were not looked at.
#[test]
fn measured_weights_are_the_first_page_s_business() {
    let [english, chinese] = memos_of("renamed", &["base_a"]);
    assert!(english.contains("The weights of renamed were held against those of base_a: derived."));
    assert!(chinese.contains("就权重而言，renamed 对照 base_a：派生。"));
    assert!(!english.contains("width: weights not examined") && !chinese.contains("横向宽度：权重未检验"));
}

/// Of whose models a subject was put together stands on the first page, and how on the lineage page.
#[test]
fn merges_are_told() {
    let [english, chinese] = memos_of("merge_linear", &["ft_code", "ft_legal"]);
    assert!(
        english.contains("By its weights, merge_linear was put together from ft_code and ft_legal: a linear merge.")
    );
    assert!(chinese.contains("就权重而言，merge_linear 由 ft_code和ft_legal 合并而成：线性合并。"));
    assert!(english.contains("Made of several references: ") && chinese.contains("由多个参照构成："));
}

/// Nobody rotates a stream by accident.
#[test]
fn disguises_are_the_first_page_s_business_too() {
    let [english, chinese] = memos_of("obf_all_ft", &["base_a"]);
    let told = english.find("changes were found that leave what it computes as it is").expect("page 1 tells disguises");
    assert!(told < english.find("id=\"lineage\"").or(english.find("Lineage")).unwrap_or(usize::MAX), "{told}");
    assert!(chinese.contains("处改动，不影响计算结果，却掩盖权重来源"));
}
