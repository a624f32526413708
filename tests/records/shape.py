"""Records of what rearranges elements: shape, order, repetition, joining."""

from __future__ import annotations

from typing import Any

import numpy as np

import lucid
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from tests.record import ALL, Record, booleans

MATRIX: Any = (((2, 3),), ((3, 3),), ((2, 0),))
STACK: Any = (((2, 3),), ((2, 3, 4),), ((3, 1, 2),), ((0, 2, 2),))
CUBE: Any = (((2, 3, 4),), ((1, 2, 2),), ((2, 0, 3),))
PAIR = ((-2.0, 2.0), (-2.0, 2.0))


def one(op: str, name: str, fn: Any, ref: Any, shapes: Any) -> Record:
    """A record of an operation with one operand of any dtype."""
    return Record(op, fn, ref, shapes=shapes, dtypes=ALL, id=name)


def embed(x: Any) -> Any:
    """Put the last axis on the first superdiagonal of axes 0 and 2 of a (2, 3, 4) array."""
    out = np.zeros((2, 3, 4), x.dtype)
    for i in range(2):
        out[i, :, i + 1] = x[:, i]
    return out


def two(op: str, name: str, fn: Any, ref: Any, shapes: Any, **more: Any) -> Record:
    """A record of an operation with two operands."""
    return Record(op, fn, ref, shapes=shapes, domains=PAIR, id=name, **more)


