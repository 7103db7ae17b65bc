//! What a person gets to read for each kind of mistake.

use std::collections::BTreeMap;

use chrono::NaiveDate;
use serde::Deserialize;

use super::*;

#[derive(Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
#[expect(dead_code, reason = "only read to see that it can be")]
struct Sheet {
    /// What it is called. The memo prints it.
    title: String,
    date: NaiveDate,
    #[serde(default)]
    share: Option<f64>,
    #[serde(default)]
    levels: BTreeMap<u8, Colour>,
    #[serde(default)]
    marks: Vec<u8>,
    #[serde(default)]
    is_open: bool,
    #[serde(default)]
    rule: Option<Rule>,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
enum Colour {
    /// Documented variants make `schemars` write `oneOf` with `const`.
    DarkRed,
    /// Like grass.
    Green,
}

#[derive(Debug, PartialEq, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Rule {
    All(Vec<Self>),
    Below { share: f64, colour: Colour },
}

#[track_caller]
fn check(bytes: impl AsRef<[u8]>, expected: &str) {
    let found = match read::<Sheet>("sheet.yaml", bytes.as_ref()) {
        Ok(_) => "ok".to_owned(),
        Err(problems) => problems.to_string(),
    };
    assert_eq!(found, expected.trim());
}

const HEAD: &str = "title: t\ndate: 2024-03-31\n";

#[test]
fn text_that_yaml_would_cut_at_a_number_sign_is_refused() {
    check(
        "title: Company is No #1 in C-Eval\ndate: 2024-03-31\n",
        "sheet.yaml:1:8: the text ends before `#1 in C-Eval`: YAML takes a number sign after a space for a comment\n\
         hint: put the text into quotation marks; a comment has a space after its `#`",
    );
    for fine in ["title: t # a comment", "title: \"No #1\"", "title: C#1", "title: t #"] {
        check(format!("{fine}\ndate: 2024-03-31\n"), "ok");
    }
}

#[test]
fn a_good_file_is_read_into_its_type() {
    let text =
        format!("{HEAD}share:\nlevels: {{3: dark_red}}\nrule: {{all: [{{below: {{share: 1, colour: green}}}}]}}\n");
    let sheet: Sheet = read("sheet.yaml", text.as_bytes()).unwrap();
    assert_eq!(sheet.levels[&3], Colour::DarkRed);
    assert_eq!(sheet.rule, Some(Rule::All(vec![Rule::Below { share: 1.0, colour: Colour::Green }])));
    check(format!("\u{FEFF}{}", text.replace('\n', "\r\n")), "ok");
}

#[test]
fn every_mistake_of_a_file_is_told_in_one_run() {
    check(
        "title: t\ndate: 2024/3/1\nshare: much\nlevels:\n  3: darkred\n  five: green\nmarks: [1, 300, ２]\nis_open: yes\ncolor: red\n",
        "
sheet.yaml:2:7: `date`: `2024/3/1` is not written as a date
hint: write it as year-month-day in half-width digits: `2024-03-01`
sheet.yaml:3:8: `share`: expected a number, found `much`
hint: write it in digits, without a unit
sheet.yaml:5:6: `levels.3`: expected `dark_red` or `green`, found `darkred`
hint: did you mean `dark_red`?
sheet.yaml:6:3: unknown key `levels.five`
hint: keys here are whole numbers, such as `3:`
sheet.yaml:7:12: `marks[#2]`: expected a whole number from 0 to 255, found `300`
hint: the highest is 255
sheet.yaml:7:17: `marks[#3]`: expected a whole number from 0 to 255, found `２`
hint: `２` has full-width characters; write `2`
sheet.yaml:8:10: `is_open`: expected `true` or `false`, found `yes`
hint: write `true`
sheet.yaml:9:1: unknown key `color`
hint: known here: `date`, `is_open`, `levels`, `marks`, `rule`, `share` or `title`",
    );
}

#[test]
fn a_choice_is_one_known_key() {
    check(
        format!("{HEAD}rule: {{any: []}}"),
        "sheet.yaml:3:8: unknown key `rule.any`\nhint: known here: `all` or `below`",
    );
    check(
        format!("{HEAD}rule: {{all: [], below: {{}}}}"),
        "sheet.yaml:3:7: `rule` has 2 keys, expected one of `all` or `below`\n\
         hint: keep one; several conditions go into `all: [..]` or `any: [..]`",
    );
}

