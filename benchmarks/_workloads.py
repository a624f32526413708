"""What `compiled.py` measures: each workload in lucid, JAX and PyTorch, and some in MLX."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import jax
import jax.numpy as jnp
import mlx.core as mx
import numpy as np
import torch
import torch.nn.functional as torch_functional

import lucid
from lucid import functional, tree

__all__ = ["WORKLOADS", "Workload"]

Case = Callable[[], Any]


@dataclass
class Workload:
    """One workload.

    Attributes:
        name: what the table calls it.
        bar: how many times as long as the best other lucid may take.
        own, jax, torch, mlx: the functions with their arguments; of PyTorch eager code.
        value: what of a result is compared.
        against: another library whose quotient is shown as well.
        unrolled: whether PyTorch runs a loop of so many steps that torch.compile, which writes it
            out, does not come to an end in minutes.
    """

    name: str
    bar: float
    own: tuple[Callable[..., Any], tuple[Any, ...]]
    jax: tuple[Callable[..., Any], tuple[Any, ...]]
    torch: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
    mlx: tuple[Callable[..., Any], tuple[Any, ...]] | None = None
    value: Callable[[Any], Any] = field(default=lambda out: float(np.asarray(_first(out))))
    against: str | None = None
    rtol: float = 2e-3
    unrolled: bool = False

    def cases(self, compilers: bool) -> dict[str, Case]:
        """The functions to time, compiled where a library compiles."""
        own, args = lucid.jit(self.own[0]), tree.map(lucid.asarray, self.own[1])
        compiled, jax_args = jax.jit(self.jax[0]), jax.tree.map(jnp.asarray, self.jax[1])
        found: dict[str, Case] = {
            "lucid": lambda: own(*args),
            "jax.jit": lambda: jax.block_until_ready(compiled(*jax_args)),
        }
        if self.torch is not None:
            eager, torch_args = self.torch
            found["PyTorch"] = lambda: eager(*torch_args)
            if compilers and not self.unrolled:
                fused = torch.compile(eager)
                found["torch.compile"] = lambda: fused(*torch_args)
        if self.mlx is not None and compilers:
            both, mlx_args = mx.compile(self.mlx[0]), self.mlx[1]
            found["mlx.compile"] = lambda: _evaluated(both(*mlx_args))
        return found


def _evaluated(out: Any) -> Any:
    """MLX computes nothing before it is asked for values."""
    mx.eval(out)
    return out


def _first(out: Any) -> Any:
    while isinstance(out, tuple | list | dict):
        out = next(iter(out.values())) if isinstance(out, dict) else out[0]
    return out.detach() if isinstance(out, torch.Tensor) else out


def _torch_grad(loss: Callable[..., Any], *leaves: Any) -> Callable[..., Any]:
    """Value and gradients in PyTorch."""

    def run(*args: Any) -> Any:
        value = loss(*args)
        return value, torch.autograd.grad(value, leaves)

    return run


def _leaf(x: Any) -> torch.Tensor:
    return torch.tensor(x, requires_grad=True)


def small_ops() -> Workload:
    x = np.linspace(-0.5, 1.0, 8, dtype=np.float32)

    def chain(np_: Any) -> Callable[[Any], Any]:
        def f(x: Any) -> Any:
            for _ in range(20):
                x = np_.tanh(x * 2.0 + x)
            return x.sum()

        return f

    leaf = _leaf(x)
    return Workload(
        "61 small ops, 8 elements, gradient",
        1.0,
        (lucid.value_and_grad(chain(lucid)), (x,)),
        (jax.value_and_grad(chain(jnp)), (x,)),
        (_torch_grad(chain(torch), leaf), (leaf,)),
        (mx.value_and_grad(chain(mx)), (mx.array(x),)),
    )


def fused() -> Workload:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 10**6)).astype(np.float32)

    def f(np_: Any) -> Callable[..., Any]:
        return lambda x, y: (np_.tanh(x * y + 0.5) * np_.exp(-x * x)).sum()

    leaf = _leaf(x)
    return Workload(
        "sum(tanh(x y + .5) exp(-x x)), 10⁶, value and gradient",
        1 / 1.8,
        (lucid.value_and_grad(f(lucid)), (x, y)),
        (jax.value_and_grad(f(jnp)), (x, y)),
        (_torch_grad(f(torch), leaf), (leaf, torch.tensor(y))),
        (mx.value_and_grad(f(mx)), (mx.array(x), mx.array(y))),
    )


def mlp() -> Workload:
    rng = np.random.default_rng(0)
    sizes = (784, 256, 128, 10)
    params = [
        ((rng.standard_normal((a, b)) / math.sqrt(a)).astype(np.float32), np.zeros(b, np.float32))
        for a, b in itertools.pairwise(sizes)
    ]
    x = rng.standard_normal((128, 784)).astype(np.float32)
    t = rng.integers(0, 10, 128)

    def loss(relu: Any, cross_entropy: Any) -> Callable[..., Any]:
        def f(params: Any, x: Any, t: Any) -> Any:
            *inner, (w, b) = params
            for v, c in inner:
                x = relu(x @ v + c)
            return cross_entropy(x @ w + b, t)

        return f

    def jax_loss(scores: Any, t: Any) -> Any:
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), t[:, None], 1).mean()

    def step(value_and_grad: Any, update: Any) -> Callable[..., Any]:
        def f(params: Any, x: Any, t: Any) -> Any:
            value, grads = value_and_grad(params, x, t)
            return value, update(lambda p, g: p - 0.1 * g, params, grads)

        return f

    own = lucid.value_and_grad(loss(functional.relu, functional.cross_entropy))
    other = jax.value_and_grad(loss(jax.nn.relu, jax_loss))
    leaves = [(_leaf(w), _leaf(b)) for w, b in params]
    flat = [p for pair in leaves for p in pair]
    torch_loss = loss(torch.relu, torch_functional.cross_entropy)

    def torch_step(x: Any, t: Any) -> Any:
        value = torch_loss(leaves, x, t)
        grads = torch.autograd.grad(value, flat)
        with torch.no_grad():
            return value, [p - 0.1 * g for p, g in zip(flat, grads, strict=True)]

    return Workload(
        "MLP 784-256-128-10, batch 128, training step",
        1.0,
        (step(own, tree.map), (params, x, t)),
        (step(other, jax.tree.map), (params, x, t)),
        (torch_step, (torch.tensor(x), torch.tensor(t))),
    )


def conv_net() -> Workload:
    rng = np.random.default_rng(0)

    def normal(*shape: int) -> Any:
        return (rng.standard_normal(shape) / math.sqrt(math.prod(shape[1:]))).astype(np.float32)

    params = {"a": normal(16, 1, 3, 3), "b": normal(32, 16, 3, 3), "c": normal(10, 32 * 49)}
    x, t = normal(32, 1, 28, 28), rng.integers(0, 10, 32)

    def f(p: Any, x: Any, t: Any) -> Any:
        x = functional.max_pool2d(functional.relu(functional.conv2d(x, p["a"], padding=1)), 2)
        x = functional.max_pool2d(functional.relu(functional.conv2d(x, p["b"], padding=1)), 2)
        return functional.cross_entropy(x.reshape((32, -1)) @ p["c"].mT, t)

    def pool(x: Any) -> Any:
        window = (1, 1, 2, 2)
        return jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, window, window, "VALID")

    def jax_f(p: Any, x: Any, t: Any) -> Any:
        for w in (p["a"], p["b"]):
            x = pool(jax.nn.relu(jax.lax.conv(x, w, (1, 1), "SAME")))
        scores = x.reshape((32, -1)) @ p["c"].T
        return -jnp.take_along_axis(jax.nn.log_softmax(scores), t[:, None], 1).mean()

    leaves = {k: _leaf(v) for k, v in params.items()}

    def torch_f(x: Any, t: Any) -> Any:
        for w in (leaves["a"], leaves["b"]):
            x = torch_functional.max_pool2d(torch.relu(torch.conv2d(x, w, padding=1)), 2)
        return torch_functional.cross_entropy(x.reshape(32, -1) @ leaves["c"].T, t)

    return Workload(
        "conv net on 32x1x28x28, gradient",
        1.3,
        (lucid.value_and_grad(f), (params, x, t)),
        (jax.value_and_grad(jax_f), (params, x, t)),
        (_torch_grad(torch_f, *leaves.values()), (torch.tensor(x), torch.tensor(t))),
    )


def lotka_volterra() -> Workload:
    p, y, h = np.array([1.1, 0.4, 0.4, 0.1]), np.array([10.0, 5.0]), 0.01

    def solve(np_: Any, scan: Any) -> Callable[..., Any]:
        def slope(y: Any, p: Any) -> Any:
            a, b = y[0], y[1]
            return np_.stack([p[0] * a - p[1] * a * b, p[3] * a * b - p[2] * b])

        def step(y: Any, p: Any) -> Any:
            k1 = slope(y, p)
            k2 = slope(y + h / 2 * k1, p)
            k3 = slope(y + h / 2 * k2, p)
            k4 = slope(y + h * k3, p)
            return y + h / 6 * (k1 + 2 * k2 + 2 * k3 + k4)

        def f(y: Any, p: Any) -> Any:
            return (scan(lambda y: step(y, p), y) ** 2).sum()

        return f

    def own_scan(body: Any, y: Any) -> Any:
        return lucid.scan(lambda y, _: (body(y), None), y, None, length=1000)[0]

    def jax_scan(body: Any, y: Any) -> Any:
        return jax.lax.scan(lambda y, _: (body(y), None), y, None, length=1000)[0]

    def torch_scan(body: Any, y: Any) -> Any:
        for _ in range(1000):
            y = body(y)
        return y

    jax.config.update("jax_enable_x64", True)
    leaves = _leaf(y), _leaf(p)
    return Workload(
        "RK4 Lotka-Volterra, 1000 steps in scan, float64, gradient",
        1 / 20,
        (lucid.value_and_grad(solve(lucid, own_scan), (0, 1)), (y, p)),
        (jax.value_and_grad(solve(jnp, jax_scan), (0, 1)), (y, p)),
        (_torch_grad(solve(torch, torch_scan), *leaves), leaves),
        rtol=1e-9,
        unrolled=True,
    )


def lstm() -> Workload:
    rng = np.random.default_rng(0)
    n, batch, length = 64, 32, 50

    def normal(*shape: int) -> Any:
        return (rng.standard_normal(shape) / math.sqrt(n)).astype(np.float32)

    params = {"w": normal(4 * n, n), "u": normal(4 * n, n), "b": normal(4 * n), "c": normal(4 * n)}
    x = normal(length, batch, n)
    zero = np.zeros((batch, n), np.float32)

    def jax_f(p: Any, x: Any) -> Any:
        def step(state: Any, g: Any) -> Any:
            h, c = state
            i, f, z, o = jnp.split(g + h @ p["u"].T, 4, axis=-1)
            c = jax.nn.sigmoid(f) * c + jax.nn.sigmoid(i) * jnp.tanh(z)
            h = jax.nn.sigmoid(o) * jnp.tanh(c)
            return (h, c), h

        gates = x @ p["w"].T + p["b"] + p["c"]
        _, hs = jax.lax.scan(step, (jnp.asarray(zero), jnp.asarray(zero)), gates)
        return (hs * hs).mean()

    def f(p: Any, x: Any) -> Any:
        def step(state: Any, g: Any) -> Any:
            h, c = state
            g = g + h @ p["u"].mT
            i, f, z, o = (g[:, k * n : (k + 1) * n] for k in range(4))
            c = functional.sigmoid(f) * c + functional.sigmoid(i) * lucid.tanh(z)
            h = functional.sigmoid(o) * lucid.tanh(c)
            return (h, c), h

        gates = x @ p["w"].mT + p["b"] + p["c"]
        _, hs = lucid.scan(step, (lucid.asarray(zero), lucid.asarray(zero)), gates)
        return (hs * hs).mean()

    module = torch.nn.LSTM(n, n)
    names = ("weight_ih_l0", "weight_hh_l0", "bias_ih_l0", "bias_hh_l0")
    for name, key in zip(names, ("w", "u", "b", "c"), strict=True):
        getattr(module, name).data = torch.tensor(params[key])

    def torch_f(x: Any) -> Any:
        hs, _ = module(x)
        return (hs * hs).mean()

    return Workload(
        "LSTM 64, batch 32, T=50, gradient",
        1.3,
        (lucid.value_and_grad(f), (params, x)),
        (jax.value_and_grad(jax_f), (params, x)),
        (_torch_grad(torch_f, *(getattr(module, k) for k in names)), (torch.tensor(x),)),
        against="jax.jit",
    )


def transformer() -> Workload:
    rng = np.random.default_rng(0)
    batch, length, n, heads = 8, 64, 128, 4

    def normal(*shape: int) -> Any:
        return (rng.standard_normal(shape) / math.sqrt(shape[0])).astype(np.float32)

    params = {
        "qkv": normal(n, 3 * n),
        "out": normal(n, n),
        "up": normal(n, 4 * n),
        "down": normal(4 * n, n),
        "g1": np.ones(n, np.float32),
        "b1": np.zeros(n, np.float32),
        "g2": np.ones(n, np.float32),
        "b2": np.zeros(n, np.float32),
    }
    x = normal(batch, length, n)

    def block(norm: Any, softmax: Any, gelu: Any, moved: Any, swapped: Any) -> Callable[..., Any]:
        def f(p: Any, x: Any) -> Any:
            h = norm(x, p["g1"], p["b1"])
            qkv = moved((h @ p["qkv"]).reshape((batch, length, 3, heads, n // heads)))
            q, k, v = qkv[0], qkv[1], qkv[2]
            a = softmax(q @ swapped(k) * (1 / math.sqrt(n // heads)))
            h = swapped_heads(a @ v).reshape((batch, length, n))
            x = x + h @ p["out"]
            h = norm(x, p["g2"], p["b2"])
            x = x + gelu(h @ p["up"]) @ p["down"]
            return (x * x).mean()

        swapped_heads = heads_back[block_name[0]]
        return f

    heads_back = {
        "own": lambda x: lucid.permute_dims(x, (0, 2, 1, 3)),
        "jax": lambda x: jnp.transpose(x, (0, 2, 1, 3)),
        "torch": lambda x: x.permute(0, 2, 1, 3),
    }
    block_name = ["own"]
    own = block(
        lambda x, g, b: functional.layer_norm(x, (n,), g, b),
        lambda s: functional.softmax(s, -1),
        functional.gelu,
        lambda x: lucid.permute_dims(x, (2, 0, 3, 1, 4)),
        lambda x: x.mT,
    )

    def jax_norm(x: Any, g: Any, b: Any) -> Any:
        d = x - x.mean(-1, keepdims=True)
        return d / jnp.sqrt((d * d).mean(-1, keepdims=True) + 1e-5) * g + b

    block_name[0] = "jax"
    other = block(
        jax_norm,
        lambda s: jax.nn.softmax(s, -1),
        lambda x: jax.nn.gelu(x, approximate=False),
        lambda x: jnp.transpose(x, (2, 0, 3, 1, 4)),
        lambda x: jnp.swapaxes(x, -1, -2),
    )
    block_name[0] = "torch"
    third = block(
        lambda x, g, b: torch_functional.layer_norm(x, (n,), g, b),
        lambda s: torch.softmax(s, -1),
        torch_functional.gelu,
        lambda x: x.permute(2, 0, 3, 1, 4),
        lambda x: x.mT,
    )
    leaves = {k: _leaf(v) for k, v in params.items()}
    return Workload(
        "transformer block (B8 T64 D128 H4), gradient",
        1.0,
        (lucid.value_and_grad(own), (params, x)),
        (jax.value_and_grad(other), (params, x)),
        (_torch_grad(lambda x: third(leaves, x), *leaves.values()), (torch.tensor(x),)),
    )


def mse() -> Workload:
    rng = np.random.default_rng(0)
    x, y = rng.standard_normal((2, 10**7), dtype=np.float32)
    leaf = _leaf(x)
    return Workload(
        "mse_loss, 10⁷, value and gradient",
        1 / 1.3,
        (lucid.value_and_grad(functional.mse_loss), (x, y)),
        (jax.value_and_grad(lambda x, y: ((x - y) ** 2).mean()), (x, y)),
        (_torch_grad(torch_functional.mse_loss, leaf), (leaf, torch.tensor(y))),
        (mx.value_and_grad(lambda x, y: ((x - y) ** 2).mean()), (mx.array(x), mx.array(y))),
    )


WORKLOADS: dict[str, Callable[[], Workload]] = {
    "small": small_ops,
    "fused": fused,
    "mlp": mlp,
    "conv": conv_net,
    "lstm": lstm,
    "transformer": transformer,
    "mse": mse,
    "ode": lotka_volterra,  # last: it switches JAX to double precision
}
