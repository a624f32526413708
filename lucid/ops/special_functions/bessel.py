"""Bessel functions of all kinds: derivatives by the argument for real order, by the order for K."""

from __future__ import annotations

from typing import Any

from lucid.ops.complex_ import abs as absolute
from lucid.ops.complex_ import sign
from lucid.ops.select import where
from lucid.ops.special_functions.order import macdonald_order
from lucid.ops.special_functions.table import DISCRETE, NoRule, function, numeric

__all__ = [
    "hankel1",
    "hankel1e",
    "hankel2",
    "hankel2e",
    "i0",
    "i0e",
    "i1",
    "i1e",
    "iv",
    "ive",
    "j0",
    "j1",
    "jn",
    "jv",
    "jve",
    "k0",
    "k0e",
    "k1",
    "k1e",
    "kn",
    "kv",
    "kve",
    "y0",
    "y1",
    "yn",
    "yv",
    "yve",
]

ORDER = NoRule("no recurrence gives the derivative by the order, and no stable series is written")
_ARGUMENTS = "v: the order, a real number; z: the argument"
_WHOLE = "n: the order, a whole number; x: the argument"

# -- first and second kind -------------------------------------------------------------------------


def _cylinder(name: str, letter: str, kind: str, value: str, **options: Any) -> Any:
    """A function C with C_v' = (C_{v-1} - C_{v+1})/2 (DLMF 10.6.1)."""
    call: Any = function(
        name,
        f"Bessel function of the {kind} kind, of real order",
        f"{letter}_v(z)",
        "DLMF 10.2, 10.6.1",
        _ARGUMENTS,
        f"{name}(1.0, 2.0) = {value}",
        partials=(ORDER, lambda ans, v, z: 0.5 * (call(v - 1, z) - call(v + 1, z))),
        **options,
    )
    return call


jv = _cylinder("jv", "J", "first", "Tensor(0.57672481)")
jn = _cylinder("jn", "J", "first", "Tensor(0.57672481)")
yv = _cylinder("yv", "Y", "second", "Tensor(-0.10703243)")
hankel1 = _cylinder("hankel1", "H(1)", "third", "Tensor(0.57672481-0.10703243j)")
hankel2 = _cylinder("hankel2", "H(2)", "third", "Tensor(0.57672481+0.10703243j)")
jve = _cylinder("jve", "exp(-|Im z|) J", "first", "Tensor(0.57672481)", holomorphic=False)
yve = _cylinder("yve", "exp(-|Im z|) Y", "second", "Tensor(-0.10703243)", holomorphic=False)

yn = function(
    "yn",
    "Bessel function of the second kind, of whole order",
    "Y_n(x)",
    "DLMF 10.2, 10.6.1",
    _WHOLE,
    "yn(1, 2.0) = Tensor(-0.10703243)",
    partials=(DISCRETE, lambda ans, n, x: 0.5 * (yn(n - 1, x) - yn(n + 1, x))),
)

j0 = function(
    "j0",
    "Bessel function of the first kind, of order 0",
    "J_0(x)",
    "DLMF 10.2.2",
    "x: the argument",
    "j0(2.0) = Tensor(0.22389078)",
    partials=(lambda ans, x: -j1(x),),
)
j1 = function(
    "j1",
    "Bessel function of the first kind, of order 1",
    "J_1(x)",
    "DLMF 10.2.2",
    "x: the argument",
    "j1(2.0) = Tensor(0.57672481)",
    partials=(lambda ans, x: 0.5 * (j0(x) - jv(2, x)),),
)
y0 = function(
    "y0",
    "Bessel function of the second kind, of order 0",
    "Y_0(x)",
    "DLMF 10.2.3",
    "x: the argument, positive",
    "y0(2.0) = Tensor(0.51037567)",
    partials=(lambda ans, x: -y1(x),),
)
y1 = function(
    "y1",
    "Bessel function of the second kind, of order 1",
    "Y_1(x)",
    "DLMF 10.2.3",
    "x: the argument, positive",
    "y1(2.0) = Tensor(-0.10703243)",
    partials=(lambda ans, x: 0.5 * (y0(x) - yn(2, x)),),
)

# -- scaled functions: the derivative is small where the function is flat, and must not cancel -----


