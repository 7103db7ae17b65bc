"""How `packed` beside this script was made, with numpy from PyPI: python3 make_packed.py

Random whole numbers or codes are packed as each program packs them (its own loop, written out again from its published
source), and what is expected is computed from the numbers and codes themselves, never by unpacking: bitsandbytes, MLX,
NVIDIA's modelopt, compressed-tensors, ExLlamaV2, HQQ, BitNet, torchao, optimum-quanto, GPTQ and AWQ of further bits."""

import json
import os
import struct

import numpy as np

random = np.random.default_rng(15)
stored, expected, modules = {}, {}, {}
OUT, IN = 8, 64
f32 = np.float32

E2M1 = np.array([0, .5, 1, 1.5, 2, 3, 4, 6, -0., -.5, -1, -1.5, -2, -3, -4, -6], f32)
NF4 = np.array([-1.0, -0.6961928009986877, -0.5250730514526367, -0.39491748809814453, -0.28444138169288635,
                -0.18477343022823334, -0.09105003625154495, 0.0, 0.07958029955625534, 0.16093020141124725,
                0.24611230194568634, 0.33791524171829224, 0.44070982933044434, 0.5626170039176941, 0.7229568362236023,
                1.0], f32)
FP4 = np.array([0., 0.0052083333, 0.6666667, 1., 0.3333333, 0.5, 0.1666667, 0.25,
                0., -0.0052083333, -0.6666667, -1., -0.3333333, -0.5, -0.1666667, -0.25], f32)


def e4m3(code):
    """`float8_e4m3fn` of one byte, from its definition."""
    sign, exponent, fraction = code >> 7, code >> 3 & 15, code & 7
    value = fraction / 8 * 2.0 ** -6 if exponent == 0 else (1 + fraction / 8) * 2.0 ** (exponent - 7)
    return f32(-value if sign else value)


E4M3 = np.array([e4m3(code) for code in range(256)], f32)


def bf16(values):
    """Values that a bfloat16 holds, and its bits."""
    bits = np.ascontiguousarray(values, f32).view(np.uint32) & np.uint32(0xFFFF0000)
    return bits.view(f32), ("BF16", (bits >> np.uint32(16)).astype(np.uint16))


def normal(*shape):
    return random.normal(0, .1, shape).astype(f32)


def stream(numbers, bits):
    """Rows of numbers as one stream of bits each, lowest first, in words of 32."""
    rows = [sum(int(number) << bits * at for at, number in enumerate(row)) for row in numbers]
    width = numbers.shape[1] * bits // 32
    return np.array([[row >> 32 * at & 0xFFFFFFFF for at in range(width)] for row in rows], np.uint32)


def in_words(numbers, bits):
    """Rows of numbers, as many a word as fit, the last word filled up."""
    each = 32 // bits
    padded = np.pad(numbers.astype(np.uint32), ((0, 0), (0, -numbers.shape[1] % each)))
    parts = padded.reshape(len(padded), -1, each)
    return sum(parts[:, :, at] << np.uint32(bits * at) for at in range(each)).astype(np.uint32)


def nibbles(codes, first_is_high):
    pairs = codes.reshape(*codes.shape[:-1], -1, 2).astype(np.uint8)
    high, low = (pairs[..., 0], pairs[..., 1]) if first_is_high else (pairs[..., 1], pairs[..., 0])
    return high << 4 | low


