"""How a special function is written down: one row with its value, its story and its derivatives.

The families in this package are tables of such rows. A row names the SciPy function, says what it
is, and gives one partial derivative per argument, or the reason why there is none. Everything else
comes from the row: the operation, the public function, its docstring, and the coverage table in the
documentation.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from lucid._lazy import scipy_special
from lucid.core.cotangent import conj, fit, spread
from lucid.core.define import ZERO, Partial, align_batch, elementwise, live_elementwise
from lucid.core.dispatch import apply, bind
from lucid.core.op import Aval, Op, Rule
from lucid.errors import NotDifferentiableError, message

__all__ = ["DISCRETE", "ROWS", "NoRule", "Row", "adopt", "function", "multi", "numeric"]


@dataclass(frozen=True)
class NoRule:
    """Stands where a partial derivative is not known; asking for it raises, with this reason."""

    reason: str

    def partial(self, name: str, argument: str) -> Rule:
        """Return the partial derivative that raises."""

        def refuse(ans: Any, *operands: Any) -> Any:
            expected = f"no derivative with respect to {argument!r}"
            hint = f"{self.reason}; wrap it in lucid.stop_gradient if it is a constant"
            raise NotDifferentiableError(message(name, expected, "a request for one", hint))

        return refuse


DISCRETE = NoRule("the argument takes whole numbers only")


@dataclass(frozen=True)
class Row:
    """One special function.

    Attributes:
        name: the name in `scipy.special` and in `lucid.special`.
        summary: what it is, in a few words.
        formula: the definition, in plain text.
        source: where it is defined.
        arguments: what each argument means, in order, by name.
        partials: the derivative with respect to each, as `function` takes them.
        outputs: the names of the results, where there are several.
        call: the public function.
        domain: where the derivatives hold to the stated accuracy, if not everywhere.
        public: whether SciPy has it; False for a derivative that lucid computes itself.
    """

    name: str
    summary: str
    formula: str
    source: str
    arguments: dict[str, str]
    partials: dict[str, Any]
    outputs: tuple[str, ...]
    call: Callable[..., Any]
    domain: str = ""
    public: bool = True


ROWS: dict[str, Row] = {}


def function(
    name: str,
    summary: str,
    formula: str,
    source: str,
    arguments: str,
    example: str = "",
    *,
    impl: Rule | None = None,
    domain: str = "",
    holomorphic: bool = True,
    partials: Sequence[Any],
) -> Callable[..., Any]:
    """Define a special function with one result.

    Args:
        name: its name in `scipy.special`.
        summary: what it is, without a full stop.
        formula: its definition.
        source: the place where it is defined.
        arguments: ``"v: the order; z: the argument"``.
        example: ``"jv(0, 2.0) = Tensor(0.22389078)"``.
        impl: the value on arrays; None: SciPy's.
        domain: where the derivatives are accurate, if not everywhere.
        holomorphic: False if it takes complex numbers without being holomorphic there, so that the
            derivative is known for real numbers only.
        partials: per argument ``partial(ans, *operands)``, SAME, NEG, ZERO, or a `NoRule`.
    """
    described = _described(arguments)
    own = impl is not None
    title = f"special.{name}"
    header = _header(name, described)
    header.__doc__ = _docstring(name, summary, formula, source, described, partials, (), example)
    checked: list[Partial] = []
    for argument, partial in zip(described, partials, strict=True):
        if isinstance(partial, NoRule):
            partial = partial.partial(title, argument)
        if not holomorphic:
            partial = _real_only(title, argument, partial)
        checked.append(partial)
    make = elementwise(
        impl or _scipy(name, len(described)),
        *checked,
        name=title,
        singular=range(len(described)),
    )
    call = _fixed_arity(make(header), len(described))
    by_name = dict(zip(described, partials, strict=True))
    ROWS[name] = Row(
        name, summary, formula, source, described, by_name, (), call, domain, public=not own
    )
    return call


def multi(
    name: str,
    outputs: str,
    summary: str,
    formula: str,
    source: str,
    arguments: str,
    example: str = "",
    *,
    impl: Rule | None = None,
    domain: str = "",
    partials: Sequence[Any],
) -> Callable[..., Any]:
    """Define a special function with several results.

    Args:
        name: its name in `scipy.special`.
        outputs: the names of the results, separated by spaces.
        summary: what it is, without a full stop.
        formula: its definition.
        source: the place where it is defined.
        arguments: ``"z: the argument"``.
        example: ``"sici(1.0) = (Tensor(0.94608307), Tensor(0.33740392))"``.
        impl: the values on arrays; None: SciPy's.
        domain: where the derivatives are accurate, if not everywhere.
        partials: per argument a tuple with one ``partial(ans, *operands)`` per result, where `ans`
            is the tuple of results; or a `NoRule`.
    """
    described = _described(arguments)
    names = tuple(outputs.split())
    title = f"special.{name}"
    rules = [
        (p.partial(title, argument),) * len(names) if isinstance(p, NoRule) else p
        for argument, p in zip(described, partials, strict=True)
    ]
    value = impl or _scipy(name, len(described))
    op = Op(
        title,
        value,
        infer=functools.partial(_infer_multi, value),
        jvp=functools.partial(_multi_jvp, rules),
        vjp=functools.partial(_multi_vjp, rules),
        multi=True,
        singular=frozenset(range(len(described))),
        live=live_elementwise,
    )
    op.batch = lambda size, batched, args: apply(op, tuple(align_batch(batched, args)))
    header = _header(name, described)
    header.__doc__ = _docstring(name, summary, formula, source, described, partials, names, example)
    call: Any = functools.wraps(header)(lambda *operands: bind(op, operands))
    call.op = op
    call = _fixed_arity(call, len(described))
    by_name = dict(zip(described, partials, strict=True))
    ROWS[name] = Row(name, summary, formula, source, described, by_name, names, call, domain)
    return call


def adopt(
    call: Callable[..., Any],
    name: str,
    summary: str,
    formula: str,
    source: str,
    arguments: str,
    partials: Sequence[Any],
) -> None:
    """Enter a function that another family defines; `partials` are texts for the documentation."""
    described = _described(arguments)
    by_name = dict(zip(described, partials, strict=True))
    ROWS[name] = Row(name, summary, formula, source, described, by_name, (), call)


# -- values ----------------------------------------------------------------------------------------


def _scipy(name: str, arity: int) -> Rule:
    """Return SciPy's function, imported when it is first called."""
    found: Rule | None = None

    def impl(*operands: Any) -> Any:
        nonlocal found
        if found is None:
            found = getattr(scipy_special, name)
        assert found is not None
        return found(*operands)

    impl.__name__ = name
    return impl


