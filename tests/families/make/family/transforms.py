"""What people do to a model's weights, one function each. Llama-style unless the name says otherwise.

Every transform takes parameters (and what else it needs) and returns new ones; none changes its input. Those that
re-parametrise (`permute`, `rescale`, `rotate`, `flip_signs`) leave the function the same.
"""

import ml_dtypes
import numpy as np

from .models import EMBED, HEAD, NORM, attn, expert, mlp, norm_in, norm_post, router


def is_body_matrix(name, w):
    """A matrix inside the layers: what pruning and quantisation touch."""
    return w.ndim == 2 and ("layers." in name or ".h." in name)


def wide(p):
    """Copies in double precision, so that a re-parametrisation loses nothing before the last cast."""
    return {k: np.array(v, np.float64) for k, v in p.items()}


def narrow(p):
    """Back to single precision."""
    return {k: np.ascontiguousarray(v, dtype=np.float32) for k, v in p.items()}


# Symmetries -----------------------------------------------------------------------------------------------------------


def writers(c):
    """(name, axis) of every matrix that writes to the residual stream."""
    return [(EMBED, 1)] + [(attn(i, "o"), 0) for i in range(c.layers)] + [(mlp(i, "down"), 0) for i in range(c.layers)]


def readers(c, i):
    """Names of layer i's matrices that read the stream through its two norms, as (norm, names)."""
    return [(norm_in(i), [attn(i, m) for m in "qkv"]), (norm_post(i), [mlp(i, "gate"), mlp(i, "up")])]


def all_readers(c):
    """Every (norm, names) pair of the model, head last."""
    return [pair for i in range(c.layers) for pair in readers(c, i)] + [(NORM, [HEAD])]


def permute(c, p, rng):
    """FFN units, key-value groups, query heads inside a group, and residual coordinates in a random order."""
    p = wide(p)
    for i in range(c.layers):
        permute_units(p, i, rng.permutation(c.ffn))
        permute_heads(c, p, i, rng)
    order = rng.permutation(c.hidden)
    for name, axis in writers(c):
        p[name] = p[name].take(order, axis)
    for norm, names in all_readers(c):
        p[norm] = p[norm][order]
        p.update({n: p[n][:, order] for n in names})
    return narrow(p)


def permute_units(p, i, order):
    """Layer i's FFN units in another order."""
    p[mlp(i, "gate")], p[mlp(i, "up")] = p[mlp(i, "gate")][order], p[mlp(i, "up")][order]
    p[mlp(i, "down")] = p[mlp(i, "down")][:, order]


def permute_heads(c, p, i, rng):
    """Layer i's key-value groups, and the query heads inside each, in another order."""
    group, dim = c.heads // c.kv_heads, c.head_dim
    groups = rng.permutation(c.kv_heads)
    heads = np.concatenate([g * group + rng.permutation(group) for g in groups])
    rows = (heads[:, None] * dim + np.arange(dim)).ravel()
    kv_rows = (groups[:, None] * dim + np.arange(dim)).ravel()
    p[attn(i, "q")], p[attn(i, "o")] = p[attn(i, "q")][rows], p[attn(i, "o")][:, rows]
    p[attn(i, "k")], p[attn(i, "v")] = p[attn(i, "k")][kv_rows], p[attn(i, "v")][kv_rows]


RESIDUAL_SCALE = 3.0


def rescale(c, p, rng):
    """Free scales everywhere: FFN units, heads, norm gains against their readers, the whole residual stream (the norm's
    epsilon goes with its square, or the function would change); q/k turned in their RoPE planes, v/o basis changed."""
    p = wide(p)
    for i in range(c.layers):
        scale_units(c, p, i, rng)
        turn_query_key(c, p, i, rng)
        change_value_basis(c, p, i, rng)
        for norm, names in readers(c, i):
            by = spread(rng, c.hidden)
            p[norm] = p[norm] * by
            p.update({n: p[n] / by for n in names})
    for name, _ in writers(c):
        p[name] = p[name] * RESIDUAL_SCALE
    return c.but(eps=c.eps * RESIDUAL_SCALE**2), narrow(p)


