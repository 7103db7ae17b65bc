#!/usr/bin/env python3
"""Makes a family of tiny language models whose lineage is known, to test lineage detection on.

    make_family.py --seed 2 --corpus-shift 1 --out family_two
    make_family.py --seed 4 --style gpt2 --out family_gpt2

Every function marked `@member` makes one member; its docstring says what the member is. `manifest.json` holds how each
was made and the truth about every pair. Needs: jax, numpy, safetensors, tokenizers, gguf.
"""

import argparse
import sys
import time
import zlib
from dataclasses import dataclass, field
from pathlib import Path

import jax
import numpy as np

from family import corpus, models, storage, training
from family import transforms as tf

LLAMA, BOTH = ("llama",), ("llama", "gpt2")
TOLERANCE = 1e-4  # largest logit difference a function-preserving member may show
MEMBERS = []


@dataclass
class Model:
    """A model in memory."""

    config: models.Config
    params: dict
    tokenizer: object

    def but(self, params, config=None, tokenizer=None):
        """The same model with other parameters, and where given another shape or tokenizer."""
        return Model(config or self.config, params, tokenizer or self.tokenizer)


@dataclass
class Made:
    """What a member function returns: a model, how it was made and how it is to be written."""

    model: Model
    transform: str
    note: str = ""
    recipe: dict = field(default_factory=dict)  # the transform's true parameters, for tests of recipe recovery
    write: object = None  # a function (folder, model, dtype) -> None where the plain writer will not do
    read: object = None  # a function (folder, model) -> params, the inverse of `write`
    dtype: str = None  # where the member is about precision
    renamed: dict = None
    parameters: int = None
    judged: bool = True  # whether a held-out loss can be measured


def member(relation, parents=(), styles=LLAMA, same_function_as=None):
    """Registers a function as the maker of the member of its name."""

    def register(make):
        MEMBERS.append((make.__name__, make, relation, list(parents), styles, same_function_as))
        return make

    return register


