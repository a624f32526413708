"""Reverse mode: pulling cotangents back along a record, and the transformations made of it."""

from __future__ import annotations

import functools
import gc
import operator
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from lucid.core.cotangent import fit, guard
from lucid.core.frames import ABSENT, MANY, Frame, Recorded, RecordFrame
from lucid.core.op import Op, Rule
from lucid.core.tensor import Tensor, install, lower, strip, wrap
from lucid.errors import DTypeError, NotDifferentiableError, ShapeError, message, no_rule

__all__ = ["pullback", "pushforward", "records"]

_ndarray = np.ndarray
_AGE = operator.attrgetter("seq")
Mask = Any  # a function without arguments that returns a boolean Tensor


def records(frame: RecordFrame, roots: Iterable[Recorded]) -> list[Recorded]:
    """Return the records that `roots` were computed from, the youngest first."""
    seen = set(roots)
    pending = list(seen)
    found: list[Recorded] = []
    while pending:
        node = pending.pop()
        found.append(node)
        entry = node.first
        if type(entry) is Recorded and entry not in seen:
            seen.add(entry)
            pending.append(entry)
        entry = node.second
        if type(entry) is Recorded:
            if entry not in seen:
                seen.add(entry)
                pending.append(entry)
        elif type(entry) is tuple:
            new = {e for e in entry if type(e) is Recorded and e not in seen}
            seen |= new
            pending += new
    found.sort(key=_AGE, reverse=True)
    return found


def _below(value: Any) -> Any:
    """The value kept in a record, or a cotangent, as rules take it."""
    if isinstance(value, Tensor):
        return value
    return wrap(np.asarray(value) if isinstance(value, np.generic) else value, None)


def pullback(
    frame: RecordFrame, seeds: Sequence[tuple[Recorded, Tensor]]
) -> dict[Recorded, Tensor]:
    """Return the cotangent of every leaf, given those of some records.

    The rules are lucid code on values of the level below, so what they compute can itself be
    differentiated. A leaf that no cotangent reaches is not in the result.
    """
    leaves: dict[Recorded, Tensor] = {}
    # A record has no cycles and rules make none: a collection now would only walk it in vain.
    collecting = gc.isenabled()
    gc.disable()
    try:
        with np.errstate(all="ignore"):
            _pull_all(frame, seeds, leaves)
    finally:
        if collecting:
            gc.enable()
    return leaves


def _pull_all(
    frame: RecordFrame,
    seeds: Sequence[tuple[Recorded, Tensor]],
    leaves: dict[Recorded, Tensor],
) -> None:
    cts: dict[Recorded, Any] = {}
    masks: dict[Recorded, Mask] = {}
    for node, ct in seeds:
        _add(cts, masks, node, strip(ct), None)
    for node in records(frame, list(cts)):
        ct = cts.pop(node, None)
        if ct is None:
            continue
        op = node.op
        if op is None:
            mask = masks.pop(node, None)
            if node.is_leaf:
                leaves[node] = _below(ct)
            else:  # one output of several
                cts.setdefault(node.first, {})[node.params[0]] = _below(ct)
                if mask is not None:
                    masks.setdefault(node.first, {})[node.params[0]] = mask
            continue
        raw: Any = op.raw
        if raw is not None and type(raw) is not tuple:
            raw = op.raw_rules()
        if (
            raw is not None
            and op.masks is None
            and not masks
            and type(node.ans) is _ndarray
            and type(ct) is not Tensor
            and _pull_raw(raw, node, ct, cts)
        ):
            continue
        mask = masks.pop(node, None) if masks else None
        if op.multi and mask is not None:
            mask = _either(mask, cast("dict[int, Any]", ct))
        _pull_one(frame, node, ct, mask, cts, masks)


def _pull_raw(rules: Sequence[Any], node: Recorded, ct: Any, cts: dict[Recorded, Any]) -> bool:
    """Apply the rules for plain arrays; False, with nothing done, where an operand is none.

    This is `_pull_one` without masks, several outputs and levels below: most of all records.
    """
    ans = node.ans
    x = node.first
    y = node.second
    if y is ABSENT:
        value = x.ans
        if type(value) is not _ndarray:  # a Python number divides by zero in another way
            return False
        rule = rules[0]
        if rule is not None:
            params = node.params
            pulled = rule(ct, ans, value, *params) if params else rule(ct, ans, value)
            cts[x] = cts[x] + pulled if x in cts else pulled
        return True
    if x is MANY or node.params:
        return False
    x_recorded = type(x) is Recorded
    y_recorded = type(y) is Recorded
    v1 = x.ans if x_recorded else _plain(x)
    v2 = y.ans if y_recorded else _plain(y)
    if type(v1) is Tensor or (x_recorded and type(v1) is not _ndarray):
        return False
    if type(v2) is Tensor or (y_recorded and type(v2) is not _ndarray):
        return False
    if x_recorded and (rule := rules[0]) is not None:
        pulled = rule(ct, ans, v1, v2)
        cts[x] = cts[x] + pulled if x in cts else pulled
    if y_recorded and (rule := rules[1]) is not None:
        pulled = rule(ct, ans, v1, v2)
        cts[y] = cts[y] + pulled if y in cts else pulled
    return True


