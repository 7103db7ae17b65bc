//! Starts a case folder: commented files that are valid as they stand, and the schemas for the analyst's editor.
//!
//! The words stand in `templates/init/<language>/`; what depends on the rubric is filled in here.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use chrono::NaiveDate;
use schemars::JsonSchema;
use serde::Deserialize;

use crate::bytes;
use crate::bytes::Location;
use crate::case::Case;
use crate::cli::propose::{self, Source};
use crate::cli::schema::FORMATS;
use crate::cli::{Failure, Terminal, reach};
use crate::fact::Text;
use crate::rubric;
use crate::rubric::{Criterion, MethodRule, Requirement, Rubric};
use crate::shelf;
use crate::yaml;
use crate::yaml::{Problem, Problems};

/// A catalogue entry that stands in until the analyst names the company's model.
const EXAMPLE_MODEL: &str = "catalog:01-ai/Yi-34B@2023-11";

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The folder to make; must not exist, or be empty
    case: PathBuf,
    /// Language of the comments, and of the memos
    #[arg(long, value_name = "TAG", default_value = "en")]
    language: String,
    /// The day the case is judged by; today where left out
    #[arg(long, value_name = "YYYY-MM-DD")]
    date: Option<NaiveDate>,
    /// The company's name; the folder's name where left out
    #[arg(long)]
    company: Option<String>,
    /// The model under examination: a path from the current folder, `hf:ORG/NAME` or `catalog:ORG/NAME`
    #[arg(long, default_value = EXAMPLE_MODEL)]
    model: String,
    /// Read what a model says of itself, and start the case with proposals from it: a folder, `hf:ORG/NAME`,
    /// `ms:ORG/NAME` or `https://…`; may be given several times. On a case that is there already, only the proposals
    /// are written anew
    #[arg(long, value_name = "MODEL", conflicts_with = "model")]
    from: Vec<String>,
    /// A rubric: an id that `unshell rubric list` shows, or the path of a file, of which the case keeps a copy
    #[arg(long, value_name = "ID|PATH", default_value = "llm-originality")]
    rubric: String,
    #[command(flatten)]
    reach: reach::Arguments,
}

impl Arguments {
    /// The model that is first in the case.
    fn first_model(&self) -> &str {
        self.from.first().unwrap_or(&self.model)
    }
}

/// Words of one language.
#[derive(Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
struct Words {
    title: String,
    example: String,
    analyst: String,
    counts: String,
    needs: String,
    days: String,
    requires: String,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let folder = &arguments.case;
    if !arguments.from.is_empty() {
        return from_models(arguments, terminal);
    }
    refuse_to_overwrite(folder)?;
    let rubric = rubric::find(&arguments.rubric, Path::new("."))?;
    let files = Scaffold::new(arguments, &rubric)?.files();
    place(folder, &files)?;
    for (file, _) in &files {
        terminal.say(&format!("wrote {}", folder.join(file).display()));
    }
    terminal.say(&format!(
        "next: open {}, then `unshell run {}`",
        folder.join("case.yaml").display(),
        folder.display()
    ));
    Ok(ExitCode::SUCCESS)
}

/// Starts a case from models, or writes the proposals of a case anew.
fn from_models(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let folder = &arguments.case;
    let reach = arguments.reach.reach()?;
    let is_there = folder.join("case.yaml").is_file();
    if !is_there {
        refuse_to_overwrite(folder)?;
    }
    let sources = propose::read(&arguments.from, &reach)?;
    let date = arguments.date.unwrap_or_else(|| chrono::Local::now().date_naive());
    let given = located(folder, sources)?;
    if !is_there {
        let rubric = rubric::find(&arguments.rubric, Path::new("."))?;
        place(folder, &Scaffold::new(arguments, &rubric)?.files_from(&given))?;
        terminal.say(&format!("wrote {}", folder.join("case.yaml").display()));
    }
    let count = propose::write(folder, &given, date)?;
    terminal.say(&format!("wrote {} with {count} proposals", folder.join(propose::FILE).display()));
    let shown = folder.display();
    terminal.say(&format!("next: `unshell accept {shown} --list`, `unshell accept {shown}`, `unshell run {shown}`"));
    reach::report(&reach, terminal);
    Ok(ExitCode::SUCCESS)
}

/// The sources with their places as the case writes them.
fn located(folder: &Path, sources: Vec<Source>) -> Result<Vec<Source>, Failure> {
    let from_folder = |given: &str| match Location::parse(given) {
        Ok(Location::Path(path)) => from_case(folder, &path),
        _ => Ok(given.to_owned()),
    };
    sources.into_iter().map(|it| Ok(Source { given: from_folder(&it.given)?, ..it })).collect()
}