RECORDS: list[Record] = [
    # shape
    one("reshape", "", lambda x: lucid.reshape(x, (3, 2)), lambda x: x.reshape(3, 2), (((2, 3),),)),
    one("reshape", "flat", lambda x: lucid.reshape(x, -1), lambda x: x.reshape(-1), MATRIX[:2]),
    one("reshape", "0-d", lambda x: lucid.reshape(x, ()), lambda x: x.reshape(()), (((1, 1),),)),
    one("ravel", "", lucid.ravel, np.ravel, CUBE),
    one(
        "expand_dims",
        "",
        lambda x: lucid.expand_dims(x, (0, -1)),
        lambda x: np.expand_dims(x, (0, -1)),
        MATRIX,
    ),
    one("squeeze", "", lambda x: lucid.squeeze(x, 1), lambda x: x.squeeze(1), (((2, 1, 1),),)),
    one("squeeze", "all", lucid.squeeze, np.squeeze, (((2, 1, 1),), ((1,),))),
    one(
        "broadcast_to",
        "",
        lambda x: lucid.broadcast_to(x, (2, 2, 3)),
        lambda x: np.broadcast_to(x, (2, 2, 3)),
        (((2, 3),), ((1, 3),), ((),), ((2, 1, 1),)),
    ),
    one(
        "broadcast_to",
        "empty",
        lambda x: lucid.broadcast_to(x, (0, 3)),
        lambda x: np.broadcast_to(x, (0, 3)),
        (((1, 3),), ((),)),
    ),
    two(
        "broadcast_arrays",
        "",
        lucid.broadcast_arrays,
        lambda x, y: tuple(np.broadcast_arrays(x, y)),
        (((2, 1), (3,)), ((), (2,))),
    ),
    one("atleast_3d", "", lucid.atleast_3d, np.atleast_3d, (((),), ((2,),), ((2, 3),))),
    # the order of axes
    one(
        "permute_dims",
        "",
        lambda x: lucid.permute_dims(x, (2, 0, -2)),
        lambda x: x.transpose(2, 0, 1),
        CUBE,
    ),
    one("transpose", "", lambda x: lucid.asarray(x).T, np.transpose, CUBE),
    one("matrix_transpose", "", lambda x: lucid.asarray(x).mT, lambda x: x.mT, CUBE),
    one("swapaxes", "", lambda x: lucid.swapaxes(x, 0, -1), lambda x: x.swapaxes(0, -1), CUBE),
    one(
        "moveaxis",
        "",
        lambda x: lucid.moveaxis(x, (0, -1), (1, 0)),
        lambda x: np.moveaxis(x, (0, -1), (1, 0)),
        CUBE,
    ),
    # the order of elements
    one("flip", "", lucid.flip, np.flip, (*CUBE, ((),))),
    one("flip", "axes", lambda x: lucid.flip(x, (0, -1)), lambda x: np.flip(x, (0, -1)), CUBE),
    one("roll", "", lambda x: lucid.roll(x, 2), lambda x: np.roll(x, 2), (*CUBE, ((),))),
    one(
        "roll",
        "axes",
        lambda x: lucid.roll(x, (1, -2), axis=(0, -1)),
        lambda x: np.roll(x, (1, -2), (0, -1)),
        CUBE,
    ),
    one("roll", "twice", lambda x: lucid.roll(x, (1, 1), 0), lambda x: np.roll(x, 2, 0), CUBE),
    # repetition
    one("tile", "", lambda x: lucid.tile(x, (2, 1, 3)), lambda x: np.tile(x, (2, 1, 3)), MATRIX),
    one("tile", "0-d", lambda x: lucid.tile(x, 3), lambda x: np.tile(x, 3), (((),), ((2,),))),
    one("repeat", "", lambda x: lucid.repeat(x, 2), lambda x: np.repeat(x, 2), (*MATRIX, ((),))),
    one("repeat", "axis", lambda x: lucid.repeat(x, 2, 0), lambda x: np.repeat(x, 2, 0), MATRIX),
    one(
        "repeat",
        "each",
        lambda x: lucid.repeat(x, [2, 0, 1], axis=-1),
        lambda x: np.repeat(x, [2, 0, 1], -1),
        (((2, 3),), ((3,),)),
    ),
    *(
        one(
            "pad",
            mode,
            lambda x, m=mode: lucid.pad(x, ((1, 2), (0, 5)), m),
            lambda x, m=mode: np.pad(x, ((1, 2), (0, 5)), m),
            (((2, 3),), ((1, 2),)),
        )
        for mode in ("constant", "edge", "reflect", "symmetric", "wrap")
    ),
    Record(
        "pad",
        lambda x, c: lucid.pad(x, (1, 2), constant_values=c),
        lambda x, c: np.pad(x, (1, 2), constant_values=c),
        shapes=(((2, 3), ()), ((0,), ())),
        domains=PAIR,
        id="value",
    ),
    # along a diagonal
    one("diagonal", "", lucid.diagonal, np.diagonal, STACK),
    one(
        "diagonal",
        "offset",
        lambda x: lucid.diagonal(x, offset=-1, axis1=2, axis2=-3),
        lambda x: np.diagonal(x, -1, 2, 0),
        CUBE,
    ),
    one("diagonal", "far", lambda x: lucid.diagonal(x, 7), lambda x: np.diagonal(x, 7), MATRIX),
    one(
        "embed_diagonal",
        "",
        lambda x: bind(OPS["embed_diagonal"], (x,), (1, 0, 2, (2, 3, 4))),
        embed,
        (((3, 2),),),
    ),
    one("diag", "", lambda x: lucid.diag(x, -1), lambda x: np.diag(x, -1), (((3,),), ((2, 3),))),
    one("tril", "", lambda x: lucid.tril(x), np.tril, STACK),
    one("tril", "k", lambda x: lucid.tril(x, k=1), lambda x: np.tril(x, 1), STACK),
    one("triu", "", lambda x: lucid.triu(x), np.triu, STACK),
    one("triu", "k", lambda x: lucid.triu(x, k=-1), lambda x: np.triu(x, -1), STACK),
    # joining
    two(
        "concat",
        "",
        lambda x, y: lucid.concat([x, y]),
        lambda x, y: np.concatenate([x, y]),
        (((2, 3), (1, 3)), ((2,), (0,)), ((0, 2), (0, 2))),
        dtypes=ALL,
    ),
    two(
        "concat",
        "axis",
        lambda x, y: lucid.concat([x, y, x], axis=-1),
        lambda x, y: np.concatenate([x, y, x], -1),
        (((2, 3), (2, 1)),),
    ),
    two(
        "concat",
        "flat",
        lambda x, y: lucid.concat([x, y], axis=None),
        lambda x, y: np.concatenate([x, y], None),
        (((2, 3), (2,)), ((), (2,))),
    ),
    Record(
        "concat",
        lambda x, y: lucid.concat([x, y]),
        lambda x, y: np.concatenate([x, y]),
        shapes=(((2,), (3,)),),
        domains=((-2.0, 2.0), booleans),
        id="promoted",
    ),
    two(
        "stack",
        "",
        lambda x, y: lucid.stack([x, y], axis=-1),
        lambda x, y: np.stack([x, y], -1),
        (((2, 3), (2, 3)), ((), ()), ((0,), (0,))),
        dtypes=ALL,
    ),
    one(
        "stack",
        "number",
        lambda x: lucid.stack([x, 1.0, 2]),
        lambda x: np.stack([x, 1.0, 2]).astype(np.result_type(x, 1.0)),
        (((),),),
    ),
    *(
        two(
            name,
            "",
            lambda x, y, n=name: getattr(lucid, n)([x, y]),
            lambda x, y, n=name: getattr(np, n)([x, y]),
            shapes,
        )
        for name, shapes in (
            ("vstack", (((3,), (2, 3)), ((2,), (2,)))),
            ("hstack", (((3,), (2,)), ((2, 3), (2, 1)))),
            ("column_stack", (((2,), (2, 3)), ((2,), (2,)))),
        )
    ),
    one(
        "unstack",
        "",
        lambda x: lucid.unstack(x, axis=1),
        lambda x: tuple(np.unstack(x, axis=1)),
        (((2, 3),), ((2, 1, 2),)),
    ),
    one("split", "", lambda x: lucid.split(x, 2), lambda x: tuple(np.split(x, 2)), (((4, 2),),)),
    one(
        "split",
        "places",
        lambda x: lucid.split(x, [1, 1, 5], axis=-1),
        lambda x: tuple(np.split(x, [1, 1, 5], -1)),
        MATRIX,
    ),
    one(
        "array_split",
        "",
        lambda x: lucid.array_split(x, 3),
        lambda x: tuple(np.array_split(x, 3)),
        (((5, 2),), ((2,),)),
    ),
]
