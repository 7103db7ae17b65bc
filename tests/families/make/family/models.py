"""Llama-style (also mixture of experts) and GPT-2-style models; parameters are a flat dict under Hugging Face names."""

import zlib
from dataclasses import dataclass, replace

import jax
import jax.numpy as jnp
import numpy as np

EMBED, HEAD, NORM = "model.embed_tokens.weight", "lm_head.weight", "model.norm.weight"


@dataclass(frozen=True)
class Config:
    """The shape of a model."""

    style: str
    hidden: int
    layers: int
    heads: int
    kv_heads: int
    head_dim: int
    ffn: int
    vocab: int
    seq: int
    eps: float = 1e-5
    theta: float = 10000.0
    experts: int = 0
    top_k: int = 0

    def but(self, **changes):
        """The same shape with some fields changed."""
        return replace(self, **changes)


def attn(i, part):
    """Name of layer i's q, k, v or o projection."""
    return f"model.layers.{i}.self_attn.{part}_proj.weight"


def mlp(i, part):
    """Name of layer i's gate, up or down projection."""
    return f"model.layers.{i}.mlp.{part}_proj.weight"


def expert(i, e, part):
    """Name of one expert's matrix in Mixtral's terms: w1 gate, w2 down, w3 up."""
    return f"model.layers.{i}.block_sparse_moe.experts.{e}.{part}.weight"


def router(i):
    """Name of layer i's expert router."""
    return f"model.layers.{i}.block_sparse_moe.gate.weight"


def norm_in(i):
    """Name of the norm before attention."""
    return f"model.layers.{i}.input_layernorm.weight"


def norm_post(i):
    """Name of the norm before the MLP."""
    return f"model.layers.{i}.post_attention_layernorm.weight"


def llama_shapes(c):
    """Tensor name -> (shape, standard deviation at initialisation; None for gains of one)."""
    q, kv, deep = c.heads * c.head_dim, c.kv_heads * c.head_dim, (2 * c.layers) ** -0.5
    wide = c.hidden**-0.5
    shapes = {EMBED: ((c.vocab, c.hidden), 0.02), HEAD: ((c.vocab, c.hidden), wide), NORM: ((c.hidden,), None)}
    for i in range(c.layers):
        shapes[norm_in(i)] = shapes[norm_post(i)] = ((c.hidden,), None)
        shapes[attn(i, "q")] = ((q, c.hidden), wide)
        shapes[attn(i, "k")] = shapes[attn(i, "v")] = ((kv, c.hidden), wide)
        shapes[attn(i, "o")] = ((c.hidden, q), q**-0.5 * deep)
        shapes[mlp(i, "gate")] = shapes[mlp(i, "up")] = ((c.ffn, c.hidden), wide)
        shapes[mlp(i, "down")] = ((c.hidden, c.ffn), c.ffn**-0.5 * deep)
    return shapes


def gpt2_shapes(c):
    """As `llama_shapes`; Conv1D matrices are (in, out), biases start at zero (deviation 0), the head is tied."""
    h, wide, deep = c.hidden, c.hidden**-0.5, (2 * c.layers) ** -0.5
    shapes = {"transformer.wte.weight": ((c.vocab, h), 0.02), "transformer.wpe.weight": ((c.seq, h), 0.02)}
    for i in range(c.layers):
        at = f"transformer.h.{i}."
        for norm in ("ln_1", "ln_2"):
            shapes[f"{at}{norm}.weight"], shapes[f"{at}{norm}.bias"] = ((h,), None), ((h,), 0.0)
        for name, rows, cols, std in (
            ("attn.c_attn", h, 3 * h, wide),
            ("attn.c_proj", h, h, wide * deep),
            ("mlp.c_fc", h, c.ffn, wide),
            ("mlp.c_proj", c.ffn, h, c.ffn**-0.5 * deep),
        ):
            shapes[f"{at}{name}.weight"], shapes[f"{at}{name}.bias"] = ((rows, cols), std), ((cols,), 0.0)
    shapes["transformer.ln_f.weight"], shapes["transformer.ln_f.bias"] = ((h,), None), ((h,), 0.0)
    return shapes


def init(c, seed, letter):
    """Fresh parameters. The seed, the letter and the tensor's name decide every value."""
    shapes = gpt2_shapes(c) if c.style == "gpt2" else llama_shapes(c)
    params = {}
    for name, (shape, std) in shapes.items():
        rng = np.random.default_rng([seed, zlib.crc32(letter.encode()), zlib.crc32(name.encode())])
        params[name] = np.ones(shape, np.float32) if std is None else (rng.normal(size=shape) * std).astype(np.float32)
    return params


def forward(c, p, tokens):
    """Logits of a batch of token rows."""
    return gpt2_forward(c, p, tokens) if c.style == "gpt2" else llama_forward(c, p, tokens)