def _plain(x: Any) -> Any:
    """An operand that this frame does not watch: an array or number, unless something else does."""
    return x._value if type(x) is Tensor and x._note is None else x


def _pull_one(
    frame: RecordFrame,
    node: Recorded,
    ct: Any,
    mask: Mask,
    cts: dict[Recorded, Any],
    masks: dict[Recorded, Mask],
) -> None:
    """Apply the rule of one record and add what it gives to its operands' cotangents."""
    op = node.op
    assert op is not None
    params = node.params
    operands, parents = _split(frame, node)
    if op.multi:
        ans = node.ans
        ct = tuple(ct.get(k) for k in range(len(ans)))
    else:
        ans = _below(node.ans)
        ct = _below(ct)
    if op.vjps is None:
        if op.vjp is None:
            raise no_rule(op.name)
        needs = tuple(p is not None for p in parents)
        results = op.vjp(ct, needs, ans, operands, *params)
    else:
        results = None
    for i, parent in enumerate(parents):
        if parent is None:
            continue
        if results is not None:
            pulled = results[i]
        else:
            rule = op.vjps[i]  # type: ignore[index]
            pulled = None if rule is None else rule(ct, ans, *operands, *params)
        if pulled is None:
            continue
        live = None
        if mask is not None or op.masks is not None:
            live = _flow(op, mask, i, ans, operands, params)
            if live is not None and (i in op.singular):
                pulled = guard(pulled, live)
        _add(cts, masks, parent, strip(pulled), live)


def _either(masks: dict[int, Mask], cts: dict[int, Any]) -> Mask:
    """Return where a cotangent of several outputs can be live: where that of any of them can."""
    if masks.keys() != cts.keys():
        return None
    return lambda: functools.reduce(operator.or_, [mask() for mask in masks.values()])


def _split(frame: RecordFrame, node: Recorded) -> tuple[tuple[Any, ...], list[Any]]:
    """Return a record's operands as values of the level below, and their own records."""
    entries = node.entries
    operands = tuple(_below(e.ans) if type(e) is Recorded else e for e in entries)
    return operands, [e if type(e) is Recorded else None for e in entries]


def _flow(op: Op, mask: Mask, i: int, ans: Any, operands: Any, params: Any) -> Mask:
    """Return which entries of operand i's cotangent can be live, as a function; None: all."""
    carries = mask is not None and op.live is not None

    def carried() -> Tensor:
        return cast("Rule", op.live)(cast("Rule", mask)(), i, ans, operands, *params)

    if op.masks is None:
        return carried if carries else None

    def selected() -> Tensor:
        own = cast("Rule", op.masks)(i, ans, operands, *params)
        return own & carried() if carries else own

    return selected


def _add(
    cts: dict[Recorded, Any],
    masks: dict[Recorded, Mask],
    node: Recorded,
    ct: Any,
    mask: Mask,
) -> None:
    """Add a cotangent; the sum is live where either is."""
    have = cts.get(node)
    if have is None:
        cts[node] = ct
        if mask is not None:
            masks[node] = mask
        return
    cts[node] = have + ct
    if masks:
        old = masks.pop(node, None)
        if old is not None and mask is not None:
            masks[node] = lambda: old() | mask()


def pushforward(
    frame: RecordFrame, ends: Sequence[Recorded], starts: dict[Recorded, Tensor]
) -> dict[Recorded, Any]:
    """Replay a record forwards: return the tangents of `ends`, given those of the leaves."""
    tangents: dict[Recorded, Any] = dict(starts)
    with np.errstate(all="ignore"):
        for node in reversed(records(frame, ends)):
            op = node.op
            if op is None:
                if not node.is_leaf:
                    whole = tangents.get(node.first)
                    tangents[node] = None if whole is None else whole[node.params[0]]
                continue
            operands, parents = _split(frame, node)
            pushed = tuple(None if p is None else tangents.get(p) for p in parents)
            if all(t is None for t in pushed):
                continue
            if op.jvp is None:
                raise no_rule(op.name)
            ans = node.ans if op.multi else _below(node.ans)
            tangents[node] = op.jvp(ans, pushed, operands, *node.params)
    return tangents


