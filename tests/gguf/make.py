"""How the files beside this script were made, with gguf 0.19 and numpy from PyPI: python3 make.py

blocks.gguf holds random blocks of every type that is decoded, blocks.f32 what gguf's own reader makes of them, one
tensor behind the other in the order of their names. woven.gguf is a layer whose query and key projections went through
llama.cpp's permutation; unwoven.f32 is what they were before."""

import numpy
from gguf import GGMLQuantizationType, GGUFWriter, GGML_QUANT_SIZES
from gguf.quants import dequantize

random = numpy.random.default_rng(1)
TYPES = "Q4_0 Q4_1 Q5_0 Q5_1 Q8_0 Q2_K Q3_K Q4_K Q5_K Q6_K MXFP4".split()
# Where the scales stand in a block, as halves: random bytes there could be infinite or no number.
HALVES = {"Q4_0": [0], "Q4_1": [0, 2], "Q5_0": [0], "Q5_1": [0, 2], "Q8_0": [0], "Q2_K": [80, 82], "Q3_K": [108],
          "Q4_K": [0, 2], "Q5_K": [0, 2], "Q6_K": [208], "MXFP4": []}

writer = GGUFWriter("blocks.gguf", "test")
expected = {}
for name in TYPES:
    kind = GGMLQuantizationType[name]
    numbers, size = GGML_QUANT_SIZES[kind]
    blocks = random.integers(0, 256, (512 // numbers, size), dtype=numpy.uint8)
    for at in HALVES[name]:
        blocks[:, at:at + 2] = random.normal(0, 0.1, (len(blocks), 1)).astype(numpy.float16).view(numpy.uint8)
    if name == "MXFP4":
        blocks[:, 0] = random.integers(100, 140, len(blocks))
    rows = blocks.reshape(2, -1)
    writer.add_tensor(name, rows, raw_dtype=kind)
    expected[name] = dequantize(rows, kind).astype(numpy.float32)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
open("blocks.f32", "wb").write(b"".join(expected[name].tobytes() for name in sorted(TYPES)))


def permute(weights, heads):
    """As llama.cpp's convert_hf_to_gguf.py has it."""
    return (weights.reshape(heads, 2, weights.shape[0] // heads // 2, *weights.shape[1:])
            .swapaxes(1, 2).reshape(weights.shape))


writer = GGUFWriter("woven.gguf", "llama")
writer.add_head_count(4)
writer.add_head_count_kv(2)
query = random.normal(size=(16, 5)).astype(numpy.float32)
key = random.normal(size=(8, 5)).astype(numpy.float32)
writer.add_tensor("blk.0.attn_q.weight", numpy.ascontiguousarray(permute(query, 4)))
writer.add_tensor("blk.0.attn_k.weight", numpy.ascontiguousarray(permute(key, 2)))
writer.add_tensor("blk.0.attn_v.weight", key)
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
open("unwoven.f32", "wb").write(query.tobytes() + key.tobytes())