def llama_forward(c, p, tokens):
    """RMSNorm, rotary positions, grouped-query attention, SwiGLU, untied head."""
    x = p[EMBED][tokens]
    for i in range(c.layers):
        x = x + llama_attention(c, p, i, rms(x, p[norm_in(i)], c.eps))
        h = rms(x, p[norm_post(i)], c.eps)
        x = x + (mixture(c, p, i, h) if c.experts else swiglu(h, *(p[mlp(i, m)] for m in ("gate", "up", "down"))))
    return rms(x, p[NORM], c.eps) @ p[HEAD].T


def rms(x, gain, eps):
    """Root-mean-square norm."""
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * gain


def swiglu(h, gate, up, down):
    """Gated MLP."""
    return (jax.nn.silu(h @ gate.T) * (h @ up.T)) @ down.T


def mixture(c, p, i, h):
    """Mixtral's layer: softmax over experts, the best top_k re-normalised. All experts are computed."""
    weights = jax.nn.softmax(h @ p[router(i)].T, -1)
    floor = jax.lax.top_k(weights, c.top_k)[0][..., -1:]
    weights = jnp.where(weights >= floor, weights, 0.0)
    weights = weights / weights.sum(-1, keepdims=True)
    outputs = [swiglu(h, *(p[expert(i, e, w)] for w in ("w1", "w3", "w2"))) for e in range(c.experts)]
    return sum(weights[..., e : e + 1] * out for e, out in enumerate(outputs))


def rotary(x, theta):
    """Rotary positions, Hugging Face layout: coordinate j is paired with j + head_dim/2."""
    half = x.shape[-1] // 2
    angle = jnp.arange(x.shape[1])[:, None] * theta ** (-jnp.arange(half) / half)
    cos, sin = jnp.cos(angle)[:, None, :], jnp.sin(angle)[:, None, :]
    a, b = x[..., :half], x[..., half:]
    return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)


def llama_attention(c, p, i, h):
    """Grouped-query causal attention."""
    rows, length = h.shape[:2]
    q = rotary((h @ p[attn(i, "q")].T).reshape(rows, length, c.heads, c.head_dim), c.theta)
    k = rotary((h @ p[attn(i, "k")].T).reshape(rows, length, c.kv_heads, c.head_dim), c.theta)
    v = (h @ p[attn(i, "v")].T).reshape(rows, length, c.kv_heads, c.head_dim)
    group = c.heads // c.kv_heads
    return attend(q, jnp.repeat(k, group, 2), jnp.repeat(v, group, 2)) @ p[attn(i, "o")].T


def attend(q, k, v):
    """Causal softmax attention; heads are joined in the result."""
    rows, length, heads, dim = q.shape
    scores = jnp.einsum("bthd,bshd->bhts", q, k) * dim**-0.5
    scores = jnp.where(jnp.tril(jnp.ones((length, length), bool)), scores, -1e30)
    return jnp.einsum("bhts,bshd->bthd", jax.nn.softmax(scores, -1), v).reshape(rows, length, heads * dim)


def gpt2_forward(c, p, tokens):
    """LayerNorm with bias, learned positions, GELU (tanh form), tied head."""
    x = p["transformer.wte.weight"][tokens] + p["transformer.wpe.weight"][: tokens.shape[1]]
    for i in range(c.layers):
        at = f"transformer.h.{i}."
        x = x + gpt2_attention(c, p, at, layer_norm(p, at + "ln_1", x, c.eps))
        h = jax.nn.gelu(conv1d(p, at + "mlp.c_fc", layer_norm(p, at + "ln_2", x, c.eps)), approximate=True)
        x = x + conv1d(p, at + "mlp.c_proj", h)
    return layer_norm(p, "transformer.ln_f", x, c.eps) @ p["transformer.wte.weight"].T


def conv1d(p, name, x):
    """GPT-2's linear layer: the matrix is (in, out)."""
    return x @ p[name + ".weight"] + p[name + ".bias"]


def layer_norm(p, name, x, eps):
    """Layer norm with gain and bias."""
    x = x - x.mean(-1, keepdims=True)
    return x * jax.lax.rsqrt(jnp.mean(x * x, -1, keepdims=True) + eps) * p[name + ".weight"] + p[name + ".bias"]


def gpt2_attention(c, p, at, h):
    """Multi-head attention with fused q, k, v."""
    rows, length = h.shape[:2]
    q, k, v = jnp.split(conv1d(p, at + "attn.c_attn", h), 3, -1)
    q, k, v = (t.reshape(rows, length, c.heads, c.head_dim) for t in (q, k, v))
    return conv1d(p, at + "attn.c_proj", attend(q, k, v))