fn refuse_to_overwrite(folder: &Path) -> Result<(), Failure> {
    let is_free = match fs::read_dir(folder) {
        Ok(mut entries) => entries.next().is_none(),
        Err(_) => !folder.exists(),
    };
    if is_free {
        return Ok(());
    }
    let message = format!("`{}` is there already, and nothing in it was touched", folder.display());
    Err(Failure::new(message).hint("name a folder that does not exist yet, or an empty one"))
}

/// What is filled into the templates.
struct Scaffold<'a> {
    rubric: &'a Rubric,
    language: &'a str,
    words: Words,
    values: Vec<(&'static str, String)>,
    /// Name and text of a rubric that does not ship inside the program: the case keeps a copy.
    own_rubric: Option<(String, String)>,
}

impl<'a> Scaffold<'a> {
    fn new(arguments: &'a Arguments, rubric: &'a Rubric) -> Result<Self, Failure> {
        let language = arguments.language.as_str();
        let words = words(language)?;
        let all = Self::all_words(language)?;
        let date = arguments.date.unwrap_or_else(|| chrono::Local::now().date_naive()).to_string();
        let name = arguments.company.clone().unwrap_or_else(|| folder_name(&arguments.case));
        let own_rubric = own_rubric(arguments)?;
        let values = vec![
            ("folder", arguments.case.display().to_string()),
            ("title", in_each(&all, |it| &it.title)),
            ("company", quoted(&name)),
            ("analyst", in_each(&all, |it| &it.analyst)),
            ("model", quoted(&model_from_case(arguments)?)),
            (
                "model_name",
                match arguments.first_model() {
                    EXAMPLE_MODEL => in_each(&all, |it| &it.example),
                    _ => quoted(&name),
                },
            ),
            ("rubric", own_rubric.as_ref().map_or_else(|| rubric.id.clone(), |it| quoted(&format!("./{}", it.0)))),
            ("languages", memo_languages(language, rubric)),
            ("date", date),
        ];
        Ok(Self { rubric, language, words, values, own_rubric })
    }

    /// Words of every language a case can be started in, the analyst's own first: memos are written in all of them.
    fn all_words(language: &str) -> Result<Vec<(String, Words)>, Failure> {
        let others = languages().filter(|it| *it != language).map(str::to_owned);
        std::iter::once(language.to_owned()).chain(others).map(|it| Ok((it.clone(), words(&it)?))).collect()
    }

    /// Every file of the folder, by path.
    fn files(&self) -> Vec<(String, String)> {
        let parts = [("methods", self.methods()), ("kinds", self.kinds()), ("answers", self.answers())];
        let fill = |file: &str| {
            let mut text = template(self.language, file).unwrap_or_default();
            for (name, value) in self.values.iter().chain(&parts) {
                text = text.replace(&format!("{{{name}}}"), value.trim_end());
            }
            text
        };
        let mut files = vec![
            ("answers/analyst.yaml".to_owned(), fill("answers.yaml")),
            ("case.yaml".to_owned(), fill("case.yaml")),
            ("evidence.yaml".to_owned(), fill("evidence.yaml")),
        ];
        files.extend(self.own_rubric.clone());
        for format in FORMATS.iter().filter(|it| it.is_in_case()) {
            files.push((format!("schemas/{}", format.file()), format.text()));
        }
        files
    }

    /// The files of a case that is started from models: their places, and the proposed references.
    fn files_from(&self, sources: &[Source]) -> Vec<(String, String)> {
        let mut files = self.files();
        let Some((_, case)) = files.iter_mut().find(|(file, _)| file == "case.yaml") else { return files };
        let lines: Vec<&str> = case.lines().collect();
        let (mut out, mut is_reference): (Vec<String>, bool) = (Vec::new(), false);
        for line in lines {
            is_reference &= line.starts_with("  - ");
            if is_reference {
                continue;
            }
            if line == "  # - id: assistant" {
                out.extend(sources.iter().skip(1).flat_map(subject_lines));
            }
            out.push(line.to_owned());
            if line == "references:" {
                is_reference = true;
                let mut seen = std::collections::BTreeSet::new();
                let all = sources.iter().flat_map(|it| &it.references).filter(|it| seen.insert(&it.0));
                let proposed: Vec<String> = all.map(|it| format!("  - {}  # proposed", quoted(&it.0))).collect();
                if proposed.is_empty() {
                    out.pop();
                    out.push("references: []".to_owned());
                }
                out.extend(proposed);
            }
        }
        *case = format!("{}\n", out.join("\n"));
        files
    }