def numeric(kernel: Rule) -> Rule:
    """Make an implementation out of a kernel on flat float64 arrays of one length.

    The result has the shape to which the operands broadcast, and float32 where SciPy would give it.
    """

    @functools.wraps(kernel)
    def impl(*operands: Any) -> Any:
        dtype = np.result_type(*operands)
        if dtype.kind == "c":
            raise TypeError("it is defined for real numbers only")
        if dtype.kind != "f":
            dtype = np.dtype(np.float64)
        elif dtype.itemsize < 4:
            dtype = np.dtype(np.float32)
        arrays = np.broadcast_arrays(*(np.asarray(x, np.float64) for x in operands))
        shape = arrays[0].shape
        with np.errstate(all="ignore"):
            out = kernel(*(a.reshape(-1) for a in arrays))
        if isinstance(out, tuple):
            return tuple(o.reshape(shape).astype(dtype) for o in out)
        return out.reshape(shape).astype(dtype)

    return impl


# -- derivatives -----------------------------------------------------------------------------------


def _real_only(name: str, argument: str, partial: Any) -> Partial:
    """Refuse the derivative for complex numbers, where the function is not holomorphic."""
    if partial is ZERO:
        return partial
    refuse = NoRule("it is not holomorphic in complex numbers").partial(name, argument)

    @functools.wraps(partial)
    def rule(ans: Any, *operands: Any) -> Any:
        return refuse(ans) if ans.dtype.kind == "c" else partial(ans, *operands)

    return rule


def _multi_jvp(rules: Sequence[Any], ans: Any, tangents: Any, args: Any) -> tuple[Any, ...]:
    out: list[Any] = []
    for k, y in enumerate(ans):
        total: Any = None
        for tangent, partials in zip(tangents, rules, strict=True):
            if tangent is not None:
                term = tangent * partials[k](ans, *args)
                total = term if total is None else total + term
        out.append(None if total is None else spread(total, y))
    return tuple(out)