def _scaled_sum(ans: Any, v: Any, z: Any, unit: Any, near: Any) -> Any:
    """Return the derivative of e^{uz} times a cylinder function, `near` where z is moderate.

    For large z the scaled function is a constant times z^(-1/2) Σ a_k(v)/(w z)^k with w = `unit`
    (DLMF 10.17, 10.40), and so its derivative -ans/(2z) (1 + 2 Σ k c_k / Σ c_k).
    """
    mu = 4 * v * v
    size = absolute(z)
    far = size > 30 + 10 * v * v
    w = where(far, z * unit, 1e3 * unit + 0 * z)
    mild = where(far, mu + 0 * size, 0.0)
    term: Any = 1.0
    total: Any = 1.0
    weighted: Any = 0.0
    for k in range(1, 15):
        term = term * (mild - (2 * k - 1) ** 2) / (8 * k * w)
        total = total + term
        weighted = weighted + k * term
    slope = -ans / z * (0.5 + weighted / total)
    return where(far, slope, near)


ive: Any = function(
    "ive",
    "Scaled modified Bessel function of the first kind",
    "exp(-|Re z|) I_v(z)",
    "DLMF 10.25.2, 10.29.1",
    _ARGUMENTS,
    "ive(1.0, 2.0) = Tensor(0.21526929)",
    holomorphic=False,
    partials=(
        ORDER,
        lambda ans, v, z: _scaled_sum(
            ans, v, z, -sign(z), 0.5 * (ive(v - 1, z) + ive(v + 1, z)) - sign(z) * ans
        ),
    ),
)
i0e: Any = function(
    "i0e",
    "Scaled modified Bessel function of the first kind, of order 0",
    "exp(-|x|) I_0(x)",
    "DLMF 10.25.2",
    "x: the argument",
    "i0e(2.0) = Tensor(0.30850832)",
    partials=(lambda ans, x: _scaled_sum(ans, 0, x, -sign(x), i1e(x) - sign(x) * ans),),
)
i1e: Any = function(
    "i1e",
    "Scaled modified Bessel function of the first kind, of order 1",
    "exp(-|x|) I_1(x)",
    "DLMF 10.25.2",
    "x: the argument",
    "i1e(2.0) = Tensor(0.21526929)",
    partials=(
        lambda ans, x: _scaled_sum(ans, 1, x, -sign(x), 0.5 * (i0e(x) + ive(2, x)) - sign(x) * ans),
    ),
)
hankel1e: Any = function(
    "hankel1e",
    "Scaled Hankel function of the first kind",
    "exp(-i z) H(1)_v(z)",
    "DLMF 10.2.5, 10.6.1",
    _ARGUMENTS,
    partials=(
        ORDER,
        lambda ans, v, z: _scaled_sum(
            ans, v, z, -1j, 0.5 * (hankel1e(v - 1, z) - hankel1e(v + 1, z)) - 1j * ans
        ),
    ),
)
hankel2e: Any = function(
    "hankel2e",
    "Scaled Hankel function of the second kind",
    "exp(i z) H(2)_v(z)",
    "DLMF 10.2.6, 10.6.1",
    _ARGUMENTS,
    partials=(
        ORDER,
        lambda ans, v, z: _scaled_sum(
            ans, v, z, 1j, 0.5 * (hankel2e(v - 1, z) - hankel2e(v + 1, z)) + 1j * ans
        ),
    ),
)

# -- modified functions ----------------------------------------------------------------------------

