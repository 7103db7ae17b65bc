//! The calls and imports that loading a pickle would make, and that nobody made.

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::bytes::{counted, grouped, shown};
use crate::checkpoint::error::list;
use crate::checkpoint::findings::{few, finding};
use crate::fact::Finding;

/// By import path; a path that occurs a thousand times is noted once.
#[derive(Debug, Default)]
pub(crate) struct Calls {
    by_path: BTreeMap<Arc<str>, Noted>,
    /// Paths that are not listed any more.
    beyond: usize,
}

#[derive(Debug)]
struct Noted {
    /// Where it is first imported or called.
    at: u64,
    /// Arguments of the first call.
    arguments: Option<String>,
    times: usize,
}

/// How many different paths are kept.
const KEPT: usize = 1_000;

/// How many paths are looked at for an error, which names the first few.
const KEPT_SHORT: usize = 100;

/// The longest path that is kept whole, in characters.
const LONGEST: usize = 200;

impl Calls {
    /// Notes an import, and gives the path to keep; its length and number are limited.
    pub(crate) fn import(&mut self, path: &str, at: u64) -> Arc<str> {
        let path: String = path.chars().take(LONGEST).collect();
        if let Some((kept, _)) = self.by_path.get_key_value(path.as_str()) {
            return Arc::clone(kept);
        }
        if self.by_path.len() >= KEPT {
            self.beyond = self.beyond.saturating_add(1);
            return "(one of many names)".into();
        }
        let path: Arc<str> = path.into();
        self.by_path.insert(Arc::clone(&path), Noted { at, arguments: None, times: 0 });
        path
    }

    /// Notes a call, and gives the path to keep.
    pub(crate) fn call(&mut self, path: &str, at: u64, arguments: impl FnOnce() -> String) -> Arc<str> {
        let path = self.import(path, at);
        if let Some(noted) = self.by_path.get_mut(&path) {
            noted.times = noted.times.saturating_add(1);
            if noted.arguments.is_none() {
                noted.arguments = Some(arguments());
                noted.at = at;
            }
        }
        path
    }

    /// The first paths, where there are any.
    pub(crate) fn paths(&self) -> Option<String> {
        let paths: Vec<String> = self.by_path.keys().take(KEPT_SHORT).map(ToString::to_string).collect();
        (!paths.is_empty()).then(|| list(&paths))
    }

    /// One finding a path.
    pub(crate) fn findings(&self) -> Vec<Finding> {
        let mut findings = few("pickle-calls", self.by_path.iter().map(|(path, noted)| one(path, noted)));
        if self.beyond > 0 {
            let detail = format!("beyond the first {KEPT} names, {} are not listed", counted(self.beyond, "more use"));
            findings.push(finding("pickle-calls", None, detail));
        }
        findings
    }
}

fn one(path: &str, noted: &Noted) -> Finding {
    let (path_shown, at) = (shown(path), grouped(noted.at));
    let times = if noted.times > 1 { format!(" {} times", grouped(noted.times as u64)) } else { String::new() };
    let detail = match &noted.arguments {
        Some(arguments) => {
            let first = if noted.times > 1 { "first " } else { "" };
            format!(
                "loading it would call {path_shown}{times}, {first}with {arguments} (byte {at} of the pickle); it was not called"
            )
        }
        None => format!("loading it would import {path_shown} (byte {at} of the pickle); it was not imported"),
    };
    finding("pickle-calls", Some(path), detail)
}
