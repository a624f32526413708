"""What `training.py` measures: three trainings, each in lucid, PyTorch, and JAX with optax.

Models and steps of lucid and PyTorch are the same code, given the one library or the other. All
start from the weights that lucid draws, and see the same batches. The trainings are those of
`examples/train_*.py`, without dropout, whose random numbers no two libraries share, and at a
constant rate.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from pydoc_data.topics import topics
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
import pandas as pd
import torch
from plotnine.data import diamonds
from sklearn.datasets import load_digits

import lucid

__all__ = ["TRAININGS", "Training"]

Epoch = Callable[[], list[float]]  # trains on all batches once, and returns the losses


@dataclass
class Training:
    """One training.

    Attributes:
        name: what the table calls it.
        batches: inputs and targets, as NumPy arrays.
        share: which part of an epoch the batches are.
        model: makes the model, of lucid or PyTorch.
        loss: of predictions and targets, given the library's functions.
        jax_model: makes predictions, and new buffers, of parameters, buffers and inputs.
        jax_loss: of predictions and targets.
        rate: of AdamW.
    """

    name: str
    batches: list[tuple[Any, Any]]
    share: float
    model: Callable[[Any], Any]
    loss: Callable[[Any, Any, Any], Any]
    jax_model: Callable[[Any, Any, Any], tuple[Any, Any]]
    jax_loss: Callable[[Any, Any], Any]
    rate: float

    def cases(self, compilers: bool) -> dict[str, Epoch]:
        """Return the training of an epoch, by library; all begin with the same weights."""
        lucid.random.seed(0)
        own = self.model(lucid)
        weights = {name: np.array(value) for name, value in own.state_dict().items()}
        own_batches = [(lucid.asarray(x), lucid.asarray(y)) for x, y in self.batches]
        torch_batches = [(torch.tensor(x), torch.tensor(y)) for x, y in self.batches]
        found = {
            "lucid": _epoch(self._step(lucid, own, lucid.jit), own_batches),
            "JAX + optax": self._jax_epoch(dict(weights), set(dict(own.named_buffers()))),
            "PyTorch": _epoch(self._torch_step(weights, False), torch_batches),
        }
        if compilers:
            found["torch.compile"] = _epoch(self._torch_step(weights, True), torch_batches)
        return found

    def _step(self, library: Any, model: Any, compiled: Any = None, forward: Any = None) -> Any:
        """Return the training step of lucid or PyTorch."""
        more = {"fused": True} if library is torch else {}
        optimizer = library.optim.AdamW(model.parameters(), lr=self.rate, weight_decay=0.01, **more)

        def objective(x: Any, y: Any) -> Any:
            return self.loss(library.nn.functional, model(x), y)

        objective = forward(objective) if forward else objective

        def step(x: Any, y: Any) -> Any:
            loss = objective(x, y)
            loss.backward()
            optimizer.step()
            optimizer.zero_grad()
            return loss.detach()

        return compiled(step) if compiled else step

    def _torch_step(self, weights: dict[str, Any], compiled: bool) -> Any:
        model = self.model(torch)
        model.load_state_dict({name: torch.tensor(value) for name, value in weights.items()})
        return self._step(torch, model, forward=torch.compile if compiled else None)

    def _jax_epoch(self, weights: dict[str, Any], buffers: set[str]) -> Epoch:
        rule = optax.adamw(self.rate, weight_decay=0.01)

        def loss(params: Any, kept: Any, x: Any, y: Any) -> Any:
            predicted, kept = self.jax_model(params, kept, x)
            return self.jax_loss(predicted, y), kept

        def update(params: Any, kept: Any, state: Any, x: Any, y: Any) -> Any:
            (value, kept), grads = jax.value_and_grad(loss, has_aux=True)(params, kept, x, y)
            updates, state = rule.update(grads, state, params)
            return optax.apply_updates(params, updates), kept, state, value

        step = jax.jit(update, donate_argnums=(0, 1, 2))
        params = {name: jnp.array(v) for name, v in weights.items() if name not in buffers}
        kept = {name: jnp.array(v) for name, v in weights.items() if name in buffers}
        now = [params, kept, rule.init(params)]
        batches = [(jnp.asarray(x), jnp.asarray(y)) for x, y in self.batches]

        def epoch() -> list[float]:
            losses = []
            for x, y in batches:
                *now[:], value = step(*now, x, y)
                losses.append(value)
            return [float(value) for value in losses]

        return epoch


def _epoch(step: Callable[[Any, Any], Any], batches: list[tuple[Any, Any]]) -> Epoch:
    def epoch() -> list[float]:
        losses = [step(x, y) for x, y in batches]
        return [loss.item() for loss in losses]

    return epoch


def _jax_cross_entropy(smoothing: float) -> Callable[[Any, Any], Any]:
    def loss(scores: Any, y: Any) -> Any:
        shares = jax.nn.log_softmax(scores)
        at = jnp.take_along_axis(shares, y[..., None], -1)[..., 0]
        return -((1 - smoothing) * at + smoothing * shares.mean(-1)).mean()

    return loss


# -- digits ----------------------------------------------------------------------------------------


def digits() -> Training:
    """The convolutional network on four fifths of the digits."""
    images, numbers = load_digits(return_X_y=True)
    rows = np.random.default_rng(0).permutation(1437)
    x, y = (images[rows] / 16).astype(np.float32).reshape((-1, 1, 8, 8)), numbers[rows]
    width, batch = 16, 64

    def model(library: Any) -> Any:
        nn = library.nn

        def convolution(n: int, m: int) -> list[Any]:
            return [nn.Conv2d(n, m, 3, padding=1, bias=False), nn.BatchNorm2d(m), nn.ReLU()]

        return nn.Sequential(
            *convolution(1, width),
            *convolution(width, 2 * width),
            nn.MaxPool2d(2),
            *convolution(2 * width, 4 * width),
            nn.MaxPool2d(2),
            nn.Flatten(),
            nn.Linear(16 * width, 10),
        )

    def jax_model(p: Any, kept: Any, x: Any) -> tuple[Any, Any]:
        # channels last, and maxima by reshaping: each makes XLA's code for processors faster
        kept, x = dict(kept), jnp.moveaxis(x, 1, 3)
        for convolution, norm, pooled in (("0", "1", False), ("3", "4", True), ("7", "8", True)):
            weight = jnp.transpose(p[f"{convolution}.weight"], (2, 3, 1, 0))
            layout = ("NHWC", "HWIO", "NHWC")
            x = jax.lax.conv_general_dilated(x, weight, (1, 1), "SAME", dimension_numbers=layout)
            x = jax.nn.relu(_jax_batch_norm(p, kept, norm, x))
            if pooled:
                n, h, w, c = x.shape
                x = x.reshape((n, h // 2, 2, w // 2, 2, c)).max((2, 4))
        x = jnp.moveaxis(x, 3, 1).reshape((len(x), -1))
        return _jax_affine(p, "12", x), kept

    return Training(
        "conv net, digits",
        [(x[k : k + batch], y[k : k + batch]) for k in range(0, len(x) - batch + 1, batch)],
        1.0,
        model,
        lambda f, scores, y: f.cross_entropy(scores, y, label_smoothing=0.1),
        jax_model,
        _jax_cross_entropy(0.1),
        1e-3,
    )


def _jax_batch_norm(p: Any, kept: Any, name: str, x: Any) -> Any:
    mean, var = x.mean((0, 1, 2)), x.var((0, 1, 2))
    count = x.size // x.shape[3]
    for key, new in (("mean", mean), ("var", var * count / (count - 1))):
        kept[f"{name}.running_{key}"] = 0.9 * kept[f"{name}.running_{key}"] + 0.1 * new
    kept[f"{name}.num_batches_tracked"] = kept[f"{name}.num_batches_tracked"] + 1
    factor = p[f"{name}.weight"] * jax.lax.rsqrt(var + 1e-5)
    return x * factor + (p[f"{name}.bias"] - mean * factor)


# -- characters ------------------------------------------------------------------------------------

_WIDTH, _HEADS, _BLOCKS, _CONTEXT = 128, 4, 3, 64


def chars() -> Training:
    """The GPT on 10 of the 204 batches of an epoch."""
    text = "\n".join(topics[key] for key in sorted(topics))
    alphabet, numbers = np.unique(list(text), return_inverse=True)
    train = numbers[: len(numbers) * 9 // 10]
    batch, count = 32, 10
    starts = np.random.default_rng(0).integers(0, len(train) - _CONTEXT, (count, batch, 1))
    pieces = train[starts + np.arange(_CONTEXT + 1)]
    characters = len(alphabet)

    def model(library: Any) -> Any:
        nn, block = library.nn, _block(library)
        blocks = [block() for _ in range(_BLOCKS)]
        last = [nn.LayerNorm(_WIDTH), nn.Linear(_WIDTH, characters)]
        return nn.Sequential(nn.Embedding(characters, _WIDTH), *blocks, *last)

    def jax_model(p: Any, kept: Any, x: Any) -> tuple[Any, Any]:
        x = p["0.weight"][x]
        for k in range(1, _BLOCKS + 1):
            x = _jax_block(p, f"{k}.", x)
        x = _jax_affine(p, f"{_BLOCKS + 2}", _jax_layer_norm(p, f"{_BLOCKS + 1}", x))
        return x, kept

    def loss(f: Any, scores: Any, y: Any) -> Any:
        return f.cross_entropy(scores.reshape((-1, characters)), y.reshape((-1,)))

    return Training(
        "GPT, characters",
        [(piece[:, :-1], piece[:, 1:]) for piece in pieces],
        count * batch * _CONTEXT / len(train),
        model,
        loss,
        jax_model,
        _jax_cross_entropy(0.0),
        1e-3,
    )


def _angles() -> tuple[Any, Any]:
    """Cosines and sines by which places rotate, of shape (context, half the width of a head)."""
    half = _WIDTH // _HEADS // 2
    angles = np.arange(_CONTEXT)[:, None] * 10000.0 ** (-np.arange(half) / half)
    return np.cos(angles).astype(np.float32), np.sin(angles).astype(np.float32)


def _block(library: Any) -> Any:
    """Return the class of blocks, of lucid or PyTorch."""
    nn = library.nn
    cos, sin = (library.asarray(x) for x in _angles())

    def rotated(x: Any) -> Any:
        a, b = x[..., : x.shape[-1] // 2], x[..., x.shape[-1] // 2 :]
        return library.concat([a * cos - b * sin, b * cos + a * sin], -1)

    class Block(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.norm1, self.norm2 = nn.LayerNorm(_WIDTH), nn.LayerNorm(_WIDTH)
            self.qkv, self.out = nn.Linear(_WIDTH, 3 * _WIDTH), nn.Linear(_WIDTH, _WIDTH)
            self.up, self.down = nn.Linear(_WIDTH, 4 * _WIDTH), nn.Linear(4 * _WIDTH, _WIDTH)

        def forward(self, x: Any) -> Any:
            n, length, _ = x.shape
            heads = self.qkv(self.norm1(x)).reshape((n, length, 3, _HEADS, _WIDTH // _HEADS))
            heads = library.moveaxis(heads, (2, 3), (0, 2))
            q, k, v = rotated(heads[0]), rotated(heads[1]), heads[2]
            y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            x = x + self.out(library.moveaxis(y, 1, 2).reshape((n, length, _WIDTH)))
            return x + self.down(nn.functional.gelu(self.up(self.norm2(x))))

    return Block


def _jax_affine(p: Any, name: str, x: Any) -> Any:
    return x @ p[f"{name}.weight"].T + p[f"{name}.bias"]


def _jax_layer_norm(p: Any, name: str, x: Any) -> Any:
    d = x - x.mean(-1, keepdims=True)
    normal = d * jax.lax.rsqrt((d * d).mean(-1, keepdims=True) + 1e-5)
    return normal * p[f"{name}.weight"] + p[f"{name}.bias"]


def _jax_block(p: Any, name: str, x: Any) -> Any:
    n, length, _ = x.shape
    cos, sin = _angles()

    def rotated(x: Any) -> Any:
        a, b = jnp.split(x, 2, -1)
        return jnp.concatenate([a * cos - b * sin, b * cos + a * sin], -1)

    heads = _jax_affine(p, f"{name}qkv", _jax_layer_norm(p, f"{name}norm1", x))
    heads = heads.reshape((n, length, 3, _HEADS, _WIDTH // _HEADS))
    q, k, v = jnp.moveaxis(heads, (2, 3), (0, 2))
    scores = rotated(q) @ rotated(k).mT / math.sqrt(_WIDTH // _HEADS)
    scores = jnp.where(jnp.tri(length, dtype=bool), scores, -jnp.inf)
    y = jnp.moveaxis(jax.nn.softmax(scores) @ v, 1, 2).reshape((n, length, _WIDTH))
    x = x + _jax_affine(p, f"{name}out", y)
    y = _jax_affine(p, f"{name}up", _jax_layer_norm(p, f"{name}norm2", x))
    return x + _jax_affine(p, f"{name}down", jax.nn.gelu(y, approximate=False))


# -- a table ---------------------------------------------------------------------------------------


def tabular() -> Training:
    """The network of three layers on four fifths of the diamonds."""
    x = pd.get_dummies(diamonds.drop(columns="price")).to_numpy(np.float32)
    y = np.log(diamonds["price"].to_numpy(np.float32))
    rows = np.random.default_rng(0).permutation(len(y))[: len(y) * 4 // 5]
    x, y = (x[rows] - x.mean(0)) / x.std(0), (y[rows] - y.mean()) / y.std()
    width, batch = 128, 128

    def model(library: Any) -> Any:
        nn = library.nn
        return nn.Sequential(
            nn.Linear(x.shape[1], width),
            nn.Tanh(),
            nn.Linear(width, width),
            nn.Tanh(),
            nn.Linear(width, 1),
            nn.Flatten(0),
        )

    def jax_model(p: Any, kept: Any, x: Any) -> tuple[Any, Any]:
        x = jnp.tanh(_jax_affine(p, "0", x))
        x = jnp.tanh(_jax_affine(p, "2", x))
        return _jax_affine(p, "4", x)[:, 0], kept

    return Training(
        "MLP, diamonds",
        [(x[k : k + batch], y[k : k + batch]) for k in range(0, len(x) - batch + 1, batch)],
        1.0,
        model,
        lambda f, predicted, y: f.mse_loss(predicted, y),
        jax_model,
        lambda predicted, y: ((predicted - y) ** 2).mean(),
        1e-3,
    )


TRAININGS: dict[str, Callable[[], Training]] = {
    "digits": digits,
    "chars": chars,
    "tabular": tabular,
}
