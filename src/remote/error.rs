//! What can go wrong between here and a server, each with what to do about it.
//!
//! Addresses are shown without their query: that of a redirect to a store of files is a password for an hour.

use std::time::Duration;

use reqwest::Url;

use crate::bytes::{self, grouped, shown};

/// Why something far away could not be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum Error {
    #[error(transparent)]
    Bytes(#[from] bytes::Error),
    #[error("{address} was not asked for: `--offline` is set, and the cache does not have it")]
    Offline { address: String },
    #[error("{address} would be read without encryption")]
    PlainHttp { address: String },
    #[error("{from} leads to {to}, which would be read without encryption")]
    Downgrade { from: String, to: String },
    #[error("{address} leads from one address to the next without end: {hops} were followed")]
    RedirectLoop { address: String, hops: usize },
    #[error("{address} leads to {to}, which is no address")]
    BadRedirect { address: String, to: String },
    #[error("{address} may not be read: the server answered {status}{}", because(code.as_deref()))]
    Forbidden { address: String, status: u16, code: Option<String>, had_token: bool },
    #[error("{address} does not exist: the server answered {status}{}", because(code.as_deref()))]
    NotFound { address: String, status: u16, code: Option<String> },
    #[error("{address}: the server asks to wait (429){}", wanted(*wait))]
    Busy { address: String, wait: Option<Duration> },
    #[error("{address}: the server failed with {status}, {tries} times in a row")]
    Failing { address: String, status: u16, tries: u32 },
    #[error("{address}: the server answered {status}, which means nothing here")]
    Status { address: String, status: u16 },
    #[error("{address} could not be reached: {reason}")]
    Unreachable { address: String, reason: String, passing: bool },
    #[error(
        "{address}: the answer broke off after {} of {} bytes, {tries} times in a row",
        grouped(*got), grouped(*expected)
    )]
    Cut { address: String, got: u64, expected: u64, tries: u32 },
    #[error("{address} changed while it was read: {before} before, {now} now")]
    Changed { address: String, before: String, now: String },
    #[error(
        "{address}: the server cannot give a part of a file, and the whole has {}",
        length.map_or("an unknown number of bytes".into(), |it| format!("{} bytes", grouped(it)))
    )]
    NoRange { address: String, length: Option<u64> },
    #[error("{address}: bytes {asked} were asked for, and the server says it gave {got}")]
    WrongRange { address: String, asked: String, got: String },
    #[error("{address}: the server packed the answer ({}), though it was asked not to", shown(encoding))]
    Packed { address: String, encoding: String },
    #[error("{address}: the answer is longer than the limit of {} bytes", grouped(*limit))]
    TooLong { address: String, limit: u64 },
    #[error("{address}: {why}")]
    Answer { address: String, why: String },
}

impl Error {
    /// What the reader can do about it.
    pub(crate) fn hint(&self) -> Option<String> {
        let hint = match self {
            Self::Bytes(error) => return error.hint(),
            Self::Offline { .. } => "run once without `--offline`, or name a folder on this machine",
            Self::PlainHttp { .. } => "write `https://`; plain http is for servers on this machine only",
            Self::Downgrade { .. } | Self::BadRedirect { .. } | Self::RedirectLoop { .. } => {
                "the server is set up wrongly or is not the one you mean; check the address"
            }
            Self::Forbidden { had_token: false, .. } => {
                "the model may be gated, private or not there, and a hub does not tell which: check the name, ask for \
                 access on its page, then set `HF_TOKEN` (`MODELSCOPE_API_TOKEN` for ModelScope)"
            }
            Self::Forbidden { .. } => {
                "a token was sent and does not open it: ask for access on the model's page with the account of the token"
            }
            Self::NotFound { .. } => {
                "check the name, the revision and the file; a private model looks like this too when no token is set"
            }
            Self::Busy { .. } => "wait that long and run again; what was read is kept, and a token raises the limit",
            Self::Failing { .. } | Self::Cut { .. } => "run again later; what was read so far is kept in the cache",
            Self::Unreachable { .. } => {
                "check the connection, `HTTPS_PROXY` and `HF_ENDPOINT`; a mirror is named by `--endpoint`"
            }
            Self::Changed { .. } => "run again, and name a commit (`@REVISION`) so that it cannot change",
            Self::NoRange { .. } => "download the model and name its folder; a whole file is never read unasked",
            Self::WrongRange { .. } | Self::Packed { .. } | Self::Status { .. } | Self::TooLong { .. } => {
                "the server or a proxy before it breaks the rules of HTTP; download the model and name its folder"
            }
            Self::Answer { .. } => "the server may be no model hub, or a newer one; check the address",
        };
        Some(hint.to_owned())
    }

    /// How long to wait before another try, if one may help.
    pub(crate) fn wait(&self, tries: u32) -> Option<Duration> {
        const FIRST: Duration = Duration::from_millis(100);
        let backoff = FIRST.saturating_mul(1_u32.checked_shl(tries).unwrap_or(u32::MAX));
        match self {
            Self::Busy { wait: Some(wait), .. } => (*wait <= LONGEST_WAIT).then_some(*wait),
            Self::Busy { .. } | Self::Failing { .. } | Self::Cut { .. } => Some(backoff),
            Self::Unreachable { passing: true, .. } => Some(backoff),
            _ => None,
        }
    }
}

/// Nobody sits before a terminal for longer than this without a word.
const LONGEST_WAIT: Duration = Duration::from_secs(60);

impl From<Error> for bytes::Error {
    fn from(error: Error) -> Self {
        match error {
            Error::Bytes(error) => error,
            other => Self::Remote { hint: other.hint(), message: other.to_string() },
        }
    }
}

/// An address as errors show it.
pub(crate) fn shown_url(url: &Url) -> String {
    let mut bare = url.clone();
    bare.set_query(None);
    bare.set_fragment(None);
    let _ = bare.set_username("");
    let _ = bare.set_password(None);
    shown(bare.as_str())
}

fn because(code: Option<&str>) -> String {
    code.map_or(String::new(), |it| format!(" ({})", shown(it)))
}

fn wanted(wait: Option<Duration>) -> String {
    wait.map_or(String::new(), |it| format!(", for {} seconds", grouped(it.as_secs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn signatures_and_passwords_are_not_shown() {
        let url = Url::parse("https://me:secret@cdn.example/a/b?X-Amz-Signature=secret#secret").unwrap();
        assert_eq!(shown_url(&url), "`https://cdn.example/a/b`");
    }

    #[test]
    fn a_long_wait_is_told_and_not_waited_for() {
        let busy = |seconds| Error::Busy { address: "x".into(), wait: Some(Duration::from_secs(seconds)) };
        assert_eq!(busy(2).wait(1), Some(Duration::from_secs(2)));
        assert_eq!(busy(3_600).wait(1), None);
        assert_eq!(busy(3_600).to_string(), "x: the server asks to wait (429), for 3,600 seconds");
    }
}