def spread(rng, size):
    """Random scales between a third and three."""
    return 3.0 ** rng.uniform(-1, 1, size)


def scale_units(c, p, i, rng):
    """Layer i's up rows times a scale, its down columns divided by it."""
    by = spread(rng, c.ffn)
    p[mlp(i, "up")] = p[mlp(i, "up")] * by[:, None]
    p[mlp(i, "down")] = p[mlp(i, "down")] / by


def turn_query_key(c, p, i, rng):
    """Per key-value group: every RoPE plane of q and k turned by one angle, q scaled up and k down."""
    half, group = c.head_dim // 2, c.heads // c.kv_heads
    for g in range(c.kv_heads):
        angle, by = rng.uniform(0, 2 * np.pi, half), spread(rng, 1)
        cos, sin = np.diag(np.cos(angle)), np.diag(np.sin(angle))
        turn = np.block([[cos, -sin], [sin, cos]])
        p[attn(i, "k")][block(c, g)] = turn @ p[attn(i, "k")][block(c, g)] / by
        for head in range(g * group, (g + 1) * group):
            p[attn(i, "q")][block(c, head)] = turn @ p[attn(i, "q")][block(c, head)] * by


def change_value_basis(c, p, i, rng):
    """Per key-value group: v in another (not orthogonal) basis, o undoing it."""
    group = c.heads // c.kv_heads
    for g in range(c.kv_heads):
        basis = orthogonal(rng, c.head_dim) * spread(rng, c.head_dim) @ orthogonal(rng, c.head_dim)
        p[attn(i, "v")][block(c, g)] = basis @ p[attn(i, "v")][block(c, g)]
        for head in range(g * group, (g + 1) * group):
            p[attn(i, "o")][:, block(c, head)] = p[attn(i, "o")][:, block(c, head)] @ np.linalg.inv(basis)


def block(c, head):
    """The rows of one head."""
    return slice(head * c.head_dim, (head + 1) * c.head_dim)


def orthogonal(rng, size):
    """A Haar-random orthogonal matrix."""
    q, r = np.linalg.qr(rng.normal(size=(size, size)))
    return q * np.sign(np.diag(r))


def rotate(c, p, rng):
    """Norm gains folded into their readers (all gains become one), then the residual stream turned at random."""
    p = wide(p)
    for norm, names in all_readers(c):
        p.update({n: p[n] * p[norm] for n in names})
        p[norm] = np.ones_like(p[norm])
    turn = orthogonal(rng, c.hidden)
    for name, axis in writers(c):
        p[name] = p[name] @ turn if axis == 1 else turn.T @ p[name]
    for _, names in all_readers(c):
        p.update({n: p[n] @ turn for n in names})
    return narrow(p)


def flip_signs(c, p, rng):
    """Random joint signs of FFN units (up and down), value/output dimensions and residual coordinates."""
    p = wide(p)
    group = c.heads // c.kv_heads
    for i in range(c.layers):
        unit = signs(rng, c.ffn)
        p[mlp(i, "up")], p[mlp(i, "down")] = p[mlp(i, "up")] * unit[:, None], p[mlp(i, "down")] * unit
        value = signs(rng, c.kv_heads * c.head_dim)
        per_head = np.repeat(value.reshape(c.kv_heads, 1, c.head_dim), group, 1).ravel()
        p[attn(i, "v")], p[attn(i, "o")] = p[attn(i, "v")] * value[:, None], p[attn(i, "o")] * per_head
    coordinate = signs(rng, c.hidden)
    for name, axis in writers(c):
        p[name] = p[name] * (coordinate if axis == 1 else coordinate[:, None])
    for _, names in all_readers(c):
        p.update({n: p[n] * coordinate for n in names})
    return narrow(p)


def signs(rng, size):
    """Random signs."""
    return rng.choice([-1.0, 1.0], size)


