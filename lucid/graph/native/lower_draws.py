"""Draws that take their words one after the other: normal, exponential and gamma, integers."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid.core.op import OPS
from lucid.graph.ir import Node, Value
from lucid.graph.native import draws
from lucid.graph.native.elementwise import cast
from lucid.graph.native.lower_check import elementwise, require, require_within
from lucid.graph.native.lower_random import RULES as RANDOM_RULES
from lucid.graph.native.lower_random import Draw
from lucid.graph.native.plan import Planner, Ref
from lucid.graph.native.routine import Routine
from lucid.graph.native.table import address_of
from lucid.graph.native.text import Body

__all__ = ["RULES"]

LONGEST = 2**32 - 1  # a range of integers that has no rule of its own


class Sequential(Routine):
    """Numbers from a key's stream.

    Attributes:
        name: of the distribution.
        kind: of the words that it takes.
    """

    def __init__(self, name: str, kind: str, operands: Sequence[Ref], out: Value) -> None:
        super().__init__(operands, [out])
        self.name, self.kind = name, kind
        self.work = math.prod(out.aval.shape) * 10

    def code(self, b: Body) -> None:
        """Call the function."""
        self.draw(b, self.kind, [])

    def draw(self, b: Body, kind: str, more: Sequence[str]) -> None:
        """Call the function for words of a kind."""
        words = self.operands[0]
        base = address_of(b, words)
        keys = [b.load(b.address(base, "L", str(i * words.strides[0])), "L") for i in range(2)]
        out = Ref.whole(self.results[0])
        count = math.prod(out.shape)
        given = [*(f"i64 {k}" for k in keys), f"ptr {address_of(b, out)}", f"i64 {count}", *more]
        symbol = draws.compiled(self.name, kind)
        types = ", ".join(x.split()[0] for x in given)
        b.module.declare(f"declare void @{symbol}({types})")
        b.do(f"call void @{symbol}({', '.join(given)})")


class Integers(Sequential):
    """Integers from a range that is known when the program runs."""

    can_fail = True

    def code(self, b: Body) -> None:
        """Choose words by the range; a range of one number takes none."""
        low, high = (
            cast(b, b.load(address_of(b, r), k), k, "l")
            for r in self.operands[1:]
            for k in r.root.aval.dtype.char
        )
        top = b.put(f"sub i64 {b.put(f'sub i64 {high}, {low}')}, 1")
        wrong = b.put(f"icmp sge i64 {low}, {high}")
        odd = b.put(f"icmp eq i64 {top}, {LONGEST}")
        wrong = b.put(f"or i1 {wrong}, {odd}")
        self.fail(b, wrong)
        fine = b.put(f"xor i1 {wrong}, true")
        one = b.put(f"and i1 {fine}, {b.put(f'icmp eq i64 {top}, 0')}")
        short = b.put(f"icmp ult i64 {top}, {LONGEST}")
        some = b.put(f"and i1 {fine}, {b.put(f'icmp ne i64 {top}, 0')}")
        more = [f"i64 {low}", f"i64 {top}"]
        with b.when(one):
            goal = address_of(b, Ref.whole(self.results[0]))
            with b.loop(0, math.prod(self.results[0].aval.shape)) as i:
                b.store(low, b.address(goal, "l", i), "l")
        with b.when(b.put(f"and i1 {some}, {short}")):
            self.draw(b, "i", more)
        with b.when(b.put(f"and i1 {some}, {b.put(f'xor i1 {short}, true')}")):
            self.draw(b, "l", more)


class Each(Sequential):
    """Numbers of which each has a parameter of its own, or all the same one."""

    def code(self, b: Body) -> None:
        """Call the function."""
        a = self.operands[1]
        stride = 0 if math.prod(a.shape) == 1 else 1
        self.draw(b, "d", [f"ptr {address_of(b, a)}", f"i64 {stride}"])


def _suited(node: Node) -> bool:
    words, (out,) = node.operands[0], node.outputs
    if not isinstance(words, Value) or not math.prod(out.aval.shape):
        return False
    good = words.aval.shape == (2,) and words.aval.dtype == np.dtype(np.uint64)
    return good and draws.available()


def _ziggurat(planner: Planner, node: Node) -> bool:
    (out,) = node.outputs
    if not _suited(node) or out.aval.dtype.char not in "fd":
        return False
    words = node.operands[0]
    assert isinstance(words, Value)
    name = node.op.name.removeprefix("random_")
    planner.add(Sequential(name, out.aval.dtype.char, [planner.ref(words)], out), out)
    return True


def _permutation(planner: Planner, node: Node) -> bool:
    (out,) = node.outputs
    if not _suited(node) or out.aval.dtype != np.dtype(np.int64) or out.aval.shape[0] >> 31:
        return False
    words = node.operands[0]
    assert isinstance(words, Value)
    planner.add(Sequential("permutation", "i", [planner.ref(words)], out), out)
    return True


def _integers(planner: Planner, node: Node) -> bool:
    (out,) = node.outputs
    if not _suited(node) or out.aval.dtype != np.dtype(np.int64):
        return False
    refs = []
    for x in node.operands:
        if not isinstance(x, Value) or x.aval.weak:
            return False
        if refs and (x.aval.shape or x.aval.dtype.kind not in "iu" or x.aval.dtype.char in "LQ"):
            return False
        refs.append(planner.ref(x))
    planner.add(Integers("integers", "l", refs, out), out)
    return True


def _each(planner: Planner, node: Node) -> bool:
    """Draws with a parameter, in double precision; one that must be in a range."""
    words, a = node.operands
    (out,) = node.outputs
    if not _suited(node) or not isinstance(words, Value) or not isinstance(a, Value):
        return False
    if a.aval.weak or a.aval.dtype.kind != "f":
        return False
    name = node.op.name.removeprefix("random_")
    low = elementwise(planner, "greater" if name == "geometric" else "greater_equal", a, 0)
    if name == "poisson":
        high = elementwise(planner, "less", a, 9.2e18)
        low = elementwise(planner, "logical_and", low, high)
    elif name == "geometric":
        high = elementwise(planner, "less_equal", a, 1)
        low = elementwise(planner, "logical_and", low, high)
    require(planner, low)
    kind = np.dtype(np.float64 if name == "gamma" else np.int64)
    drawn = Value(out.aval._replace(dtype=kind))
    ref = _parameters(planner, a, out.aval.shape)
    planner.add(Each(name, "d", [planner.ref(words), ref], drawn), drawn)
    planner.refs[out] = planner.refs[_as(planner, drawn, out.aval.dtype)]
    return True


def _parameters(planner: Planner, a: Value, shape: tuple[int, ...]) -> Ref:
    """Return a number, or one for each of the draws, all together."""
    a = _as(planner, a, np.dtype(np.float64))
    if math.prod(a.aval.shape) == 1:
        return planner.ref(a)
    ref = planner.refs[a].view(lambda x: np.broadcast_to(x, shape))
    assert ref is not None
    if not ref.is_contiguous:
        alias = Value(a.aval._replace(shape=shape))
        planner.refs[alias] = ref
        ref = planner.materialise(alias)
    planner.stored.add(ref.root)
    return ref


def _bernoulli(planner: Planner, node: Node) -> bool:
    """Truth values of several probabilities: uniform numbers, compared."""
    words, p = node.operands
    (out,) = node.outputs
    if not isinstance(p, Value) or math.prod(p.aval.shape) <= 1:
        return RANDOM_RULES["random_bernoulli"](planner, node)
    if not _suited(node) or not isinstance(words, Value) or p.aval.dtype.kind != "f":
        return False
    require_within(planner, p, 1)
    numbers = Value(out.aval._replace(dtype=np.dtype(np.float64)))
    planner.add(Draw([planner.ref(words)], numbers, "uniform"), numbers)
    less = Node(OPS["less"], (numbers, p), (), (out.aval,))
    planner.elementwise(less)
    planner.refs[out] = planner.refs[less.outputs[0]]
    return True


def _as(planner: Planner, x: Value, dtype: Any) -> Value:
    if x.aval.dtype == dtype:
        return x
    node = Node(OPS["astype"], (x,), (dtype,), (x.aval._replace(dtype=dtype),))
    planner.elementwise(node)
    return node.outputs[0]


RULES: dict[str, Callable[[Planner, Node], bool]] = {
    "random_normal": _ziggurat,
    "random_exponential": _ziggurat,
    "random_permutation": _permutation,
    "random_randint": _integers,
    **dict.fromkeys(("random_gamma", "random_poisson", "random_geometric"), _each),
    "random_bernoulli": _bernoulli,
}