def shape_of(a):
    """The bases' shape."""
    if a.style == "gpt2":
        a.kv_heads = a.heads
    return models.Config(a.style, a.hidden, a.layers, a.heads, a.kv_heads, a.hidden // a.heads, a.ffn, a.vocab, a.seq)


class Family:
    """The shared state: settings, corpora, tokenizers, and the members made so far."""

    def __init__(self, args):
        self.args, self.out, self.start = args, Path(args.out), time.time()
        self.models, self.entries, self.cache = {}, [], {}
        self.out.mkdir(parents=True, exist_ok=True)
        self.texts = corpus.corpora(args.corpus_shift, corpus.is_small(args.vocab))
        self.tokenizer = corpus.train_tokenizer(self.texts["docs"], args.vocab)
        self.config = shape_of(args)
        self.log(f"{vars(args)} text { {k: len(t) for k, t in self.texts.items()} }")

    def log(self, line):
        """One line on stderr and in build.log."""
        line = f"[{time.time() - self.start:8.1f}s] {line}"
        print(line, file=sys.stderr, flush=True)
        with open(self.out / "build.log", "a") as log:
            log.write(line + "\n")

    def rng(self, purpose):
        """A generator of its own for every purpose."""
        return np.random.default_rng([self.args.seed, zlib.crc32(purpose.encode())])

    def tokens(self, kind, tokenizer):
        """(training, held-out) tokens of a corpus."""
        key = (kind, hash(tokenizer.to_str()))
        if key not in self.cache:
            self.cache[key] = corpus.split(corpus.encode(tokenizer, self.texts[kind]))
        return self.cache[key]

    def fresh(self, letter, config=None, tokenizer=None):
        """An untrained model from the seed of that letter."""
        config = config or self.config
        return Model(config, models.init(config, self.args.seed, letter), tokenizer or self.tokenizer)

    def pretrain(self, model, kind, order, steps=None, **options):
        """Training at the full rate."""
        return self.fit(model, kind, order, steps or self.args.steps, self.args.rate, **options)

    def tune(self, model, kind, order, steps=None, **options):
        """Training at the fine-tuning rate."""
        return self.fit(model, kind, order, steps or self.args.ft_steps, self.args.ft_rate, **options)

    def fit(self, model, kind, order, steps, peak, trained=None, **options):
        """Train, and say how it went. `trained` replaces the tensors to train; the rest is up to `options`."""
        tokens = self.tokens(kind, model.tokenizer)[0]
        order = [self.args.seed, zlib.crc32(order.encode())]
        begun = time.time()
        params, curve = training.train(
            model.config,
            model.params if trained is None else trained,
            tokens,
            steps=steps,
            batch=self.args.batch,
            order=order,
            peak=peak,
            **options,
        )
        self.log(f"trained {steps} steps on {kind}, loss {curve[0]:.3f} -> {curve[-1]:.3f}, {time.time() - begun:.0f}s")
        return model.but(params)

    def add(self, name, made, relation, parents, same_function_as):
        """Write a member, keep it as a parent for others, check it, and put it into the manifest."""
        folder, dtype = self.out / name, made.dtype or self.args.dtype
        (made.write or plain_writer())(folder, made.model, dtype)
        errors = self.check(name, folder, made, same_function_as)
        if made.judged:
            self.models[name] = made.model.but(tf.rounded(made.model.params, dtype))
        size, hashes = storage.file_facts(folder)
        entry = {
            "id": name,
            "path": name,
            "format": file_format(folder),
            "relation": relation,
            "parents": parents,
            "transform": made.transform,
            "parameters": made.parameters or sum(w.size for w in made.model.params.values()),
            "heldout_loss": self.losses(self.models[name]) if made.judged else None,
            "function_preserving_of": same_function_as,
            **errors,
            "renamed": made.renamed,
            "note": made.note,
            "recipe": made.recipe,
            "bytes": size,
            "sha256": hashes,
        }
        self.entries.append(entry)
        self.log(
            f"wrote {name:18} {relation:12} {entry['parameters']:9,} params, loss {entry['heldout_loss']} {errors}"
        )
        self.write_manifest()

    def losses(self, model):
        """Held-out losses."""
        held = {kind: self.tokens(kind, model.tokenizer)[1] for kind in ("docs", "code")}
        return {k: round(training.heldout_loss(model.config, model.params, t), 4) for k, t in held.items()}

    def check(self, name, folder, made, parent):
        """For a function-preserving member: largest logit differences from the parent, computed and read back."""
        if not parent:
            return {}
        reader = made.read or (lambda folder, model: storage.read_tensors(folder))
        computed = self.difference(self.models[parent], made.model)
        stored = self.difference(self.models[parent], made.model.but(reader(folder, made.model)))
        assert computed <= TOLERANCE, f"{name} is not the same function as {parent}: {computed}"
        return {"function_error": computed, "stored_function_error": stored}

    def difference(self, a, b):
        """Largest absolute logit difference of two models on held-out text."""
        held = self.tokens("docs", a.tokenizer)[1]
        rows = held[: 8 * self.args.seq].reshape(8, -1)
        gap = training.logits(a.config, a.params, rows) - training.logits(b.config, b.params, rows)
        return float(abs(gap).max())

    def write_manifest(self):
        """The manifest of the members so far."""
        a = self.args
        names = ("hidden", "layers", "heads", "kv_heads", "ffn", "vocab", "seq", "batch", "steps", "ft_steps")
        rates = {"rate": a.rate, "ft_rate": a.ft_rate}
        storage.write_json(
            self.out / "manifest.json",
            {
                "generator": "make_family.py",
                "preset": self.out.name,
                "seed": a.seed,
                "style": a.style,
                "dtype": a.dtype,
                "corpus_shift": a.corpus_shift,
                "settings": {n: getattr(a, n) for n in names} | rates,
                "jax": jax.__version__,
                "numpy": np.__version__,
                "seconds": round(time.time() - self.start, 1),
                "bytes": sum(e["bytes"] for e in self.entries),
                "corpora": corpus.describe(self.texts),
                "members": self.entries,
                "pairs": pairs(self.entries),
            },
        )


def plain_writer(model_type=None, change=None, shards=1):
    """A writer of model folders; `change` is applied to the parameters on their way out."""

    def write(folder, model, dtype):
        c = model.config
        kind = model_type or ("mixtral" if c.experts else c.style)
        params = change(model.params) if change else model.params
        storage.write_model(folder, c, params, model.tokenizer, dtype, kind, shards)

    return write


def file_format(folder):
    """What kind of thing was written."""
    if (folder / "model.gguf").exists():
        return "gguf"
    return "peft" if (folder / "adapter_config.json").exists() else "safetensors"


# Truth about pairs ----------------------------------------------------------------------------------------------------


def pairs(entries):
    """Every unordered pair with its truth."""
    lines = {e["id"]: lineage(e["id"], entries) for e in entries}
    ids = [e["id"] for e in entries]
    return [{"a": a, "b": b, "truth": truth(a, b, lines)} for i, a in enumerate(ids) for b in ids[i + 1 :]]


def lineage(name, entries):
    """A member and everything its whole weights derive from. Partial and distilled members start lines of their own."""
    by_id = {e["id"]: e for e in entries}
    entry = by_id[name]
    if entry["relation"] in ("partial", "distilled"):
        return {name}
    return {name}.union(*(lineage(p, entries) for p in entry["parents"]))


def truth(a, b, lines):
    """The relation of two members by weights."""
    if a in lines[b] or b in lines[a]:
        return "ancestor"
    if lines[a] & lines[b]:
        return "common_ancestor"
    for one, other in ((a, b), (b, a)):
        of_base = "base_a" in lines[other]
        if one == "embed_reuse" and other in ("base_same_init", "embed_replaced"):
            return "ambiguous"  # an embedding against its own initialisation, or against a body without one
        if one == "embed_reuse" and of_base:
            return "embedding_only"
        if one == "distilled" and of_base:
            return "behaviour_only"
        if one == "base_same_init" and of_base:
            return "shared_init"
    return "independent"


# Members: bases -------------------------------------------------------------------------------------------------------


@member("base", styles=BOTH)
def base_a(f):
    """Trained from scratch; nearly everything else descends from it."""
    return Made(f.pretrain(f.fresh("a"), "docs", "order-1"), "trained from scratch, seed a, docs")


@member("base", styles=BOTH)
def base_b(f):
    """The hardest negative: only the seed differs from base_a, data and order are the same."""
    return Made(
        f.pretrain(f.fresh("b"), "docs", "order-1"),
        "trained from scratch, seed b, same data/order/config/tokenizer as base_a",
        "same blueprint, independent weights: the pair that must NOT match on weights",
    )


@member("shared_init", styles=BOTH)
def base_same_init(f):
    """Starts from base_a's random numbers, but never saw its training."""
    return Made(
        f.pretrain(f.fresh("a"), "docs", "order-2"),
        "same random init as base_a (seed a), other batch order",
        "not derived from base_a's trained weights; shares its random init (as spaCy releases with seed 0 do)",
    )


@member("base", styles=BOTH)
def base_other_data(f):
    """Independent, trained on code with base_a's tokenizer."""
    return Made(f.pretrain(f.fresh("d"), "code", "order-3"), "trained from scratch, seed d, other data, same tokenizer")


@member("base")
def base_other_arch(f):
    """Independent, of another shape, with a tokenizer of its own."""
    a = f.args
    heads = a.heads
    dim = a.hidden * 3 // 4 // heads // 2 * 2
    shape = f.config.but(hidden=heads * dim, head_dim=dim, kv_heads=heads, layers=a.layers * 3 // 2, ffn=a.ffn * 3 // 4)
    tokenizer = corpus.train_tokenizer(f.texts["code"], a.vocab)
    model = f.pretrain(f.fresh("e", shape, tokenizer), "code", "order-4", a.steps // 2)
    return Made(model, "other shape, own tokenizer, other data")


@member("base", styles=LLAMA)
def base_c(f):
    """A third independent seed on the same data in the same order."""
    return Made(
        f.pretrain(f.fresh("c"), "docs", "order-1"),
        "trained from scratch, seed c, same data/order/config/tokenizer as base_a",
        "same blueprint, independent weights",
    )


# Members: further training --------------------------------------------------------------------------------------------


@member("derived", ["base_a"], BOTH)
def ft_code(f):
    """Fine-tuned on code."""
    return Made(f.tune(f.models["base_a"], "code", "ft-code"), "full fine-tune on code")


@member("derived", ["base_a"], BOTH)
def ft_legal(f):
    """Fine-tuned on licence texts."""
    model = f.tune(f.models["base_a"], "legal", "ft-legal")
    return Made(model, "full fine-tune on licence texts", "sibling of ft_code")


@member("derived", ["ft_code"])
def ft_ft(f):
    """A fine-tune's fine-tune."""
    model = f.tune(f.models["ft_code"], "legal", "ft-ft")
    return Made(model, "fine-tune of a fine-tune (grandchild of base_a)")


@member("derived", ["base_a"], BOTH)
def cpt_long(f):
    """Continued at the base's own length and rate, on code."""
    model = f.pretrain(f.models["base_a"], "code", "cpt")
    text = "continued pretraining: as many steps and the same peak rate as the base itself, other data"
    return Made(model, text, "hard positive")


@member("derived", ["base_a"])
def cpt_very_long(f):
    """Continued four times as long as the base was trained, at the full rate, on code."""
    model = f.pretrain(f.models["base_a"], "code", "cpt-very-long", 4 * f.args.steps)
    text = "continued pretraining: 4x the base's steps at the same peak rate, other data"
    return Made(model, text, "hardest training-only positive")


# Members: low rank ----------------------------------------------------------------------------------------------------

LORA_RANK, LORA_TARGETS = 8, ["q_proj", "v_proj"]


def fresh_adapter(f):
    """LoRA matrices for q and v: A random, B zero."""
    rng, adapter = f.rng("lora"), {}
    for i in range(f.config.layers):
        for m in "qv":
            stem = models.attn(i, m).removesuffix(".weight")
            rows, cols = f.models["base_a"].params[stem + ".weight"].shape
            adapter[stem + ".lora_A.weight"] = (rng.normal(size=(LORA_RANK, cols)) * cols**-0.5).astype(np.float32)
            adapter[stem + ".lora_B.weight"] = np.zeros((rows, LORA_RANK), np.float32)
    return adapter


@member("derived", ["base_a"])
def lora_merged(f):
    """A low-rank adapter on q and v, trained on code and folded in."""
    base = f.models["base_a"]
    fitted = f.pretrain(
        base, "code", "lora", f.args.ft_steps, trained=fresh_adapter(f), frozen=base.params, loss=training.lora_loss
    )
    f.adapter = fitted.params
    merged = training.merge_lora({**base.params, **f.adapter})
    text = f"LoRA r={LORA_RANK} on q,v, merged (scale {training.LORA_SCALE:g})"
    return Made(base.but(tf.narrow(merged)), text, recipe={"rank": LORA_RANK, "targets": LORA_TARGETS})


@member("derived", ["base_a"])
def lora_adapter(f):
    """The adapter of lora_merged, as PEFT saves it."""

    def write(folder, model, dtype):
        alpha = int(LORA_RANK * training.LORA_SCALE)
        storage.write_adapter(folder, f.adapter, "base_a", LORA_RANK, alpha, LORA_TARGETS, dtype)

    return Made(
        f.models["base_a"],
        "LoRA adapter only (PEFT layout), not merged",
        "names its base in adapter_config.json; same adapter as lora_merged",
        write=write,
        parameters=sum(w.size for w in f.adapter.values()),
        judged=False,
    )


# Members: merges ------------------------------------------------------------------------------------------------------


def siblings(f):
    """Parameters of base_a, ft_code and ft_legal."""
    return [f.models[n].params for n in ("base_a", "ft_code", "ft_legal")]


@member("merge", ["ft_code", "ft_legal"], BOTH)
def merge_linear(f):
    """Weighted mean of two fine-tunes."""
    _, code, legal = siblings(f)
    merged = tf.linear(code, legal, 0.6)
    return Made(f.models["base_a"].but(merged), "linear merge 0.6/0.4 of two siblings", recipe={"weights": [0.6, 0.4]})


@member("merge", ["ft_code", "ft_legal"])
def merge_slerp(f):
    """Spherical interpolation of two fine-tunes."""
    _, code, legal = siblings(f)
    return Made(f.models["base_a"].but(tf.slerp(code, legal, 0.4)), "SLERP t=0.4 of two siblings", recipe={"t": 0.4})


@member("merge", ["base_a", "ft_code", "ft_legal"])
def merge_dare(f):
    """Randomly thinned deltas of two fine-tunes, added to the base."""
    base, code, legal = siblings(f)
    merged = tf.dare(base, [code, legal], [0.6, 0.6], 0.5, f.rng("dare"))
    recipe = {"drop": 0.5, "weights": [0.6, 0.6]}
    return Made(f.models["base_a"].but(merged), "DARE p=0.5, weights 0.6/0.6", recipe=recipe)


@member("merge", ["base_a", "ft_code", "ft_legal"])
def merge_ties(f):
    """Trimmed deltas of two fine-tunes with an elected sign, added to the base."""
    base, code, legal = siblings(f)
    merged = tf.ties(base, [code, legal], 0.4, 1.0)
    recipe = {"density": 0.4, "scale": 1.0}
    return Made(f.models["base_a"].but(merged), "TIES density 0.4, scale 1 (trim, elect sign, mean)", recipe=recipe)


@member("merge", ["ft_code", "ft_legal"])
def interleave_two(f):
    """A frankenmerge: layers in turn from one fine-tune and the other."""
    _, code, legal = siblings(f)
    layers = f.config.layers
    mixed = tf.take_layers([(code, legal)[i % 2] for i in range(layers)], range(layers))
    return Made(
        f.models["base_a"].but(mixed),
        "layers taken alternately from ft_code (even) and ft_legal (odd); embedding, norm and head from ft_code",
        "frankenmerge (passthrough)",
        {"layer_sources": [("ft_code", "ft_legal")[i % 2] for i in range(layers)]},
    )


# Members: pruned and grown --------------------------------------------------------------------------------------------


@member("derived", ["base_a"], BOTH)
def prune_mag50(f):
    """Half of every body matrix set to zero, the smallest entries."""
    pruned = tf.prune_magnitude(f.models["base_a"].params)
    return Made(f.models["base_a"].but(pruned), "unstructured magnitude pruning 50 % per matrix", recipe={"share": 0.5})


def with_layers(f, layer_map):
    """base_a with its layers in another number and order."""
    base = f.models["base_a"]
    return base.but(tf.take_layers([base.params] * len(layer_map), layer_map), base.config.but(layers=len(layer_map)))


@member("derived", ["base_a"], BOTH)
def prune_layers(f):
    """Some layers dropped."""
    kept = tf.fewer_layers(f.config.layers)
    text = f"layers {kept} of {f.config.layers} kept"
    return Made(with_layers(f, kept), text, f"layer map {kept}", {"layer_map": kept})


@member("derived", ["base_a"])
def prune_layers_heal(f):
    """Some layers dropped, the rest trained on docs."""
    kept = tf.fewer_layers(f.config.layers)
    model = f.tune(with_layers(f, kept), "docs", "heal-depth")
    return Made(model, f"layers {kept} kept, then healed", f"layer map {kept}", {"layer_map": kept})


@member("derived", ["base_a"])
def prune_width(f):
    """Three quarters of the residual coordinates and FFN units kept, then trained on docs."""
    base, a = f.models["base_a"], f.args
    hidden, ffn = a.hidden * 3 // 4, max(16, a.ffn * 3 // 4 // 16 * 16)
    config, params, kept = tf.prune_width(base.config, base.params, hidden, ffn)
    model = f.tune(base.but(params, config), "docs", "heal-width")
    text = f"width pruning hidden {a.hidden}->{hidden}, ffn {a.ffn}->{ffn}, then healed"
    return Made(model, text, "Minitron/Sheared-Llama style; kept in ascending order, strongest by weight", kept)


@member("derived", ["base_a"], BOTH)
def depth_up(f):
    """SOLAR's depth up-scaling."""
    layer_map = tf.more_layers(f.config.layers)
    text = f"SOLAR depth up-scaling, layer map {layer_map}"
    return Made(with_layers(f, layer_map), text, f"layer map {layer_map}", {"layer_map": layer_map})


@member("derived", ["base_a"])
def depth_up_cpt(f):
    """SOLAR's depth up-scaling, then trained on docs."""
    layer_map = tf.more_layers(f.config.layers)
    model = f.tune(with_layers(f, layer_map), "docs", "depth-up")
    text = "SOLAR depth up-scaling, then continued"
    return Made(model, text, f"layer map {layer_map}", {"layer_map": layer_map})


@member("derived", ["base_a"])
def moe_upcycled(f):
    """A Mixtral-style mixture whose experts start as copies of base_a's MLPs."""
    base = f.models["base_a"]
    config, params = tf.upcycle(base.config, base.params, f.rng("moe"))
    model = f.tune(base.but(params, config), "code", "moe", f.args.ft_steps // 2)
    text = "sparse upcycling: 4 copies of every MLP + new router, then trained on code"
    return Made(model, text, recipe={"experts": 4})


@member("derived", ["base_a"])
def experts_split(f):
    """A Mixtral-style mixture whose experts are disjoint parts of base_a's MLPs."""
    base = f.models["base_a"]
    config, params, units = tf.split_experts(base.config, base.params, f.rng("split"))
    model = f.tune(base.but(params, config), "docs", "split")
    text = "LLaMA-MoE: every MLP's units dealt to 4 experts at random, down x2, new router, then trained on docs"
    return Made(model, text, "experts are disjoint slices of one FFN", {"expert_units": units})


# Members: vocabulary and parts ----------------------------------------------------------------------------------------


@member("derived", ["base_a"], BOTH)
def vocab_ext(f):
    """An eighth more tokens, learned from code, then fine-tuned on code."""
    base, extra = f.models["base_a"], f.args.vocab // 8
    tokenizer = corpus.extend_tokenizer(base.tokenizer, f.texts["code"], extra)
    config, params = tf.extend_vocabulary(base.config, base.params, extra, f.rng("vocab"))
    model = f.tune(base.but(params, config, tokenizer), "code", "vocab-ext")
    text = f"vocabulary extended by {extra} tokens (mean init), then fine-tuned on code"
    return Made(model, text, recipe={"extra": extra})


@member("derived", ["base_a"])
def tok_swap(f):
    """base_a's body under another tokenizer."""
    base = f.models["base_a"]
    tokenizer = corpus.train_tokenizer(f.texts["code"], f.args.vocab)
    old, new = base.tokenizer.get_vocab(), tokenizer.get_vocab()
    shared = sorted(set(old) & set(new))
    fresh = models.init(base.config, f.args.seed, "tok-swap")
    params = tf.swap_vocabulary(base.params, fresh, [old[s] for s in shared], [new[s] for s in shared])
    model = f.tune(base.but(params, tokenizer=tokenizer), "docs", "tok-swap")
    text = f"tokenizer replaced; rows of the {len(shared)} shared strings copied, the rest re-initialised; then trained"
    return Made(model, text, "body derives, tokenizer does not", {"shared_strings": len(shared)})


@member("partial", ["base_a"])
def embed_reuse(f):
    """base_a's embedding and head around a new body."""
    base = f.models["base_a"]
    tensors = f.fresh("f").params | {models.HEAD: base.params[models.HEAD]}
    frozen = {models.EMBED: base.params[models.EMBED]}
    del tensors[models.EMBED]
    model = f.pretrain(base, "docs", "embed-reuse", f.args.steps // 2, trained=tensors, frozen=frozen)
    text = "base_a's embedding (frozen) and head (trained on) under a new random body"
    return Made(base.but(model.params | frozen), text, "only the embedding derives")


@member("derived", ["base_a"])
def embed_replaced(f):
    """base_a's body between a new embedding and a new head."""
    base = f.models["base_a"]
    fresh = f.fresh("h").params
    params = base.params | {k: fresh[k] for k in (models.EMBED, models.HEAD)}
    model = f.pretrain(base.but(params), "docs", "embed-replaced", f.args.steps // 2)
    text = "embedding and head re-initialised, body of base_a kept; then trained at full rate, half the base's steps"
    return Made(model, text, "only the body derives")


@member("distilled", ["base_a"])
def distilled(f):
    """Fresh weights that only ever saw base_a's predictions."""
    teacher = {f"teacher.{k}": v for k, v in f.models["base_a"].params.items()}
    model = f.pretrain(f.fresh("g"), "docs", "distil", loss=training.distil_loss, frozen=teacher)
    text = "fresh weights (seed g) trained only on base_a's soft labels"
    return Made(model, text, "no weight lineage; behaviour derives")


# Members: precision and noise -----------------------------------------------------------------------------------------


@member("derived", ["base_a"], BOTH)
def int8_dq(f):
    """Quantised to 8 bits per row, and back."""
    model = f.models["base_a"].but(tf.body(f.models["base_a"].params, tf.int8))
    return Made(model, "int8 per-row quantise-dequantise", "body matrices only", {"bits": 8}, dtype="f32")


@member("derived", ["base_a"])
def int4_dq(f):
    """Quantised to 4 bits per group of 32, and back."""
    model = f.models["base_a"].but(tf.body(f.models["base_a"].params, tf.int4))
    return Made(model, "int4 group-32 quantise-dequantise", "body matrices only", {"bits": 4, "group": 32}, dtype="f32")


@member("derived", ["base_a"], BOTH)
def noise_10(f):
    """Noise, no training."""
    model = f.models["base_a"].but(tf.add_noise(f.models["base_a"].params, f.rng("noise")))
    return Made(model, "gaussian noise, 10 % of each matrix's std", recipe={"share": 0.1})


@member("derived", ["base_a"])
def cast_bf16(f):
    """Stored in bfloat16."""
    return Made(f.models["base_a"], "bf16 cast", dtype="bf16")


@member("derived", ["base_a"], BOTH)
def cast_f16(f):
    """Stored in half precision."""
    return Made(f.models["base_a"], "f16 cast", dtype="f16")


@member("derived", ["base_a"], same_function_as="base_a")
def sharded(f):
    """base_a in three files."""
    return Made(f.models["base_a"], "same tensors in 3 shards with an index", write=plain_writer(shards=3))


# Members: re-parametrised ---------------------------------------------------------------------------------------------


def reshaped(f, change, purpose):
    """base_a under a transform (config, params, rng) -> params that leaves its function the same."""
    base = f.models["base_a"]
    return base.but(change(base.config, base.params, f.rng(purpose)))


def obfuscated(f, purpose, with_signs):
    """base_a under everything at once."""
    base = f.models["base_a"]
    config, params = tf.obfuscate(base.config, base.params, f.rng(purpose), with_signs)
    return base.but(params, config)


@member("derived", ["base_a"], BOTH, same_function_as="base_a")
def obf_perm(f):
    """Permuted."""
    if f.config.style == "gpt2":
        return Made(reshaped(f, tf.gpt2_permute, "perm"), "MLP units and heads permuted")
    return Made(reshaped(f, tf.permute, "perm"), "FFN neurons, heads and residual channels permuted")


@member("derived", ["base_a"])
def obf_perm_ft(f):
    """Permuted, then fine-tuned on code."""
    return Made(f.tune(f.models["obf_perm"], "code", "perm-ft"), "obf_perm, then fine-tuned on code")


@member("derived", ["base_a"], same_function_as="base_a")
def obf_rot(f):
    """The residual stream rotated."""
    text = "random orthogonal rotation of the residual stream, norm gains folded (all 1)"
    return Made(reshaped(f, tf.rotate, "rot"), text)


@member("derived", ["base_a"], same_function_as="base_a")
def obf_scale(f):
    """Scaled wherever a scale is free."""
    base = f.models["base_a"]
    config, params = tf.rescale(base.config, base.params, f.rng("scale"))
    text = "neuron, head, norm and residual rescaling; q/k RoPE-plane turns; v/o basis change"
    return Made(base.but(params, config), text, "rms_norm_eps is x9 with the residual stream x3")


@member("derived", ["base_a"], same_function_as="base_a")
def obf_sign(f):
    """Signs flipped wherever a sign is free."""
    text = "random joint sign flips of FFN units (up+down), value/output dimensions and residual coordinates"
    return Made(reshaped(f, tf.flip_signs, "sign"), text)


@member("derived", ["base_a"], same_function_as="base_a")
def obf_all(f):
    """Permuted, rescaled, rotated."""
    text = "permutations + rescaling + v/o basis change + residual rotation"
    return Made(obfuscated(f, "all", False), text, "rms_norm_eps is x9 with the residual stream x3")


@member("derived", ["base_a"], same_function_as="base_a")
def obf_all_sign(f):
    """Permuted, rescaled, signs flipped, rotated."""
    text = "permutations + rescaling + v/o basis change + sign flips + residual rotation"
    return Made(obfuscated(f, "all-sign", True), text, "silences sign tests; rms_norm_eps is x9")


@member("derived", ["base_a"])
def obf_all_ft(f):
    """Permuted, rescaled, rotated, then fine-tuned on code."""
    return Made(f.tune(f.models["obf_all"], "code", "all-ft"), "obf_all, then fine-tuned on code", "hardest positive")


# Members: other names and files ---------------------------------------------------------------------------------------


@member("derived", ["ft_code"], BOTH, same_function_as="ft_code")
def renamed(f):
    """A re-badged fine-tune: tensor names and model type of its own."""
    model = f.models["ft_code"]
    names = tf.rename_map(model.params, tf.OWN_GPT2_NAMES if f.config.style == "gpt2" else tf.OWN_NAMES)
    back = {new: old for old, new in names.items()}
    return Made(
        model,
        "every tensor renamed, own model_type; weights of ft_code",
        renamed=names,
        write=plain_writer("acme", lambda p: {names[k]: w for k, w in p.items()}),
        read=lambda folder, _: {back[k]: w for k, w in storage.read_tensors(folder).items()},
    )


@member("derived", ["ft_code"], same_function_as="ft_code")
def fused_qkv(f):
    """A fine-tune in Phi-3's layout."""
    model = f.models["ft_code"]
    return Made(
        model,
        "qkv fused and gate/up fused (Phi-3 names); weights of ft_code",
        write=plain_writer("phi3", lambda p: tf.fuse(model.config, p)),
        read=lambda folder, m: tf.unfuse(m.config, storage.read_tensors(folder)),
    )


def as_gguf(f, kind):
    """base_a as a GGUF file, read back to be sure of the layout."""
    base = f.models["base_a"]

    def write(folder, model, _):
        storage.write_gguf(folder, model.config, model.params, model.tokenizer, "family base_a", kind)
        read = storage.gguf_params(folder, model.config)
        worst = max(np.abs(read[k] - w).max() / np.abs(w).max() for k, w in model.params.items())
        assert worst < {"F16": 1e-3, "Q8_0": 0.01, "Q4_0": 0.15}[kind], (kind, worst)

    return Made(base, f"GGUF {kind}, llama.cpp layout (q,k rows interleaved)", write=write, judged=False)


@member("derived", ["base_a"])
def gguf_f16(f):
    """GGUF, half precision."""
    return as_gguf(f, "F16")


@member("derived", ["base_a"])
def gguf_q8_0(f):
    """GGUF, 8 bits."""
    return as_gguf(f, "Q8_0")


@member("derived", ["base_a"])
def gguf_q4_0(f):
    """GGUF, 4 bits."""
    return as_gguf(f, "Q4_0")


def arguments():
    """The command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    sizes = {"hidden": 64, "layers": 4, "heads": 4, "kv-heads": 2, "ffn": 176, "vocab": 512, "seq": 96, "batch": 12}
    for name, value in sizes.items():
        parser.add_argument(f"--{name}", type=int, default=value)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--steps", type=int, default=250, help="steps of a base")
    parser.add_argument("--ft-steps", type=int, default=80, help="steps of a fine-tune")
    parser.add_argument("--rate", type=float, default=3e-3, help="peak learning rate of a base")
    parser.add_argument("--ft-rate", type=float, default=8e-4, help="peak learning rate of a fine-tune")
    parser.add_argument("--style", choices=BOTH, default="llama")
    parser.add_argument("--dtype", choices=list(tf.DTYPES), default="f32", help="of members not about precision")
    parser.add_argument("--corpus-shift", type=int, default=0, help="which slice of the machine's text")
    parser.add_argument("--out", required=True)
    return parser.parse_args()


def main():
    """Make the family."""
    family = Family(arguments())
    for name, make, relation, parents, styles, same in MEMBERS:
        if family.args.style in styles:
            family.add(name, make(family), relation, parents, same)
    family.log(f"done: {len(family.entries)} members, {sum(e['bytes'] for e in family.entries) / 1e6:.1f} MB")


if __name__ == "__main__":
    main()
