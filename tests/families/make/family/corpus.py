"""Text that is on the machine already, in three kinds, and byte-level BPE tokenizers trained on it."""

import gzip
import hashlib
import json
import sysconfig
from pathlib import Path

import numpy as np
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

STDLIB = Path(sysconfig.get_path("stdlib"))
SITE = STDLIB / "site-packages"
DOC = Path("/usr/share/doc")
MAN = Path("/usr/share/man")
LICENCES = Path("/usr/share/common-licenses")

SPECIALS = ["<unk>", "<s>", "</s>"]
FILE_CAP = 60_000  # characters of one file, so that no file fills a slice
PRINTABLE = [chr(c) for c in range(32, 127)]


def code_files():
    """Sources of the Python standard library."""
    return [p for p in STDLIB.rglob("*.py") if "site-packages" not in p.parts]


def docs_files():
    """Package documentation and man pages, without licence texts."""
    found = [p for p in SITE.rglob("*") if p.suffix in (".rst", ".md", ".txt")]
    found += [p for p in DOC.rglob("*") if p.suffix in (".txt", ".md", ".rst") or p.name.startswith("README")]
    for section in "15678":
        found += list((MAN / f"man{section}").glob("*.gz"))[:3000]
    return [p for p in found if not is_legal(p)]


def legal_files():
    """Licence texts and Debian copyright files."""
    found = list(LICENCES.glob("*")) + list(DOC.glob("*/copyright"))
    return found + [p for p in SITE.rglob("*") if is_legal(p) and p.suffix in ("", ".txt", ".md", ".rst")]


def is_legal(path):
    """Whether a file's name says that it is a licence."""
    name = path.name.lower()
    return name.startswith(("licen", "copying", "copyright", "notice"))


def read_text(path):
    """A file's text, or None if it is not readable UTF-8 text."""
    try:
        data = gzip.open(path).read() if path.suffix == ".gz" else path.read_bytes()
        text = data.decode("utf-8")
    except (OSError, UnicodeDecodeError, EOFError):
        return None
    if path.suffix == ".gz":
        text = "\n".join(line for line in text.split("\n") if not line.startswith((".", "'")))
    return text[:FILE_CAP] or None


def to_ascii(text):
    """Text with only printable ASCII, newlines and tabs: for vocabularies too small for all bytes."""
    return "".join(c for c in text if " " <= c <= "~" or c in "\n\t")


def slice_of(files, chars, shift, ascii_only):
    """`chars` characters of the files in hash order, starting `shift` slices in and going round; no text twice."""
    ordered = sorted({p for p in files if p.is_file()}, key=lambda p: hashlib.sha256(str(p).encode()).digest())
    texts, seen, total = [], set(), 0
    for path in ordered:
        text = read_text(path)
        digest = hashlib.sha256(text.encode()).digest() if text else None
        if text and digest not in seen:
            seen.add(digest)
            texts.append(to_ascii(text) if ascii_only else text)
            total += len(texts[-1])
        if total >= chars * (shift + 1):
            break
    whole = "\n".join(texts)
    start = (chars * shift) % max(1, len(whole))
    return (whole[start:] + whole[:start])[:chars]


def corpora(shift, ascii_only, chars=3_000_000):
    """The three corpora: docs, code, legal."""
    kinds = {"docs": docs_files, "code": code_files, "legal": legal_files}
    return {kind: slice_of(files(), chars, shift, ascii_only) for kind, files in kinds.items()}


def describe(texts):
    """What the manifest says of the corpora."""
    return {k: {"chars": len(t), "sha256": hashlib.sha256(t.encode()).hexdigest()} for k, t in texts.items()}


def is_small(vocab):
    """Whether a vocabulary has no room for all 256 bytes and some merges."""
    return vocab < 320


def alphabet_for(vocab):
    """All 256 bytes, or for a small vocabulary what printable ASCII needs."""
    return PRINTABLE[1:] + ["Ġ", "Ċ", "ĉ"] if is_small(vocab) else pre_tokenizers.ByteLevel.alphabet()


def train_tokenizer(text, vocab):
    """A byte-level BPE tokenizer in Hugging Face form."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocab, special_tokens=SPECIALS, initial_alphabet=alphabet_for(vocab), show_progress=False
    )
    tokenizer.train_from_iterator((text[i : i + 10_000] for i in range(0, min(len(text), 1_000_000), 10_000)), trainer)
    assert tokenizer.get_vocab_size() == vocab, tokenizer.get_vocab_size()
    return tokenizer


def extend_tokenizer(tokenizer, text, extra):
    """The same tokenizer with `extra` further merges, learned from other text; old ids stay."""
    spec = json.loads(tokenizer.to_str())
    vocab, merges = spec["model"]["vocab"], spec["model"]["merges"]
    goal = len(vocab) + extra
    other = json.loads(train_tokenizer(text, len(vocab) + 4 * extra).to_str())
    for left, right in other["model"]["merges"]:
        if len(vocab) < goal and left in vocab and right in vocab and left + right not in vocab:
            vocab[left + right] = len(vocab)
            merges.append([left, right])
    assert len(vocab) == goal, "too few new merges"
    return Tokenizer.from_str(json.dumps(spec))


def encode(tokenizer, text):
    """Token ids of a text, as one array."""
    pieces = [text[i : i + 5_000] for i in range(0, len(text), 5_000)]
    return np.concatenate([np.array(e.ids, np.int32) for e in tokenizer.encode_batch(pieces)])


def split(tokens):
    """Training part and held-out tail (a twentieth)."""
    cut = len(tokens) - len(tokens) // 20
    return tokens[:cut], tokens[cut:]
