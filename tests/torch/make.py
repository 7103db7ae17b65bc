"""How the files beside this script were made, with torch 2.15 from PyPI: python3 make.py"""

import collections
import torch


def weights():
    torch.manual_seed(0)
    embedding = torch.nn.Parameter(torch.randn(6, 4))
    matrix = torch.arange(12, dtype=torch.bfloat16).reshape(3, 4)
    state = collections.OrderedDict()
    state["embed.weight"] = embedding
    state["head.weight"] = embedding  # tied
    state["turned"] = matrix.t()  # a view with other strides
    state["half"] = torch.ones(2, 3, dtype=torch.float16)
    state["steps"] = torch.tensor(7)  # a single number
    state["mask"] = torch.zeros(0, 5, dtype=torch.bool)
    state._metadata = {"": {"version": 1}}
    return state


class Small(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = torch.nn.Linear(3, 2)


torch.save(weights(), "zip.bin")
torch.save(weights(), "stream.bin", _use_new_zipfile_serialization=False)
torch.save(
    {"epoch": 3, "state_dict": {"a": torch.zeros(2, dtype=torch.float8_e4m3fn), "b": torch.zeros(2)},
     "optimizer": {"state": {0: {"exp_avg": torch.zeros(2)}}}},
    "training.pt",
)
torch.save(Small(), "module.pt")
