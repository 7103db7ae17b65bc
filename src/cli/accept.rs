//! Takes proposals of `proposed.yaml` into the case, line by line, so that comments and edits stay as they are.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::bytes;
use crate::case::Case;
use crate::cli::propose::{self, FILE, Into, Proposal, Proposed};
use crate::cli::{Failure, Terminal};
use crate::yaml;

/// The largest file of a case.
const LONGEST: u64 = yaml::LARGEST_FILE as u64;

#[derive(Debug, clap::Args)]
pub(crate) struct Arguments {
    /// The case folder
    case: PathBuf,
    /// Ids of proposals; all where left out
    #[arg(value_name = "ID")]
    ids: Vec<String>,
    /// List what is proposed, and accept nothing
    #[arg(long)]
    list: bool,
}

pub(crate) fn run(arguments: &Arguments, terminal: &Terminal) -> Result<ExitCode, Failure> {
    let folder = &arguments.case;
    let proposed = read(folder)?;
    if arguments.list {
        for it in &proposed.proposed {
            terminal.print(&format!("{} ({}): {}", it.id, it.because, it.entry));
        }
        return Ok(ExitCode::SUCCESS);
    }
    let wanted = wanted(&proposed, &arguments.ids)?;
    Case::read(folder)?;
    let mut texts = [Edited::open(folder, "case.yaml")?, Edited::open(folder, "evidence.yaml")?];
    let [case, ledger] = &mut texts;
    for it in &wanted {
        let file = if it.into == Into::Evidence { &mut *ledger } else { &mut *case };
        let edited = match it.into {
            Into::Evidence => into_list(&file.text, "evidence", &it.entry),
            Into::Claims => into_list(&file.text, "claims", &it.entry),
            Into::References => into_list(&file.text, "references", &it.entry),
            Into::DeclaredParents => into_subject(&file.text, it.subject.as_deref().unwrap_or_default(), &it.entry),
        };
        let hint = "write it by hand; `unshell accept --list` shows the entry";
        file.text =
            edited.map_err(|why| Failure::new(format!("{}: {}: {why}", file.path.display(), it.id)).hint(hint))?;
    }
    replace(folder, &texts)?;
    keep_rest(folder, &proposed, &wanted)?;
    for it in &wanted {
        terminal.say(&format!("accepted {} ({})", it.id, it.because));
    }
    Ok(ExitCode::SUCCESS)
}

fn read(folder: &Path) -> Result<Proposed, Failure> {
    let path = folder.join(FILE);
    let bytes = bytes::read_whole(&path, LONGEST).map_err(|_| {
        let message = format!("{}: there is nothing proposed", path.display());
        Failure::new(message).hint("`unshell init CASE --from MODEL` reads a model and proposes")
    })?;
    Ok(yaml::read(&path.display().to_string(), &bytes)?)
}

/// The proposals that were asked for, with the evidence that they need, in the order of the file.
fn wanted(proposed: &Proposed, ids: &[String]) -> Result<Vec<Proposal>, Failure> {
    if let Some(unknown) = ids.iter().find(|id| !proposed.proposed.iter().any(|it| it.id == **id)) {
        return Err(Failure::new(format!("`{unknown}` is not proposed")).hint("`unshell accept CASE --list` shows all"));
    }
    let is_asked = |it: &&Proposal| ids.is_empty() || ids.contains(&it.id);
    let asked = proposed.proposed.iter().filter(is_asked);
    let taken: BTreeSet<&String> = asked.flat_map(|it| it.needs.iter().chain([&it.id])).collect();
    Ok(proposed.proposed.iter().filter(|it| taken.contains(&it.id)).cloned().collect())
}

/// A file with its text as it was, and as it is to be.
struct Edited {
    path: PathBuf,
    was: Vec<u8>,
    text: String,
}

impl Edited {
    fn open(folder: &Path, file: &str) -> Result<Self, Failure> {
        let path = folder.join(file);
        let was = bytes::read_whole(&path, LONGEST).map_err(|error| Failure::new(error.to_string()))?;
        let text = String::from_utf8_lossy(&was).into_owned();
        Ok(Self { path, was, text })
    }
}

