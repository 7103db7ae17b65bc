//! One question to a server and its checked answer: redirects, tokens, tries, limits.

use std::io::Read as _;
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Condvar, Mutex, OnceLock, PoisonError};
use std::time::Duration;

use reqwest::Url;
use reqwest::blocking::Response;
use reqwest::header::{self, HeaderMap};

use crate::bytes::{Budget, limits};
use crate::remote::Token;
use crate::remote::error::{Error, shown_url};

/// How often one question is asked before the failure is told.
const TRIES: u32 = 5;

/// How many redirects are followed; hubs need one or two.
const HOPS: usize = 6;

/// Asks servers. Shared by everything that is read in one run.
pub(crate) struct Client {
    offline: bool,
    tokens: Vec<(Url, Token)>,
    inner: OnceLock<Result<reqwest::blocking::Client, String>>,
    gate: Gate,
    budget: Arc<Budget>,
    requests: AtomicU64,
    fetched: AtomicU64,
}

/// What a server answered, held against what was asked.
#[derive(Debug)]
pub(crate) struct Answer {
    pub(crate) body: Vec<u8>,
    /// Where the body begins in the file.
    pub(crate) start: u64,
    /// Length of the whole file.
    pub(crate) total: Option<u64>,
    /// What the last server calls this version of the file.
    pub(crate) etag: Option<String>,
    /// What the hub calls it; the same whichever store of files answers.
    pub(crate) linked: Option<String>,
    /// Where it came from in the end.
    pub(crate) from: Url,
}

impl Client {
    pub(crate) fn new(offline: bool, tokens: Vec<(Url, Token)>, budget: Arc<Budget>) -> Self {
        let (requests, fetched) = (AtomicU64::new(0), AtomicU64::new(0));
        Self { offline, tokens, inner: OnceLock::new(), gate: Gate::default(), budget, requests, fetched }
    }

    pub(crate) fn is_offline(&self) -> bool {
        self.offline
    }

    /// Number of requests and of bytes that came in bodies.
    pub(crate) fn traffic(&self) -> (u64, u64) {
        (self.requests.load(Ordering::Relaxed), self.fetched.load(Ordering::Relaxed))
    }

    /// All of a short document.
    pub(crate) fn whole(&self, url: &Url, limit: u64) -> Result<Answer, Error> {
        self.ask(&Question { url, range: None, limit })
    }

    /// A part of a file; shorter only where the file ends, and the whole of a short file that comes in one piece.
    pub(crate) fn part(&self, url: &Url, range: Range<u64>) -> Result<Answer, Error> {
        let limit = range.end.saturating_sub(range.start);
        self.ask(&Question { url, range: Some(range), limit })
    }

    fn ask(&self, question: &Question<'_>) -> Result<Answer, Error> {
        if self.offline {
            return Err(Error::Offline { address: shown_url(question.url) });
        }
        let _slot = self.gate.enter();
        let mut tries = 1;
        loop {
            let error = match self.once(question, tries) {
                Ok(answer) => return Ok(answer),
                Err(error) => error,
            };
            match error.wait(tries).filter(|_| tries < TRIES) {
                Some(wait) => std::thread::sleep(wait),
                None => return Err(error),
            }
            tries = tries.saturating_add(1);
        }
    }

    fn once(&self, question: &Question<'_>, tries: u32) -> Result<Answer, Error> {
        let mut url = question.url.clone();
        let mut linked = None;
        for _ in 0..HOPS {
            let response = self.send(question, &url)?;
            linked = linked.or_else(|| text_of(response.headers(), "x-linked-etag"));
            if !response.status().is_redirection() {
                let answer = self.take(question, response, url, tries)?;
                return Ok(Answer { linked, ..answer });
            }
            url = redirected(&url, &response)?;
        }
        Err(Error::RedirectLoop { address: shown_url(question.url), hops: HOPS })
    }

    fn send(&self, question: &Question<'_>, url: &Url) -> Result<Response, Error> {
        if !is_private_enough(url) {
            return Err(Error::PlainHttp { address: shown_url(url) });
        }
        let mut request = self.inner()?.get(url.clone()).header(header::ACCEPT_ENCODING, "identity");
        if let Some(range) = &question.range {
            let last = range.end.saturating_sub(1);
            request = request.header(header::RANGE, format!("bytes={}-{last}", range.start));
        }
        if let Some(token) = self.token_for(url) {
            request = request.bearer_auth(token.secret());
        }
        self.requests.fetch_add(1, Ordering::Relaxed);
        request.send().map_err(|error| unreachable(url, &error))
    }

