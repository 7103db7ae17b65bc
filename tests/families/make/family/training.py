"""AdamW with warm-up, cosine decay and clipping, written out so that the update rule is in plain sight."""

import math
from functools import partial

import jax
import jax.numpy as jnp
import numpy as np

from . import models

LORA_SCALE = 2.0
DECAY, BETA1, BETA2, CLIP = 0.1, 0.9, 0.95, 1.0


def next_token_loss(c, p, batch):
    """Mean cross-entropy of the next token."""
    logits = models.forward(c, p, batch[:, :-1])
    picked = jnp.take_along_axis(jax.nn.log_softmax(logits), batch[:, 1:, None], -1)
    return -picked.mean()


def lora_loss(c, p, batch):
    """Next-token loss of a frozen model with its low-rank adapters applied."""
    return next_token_loss(c, merge_lora(p), batch)


def merge_lora(p):
    """Parameters with every adapter pair folded into the matrix it belongs to."""
    merged = {k: v for k, v in p.items() if ".lora_" not in k}
    for name in p:
        if name.endswith(".lora_A.weight"):
            stem = name.removesuffix(".lora_A.weight")
            merged[stem + ".weight"] = p[stem + ".weight"] + LORA_SCALE * p[stem + ".lora_B.weight"] @ p[name]
    return merged


def distil_loss(c, p, batch):
    """Cross-entropy against a teacher's distribution; the teacher's tensors carry the prefix `teacher.`."""
    teacher = {k.removeprefix("teacher."): v for k, v in p.items() if k.startswith("teacher.")}
    target = jax.nn.softmax(models.forward(c, teacher, batch[:, :-1]))
    return -(target * jax.nn.log_softmax(models.forward(c, p, batch[:, :-1]))).sum(-1).mean()


def fresh_moments(p):
    """AdamW's state before the first step."""
    zeros = {k: jnp.zeros_like(v) for k, v in p.items()}
    return zeros, {k: jnp.zeros_like(v) for k, v in p.items()}, jnp.zeros((), jnp.int32)


def update(loss, c, trained, frozen, moments, batch, rate):
    """One AdamW step. Weight decay is on matrices only."""
    value, grads = jax.value_and_grad(lambda t: loss(c, {**frozen, **t}, batch))(trained)
    size = jnp.sqrt(sum(jnp.sum(g * g) for g in grads.values()))
    grads = {k: g * jnp.minimum(1.0, CLIP / (size + 1e-9)) for k, g in grads.items()}
    first, second, count = moments
    count = count + 1
    first = {k: BETA1 * first[k] + (1 - BETA1) * g for k, g in grads.items()}
    second = {k: BETA2 * second[k] + (1 - BETA2) * g * g for k, g in grads.items()}

    def moved(k, w):
        step = first[k] / (1 - BETA1**count) / (jnp.sqrt(second[k] / (1 - BETA2**count)) + 1e-8)
        return w - rate * (step + (DECAY * w if w.ndim >= 2 else 0.0))

    return {k: moved(k, w) for k, w in trained.items()}, (first, second, count), value


jitted_update = partial(jax.jit, static_argnums=(0, 1), donate_argnums=(2, 4))(update)


def rate_at(step, steps, peak):
    """Learning rate: a tenth of the run is warm-up, then a cosine to a tenth of the peak."""
    warm = max(1, steps // 10)
    if step < warm:
        return peak * (step + 1) / warm
    return peak * (0.1 + 0.45 * (1 + math.cos(math.pi * (step - warm) / max(1, steps - warm))))


def batches(tokens, steps, batch, seq, order):
    """Random windows; the seed `order` alone decides which and in what order."""
    rng = np.random.default_rng(order)
    for _ in range(steps):
        starts = rng.integers(0, len(tokens) - seq - 1, batch)
        yield tokens[starts[:, None] + np.arange(seq + 1)]


def train(c, params, tokens, *, steps, batch, order, peak, loss=next_token_loss, frozen=None):
    """Train every tensor of `params`; `frozen` tensors take part but stay. Returns parameters and the loss curve."""
    trained = {k: jnp.array(v) for k, v in params.items()}
    frozen = {k: jnp.array(v) for k, v in (frozen or {}).items()}
    moments, curve = fresh_moments(trained), []
    for i, rows in enumerate(batches(tokens, steps, batch, c.seq, order)):
        trained, moments, value = jitted_update(loss, c, trained, frozen, moments, rows, rate_at(i, steps, peak))
        curve.append(value)
    return {k: np.asarray(v) for k, v in trained.items()}, [float(v) for v in curve]


@partial(jax.jit, static_argnums=0)
def batch_loss(c, p, batch):
    """Compiled next-token loss."""
    return next_token_loss(c, p, batch)


@partial(jax.jit, static_argnums=0)
def logits(c, p, tokens):
    """Compiled forward pass."""
    return models.forward(c, p, tokens)


def heldout_loss(c, params, tokens):
    """Loss on 32 evenly spaced windows of held-out text."""
    starts = np.linspace(0, len(tokens) - c.seq - 2, 32).astype(int)
    return float(batch_loss(c, params, tokens[starts[:, None] + np.arange(c.seq + 1)]))