#[test]
fn full_width_punctuation_is_told_with_the_fix_and_hides_nothing() {
    check(
        "title： t\ndate：2024-03-31\nlevels:\n  3：green\nmarks: [1，2]\nsh: 1\n",
        "
sheet.yaml:1:6: the colon after `title` is full-width
hint: write `title: t` with a half-width colon and a space
sheet.yaml:2:5: the colon after `date` is full-width
hint: write `date: 2024-03-31` with a half-width colon and a space
sheet.yaml:4:3: `levels`: expected a mapping of `key: value` lines, found `3：green`
hint: `3：green` has full-width characters; write `3: green`
sheet.yaml:5:9: `marks[#1]`: expected a whole number from 0 to 255, found `1，2`
hint: `1，2` has full-width characters; write `1,2`
sheet.yaml:6:1: unknown key `sh`
hint: known here: `date`, `is_open`, `levels`, `marks`, `rule`, `share` or `title`",
    );
    check(
        format!("{HEAD}“share”: 1\n"),
        "sheet.yaml:3:1: unknown key `“share”`\nhint: `“share”` has full-width characters or quotes; write `share:`",
    );
    // In free text they belong.
    check("title: |\n  level：3\n  share：2\ndate: 2024-03-31\n", "ok");
}

#[test]
fn what_makes_yaml_dangerous_is_refused() {
    let laughs: String =
        (1..9).map(|idx| format!("x{idx}: &x{idx} [{}]\n", vec![format!("*x{}", idx - 1); 9].join(","))).collect();
    check(
        format!("x0: &x0 [lol,lol,lol,lol,lol,lol,lol,lol,lol]\n{laughs}"),
        "sheet.yaml:7:10: the aliases up to here stand for more than is read\nhint: write the values out instead of using `*`",
    );
    check(
        "[".repeat(100_000),
        "sheet.yaml:1:65: the file nests deeper than 64 levels\n\
         hint: the files of a case nest about six levels; check where this came from",
    );
    check(
        format!("{HEAD}---\n{HEAD}"),
        "sheet.yaml:3:1: a second document starts here, and a file holds one\n\
         hint: remove the line `---`, or put the second part into a file of its own",
    );
    check(
        format!("{HEAD}share: !!python/object/apply:os.system 1\n"),
        "sheet.yaml:3:8: tags such as `!!python/object/apply:os.system` are not read\n\
         hint: leave the tag out; a choice is written as `name: value`",
    );
    check(
        format!("{HEAD}share: 1\n\"share\": 2\n"),
        "sheet.yaml:4:1: the key `share` stands here a second time; the first is on line 3\nhint: keep one of the two",
    );
    check(
        format!("{HEAD}marks: &a [*a]\n"),
        "sheet.yaml:3:12: the alias names a value that it is itself part of\nhint: write the value out instead of using `*`",
    );
    check(
        format!("{HEAD}rule: {{<<: 1, all: []}}\n? [x]\n: 1\n"),
        "
sheet.yaml:3:8: merge keys (`<<`) are not read
hint: write the keys out
sheet.yaml:4:3: a list or mapping stands where a key belongs
hint: a key is one word; put text that starts with `[`, `{` or `?` into quotes",
    );
}

#[test]
fn nothing_is_no_sheet() {
    check("", "sheet.yaml: the file is empty\nhint: `unshell init` writes one with comments to start from");
    check(
        "# only a comment\n",
        "sheet.yaml: the file is empty\nhint: `unshell init` writes one with comments to start from",
    );
    check("- a\n", "sheet.yaml:1:1: the file: expected a mapping of `key: value` lines, found a list");
    check(
        "title:\ndate: 2024-03-31",
        "sheet.yaml:1:1: `title`: expected text, found nothing\nhint: fill it in, or delete the line",
    );
    check(
        "{}",
        "
sheet.yaml:1:1: the file has no `date`
hint: add a line `date:`
sheet.yaml:1:1: the file has no `title`
hint: add a line `title:` (What it is called. The memo prints it)",
    );
}
