#!/usr/bin/env python3
"""Makes an ensemble for the null hypothesis: many tiny models of one shape that are independent but for what they share
with any honest competitor, the architecture, the tokenizer, the data and its order. All are trained at once.

    make_nulls.py --style llama --out nulls
    make_nulls.py --style gpt2 --out nulls_gpt2

  null-NNN         an initialisation of its own; same batches in the same order for all
  shared-init-NNN  one initialisation for all of this group (none of the nulls has it); batches of its own
  child-NNN        null-NNN fine-tuned on other data
  cpt-NNN          null-NNN trained on for as many steps and at the same rate as itself, on other data

Children and continuations, too, all see the same batches, so that those of different parents are null pairs.
"""

import argparse
import sys
import time
from functools import partial
from itertools import combinations
from pathlib import Path

import jax
import jax.numpy as jnp
import numpy as np

from family import corpus, models, storage, training
from family import transforms as tf

CHUNK = 40  # models trained side by side
SIZES = {
    "llama": {"null": 160, "shared-init": 16, "child": 16, "cpt": 16},
    "gpt2": {"null": 40, "shared-init": 0, "child": 8, "cpt": 0},
}
SHAPES = {
    "llama": models.Config("llama", 32, 2, 4, 2, 8, 48, 128, 64),
    "gpt2": models.Config("gpt2", 32, 2, 4, 4, 8, 96, 128, 64),
}


@partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 3))
def update_all(c, own_batches, trained, moments, batch, rate):
    """One AdamW step of every model; each has its own batch if `own_batches`, else all have the same."""

    def one(p, m, rows):
        return training.update(training.next_token_loss, c, p, {}, m, rows, rate)

    return jax.vmap(one, in_axes=(0, 0, 0 if own_batches else None))(trained, moments, batch)


def stack(many):
    """A list of parameter dicts as one dict of stacked arrays."""
    return {k: jnp.stack([p[k] for p in many]) for k in many[0]}


def train_all(c, many, tokens, orders, steps, peak, batch=8):
    """Train models side by side. `orders` is one batch seed for all, or a list with one for each."""
    own = isinstance(orders, list)
    trained = stack(many)
    moments = (jax.tree.map(jnp.zeros_like, trained), jax.tree.map(jnp.zeros_like, trained), jnp.zeros(len(many), int))
    streams = [training.batches(tokens, steps, batch, c.seq, o) for o in (orders if own else [orders])]
    for i, rows in enumerate(zip(*streams)):
        rows = np.stack(rows) if own else rows[0]
        trained, moments, loss = update_all(c, own, trained, moments, rows, training.rate_at(i, steps, peak))
    host = {k: np.asarray(v) for k, v in trained.items()}
    return [{k: v[n] for k, v in host.items()} for n in range(len(many))], np.asarray(loss)


