//! Models behind an address, against servers on this machine: what it costs, and what a server may do wrong.

use std::collections::BTreeMap;
use std::path::Path;
use std::process::{Command, Output};
use std::sync::Arc;
use std::time::{Duration, Instant};

use unshell::bytes::{Location, Place};
use unshell::catalog::Catalog;
use unshell::checkpoint::Data;
use unshell::fact::Weights;
use unshell::lineage::{self, Model};
use unshell::remote::{Reach, Settings, Token};

use crate::loopback::{COMMIT, Content, Hub, Reply, Server};

const NOW: Duration = Duration::ZERO;

/// A safetensors file of these tensors, with data that is not stored.
fn safetensors(tensors: &[(String, Vec<u64>)]) -> Content {
    let mut header = serde_json::Map::new();
    let mut at = 0;
    for (name, shape) in tensors {
        let end = at + 2 * shape.iter().product::<u64>();
        header.insert(name.clone(), serde_json::json!({ "dtype": "BF16", "shape": shape, "data_offsets": [at, end] }));
        at = end;
    }
    let text = serde_json::Value::Object(header).to_string();
    let head = [&(text.len() as u64).to_le_bytes()[..], text.as_bytes()].concat();
    Content { length: head.len() as u64 + at, head }
}

fn one(name: &str, shape: &[u64]) -> (String, Vec<u64>) {
    (name.to_owned(), shape.to_vec())
}

/// Llama-2-70B as it is released: 723 tensors in 30 files, 138 GB.
fn seventy_b() -> BTreeMap<String, Content> {
    let mut tensors = vec![one("model.embed_tokens.weight", &[32_000, 8_192])];
    for layer in 0..80 {
        let mut add =
            |name: &str, shape: &[u64]| tensors.push(one(&format!("model.layers.{layer}.{name}.weight"), shape));
        add("input_layernorm", &[8_192]);
        add("mlp.down_proj", &[8_192, 28_672]);
        add("mlp.gate_proj", &[28_672, 8_192]);
        add("mlp.up_proj", &[28_672, 8_192]);
        add("post_attention_layernorm", &[8_192]);
        add("self_attn.k_proj", &[1_024, 8_192]);
        add("self_attn.o_proj", &[8_192, 8_192]);
        add("self_attn.q_proj", &[8_192, 8_192]);
        add("self_attn.v_proj", &[1_024, 8_192]);
    }
    tensors.push(one("model.norm.weight", &[8_192]));
    tensors.push(one("lm_head.weight", &[32_000, 8_192]));
    let mut files = BTreeMap::new();
    let mut weight_map = serde_json::Map::new();
    for at in 0..30 {
        let part = &tensors[at * tensors.len() / 30..(at + 1) * tensors.len() / 30];
        let name = format!("model-{:05}-of-00030.safetensors", at + 1);
        weight_map.extend(part.iter().map(|(tensor, _)| (tensor.clone(), name.clone().into())));
        files.insert(name, safetensors(part));
    }
    let index = serde_json::json!({ "metadata": {}, "weight_map": weight_map }).to_string();
    files.insert("model.safetensors.index.json".into(), index.into_bytes().into());
    let config = concat!(
        r#"{"model_type":"llama","hidden_size":8192,"num_hidden_layers":80,"#,
        r#""num_attention_heads":64,"num_key_value_heads":8}"#
    );
    files.insert("config.json".into(), config.as_bytes().to_vec().into());
    for extra in ["README.md", "tokenizer.json", "pytorch_model-00001-of-00015.bin"] {
        files.insert(extra.into(), vec![b'x'; 100_000].into());
    }
    files
}

fn small() -> BTreeMap<String, Content> {
    let file = safetensors(&[one("model.norm.weight", &[40_000]), one("model.embed_tokens.weight", &[10, 40_000])]);
    BTreeMap::from([("model.safetensors".into(), file), ("config.json".into(), b"{}".to_vec().into())])
}

fn settings(hub: &Server) -> Settings {
    Settings { hugging_face: hub.address.clone(), model_scope: hub.address.clone(), ..Settings::default() }
}

fn reach(hub: &Server) -> Reach {
    Reach::new(settings(hub)).unwrap()
}