# -- the ambient tape ------------------------------------------------------------------------------


def backward(self: Tensor, gradient: Any = None) -> None:  # noqa: D417 - a method
    """Add the derivative of this Tensor to the `.grad` of every leaf it was computed from.

    Args:
        gradient: the cotangent of this Tensor, of its shape; by default 1, for a 0-d Tensor or
            one with a single element.

    Raises:
        NotDifferentiableError: if nothing was recorded, or a transformation watches this Tensor
            more closely than the tape of a leaf does.
        ShapeError: if this Tensor has several elements and no `gradient` is given, or the
            gradient has another shape.
        DTypeError: if the gradient of a real Tensor is complex.

    Example:
        >>> import lucid
        >>> x = lucid.Tensor(3.0, requires_grad=True)
        >>> (x * x).backward()
        >>> x.grad
        Tensor(6.)
    """
    note = self._note
    _check_backward(self)
    assert isinstance(note, Recorded)
    seed = _seed(self, gradient)
    reached = [*pullback(note.frame, [(note, fit(seed, lower(self)))]).items()]
    for leaf, ct in reached + _outer_tapes(self, note, seed):
        cell = leaf.cell
        assert cell is not None
        with cell.lock:
            cell.grad = ct if cell.grad is None else cell.grad + ct


def _seed(self: Tensor, gradient: Any) -> Tensor:
    if gradient is None:
        if self.size != 1:
            hint = "reduce it with .sum() or .mean(), or pass gradient="
            raise ShapeError(message("backward", "a scalar", f"shape {self.shape}", hint))
        return wrap(np.ones(self.shape, self.dtype), None)
    seed = Tensor(gradient)
    if seed.shape != self.shape:
        got = f"shape {seed.shape}"
        raise ShapeError(message("backward", f"a gradient of shape {self.shape}", got))
    if seed.dtype.kind == "c" and self.dtype.kind != "c":
        raise DTypeError(message("backward", f"a real gradient for {self.dtype}", str(seed.dtype)))
    return seed


def _outer_tapes(self: Tensor, note: Recorded, seed: Tensor) -> list[tuple[Recorded, Tensor]]:
    """Return the cotangents of leaves that the tapes around this body's watch, if any does.

    A leaf that this body's tape watches too (a Parameter is read on every tape) has its cotangent
    already. Past a transformation in between, the others have none that could be stored.
    """
    reached: list[tuple[Recorded, Tensor]] = []
    done: set[Recorded] | None = None
    pending: list[tuple[Any, Frame | None]] = [(self._value, None)]
    while pending:
        t, between = pending.pop()
        if not isinstance(t, Tensor) or t._note is None:
            continue
        outer: Any = t._note
        if outer.frame.scoped:
            between = outer.frame
            pending += [(source, between) for source in between.sources(outer)]
        else:
            done = _shadows(note) if done is None else done
            missing = [r for r in records(outer.frame, [outer]) if r.is_leaf and r not in done]
            if missing and between is not None:
                hint = "use lucid.grad for both derivatives, or .detach() the outer Tensor"
                got = f"one that, under {between.describe()}, also comes from a leaf made outside"
                want = "a Tensor computed from leaves of this body"
                raise NotDifferentiableError(message("backward", want, got, hint))
            if missing:
                pulled = pullback(outer.frame, [(outer, fit(seed, lower(t)))])
                reached += [(r, pulled[r]) for r in missing if r in pulled]
                done.update(missing)
        pending.append((t._value, between))
    return reached


def _shadows(note: Recorded) -> set[Recorded]:
    """Return the leaves on other tapes of the cells whose leaves this record comes from."""
    found: set[Recorded] = set()
    for leaf in records(note.frame, [note]):
        t = leaf.ans if leaf.is_leaf else None
        while isinstance(t, Tensor):
            mark: Any = t._note
            own = isinstance(mark, Recorded) and mark.is_leaf and not mark.frame.scoped
            if own and mark.cell is leaf.cell:
                found.add(mark)
            t = t._value
    return found


def _check_backward(self: Tensor) -> None:
    note = self._note
    if note is not None and not note.frame.open:
        note.frame.check_open("backward")
    if note is not None and note.frame.scoped and self.requires_grad:
        hint = "use lucid.grad for both derivatives, or read the leaf inside the function"
        got = f"one that {note.frame.describe()} watches too"
        raise NotDifferentiableError(message("backward", "a Tensor of this body's tape", got, hint))
    if note is None or not isinstance(note, Recorded) or note.frame.scoped:
        hint = "create an input with requires_grad=True, and leave lucid.no_grad()"
        got = "one without history"
        raise NotDifferentiableError(message("backward", "a recorded Tensor", got, hint))


install({"backward": backward})