    fn inner(&self) -> Result<&reqwest::blocking::Client, Error> {
        let inner = self.inner.get_or_init(|| {
            // One for the whole process; where another was installed before, that one serves as well.
            drop(rustls::crypto::ring::default_provider().install_default());
            reqwest::blocking::Client::builder()
                .user_agent(concat!("unshell/", env!("CARGO_PKG_VERSION")))
                .redirect(reqwest::redirect::Policy::none())
                .connect_timeout(Duration::from_secs(15))
                .timeout(Duration::from_secs(120))
                .pool_max_idle_per_host(limits::IN_FLIGHT)
                .build()
                .map_err(|error| reason(&error))
        });
        inner.as_ref().map_err(|reason| Error::Unreachable {
            address: "the network".into(),
            reason: reason.clone(),
            passing: false,
        })
    }

    /// A token belongs to one server and is sent to no other, wherever a redirect leads.
    fn token_for(&self, url: &Url) -> Option<&Token> {
        self.tokens.iter().find(|(owner, _)| owner.origin() == url.origin()).map(|(_, token)| token)
    }

    fn take(&self, question: &Question<'_>, response: Response, url: Url, tries: u32) -> Result<Answer, Error> {
        let headers = response.headers();
        let status = response.status().as_u16();
        if status == 416 && total_of(headers) == Some(0) {
            return Ok(Answer::of(headers, Vec::new(), 0, Some(0), url));
        }
        if !matches!(status, 200 | 206) {
            return Err(self.refusal(&url, status, headers, tries));
        }
        if let Some(encoding) = text_of(headers, "content-encoding").filter(|it| it != "identity") {
            return Err(Error::Packed { address: shown_url(&url), encoding });
        }
        let length = response.content_length();
        let (start, total, expected) = match (&question.range, status) {
            (Some(range), 206) => checked_range(headers, range, &url)?,
            (Some(_), _) if length.is_none_or(|it| it > limits::WHOLE_ANSWER) => {
                return Err(Error::NoRange { address: shown_url(&url), length });
            }
            _ => (0, length, length),
        };
        let limit = if status == 200 && question.range.is_some() { limits::WHOLE_ANSWER } else { question.limit };
        if expected.is_some_and(|it| it > limit) {
            return Err(Error::TooLong { address: shown_url(&url), limit });
        }
        let headers = headers.clone();
        let body = self.body(response, expected, limit, &url, tries)?;
        let total = total.or(Some(body.len() as u64));
        Ok(Answer::of(&headers, body, start, total, url))
    }

    /// Reads the body piece by piece, each piece within the budget.
    fn body(
        &self,
        mut from: Response,
        length: Option<u64>,
        limit: u64,
        url: &Url,
        tries: u32,
    ) -> Result<Vec<u8>, Error> {
        let mut body = Vec::new();
        let mut piece = [0; 32 << 10];
        let cut = |got: usize| Error::Cut {
            address: shown_url(url),
            got: got as u64,
            expected: length.unwrap_or(got as u64),
            tries,
        };
        self.budget.would_fit(length.unwrap_or(0), &|| shown_url(url))?;
        loop {
            let read = from.read(&mut piece).map_err(|_| cut(body.len()))?;
            let Some(read) = piece.get(..read).filter(|it| !it.is_empty()) else { break };
            self.budget.take(read.len() as u64, &|| shown_url(url))?;
            self.fetched.fetch_add(read.len() as u64, Ordering::Relaxed);
            body.extend_from_slice(read);
            if body.len() as u64 > limit {
                return Err(Error::TooLong { address: shown_url(url), limit });
            }
        }
        if length.is_some_and(|it| it != body.len() as u64) { Err(cut(body.len())) } else { Ok(body) }
    }

