"""Records of linear algebra: systems, factorisations, spectra, functions of matrices, norms."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import scipy.linalg

import lucid
from lucid import linalg
from lucid.core.dispatch import bind
from lucid.core.op import OPS
from lucid.ops.linalg.norms import ratio
from tests.record import INTEGER, Record

# -- where to draw from ----------------------------------------------------------------------------


def noise(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample numbers with real and imaginary parts in (-1, 1)."""
    x = rng.uniform(-1, 1, shape)
    return np.asarray(x + 1j * rng.uniform(-1, 1, shape) if dtype.kind == "c" else x, dtype)


def spread(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample matrices with singular values far from each other and from zero."""
    *lead, m, n = shape
    k = min(m, n)
    if not k:
        return np.zeros(shape, dtype)
    u, _, vh = np.linalg.svd(noise(rng, shape, dtype), full_matrices=False)
    s = np.arange(k, 0, -1) + rng.uniform(-0.2, 0.2, (*lead, k))
    return ((u * s[..., None, :]) @ vh).astype(dtype)


def positive(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample Hermitian matrices with eigenvalues far from each other and from zero."""
    u, s, _ = np.linalg.svd(spread(rng, shape, dtype))
    return ((u * s[..., None, :]) @ u.conj().swapaxes(-1, -2)).astype(dtype)


def layered(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample matrices with real parts of the eigenvalues near 1, 3, 5."""
    return (np.diag(1 + 2.0 * np.arange(shape[-1])) + 0.4 * noise(rng, shape, dtype)).astype(dtype)


def turning(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample matrices with a pair of complex eigenvalues, and others far from it."""
    base = np.diag(1 + 2.0 * np.arange(shape[-1]))
    base[:2, :2] = [[-1, -2], [2, -1]]
    return (base + 0.3 * noise(rng, shape, dtype)).astype(dtype)


def triangles(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample matrices whose triangles are well conditioned."""
    return (0.5 * noise(rng, shape, dtype) + 1.5 * np.eye(shape[-1])).astype(dtype)


def rank_one_less(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample matrices whose last column is the sum of the others."""
    x = spread(rng, shape, dtype)
    x[..., -1] = x[..., :-1].sum(-1)
    return x


SQUARE: Any = (((3, 3),), ((2, 3, 3),), ((1, 1),), ((2, 1, 2, 2),))
SQUARE_2: Any = (((3, 3),), ((2, 3, 3),), ((2, 1, 2, 2),))  # where 1 by 1 has derivative 0
EMPTY: Any = (((0, 0),), ((2, 0, 0),), ((0, 2, 2),))
RECTANGULAR: Any = (((4, 2),), ((2, 4),), ((2, 3, 2),), ((2, 2, 3),), ((3, 3),))
NO_ROWS: Any = (((0, 3),), ((2, 3, 0),), ((0, 2, 3),))
SYSTEMS: Any = (
    *(((3, 3), (3, 2)), ((2, 3, 3), (3, 2)), ((2, 2), (3, 2, 1)), ((2, 1, 2, 2), (3, 2, 2))),
    *(((3, 3), (3,)), ((2, 3, 3), (3,))),
)
NO_SYSTEMS: Any = (((0, 0), (0, 2)), ((2, 2), (2, 0)), ((0, 2, 2), (2, 1)), ((3, 0, 0), (0,)))


# -- how to call -----------------------------------------------------------------------------------


def adjoint(x: Any) -> Any:
    """Conjugate transpose of Tensors and arrays."""
    return lucid.conj(lucid.matrix_transpose(x))


def symmetric(fn: Callable[..., Any]) -> Callable[..., Any]:
    """The function of the Hermitian part, so that differences stay among Hermitian matrices."""
    return lambda a: fn((lucid.asarray(a) + adjoint(a)) / 2)


def mh(x: Any) -> Any:
    return np.conj(np.swapaxes(x, -1, -2))


def of_hermitian(fn: Callable[..., Any]) -> Callable[..., Any]:
    return lambda a: fn((a + mh(a)) / 2)


def eigh_parts(a: Any, uplo: str = "L") -> Any:
    """Eigenvalues, and functions of the vectors that do not depend on their phases."""
    w, v = linalg.eigh(a, uplo)
    return w, (v * lucid.sin(w)[..., None, :]) @ adjoint(v), abs(v)


def np_eigh_parts(a: Any) -> Any:
    w, v = np.linalg.eigh(a)
    return w, (v * np.sin(w)[..., None, :]) @ mh(v), abs(v)


def eig_parts(a: Any) -> Any:
    w, v = linalg.eig(a)
    return w, (v * lucid.exp(w * 0.2)[..., None, :]) @ linalg.inv(v), abs(v)


def wide(a: Any) -> Any:
    return np.result_type(a, np.complex64)


def np_eig_parts(a: Any) -> Any:
    w, v = (x.astype(wide(a)) for x in np.linalg.eig(a))
    return w, (v * np.exp(w * 0.2)[..., None, :]) @ np.linalg.inv(v), abs(v)


def svd_parts(full: bool) -> Callable[..., Any]:
    """Functions of singular vectors that depend neither on phases nor on bases of the rest."""

    def parts(a: Any) -> Any:
        u, s, vh = linalg.svd(a, full_matrices=full)
        k = s.shape[-1]
        u1, v1 = u[..., :k], vh[..., :k, :]
        out = [s, u1 @ v1, (u1 * lucid.sin(s)[..., None, :]) @ v1, abs(u1), abs(v1)]
        if full:
            rest = u[..., k:], vh[..., k:, :]
            out += [rest[0] @ adjoint(rest[0]), adjoint(rest[1]) @ rest[1]]
        return tuple(out)

    return parts


def np_svd_parts(full: bool) -> Callable[..., Any]:
    def parts(a: Any) -> Any:
        u, s, vh = np.linalg.svd(a, full_matrices=full)
        k = s.shape[-1]
        u1, v1 = u[..., :k], vh[..., :k, :]
        out = [s, u1 @ v1, (u1 * np.sin(s)[..., None, :]) @ v1, abs(u1), abs(v1)]
        if full:
            rest = u[..., k:], vh[..., k:, :]
            out += [rest[0] @ mh(rest[0]), mh(rest[1]) @ rest[1]]
        return tuple(out)

    return parts


def qr_parts(a: Any) -> Any:
    q, r = linalg.qr(a, mode="complete")
    k = min(r.shape[-2:])
    return q[..., :k], r, q[..., k:] @ adjoint(q[..., k:])


def np_qr_parts(a: Any) -> Any:
    q, r = np.linalg.qr(a, mode="complete")
    k = min(r.shape[-2:])
    return q[..., :k], r, q[..., k:] @ mh(q[..., k:])


def loop(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Apply a function of single matrices to stacks, keeping the dtype."""

    def stacked(*args: Any) -> Any:
        lead = np.broadcast_shapes(*(a.shape[:-2] for a in args))
        full = [np.broadcast_to(a, (*lead, *a.shape[-2:])) for a in args]
        dtype = np.result_type(*args)
        rows = [np.asarray(fn(*(a[i] for a in full))).astype(dtype) for i in np.ndindex(*lead)]
        return np.reshape(rows, (*lead, *rows[0].shape))

    return stacked


def precise(fn: Callable[..., Any]) -> Callable[..., Any]:
    """Compute in double precision."""
    return lambda a: fn(a.astype(np.result_type(a, np.float64)))


def np_triangular(lower: bool, trans: int, unit: bool) -> Callable[..., Any]:
    def solve(a: Any, b: Any) -> Any:
        a = np.tril(a) if lower else np.triu(a)
        if unit:
            eye = np.eye(a.shape[-1], dtype=a.dtype)
            a = a * (1 - eye) + eye
        return np_solve([a, a.swapaxes(-1, -2), mh(a)][trans], b)

    return solve


def np_solve(a: Any, b: Any) -> Any:
    return np.linalg.solve(a, b[:, None])[..., 0] if b.ndim == 1 else np.linalg.solve(a, b)


def np_lstsq(a: Any, b: Any) -> Any:
    x = np.linalg.pinv(a, rtol=max(a.shape[-2:]) * np.finfo(a.dtype).eps) @ b
    return x, (abs(b - a @ x) ** 2).sum(-2), np.linalg.svd(a, compute_uv=False)


def np_adjugate(a: Any) -> Any:
    return np.linalg.det(a)[..., None, None] * np.linalg.inv(a)


def np_adjugate_tangent(a: Any, e: Any) -> Any:
    inverse, adj = np.linalg.inv(a), np_adjugate(a)
    trace = np.trace(adj @ e, axis1=-2, axis2=-1)[..., None, None]
    return trace * inverse - adj @ e @ inverse


def row(op: str, fn: Any, ref: Any, domain: Any, shapes: Any, **more: Any) -> Record:
    """A record whose operands share one sampler."""
    return Record(op, fn, ref, shapes=shapes, domains=(domain,), **more)


def pair(op: str, fn: Any, ref: Any, domains: Any, shapes: Any, **more: Any) -> Record:
    return Record(op, fn, ref, shapes=shapes, domains=domains, **more)


# -- systems and determinants ----------------------------------------------------------------------


def quotient(y: Any, d: Any) -> Any:
    return bind(OPS["spectral_quotient"], (y, d, 1e-3, True), ("eigh", True))


SOLVE = [
    pair("solve", linalg.solve, np_solve, (spread, noise), SYSTEMS),
    pair("solve", linalg.solve, np_solve, (spread, noise), NO_SYSTEMS, id="empty"),
    *(
        pair(
            "solve_triangular",
            lambda a, b, o={"lower": low, "trans": trans, "unit_diagonal": unit}: (
                linalg.solve_triangular(a, b, **o)
            ),
            np_triangular(low, trans, unit),
            (triangles, noise),
            SYSTEMS,
            id=f"{low}-{trans}-{unit}",
        )
        for low, trans, unit in (
            *((True, 0, False), (False, 0, False), (True, 1, False), (False, 2, False)),
            *((True, 0, True), (False, 1, True)),
        )
    ),
    pair(
        "solve_triangular",
        lambda a, b: linalg.solve_triangular(a, b, lower=True),
        np_triangular(True, 0, False),
        (triangles, noise),
        NO_SYSTEMS,
        id="empty",
    ),
    *(
        pair(
            "cho_solve",
            lambda a, b, low=low: linalg.cho_solve((a, low), b),
            lambda a, b, low=low: np_solve(
                np.tril(a) @ mh(np.tril(a)) if low else mh(np.triu(a)) @ np.triu(a), b
            ),
            (triangles, noise),
            SYSTEMS,
            scale=10,  # the reference squares the condition number
            id="lower" if low else "upper",
        )
        for low in (True, False)
    ),
    row("inv", linalg.inv, np.linalg.inv, spread, SQUARE),
    row("inv", linalg.inv, np.linalg.inv, spread, EMPTY, id="empty"),
    row("det", linalg.det, np.linalg.det, spread, SQUARE),
    row("det", linalg.det, np.linalg.det, spread, EMPTY, id="empty"),
    row(
        "det",
        linalg.det,
        np.linalg.det,
        rank_one_less,
        (((3, 3),), ((2, 3, 3),)),
        cancels=lambda a: np.max(np.prod(np.linalg.norm(a, axis=-1), -1)),  # Hadamard's bound
        id="singular",
    ),
    row("adjugate", lambda a: bind(OPS["adjugate"], (a,)), np_adjugate, spread, SQUARE_2),
    pair(
        "adjugate_tangent",
        lambda a, e: bind(OPS["adjugate_tangent"], (a, e)),
        np_adjugate_tangent,
        (spread, noise),
        (((3, 3), (3, 3)), ((2, 2, 2), (2, 2, 2)), ((2, 4, 4), (2, 4, 4))),
    ),
    row(
        "slogdet",
        lambda a: tuple(linalg.slogdet(a)),
        lambda a: tuple(np.linalg.slogdet(a)),
        spread,
        SQUARE,
    ),
    row(
        "slogdet",
        lambda a: tuple(linalg.slogdet(a)),
        lambda a: tuple(np.linalg.slogdet(a)),
        spread,
        EMPTY,
        id="empty",
    ),
    row("pinv", linalg.pinv, np.linalg.pinv, spread, RECTANGULAR),
    row("pinv", linalg.pinv, np.linalg.pinv, spread, NO_ROWS, id="empty"),
    row(
        "pinv",
        lambda a: linalg.pinv(a, rtol=0.1),
        lambda a: np.linalg.pinv(a, rtol=0.1),
        spread,
        RECTANGULAR,
        id="rtol",
    ),
    pair(
        "lstsq",
        lambda a, b: tuple(y for y in linalg.lstsq(a, b) if y.dtype.kind != "i"),
        np_lstsq,
        (spread, noise),
        (((4, 2), (4, 3)), ((2, 4, 3), (2, 4, 1))),
    ),
    pair(
        "lstsq",
        lambda a, b: linalg.lstsq(a, b).solution,
        lambda a, b: np.linalg.pinv(a) @ b,
        (spread, noise),
        (((2, 3), (2, 2)), ((2, 2, 3), (2, 1)), ((3, 3), (3,))),
        id="wide",
    ),
]

# -- factorisations --------------------------------------------------------------------------------

FACTOR = [
    row("cholesky", symmetric(linalg.cholesky), of_hermitian(np.linalg.cholesky), positive, SQUARE),
    row("cholesky", symmetric(linalg.cholesky), np.linalg.cholesky, positive, EMPTY, id="empty"),
    row(
        "cholesky",
        symmetric(lambda a: linalg.cholesky(a, upper=True)),
        of_hermitian(lambda a: np.linalg.cholesky(a, upper=True)),
        positive,
        SQUARE,
        id="upper",
    ),
    row("qr", lambda a: tuple(linalg.qr(a)), lambda a: tuple(np.linalg.qr(a)), spread, RECTANGULAR),
    row(
        "qr",
        lambda a: tuple(linalg.qr(a)),
        lambda a: tuple(np.linalg.qr(a)),
        spread,
        NO_ROWS,
        id="empty",
    ),
    row("qr", qr_parts, np_qr_parts, spread, RECTANGULAR, id="complete"),
    row(
        "lu",
        lambda a: tuple(linalg.lu(a)),
        lambda a: tuple(scipy.linalg.lu(a)),
        spread,
        RECTANGULAR,
    ),
]

# -- spectra ---------------------------------------------------------------------------------------

SPECTRA = [
    row("eigh", symmetric(eigh_parts), of_hermitian(np_eigh_parts), positive, SQUARE, scale=10),
    row("eigh", symmetric(eigh_parts), np_eigh_parts, positive, EMPTY, id="empty"),
    row(
        "eigh",
        symmetric(lambda a: eigh_parts(a, "U")),
        of_hermitian(np_eigh_parts),
        positive,
        SQUARE,
        scale=10,
        id="upper",
    ),
    row("eigvalsh", symmetric(linalg.eigvalsh), of_hermitian(np.linalg.eigvalsh), positive, SQUARE),
    row("eigvalsh", symmetric(linalg.eigvalsh), np.linalg.eigvalsh, positive, EMPTY, id="empty"),
    row("eig", eig_parts, np_eig_parts, layered, SQUARE, scale=10),
    row("eig", eig_parts, np_eig_parts, turning, (((3, 3),), ((2, 2, 2),)), scale=10, id="turning"),
    row("eigvals", linalg.eigvals, lambda a: np_eig_parts(a)[0], layered, SQUARE, scale=10),
    row(
        "eigvals",
        linalg.eigvals,
        lambda a: np_eig_parts(a)[0],
        turning,
        (((3, 3),), ((2, 2, 2),)),
        scale=10,
        id="turning",
    ),
    row("svd", svd_parts(False), np_svd_parts(False), spread, RECTANGULAR, scale=10, id="reduced"),
    row("svd", svd_parts(True), np_svd_parts(True), spread, RECTANGULAR, scale=10, id="full"),
    row("svd", svd_parts(False), np_svd_parts(False), spread, NO_ROWS, id="empty"),
    row(
        "svdvals", linalg.svdvals, lambda a: np.linalg.svd(a, compute_uv=False), spread, RECTANGULAR
    ),
    row(
        "svdvals",
        linalg.svdvals,
        lambda a: np.linalg.svd(a, compute_uv=False),
        spread,
        NO_ROWS,
        id="empty",
    ),
    row(
        "spectral_check",
        lambda x: bind(OPS["spectral_check"], (abs(x) > 9,), ("eigh", "phase", np.dtype(float))),
        lambda x: np.zeros((*x.shape[:-2], 1, 1)),
        noise,
        RECTANGULAR,
        diff=(),
    ),
    pair(
        "spectral_quotient",
        quotient,
        lambda y, d: y / d,
        (noise, (1.0, 2.0)),
        (((2, 2), (2, 2)), ((3, 2, 4), (1, 4)), ((0, 0), (0, 0))),
    ),
]

# -- functions of matrices -------------------------------------------------------------------------

FUNCTIONS = [
    row("expm", linalg.expm, scipy.linalg.expm, noise, SQUARE),
    row("expm", linalg.expm, lambda a: a, noise, EMPTY, id="empty"),
    row("logm", linalg.logm, loop(precise(scipy.linalg.logm)), layered, SQUARE, scale=10),
    row("sqrtm", linalg.sqrtm, loop(precise(scipy.linalg.sqrtm)), layered, SQUARE, scale=10),
    row("sqrtm", linalg.sqrtm, lambda a: a, layered, EMPTY, id="empty"),
    pair(
        "solve_sylvester",
        linalg.solve_sylvester,
        loop(scipy.linalg.solve_sylvester),
        (layered, layered, noise),
        (((3, 3), (2, 2), (3, 2)), ((2, 2, 2), (1, 1), (2, 2, 1)), ((2, 2), (2, 2), (2, 2, 2))),
        scale=10,
    ),
    *(
        row(
            "matrix_power",
            lambda a, n=n: linalg.matrix_power(a, n),
            lambda a, n=n: np.linalg.matrix_power(a, n),
            spread,
            SQUARE,
            scale=10,
            id=str(n),
            diff=() if n == 0 else None,
        )
        for n in (-2, 0, 1, 5)
    ),
    row("matrix_rank", linalg.matrix_rank, np.linalg.matrix_rank, spread, RECTANGULAR, diff=()),
    row("linalg.trace", linalg.trace, lambda a: np.linalg.trace(a), noise, RECTANGULAR),
    row(
        "linalg.diagonal",
        lambda a: linalg.diagonal(a, offset=1),
        lambda a: np.linalg.diagonal(a, offset=1),
        noise,
        RECTANGULAR,
    ),
]

# -- norms -----------------------------------------------------------------------------------------


def away_from_zero(rng: Any, shape: Any, dtype: Any) -> Any:
    """Sample numbers whose absolute values differ from each other and from zero."""
    size = np.arange(1, 1 + np.prod(shape, dtype=int)) * 0.3 + rng.uniform(-0.05, 0.05)
    turn = rng.uniform(0, 2 * np.pi, size.shape) if dtype.kind == "c" else np.pi * (size > 1)
    values = size * np.exp(1j * turn)
    return np.reshape(values if dtype.kind == "c" else values.real, shape).astype(dtype)


NORMS = [
    Record("ratio", ratio, np.divide, domains=((-2, 2), (1, 2))),
    *(
        row(
            "linalg.vector_norm" if p in (0, 1, np.inf, -np.inf) else "vector_norm",
            lambda x, p=p, o=options: linalg.vector_norm(x, ord=p, **o),
            lambda x, p=p, o=options: np.linalg.vector_norm(x, ord=p, **o),
            away_from_zero,
            shapes,
            scale=10 if p < 0 else 1,  # powers of small numbers
            diff=() if p == 0 else None,
            id=f"{p}-{name}",
        )
        for p in (2, 3, 1.5, 0.5, -1.5, 1, 0, np.inf, -np.inf)
        for name, options, shapes in (
            ("all", {}, (((2, 3),), ((),), ((4,),))),
            ("axis", {"axis": -1}, (((2, 3),), ((3,),), ((2, 1, 2),))),
            ("axes", {"axis": (0, -1), "keepdims": True}, (((2, 3),), ((2, 2, 2),))),
        )
    ),
    row(
        "vector_norm",
        lambda x: linalg.vector_norm(x, axis=-1),
        lambda x: np.linalg.vector_norm(x, axis=-1),
        noise,
        (((2, 0),), ((0, 2),), ((0,),)),
        id="empty",
    ),
    *(
        row(
            "matrix_norm",
            lambda a, p=p, k=keep: linalg.matrix_norm(a, ord=p, keepdims=k),
            lambda a, p=p, k=keep: np.linalg.matrix_norm(a, ord=p, keepdims=k),
            spread,
            RECTANGULAR,
            id=f"{p}-{keep}",
        )
        for p in ("fro", "nuc", 1, -1, 2, -2, np.inf, -np.inf)
        for keep in (False, True)
    ),
    *(
        row(
            "norm",
            lambda a, o=o: linalg.norm(a, **o),
            lambda a, o=o: np.linalg.norm(a, **o),
            spread,
            shapes,
            id=name,
        )
        for name, o, shapes in (
            ("all", {}, RECTANGULAR),
            ("vectors", {"ord": 3, "axis": -1}, RECTANGULAR),
            ("matrices", {"ord": "nuc", "axis": (0, 1), "keepdims": True}, (((2, 3),),)),
            ("one", {"ord": 1}, (((2, 3),),)),
        )
    ),
    *(
        row(
            "linalg.cond",  # `cond` is the operation of control flow
            lambda a, p=p: linalg.cond(a, p),
            lambda a, p=p: np.linalg.cond(a, p),
            spread,
            SQUARE_2,
            scale=10,
            id=str(p),
        )
        for p in (None, 2, -2, "fro", 1, -np.inf)
    ),
    row(
        "linalg.trace",
        linalg.trace,
        lambda a: np.linalg.trace(a),
        (0, 9),
        RECTANGULAR,
        dtypes=INTEGER,
        id="integer",
    ),
    row("norm", linalg.norm, np.linalg.norm, (0, 9), RECTANGULAR, dtypes=("int64",), id="integer"),
]

RECORDS: list[Record] = [*SOLVE, *FACTOR, *SPECTRA, *FUNCTIONS, *NORMS]