fn inspect(location: &str, reach: &Reach) -> Result<unshell::fact::Inspection, lineage::Error> {
    Model::open(location, Path::new(""), Catalog::builtin(), reach).map(|it| lineage::inspect(&it))
}

fn told(location: &str, reach: &Reach) -> String {
    let error = inspect(location, reach).expect_err("it is refused");
    format!("{error}\nhint: {}", error.hint().unwrap_or_default())
}

#[test]
#[expect(clippy::print_stderr, reason = "`--nocapture` shows the figures that README has")]
fn a_model_of_138_gb_costs_its_headers() {
    let hub = Hub::start(Duration::from_millis(20), seventy_b(), Some("hf_secret"));
    let token = Token::new("hf_secret");
    let reach = Reach::new(Settings { hugging_face_token: token, ..settings(&hub.hub) }).unwrap();
    let start = Instant::now();
    let inspection = inspect("hf:acme/own", &reach).unwrap();
    let traffic = reach.traffic();
    eprintln!("{} bytes, {} requests, {:?}", traffic.bytes, traffic.requests, start.elapsed());
    assert_eq!((inspection.parameters, inspection.tensors), (Some(68_976_648_192), 723));
    assert!(traffic.bytes <= 1_000_000, "{traffic:?}");
    // The list, then 32 files of which each is asked for at the hub and at the store; the index has several blocks, and
    // the card and the configuration are read for what they say.
    assert!(traffic.requests <= 1 + 32 * 2 + 2 + 4, "{traffic:?}");
    assert_eq!((inspection.model.name.as_str(), inspection.model.revision.as_deref()), ("acme/own", Some(COMMIT)));
    let version = inspection.files.iter().find_map(|it| it.version.as_deref()).unwrap();
    assert_eq!(version, "\"linked-model-00001-of-00030.safetensors\"");
    let left: Vec<_> = inspection.findings.iter().map(|it| (it.code.as_str(), it.file.as_deref())).collect();
    assert_eq!(left, [("other-weights", Some("pytorch_model-00001-of-00015.bin"))]);
    assert!(hub.hub.seen().iter().all(|it| it.header("authorization") == Some("Bearer hf_secret")));
    assert!(hub.store.seen().iter().all(|it| it.header("authorization").is_none()), "the token left its server");
    let all = [hub.hub.seen(), hub.store.seen()].concat();
    assert!(all.iter().all(|it| it.header("accept-encoding") == Some("identity")));
}

/// Two models of 138 GB each: nobody asked for all of them, so a quick look is all they get.
#[test]
#[expect(clippy::print_stderr, reason = "`--nocapture` shows the figures that README has")]
fn a_quick_look_at_138_gb_costs_some_megabytes() {
    let hub = Hub::start(Duration::from_millis(20), seventy_b(), None);
    let reach = reach(&hub.hub);
    let open = || Model::open("hf:acme/own", Path::new(""), Catalog::builtin(), &reach).unwrap();
    let start = Instant::now();
    let (subject, reference) = (open(), open());
    let look = lineage::Look::default();
    let comparison = lineage::compare_with_weights(&subject, &reference, Catalog::builtin(), &look).unwrap();
    let traffic = reach.traffic();
    eprintln!("{} bytes, {} requests, {:?}", traffic.bytes, traffic.requests, start.elapsed());
    assert!(traffic.bytes <= 50_000_000, "{traffic:?}");
    assert_eq!(comparison.weights.rule.map(|it| it.word()), Some("quick-look"));
    let left = comparison.unexamined.iter().find(|it| it.why == "quick-look").expect("it says what it left");
    assert!(left.detail.contains("`--effort standard` reads at most the 275906"), "{}", left.detail);
}

/// A model of the checked-in family behind the address of the hub.
fn of_family(name: &str) -> BTreeMap<String, Content> {
    let files = std::fs::read_dir(format!("tests/families/small/{name}")).unwrap().map(Result::unwrap);
    files.map(|it| (it.file_name().into_string().unwrap(), std::fs::read(it.path()).unwrap().into())).collect()
}

