#!/usr/bin/env bash
# Fills `fuzz/corpus` with what the tests hold: hostile folders, files of the real PyTorch writer, YAML good and broken.
set -euo pipefail
cd "$(dirname "$0")/.."

corpus="$PWD/fuzz/corpus"
mkdir -p "$corpus"/{torch,yaml,listing,location,onnx,npz,quantised}
UNSHELL_CORPUS="$corpus" cargo test --quiet --no-default-features --test it hostile::every_fixture >/dev/null
find tests/torch -type f -size -64k -exec cp {} "$corpus/torch/" \;
# Each without what its target puts in front.
find tests/onnx tests/formats -name '*.onnx' | while read -r file; do tail -c +3 "$file" >"$corpus/onnx/$(sha256sum "$file" | cut -c1-16)"; done
python3 - "$corpus" tests/quantised/*/ <<'PY'
import pathlib, struct, sys, zipfile
corpus = pathlib.Path(sys.argv[1])
for folder in map(pathlib.Path, sys.argv[2:]):
    file = (folder / "model.safetensors").read_bytes()
    header = file[8:8 + struct.unpack("<Q", file[:8])[0]]
    config = folder / "config.json"
    text = header + b"\n" + (config.read_bytes() if config.exists() else b"{}")
    (corpus / "quantised" / folder.name).write_bytes(text)
for file in pathlib.Path("tests/numpy").glob("*.npz"):
    with zipfile.ZipFile(file) as archive:
        for name in archive.namelist():
            (corpus / "npz" / f"{file.stem}-{name}").write_bytes(archive.read(name))
PY
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