iv: Any = function(
    "iv",
    "Modified Bessel function of the first kind, of real order",
    "I_v(z)",
    "DLMF 10.25.2, 10.29.1",
    _ARGUMENTS,
    "iv(1.0, 2.0) = Tensor(1.59063685)",
    partials=(ORDER, lambda ans, v, z: 0.5 * (iv(v - 1, z) + iv(v + 1, z))),
)
i0 = function(
    "i0",
    "Modified Bessel function of the first kind, of order 0",
    "I_0(x)",
    "DLMF 10.25.2",
    "x: the argument",
    "i0(2.0) = Tensor(2.2795853)",
    partials=(lambda ans, x: i1(x),),
)
i1 = function(
    "i1",
    "Modified Bessel function of the first kind, of order 1",
    "I_1(x)",
    "DLMF 10.25.2",
    "x: the argument",
    "i1(2.0) = Tensor(1.59063685)",
    partials=(lambda ans, x: 0.5 * (i0(x) + iv(2, x)),),
)
k0 = function(
    "k0",
    "Modified Bessel function of the second kind, of order 0",
    "K_0(x)",
    "DLMF 10.27.4",
    "x: the argument, positive",
    "k0(2.0) = Tensor(0.11389387)",
    partials=(lambda ans, x: -k1(x),),
)
k1: Any = function(
    "k1",
    "Modified Bessel function of the second kind, of order 1",
    "K_1(x)",
    "DLMF 10.27.4",
    "x: the argument, positive",
    "k1(2.0) = Tensor(0.13986588)",
    partials=(lambda ans, x: -0.5 * (k0(x) + kn(2, x)),),
)
k0e: Any = function(
    "k0e",
    "Scaled modified Bessel function of the second kind, of order 0",
    "exp(x) K_0(x)",
    "DLMF 10.27.4",
    "x: the argument, positive",
    "k0e(2.0) = Tensor(0.84156822)",
    partials=(lambda ans, x: _scaled_sum(ans, 0, x, 1.0, ans - k1e(x)),),
)
k1e: Any = function(
    "k1e",
    "Scaled modified Bessel function of the second kind, of order 1",
    "exp(x) K_1(x)",
    "DLMF 10.27.4",
    "x: the argument, positive",
    "k1e(2.0) = Tensor(1.03347685)",
    partials=(lambda ans, x: _scaled_sum(ans, 1, x, 1.0, ans - 0.5 * (k0e(x) + kve(2, x))),),
)
kn: Any = function(
    "kn",
    "Modified Bessel function of the second kind, of whole order",
    "K_n(x)",
    "DLMF 10.27.4, 10.29.1",
    _WHOLE,
    "kn(1, 2.0) = Tensor(0.13986588)",
    partials=(DISCRETE, lambda ans, n, x: -0.5 * (kn(n - 1, x) + kn(n + 1, x))),
)


def _macdonald(name: str, scaled: bool) -> tuple[Any, Any]:
    """K or exp(z) K by its order, once and twice; closed under differentiation by z."""
    shift = 1.0 if scaled else 0.0
    title = "exp(z) K_v(z)" if scaled else "K_v(z)"
    method = "trapezoidal rule on DLMF 10.32.9"
    second: Any = function(
        f"{name}_vv",
        f"Second derivative of {title} by v",
        f"∂²({title})/∂v²",
        method,
        "v: the order; z: the argument, positive",
        impl=numeric(lambda v, z: macdonald_order(v, z, 2, scaled)),
        partials=(
            NoRule("it is itself a second derivative, and no rule for the third is written"),
            lambda ans, v, z: shift * ans - 0.5 * (second(v - 1, z) + second(v + 1, z)),
        ),
    )
    first: Any = function(
        f"{name}_v",
        f"Derivative of {title} by v",
        f"∂({title})/∂v",
        method,
        "v: the order; z: the argument, positive",
        impl=numeric(lambda v, z: macdonald_order(v, z, 1, scaled)),
        partials=(
            lambda ans, v, z: second(v, z),
            lambda ans, v, z: shift * ans - 0.5 * (first(v - 1, z) + first(v + 1, z)),
        ),
    )
    return first, second


kv_v, kv_vv = _macdonald("kv", False)
kve_v, kve_vv = _macdonald("kve", True)

kv: Any = function(
    "kv",
    "Modified Bessel function of the second kind, of real order",
    "K_v(z)",
    "DLMF 10.27.4, 10.29.1",
    "v: the order, a real number (derivative for real z); z: the argument",
    "kv(1.0, 2.0) = Tensor(0.13986588)",
    partials=(
        lambda ans, v, z: kv_v(v, z),
        lambda ans, v, z: -0.5 * (kv(v - 1, z) + kv(v + 1, z)),
    ),
)
kve: Any = function(
    "kve",
    "Scaled modified Bessel function of the second kind",
    "exp(z) K_v(z)",
    "DLMF 10.27.4, 10.29.1",
    "v: the order, a real number (derivative for real z); z: the argument",
    "kve(1.0, 2.0) = Tensor(1.03347685)",
    partials=(
        lambda ans, v, z: kve_v(v, z),
        lambda ans, v, z: _scaled_sum(ans, v, z, 1.0, ans - 0.5 * (kve(v - 1, z) + kve(v + 1, z))),
    ),
)
