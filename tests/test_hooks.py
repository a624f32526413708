"""Hooks of modules against PyTorch's."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

import lucid
from lucid import nn
from lucid.errors import OperandError
from tests.layers import share

X = np.array([[1.0, -2.0, 0.5]])


def both() -> list[tuple[Any, Any]]:
    """The same layer here and in PyTorch, each with a leaf for its input."""
    ours, theirs = nn.Linear(3, 2), torch.nn.Linear(3, 2)
    share(ours, theirs)
    return [
        (ours, lucid.Tensor(X, requires_grad=True)),
        (theirs, torch.tensor(X, requires_grad=True)),
    ]


def register_all(layer: Any, seen: list[Any]) -> list[Any]:
    """Hooks of all kinds that note what they get and change something."""

    def before(module: Any, args: Any) -> Any:
        seen.append(("before", args[0].tolist()))
        return args[0] * 2

    def after(module: Any, args: Any, output: Any) -> Any:
        seen.append(("after", args[0].tolist(), output.tolist()))
        return output * 3

    def grads_out(module: Any, grad_output: Any) -> Any:
        seen.append(("out", grad_output[0].tolist()))
        return (grad_output[0] * 5,)

    def grads_in(module: Any, grad_input: Any, grad_output: Any) -> Any:
        seen.append(("in", grad_input[0].tolist(), grad_output[0].tolist()))
        return (grad_input[0] * 7,)

    return [
        layer.register_forward_pre_hook(before),
        layer.register_forward_hook(after),
        layer.register_full_backward_pre_hook(grads_out),
        layer.register_full_backward_hook(grads_in),
    ]


def test_hooks_of_all_kinds() -> None:
    logs: list[list[Any]] = []
    for layer, x in both():
        seen: list[Any] = []
        handles = register_all(layer, seen)
        layer(x).sum().backward()
        seen += [("grad", x.grad.tolist()), ("weight", layer.weight.grad.tolist())]
        for handle in handles:
            handle.remove()
        count = len(seen)
        layer(x).sum().backward()
        assert len(seen) == count
        logs.append(seen)
    for a, b in zip(*logs, strict=True):
        assert a[0] == b[0]
        for p, q in zip(a[1:], b[1:], strict=True):
            np.testing.assert_allclose(p, q)


def test_order_keywords_and_blocks() -> None:
    for layer, x in both():
        seen: list[str] = []
        layer.register_forward_hook(lambda m, a, o, seen=seen: seen.append("first"))
        with layer.register_forward_hook(lambda m, a, o, s=seen: s.append("zero"), prepend=True):
            layer.register_forward_hook(
                lambda m, a, k, o, s=seen: s.append(sorted(k)[0]), with_kwargs=True
            )
            layer(input=x)
        layer.register_forward_pre_hook(
            lambda m, a, k: (a, {"input": k["input"] * 0}), with_kwargs=True
        )
        np.testing.assert_array_equal(layer(input=x).tolist()[0], layer.bias.tolist())
        assert seen == ["zero", "first", "input", "first", "input"]


def test_hooks_under_transformations() -> None:
    layer, seen = nn.Linear(3, 2), []
    layer.register_full_backward_hook(lambda m, i, o: seen.append((len(i), len(o))))
    grads = lucid.grad(lambda m, x: m(x).sum())(layer, X)
    assert seen == [(0, 1)]  # nothing differentiates with respect to the input
    np.testing.assert_array_equal(grads.weight.numpy(), [X[0], X[0]])
    layer(lucid.Tensor(X, requires_grad=True)).sum().backward()
    assert seen[1:] == [(1, 1)]


def test_refusals() -> None:
    with pytest.raises(OperandError, match="register_forward_hook: expected a function"):
        nn.Linear(1, 1).register_forward_hook(3)  # type: ignore[arg-type]
    layer = nn.Linear(3, 2)
    layer.register_forward_pre_hook(lambda m, a, k: 1, with_kwargs=True)
    with pytest.raises(OperandError, match=r"a hook that returns \(args, kwargs\), got 1"):
        layer(X)
