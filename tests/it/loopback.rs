//! A server on this machine that behaves like a model hub, or as badly as a test wants.

use std::collections::BTreeMap;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::sync::{Arc, Mutex};
use std::time::Duration;

/// The commit of every repository here.
pub(crate) const COMMIT: &str = "0123456789abcdef0123456789abcdef01234567";

/// A request as it came.
#[derive(Clone, Debug, Default)]
pub(crate) struct Seen {
    pub(crate) path: String,
    headers: BTreeMap<String, String>,
}

impl Seen {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name).map(String::as_str)
    }
}

/// What is sent back.
#[derive(Clone, Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// What `Content-Length` says, where that is not the truth.
    pub(crate) claimed: Option<usize>,
}

impl Reply {
    pub(crate) fn of(status: u16, body: impl Into<Vec<u8>>) -> Self {
        Self { status, headers: Vec::new(), body: body.into(), claimed: None }
    }

    pub(crate) fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.headers.retain(|(known, _)| known != name);
        self.headers.push((name.to_owned(), value.to_string()));
        self
    }
}

/// A file of which only the beginning is held; the rest is zeros.
#[derive(Clone, Debug)]
pub(crate) struct Content {
    pub(crate) head: Vec<u8>,
    pub(crate) length: u64,
}

impl From<Vec<u8>> for Content {
    fn from(head: Vec<u8>) -> Self {
        let length = head.len() as u64;
        Self { head, length }
    }
}

impl Content {
    fn slice(&self, start: u64, end: u64) -> Vec<u8> {
        (start..end).map(|at| self.head.get(at as usize).copied().unwrap_or(0)).collect()
    }

    /// As a good server answers: the part that was asked for, under its version.
    pub(crate) fn reply(&self, seen: &Seen, etag: &str) -> Reply {
        let range = seen.header("range").and_then(|it| it.strip_prefix("bytes=")?.split_once('-'));
        let Some((start, last)) = range else {
            return Reply::of(200, self.slice(0, self.length)).with("ETag", etag);
        };
        let (start, last): (u64, u64) = (start.parse().unwrap(), last.parse().unwrap());
        if start >= self.length {
            return Reply::of(416, "").with("Content-Range", format!("bytes */{}", self.length));
        }
        let end = (last + 1).min(self.length);
        let stated = format!("bytes {start}-{}/{}", end - 1, self.length);
        Reply::of(206, self.slice(start, end)).with("Content-Range", stated).with("ETag", etag)
    }
}

/// A running server; it ends with the process.
pub(crate) struct Server {
    pub(crate) address: String,
    seen: Arc<Mutex<Vec<Seen>>>,
}

impl Server {
    /// `answer` gets the request and how many came before it.
    pub(crate) fn start(latency: Duration, answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        Self::run("http", latency, answer, |stream| Some(Box::new(stream)))
    }

    /// The same behind TLS, as 127.0.0.1, with a certificate of the authority in `tests/tls`.
    pub(crate) fn start_tls(answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static) -> Self {
        let config = Arc::new(tls());
        Self::run("https", Duration::ZERO, answer, move |stream| {
            let connection = rustls::ServerConnection::new(Arc::clone(&config)).ok()?;
            Some(Box::new(rustls::StreamOwned::new(connection, stream)))
        })
    }

    fn run(
        scheme: &str,
        latency: Duration,
        answer: impl Fn(&Seen, usize) -> Reply + Send + Sync + 'static,
        wrap: impl Fn(TcpStream) -> Option<Box<dyn Stream>> + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("{scheme}://{}", listener.local_addr().unwrap());
        let seen = Arc::new(Mutex::new(Vec::new()));
        let (log, answer, wrap) = (Arc::clone(&seen), Arc::new(answer), Arc::new(wrap));
        std::thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let (log, answer, wrap) = (Arc::clone(&log), Arc::clone(&answer), Arc::clone(&wrap));
                std::thread::spawn(move || {
                    stream.set_nodelay(true).unwrap();
                    if let Some(stream) = wrap(stream) {
                        serve(stream, latency, &log, &*answer);
                    }
                });
            }
        });
        Self { address, seen }
    }

    pub(crate) fn seen(&self) -> Vec<Seen> {
        self.seen.lock().unwrap().clone()
    }
}

/// A connection, plain or encrypted.
trait Stream: Read + Write {}

