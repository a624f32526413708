"""Gradient transformations: pure functions that turn gradients into updates.

A transformation is a pair of functions over pytrees, ``init(params)``, which returns a state, and
``update(grads, state, params)``, which returns updates and the next state;
``apply_updates(params, updates)`` takes the step. All can be differentiated, batched and jitted.
The ambient tape (`.backward()`) does not follow a step; `lucid.grad` does.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple, TypeAlias

import numpy as np

from lucid import tree
from lucid.core.dispatch import lift
from lucid.core.parameter import Fixed, untaped
from lucid.core.tensor import Tensor, wrap
from lucid.errors import OperandError, ShapeError, message

__all__ = [
    "GradientTransformation",
    "Hole",
    "Number",
    "apply_updates",
    "check_columns",
    "flat",
    "is_updated",
    "leafwise",
    "number",
    "slot",
    "take",
    "zeros",
]

# A hyper-parameter, or a schedule: a function of the number of updates made so far.
Number: TypeAlias = float | Tensor | Callable[[Any], Any]
Kernel: TypeAlias = Callable[..., tuple[Any, ...]]

_ndarray = np.ndarray


class Hole:
    """What stands in a tree for no value: None would change the structure of a Module."""

    __slots__ = ()

    def __repr__(self) -> str:
        return "-"


tree.register_node(Hole, lambda x: ((), None), lambda _, children: Hole(), shown="not")
_PASSED = (Fixed, Hole, type(None))  # leaves that no kernel sees


class GradientTransformation(NamedTuple):
    """How gradients become updates.

    Attributes:
        init: ``init(params)``, the state before the first update.
        update: ``update(grads, state, params=None)``, the updates to add to the parameters, and the
            next state.
    """

    init: Callable[[Any], Any]
    update: Callable[..., tuple[Any, Any]]


def apply_updates(params: Any, updates: Any) -> Any:
    """Return parameters plus updates, in the parameters' dtypes.

    Args:
        params: a pytree of arrays, such as a Module. Buffers and frozen parameters of a Module, and
            leaves whose update is None, stay as they are.
        updates: what a transformation's `update` returned for them.

    Returns:
        A pytree of the structure of `params` that holds Tensors.

    Raises:
        OperandError: if the structures differ.

    Example:
        >>> from lucid import optim
        >>> optim.apply_updates({"w": 1.0}, {"w": -0.5})
        {'w': Tensor(0.5)}
    """
    values, rebuild = flat(params)
    changes, _ = flat(updates)
    check_columns("apply_updates", len(values), {"updates": changes})
    return rebuild(list(map(_add, values, changes)))


def _add(value: Any, change: Any) -> Any:
    if type(change) in _PASSED or type(value) in _PASSED:
        return value
    p, u = take(value), take(change)
    if p.shape != u.shape:
        raise ShapeError(message("apply_updates", f"an update of shape {p.shape}", str(u.shape)))
    new = p + u
    return new if new.dtype == p.dtype else new.astype(p.dtype)


def leafwise(
    name: str,
    kernel: Kernel,
    grads: Any,
    slots: Sequence[Any],
    params: Any,
    numbers: Sequence[Any],
    *,
    real: bool = False,
) -> tuple[Any, ...]:
    """Apply a rule leaf by leaf: return the tree of updates, and those of the new slots.

    Args:
        name: for messages.
        kernel: ``kernel(g, p, *slots, *numbers)``, a tuple with the update and the new slots. It is
            infix arithmetic that serves arrays and Tensors alike; augmented assignment, only to
            values of its own making, spares temporaries of arrays.
        grads: the tree of gradients; a leaf None, or that is `Fixed`, is passed over.
        slots: trees of the structure of `grads`, or None for a slot that is not used.
        params: the tree of parameters, or None.
        numbers: hyper-parameters for the kernel, Python numbers or 0-d Tensors.
        real: whether the kernel takes the parts of complex numbers one after the other.
    """
    if isinstance(grads, Tensor):  # a parameter of its own, as the optimiser objects pass it
        return tuple(_one(kernel, (grads, params, *slots), numbers, real))
    found, rebuild = flat(grads)
    columns = {f"state {k}": flat(s)[0] for k, s in enumerate(slots) if s is not None}
    if params is not None:
        columns["params"] = flat(params)[0]
    check_columns(name, len(found), columns)
    absent = [None] * len(found)
    rows = zip(
        found,
        columns.get("params", absent),
        *(columns.get(f"state {k}", absent) for k in range(len(slots))),
        strict=True,
    )
    done = [_whole(_one(kernel, row, numbers, real)) for row in rows]
    outputs = zip(*done, strict=True) if done else ((),) * (1 + len(slots))
    return tuple(
        None if k and slots[k - 1] is None else rebuild(column) for k, column in enumerate(outputs)
    )


def _whole(row: Sequence[Any]) -> Sequence[Any]:
    update, *slots = row
    return (update, *(Hole() if x is None else x for x in slots))


def _one(kernel: Kernel, row: Sequence[Any], numbers: Sequence[Any], real: bool) -> Sequence[Any]:
    if type(row[0]) in _PASSED:
        return (row[0], *row[2:])
    leaves: list[Any] = []
    plain = True
    for x in row:
        x = None if type(x) in _PASSED else take(x)
        plain = plain and (x is None or (x._note is None and type(x._value) is _ndarray))
        leaves.append(x)
    dtype = leaves[0].dtype
    for x in numbers:
        if isinstance(x, Tensor):
            kind = np.finfo(dtype).dtype if real and dtype.kind == "c" else dtype
            numbers = [x.astype(kind) if isinstance(x, Tensor) else x for x in numbers]
            plain = plain and all(map(_is_plain, numbers))
            break
    if plain:
        leaves = [x if x is None else x._value for x in leaves]
        numbers = [x._value if isinstance(x, Tensor) else x for x in numbers]
    if real and dtype.kind == "c":
        parts = [kernel(*_parts(leaves, name), *numbers) for name in ("real", "imag")]
        results = [None if a is None else a + 1j * b for a, b in zip(*parts, strict=True)]
    else:
        results = kernel(*leaves, *numbers)
    return [r if r is None or isinstance(r, Tensor) else wrap(np.asarray(r), None) for r in results]


def _is_plain(x: Any) -> bool:
    return not isinstance(x, Tensor) or (x._note is None and type(x._value) is _ndarray)


def _parts(leaves: Sequence[Any], name: str) -> list[Any]:
    return [None if x is None else getattr(x, name) for x in leaves]


def take(x: Any) -> Tensor:
    """Return a leaf as a Tensor that the tape of the present body does not watch."""
    if type(x) is Tensor and x._note is None:
        return x
    if not isinstance(x, Tensor):
        (x,) = lift("optim", (x,))
    return untaped(x if isinstance(x, Tensor) else Tensor(x))


def zeros(params: Any) -> Any:
    """Return zeros for every leaf that is updated: the first value of a slot."""
    return slot(params, _zero)


def slot(params: Any, make: Callable[[Tensor], Any]) -> Any:
    """Return the first value of a slot: what `make` gives for every leaf that is updated."""
    if isinstance(params, Tensor):
        return make(take(params))
    values, rebuild = flat(params)
    made = [make(take(x)) if is_updated(x) else x for x in values]
    return rebuild([Hole() if x is None else x for x in made])


def is_updated(x: Any) -> bool:
    """Return whether a leaf is an array that an optimiser may change."""
    return isinstance(x, Tensor | _ndarray | np.generic | float | complex)


def _zero(t: Tensor) -> Tensor:
    return wrap(np.zeros(t.shape, t.dtype), None)


def number(value: Number, count: Any) -> Any:
    """Return the present value of a hyper-parameter, which may be a schedule."""
    return value(count) if callable(value) else value


def flat(values: Any) -> tuple[list[Any], Callable[[Sequence[Any]], Any]]:
    """Return the leaves, None and `Fixed` among them, and what rebuilds the tree around others."""
    if isinstance(values, Tensor):
        return [values], _only
    found, structure = tree.flatten(values, _stops)
    return found, lambda leaves: tree.unflatten(structure, leaves)


def _only(leaves: Sequence[Any]) -> Any:
    return leaves[0]


def _stops(x: Any) -> bool:
    return type(x) in _PASSED


def check_columns(name: str, count: int, columns: dict[str, list[Any]]) -> None:
    """Raise unless all flattened trees have as many leaves."""
    for what, column in columns.items():
        if len(column) != count:
            got = f"{what} with {len(column)} leaves for {count}"
            hint = "pass trees of one structure, and the state that init made for it"
            raise OperandError(message(name, "one structure", got, hint))
