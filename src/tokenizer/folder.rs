//! Which of a model's files describe its tokenizer, and reading them.
//!
//! The first that can be read counts, in the order in which common loaders look: `tokenizer.json`, a `SentencePiece` or
//! tiktoken file, `tekken.json`, `vocab.json`, `vocab.txt`, the header of a GGUF file. One that cannot be read is a
//! finding.

use std::collections::BTreeSet;

use crate::bytes;
use crate::bytes::{Place, counted, limits, sha256, shown};
use crate::checkpoint::GgufVocabulary;
use crate::fact::{FileFacts, Finding, Unexamined};
use crate::tokenizer::draft::Draft;
use crate::tokenizer::findings::finding;
use crate::tokenizer::spelling::Spelling;
use crate::tokenizer::{Kind, Vocabulary, added, gguf, huggingface, lists, sentencepiece, tekken, tiktoken};

/// How a file is to be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Form {
    HuggingFace,
    /// `SentencePiece` or tiktoken: both are called `tokenizer.model`, and the first line tells.
    Model,
    Tiktoken,
    Tekken,
    Gpt2,
    Bert,
    Gguf,
}

const MERGES: &str = "merges.txt";
const ADDED: &str = "added_tokens.json";
const CONFIG: &str = "tokenizer_config.json";

impl Form {
    fn of(name: &str) -> Option<Self> {
        match name {
            "tokenizer.json" => Some(Self::HuggingFace),
            "tekken.json" => Some(Self::Tekken),
            "vocab.json" => Some(Self::Gpt2),
            "vocab.txt" => Some(Self::Bert),
            _ if name.ends_with(".model") || name.contains(".model.v") => Some(Self::Model),
            _ if name.ends_with(".tiktoken") => Some(Self::Tiktoken),
            _ if name.to_ascii_lowercase().ends_with(".gguf") => Some(Self::Gguf),
            _ => None,
        }
    }
}

impl Vocabulary {
    /// Reads the tokenizer of a model: of a folder what lies in it, of a single GGUF file the vocabulary in its header.
    pub fn read(place: &dyn Place) -> Result<Self, Unexamined> {
        let names = place.names().map_err(|error| unexamined("tokenizer-unreadable", error.to_string()))?.names;
        let mut forms: Vec<(Form, &String)> = names.iter().filter_map(|name| Some((Form::of(name)?, name))).collect();
        forms.sort();
        if let (true, Some(single)) = (forms.is_empty(), place.single()) {
            return Err(missing(format!("{} is a single file without a vocabulary", shown(single))));
        }
        let mut reading = Reading { place, names: &names, files: Vec::new(), findings: Vec::new(), bytes_read: 0 };
        let mut why = Vec::new();
        for (number, (form, name)) in forms.iter().enumerate() {
            match reading.draft(*form, name) {
                Ok(draft) => {
                    let others = forms.iter().skip(number.saturating_add(1)).map(|(_, name)| name.as_str()).collect();
                    return Ok(reading.finish(draft, name, others));
                }
                Err(reason) => {
                    reading.findings.push(finding(name, "tokenizer-unreadable", None, reason.clone()));
                    why.push(format!("{}: {reason}", shown(name)));
                }
            }
        }
        if why.is_empty() {
            return Err(missing("no file of the model describes a tokenizer".into()));
        }
        Err(unexamined("tokenizer-unreadable", why.join("; ")))
    }
}

fn missing(detail: String) -> Unexamined {
    unexamined("tokenizer-missing", detail)
}

fn unexamined(why: &str, detail: String) -> Unexamined {
    Unexamined { what: "tokenizer".into(), why: why.into(), detail }
}

/// What has been read of a model so far.
struct Reading<'a> {
    place: &'a dyn Place,
    names: &'a BTreeSet<String>,
    files: Vec<FileFacts>,
    findings: Vec<Finding>,
    bytes_read: u64,
}

