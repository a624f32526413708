"""Keys: what a draw is a pure function of. A key is used once; `split` makes more of it.

A key is a pair of 64-bit words for NumPy's Philox, a counter-based generator: the stream of a key
needs no state, and streams of different keys are independent.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextvars import ContextVar, Token
from operator import index
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.define import general
from lucid.core.dispatch import apply
from lucid.core.op import OPS, Aval, Op
from lucid.core.tensor import Tensor, wrap
from lucid.errors import KeyReusedError, OperandError, message

__all__ = ["Key", "allow_key_reuse", "fold_in", "key", "sampler", "split", "take"]

_reuse: ContextVar[bool] = ContextVar("lucid_key_reuse", default=False)
# Draws count up from counter 0; these parts of the counter space are never reached by them.
_SPLIT, _FOLD = 1 << 255, 1 << 254


class Key:
    """The immutable seed of one draw, made by `lucid.random.key`, `split` and `fold_in`.

    A Key may hold several keys along leading axes, as `split` returns them: it can then be
    unpacked, indexed, and mapped over by `vmap`. It is a pytree with one leaf.
    """

    __slots__ = ("_children", "_data", "_spent")

    def __init__(self, data: Any) -> None:
        self._data: Tensor = data
        self._spent = False
        self._children: dict[int, Key] = {}

    @property
    def data(self) -> Tensor:
        """The words, of shape (..., 2) and dtype uint64."""
        return self._data

    @property
    def shape(self) -> tuple[int, ...]:
        """Shape of the array of keys: () for a single one."""
        return self._data.shape[:-1]

    def __len__(self) -> int:
        if not self.shape:
            raise OperandError(message("len", "several keys", "a single key", "use split"))
        return self.shape[0]

    def __getitem__(self, i: int) -> Key:
        k = index(i) % len(self) if -len(self) <= i < len(self) else index(i)
        if k not in self._children:
            self._children[k] = Key(self._data[k])
        return self._children[k]

    def __iter__(self) -> Iterator[Key]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Key({'spent' if self._spent else ''}, shape={self.shape})".replace("(, ", "(")


tree.register_node(Key, lambda k: ((k._data,), None, ("data",)), lambda _, c: Key(c[0]))


class allow_key_reuse:  # noqa: N801 - reads as a statement
    """Let keys be used more than once inside a ``with`` block: the same key, the same numbers.

    Example:
        >>> import lucid
        >>> k = lucid.random.key(0)
        >>> with lucid.random.allow_key_reuse():
        ...     bool(lucid.random.normal(k) == lucid.random.normal(k))
        True
    """

    _token: Token[bool]

    def __enter__(self) -> None:
        self._token = _reuse.set(True)

    def __exit__(self, *exception: object) -> None:
        _reuse.reset(self._token)


def take(name: str, k: Any) -> Tensor:
    """Return the words of a single key, which is spent now."""
    if not isinstance(k, Key):
        hint = "make one with lucid.random.key(seed)"
        raise OperandError(message(name, "a Key as first argument", type(k).__name__, hint))
    if k.shape:
        hint = "use one of them, or map over them with lucid.vmap"
        raise OperandError(message(name, "a single key", f"keys of shape {k.shape}", hint))
    if k._spent and not _reuse.get():
        hint = "split it first: k1, k2 = lucid.random.split(k)"
        raise KeyReusedError(message(name, "a key that was not used before", repr(k), hint))
    k._spent = True
    return k._data


def key(seed: int) -> Key:
    """Make a key from a seed.

    Args:
        seed: any integer of at most 128 bits, or None for one from the operating system's entropy.

    Returns:
        A Key.

    Raises:
        OperandError: if the seed is no integer.

    Example:
        >>> import lucid
        >>> lucid.random.key(0)
        Key(shape=())
    """
    if seed is not None and (isinstance(seed, bool) or not hasattr(seed, "__index__")):
        raise OperandError(message("key", "an integer seed", repr(seed)))
    sequence = np.random.SeedSequence(None if seed is None else _entropy(index(seed)))
    return Key(wrap(sequence.generate_state(2, np.uint64), None))


def _entropy(seed: int) -> list[int]:
    """SeedSequence takes no negative numbers: say the sign apart."""
    return [abs(seed), 1] if seed < 0 else [seed]


def split(k: Key, num: int = 2) -> Key:
    """Make several independent keys of one, which is spent by it.

    Args:
        k: a single key.
        num: how many.

    Returns:
        A Key of shape (num,), to unpack or index.

    Raises:
        OperandError: if `num` is no non-negative integer, or `k` no single key.
        KeyReusedError: if `k` has been used before.

    Example:
        >>> import lucid
        >>> k1, k2 = lucid.random.split(lucid.random.key(0))

    References:
        J. K. Salmon et al., Parallel random numbers: as easy as 1, 2, 3, SC11 (2011).
    """
    if isinstance(num, bool) or not hasattr(num, "__index__") or index(num) < 0:
        raise OperandError(message("split", "a number of keys", repr(num)))
    return Key(apply(_split, (take("split", k),), (index(num),)))


def fold_in(k: Key, data: int) -> Key:
    """Make a key of a key and a number, for example the index of a step or worker.

    Unlike `split` it does not spend `k`: folding in different numbers gives independent keys.

    Args:
        k: a single key.
        data: a non-negative integer below 2⁶⁴.

    Returns:
        A Key.

    Raises:
        OperandError: if `data` is no such integer, or `k` no single key.

    Example:
        >>> import lucid
        >>> lucid.random.fold_in(lucid.random.key(0), 7)
        Key(shape=())
    """
    if isinstance(data, bool) or not hasattr(data, "__index__") or not 0 <= index(data) < 2**64:
        raise OperandError(message("fold_in", "an integer from 0 to 2**64 - 1", repr(data)))
    if not isinstance(k, Key) or k.shape:
        raise OperandError(message("fold_in", "a single key", repr(k)))
    return Key(apply(_fold, (k._data,), (index(data),)))


def _row_by_row(
    op: Op, size: int, batched: Sequence[bool], args: Sequence[Any], *params: Any
) -> Any:
    """Draw for every key of a batch: streams are those that a loop would give."""
    rows = [
        apply(op, tuple(a[i] if b else a for a, b in zip(args, batched, strict=True)), params)
        for i in range(size)
    ]
    if rows:
        return apply(OPS["stack"], tuple(rows), (0,))
    one = op.infer(
        *(Aval(a.shape[b:], a.dtype) for a, b in zip(args, batched, strict=True)), *params
    )
    return wrap(np.empty((0, *one.shape), one.dtype), None)


def sampler(name: str, impl: Callable[..., Any], infer: Callable[..., Aval], **rules: Any) -> Op:
    """Register a draw: operands (key, *parameters), of which the key has shape (2,)."""
    op = general(
        name,
        impl,
        infer=infer,
        batch=lambda size, batched, args, *params: _row_by_row(op, size, batched, args, *params),
        **{"smooth": False, **rules},
    )
    return op


def philox(words: Any, counter: int = 0) -> np.random.Philox:
    """Return NumPy's generator of the stream of a key."""
    return np.random.Philox(key=words, counter=counter)


_split = sampler(
    "random_split",
    lambda words, num: philox(words, _SPLIT).random_raw(2 * num).reshape(num, 2),
    lambda words, num: Aval((num, 2), np.dtype(np.uint64)),
)
_fold = sampler(
    "random_fold_in",
    lambda words, data: philox(words, _FOLD + data).random_raw(2),
    lambda words, data: Aval((2,), np.dtype(np.uint64)),
)