    fn text<'t>(&self, text: &'t Text) -> &'t str {
        text.in_language(self.language).trim()
    }

    fn methods(&self) -> String {
        let line = |(id, it): (&String, &MethodRule)| {
            let needs = self.requirements(it).map(|it| format!(" {it}")).unwrap_or_default();
            format!("#   {id:<18} {}  {}{needs}\n", it.grade.letter(), self.text(&it.name))
        };
        self.rubric.evidence.methods.iter().map(line).collect()
    }

    /// What an entry needs to keep the grade of its method, by the keys it is written under.
    fn requirements(&self, method: &MethodRule) -> Option<String> {
        let otherwise = method.otherwise?;
        let key = |it: &Requirement| match it {
            Requirement::File => "`file`",
            Requirement::Address => "`url`",
            Requirement::Date => "`published`",
        };
        let what = method.requires.iter().map(key).collect::<Vec<_>>().join(", ");
        Some(self.words.requires.replace("{what}", &what).replace("{grade}", otherwise.letter()))
    }

    fn kinds(&self) -> String {
        let line = |(id, it): (&String, &rubric::KindRule)| {
            let days = self.words.days.replace("{days}", &it.valid_days.to_string());
            format!("#   {id:<18} {}; {days}\n", self.text(&it.name))
        };
        self.rubric.evidence.kinds.iter().map(line).collect()
    }

    /// Every criterion as unknown, with its question and what one would see at each level.
    fn answers(&self) -> String {
        let mut out = String::new();
        for pillar in &self.rubric.pillars {
            out.push_str(&format!("\n  # ===== {}  {} =====\n", pillar.id, self.text(&pillar.name)));
            let of_pillar = |it: &&Criterion| it.id.trim_end_matches(|it: char| it.is_ascii_digit()) == pillar.id;
            self.rubric.criteria.iter().filter(of_pillar).for_each(|it| self.criterion(it, &mut out));
        }
        out
    }

    fn criterion(&self, it: &Criterion, out: &mut String) {
        out.push_str(&format!("\n  # {}  {}\n", it.id, self.text(&it.question)));
        for (level, text) in it.levels.iter().enumerate() {
            let grade = u8::try_from(level).ok().and_then(|level| it.needs.get(&level));
            let needs = grade.map(|it| format!(" {}", self.words.needs.replace("{grade}", it.letter())));
            out.push_str(&format!("  #   {level}  {}{}\n", self.text(text), needs.unwrap_or_default()));
        }
        out.push_str(&format!("  #   {} {}\n", self.words.counts, it.kinds.join(", ")));
        out.push_str(&format!("  {}:\n    level: unknown\n    evidence: []\n    reason: \"\"\n", it.id));
    }
}

/// A further model of a case.
fn subject_lines(source: &Source) -> Vec<String> {
    vec![
        format!("  - id: {}", source.id),
        format!("    name: {}", quoted(&source.said.model.name)),
        format!("    location: {}  # proposed", quoted(&source.given)),
    ]
}

/// Where the model is, as the case writes it: a path that was given from here is written from the case folder.
fn model_from_case(arguments: &Arguments) -> Result<String, Failure> {
    match Location::parse(arguments.first_model()) {
        Ok(Location::Path(path)) if !path.exists() => {
            let message = format!("`--model {}`: there is no file or folder of this name", arguments.first_model());
            let hint = "the path is taken from the current folder; a model of the catalogue is `catalog:ORG/NAME`";
            Err(Failure::new(message).hint(hint))
        }
        Ok(Location::Path(path)) => Ok(from_case(&arguments.case, &path)?),
        // What is wrong with another location is told where it stands in the case.
        _ => Ok(arguments.first_model().to_owned()),
    }
}

/// A rubric of the analyst's own, which the case is to keep.
fn own_rubric(arguments: &Arguments) -> Result<Option<(String, String)>, Failure> {
    if rubric::shelf_ids().contains(&arguments.rubric.as_str()) {
        return Ok(None);
    }
    let (shown, bytes) = rubric::find_bytes(&arguments.rubric, Path::new("."))?;
    let name = Path::new(&shown).file_name().unwrap_or_default().to_string_lossy().into_owned();
    Ok(Some((name, String::from_utf8_lossy(&bytes).into_owned())))
}