class Ensemble:
    """The shared state: corpora, tokenizer, and the models made so far."""

    def __init__(self, args):
        self.args, self.out, self.start = args, Path(args.out), time.time()
        self.config, self.sizes = SHAPES[args.style], SIZES[args.style]
        self.texts = corpus.corpora(args.corpus_shift, True)
        self.tokenizer = corpus.train_tokenizer(self.texts["docs"], self.config.vocab)
        encode = partial(corpus.encode, self.tokenizer)
        self.tokens = {kind: corpus.split(encode(self.texts[kind])) for kind in ("docs", "code")}
        self.models, self.entries = {}, []
        self.out.mkdir(parents=True, exist_ok=True)
        storage.write_tokenizer(self.out, self.config, self.tokenizer)
        storage.write_json(self.out / "config.json", storage.config_json(self.config, args.style, "bf16"))

    def make(self, kind, start, tokens, orders, steps, peak, relation, transform):
        """Train a group in chunks and write it. `start(n)` gives the n-th model's parameters before training."""
        numbers = range(self.sizes[kind])
        for at in range(0, len(numbers), CHUNK):
            chunk = numbers[at : at + CHUNK]
            mine = [orders(n) for n in chunk] if callable(orders) else orders
            trained, loss = train_all(self.config, [start(n) for n in chunk], tokens, mine, steps, peak)
            for n, params in zip(chunk, trained):
                parents = [f"null-{n:03}"] if relation == "derived" else []
                self.write(f"{kind}-{n:03}", params, relation, parents, transform)
            self.log(f"{kind} {chunk[0]}-{chunk[-1]}: last loss {loss.mean():.3f} (sd {loss.std():.3f})")
            self.write_manifest()

    def write(self, name, params, relation, parents, transform):
        """A model's folder and its manifest entry."""
        folder = self.out / name
        folder.mkdir(exist_ok=True)
        storage.write_json(folder / "config.json", storage.config_json(self.config, self.args.style, "bf16"))
        storage.save_file(storage.cast(params, "bf16"), folder / "model.safetensors", metadata={"format": "pt"})
        size, hashes = storage.file_facts(folder)
        self.models[name] = tf.rounded(params, "bf16")
        held = {k: training.heldout_loss(self.config, self.models[name], t[1]) for k, t in self.tokens.items()}
        self.entries.append(
            {
                "id": name,
                "path": name,
                "format": "safetensors",
                "relation": relation,
                "parents": parents,
                "transform": transform,
                "parameters": sum(w.size for w in params.values()),
                "heldout_loss": {k: round(v, 4) for k, v in held.items()},
                "bytes": size,
                "sha256": hashes,
            }
        )

    def log(self, line):
        """One line on stderr."""
        print(f"[{time.time() - self.start:8.1f}s] {line}", file=sys.stderr, flush=True)

    def write_manifest(self):
        """The manifest. Only pairs that are not independent are listed."""
        a = self.args
        storage.write_json(
            self.out / "manifest.json",
            {
                "generator": "make_nulls.py",
                "seed": a.seed,
                "style": a.style,
                "dtype": "bf16",
                "corpus_shift": a.corpus_shift,
                "settings": {n: getattr(a, n) for n in ("steps", "ft_steps", "rate", "ft_rate")},
                "seconds": round(time.time() - self.start, 1),
                "corpora": corpus.describe(self.texts),
                "members": self.entries,
                "default_truth": "independent",
                "pairs": related_pairs(self.entries),
            },
        )


def related_pairs(entries):
    """The pairs that are not independent."""
    found = []
    for a, b in combinations(entries, 2):
        if a["id"] in b["parents"]:
            found.append({"a": a["id"], "b": b["id"], "truth": "ancestor"})
        elif a["parents"] and a["parents"] == b["parents"]:
            found.append({"a": a["id"], "b": b["id"], "truth": "common_ancestor"})
        elif a["relation"] == b["relation"] == "shared_init":
            found.append({"a": a["id"], "b": b["id"], "truth": "shared_init"})
    return found


def make(e):
    """All groups."""
    a, c = e.args, e.config
    docs, code = e.tokens["docs"][0], e.tokens["code"][0]
    init = partial(models.init, c, a.seed)

    def null(n):
        return e.models[f"null-{n:03}"]

    text = "trained from scratch, seed of its own, same docs in the same order as every null"
    e.make("null", lambda n: init(f"null-{n}"), docs, a.seed, a.steps, a.rate, "base", text)
    text = "one init for the whole group, docs in an order of its own"
    e.make(
        "shared-init", lambda n: init("shared"), docs, lambda n: [a.seed, 2, n], a.steps, a.rate, "shared_init", text
    )
    text = "full fine-tune on code, same order for every child"
    e.make("child", null, code, a.seed + 3, a.ft_steps, a.ft_rate, "derived", text)
    text = "continued pretraining on code: as many steps and the same peak rate as the null itself"
    e.make("cpt", null, code, a.seed + 4, a.steps, a.rate, "derived", text)


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--style", choices=list(SIZES), default="llama")
    parser.add_argument("--seed", type=int, default=100)
    parser.add_argument("--corpus-shift", type=int, default=5)
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--ft-steps", type=int, default=80)
    parser.add_argument("--rate", type=float, default=4e-3)
    parser.add_argument("--ft-rate", type=float, default=1e-3)
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def main():
    """Make the ensemble."""
    ensemble = Ensemble(arguments())
    make(ensemble)
    total = sum(e["bytes"] for e in ensemble.entries)
    ensemble.log(f"done: {len(ensemble.entries)} members, {total / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
