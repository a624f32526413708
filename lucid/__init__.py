"""lucid: functional-first differentiable programming on NumPy and SciPy.

Tensors are immutable; functions of them are pure; `grad`, `vmap` and the other transformations
derive everything else. The functions here are those of the Python array API standard and more;
`lucid.linalg`, `fft`, `special`, `random`, `functional`, `nn` and `optim` hold the rest and are
imported when they are first used.
"""

import math as _math
from typing import TYPE_CHECKING as _TYPE_CHECKING
from typing import Any as _Any

from lucid import errors, tree
from lucid._lazy import submodule as _submodule
from lucid.config import (
    get_compilation_cache,
    get_default_dtype,
    set_compilation_cache,
    set_default_dtype,
)
from lucid.core.tensor import Tensor
from lucid.dtypes import (
    bool,
    complex64,
    complex128,
    float32,
    float64,
    int8,
    int16,
    int32,
    int64,
    uint8,
    uint16,
    uint32,
    uint64,
)
from lucid.graph.associative import associative_scan
from lucid.graph.control_cond import cond, switch
from lucid.graph.control_loops import fori_loop, map
from lucid.graph.control_scan import scan
from lucid.graph.control_while import while_loop
from lucid.graph.jit import jit, make_graph
from lucid.ops.arithmetic import (
    add,
    divide,
    floor_divide,
    fmod,
    multiply,
    negative,
    positive,
    reciprocal,
    remainder,
    subtract,
)
from lucid.ops.arrange import diag, diagonal, pad, repeat, tile
from lucid.ops.bitwise import (
    bitwise_and,
    bitwise_invert,
    bitwise_left_shift,
    bitwise_or,
    bitwise_right_shift,
    bitwise_xor,
    logical_and,
    logical_not,
    logical_or,
    logical_xor,
)
from lucid.ops.compare import (
    equal,
    greater,
    greater_equal,
    isfinite,
    isinf,
    isnan,
    less,
    less_equal,
    not_equal,
)
from lucid.ops.complex_ import abs, angle, conj, imag, real, sign
from lucid.ops.contract import cross, dot, inner, kron, outer, tensordot, vecdot
from lucid.ops.convolve import convolve, correlate
from lucid.ops.creation import (
    asarray,
    empty,
    empty_like,
    full,
    full_like,
    ones,
    ones_like,
    zeros,
    zeros_like,
)
from lucid.ops.cumulative import cummax, cummin, cumulative_prod, cumulative_sum, logcumsumexp
from lucid.ops.datatypes import astype, can_cast, finfo, iinfo, isdtype, result_type
from lucid.ops.dlpack import from_dlpack
from lucid.ops.einsum import einsum
from lucid.ops.exponential import exp, exp2, expm1, log, log1p, log2, log10, logaddexp
from lucid.ops.extrema import max, min
from lucid.ops.finite import nan_to_num
from lucid.ops.grids import arange, eye, linspace, meshgrid, tril, triu
from lucid.ops.hyperbolic import acosh, asinh, atanh, cosh, sinh, tanh
from lucid.ops.index import argwhere, nonzero, take, take_along_axis
from lucid.ops.inspection import ArrayNamespaceInfo, __array_namespace_info__
from lucid.ops.join import (
    array_split,
    column_stack,
    concat,
    concatenate,
    hstack,
    split,
    stack,
    unstack,
    vstack,
)
from lucid.ops.matmul import matmul
from lucid.ops.moments import std, var
from lucid.ops.permute import (
    flip,
    matrix_transpose,
    moveaxis,
    permute_dims,
    roll,
    swapaxes,
    transpose,
)
from lucid.ops.power import cbrt, hypot, pow, sqrt, square
from lucid.ops.quantile import median, percentile, quantile
from lucid.ops.reduce import all, any, logsumexp, mean, prod, sum
from lucid.ops.rounding import ceil, copysign, floor, heaviside, nextafter, round, signbit, trunc
from lucid.ops.samples import diff, gradient, interp, trapezoid
from lucid.ops.segment import (
    bincount,
    segment_max,
    segment_mean,
    segment_min,
    segment_prod,
    segment_sum,
)
from lucid.ops.select import clip, fmax, fmin, maximum, minimum, where
from lucid.ops.sets import isin, unique_all, unique_counts, unique_inverse, unique_values
from lucid.ops.shape import (
    atleast_1d,
    atleast_2d,
    atleast_3d,
    broadcast_arrays,
    broadcast_shapes,
    broadcast_to,
    expand_dims,
    ravel,
    reshape,
    squeeze,
)
from lucid.ops.sort import argmax, argmin, argsort, count_nonzero, searchsorted, sort, topk
from lucid.ops.special import digamma, erf, erfc, erfinv, gammaln, polygamma
from lucid.ops.statistics import average, nanmax, nanmean, nanmin, nanstd, nansum, nanvar, ptp
from lucid.ops.trigonometric import acos, asin, atan, atan2, cos, deg2rad, rad2deg, sin, sinc, tan
from lucid.transforms.api import grad, jvp, linearize, value_and_grad, vjp
from lucid.transforms.batch import vmap
from lucid.transforms.check import GradientCheckError, check_grads
from lucid.transforms.checkpoint import checkpoint
from lucid.transforms.custom import custom_jvp, custom_vjp
from lucid.transforms.derived import gauss_newton_product, hessian, hvp, jacfwd, jacobian, jacrev
from lucid.transforms.stop import enable_grad, no_grad, stop_gradient