def by_groups(values, columns):
    return np.repeat(values, columns // values.shape[-1], axis=-1)


def bitsandbytes(name, kind, book, nested):
    size, codes = 64, random.integers(0, 16, OUT * IN)
    count = OUT * IN // size
    highest = np.abs(normal(count)) + f32(.01)
    state = {"quant_type": kind, "blocksize": size, "dtype": "bfloat16", "shape": [OUT, IN]}
    if nested:
        map8, offset, step = np.sort(normal(256)), 0.25, 4
        codes8, scales = random.integers(0, 256, count).astype(np.uint8), np.abs(normal(count // step))
        highest = map8[codes8] * np.repeat(scales, step) + f32(offset)
        state |= {"nested_blocksize": step, "nested_dtype": "float32", "nested_offset": offset}
        stored[f"{name}.weight.absmax"] = ("U8", codes8)
        stored[f"{name}.weight.nested_absmax"] = ("F32", scales)
        stored[f"{name}.weight.nested_quant_map"] = ("F32", map8)
    else:
        stored[f"{name}.weight.absmax"] = ("F32", highest)
    stored[f"{name}.weight"] = ("U8", nibbles(codes.reshape(1, -1), True).reshape(-1, 1))
    stored[f"{name}.weight.quant_map"] = ("F32", book)
    text = np.frombuffer(json.dumps(state).encode(), np.uint8)
    stored[f"{name}.weight.quant_state.bitsandbytes__{kind}"] = ("U8", text)
    expected[f"{name}.weight"] = (book[codes] * np.repeat(highest, size)).reshape(OUT, IN)


def mlx(name, bits, group, experts=()):
    modules[name] = {"bits": bits, "group_size": group}
    numbers = random.integers(0, 1 << bits, (*experts, OUT, IN))
    scales, stored[f"{name}.scales"] = bf16(normal(*experts, OUT, IN // group))
    biases, stored[f"{name}.biases"] = bf16(normal(*experts, OUT, IN // group))
    words = stream(numbers.reshape(-1, IN), bits)
    stored[f"{name}.weight"] = ("U32", words.reshape(*experts, OUT, -1))
    expected[f"{name}.weight"] = by_groups(scales, IN) * numbers.astype(f32) + by_groups(biases, IN)


def mlx_float(name, bits, group):
    modules[name] = {"bits": bits, "group_size": group}
    codes = random.integers(0, 1 << bits, (OUT, IN))
    codes[codes & 127 == 127] = 0
    scales = random.integers(100, 130, (OUT, IN // group)) if group == 32 else random.integers(0, 120, (OUT, IN // group))
    wide = 2.0 ** (scales.astype(f32) - 127) if group == 32 else E4M3[scales]
    stored[f"{name}.weight"] = ("U32", stream(codes, bits))
    stored[f"{name}.scales"] = ("U8", scales.astype(np.uint8))
    values = (E2M1 if bits == 4 else E4M3)[codes]
    expected[f"{name}.weight"] = by_groups(wide, IN).astype(f32) * values


def four_bit_floats(name, kind):
    codes = random.integers(0, 16, (OUT, IN))
    packed = nibbles(codes, False)
    group = 32 if kind == "mx" else 16
    scales = random.integers(100, 130, (OUT, IN // group)) if kind == "mx" else random.integers(0, 120, (OUT, IN // group))
    wide = (2.0 ** (scales - 127.0)).astype(f32) if kind == "mx" else E4M3[scales]
    stored[f"{name}.weight_scale"] = ("U8" if kind == "mx" else "F8_E4M3", scales.astype(np.uint8))
    overall = f32(1)
    if kind == "modelopt":
        overall = f32(.0375)
        stored[f"{name}.weight_scale_2"] = ("F32", np.array(overall))
        stored[f"{name}.input_scale"] = ("F32", np.array(f32(3)))
    if kind == "compressed":
        stored[f"{name}.weight_global_scale"] = ("F32", np.array([f32(2500)]))
        overall = f32(1) / f32(2500)
    stored[f"{name}.weight_packed" if kind == "compressed" else f"{name}.weight"] = ("U8", packed)
    expected[f"{name}.weight"] = by_groups(wide, IN) * overall * E2M1[codes]


def compressed(name, bits, groups, zeros=False, ordered=False, columns=IN):
    modules[name] = {"num_bits": bits}
    numbers = random.integers(0, 1 << bits, (OUT, columns))
    scales, stored[f"{name}.weight_scale"] = bf16(normal(OUT, groups))
    zero = np.full((OUT, groups), 1 << bits - 1)
    if zeros:
        zero = random.integers(0, 1 << bits, (OUT, groups))
        stored[f"{name}.weight_zero_point"] = ("I32", in_words(zero.T, bits).T)
    group_of = np.arange(columns) // -(-columns // groups)
    if ordered:
        group_of = random.permutation(group_of)
        stored[f"{name}.weight_g_idx"] = ("I32", group_of.astype(np.int32))
    stored[f"{name}.weight_packed"] = ("I32", in_words(numbers, bits))
    stored[f"{name}.weight_shape"] = ("I64", np.array([OUT, columns], np.int64))
    expected[f"{name}.weight"] = scales[:, group_of] * (numbers - zero[:, group_of]).astype(f32)


def exl2(name, parts):
    """`parts` are groups: (bits, inputs)."""
    inputs = sum(length for _, length in parts)
    perm = random.permutation(inputs)
    words, pairs, plain, row = [], [], np.zeros((inputs, OUT), f32), 0
    highest = (np.abs(normal(len(parts))) + f32(.01)).astype(np.float16)
    shares = random.integers(0, 16, (len(parts), OUT))
    for at, (bits, length) in enumerate(parts):
        numbers = random.integers(0, 1 << bits, (length, OUT))
        pairs += [bits, sum(len(it) for it in words)]
        words.append(stream(numbers.T, bits).T)
        scale = ((shares[at] + 1) ** 2).astype(f32) * (highest[at].astype(f32) / f32(256))
        plain[perm[row:row + length]] = scale * (numbers - (1 << bits - 1)).astype(f32)
        row += length
    stored[f"{name}.q_weight"] = ("I32", np.concatenate(words))
    stored[f"{name}.q_scale"] = ("I32", in_words(shares, 4))
    stored[f"{name}.q_scale_max"] = ("F16", highest)
    stored[f"{name}.q_groups"] = ("I16", np.array(pairs, np.int16))
    stored[f"{name}.q_invperm"] = ("I32", np.argsort(perm).astype(np.int32))
    expected[f"{name}.weight"] = np.ascontiguousarray(plain.T)


def hqq(name, bits, axis, group):
    count = OUT * IN // group
    cut = (count, group) if axis == 1 else (group, count)
    numbers = random.integers(0, 1 << bits, cut).astype(np.uint32)
    beside = (count, 1) if axis == 1 else (1, count)
    scales, zeros = normal(*beside).astype(np.float16), (normal(*beside) * 50).astype(np.float16)
    each = {8: 1, 4: 2, 2: 4, 3: 10, 1: 8}[bits]
    padded = np.pad(numbers, ((0, -len(numbers) % each), (0, 0)))
    step = len(padded) // each
    packed = sum(padded[at * step:(at + 1) * step] << np.uint32(bits * (each - 1 - at)) for at in range(each))
    stored[f"{name}.W_q"] = ("I32", packed.astype(np.int32)) if bits == 3 else ("U8", packed.astype(np.uint8))
    stored[f"{name}.scale"], stored[f"{name}.zero"] = ("F16", scales), ("F16", zeros)
    stored[f"{name}.shape"] = ("I64", np.array([OUT, IN], np.int64))
    for key, value in {"nbits": bits, "group_size": group, "axis": axis}.items():
        stored[f"{name}.{key}"] = ("I32", np.array(value, np.int32))
    stored[f"{name}.packing"] = ("U8", np.frombuffer(b"4bit_u8", np.uint8))
    plain = (numbers.astype(f32) - zeros.astype(f32)) * scales.astype(f32)
    expected[f"{name}.weight"] = plain.reshape(OUT, IN)


def bitnet(name):
    values = random.integers(-1, 2, (OUT, IN))
    codes = (values + 1).astype(np.uint8).reshape(4, OUT // 4, IN)
    scale, stored[f"{name}.weight_scale"] = bf16([f32(7)])
    stored[f"{name}.weight"] = ("U8", codes[0] | codes[1] << 2 | codes[2] << 4 | codes[3] << 6)
    expected[f"{name}.weight"] = values.astype(f32) * (f32(1) / scale) + f32(0)


def torchao(name, kind):
    if kind == "int4":
        numbers = random.integers(-8, 8, (OUT, IN))
        scales, stored[f"{name}._weight_scale"] = bf16(normal(2, OUT))
        zeros, stored[f"{name}._weight_zero_point"] = bf16(normal(2, OUT))
        stored[f"{name}._weight_qdata"] = ("I8", nibbles(numbers & 15, False).view(np.int8))
        of = lambda it: np.repeat(it.T, IN // 2, axis=1)
        expected[f"{name}.weight"] = of(scales) * numbers.astype(f32) + of(zeros)
    else:
        groups = 1 if kind == "int8" else 4
        numbers = random.integers(-128, 128, (OUT, IN)).astype(np.int8)
        scales, stored[f"{name}._weight_scale"] = bf16(normal(OUT, groups))
        zeros = np.zeros((OUT, groups), np.int8)
        if kind == "grouped":
            zeros = random.integers(-128, 128, (OUT, groups)).astype(np.int8)
            stored[f"{name}._weight_zero_point"] = ("I8", zeros)
        stored[f"{name}._weight_qdata"] = ("I8", numbers)
        expected[f"{name}.weight"] = (numbers.astype(f32) - by_groups(zeros.astype(f32), IN)) * by_groups(scales, IN)


def quanto(name):
    numbers = random.integers(-128, 128, (OUT, IN)).astype(np.int8)
    scales, stored[f"{name}.weight._scale"] = bf16(normal(OUT, 1))
    stored[f"{name}.weight._data"] = ("I8", numbers)
    stored[f"{name}.input_scale"] = ("F32", np.array(f32(1)))
    stored[f"{name}.output_scale"] = ("F32", np.array(f32(1)))
    expected[f"{name}.weight"] = numbers.astype(f32) * scales


def gptq(name, bits, ordered=False, with_zeros=True, out=32):
    modules[name] = {"bits": bits}
    groups = np.arange(IN) // 16
    if ordered:
        groups = random.permutation(groups)
        stored[f"{name}.g_idx"] = ("I32", groups.astype(np.int32))
    numbers = random.integers(0, 1 << bits, (out, IN))
    scales = normal(4, out).astype(np.float16)
    zeros = random.integers(0, 1 << bits, (4, out)) if with_zeros else np.full((4, out), 1 << bits - 1)
    stored[f"{name}.qweight"] = ("I32", stream(numbers, bits).T)
    if with_zeros:
        stored[f"{name}.qzeros"] = ("I32", stream((zeros - 1) % (1 << bits), bits))
    stored[f"{name}.scales"] = ("F16", scales)
    expected[f"{name}.weight"] = scales.astype(f32)[groups].T * (numbers - zeros[groups].T).astype(f32)


def awq8(name):
    order = [0, 2, 1, 3]
    numbers, zeros = random.integers(0, 256, (IN, OUT)), random.integers(0, 256, (4, OUT))
    scales = normal(4, OUT).astype(np.float16)
    pack = lambda it: stream(it.reshape(len(it), -1, 4)[:, :, order].reshape(len(it), -1), 8)
    stored[f"{name}.qweight"], stored[f"{name}.qzeros"] = ("I32", pack(numbers)), ("I32", pack(zeros))
    stored[f"{name}.scales"] = ("F16", scales)
    groups = np.arange(IN) // 16
    expected[f"{name}.weight"] = scales.astype(f32)[groups].T * (numbers - zeros[groups]).T.astype(f32)


def save(path, tensors):
    """A safetensors file; arrays bear the name of their type."""
    header, data = {}, b""
    for name, (dtype, array) in sorted(tensors.items()):
        text = np.ascontiguousarray(array).tobytes()
        header[name] = {"dtype": dtype, "shape": list(array.shape), "data_offsets": [len(data), len(data) + len(text)]}
        data += text
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    open(path, "wb").write(struct.pack("<Q", len(text)) + text + data)


bitsandbytes("bnb.nf4", "nf4", NF4, False)
bitsandbytes("bnb.fp4", "fp4", FP4, False)
bitsandbytes("bnb.nested", "nf4", NF4, True)
for bits in (2, 3, 4, 5, 6, 8):
    mlx(f"mlx.b{bits}", bits, 32)
mlx("mlx.experts", 4, 16, (3,))
mlx_float("mlx.mxfp4", 4, 32)
mlx_float("mlx.nvfp4", 4, 16)
mlx_float("mlx.mxfp8", 8, 32)
for kind in ("modelopt", "compressed", "mx"):
    four_bit_floats(f"fp4.{kind}", kind)
compressed("ct.four", 4, 2)
compressed("ct.channel", 8, 1, zeros=True)
compressed("ct.ordered", 4, 4, zeros=True, ordered=True)
compressed("ct.three", 3, 1, columns=55)
exl2("exl2.mixed", [(8, 32), (6, 32), (5, 32), (4, 64), (3, 32), (2, 64)])
exl2("exl2.one", [(4, 32)])
for bits, axis, group in [(8, 1, 64), (4, 1, 16), (4, 0, 16), (2, 1, 8), (3, 1, 8), (1, 0, 16)]:
    hqq(f"hqq.b{bits}a{axis}", bits, axis, group)
bitnet("bitnet.offline")
for kind in ("int4", "int8", "grouped"):
    torchao(f"ao.{kind}", kind)
quanto("quanto.eight")
for bits in (2, 3, 5, 6, 7, 8):
    gptq(f"gptq.b{bits}", bits)
gptq("gptq.ordered", 3, ordered=True)
gptq("gptq.symmetric", 4, with_zeros=False)
awq8("awq.eight")

# Layouts that nobody reads here: their words are noise, their shapes are right.
noise = lambda dtype, *shape: (dtype, random.integers(0, 256, shape).astype(np.uint8 if dtype == "U8" else np.int8 if dtype == "I8" else np.int16 if dtype in ("I16", "F16", "BF16") else np.int32))
for name, tensors in {
    "unread.aqlm": {"codes": noise("I8", 8, 8, 1), "codebooks": noise("F16", 1, 4, 1, 8), "scales": noise("F16", 8, 1, 1, 1)},
    "unread.eetq": {"weight": noise("I8", 64, 8), "weight_scales": noise("F16", 8)},
    "unread.exl3": {"trellis": noise("I16", 4, 1, 48), "suh": noise("F16", 64), "svh": noise("F16", 16)},
    "unread.marlin": {"B": noise("I32", 4, 16), "s": noise("F16", 1, 8)},
    "unread.quip": {"Qidxs": noise("I16", 8, 8), "SU": noise("F16", 64), "SV": noise("F16", 8)},
    "unread.tiled": {"_weight_qdata": noise("I32", 1, 1, 32, 2), "_weight_scale_and_zero": noise("BF16", 4, 8, 2)},
    "unread.vptq": {"indices": noise("I32", 1, 1, 8), "centroids.weight": noise("BF16", 1, 16)},
}.items():
    stored.update({f"{name}.{end}": it for end, it in tensors.items()})

os.makedirs("packed", exist_ok=True)
save("packed/model.safetensors", stored)
save("packed/expected.st", {name: ("F32", it.astype(f32)) for name, it in expected.items()})
json.dump({"quantization_config": modules}, open("packed/config.json", "w"))
