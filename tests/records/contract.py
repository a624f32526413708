"""Records of contractions: matrix products, einsum and relatives."""

from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from tests.record import INEXACT, INTEGER, Record

DTYPES = INEXACT + INTEGER
TWO = ((-2.0, 2.0),) * 2

MATMUL: Any = (
    *(((2, 3), (3, 4)), ((3,), (3,)), ((2, 3), (3,)), ((3,), (3, 2)), ((2, 0), (0, 3))),
    *(((4, 2, 3), (3, 2)), ((2, 3), (4, 3, 2)), ((4, 2, 3), (4, 3, 2)), ((0, 3), (3, 2))),
    *(((4, 2, 3), (3,)), ((3,), (4, 3, 2)), ((2, 1, 2, 3), (4, 3, 2)), ((5, 1, 2, 3), (3, 2))),
    *(((1, 3, 2), (2, 2, 3)), ((2, 1, 1, 3), (3,)), ((3,), (2, 2, 3, 1))),
)


def einsum(subscripts: str, *shapes: Any, **more: Any) -> Record:
    """A record of one contraction; `shapes` are cases, each with one shape per operand."""
    name = subscripts.replace("->", "_").replace(",", "-").replace("...", "o")
    count = len(shapes[0])
    return Record(
        "einsum",
        lambda *xs: lucid.einsum(subscripts, *xs),
        lambda *xs: np.einsum(subscripts, *xs),
        shapes=shapes,
        domains=((-2.0, 2.0),) * count,
        id=name,
        **more,
    )


def tensordot(name: str, axes: Any, *shapes: Any) -> Record:
    """A record of one pairing of axes."""
    return Record(
        "contract",
        lambda x, y: lucid.tensordot(x, y, axes=axes),
        lambda x, y: np.tensordot(x, y, axes=axes),
        shapes=shapes,
        domains=TWO,
        dtypes=DTYPES,
        id=f"tensordot-{name}",
    )