/// What a quick look leaves open of small models goes on by itself, as it does with files on this machine.
#[test]
fn a_small_model_behind_an_address_is_looked_at_as_far_as_one_beside() {
    for (name, used) in [("base_b", "standard"), ("ft_code", "quick")] {
        let hub = Hub::start(NOW, of_family(name), None);
        let reach = reach(&hub.hub);
        let open = |location: &str| Model::open(location, Path::new(""), Catalog::builtin(), &reach).unwrap();
        let (far, near) = (open("hf:acme/own"), open(&format!("tests/families/small/{name}")));
        let reference = open("tests/families/small/base_a");
        let compare = |subject: &Model, effort| {
            let look = lineage::Look { effort, ..lineage::Look::default() };
            lineage::compare_with_weights(subject, &reference, Catalog::builtin(), &look).unwrap()
        };
        let (over_there, here) = (compare(&far, None), compare(&near, Some(unshell::weights::Effort::Quick)));
        assert_eq!(over_there.weights, Weights { effort: over_there.weights.effort.clone(), ..here.weights });
        let effort = over_there.weights.effort.unwrap();
        assert_eq!((effort.asked.as_str(), effort.used.as_str()), ("quick", used), "{name}");
        assert!(over_there.unexamined.iter().all(|it| it.why != "quick-look"));
    }
}

#[test]
fn what_was_read_is_not_fetched_again_and_needs_no_network() {
    let hub = Hub::start(NOW, seventy_b(), None);
    let cache = tempfile::tempdir().unwrap();
    let with =
        |offline| Reach::new(Settings { offline, cache: Some(cache.path().to_owned()), ..settings(&hub.hub) }).unwrap();
    let first = inspect("hf:acme/own", &with(false)).unwrap();
    let again = with(false);
    assert_eq!(inspect("hf:acme/own", &again).unwrap(), first);
    assert_eq!(again.traffic().requests, 1, "a branch is asked for its commit, and nothing else");
    let before = hub.hub.seen().len() + hub.store.seen().len();
    for location in ["hf:acme/own", "https://huggingface.co/acme/own"] {
        let offline = inspect(location, &with(true)).unwrap();
        assert_eq!((offline.tensors, offline.model.revision), (first.tensors, first.model.revision.clone()));
    }
    assert_eq!(hub.hub.seen().len() + hub.store.seen().len(), before);
    let words = told("hf:acme/own@other", &with(true));
    assert!(words.contains("`--offline` is set") && words.contains("run once without"), "{words}");
}

#[test]
fn gated_and_missing_models_are_told_apart() {
    let hub = Hub::start(NOW, small(), Some("right"));
    let words = told("hf:acme/own", &reach(&hub.hub));
    assert!(words.contains("the server answered 401 (`GatedRepo`)") && words.contains("set `HF_TOKEN`"), "{words}");
    let wrong = Settings { hugging_face_token: Token::new("wrong_token"), ..settings(&hub.hub) };
    let words = told("hf:acme/own", &Reach::new(wrong).unwrap());
    assert!(
        words.contains("answered 403") && words.contains("a token was sent") && !words.contains("wrong_token"),
        "{words}"
    );
    let words = told("hf:acme/none", &reach(&hub.hub));
    assert!(words.contains("does not exist: the server answered 404 (`RepoNotFound`)"), "{words}");
    let words = told("hf:acme/own/none.gguf", &reach(&hub.hub));
    assert!(words.contains(&format!("it has no file `none.gguf` at commit {COMMIT}")), "{words}");
}

/// A server of one file whose answers are bent.
fn bent(bend: impl Fn(Reply, usize) -> Reply + Send + Sync + 'static) -> Server {
    let file = small().remove("model.safetensors").unwrap();
    Server::start(NOW, move |seen, before| bend(file.reply(seen, "\"v1\""), before))
}

fn opened(server: &Server, reach: &Reach) -> Result<Vec<u8>, String> {
    let location = Location::parse(&format!("{}/model.safetensors", server.address)).unwrap();
    let read = || {
        let found = reach.find(location, Path::new(""))?.unwrap();
        let source = found.place.open("model.safetensors")?;
        Ok(source.read_at(100_000..200_000)?.into_owned())
    };
    read().map_err(|error: unshell::bytes::Error| format!("{error}\nhint: {}", error.hint().unwrap_or_default()))
}

