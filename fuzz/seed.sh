#!/usr/bin/env bash
# Fills `fuzz/corpus` with what the tests hold: hostile folders, files of the real PyTorch writer, YAML good and broken.
set -euo pipefail
cd "$(dirname "$0")/.."

corpus="$PWD/fuzz/corpus"
mkdir -p "$corpus"/{torch,yaml,listing,location}
UNSHELL_CORPUS="$corpus" cargo test --quiet --no-default-features --test it hostile::every_fixture >/dev/null
find tests/torch -type f -size -64k -exec cp {} "$corpus/torch/" \;
count=0
find rubrics catalog/models examples tests/broken -name '*.y*ml' -size -64k | while read -r file; do
  count=$((count + 1))
  cp "$file" "$corpus/yaml/$count.yaml"
done
sha=0123456789abcdef0123456789abcdef01234567
printf '{"sha":"%s","siblings":[{"rfilename":"a/b.json"}]}' "$sha" >"$corpus/listing/hugging-face"
printf '{"Code":200,"Data":{"Files":[{"Path":"a","Type":"blob","Revision":"%s","CommittedDate":1}]}}' "$sha" \
  >"$corpus/listing/model-scope"
printf 'hf:a/b@main/c.gguf' >"$corpus/location/hub"
printf 'https://modelscope.cn/models/a/b/files' >"$corpus/location/page"
printf 'https://h.example/a/' >"$corpus/location/web"