/// A path that was given from the current folder, as it is from the case folder.
fn from_case(case: &Path, path: &Path) -> Result<String, Failure> {
    let (case, path) = (resolved(case)?, resolved(path)?);
    let shared = case.components().zip(path.components()).take_while(|(one, other)| one == other).count();
    if shared == 0 {
        return Ok(path.display().to_string());
    }
    let up = case.components().skip(shared).map(|_| "..".to_owned());
    let down = path.components().skip(shared).map(|it| it.as_os_str().to_string_lossy().into_owned());
    Ok(up.chain(down).collect::<Vec<_>>().join("/"))
}

/// The absolute path with links resolved, as far as it exists.
fn resolved(path: &Path) -> Result<PathBuf, Failure> {
    let failed = |error: std::io::Error| Failure::new(format!("`{}`: {error}", path.display()));
    let absolute = std::path::absolute(path).map_err(failed)?;
    let there = absolute.ancestors().find_map(|it| Some((it, it.canonicalize().ok()?)));
    let Some((above, real)) = there else { return Ok(absolute) };
    let rest = absolute.strip_prefix(above).unwrap_or(Path::new(""));
    Ok(if rest.as_os_str().is_empty() { real } else { real.join(rest) })
}

fn words(language: &str) -> Result<Words, Failure> {
    let path = format!("init/{language}/words.yaml");
    match shelf::find(shelf::TEMPLATES, &path) {
        Some(bytes) => Ok(yaml::read(&path, bytes)?),
        None => {
            let hint = format!("there is {}", yaml::list_of_names(languages()));
            Err(Failure::new(format!("cases cannot be started in `{language}`")).hint(hint))
        }
    }
}

/// Every language of the rubric, the analyst's own first: a committee reads in more than one.
fn memo_languages(language: &str, rubric: &Rubric) -> String {
    let others = rubric.languages.iter().map(String::as_str).filter(|it| *it != language);
    std::iter::once(language).chain(others).collect::<Vec<_>>().join(", ")
}

/// The languages a case can be started in.
fn languages() -> impl Iterator<Item = &'static str> {
    shelf::below(shelf::TEMPLATES, "init").filter_map(|(path, _)| path.strip_suffix("/words.yaml"))
}

fn template(language: &str, file: &str) -> Option<String> {
    let bytes = shelf::find(shelf::TEMPLATES, &format!("init/{language}/{file}"))?;
    Some(String::from_utf8_lossy(bytes).into_owned())
}

/// Text in double quotes, which JSON and YAML write alike.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The same text in each language, as YAML writes it on one line.
fn in_each(words: &[(String, Words)], text: impl Fn(&Words) -> &str) -> String {
    let each: Vec<String> = words.iter().map(|(language, it)| format!("{language}: {}", quoted(text(it)))).collect();
    format!("{{{}}}", each.join(", "))
}

fn folder_name(folder: &Path) -> String {
    let absolute = std::path::absolute(folder).unwrap_or_else(|_| folder.to_owned());
    absolute.file_name().map_or_else(|| "Company".to_owned(), |it| it.to_string_lossy().into_owned())
}

/// Writes everything into a folder beside the one that was asked for, reads it as a case, and only then moves it there.
fn place(folder: &Path, files: &[(String, String)]) -> Result<(), Failure> {
    let failed = |error: std::io::Error| {
        let message = format!("`{}` could not be made: {error}", folder.display());
        Failure::new(message).hint("name a folder that may be written to")
    };
    let absolute = std::path::absolute(folder).map_err(failed)?;
    let parent = absolute.parent().unwrap_or(&absolute);
    fs::create_dir_all(parent).map_err(failed)?;
    let temporary = tempfile::Builder::new().prefix(".unshell-").tempdir_in(parent).map_err(failed)?;
    // A temporary folder is closed to everybody else; a new folder inside it is like any other of this user.
    let draft = temporary.path().join("case");
    fs::create_dir_all(draft.join("documents")).map_err(failed)?;
    for (file, text) in files {
        let path = draft.join(file);
        path.parent().map_or(Ok(()), fs::create_dir_all).map_err(failed)?;
        bytes::replace(&path, text.as_bytes()).map_err(|error| Failure::new(error.to_string()))?;
    }
    Case::read(&draft).map_err(|problems| renamed(problems, &draft, folder))?;
    if folder.exists() {
        fs::remove_dir(folder).map_err(failed)?;
    }
    fs::rename(&draft, &absolute).map_err(failed)
}

/// Mistakes that come from the arguments, told by the names the files would have had.
fn renamed(problems: Problems, draft: &Path, folder: &Path) -> Problems {
    let (draft, folder) = (draft.display().to_string(), folder.display().to_string());
    let mut renamed = Problems::new();
    renamed.extend(problems.into_iter().map(|it| Problem { file: it.file.replace(&draft, &folder), ..it }));
    renamed
}