    fn refusal(&self, url: &Url, status: u16, headers: &HeaderMap, tries: u32) -> Error {
        let address = shown_url(url);
        let code = text_of(headers, "x-error-code");
        match status {
            401 | 403 => Error::Forbidden { address, status, code, had_token: self.token_for(url).is_some() },
            404 | 410 => Error::NotFound { address, status, code },
            429 => Error::Busy { address, wait: retry_after(headers) },
            408 | 500..=599 => match retry_after(headers) {
                Some(wait) if status == 503 => Error::Busy { address, wait: Some(wait) },
                _ => Error::Failing { address, status, tries },
            },
            _ => Error::Status { address, status },
        }
    }
}

#[derive(Debug)]
struct Question<'a> {
    url: &'a Url,
    range: Option<Range<u64>>,
    limit: u64,
}

impl Answer {
    fn of(headers: &HeaderMap, body: Vec<u8>, start: u64, total: Option<u64>, from: Url) -> Self {
        let etag = text_of(headers, "etag").or_else(|| text_of(headers, "last-modified"));
        Self { body, start, total, etag, linked: None, from }
    }
}

/// Encrypted, or not leaving this machine.
fn is_private_enough(url: &Url) -> bool {
    url.scheme() == "https" || url.scheme() == "http" && is_loopback(url)
}

/// Whether an address is on this machine.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default().trim_matches(['[', ']']);
    host == "localhost" || host.parse::<std::net::IpAddr>().is_ok_and(|it| it.is_loopback())
}

/// Where a redirect leads, if it may.
fn redirected(url: &Url, response: &Response) -> Result<Url, Error> {
    let given = text_of(response.headers(), "location").unwrap_or_default();
    let is_address = |it: &Url| matches!(it.scheme(), "http" | "https") && it.has_host();
    let to = Some(&given).filter(|it| !it.is_empty()).and_then(|it| url.join(it).ok()).filter(is_address);
    let Some(to) = to else {
        let given = given.split('?').next().unwrap_or_default();
        return Err(Error::BadRedirect { address: shown_url(url), to: crate::bytes::shown(given) });
    };
    if !is_private_enough(&to) || (url.scheme() == "https" && to.scheme() == "http") {
        return Err(Error::Downgrade { from: shown_url(url), to: shown_url(&to) });
    }
    Ok(to)
}

/// The start, the total length and the length of a part, once they are what was asked for.
fn checked_range(headers: &HeaderMap, asked: &Range<u64>, url: &Url) -> Result<(u64, Option<u64>, Option<u64>), Error> {
    let given = text_of(headers, "content-range").unwrap_or_default();
    let wrong = || Error::WrongRange {
        address: shown_url(url),
        asked: format!("{}-{}", asked.start, asked.end.saturating_sub(1)),
        got: if given.is_empty() { "no `Content-Range`".into() } else { crate::bytes::shown(&given) },
    };
    let (start, last, total) = content_range(&given).ok_or_else(wrong)?;
    let end = last.checked_add(1).ok_or_else(wrong)?;
    if start != asked.start || end != asked.end.min(total) || start >= end {
        return Err(wrong());
    }
    Ok((start, Some(total), end.checked_sub(start)))
}

/// `bytes 0-99/1234`, taken apart.
fn content_range(text: &str) -> Option<(u64, u64, u64)> {
    let (range, total) = text.strip_prefix("bytes ")?.split_once('/')?;
    let (start, last) = range.split_once('-')?;
    Some((start.trim().parse().ok()?, last.trim().parse().ok()?, total.trim().parse().ok()?))
}

/// The total of `bytes */1234`, as a range outside of the file is answered.
fn total_of(headers: &HeaderMap) -> Option<u64> {
    text_of(headers, "content-range")?.strip_prefix("bytes */")?.trim().parse().ok()
}

/// Seconds, or a date that is held against the server's own clock.
fn retry_after(headers: &HeaderMap) -> Option<Duration> {
    let text = text_of(headers, "retry-after")?;
    if let Ok(seconds) = text.trim().parse() {
        return Some(Duration::from_secs(seconds));
    }
    let date = |text: &str| chrono::DateTime::parse_from_rfc2822(text).ok();
    let wait = date(&text)?.signed_duration_since(date(&text_of(headers, "date")?)?);
    Some(wait.to_std().unwrap_or_default())
}

