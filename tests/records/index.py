"""Records of reading and updating by keys."""

from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from lucid.ops.index import getitem
from tests.record import ALL, Record, distinct, integers

PAIR = ((-2.0, 2.0), (-2.0, 2.0))
S = slice
FULL = (None, None, None)

STATIC: tuple[tuple[str, Any, Any], ...] = (
    ("integer", -1, (((3,),), ((2, 3),))),
    ("slice", S(1, None), (((3,),), ((2, 3),), ((0, 2),))),
    ("reversed", (S(None), S(None, None, -2)), (((2, 5),), ((2, 0),))),
    ("ellipsis", (..., None, 0), (((2, 3),), ((2,),))),
    ("everything", (), (((2, 3),), ((),))),
    ("new axes", (None, S(0, 2), None, -1), (((2, 3),), ((1, 2, 2),))),
)


def index_of(*lengths: int) -> Any:
    """Sample places in axes of these lengths, negative ones too; the shape picks the axis."""
    return integers(-min(lengths), min(lengths))


def gathered(op: str, params: Any) -> Any:
    """Call an operation of the gather family directly."""
    return lambda *args: bind(OPS[op], args, params)


def reader(*places: Any) -> Any:
    """Read ``x[key]`` with the operands behind `x` at the entries of the key that are "i"."""

    def read(x: Any, *indices: Any) -> Any:
        rest = iter(indices)
        return x[tuple(next(rest) if p == "i" else p for p in places)]

    return lambda x, *i: read(lucid.asarray(x), *i), read


def read_record(name: str, places: Any, shapes: Any, axes: Any) -> Record:
    """A record of reading with arrays of indices."""
    fn, ref = reader(*places)
    domains = ((-2.0, 2.0), *(index_of(n) for n in axes))
    return Record("gather", fn, ref, shapes=shapes, domains=domains, dtypes=ALL, id=name)


def updater(method: str, *places: Any) -> Any:
    """Update ``x.at[key]`` by a value; operands are x, the value, and indices."""

    def key(indices: Any) -> Any:
        rest = iter(indices)
        return tuple(next(rest) if isinstance(p, str) else p for p in places)

    def fn(x: Any, v: Any, *indices: Any) -> Any:
        return getattr(lucid.asarray(x).at[key(indices)], method)(v)

    def ref(x: Any, v: Any, *indices: Any) -> Any:
        out = np.array(x)
        k = key(indices)
        if method == "set":
            out[k] = v
        else:
            names = {"min": np.minimum, "max": np.maximum}
            (names.get(method) or getattr(np, method)).at(out, k, v)
        return out

    return fn, ref


def update_record(
    op: str, name: str, method: str, places: Any, shapes: Any, domains: Any, **more: Any
) -> Record:
    """A record of an update."""
    fn, ref = updater(method, *places)
    return Record(op, fn, ref, shapes=shapes, domains=domains, id=name, **more)


def place(x: Any) -> Any:
    """Put x into the odd columns of a (2, 5) array of zeros."""
    out = np.zeros((2, 5), x.dtype)
    out[:, 1::2] = x
    return out


def added(x: Any, i: Any, j: Any) -> Any:
    """Add x, of shape (3, n), at places (i, :, j) of a (4, 3, 2) array of zeros."""
    out = np.zeros((4, 3, 2), x.dtype)
    np.add.at(out, (i, slice(None), j), x.T)
    return out


def put(x: Any, i: Any) -> Any:
    """Put the rows of x at places of an array of 4 rows of zeros."""
    out = np.zeros((4, 2), x.dtype)
    out[i] = x
    return out


POSITIVE = ((0.5, 2.0), (0.5, 2.0))
APART = (distinct(-2.0, 2.0), distinct(-1.7, 2.3))