/// Writes both files, and takes them back where the case would not be valid with them.
fn replace(folder: &Path, texts: &[Edited]) -> Result<(), Failure> {
    let write = |path: &Path, text: &[u8]| bytes::replace(path, text).map_err(|error| Failure::new(error.to_string()));
    for it in texts {
        write(&it.path, it.text.as_bytes())?;
    }
    if let Err(problems) = Case::read(folder) {
        for it in texts {
            write(&it.path, &it.was)?;
        }
        return Err(Failure::from(problems));
    }
    Ok(())
}

/// What was accepted is proposed no more.
fn keep_rest(folder: &Path, proposed: &Proposed, taken: &[Proposal]) -> Result<(), Failure> {
    let rest = proposed.proposed.iter().filter(|it| !taken.contains(it)).cloned();
    let mut rest: Vec<Proposal> = rest.collect();
    let ids: BTreeSet<&String> = taken.iter().map(|it| &it.id).collect();
    for it in &mut rest {
        it.needs.retain(|need| !ids.contains(need));
    }
    let text = propose::text(&Proposed { schema: proposed.schema.clone(), proposed: rest });
    bytes::replace(&folder.join(FILE), text.as_bytes()).map_err(|error| Failure::new(error.to_string()))
}

/// The text with one more entry at the end of a list at its top.
fn into_list(text: &str, key: &str, entry: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_key = |line: &&str| line.strip_prefix(key).is_some_and(|rest| rest.starts_with(':'));
    let Some(at) = lines.iter().position(is_key) else {
        return Ok(format!("{}\n{key}:\n  - {entry}\n", text.trim_end()));
    };
    let value = lines[at].split_once(':').map_or("", |it| it.1).split(" #").next().unwrap_or_default().trim();
    match value {
        "[]" => Ok(with_lines(&lines, at, Some(format!("{key}:")), &[format!("  - {entry}")])),
        "" => {
            let end = end_of_block(&lines, at, 0);
            let indent = lines[at.saturating_add(1)..=end].iter().find_map(indent_of_item).unwrap_or(2);
            Ok(with_lines(&lines, end, None, &[format!("{}- {entry}", " ".repeat(indent))]))
        }
        _ => Err(format!("`{key}` is written in one line")),
    }
}

/// The text with one more declared parent of a model.
fn into_subject(text: &str, subject: &str, entry: &str) -> Result<String, String> {
    let lines: Vec<&str> = text.lines().collect();
    let is_item = |line: &str| {
        let rest = line.trim_start().strip_prefix("- id:")?;
        let name = rest.split(" #").next().unwrap_or_default().trim().trim_matches(['"', '\'']);
        (name == subject).then(|| line.len().saturating_sub(line.trim_start().len()))
    };
    let found = lines.iter().enumerate().find_map(|(at, line)| Some((at, is_item(line)?)));
    let Some((at, indent)) = found else { return Err(format!("the model `{subject}` has no line `- id: {subject}`")) };
    let end = end_of_block(&lines, at, indent);
    let inner = indent.saturating_add(2);
    let is_list = |it: &&str| it.trim_start().starts_with("declared_parents:") && !it.trim_start().starts_with('#');
    match (at..=end).find(|idx| lines.get(*idx).is_some_and(is_list)) {
        None => {
            let new = [
                format!("{}declared_parents:", " ".repeat(inner)),
                format!("{}- {entry}", " ".repeat(inner.saturating_add(2))),
            ];
            Ok(with_lines(&lines, at, None, &new))
        }
        Some(list) => {
            let value = lines[list].split_once(':').map_or("", |it| it.1).split(" #").next().unwrap_or_default().trim();
            let head = format!("{}declared_parents:", " ".repeat(inner));
            let new = [format!("{}- {entry}", " ".repeat(inner.saturating_add(2)))];
            match value {
                "[]" => Ok(with_lines(&lines, list, Some(head), &new)),
                "" => {
                    let last = end_of_block(&lines, list, inner);
                    let deep = lines[list.saturating_add(1)..=last].iter().find_map(indent_of_item);
                    let new = [format!("{}- {entry}", " ".repeat(deep.unwrap_or(inner.saturating_add(2))))];
                    Ok(with_lines(&lines, last, None, &new))
                }
                _ => Err("`declared_parents` is written in one line".to_owned()),
            }
        }
    }
}