fn refused(bend: impl Fn(Reply, usize) -> Reply + Send + Sync + 'static, words: &[&str]) {
    let server = bent(bend);
    let got = opened(&server, &reach(&server)).expect_err("it is refused");
    for word in words {
        assert!(got.contains(word), "{word}\n{got}");
    }
}

#[test]
fn a_server_that_is_busy_or_breaks_off_is_asked_again() {
    let server = bent(|reply, before| if before < 2 { Reply::of(429, "").with("Retry-After", 1) } else { reply });
    let start = Instant::now();
    let whole = opened(&server, &reach(&server)).unwrap();
    assert!(start.elapsed() >= Duration::from_secs(2) && whole.len() == 100_000);
    let server = bent(|reply, before| match before {
        0 => Reply { claimed: Some(reply.body.len()), body: reply.body[..1_000].to_vec(), ..reply },
        1 => Reply::of(503, ""),
        _ => reply,
    });
    assert_eq!(opened(&server, &reach(&server)).unwrap(), whole);
    refused(
        |_, _| Reply::of(429, "").with("Retry-After", 3_600),
        &["asks to wait (429), for 3,600 seconds", "hint: wait"],
    );
    refused(|_, _| Reply::of(502, ""), &["failed with 502, 5 times in a row", "hint: run again later"]);
    let half = |reply: Reply| Reply { claimed: Some(reply.body.len()), body: reply.body[..1_000].to_vec(), ..reply };
    refused(move |reply, _| half(reply), &["broke off after 1,000 of 16,384 bytes, 5 times"]);
}

#[test]
fn a_server_that_lies_is_refused() {
    refused(
        |reply, before| if before == 0 { reply } else { reply.with("ETag", "\"v2\"") },
        &["changed while it was read", "`\"v1\"`", "`\"v2\"`", "name a commit"],
    );
    refused(
        |reply, _| reply.with("Content-Range", "bytes 5-16388/900000"),
        &["bytes 0-16383 were asked for, and the server says it gave `bytes 5-16388/900000`"],
    );
    refused(|reply, _| Reply { headers: Vec::new(), ..reply }, &["gave no `Content-Range`"]);
    refused(
        |reply, before| if before == 0 { reply } else { reply.with("Content-Range", "bytes 98304-212991/900001") },
        &["changed while it was read"],
    );
    refused(
        |reply, _| reply.with("Content-Encoding", "gzip"),
        &["packed the answer (`gzip`), though it was asked not to"],
    );
    refused(|reply, _| Reply { body: vec![0; 50_000], ..reply }, &["bytes"]);
    refused(
        |_, _| Reply::of(200, vec![0; 5 << 20]),
        &["cannot give a part of a file, and the whole has 5,242,880 bytes"],
    );
    refused(|_, _| Reply::of(418, ""), &["answered 418"]);
}

#[test]
fn a_short_file_may_come_whole() {
    let file: Content = vec![7; 30_000].into();
    let server = Server::start(NOW, move |_, _| Reply::of(200, file.head.clone()).with("ETag", "\"v1\""));
    let reach = reach(&server);
    let location = Location::parse(&format!("{}/f.bin", server.address)).unwrap();
    let source = reach.find(location, Path::new("")).unwrap().unwrap().place.open("f.bin").unwrap();
    assert_eq!((source.len(), source.read_at(0..30_000).unwrap().len()), (30_000, 30_000));
    assert_eq!(server.seen().len(), 1);
}

#[test]
fn redirects_end_and_stay_encrypted() {
    refused(|_, before| Reply::of(302, "").with("Location", format!("/{before}")), &["without end: 6 were followed"]);
    refused(
        |_, _| Reply::of(302, "").with("Location", "http://models.example/x?signature=secret"),
        &["leads to `http://models.example/x`, which would be read without encryption"],
    );
    refused(
        |_, _| Reply::of(302, "").with("Location", "file:///etc/passwd"),
        &["leads to `file:///etc/passwd`, which is no address"],
    );
    refused(|_, _| Reply::of(302, ""), &["leads to ``, which is no address"]);
}

