"""How lattices.gguf, lattices.f32, the digests in lattices.txt and src/checkpoint/data/grids.rs were made, with gguf and
numpy from PyPI: python3 make_lattices.py

lattices.gguf holds pseudo-random blocks of every type that has a code book or a lattice, lattices.f32 what gguf's own
reader makes of them, one tensor behind the other in the order of their names. lattices.txt has, for each type, the
SHA-256 of what it makes of 4,096 further blocks, which meet every entry of every code book: the test makes the same
blocks by the same generator. The code books themselves are public facts of ggml; `grids` writes them for Rust, one entry in
16 bits."""

import hashlib
import sys

import numpy
from gguf import GGMLQuantizationType, GGUFWriter, GGML_QUANT_SIZES
from gguf import quants
from gguf.quants import dequantize

TYPES = "IQ1_M IQ1_S IQ2_S IQ2_XS IQ2_XXS IQ3_S IQ3_XXS IQ4_NL IQ4_XS NVFP4 TQ1_0 TQ2_0".split()
# Where the scale stands in a block, as a half: random bytes there could be infinite or no number.
HALVES = {"IQ2_XXS": 0, "IQ2_XS": 0, "IQ2_S": 0, "IQ3_XXS": 0, "IQ3_S": 0, "IQ1_S": 0, "IQ4_NL": 0, "IQ4_XS": 0,
          "TQ1_0": 52, "TQ2_0": 64}


def blocks(kind, count, seed):
    """Bytes of a multiplicative generator; scales are made tame."""
    numbers, size = GGML_QUANT_SIZES[GGMLQuantizationType[kind]]
    state, out = seed, bytearray()
    for _ in range(count * size):
        state = state * 48271 % 2147483647
        out.append(state >> 8 & 255)
    out = numpy.frombuffer(bytes(out), dtype=numpy.uint8).reshape(count, size).copy()
    if kind in HALVES:
        out[:, HALVES[kind] + 1] = out[:, HALVES[kind] + 1] & 0x83 | 0x28
    if kind == "IQ1_M":  # Its scale is the upper four bits of four words.
        out[:, 55] = out[:, 55] & 0x0F | 0x20
    if kind == "NVFP4":
        out[:, :4] = out[:, :4] & 0x7F
        out[:, :4] -= out[:, :4] == 0x7F
    return out


def grids():
    """Entries of 4 or 8 values in 16 bits each, the first value lowest."""
    out = []
    for name, kind, bits in [("IQ1", "IQ1_S", 2), ("IQ2_S", "IQ2_S", 2), ("IQ2_XS", "IQ2_XS", 2),
                             ("IQ2_XXS", "IQ2_XXS", 2), ("IQ3_S", "IQ3_S", 3), ("IQ3_XXS", "IQ3_XXS", 3)]:
        of = getattr(quants, kind)
        of.init_grid()
        grid = of.grid.reshape(of.grid_shape)
        places = {float(value): place for place, value in enumerate(of.grid_map)}
        words = [sum(places[float(value)] << bits * at for at, value in enumerate(row)) for row in grid]
        values = ", ".join(str(value) for value in of.grid_map)
        out.append(f"/// {len(words)} entries of {grid.shape[1]} values in {bits} bits each: of {values}.")
        out.append(f"pub(super) static {name}: [u16; {len(words)}] = [")
        for at in range(0, len(words), 16):
            out.append("    " + ", ".join(f"0x{it:04x}" for it in words[at:at + 16]) + ",")
        out += ["];", ""]
    return "\n".join(out)


if sys.argv[1:] == ["grids"]:
    print(grids())
    sys.exit()
writer = GGUFWriter("lattices.gguf", "test")
expected = {}
digests = []
for seed, name in enumerate(TYPES, 1):
    kind = GGMLQuantizationType[name]
    numbers, _ = GGML_QUANT_SIZES[kind]
    rows = blocks(name, 512 // numbers, 1000 + seed).reshape(2, -1)
    writer.add_tensor(name, rows, raw_dtype=kind)
    expected[name] = dequantize(rows, kind).astype("<f4")
    whole = dequantize(blocks(name, 4096, seed), kind).astype("<f4")
    assert numpy.isfinite(whole).all() and numpy.isfinite(expected[name]).all(), name
    # A lattice has no negative zero of its own; adding zero leaves every other number as it is.
    digests.append(f"{name} {hashlib.sha256((whole + 0.0).tobytes()).hexdigest()}\n")
writer.write_header_to_file()
writer.write_kv_data_to_file()
writer.write_tensors_to_file()
writer.close()
open("lattices.f32", "wb").write(b"".join((expected[name] + 0.0).astype("<f4").tobytes() for name in sorted(TYPES)))
open("lattices.txt", "w").write("".join(digests))