impl Reading<'_> {
    fn draft(&mut self, form: Form, name: &str) -> Result<Draft, String> {
        let draft = match form {
            Form::HuggingFace => return huggingface::read(&self.whole(name)?).and_then(not_empty),
            Form::Gguf => return self.gguf(name).and_then(not_empty),
            Form::Tekken => return tekken::read(&self.whole(name)?).and_then(not_empty),
            Form::Tiktoken => tiktoken::read(&self.whole(name)?)?,
            Form::Bert => lists::bert(&self.whole(name)?)?,
            Form::Gpt2 => {
                let (vocabulary, merges) = (self.whole(name)?, self.beside(MERGES)?);
                lists::gpt2(&vocabulary, merges.as_deref())?
            }
            Form::Model => {
                let bytes = self.whole(name)?;
                if looks_like_tiktoken(&bytes) { tiktoken::read(&bytes)? } else { sentencepiece::read(&bytes)? }
            }
        };
        let spelling = match (form, draft.kind) {
            (Form::Model, _) if draft.normaliser.is_some() => Spelling::SentencePiece,
            (_, Kind::WordPiece) => Spelling::WordPiece,
            _ => Spelling::ByteLevel,
        };
        not_empty(self.added(draft, spelling))
    }

    fn gguf(&mut self, name: &str) -> Result<Draft, String> {
        let source = self.place.open(name).map_err(|error| error.to_string())?;
        let read = GgufVocabulary::open(&self.place.path_of(name), &*source);
        self.bytes_read = self.bytes_read.saturating_add(source.bytes_read());
        let written = read.map_err(|error| error.to_string())?.ok_or("it is no GGUF file")?;
        let (read_bytes, read_sha256) = (written.read_bytes, written.read_sha256.clone());
        self.files.push(FileFacts {
            name: name.to_owned(),
            bytes: source.len(),
            read_sha256,
            read_bytes,
            version: source.version(),
        });
        gguf::read(&written)
    }

    /// Takes in the tokens that files beside the vocabulary add. Where one cannot be read, that is a finding.
    fn added(&mut self, mut draft: Draft, spelling: Spelling) -> Draft {
        type Read = fn(&mut Draft, &[u8], Spelling) -> Result<(), String>;
        let files: [(&str, Read); 2] = [(ADDED, added::by_content), (CONFIG, added::by_id)];
        for (name, read) in files {
            let taken = self.beside(name).and_then(|text| text.map_or(Ok(()), |it| read(&mut draft, &it, spelling)));
            if let Err(why) = taken {
                self.findings.push(finding(name, "tokenizer-unreadable", None, why));
            }
        }
        draft
    }

    fn beside(&mut self, name: &str) -> Result<Option<Vec<u8>>, String> {
        if self.place.single().is_some() || !self.names.contains(name) {
            return Ok(None);
        }
        self.whole(name).map(Some)
    }

    fn whole(&mut self, name: &str) -> Result<Vec<u8>, String> {
        let read = self.place.read_whole(name, limits::TOKENIZER);
        let bytes = read.map_err(|error: bytes::Error| error.to_string())?;
        let length = bytes.len() as u64;
        self.bytes_read = self.bytes_read.saturating_add(length);
        let read_sha256 = sha256(&bytes);
        self.files.push(FileFacts {
            name: name.to_owned(),
            bytes: length,
            read_sha256,
            read_bytes: length,
            version: None,
        });
        Ok(bytes)
    }

    fn finish(mut self, draft: Draft, file: &str, others: Vec<&str>) -> Vocabulary {
        self.findings.extend(draft.findings(file));
        if let [first, ..] = others.as_slice() {
            let files = counted(others.len(), "other file");
            let detail = format!(
                "the tokenizer was read from it, and is described in {files} too; the first is {}",
                shown(first)
            );
            self.findings.push(finding(file, "tokenizer-other-file", Some(first), detail));
        }
        self.files.sort_by(|one, other| one.name.cmp(&other.name));
        Vocabulary {
            file: file.to_owned(),
            kind: draft.kind,
            tokens: draft.tokens,
            merges: draft.merges,
            normaliser: draft.normaliser,
            pre_tokeniser: draft.pre_tokeniser,
            files: self.files,
            findings: self.findings,
            bytes_read: self.bytes_read,
        }
    }
}

fn not_empty(draft: Draft) -> Result<Draft, String> {
    if draft.tokens.is_empty() { Err("it has no tokens".into()) } else { Ok(draft) }
}

/// A first line of base64 and a number.
fn looks_like_tiktoken(bytes: &[u8]) -> bool {
    const LINE: usize = 1_024;
    let head = bytes.get(..bytes.len().min(LINE)).unwrap_or_default();
    let line = head.split(|it| *it == b'\n').next().unwrap_or_default();
    tiktoken::read(line).is_ok()
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;
    use crate::bytes::LocalPlace;

    fn read(files: &[(&str, &[u8])]) -> Result<Vocabulary, Unexamined> {
        let folder = tempfile::tempdir().unwrap();
        for (name, bytes) in files {
            fs::write(folder.path().join(name), bytes).unwrap();
        }
        Vocabulary::read(&LocalPlace::new(folder.path()))
    }

    const FAST: &[u8] = br#"{"model":{"type":"WordLevel","vocab":{"a":0}}}"#;

    #[test]
    fn the_first_that_can_be_read_counts() {
        let files: &[(&str, &[u8])] =
            &[("tokenizer.json", b"{}"), ("tokenizer.model", b"YQ== 0\nYg== 1\n"), ("vocab.txt", b"x\n")];
        let found = read(files).unwrap();
        assert_eq!((found.file.as_str(), found.size()), ("tokenizer.model", 2));
        let codes: Vec<_> = found.findings.iter().map(|it| it.code.as_str()).collect();
        assert_eq!(codes, ["tokenizer-unreadable", "tokenizer-other-file"]);
        assert_eq!(read(&[("tokenizer.json", FAST)]).unwrap().kind, Kind::WordLevel);
    }

    #[test]
    fn tokens_beside_the_vocabulary_belong_to_it() {
        let config = br#"{"added_tokens_decoder":{"2":{"content":"<|end|>","special":true}}}"#;
        let found = read(&[("a.tiktoken", b"YQ== 0\n"), (ADDED, b"{\"<x>\":1}"), (CONFIG, config)]).unwrap();
        assert_eq!((found.size(), found.files.len(), found.bytes_read), (3, 3, 7 + 9 + config.len() as u64));
        let found = read(&[("a.tiktoken", b"YQ== 0\n"), (CONFIG, b"[]")]).unwrap();
        assert_eq!(found.findings[0].detail, "the file is an empty list, expected an object");
    }

    #[test]
    fn what_cannot_be_read_says_why() {
        let why = |files: &[(&str, &[u8])]| read(files).map_err(|it| (it.why, it.detail)).unwrap_err();
        assert_eq!(why(&[]), ("tokenizer-missing".into(), "no file of the model describes a tokenizer".into()));
        assert_eq!(
            why(&[("tokenizer.json", b"{}"), ("x.gguf", b"GGML")]),
            (
                "tokenizer-unreadable".into(),
                "`tokenizer.json`: its `model` is null, expected an object; `x.gguf`: it is no GGUF file".into()
            )
        );
    }
}