def _multi_vjp(rules: Sequence[Any], ct: Any, needs: Any, ans: Any, args: Any) -> tuple[Any, ...]:
    out: list[Any] = []
    for needed, partials, x in zip(needs, rules, args, strict=True):
        total: Any = None
        for k, c in enumerate(ct):
            if needed and c is not None:
                term = c * conj(partials[k](ans, *args))
                total = term if total is None else total + term
        out.append(None if total is None else fit(total, x))
    return tuple(out)


@functools.lru_cache(maxsize=1024)
def _multi_dtypes(impl: Rule, key: tuple[Any, ...]) -> tuple[np.dtype[Any], ...]:
    operands = [k(1) if isinstance(k, type) else np.ones((), k) for k in key]
    with np.errstate(all="ignore"):
        return tuple(np.asarray(r).dtype for r in impl(*operands))


def _infer_multi(impl: Rule, *avals: Aval) -> tuple[Aval, ...]:
    kinds = {"b": bool, "i": int, "f": float, "c": complex}
    strong = all(a.weak for a in avals)
    key = tuple(kinds[a.dtype.kind] if a.weak and not strong else a.dtype for a in avals)
    shape = np.broadcast_shapes(*(a.shape for a in avals))
    return tuple(Aval(shape, dtype) for dtype in _multi_dtypes(impl, key))


# -- public face -----------------------------------------------------------------------------------


def _described(arguments: str) -> dict[str, str]:
    pairs = (part.split(":", 1) for part in arguments.split(";"))
    return {name.strip(): text.strip() for name, text in pairs}


def _header(name: str, arguments: dict[str, str]) -> Any:
    """Return a function without a body that has the name and parameters of a row."""
    header = _with_arity(lambda *operands: None, len(arguments))
    kind = inspect.Parameter.POSITIONAL_ONLY
    header.__name__ = header.__qualname__ = name
    header.__module__ = "lucid.special"
    header.__signature__ = inspect.Signature([inspect.Parameter(a, kind) for a in arguments])
    header.__annotations__ = {}
    return header


def _fixed_arity(call: Any, arity: int) -> Any:
    """Return the call with as many parameters as the function has, so that Python counts them."""
    if arity < 3 and not call.op.multi:
        return call
    return functools.wraps(call)(_with_arity(call, arity))


def _with_arity(call: Any, arity: int) -> Any:
    def one(x1: Any, /) -> Any:
        return call(x1)

    def two(x1: Any, x2: Any, /) -> Any:
        return call(x1, x2)

    def three(x1: Any, x2: Any, x3: Any, /) -> Any:
        return call(x1, x2, x3)

    def four(x1: Any, x2: Any, x3: Any, x4: Any, /) -> Any:
        return call(x1, x2, x3, x4)

    def five(x1: Any, x2: Any, x3: Any, x4: Any, x5: Any, /) -> Any:
        return call(x1, x2, x3, x4, x5)

    return (one, two, three, four, five)[arity - 1]


def _docstring(
    name: str,
    summary: str,
    formula: str,
    source: str,
    arguments: dict[str, str],
    partials: Sequence[Any],
    outputs: tuple[str, ...],
    example: str,
) -> str:
    lines = [f"{summary}.", ""]
    if formula:
        lines += [f"    {formula}", ""]
    lines += ["Args:"]
    for (argument, text), partial in zip(arguments.items(), partials, strict=True):
        note = f"; no derivative: {partial.reason}" if isinstance(partial, NoRule) else ""
        lines.append(f"    {argument}: {text}{note}.")
    if outputs:
        what = f"The tuple ({', '.join(outputs)}), each of the broadcast shape."
    else:
        what = "The value, element by element, of the broadcast shape and the promoted dtype."
    lines += ["", "Returns:", f"    {what}"]
    refused = [a for a, p in zip(arguments, partials, strict=True) if isinstance(p, NoRule)]
    if refused:
        which = " or ".join(f"`{a}`" for a in refused)
        lines += ["", "Raises:"]
        lines += [f"    NotDifferentiableError: if a derivative by {which} is asked for."]
    if example:
        call, _, result = example.partition(" = ")
        lines += ["", "Example:", "    >>> import lucid", f"    >>> lucid.special.{call}"]
        lines += [f"    {result}"]
    if source:
        lines += ["", f"Source: {source}."]
    return "\n".join(lines) + "\n"