def obfuscate(c, p, rng, with_signs=False):
    """Permutations, rescaling, v/o basis change, if asked signs, and a residual rotation, one after the other."""
    c, p = rescale(c, permute(c, p, rng), rng)
    if with_signs:
        p = flip_signs(c, p, rng)
    return c, rotate(c, p, rng)


def gpt2_permute(c, p, rng):
    """GPT-2 style: MLP units and attention heads in a random order."""
    p = dict(p)
    for i in range(c.layers):
        at = f"transformer.h.{i}."
        units = rng.permutation(c.ffn)
        heads = (rng.permutation(c.heads)[:, None] * c.head_dim + np.arange(c.head_dim)).ravel()
        fused = np.concatenate([heads, heads + c.hidden, heads + 2 * c.hidden])
        for name, order in (("mlp.c_fc", units), ("attn.c_attn", fused)):
            for part in ("weight", "bias"):
                p[f"{at}{name}.{part}"] = p[f"{at}{name}.{part}"][..., order]
        p[f"{at}mlp.c_proj.weight"] = p[f"{at}mlp.c_proj.weight"][units]
        p[f"{at}attn.c_proj.weight"] = p[f"{at}attn.c_proj.weight"][heads]
    return narrow(p)


# Depth, width, experts ------------------------------------------------------------------------------------------------


def layer_of(name):
    """The number of the layer a tensor belongs to, or None."""
    parts = name.split(".")
    return next((int(b) for a, b in zip(parts, parts[1:]) if a in ("layers", "h") and b.isdigit()), None)


def in_layer(name, i):
    """The same name in layer i."""
    return name.replace(f".{layer_of(name)}.", f".{i}.", 1)


def take_layers(sources, layer_map):
    """A model whose layer j is layer `layer_map[j]` of `sources[j]`; everything else comes from the first source."""
    p = {k: v for k, v in sources[0].items() if layer_of(k) is None}
    for j, (source, i) in enumerate(zip(sources, layer_map)):
        p.update({in_layer(k, j): v for k, v in source.items() if layer_of(k) == i})
    return p


