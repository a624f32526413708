"""Collation: samples to batches of Tensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.tensor import Tensor, wrap
from lucid.dtypes import check_numeric, python_dtype
from lucid.errors import OperandError, ShapeError, message

__all__ = ["default_collate", "default_convert"]

_NUMBERS = (bool, int, float, complex)


def default_collate(samples: Sequence[Any]) -> Any:
    """Stack samples along a new first axis, keeping their containers and dtypes.

    Args:
        samples: pytrees of one structure, at least one. Their leaves are Tensors, arrays, NumPy
            scalars or Python numbers; a Python float takes the default dtype.

    Returns:
        A pytree of that structure whose leaves are Tensors, one axis longer. Leaves of any other
        kind, such as strings, become a list with one entry per sample.

    Raises:
        OperandError: if there is no sample, or their structures differ.
        ShapeError: if the shapes of leaves that correspond to each other differ.

    Example:
        >>> from lucid import data
        >>> data.default_collate([{"x": [1.0, 2.0], "y": 0}, {"x": [3.0, 4.0], "y": 1}])
        {'x': [Tensor([1., 3.]), Tensor([2., 4.])], 'y': Tensor([0, 1])}
    """
    if not samples:
        raise OperandError(message("default_collate", "at least one sample", "none"))
    first, structure = tree.flatten(samples[0])
    columns = [first]
    for k, sample in enumerate(samples[1:], 1):
        leaves, other = tree.flatten(sample)
        if other != structure:
            hint = "give a collate_fn that makes a batch of such samples"
            got = f"{other} in sample {k} of the batch"
            raise OperandError(message("default_collate", f"the structure {structure}", got, hint))
        columns.append(leaves)
    return tree.unflatten(structure, [_stack(c) for c in zip(*columns, strict=True)])


def default_convert(sample: Any) -> Any:
    """Return a sample with its arrays and numbers as Tensors, for a loader without batches.

    Args:
        sample: a pytree.

    Returns:
        A pytree of the same structure.

    Example:
        >>> from lucid import data
        >>> data.default_convert({"x": 1.5, "name": "a"})
        {'x': Tensor(1.5), 'name': 'a'}
    """
    return tree.map(lambda leaf: Tensor(leaf) if _is_array(leaf) else leaf, sample)


def _is_array(leaf: Any) -> bool:
    if isinstance(leaf, np.ndarray | np.generic):
        return leaf.dtype.kind in "biufc"
    return isinstance(leaf, Tensor | bool | int | float | complex)


def _stack(leaves: Sequence[Any]) -> Any:
    """Return leaves as one Tensor, or as a list."""
    kinds = {type(x) for x in leaves}
    if kinds <= set(_NUMBERS):
        strongest = max(kinds, key=_NUMBERS.index)
        return Tensor(np.array(leaves, python_dtype(strongest())))
    if not all(map(_is_array, leaves)):
        return list(leaves)
    if any(isinstance(x, Tensor) and x._note is not None for x in leaves):
        return Tensor(list(leaves))  # what is watched stays so
    arrays = [_array(x) for x in leaves]
    shapes = {a.shape for a in arrays}
    if len(shapes) > 1:
        hint = "give a collate_fn that pads or cuts them"
        got = " and ".join(map(str, sorted(shapes)[:4]))
        raise ShapeError(message("default_collate", "samples of one shape", got, hint))
    batch = np.stack(arrays)
    check_numeric("default_collate", batch.dtype)
    return wrap(batch, None)


def _array(leaf: Any) -> np.ndarray[Any, Any]:
    if isinstance(leaf, Tensor):
        return leaf.detach().numpy()
    if isinstance(leaf, bool | int | float | complex) and not isinstance(leaf, np.generic):
        return np.asarray(leaf, python_dtype(leaf))
    return np.asarray(leaf)
