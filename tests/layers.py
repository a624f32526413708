"""Comparing a layer with PyTorch's: names and shapes of its state, values, all gradients."""

from __future__ import annotations

import inspect
from typing import Any

import numpy as np
import torch

import lucid
from lucid import tree

RNG = np.random.default_rng(0)


def signature(kind: Any) -> list[tuple[str, Any]]:
    """Names and defaults of the arguments, apart from `device` and `dtype`."""
    parameters = inspect.signature(kind).parameters.values()
    return [(p.name, p.default) for p in parameters if p.name not in ("device", "dtype")]


def share(ours: Any, theirs: Any, randomise: bool = True) -> None:
    """Give our layer the state of PyTorch's, after checking that names and shapes are the same."""
    theirs.double()
    if randomise:
        for p in theirs.parameters():
            p.data = torch.tensor(0.5 * RNG.standard_normal(tuple(p.shape)))
    state = theirs.state_dict()
    shapes = {k: tuple(v.shape) for k, v in state.items()}
    assert {k: v.shape for k, v in ours.state_dict().items()} == shapes
    assert list(ours.state_dict()) == list(shapes)
    ours.load_state_dict({k: v.numpy() for k, v in state.items()})


def arrays(value: Any) -> list[Any]:
    """The results of a layer in order, without those that are None."""
    if isinstance(value, tuple | list):
        return [a for part in value for a in arrays(part)]
    return [] if value is None else [value]


def agree(ours: Any, theirs: Any, *inputs: Any, tol: float = 1e-8, **options: Any) -> None:
    """Compare results and the gradients of floating inputs and of all parameters.

    Inputs are arrays, or tuples of arrays; so are the options that are arrays.
    """
    mine = tree.map(_leaf, inputs)
    other = tree.map(_torch_leaf, inputs)
    got = arrays(ours(*mine, **options))
    want = arrays(theirs(*other, **{k: _convert(v) for k, v in options.items()}))
    assert len(got) == len(want)
    total, reference = lucid.Tensor(0.0), torch.tensor(0.0)
    for y, v in zip(got, want, strict=True):
        np.testing.assert_allclose(y.numpy(), v.detach().numpy(), rtol=tol, atol=tol)
        if v.requires_grad:
            ct = RNG.standard_normal(tuple(v.shape))
            total = total + (y * ct).sum()
            reference = reference + (v * torch.tensor(ct)).sum()
    if not reference.requires_grad:
        return
    total.backward()
    reference.backward()
    pairs = list(zip(tree.leaves(mine), tree.leaves(other), strict=True))
    if isinstance(ours, lucid.nn.Module):
        theirs_by_name = dict(theirs.named_parameters())
        pairs += [(p, theirs_by_name[name]) for name, p in ours.named_parameters()]
    for p, v in pairs:
        if getattr(v, "grad", None) is not None:
            grad = np.zeros(p.shape) if p.grad is None else p.grad.numpy()
            np.testing.assert_allclose(grad, v.grad.numpy(), rtol=tol, atol=tol)
            v.grad = None
            p.grad = None


def _leaf(a: Any) -> Any:
    return lucid.Tensor(a, requires_grad=a.dtype.kind == "f") if isinstance(a, np.ndarray) else a


def _torch_leaf(a: Any) -> Any:
    if not isinstance(a, np.ndarray):
        return a
    return torch.tensor(a, requires_grad=a.dtype.kind == "f")


def _convert(value: Any) -> Any:
    return torch.tensor(value) if isinstance(value, np.ndarray) else value