import lucid.ops.numpy_api.protocols  # isort: skip  # what numpy.f(tensor) becomes
import lucid.ops.update  # isort: skip  # x.at[...]
import lucid.transforms.backward  # isort: skip  # Tensor.backward

if _TYPE_CHECKING:
    from lucid import (
        data,
        debug,
        estimators,
        extend,
        fft,
        functional,
        io,
        linalg,
        nn,
        optim,
        random,
        special,
        training,
    )
    from lucid.estimators import LucidClassifier, LucidRegressor
    from lucid.io import load, save
    from lucid.training import fit

__version__ = "0.1.0"
__array_api_version__ = "2025.12"
e = _math.e
inf = _math.inf
nan = _math.nan
newaxis = None
pi = _math.pi

_LAZY = frozenset(
    (
        "data",
        "debug",
        "estimators",
        "extend",
        "fft",
        "functional",
        "io",
        "linalg",
        "nn",
        "optim",
        "random",
        "special",
        "training",
    )
)
_LAZY_NAMES = {
    "LucidClassifier": "estimators",
    "LucidRegressor": "estimators",
    "fit": "training",
    "load": "io",
    "save": "io",
}


def __getattr__(name: str) -> _Any:
    """Import a namespace when it is first used."""
    if name in _LAZY:
        return _submodule(name)
    if name in _LAZY_NAMES:
        return getattr(_submodule(_LAZY_NAMES[name]), name)
    raise AttributeError(f"module 'lucid' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *_LAZY, *_LAZY_NAMES})


__all__ = [
    "ArrayNamespaceInfo",
    "GradientCheckError",
    "Tensor",
    "__array_api_version__",
    "__array_namespace_info__",
    "__version__",
    "abs",
    "acos",
    "acosh",
    "add",
    "all",
    "angle",
    "any",
    "arange",
    "argmax",
    "argmin",
    "argsort",
    "argwhere",
    "array_split",
    "asarray",
    "asin",
    "asinh",
    "associative_scan",
    "astype",
    "atan",
    "atan2",
    "atanh",
    "atleast_1d",
    "atleast_2d",
    "atleast_3d",
    "average",
    "bincount",
    "bitwise_and",
    "bitwise_invert",
    "bitwise_left_shift",
    "bitwise_or",
    "bitwise_right_shift",
    "bitwise_xor",
    "bool",
    "broadcast_arrays",
    "broadcast_shapes",
    "broadcast_to",
    "can_cast",
    "cbrt",
    "ceil",
    "check_grads",
    "checkpoint",
    "clip",
    "column_stack",
    "complex64",
    "complex128",
    "concat",
    "concatenate",
    "cond",
    "conj",
    "convolve",
    "copysign",
    "correlate",
    "cos",
    "cosh",
    "count_nonzero",
    "cross",
    "cummax",
    "cummin",
    "cumulative_prod",
    "cumulative_sum",
    "custom_jvp",
    "custom_vjp",
    "data",
    "deg2rad",
    "diag",
    "diagonal",
    "diff",
    "digamma",
    "divide",
    "dot",
    "e",
    "einsum",
    "empty",
    "empty_like",
    "enable_grad",
    "equal",
    "erf",
    "erfc",
    "erfinv",
    "errors",
    "exp",
    "exp2",
    "expand_dims",
    "expm1",
    "extend",
    "eye",
    "fft",
    "finfo",
    "fit",
    "flip",
    "float32",
    "float64",
    "floor",
    "floor_divide",
    "fmax",
    "fmin",
    "fmod",
    "fori_loop",
    "from_dlpack",
    "full",
    "full_like",
    "functional",
    "gammaln",
    "gauss_newton_product",
    "get_compilation_cache",
    "get_default_dtype",
    "grad",
    "gradient",
    "greater",
    "greater_equal",
    "heaviside",
    "hessian",
    "hstack",
    "hvp",
    "hypot",
    "iinfo",
    "imag",
    "inf",
    "inner",
    "int8",
    "int16",
    "int32",
    "int64",
    "interp",
    "io",
    "isdtype",
    "isfinite",
    "isin",
    "isinf",
    "isnan",
    "jacfwd",
    "jacobian",
    "jacrev",
    "jit",
    "jvp",
    "kron",
    "less",
    "less_equal",
    "linalg",
    "linearize",
    "linspace",
    "load",
    "log",
    "log1p",
    "log2",
    "log10",
    "logaddexp",
    "logcumsumexp",
    "logical_and",
    "logical_not",
    "logical_or",
    "logical_xor",
    "logsumexp",
    "make_graph",
    "map",
    "matmul",
    "matrix_transpose",
    "max",
    "maximum",
    "mean",
    "median",
    "meshgrid",
    "min",
    "minimum",
    "moveaxis",
    "multiply",
    "nan",
    "nan_to_num",
    "nanmax",
    "nanmean",
    "nanmin",
    "nanstd",
    "nansum",
    "nanvar",
    "negative",
    "newaxis",
    "nextafter",
    "nn",
    "no_grad",
    "nonzero",
    "not_equal",
    "ones",
    "ones_like",
    "optim",
    "outer",
    "pad",
    "percentile",
    "permute_dims",
    "pi",
    "polygamma",
    "positive",
    "pow",
    "prod",
    "ptp",
    "quantile",
    "rad2deg",
    "random",
    "ravel",
    "real",
    "reciprocal",
    "remainder",
    "repeat",
    "reshape",
    "result_type",
    "roll",
    "round",
    "save",
    "scan",
    "searchsorted",
    "segment_max",
    "segment_mean",
    "segment_min",
    "segment_prod",
    "segment_sum",
    "set_compilation_cache",
    "set_default_dtype",
    "sign",
    "signbit",
    "sin",
    "sinc",
    "sinh",
    "sort",
    "special",
    "split",
    "sqrt",
    "square",
    "squeeze",
    "stack",
    "std",
    "stop_gradient",
    "subtract",
    "sum",
    "swapaxes",
    "switch",
    "take",
    "take_along_axis",
    "tan",
    "tanh",
    "tensordot",
    "tile",
    "topk",
    "training",
    "transpose",
    "trapezoid",
    "tree",
    "tril",
    "triu",
    "trunc",
    "uint8",
    "uint16",
    "uint32",
    "uint64",
    "unique_all",
    "unique_counts",
    "unique_inverse",
    "unique_values",
    "unstack",
    "value_and_grad",
    "var",
    "vecdot",
    "vjp",
    "vmap",
    "vstack",
    "where",
    "while_loop",
    "zeros",
    "zeros_like",
]
