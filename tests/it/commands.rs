//! Command-line transcripts: every `tests/commands/*.md`, and README, shows commands with exactly what they print.
//!
//! `TRYCMD=overwrite cargo test commands` writes them anew; read the diff before keeping it.

#[test]
fn commands_print_what_their_transcripts_show() {
    trycmd::TestCases::new().case("tests/commands/*.md").case("README.md");
}