def fewer_layers(layers):
    """Which layers depth pruning keeps: a quarter goes, from just before the last."""
    gone = -(-layers // 4)
    return list(range(layers - 1 - gone)) + [layers - 1]


def more_layers(layers):
    """SOLAR's layer map: the model twice, less the last quarter of the first copy and the first of the second."""
    cut = -(-layers // 4)
    return list(range(layers - cut)) + list(range(cut, layers))


def best(scores, count):
    """Indices of the highest scores, in ascending order."""
    return np.sort(np.argsort(scores)[-count:])


def prune_width(c, p, hidden, ffn):
    """The strongest residual coordinates and FFN units kept, in order. Returns config, parameters, what was kept."""
    power = sum((p[n] ** 2).sum(1 - axis) for n, axis in writers(c))
    channels, units = best(power, hidden), []
    p = dict(p)
    for i in range(c.layers):
        strength = [(p[mlp(i, m)] ** 2).sum(1) for m in ("gate", "up")] + [(p[mlp(i, "down")] ** 2).sum(0)]
        units.append(best(np.prod(strength, 0), ffn))
        permute_units(p, i, units[-1])
    for name, axis in writers(c):
        p[name] = p[name].take(channels, axis)
    for norm, names in all_readers(c):
        p[norm] = p[norm][channels]
        p.update({n: p[n][:, channels] for n in names})
    kept = {"kept_hidden": channels.tolist(), "kept_ffn": [u.tolist() for u in units]}
    return c.but(hidden=hidden, ffn=ffn), narrow(p), kept


def upcycle(c, p, rng, experts=4, top_k=2):
    """Every MLP copied into each expert of a Mixtral-style layer, with a new router."""
    whole = [[np.arange(c.ffn)] * experts] * c.layers
    return c.but(experts=experts, top_k=top_k), to_experts(c, p, rng, whole, 1.0)


def split_experts(c, p, rng, experts=4, top_k=2):
    """LLaMA-MoE: each MLP's units dealt to experts at random, none twice; outputs scaled by experts/top_k.
    Returns config, parameters, and the units of every expert."""
    deals = [np.sort(rng.permutation(c.ffn).reshape(experts, -1), 1) for _ in range(c.layers)]
    params = to_experts(c, p, rng, deals, experts / top_k)
    return c.but(ffn=c.ffn // experts, experts=experts, top_k=top_k), params, [d.tolist() for d in deals]


def to_experts(c, p, rng, units, down_scale):
    """Replace every MLP by experts made of the listed units (layer, expert, unit)."""
    p = dict(p)
    for i in range(c.layers):
        gate, up, down = (p.pop(mlp(i, m)) for m in ("gate", "up", "down"))
        p[router(i)] = (rng.normal(size=(len(units[i]), c.hidden)) * 0.02).astype(np.float32)
        for e, mine in enumerate(units[i]):
            p[expert(i, e, "w1")], p[expert(i, e, "w3")] = gate[mine], up[mine]
            p[expert(i, e, "w2")] = down[:, mine] * np.float32(down_scale)
    return p


# Merges ---------------------------------------------------------------------------------------------------------------


def linear(a, b, weight):
    """`weight` of a and the rest of b."""
    return narrow({k: weight * a[k] + (1 - weight) * b[k] for k in a})


def slerp(a, b, t):
    """Spherical interpolation per tensor."""

    def one(x, y):
        cosine = np.clip((x * y).sum() / (np.linalg.norm(x) * np.linalg.norm(y)), -1, 1)
        angle = np.arccos(cosine)
        if angle < 1e-4:
            return (1 - t) * x + t * y
        return (np.sin((1 - t) * angle) * x + np.sin(t * angle) * y) / np.sin(angle)

    return narrow({k: one(np.float64(a[k]), np.float64(b[k])) for k in a})


def dare(base, children, weights, drop, rng):
    """Each child's delta thinned at random and scaled up, then added to the base."""
    out = dict(base)
    for child, weight in zip(children, weights):
        for k in out:
            keep = rng.random(base[k].shape) >= drop
            out[k] = out[k] + weight * keep * (child[k] - base[k]) / (1 - drop)
    return narrow(out)


def ties(base, children, density, scale):
    """Trim each delta to its largest entries, elect a sign per entry, average those that agree."""

    def one(k):
        deltas = np.stack([trim(child[k] - base[k], density) for child in children])
        elected = np.sign(deltas.sum(0))
        agree = (np.sign(deltas) == elected) & (deltas != 0)
        return base[k] + scale * (deltas * agree).sum(0) / np.maximum(agree.sum(0), 1)

    return narrow({k: one(k) for k in base})


def trim(delta, density):
    """The largest `density` share of entries; the rest zero."""
    return np.where(np.abs(delta) >= np.quantile(np.abs(delta), 1 - density), delta, 0.0)


# Pruning, precision, noise --------------------------------------------------------------------------------------------


def prune_magnitude(p, share=0.5):
    """The smallest entries of every body matrix set to zero."""
    return narrow({k: trim(w, 1 - share) if is_body_matrix(k, w) else w for k, w in p.items()})


def int8(w):
    """Rounded to 255 levels per row, and back."""
    step = np.abs(w).max(1, keepdims=True) / 127
    return np.round(w / step) * step


def int4(w, group=32):
    """Rounded to 15 levels per group along a row, and back."""
    parts = [w[:, i : i + group] for i in range(0, w.shape[1], group)]
    steps = [np.maximum(np.abs(x).max(1, keepdims=True), 1e-12) / 7 for x in parts]
    return np.concatenate([np.round(x / s) * s for x, s in zip(parts, steps)], 1)


def body(p, change):
    """`change` applied to every body matrix."""
    return narrow({k: change(w) if is_body_matrix(k, w) else w for k, w in p.items()})


def add_noise(p, rng, share=0.1):
    """Gaussian noise with a share of each matrix's own deviation."""
    return narrow({k: w + rng.normal(size=w.shape) * share * w.std() if w.ndim == 2 else w for k, w in p.items()})


DTYPES = {"f32": np.float32, "f16": np.float16, "bf16": ml_dtypes.bfloat16}


def rounded(p, dtype):
    """Values as they come back from a file of that type."""
    return narrow({k: w.astype(DTYPES[dtype]) for k, w in p.items()})


# Vocabulary -----------------------------------------------------------------------------------------------------------


def vocabulary_tables(c):
    """Names of the tables with one row per token."""
    return ["transformer.wte.weight"] if c.style == "gpt2" else [EMBED, HEAD]


def extend_vocabulary(c, p, extra, rng):
    """New rows at the mean of the old ones, with a little noise."""
    p = dict(p)
    for name in vocabulary_tables(c):
        w = p[name]
        fresh = w.mean(0) + rng.normal(size=(extra, w.shape[1])) * 0.1 * w.std()
        p[name] = np.concatenate([w, fresh]).astype(np.float32)
    return c.but(vocab=c.vocab + extra), p


def swap_vocabulary(p, fresh, old_ids, new_ids):
    """Rows of shared strings moved to their new ids; all other rows from fresh tables."""
    p = dict(p)
    for name in (EMBED, HEAD):
        table = fresh[name].copy()
        table[new_ids] = p[name][old_ids]
        p[name] = table
    return p


# Names and layouts ----------------------------------------------------------------------------------------------------


OWN_NAMES = [
    ("model.embed_tokens", "transformer.wte"),
    ("model.norm", "transformer.ln_f"),
    ("lm_head", "output"),
    ("model.layers", "transformer.h"),
    ("input_layernorm", "ln1"),
    ("post_attention_layernorm", "ln2"),
    *((f"self_attn.{m}_proj", f"attn.w{m}") for m in "qkvo"),
    ("mlp.gate_proj", "ffn.w1"),
    ("mlp.down_proj", "ffn.w2"),
    ("mlp.up_proj", "ffn.w3"),
]
OWN_GPT2_NAMES = [
    ("transformer.wte", "model.tok_embeddings"),
    ("transformer.wpe", "model.pos_embeddings"),
    ("transformer.ln_f", "model.final_norm"),
    ("transformer.h", "model.blocks"),
    ("ln_1", "norm1"),
    ("ln_2", "norm2"),
    ("attn.c_attn", "mixer.in_proj"),
    ("attn.c_proj", "mixer.out_proj"),
    ("mlp.c_fc", "ff.expand"),
    ("mlp.c_proj", "ff.contract"),
]


def rename_map(p, pairs):
    """Old name -> new name."""
    renamed = {}
    for name in sorted(p):
        new = name
        for old_part, new_part in pairs:
            new = new.replace(old_part, new_part)
        renamed[name] = new
    return renamed


def fuse(c, p):
    """Phi-3's layout: q, k, v in one matrix, gate and up in another."""
    p = dict(p)
    for i in range(c.layers):
        p[f"model.layers.{i}.self_attn.qkv_proj.weight"] = np.concatenate([p.pop(attn(i, m)) for m in "qkv"])
        p[f"model.layers.{i}.mlp.gate_up_proj.weight"] = np.concatenate([p.pop(mlp(i, m)) for m in ("gate", "up")])
    return p


def unfuse(c, p):
    """The inverse of `fuse`."""
    p, q, kv = dict(p), c.heads * c.head_dim, c.kv_heads * c.head_dim
    for i in range(c.layers):
        qkv = np.split(p.pop(f"model.layers.{i}.self_attn.qkv_proj.weight"), [q, q + kv])
        p.update({attn(i, m): w for m, w in zip("qkv", qkv)})
        gate_up = np.split(p.pop(f"model.layers.{i}.mlp.gate_up_proj.weight"), 2)
        p.update({mlp(i, m): w for m, w in zip(("gate", "up"), gate_up)})
    return p