RECORDS: list[Record] = [
    *(
        Record(
            "getitem",
            lambda x, k=key: getitem(x, k),
            lambda x, k=key: x[k],
            shapes=shapes,
            dtypes=ALL,
            id=name,
        )
        for name, key, shapes in STATIC
    ),
    Record(
        "place",
        gathered("place", ((2, 5), (FULL, (1, None, 2)))),
        place,
        shapes=(((2, 2),),),
        dtypes=ALL,
    ),
    read_record("rows", ("i",), (((3, 2), (4,)), ((2,), ()), ((3, 2), (2, 2)), ((3,), (0,))), (2,)),
    read_record("columns", (S(None), "i"), (((2, 3), (4,)), ((1, 3, 2), (2, 1))), (3,)),
    read_record("pair", ("i", "i"), (((2, 3), (4,), (4,)), ((2, 2, 2), (3, 1), (2,))), (2, 2)),
    read_record("apart", ("i", S(1, None), "i"), (((2, 3, 4), (2,), (3, 1)),), (2, 4)),
    read_record("integer", (0, ..., "i"), (((2, 3, 4), (2,)), ((2, 4), (2, 3))), (4,)),
    read_record("new axis", ("i", None, S(None, None, -1)), (((2, 3), (2,)),), (2,)),
    Record(
        "gather",
        lambda x: lucid.asarray(x)[np.array([[True, False, True], [False, False, True]])],
        lambda x: x[np.array([[True, False, True], [False, False, True]])],
        shapes=(((2, 3),), ((2, 3, 2),)),
        id="mask",
    ),
    Record(
        "take",
        lambda x, i: lucid.take(x, i, axis=-1),
        lambda x, i: np.take(x, i, -1),
        shapes=(((2, 3), (4,)), ((3,), ()), ((2, 3), (2, 2))),
        domains=((-2.0, 2.0), index_of(3)),
        dtypes=ALL,
    ),
    Record(
        "take",
        lambda x, i: lucid.take(x, i),
        lambda x, i: np.take(x, i),
        shapes=(((2, 3), (4,)),),
        domains=((-2.0, 2.0), index_of(6)),
        id="flat",
    ),
    Record(
        "take_along_axis",
        lambda x, i: lucid.take_along_axis(x, i, axis=1),
        lambda x, i: np.take_along_axis(x, i, 1),
        shapes=(((2, 3), (2, 4)), ((2, 3, 2), (1, 2, 2)), ((1, 3), (4, 2)), ((0, 3), (0, 1))),
        domains=((-2.0, 2.0), index_of(3)),
        dtypes=ALL,
    ),
    Record(
        "scatter_add",
        gathered("scatter_add", ((4, 3, 2), (0, 2), 1, False)),
        added,
        shapes=(((3, 5), (5,), (5,)),),
        domains=((-2.0, 2.0), index_of(4), index_of(2)),
    ),
    Record(
        "scatter_add",
        gathered("scatter_add", ((4, 2), (0,), 0, True)),
        put,
        shapes=(((3, 2), (3,)),),
        domains=((-2.0, 2.0), lambda rng, shape, dtype: rng.permutation(4)[: shape[0]]),
        id="unique",
    ),
    Record(
        "setitem",
        gathered("setitem", ((FULL, (1, None, 2)),)),
        updater("set", S(None), S(1, None, 2))[1],
        shapes=(((2, 5), (2, 2)), ((0, 5), (0, 2))),
        domains=PAIR,
        dtypes=ALL,
    ),
    *(
        update_record(
            "setitem", f"at {method}", method, (0, S(1, None)), (((2, 3), (2,)), ((2, 3), ())), d
        )
        for method, d in (
            ("set", PAIR),
            ("add", PAIR),
            ("subtract", PAIR),
            ("multiply", PAIR),
            ("divide", POSITIVE),
            ("power", POSITIVE),
            ("min", APART),
            ("max", APART),
        )
    ),
    *(
        update_record(
            op,
            method,
            method,
            ("i",),
            (((4, 2), (3, 2), (3,)), ((4,), (), (2, 3)), ((4, 2), (2,), ())),
            (*d, index_of(4)),
        )
        for op, method, d in (
            ("scatter_set", "set", PAIR),
            ("scatter_add", "add", PAIR),
            ("scatter_set", "multiply", PAIR),
            ("scatter_set", "divide", POSITIVE),
            ("scatter_set", "power", POSITIVE),
        )
    ),
    *(
        update_record(
            op,
            method,
            method,
            ("i",),
            (((4, 2), (3, 2), (3,)), ((4,), (6,), (6,)), ((4, 2), (1, 2), (1,))),
            (*APART, index_of(4)),
        )
        for op, method in (("scatter_min", "min"), ("scatter_max", "max"))
    ),
    update_record(
        "scatter_set",
        "apart",
        "set",
        ("i", S(1, None), "i"),
        (((2, 3, 4), (3, 2, 2), (2,), (3, 1)), ((2, 3, 4), (2,), (), (2,))),
        (*PAIR, index_of(2), index_of(4)),
    ),
    update_record(
        "scatter_max",
        "apart",
        "max",
        ("i", S(1, None), "i"),
        (((2, 3, 4), (3, 2, 2), (2,), (3, 1)),),
        (*APART, index_of(2), index_of(4)),
    ),
    Record(
        "nonzero",
        lucid.nonzero,
        np.nonzero,
        shapes=(((2, 3),), ((0,),)),
        domains=((-1.0, 1.0),),
        dtypes=ALL,
        diff=(),
        batch=False,  # the shape of the result depends on the data
    ),
    Record(
        "argwhere",
        lucid.argwhere,
        np.argwhere,
        shapes=(((2, 3),), ((),)),
        domains=((-1.0, 1.0),),
        dtypes=ALL,
        diff=(),
        batch=False,  # the shape of the result depends on the data
    ),
]