#[test]
fn names_from_a_hub_lead_nowhere_else() {
    for name in ["../../etc/passwd", "/etc/passwd", "a\\..\\b", "a\u{0}b"] {
        let listing = serde_json::json!({ "sha": COMMIT, "siblings": [{ "rfilename": name }] }).to_string();
        let server = Server::start(NOW, move |_, _| Reply::of(200, listing.clone()));
        let words = told("hf:acme/own", &reach(&server));
        assert!(words.contains("which is no plain path inside the repository"), "{words}");
    }
    let server = Server::start(NOW, |_, _| Reply { claimed: Some(1 << 40), ..Reply::of(200, "{") });
    assert!(told("hf:acme/own", &reach(&server)).contains("longer than the limit of 16,777,216 bytes"));
    let server = Server::start(NOW, |_, _| Reply::of(200, "<html>"));
    assert!(told("hf:acme/own", &reach(&server)).contains("not what a hub answers"));
}

#[test]
fn a_limit_on_bytes_holds_for_servers_and_disks() {
    let hub = Hub::start(NOW, seventy_b(), None);
    let reach = Reach::new(Settings { max_bytes: Some(100_000), ..settings(&hub.hub) }).unwrap();
    let words = told("hf:acme/own", &reach);
    assert!(words.contains("more bytes would pass the limit of 100,000") && words.contains("`--max-bytes`"), "{words}");
    assert!(reach.traffic().bytes <= 100_000);
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("model.safetensors"), vec![1; 500]).unwrap();
    let reach = Reach::new(Settings { max_bytes: Some(100), ..Settings::default() }).unwrap();
    assert!(told(folder.path().to_str().unwrap(), &reach).contains("would pass the limit of 100; 0 were read so far"));
}

#[test]
fn model_scope_is_read_by_its_own_api() {
    let files = small();
    let newer = "f".repeat(40);
    let server = Server::start(NOW, {
        let (files, newer) = (files.clone(), newer.clone());
        move |seen, _| {
            let entry = |(at, name): (usize, &String)| {
                let revision = if at == 0 { &newer } else { COMMIT };
                serde_json::json!({ "Path": name, "Type": "blob", "Revision": revision, "CommittedDate": 9 - at })
            };
            if seen.path == "/api/v1/models/acme/own/repo/files?Revision=master&Recursive=true" {
                let list: Vec<_> = files.keys().enumerate().map(entry).collect();
                return Reply::of(200, serde_json::json!({ "Code": 200, "Data": { "Files": list } }).to_string());
            }
            let name = seen.path.split("FilePath=").nth(1).unwrap_or_default();
            let asked = files.iter().find(|(it, _)| *it == name);
            asked.map_or_else(|| Reply::of(404, ""), |(_, it)| it.reply(seen, "\"v1\""))
        }
    });
    let inspection = inspect("ms:acme/own", &reach(&server)).unwrap();
    assert_eq!((inspection.tensors, inspection.model.revision), (2, Some(newer)));
    assert!(server.seen().iter().any(|it| it.path.contains(&format!("Revision={COMMIT}&FilePath=model.safetensors"))));
}

#[test]
fn any_server_gives_a_file_an_index_or_a_folder() {
    let files = seventy_b();
    let server = Server::start(NOW, move |seen, _| {
        let name = seen.path.strip_prefix("/yi/").unwrap_or_default();
        files.get(name).map_or_else(|| Reply::of(404, ""), |it| it.reply(seen, &format!("\"{name}\"")))
    });
    let tensors = |tail: &str| inspect(&format!("{}/yi/{tail}", server.address), &reach(&server)).unwrap().tensors;
    assert_eq!((tensors(""), tensors("model.safetensors.index.json")), (723, 723));
    assert_eq!(tensors("model-00001-of-00030.safetensors"), 24);
    let words = told(&format!("{}/none/", server.address), &reach(&server));
    assert!(words.contains("none of `config.json`, `model.safetensors`"), "{words}");
}

