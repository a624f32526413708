"""Reverse mode: pulling cotangents back along a record, and the transformations made of it."""

from __future__ import annotations

import functools
import gc
import operator
from collections.abc import Iterable, Sequence
from typing import Any, cast

import numpy as np

from lucid.core.cells import capturing
from lucid.core.cotangent import guard
from lucid.core.dispatch import apply, top
from lucid.core.frames import ABSENT, MANY, Recorded, RecordFrame
from lucid.core.op import OPS, Op, Rule
from lucid.core.tensor import Tensor, strip, wrap
from lucid.errors import no_rule

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
    nodes = records(frame, list(cts))
    masked: bool | None = None  # whether a mask can make a difference; not asked yet
    for node in nodes:
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
        if masked is None and op.masks is not None:
            masked = any(n.op is not None and n.op.singular for n in nodes)
        raw: Any = op.raw
        if raw is not None and type(raw) is not tuple:
            raw = op.raw_rules()
        if raw is not None and type(node.ans) is _ndarray and type(ct) is not Tensor:
            if masked and (masks or op.masks is not None):
                if _pull_many(raw, node, ct, cts, masks):
                    continue
            elif _pull_raw(raw, node, ct, cts):
                continue
        mask = masks.pop(node, None) if masks else None
        if op.multi and mask is not None:
            mask = _either(mask, cast("dict[int, Any]", ct))
        _pull_one(frame, node, ct, mask, cts, masks if masked else None)


def _pull_raw(rules: Sequence[Any], node: Recorded, ct: Any, cts: dict[Recorded, Any]) -> bool:
    """Apply the rules for plain arrays; False, with nothing done, where an operand is none.

    This is `_pull_one` without masks, several outputs and levels below: most of all records.
    """
    ans = node.ans
    x = node.first
    y = node.second
    if y is ABSENT and node.op.vjps is not None:  # type: ignore[union-attr]
        value = x.ans
        if type(value) is not _ndarray:  # a Python number divides by zero in another way
            return False
        rule = rules[0]
        if rule is not None:
            params = node.params
            pulled = rule(ct, ans, value, *params) if params else rule(ct, ans, value)
            cts[x] = cts[x] + pulled if x in cts else pulled
        return True
    if x is MANY or node.params or len(rules) != 2:
        return _pull_many(rules, node, ct, cts, None)
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


def _pull_many(
    rules: Sequence[Any],
    node: Recorded,
    ct: Any,
    cts: dict[Recorded, Any],
    masks: dict[Recorded, Mask] | None,
) -> bool:
    """Do what `_pull_raw` does for any number of operands, with parameters and masks."""
    entries, params, ans = node.entries, node.params, node.ans
    values: list[Any] = []
    for e in entries:
        recorded = type(e) is Recorded
        value = e.ans if recorded else _plain(e)
        if type(value) is Tensor or (recorded and type(value) is not _ndarray):
            return False
        values.append(value)
    op: Any = node.op
    if masks is None and op.vjps is not None:
        for e, rule in zip(entries, rules, strict=False):
            if rule is not None and type(e) is Recorded:
                pulled = rule(ct, ans, *values, *params)
                cts[e] = cts[e] + pulled if e in cts else pulled
        return True
    if op.vjps is None:
        needs = tuple([type(e) is Recorded for e in entries])
        results = rules[0](ct, needs, ans, values, *params)
    else:
        results = [
            rule(ct, ans, *values, *params) if rule is not None and type(e) is Recorded else None
            for e, rule in zip(entries, rules, strict=False)
        ]
    mask = masks.pop(node, None) if masks else None
    for i, pulled in enumerate(results):
        e = entries[i]
        if pulled is None or type(e) is not Recorded:
            continue
        live = None
        if masks is not None and (mask is not None or op.masks is not None):
            live = _flow(op, mask, i, ans, values, params)
            if live is not None and i in op.singular:
                pulled = strip(guard(_below(pulled), live))
        _add(cts, masks, e, pulled, live)
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
    masks: dict[Recorded, Mask] | None,
) -> None:
    """Apply the rule of one record and add what it gives to its operands' cotangents.

    `masks` is None where no older record could make use of one.
    """
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
        results = None
        if op.raw is not None and op.name in OPS and capturing.get() is not None:
            results = _fused(op, ct, needs, ans, operands, params)
        if results is None:
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
        if masks is not None and (mask is not None or op.masks is not None):
            live = _flow(op, mask, i, ans, operands, params)
            if live is not None and (i in op.singular):
                pulled = guard(pulled, live)
        _add(cts, masks, parent, strip(pulled), live)


def _fused(
    op: Op, ct: Tensor, needs: tuple[bool, ...], ans: Any, operands: Any, params: tuple[Any, ...]
) -> tuple[Any, ...] | None:
    """Return what the rule for plain arrays gives, as one operation of a graph; None elsewhere."""
    frame = top((ct, ans, *operands)) if not op.multi else None
    if frame is None or not frame.abstract or frame.batched:
        return None
    found = iter(apply(OPS["pull_fused"], (ct, ans, *operands), (op.name, needs, params)))
    return tuple(next(found) if n else None for n in needs)


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

    def call(rule: Rule | None, *masks: Tensor) -> Tensor:
        values = [_below(x) if type(x) is _ndarray else x for x in operands]
        whole = _below(ans) if type(ans) is _ndarray else ans
        return cast("Rule", rule)(*masks, i, whole, values, *params)

    def carried() -> Tensor:
        return call(op.live, cast("Rule", mask)())

    if op.masks is None:
        return carried if carries else None

    def selected() -> Tensor:
        own = call(op.masks)
        return own & carried() if carries else own

    return selected


def _add(
    cts: dict[Recorded, Any],
    masks: dict[Recorded, Mask] | None,
    node: Recorded,
    ct: Any,
    mask: Mask,
) -> None:
    """Add a cotangent; the sum is live where either is."""
    have = cts.get(node)
    if have is None:
        cts[node] = ct
        if mask is not None and masks is not None:
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
