//! How far a command may reach: options and environment in, servers and limits out.

use std::env;
use std::path::PathBuf;

use crate::bytes::grouped;
use crate::cli::{Failure, Terminal};
use crate::remote::{Reach, Settings, Token};

/// A token file is one line.
const TOKEN_FILE: u64 = 16 << 10;

#[derive(Debug, clap::Args)]
#[group(skip)]
pub(crate) struct Arguments {
    /// Touch no network; what was fetched before is taken from the cache
    #[arg(long, help_heading = "Models behind an address")]
    offline: bool,
    /// Hugging Face or a mirror of it; otherwise `HF_ENDPOINT` says it
    #[arg(long, value_name = "URL", help_heading = "Models behind an address")]
    endpoint: Option<String>,
    /// Stop before more bytes than this are read in all, as 500000, 20MB or 1GiB
    #[arg(long, value_name = "BYTES", value_parser = size, help_heading = "Models behind an address")]
    max_bytes: Option<u64>,
    /// Keep fetched bytes in this folder; otherwise `UNSHELL_CACHE` says it
    #[arg(long, value_name = "FOLDER", help_heading = "Models behind an address")]
    cache: Option<PathBuf>,
    /// Size that this folder stays below
    #[arg(
        long,
        value_name = "BYTES",
        default_value = "4GiB",
        value_parser = size,
        help_heading = "Models behind an address"
    )]
    cache_size: u64,
}

impl Arguments {
    /// Everything that can be reached with these options and this environment.
    pub(crate) fn reach(&self) -> Result<Reach, Failure> {
        let default = Settings::default();
        let endpoint = self.endpoint.clone().or_else(|| text("HF_ENDPOINT"));
        let settings = Settings {
            offline: self.offline || text("HF_HUB_OFFLINE").is_some_and(|it| is_yes(&it)),
            hugging_face: endpoint.unwrap_or(default.hugging_face),
            model_scope: text("MODELSCOPE_ENDPOINT").unwrap_or(default.model_scope),
            hugging_face_token: hugging_face_token(),
            model_scope_token: text("MODELSCOPE_API_TOKEN").as_deref().and_then(Token::new),
            cache: self.cache.clone().or_else(cache),
            cache_limit: self.cache_size,
            max_bytes: self.max_bytes,
        };
        Reach::new(settings).map_err(Failure::from)
    }
}

/// Says what a command read, and why the cache did not help if it did not.
pub(crate) fn report(reach: &Reach, terminal: &Terminal) {
    let traffic = reach.traffic();
    if traffic.requests > 0 {
        let (bytes, requests) = (grouped(traffic.bytes), grouped(traffic.requests));
        terminal.say(&format!(
            "fetched {bytes} bytes in {requests} requests; {} bytes read in all",
            grouped(reach.bytes_read())
        ));
    } else if reach.bytes_read() > 0 {
        terminal.say(&format!("{} bytes read", grouped(reach.bytes_read())));
    }
    if let Some(trouble) = reach.cache_trouble() {
        terminal.say(&format!("warning: nothing could be kept in the cache ({trouble})"));
    }
}

fn text(name: &str) -> Option<String> {
    env::var(name).ok().map(|it| it.trim().to_owned()).filter(|it| !it.is_empty())
}

fn is_yes(text: &str) -> bool {
    ["1", "on", "yes", "true"].contains(&text.to_ascii_lowercase().as_str())
}

/// As the tools of Hugging Face find it, so that nobody has to log in twice.
fn hugging_face_token() -> Option<Token> {
    if let Some(token) = text("HF_TOKEN") {
        return Token::new(&token);
    }
    let file = text("HF_TOKEN_PATH").map(PathBuf::from).or_else(|| {
        let home = text("HF_HOME").map(PathBuf::from);
        let shared = || text("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")));
        Some(home.or_else(|| Some(shared()?.join("huggingface")))?.join("token"))
    })?;
    let bytes = crate::bytes::read_whole(&file, TOKEN_FILE).ok()?;
    Token::new(std::str::from_utf8(&bytes).ok()?)
}

/// Where this system keeps what can be fetched again.
fn cache() -> Option<PathBuf> {
    if let Some(folder) = text("UNSHELL_CACHE") {
        return Some(folder.into());
    }
    let base = if cfg!(windows) {
        text("LOCALAPPDATA").map(PathBuf::from)
    } else if cfg!(target_os = "macos") {
        env::home_dir().map(|it| it.join("Library/Caches"))
    } else {
        text("XDG_CACHE_HOME").map(PathBuf::from).or_else(|| Some(env::home_dir()?.join(".cache")))
    };
    Some(base?.join("unshell"))
}

/// A number of bytes with an optional unit.
pub(crate) fn size(text: &str) -> Result<u64, String> {
    const UNITS: &[(&str, u64)] = &[
        ("kib", 1 << 10),
        ("mib", 1 << 20),
        ("gib", 1 << 30),
        ("tib", 1 << 40),
        ("kb", 1_000),
        ("mb", 1_000_000),
        ("gb", 1_000_000_000),
        ("tb", 1_000_000_000_000),
        ("b", 1),
    ];
    let lower = text.trim().to_ascii_lowercase().replace([',', '_'], "");
    let unit = UNITS.iter().find_map(|(unit, factor)| Some((lower.strip_suffix(unit)?, *factor)));
    let (number, factor) = unit.unwrap_or((&lower, 1));
    let number: u64 = number.trim().parse().map_err(|_| "expected a number of bytes, as 500000, 20MB or 1GiB")?;
    number.checked_mul(factor).ok_or_else(|| "more than any disk holds".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_read_with_their_units() {
        let check = |text: &str, expected: Option<u64>| assert_eq!(size(text).ok(), expected, "{text}");
        check("500000", Some(500_000));
        check("20MB", Some(20_000_000));
        check("1 GiB", Some(1 << 30));
        check("1,000 b", Some(1_000));
        check("-1", None);
        check("1.5MB", None);
        check("99999999TB", None);
        check("MB", None);
    }
}