#[test]
fn numbers_are_read_over_the_network_and_neighbours_come_together() {
    let hub = Hub::start(NOW, small(), None);
    let reach = reach(&hub.hub);
    let found = reach.find(Location::parse("hf:acme/own").unwrap(), Path::new("")).unwrap().unwrap();
    let place: Arc<dyn Place> = found.place;
    let data = Data::from_place(Arc::clone(&place)).unwrap();
    let norm = data.find("model.norm.weight").unwrap();
    assert_eq!(data.read(norm, 0..40_000).unwrap(), vec![0.0; 40_000]);
    let source = place.open("model.safetensors").unwrap();
    let before = reach.traffic().requests;
    let ranges = [200_000..200_100, 230_000..230_100, 260_000..300_000, 700_000..700_001];
    let parts = source.read_many(&ranges).unwrap();
    assert_eq!(parts.iter().map(Vec::len).collect::<Vec<_>>(), [100, 100, 40_000, 1]);
    let asked = reach.traffic().requests - before;
    assert!(asked <= 2, "{asked} requests for two runs of neighbours");
}

/// The command in an environment that names a hub here, and no token or cache of the person who runs the tests.
fn unshell(hub: &Server, home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_unshell"));
    command.env("HF_ENDPOINT", &hub.address).env("HF_HOME", home).env("UNSHELL_CACHE", home.join("cache"));
    for name in ["HF_TOKEN", "HF_TOKEN_PATH", "HF_HUB_OFFLINE"] {
        command.env_remove(name);
    }
    command.args(arguments);
    command
}

fn text(output: &Output) -> (String, String) {
    (String::from_utf8_lossy(&output.stdout).into_owned(), String::from_utf8_lossy(&output.stderr).into_owned())
}

#[test]
fn two_processes_share_a_cache_and_a_damaged_one_heals() {
    let hub = Hub::start(Duration::from_millis(5), seventy_b(), Some("hf_secret"));
    let home = tempfile::tempdir().unwrap();
    std::fs::write(home.path().join("token"), "hf_secret\n").unwrap();
    let start = || {
        let mut command = unshell(&hub.hub, home.path(), &["inspect", "hf:acme/own", "--json"]);
        command.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn().unwrap()
    };
    let running: Vec<_> = (0..3).map(|_| start()).collect();
    let outputs: Vec<_> = running.into_iter().map(|it| text(&it.wait_with_output().unwrap())).collect();
    assert!(outputs[0].0.contains("\"tensors\": 723"), "{outputs:?}");
    assert!(outputs.iter().all(|it| it.0 == outputs[0].0));
    let mut damaged = 0;
    let mut folders = vec![home.path().join("cache")];
    while let Some(folder) = folders.pop() {
        for path in std::fs::read_dir(folder).unwrap().map(|it| it.unwrap().path()) {
            if path.is_dir() {
                folders.push(path);
            } else {
                assert!(!path.file_name().unwrap().to_str().unwrap().starts_with(".part"), "a part is left behind");
                let bytes = std::fs::read(&path).unwrap();
                assert!(!String::from_utf8_lossy(&bytes).contains("hf_secret"), "the token is stored");
                std::fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
                damaged += 1;
            }
        }
    }
    assert!(damaged > 30, "{damaged}");
    let (again, said) = text(&start().wait_with_output().unwrap());
    assert_eq!(again, outputs[0].0);
    assert!(
        said.starts_with("fetched ") && said.contains(" bytes read in all") && !said.contains("hf_secret"),
        "{said}"
    );
}

#[test]
fn the_command_tells_refusals_with_exit_code_2() {
    let hub = Hub::start(NOW, small(), Some("hf_secret"));
    let home = tempfile::tempdir().unwrap();
    let output = unshell(&hub.hub, home.path(), &["inspect", "hf:acme/own"]).output().unwrap();
    let (out, said) = text(&output);
    assert_eq!((output.status.code(), out.as_str()), (Some(2), ""));
    assert!(
        said.contains("error: ") && said.contains("(`GatedRepo`)") && said.contains("hint: the model may be gated"),
        "{said}"
    );
    let arguments = ["compare", "hf:acme/own", "hf:acme/own@main", "--max-bytes", "1kB"];
    let output = unshell(&hub.hub, home.path(), &arguments).env("HF_TOKEN", "hf_secret").output().unwrap();
    assert!(text(&output).1.contains("would pass the limit of 1,000"), "{}", text(&output).1);
}