fn text_of(headers: &HeaderMap, name: &str) -> Option<String> {
    const LONGEST: usize = 8 << 10;
    headers.get(name)?.to_str().ok().filter(|it| it.len() <= LONGEST).map(str::to_owned)
}

fn unreachable(url: &Url, error: &reqwest::Error) -> Error {
    // Who cannot be found or does not answer at all will not in a second either.
    let passing = error.is_timeout() || (error.is_request() && !error.is_connect());
    Error::Unreachable { address: shown_url(url), reason: reason(error), passing }
}

/// The innermost reason: the outer ones repeat the address with its query.
fn reason(error: &reqwest::Error) -> String {
    let mut inner: &dyn std::error::Error = error;
    while let Some(deeper) = inner.source() {
        inner = deeper;
    }
    let text = if std::ptr::addr_eq(inner, error) { "it cannot be asked".to_owned() } else { inner.to_string() };
    let text = text.split(" (os error").next().unwrap_or_default();
    let mut rest = text.chars();
    rest.next().map(|first| first.to_lowercase().chain(rest).collect()).unwrap_or_default()
}

/// Lets only so many questions be under way.
#[derive(Debug, Default)]
struct Gate {
    under_way: Mutex<usize>,
    left: Condvar,
}

impl Gate {
    fn enter(&self) -> Slot<'_> {
        let mut count = self.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        while *count >= limits::IN_FLIGHT {
            count = self.left.wait(count).unwrap_or_else(PoisonError::into_inner);
        }
        *count = count.saturating_add(1);
        Slot(self)
    }
}

struct Slot<'a>(&'a Gate);

impl Drop for Slot<'_> {
    fn drop(&mut self) {
        let mut count = self.0.under_way.lock().unwrap_or_else(PoisonError::into_inner);
        *count = count.saturating_sub(1);
        self.0.left.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn headers(pairs: &[(&'static str, &str)]) -> HeaderMap {
        pairs
            .iter()
            .map(|(name, value)| (name.parse::<header::HeaderName>().unwrap(), value.parse().unwrap()))
            .collect()
    }

    #[test]
    fn a_part_must_be_the_one_that_was_asked_for() {
        let url = Url::parse("https://x.example/f").unwrap();
        let check = |given: &str, asked: Range<u64>| checked_range(&headers(&[("content-range", given)]), &asked, &url);
        assert_eq!(check("bytes 0-99/1000", 0..100).unwrap(), (0, Some(1000), Some(100)));
        assert_eq!(check("bytes 900-999/1000", 900..1100).unwrap(), (900, Some(1000), Some(100)));
        for wrong in ["bytes 1-99/1000", "bytes 0-98/1000", "bytes 0-99/*", "bytes 0-99/50", "", "bytes 99-0/1000"] {
            assert!(matches!(check(wrong, 0..100), Err(Error::WrongRange { .. })), "{wrong}");
        }
        let max = u64::MAX;
        assert!(check(&format!("bytes 0-{max}/{max}"), 0..100).is_err());
    }

    #[test]
    fn the_wait_is_in_seconds_or_a_date_by_the_servers_own_clock() {
        assert_eq!(retry_after(&headers(&[("retry-after", "7")])), Some(Duration::from_secs(7)));
        let (date, later) = ("Tue, 25 Nov 2025 10:00:00 GMT", "Tue, 25 Nov 2025 10:00:09 GMT");
        assert_eq!(retry_after(&headers(&[("retry-after", later), ("date", date)])), Some(Duration::from_secs(9)));
        assert_eq!(retry_after(&headers(&[("retry-after", date), ("date", later)])), Some(Duration::ZERO));
        assert_eq!(retry_after(&headers(&[("retry-after", "soon")])), None);
    }

    #[test]
    fn only_this_machine_may_be_asked_without_encryption() {
        let check = |text: &str| is_private_enough(&Url::parse(text).unwrap());
        assert!(check("https://huggingface.co/x") && check("http://127.0.0.1:8000/x") && check("http://[::1]/x"));
        assert!(check("http://localhost/x"));
        assert!(
            !check("http://huggingface.co/x") && !check("http://127.0.0.1.example/x") && !check("ftp://127.0.0.1/x")
        );
        assert!(!check("http://10.0.0.1/x"));
    }
}