/// The last line that belongs to what begins on a line: deeper than `indent`, or an item at it; comments and empty
/// lines at the end are left out.
fn end_of_block(lines: &[&str], start: usize, indent: usize) -> usize {
    let mut end = start;
    for (at, line) in lines.iter().enumerate().skip(start.saturating_add(1)) {
        let trimmed = line.trim_start();
        if trimmed.is_empty() || trimmed.starts_with('#') {
            continue;
        }
        let depth = line.len().saturating_sub(trimmed.len());
        let begins_item = lines[start].trim_start().starts_with("- ");
        let is_item_of_list = depth == indent && trimmed.starts_with("- ") && !begins_item;
        if depth <= indent && !is_item_of_list {
            break;
        }
        end = at;
    }
    end
}

fn indent_of_item(line: &&str) -> Option<usize> {
    let trimmed = line.trim_start();
    trimmed.starts_with("- ").then(|| line.len().saturating_sub(trimmed.len()))
}

/// The lines with one replaced, and new ones after it.
fn with_lines(lines: &[&str], at: usize, replaced: Option<String>, new: &[String]) -> String {
    let mut out: Vec<String> = lines.iter().map(|it| (*it).to_owned()).collect();
    if let (Some(line), Some(text)) = (out.get_mut(at), replaced) {
        *line = text;
    }
    let behind = at.saturating_add(1).min(out.len());
    out.splice(behind..behind, new.iter().cloned());
    let mut text = out.join("\n");
    text.push('\n');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[track_caller]
    fn check(found: Result<String, String>, expected: &str) {
        assert_eq!(found.as_deref(), Ok(expected));
    }

    #[test]
    fn entries_are_added_where_lists_end() {
        check(
            into_list("a: 1\nclaims: []\n#  - x\nb: 2\n", "claims", "{id: 1}"),
            "a: 1\nclaims:\n  - {id: 1}\n#  - x\nb: 2\n",
        );
        check(
            into_list("claims:\n  - {id: 0}   # mine\n  # note\n\nb: 2\n", "claims", "{id: 1}"),
            "claims:\n  - {id: 0}   # mine\n  - {id: 1}\n  # note\n\nb: 2\n",
        );
        check(
            into_list("claims:\n- id: 0\n  about: x\nb: 2\n", "claims", "{id: 1}"),
            "claims:\n- id: 0\n  about: x\n- {id: 1}\nb: 2\n",
        );
        check(into_list("b: 2\n", "claims", "{id: 1}"), "b: 2\nclaims:\n  - {id: 1}\n");
        assert!(into_list("claims: [{id: 0}]\n", "claims", "{id: 1}").is_err());
    }

    #[test]
    fn a_parent_is_added_to_its_model() {
        let head = "subjects:\n  - id: a\n    name: A\n";
        let tail = "  - id: b\n    declared_parents:\n      - {model: X}\n    name: B\nz: 1\n";
        let case = format!("{head}{tail}");
        check(
            into_subject(&case, "a", "{model: Y}"),
            "subjects:\n  - id: a\n    declared_parents:\n      - {model: Y}\n    name: A\n  - id: b\n    declared_parents:\n      - {model: X}\n    name: B\nz: 1\n",
        );
        check(
            into_subject(&case, "b", "{model: Y}"),
            "subjects:\n  - id: a\n    name: A\n  - id: b\n    declared_parents:\n      - {model: X}\n      - {model: Y}\n    name: B\nz: 1\n",
        );
        assert!(into_subject(&case, "c", "{}").is_err());
    }
}