RECORDS: list[Record] = [
    Record("matmul", lucid.matmul, np.matmul, shapes=MATMUL, domains=TWO, dtypes=DTYPES),
    Record(
        "matmul",
        lambda x, y: x.mT @ y,
        lambda x, y: x.mT @ y,
        shapes=(((3, 2), (3, 4)), ((2, 3, 2), (3, 1)), ((2, 3, 2), (2, 3, 1))),
        domains=TWO,
        id="transposed",
    ),
    tensordot("two", 2, ((2, 3, 4), (3, 4, 2)), ((3, 2), (3, 2))),
    tensordot("none", 0, ((2,), (3,)), ((), (2, 2))),
    Record(
        "tensordot",
        lucid.tensordot,
        np.tensordot,
        shapes=(((2, 3), (2, 3)), ((2, 3, 2), (3, 2))),
        domains=TWO,
    ),
    tensordot("pairs", ((0, -1), (1, 0)), ((2, 3, 4), (4, 2, 3)), ((0, 2), (2, 0))),
    Record(
        "vecdot",
        lucid.vecdot,
        np.vecdot,
        shapes=(((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3)), ((2, 0), (2, 0))),
        domains=TWO,
    ),
    Record(
        "vecdot",
        lambda x, y: lucid.vecdot(x, y, axis=0),
        lambda x, y: np.vecdot(x, y, axis=0),
        shapes=(((3, 2), (3, 2)), ((3, 1), (3, 2))),
        domains=TWO,
        id="axis",
    ),
    Record(
        "inner",
        lucid.inner,
        np.inner,
        shapes=(((3,), (3,)), ((2, 3), (4, 3)), ((2, 2, 3), (3,))),
        domains=TWO,
        dtypes=DTYPES,
    ),
    Record(
        "dot",
        lucid.dot,
        np.dot,
        shapes=(((2, 3), (2, 3, 4)), ((3,), (2, 3, 1)), ((2, 1, 3), (2, 3, 2))),
        domains=TWO,
        id="stacks",
    ),
    Record(
        "dot",
        lucid.dot,
        np.dot,
        shapes=(((3,), (3,)), ((2, 3), (3, 2)), ((), (2,)), ((2,), ()), ((2, 2, 3), (3, 2))),
        domains=TWO,
    ),
    Record(
        "outer",
        lucid.outer,
        np.outer,
        shapes=(((2,), (3,)), ((2, 2), (3,)), ((), ()), ((0,), (2,))),
        domains=TWO,
        dtypes=DTYPES,
    ),
    Record(
        "kron",
        lucid.kron,
        np.kron,
        shapes=(((2,), (3,)), ((2, 2), (3,)), ((2, 3), (2, 1)), ((2,), (2, 1, 2))),
        domains=TWO,
    ),
    Record(
        "cross",
        lucid.cross,
        np.cross,
        shapes=(((3,), (3,)), ((2, 3), (3,)), ((2, 1, 3), (4, 3))),
        domains=TWO,
    ),
    Record(
        "cross",
        lambda x, y: lucid.cross(x, y, axis=-2),
        lambda x, y: np.cross(x, y, axis=-2),
        shapes=(((3, 2), (3, 2)), ((2, 3, 2), (3, 1))),
        domains=TWO,
        id="axis",
    ),
    einsum("ij,jk->ik", ((2, 3), (3, 4)), ((0, 3), (3, 2)), dtypes=DTYPES),
    einsum("ij,jk", ((2, 3), (3, 4))),
    einsum("ij,kj->ki", ((2, 3), (4, 3))),
    einsum("i,i", ((3,), (3,)), ((0,), (0,))),
    einsum("i,j->ji", ((3,), (2,))),
    einsum("ij,ij->ij", ((2, 3), (2, 3)), ((1, 3), (2, 3)), ((2, 1), (1, 3))),
    einsum("bij,bjk->bik", ((2, 2, 3), (2, 3, 2))),
    einsum("ijk,kl->lij", ((2, 3, 2), (2, 3))),
    einsum("ij,k->k", ((2, 3), (4,))),
    einsum("ij,jk->", ((2, 3), (3, 2))),
    einsum("iij,jk->ik", ((3, 3, 2), (2, 4))),
    einsum("...ij,...jk->...ik", ((2, 2, 3), (3, 2)), ((2, 3), (3, 2)), ((2, 1, 2, 3), (4, 3, 2))),
    einsum("...,...", ((2, 3), (3,)), ((), ())),
    einsum("i...,i->...", ((3, 2, 2), (3,))),
    einsum("ij,jk,kl->il", ((2, 3), (3, 4), (4, 2))),
    einsum("ij,jk,kl,l->i", ((2, 3), (3, 2), (2, 4), (4,))),
    einsum("a,b,c->abc", ((2,), (3,), (2,))),
    einsum("bi,bj,ijk->bk", ((2, 3), (2, 2), (3, 2, 4))),
    einsum("i,i,i", ((3,), (3,), (1,))),
    einsum("ij->", ((2, 3),), ((0, 2),), dtypes=DTYPES),
    einsum("ij->j", ((2, 3),)),
    einsum("ii->", ((3, 3),), dtypes=DTYPES),
    einsum("iij->j", ((3, 3, 2),)),
    einsum("...i->...", ((2, 3),), ((4,),)),
    einsum("ii->i", ((3, 3),)),
    einsum("iji->ji", ((2, 3, 2),)),
    einsum("iii->i", ((2, 2, 2),)),
    einsum("ijk->kij", ((2, 3, 4),)),
    einsum("ba", ((2, 3),)),
    Record(
        "einsum",
        lambda *xs: lucid.einsum("ij,jk,kl->il", *xs, optimize=False),
        lambda *xs: np.einsum("ij,jk,kl->il", *xs),
        shapes=(((2, 3), (3, 4), (4, 2)),),
        domains=((-2.0, 2.0),) * 3,
        id="left to right",
    ),
]
