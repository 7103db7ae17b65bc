#!/usr/bin/env python3
"""Makes `adapters/`: what the tests of adapters need and the other folders do not hold.

    make_adapters.py --family family_nano --nulls ../nulls --out ../adapters

  lora            family_nano's adapter to base_a, as it is
  base_a, base_b, base_same_init   family_nano's bases in bf16, without token embedding and feed-forward blocks
  lora-null-000   an adapter trained on null-000 of `nulls/`, on the text of its children
"""

import argparse
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np

from family import corpus, models, storage, training

RANK, TARGETS = 4, ["q_proj", "v_proj", "up_proj"]


def attention_only(source, target):
    """A model's attention, norms and head in bf16."""
    kept = {k: v for k, v in storage.read_tensors(source).items() if "embed" not in k and ".mlp." not in k}
    target.mkdir(parents=True, exist_ok=True)
    storage.save_file(storage.cast(kept, "bf16"), target / "model.safetensors", metadata={"format": "pt"})
    config = json.loads((source / "config.json").read_text()) | {"torch_dtype": "bfloat16"}
    storage.write_json(target / "config.json", config)


def null_adapter(nulls, target):
    """An adapter on query, value and up projection of null-000."""
    config = json.loads((nulls / "config.json").read_text())
    shape = models.Config(
        "llama", config["hidden_size"], config["num_hidden_layers"], config["num_attention_heads"],
        config["num_key_value_heads"], config["head_dim"], config["intermediate_size"], config["vocab_size"], 64,
    )  # fmt: skip
    base = {k: np.asarray(v, np.float32) for k, v in storage.load_file(nulls / "null-000.safetensors").items()}
    texts = corpus.corpora(5, True)
    tokens = corpus.split(corpus.encode(corpus.train_tokenizer(texts["docs"], shape.vocab), texts["code"]))[0]
    rng, start = np.random.default_rng(100), {}
    for i in range(shape.layers):
        for name in (models.attn(i, "q"), models.attn(i, "v"), models.mlp(i, "up")):
            rows, cols = base[name].shape
            stem = name.removesuffix(".weight")
            start[stem + ".lora_A.weight"] = (rng.normal(size=(RANK, cols)) * cols**-0.5).astype(np.float32)
            start[stem + ".lora_B.weight"] = np.zeros((rows, RANK), np.float32)
    train = partial(training.train, shape, start, tokens, frozen=base, loss=training.lora_loss)
    trained, curve = train(steps=120, batch=8, order=[100, 9], peak=4e-3)
    print(f"loss {curve[0]:.3f} -> {curve[-1]:.3f}")
    storage.write_adapter(target, trained, "null-000", RANK, 2 * RANK, TARGETS)


def main():
    """Make all of it."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    for option in ("--family", "--nulls", "--out"):
        parser.add_argument(option, type=Path, required=True)
    args = parser.parse_args()
    for name in ("base_a", "base_b", "base_same_init"):
        attention_only(args.family / name, args.out / name)
    shutil.copytree(args.family / "lora_adapter", args.out / "lora", dirs_exist_ok=True)
    null_adapter(args.nulls, args.out / "lora-null-000")


if __name__ == "__main__":
    main()
