"""Linear algebra: the array API's extension, and more of NumPy's and SciPy's.

Matrices are the last two axes; leading axes are stacks of them. Everything is differentiable, in
both modes and to any order, unless its documentation says otherwise.
"""

from lucid.ops.contract import cross, outer, tensordot, vecdot
from lucid.ops.linalg.determinant import SlogdetResult, det, slogdet
from lucid.ops.linalg.diagonals import diagonal, trace
from lucid.ops.linalg.factor import LUResult, QRResult, cholesky, lu, qr
from lucid.ops.linalg.functions import expm, logm, matrix_power, solve_sylvester, sqrtm
from lucid.ops.linalg.least_squares import LstsqResult, lstsq, pinv
from lucid.ops.linalg.norms import cond, matrix_norm, matrix_rank, norm, vector_norm
from lucid.ops.linalg.singular import SVDResult, svd, svdvals
from lucid.ops.linalg.solve import cho_solve, inv, solve, solve_triangular
from lucid.ops.linalg.spectral import EighResult, EigResult, eig, eigh, eigvals, eigvalsh
from lucid.ops.matmul import matmul
from lucid.ops.permute import matrix_transpose

__all__ = [
    "EigResult",
    "EighResult",
    "LUResult",
    "LstsqResult",
    "QRResult",
    "SVDResult",
    "SlogdetResult",
    "cho_solve",
    "cholesky",
    "cond",
    "cross",
    "det",
    "diagonal",
    "eig",
    "eigh",
    "eigvals",
    "eigvalsh",
    "expm",
    "inv",
    "logm",
    "lstsq",
    "lu",
    "matmul",
    "matrix_norm",
    "matrix_power",
    "matrix_rank",
    "matrix_transpose",
    "norm",
    "outer",
    "pinv",
    "qr",
    "slogdet",
    "solve",
    "solve_sylvester",
    "solve_triangular",
    "sqrtm",
    "svd",
    "svdvals",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]