impl<S: Read + Write> Stream for S {}

fn tls() -> rustls::ServerConfig {
    use rustls::pki_types::pem::PemObject as _;
    use rustls::pki_types::{CertificateDer, PrivateKeyDer};
    let certificate = CertificateDer::from_pem_file("tests/tls/server.pem").unwrap();
    let key = PrivateKeyDer::from_pem_file("tests/tls/server.key").unwrap();
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = rustls::ServerConfig::builder_with_provider(provider).with_safe_default_protocol_versions().unwrap();
    config.with_no_client_auth().with_single_cert(vec![certificate], key).unwrap()
}

/// The stream is closed at the end: whoever was promised more sees that it is cut.
fn serve(stream: Box<dyn Stream>, latency: Duration, log: &Mutex<Vec<Seen>>, answer: &dyn Fn(&Seen, usize) -> Reply) {
    let mut reader = BufReader::new(stream);
    while let Some(seen) = read_request(&mut reader) {
        let before = {
            let mut log = log.lock().unwrap();
            log.push(seen.clone());
            log.len() - 1
        };
        std::thread::sleep(latency);
        let reply = answer(&seen, before);
        let claimed = reply.claimed.unwrap_or(reply.body.len());
        let mut out = format!("HTTP/1.1 {} x\r\nContent-Length: {claimed}\r\n", reply.status).into_bytes();
        for (name, value) in &reply.headers {
            out.extend(format!("{name}: {value}\r\n").bytes());
        }
        out.extend(b"\r\n");
        out.extend(&reply.body);
        let stream = reader.get_mut();
        if stream.write_all(&out).and_then(|()| stream.flush()).is_err() || claimed != reply.body.len() {
            return;
        }
    }
}

fn read_request(reader: &mut impl BufRead) -> Option<Seen> {
    let mut line = String::new();
    reader.read_line(&mut line).ok().filter(|it| *it > 0)?;
    let mut seen = Seen { path: line.split(' ').nth(1)?.to_owned(), ..Seen::default() };
    loop {
        let mut line = String::new();
        reader.read_line(&mut line).ok().filter(|it| *it > 0)?;
        let Some((name, value)) = line.trim_end().split_once(':') else { return Some(seen) };
        seen.headers.insert(name.to_ascii_lowercase(), value.trim().to_owned());
    }
}

/// A hub and its store of files, on two ports.
pub(crate) struct Hub {
    pub(crate) hub: Server,
    pub(crate) store: Server,
}

impl Hub {
    /// The repository `acme/own` with these files, gated where a token is given.
    pub(crate) fn start(latency: Duration, files: BTreeMap<String, Content>, token: Option<&'static str>) -> Self {
        let names: Vec<_> = files.keys().map(|it| serde_json::json!({ "rfilename": it })).collect();
        let listing = serde_json::json!({ "sha": COMMIT, "siblings": names, "gated": token.is_some() }).to_string();
        let stored = files.clone();
        let store = Server::start(latency, move |seen, _| {
            let name = seen.path.strip_prefix("/store/").and_then(|it| it.split('?').next()).unwrap_or_default();
            stored.get(name).map_or_else(|| Reply::of(404, ""), |it| it.reply(seen, &format!("\"store-{name}\"")))
        });
        let to = store.address.clone();
        let hub = Server::start(latency, move |seen, _| {
            if seen.path.starts_with("/api/models/acme/own/revision/") {
                return Reply::of(200, listing.clone());
            }
            let Some(name) = seen.path.strip_prefix(&format!("/acme/own/resolve/{COMMIT}/")) else {
                return Reply::of(404, "").with("X-Error-Code", "RepoNotFound");
            };
            match token.map(|it| seen.header("authorization") == Some(&format!("Bearer {it}"))) {
                Some(false) if seen.header("authorization").is_none() => {
                    Reply::of(401, "").with("X-Error-Code", "GatedRepo")
                }
                Some(false) => Reply::of(403, "").with("X-Error-Code", "GatedRepo"),
                _ if !files.contains_key(name) => Reply::of(404, "").with("X-Error-Code", "EntryNotFound"),
                _ => Reply::of(302, "")
                    .with("Location", format!("{to}/store/{name}?signature=secret"))
                    .with("X-Linked-ETag", format!("\"linked-{name}\"")),
            }
        });
        Self { hub, store }
    }
}
