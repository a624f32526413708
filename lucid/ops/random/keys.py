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
from lucid.errors import IndexOutOfBoundsError, KeyReusedError, OperandError, message

__all__ = [
    "Key",
    "allow_key_reuse",
    "fold_in",
    "key",
    "sampler",
    "spend_like",
    "split",
    "take",
    "unspent",
]

_reuse: ContextVar[bool] = ContextVar("lucid_key_reuse", default=False)
# Draws count up from counter 0; these parts of the counter space are never reached by them.
_SPLIT, _FOLD = 1 << 255, 1 << 254


class _Use:
    """What has become of a key, or an array of keys: shared by all that stand for it.

    Attributes:
        spent: whether it was used itself.
        touched: whether a key inside was.
        parent: what it is a part of.
        parts: those that were asked for, by position.
    """

    __slots__ = ("parent", "parts", "spent", "touched")

    def __init__(self, parent: _Use | None = None) -> None:
        self.spent = self.touched = False
        self.parent = parent
        self.parts: dict[int, _Use] = {}

    def part(self, k: int) -> _Use:
        return self.parts.setdefault(k, _Use(self))

    def used(self) -> bool:
        """Whether it, a part of it or what it is a part of was used."""
        if self.spent or self.touched:
            return True
        whole = self.parent
        while whole is not None and not whole.spent:
            whole = whole.parent
        return whole is not None

    def spend(self) -> None:
        self.spent = True
        whole = self.parent
        while whole is not None:
            whole.touched = True
            whole = whole.parent

    def pattern(self) -> Any:
        """Return what was used of it, for `spend_like`; None for nothing."""
        if self.spent:
            return True
        parts = {k: use.pattern() for k, use in self.parts.items() if use.used()}
        return parts or None


class Key:
    """The immutable seed of one draw, made by `lucid.random.key`, `split` and `fold_in`.

    A Key may hold several keys along leading axes, as `split` returns them: it can then be
    unpacked, indexed, and mapped over by `vmap`. It is a pytree with one leaf.
    """

    __slots__ = ("_data", "_use")

    def __init__(self, data: Tensor, use: _Use | None = None) -> None:
        self._data = data
        self._use = use or _Use()

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
        k, n = index(i), len(self)
        if not -n <= k < n:
            raise IndexOutOfBoundsError(message("Key", f"an index into {n} keys", str(k)))
        return Key(self._data[k], self._use.part(k % n))

    def __iter__(self) -> Iterator[Key]:
        return (self[i] for i in range(len(self)))

    def __repr__(self) -> str:
        return f"Key({'spent, ' if self._use.used() else ''}shape={self.shape})"


class _Origin:
    """The key that a pytree was made of; all are alike where structures are compared."""

    __slots__ = ("key",)

    def __init__(self, k: Key) -> None:
        self.key = k

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Origin)

    def __hash__(self) -> int:
        return 0

    def __repr__(self) -> str:
        return "Key"


def _rebuild(origin: _Origin, children: Sequence[Any]) -> Key:
    """Return the key itself, or what stands for it under a transformation: both are used once.

    Any other value is another key, which was not used: structures are compared, kept and reused.
    """
    data, k = children[0], origin.key
    if data is k._data:
        return k
    return Key(data, k._use if getattr(data, "_note", None) is not None else None)


tree.register_node(Key, lambda k: ((k._data,), _Origin(k), ("data",)), _rebuild)


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
    if k._use.used() and not _reuse.get():
        hint = "split it first: k1, k2 = lucid.random.split(k)"
        raise KeyReusedError(message(name, "a key that was not used before", repr(k), hint))
    k._use.spend()
    return k._data


def unspent(k: Key) -> Key:
    """Return a key with these words that was not used."""
    return Key(k._data)


def spend_like(name: str, k: Key, pattern: Any) -> None:
    """Use of a key what a capture used of an equal one; raise if that was used before."""
    pending = [(k._use, pattern)]
    while pending:
        use, what = pending.pop()
        if what is True:
            if use.used() and not _reuse.get():
                hint = "split it first: k1, k2 = lucid.random.split(k)"
                raise KeyReusedError(message(name, "a key that was not used before", repr(k), hint))
            use.spend()
        elif what:
            pending += [(use.part(i), part) for i, part in what.items()]


def key(seed: int | None) -> Key:
    """Make a key from a seed.

    Args:
        seed: any integer, or None for one from the operating system's entropy.

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
    if seed is None:
        sequence = np.random.SeedSequence()
    else:  # SeedSequence takes no negative numbers: say the sign apart
        sequence = np.random.SeedSequence(abs(index(seed)), spawn_key=(1,) if seed < 0 else ())
    return Key(wrap(sequence.generate_state(2, np.uint64), None))


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
    assert op.infer is not None
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
