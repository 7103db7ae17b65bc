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