/// A proxy that speaks for a server which does not exist, at a port of this machine that nobody listens at.
fn proxy() -> Server {
    let file = safetensors(&[one("model.norm.weight", &[40_000])]);
    Server::start(NOW, move |seen, _| match seen.path.strip_prefix("http://127.0.0.1:9/") {
        Some("model.safetensors") => file.reply(seen, "\"a\""),
        Some(_) => Reply::of(404, ""),
        None => Reply::of(502, ""),
    })
}

fn through(proxy: &Server, location: &str, environment: &[(&str, &str)]) -> (Option<i32>, String, String) {
    let home = tempfile::tempdir().unwrap();
    let mut command = unshell(proxy, home.path(), &["inspect", "--json", location]);
    for name in ["HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY", "NO_PROXY"] {
        command.env_remove(name).env_remove(name.to_lowercase());
    }
    let output = command.envs(environment.iter().copied()).output().unwrap();
    let (out, said) = text(&output);
    (output.status.code(), out, said)
}

#[test]
fn a_proxy_of_the_environment_is_asked_and_not_where_it_shall_not_be() {
    const LOCATION: &str = "http://127.0.0.1:9/model.safetensors";
    for name in ["HTTP_PROXY", "http_proxy", "ALL_PROXY"] {
        let proxy = proxy();
        let (code, out, said) = through(&proxy, LOCATION, &[(name, &proxy.address)]);
        assert_eq!(code, Some(0), "{name}: {said}");
        assert!(out.contains("\"parameters\": 40000"), "{name}: {out}");
        assert!(proxy.seen().iter().all(|it| it.path == LOCATION) && !proxy.seen().is_empty(), "{:?}", proxy.seen());
    }
    let proxy = proxy();
    let (code, out, said) = through(&proxy, LOCATION, &[("HTTP_PROXY", &proxy.address), ("NO_PROXY", "127.0.0.1")]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("127.0.0.1:9") && said.contains("hint: "), "{said}");
    assert!(proxy.seen().is_empty(), "it was asked all the same");
}

/// What is encrypted goes through a tunnel: the proxy hears the name of the server and nothing else.
#[test]
fn a_proxy_is_asked_for_a_tunnel_and_its_refusal_is_told() {
    let proxy = Server::start(NOW, |_, _| Reply::of(403, ""));
    let location = "https://models.example/secret-name/model.safetensors";
    let (code, out, said) = through(&proxy, location, &[("HTTPS_PROXY", &proxy.address)]);
    assert_eq!((code, out.as_str()), (Some(2), ""));
    assert!(said.contains("models.example") && said.contains("HTTPS_PROXY"), "{said}");
    let paths: Vec<String> = proxy.seen().into_iter().map(|it| it.path).collect();
    assert!(!paths.is_empty() && paths.iter().all(|it| it == "models.example:443"), "{paths:?}");
}

/// The system's certificates are those that `SSL_CERT_FILE` names, where it does, as on every Unix but Apple's.
#[test]
#[cfg(target_os = "linux")]
fn certificates_are_those_that_the_system_trusts() {
    let file = safetensors(&[one("model.norm.weight", &[40_000])]);
    let server = Server::start_tls(move |seen, _| file.reply(seen, "\"a\""));
    let location = format!("{}/model.safetensors", server.address);
    let authority = std::fs::canonicalize("tests/tls/authority.pem").unwrap();
    let trusted = through(&server, &location, &[("SSL_CERT_FILE", authority.to_str().unwrap())]);
    assert_eq!(trusted.0, Some(0), "{}", trusted.2);
    assert!(trusted.1.contains("\"parameters\": 40000"), "{}", trusted.1);
    let unknown = through(&server, &location, &[]);
    assert_eq!((unknown.0, unknown.1.as_str()), (Some(2), ""));
    assert!(unknown.2.contains("certificate") && unknown.2.contains("hint: "), "{}", unknown.2);
}
