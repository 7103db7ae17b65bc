"""How the files beside this script were made, with torch, numpy and safetensors from PyPI: python3 make.py

Matrices of small whole numbers are packed as AutoGPTQ and AutoAWQ pack them (their `pack` methods, written out again
here); what is expected is computed from the whole numbers, never by unpacking. `first` is the first version of GPTQ's
format, whose zero points are stored less one, and holds the other layouts too; `second` is gptq_v2."""

import json

import numpy
import torch
from safetensors.torch import save_file

random = numpy.random.default_rng(2)
OUT, IN, GROUP = 16, 32, 8


def words(numbers, bits, axis, order=range(8)):
    """Packs along an axis, the number `order[i]` of each word at its place i."""
    numbers = numpy.moveaxis(numbers.astype(numpy.uint32), axis, 0)
    each = 32 // bits
    packed = numpy.zeros((len(numbers) // each, *numbers.shape[1:]), numpy.uint32)
    for place in range(each):
        packed |= numbers[(order[place] if bits == 4 else place)::each] << numpy.uint32(bits * place)
    return torch.from_numpy(numpy.ascontiguousarray(numpy.moveaxis(packed, 0, axis)).view(numpy.int32))


def matrix(bits, groups_of_inputs):
    """Whole numbers [out, in], scales and zero points [groups, out], and the matrix they stand for."""
    quants = random.integers(0, 1 << bits, (OUT, IN))
    scales = random.normal(0, 0.1, (IN // GROUP, OUT)).astype(numpy.float16)
    zeros = random.integers(0, 1 << bits, (IN // GROUP, OUT))
    wide = scales.astype(numpy.float32)
    plain = wide[groups_of_inputs].T * (quants - zeros[groups_of_inputs].T).astype(numpy.float32)
    return quants, torch.from_numpy(scales), zeros, torch.from_numpy(plain.astype(numpy.float32))


def gptq(name, bits, stored, expected, ordered, less):
    groups = random.permutation(numpy.arange(IN) // GROUP) if ordered else numpy.arange(IN) // GROUP
    quants, scales, zeros, plain = matrix(bits, groups)
    stored[f"{name}.qweight"] = words(quants.T, bits, 0)
    stored[f"{name}.qzeros"] = words((zeros - less) % (1 << bits), bits, 1)
    stored[f"{name}.scales"] = scales
    if ordered:
        stored[f"{name}.g_idx"] = torch.from_numpy(groups.astype(numpy.int32))
    expected[f"{name}.weight"] = plain


def awq(name, stored, expected):
    quants, scales, zeros, plain = matrix(4, numpy.arange(IN) // GROUP)
    order = [0, 2, 4, 6, 1, 3, 5, 7]
    stored[f"{name}.qweight"] = words(quants.T, 4, 1, order)
    stored[f"{name}.qzeros"] = words(zeros, 4, 1, order)
    stored[f"{name}.scales"] = scales
    expected[f"{name}.weight"] = plain


def scaled(name, stored, expected):
    eight = torch.from_numpy(random.normal(size=(OUT, IN)).astype(numpy.float32)).to(torch.float8_e4m3fn)
    blocks = torch.rand(4, 4)  # 5 rows by 10 columns share one, and the last ones are cut off
    stored[f"{name}.block.weight"], stored[f"{name}.block.weight_scale_inv"] = eight, blocks
    spread = blocks.repeat_interleave(5, 0)[:OUT].repeat_interleave(10, 1)[:, :IN]
    expected[f"{name}.block.weight"] = eight.float() * spread
    stored[f"{name}.one.weight"], stored[f"{name}.one.weight_scale"] = eight.clone(), torch.tensor(0.37)
    expected[f"{name}.one.weight"] = eight.float() * 0.37
    rows = torch.rand(OUT, 1)
    stored[f"{name}.row.weight"], stored[f"{name}.row.weight_scale"] = eight.clone(), rows
    expected[f"{name}.row.weight"] = eight.float() * rows
    whole = torch.from_numpy(random.integers(-128, 128, (OUT, IN)).astype(numpy.int8))
    highest = torch.rand(OUT)
    stored[f"{name}.int8.weight"], stored[f"{name}.int8.SCB"] = whole, highest
    expected[f"{name}.int8.weight"] = whole.float() * (highest * torch.tensor(1 / 127)).reshape(-1, 1)


def powers(name, stored, expected):
    table = torch.tensor([0, 0.5, 1, 1.5, 2, 3, 4, 6, -0.0, -0.5, -1, -1.5, -2, -3, -4, -6])
    numbers = torch.from_numpy(random.integers(0, 16, (2, 3, 64)))
    scales = torch.from_numpy(random.integers(110, 140, (2, 3, 2)))
    pairs = numbers.reshape(2, 3, 2, 16, 2)
    stored[f"{name}_blocks"] = (pairs[..., 0] | (pairs[..., 1] << 4)).to(torch.uint8)
    stored[f"{name}_scales"] = scales.to(torch.uint8)
    expected[name] = table[numbers] * torch.exp2(scales - 127.0).repeat_interleave(32, -1)


def undecoded(stored):
    stored["nf4.weight"] = torch.zeros(OUT * IN // 2, 1, dtype=torch.uint8)
    stored["nf4.weight.absmax"] = torch.zeros(OUT * IN // 64)
    stored["nf4.weight.quant_map"] = torch.zeros(16)
    stored["compressed.weight_packed"] = torch.zeros(OUT, IN // 8, dtype=torch.int32)
    stored["compressed.weight_scale"] = torch.zeros(OUT, 1)
    stored["compressed.weight_shape"] = torch.tensor([OUT, IN])


def write(folder, config, stored, expected):
    save_file({name: it.contiguous() for name, it in stored.items()}, f"{folder}/model.safetensors")
    save_file({name: it.contiguous() for name, it in expected.items()}, f"{folder}/expected.st")
    json.dump({"quantization_config": config}, open(f"{folder}/config.json", "w"))


torch.manual_seed(3)
stored, expected = {}, {}
gptq("plain4", 4, stored, expected, ordered=False, less=1)
gptq("ordered4", 4, stored, expected, ordered=True, less=1)
gptq("plain8", 8, stored, expected, ordered=False, less=1)
awq("awq", stored, expected)
scaled("scaled", stored, expected)
powers("experts.down_proj", stored, expected)
undecoded(stored)
write("first", {"quant_method": "gptq", "weight_block_size": [5, 10]}, stored, expected)
stored, expected = {}, {}
gptq("plain4", 4, stored, expected, ordered=True, less=0)
write("second", {"quant_method": "gptq", "checkpoint_format": "gptq_v2"}, stored, expected)
