"""Every message of the core and of the transformations, word for word.

A row is a wrong call and what it says. When a message changes on purpose, change its row; the last
test names the messages that no row shows. Those of the operations are in their own tests.
"""

from __future__ import annotations

import ast
import operator
import pickle
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucid
from lucid import Tensor, errors, tree
from lucid.config import set_default_dtype
from lucid.core.dispatch import bind
from lucid.core.op import Op
from lucid.core.parameter import Parameter

X = np.array([1.0, 2.0, 3.0])
P = Tensor(3.0, requires_grad=True)
P2 = Parameter([1.0])


def f(x: Any) -> Any:
    return x * 2


def leaked(transform: Any) -> Any:
    """A Tensor of a transformation that has ended."""
    kept: list[Any] = []
    transform(lambda x: (kept.append(x), x)[1])(X if transform is lucid.vmap else 1.0)
    return kept[0]


def leaked_leaf() -> Any:
    """A leaf made inside a transformation that has ended."""
    kept: list[Any] = []
    lucid.grad(lambda x: (kept.append(Tensor(1.0, requires_grad=True)), x)[1])(1.0)
    return kept[0]


def with_vjp(function: Any, forward: Any, backward: Any) -> Any:
    """The gradient of a function with this rule."""
    g = lucid.custom_vjp(function)
    g.defvjp(forward, backward)
    return lucid.grad(g)


def with_jvp(function: Any, rule: Any) -> Any:
    """The gradient of a function with this forward rule."""
    g = lucid.custom_jvp(function)
    g.defjvp(rule)
    return lucid.grad(g)


def closing(w: Any) -> Any:
    """A custom_vjp that closes over a value being differentiated."""
    g = lucid.custom_vjp(lambda x: x * w)
    g.name = "g"
    g.defvjp(lambda x: (x * w, None), lambda _, ct: (ct,))
    return g


def UNBATCHED(x: Any) -> Any:  # noqa: N802 - an operation
    """An operation that vmap cannot do."""
    op = Op("unbatched", np.sort, register=False)
    return bind(op, (x,))


# (the call, the error, the message)
MESSAGES: list[tuple[str, str, str]] = [
    # construction and dtypes
    (
        "Tensor([[1.0], [1.0, 2.0]])",
        "OperandError",
        "Tensor: expected numbers in a regular nest of lists, or an array, got [[1.0], [1.0, "
        "2.0]]; setting an array element with a sequence. The requested array has an "
        "inhomogeneous shape after 1 dimensions. The detected shape was (2,) + inhomogeneous "
        "part.",
    ),
    (
        'Tensor("text")',
        "DTypeError",
        "Tensor: expected a boolean, integer, floating or complex array, got <U4",
    ),
    (
        "Tensor([1, 2], requires_grad=True)",
        "DTypeError",
        "Tensor: expected a floating or complex dtype where requires_grad=True, got int64; "
        "convert the data to floating point",
    ),
    (
        "Tensor(np.ma.masked_array([1.0], [True]))",
        "OperandError",
        "Tensor: expected an array without a mask, got a masked array; fill it with "
        ".filled(value), and use lucid.where",
    ),
    (
        "Tensor([2**70])",
        "OperandError",
        "Tensor: expected numbers in a regular nest of lists, or an array, got "
        "[1180591620717411303424]; Python int too large to convert to C long",
    ),
    (
        "Parameter(1, requires_grad=True)",
        "DTypeError",
        "Parameter: expected a floating or complex dtype where requires_grad=True, got "
        "int64; convert the data to floating point, or pass requires_grad=False",
    ),
    (
        'set_default_dtype("int64")',
        "DTypeError",
        "set_default_dtype: expected float32 or float64, got 'int64'",
    ),
    (
        "lucid.set_compilation_cache(3)",
        "OptionError",
        "set_compilation_cache: expected a directory, or None, got int",
    ),
    (
        'Tensor(1.0).to_device("gpu")',
        "OperandError",
        "to_device: expected device \"cpu\", no stream, got 'gpu'",
    ),
    # immutability
    (
        "setitem(Tensor([1.0]), 0, 2.0)",
        "ImmutableTensorError",
        "x[i] = v: expected a mutable array, got a Tensor; write x = x.at[0].set(v), which "
        "returns a new Tensor",
    ),
    (
        "setitem(Tensor([1.0]), slice(1, 2), 2.0)",
        "ImmutableTensorError",
        "x[i] = v: expected a mutable array, got a Tensor; write x = x.at[1:2].set(v), which "
        "returns a new Tensor",
    ),
    (
        "setitem(Tensor([1.0]), [0], 2.0)",
        "ImmutableTensorError",
        "x[i] = v: expected a mutable array, got a Tensor; write x = x.at[i].set(v), which "
        "returns a new Tensor",
    ),
    (
        "delitem(Tensor([1.0]), 0)",
        "ImmutableTensorError",
        "del x[i]: expected a mutable array, got a Tensor",
    ),
    (
        "iadd(Parameter([1.0]), 2.0)",
        "ImmutableTensorError",
        "p += v: expected a name that may be bound anew, got a Parameter; write p.data = "
        "p.data + v, or let an optimiser take the step",
    ),
    (
        "lucid.jit(lambda: P2.requires_grad_(False))()",
        "GraphError",
        "Parameter.requires_grad: expected a parameter that a compiled function does not freeze "
        "or release, got False; freeze it outside, or use lucid.stop_gradient",
    ),
    (
        "lucid.jit(lambda: P2.recast(np.float32))()",
        "GraphError",
        "Parameter: expected a parameter whose dtype a compiled function leaves as it is, got a "
        "conversion to <class 'numpy.float32'>; convert it outside",
    ),
    (
        'setattr(Parameter([1.0]), "data", [1.0, 2.0])',
        "ShapeError",
        "Parameter.data: expected a value of shape (1,), got one of shape (2,)",
    ),
    (
        'setattr(Parameter([1.0]), "data", [1])',
        "DTypeError",
        "Parameter.data: expected a value of a dtype like float64, got int64; convert it "
        "with .astype, or make a new Parameter",
    ),
    # ways out
    (
        "len(Tensor(1.0))",
        "OperandError",
        "len: expected a Tensor with at least one axis, got a 0-d Tensor",
    ),
    (
        "iter(Tensor(1.0))",
        "OperandError",
        "iter: expected a Tensor with at least one axis, got a 0-d Tensor",
    ),
    (
        "Tensor([1.0, 2.0]).item()",
        "ShapeError",
        "item: expected a Tensor with one element, got shape (2,)",
    ),
    (
        "Tensor([1.0, 2.0]).item(7)",
        "IndexOutOfBoundsError",
        "item: expected an index inside, got (7,) for shape (2,)",
    ),
    (
        "bool(Tensor([True, False]))",
        "ShapeError",
        "bool: expected a Tensor with exactly one element, got shape (2,); use .any() or .all()",
    ),
    (
        "float(Tensor([1.0, 2.0]))",
        "ShapeError",
        "float: expected a Tensor with exactly one element, got shape (2,); index one "
        "element first",
    ),
    (
        "float(Tensor(1j))",
        "DTypeError",
        "float: expected a real Tensor, got complex128; take .real, or use complex()",
    ),
    (
        "operator.index(Tensor(1.0))",
        "OperandError",
        "index: expected an integer Tensor, got float64",
    ),
    (
        "np.asarray(Tensor([1.0]), dtype=np.float32, copy=False)",
        "OptionError",
        "np.asarray: expected a dtype that needs no copy, got dtype float32 for float64",
    ),
    (
        "np.asarray(Tensor([1.0], requires_grad=True))",
        "DetachedArrayError",
        "np.asarray: expected a Tensor that nothing differentiates, got one watched by the "
        "ambient tape; use lucid's functions, or .detach() first if no derivative is wanted",
    ),
    (
        "grad(lambda x: float(x) * x)(1.0)",
        "DetachedArrayError",
        "float: expected a Tensor that can leave, got one that grad differentiates; wrap it "
        "in lucid.stop_gradient(...) if the derivative is not wanted",
    ),
    (
        "grad(lambda x: np.asarray(x))(1.0)",
        "DetachedArrayError",
        "np.asarray: expected a Tensor that nothing differentiates, got one watched by grad; "
        "use lucid's functions, or .detach() first if no derivative is wanted",
    ),
    (
        "vmap(lambda x: x if x > 0 else -x)(X)",
        "ConcretizationError",
        "bool: expected a Tensor with a number, got one under vmap, which stands for many "
        "values; use lucid.where or lucid.cond, or compute it outside",
    ),
    (
        "vmap(lambda x: x.item())(X)",
        "ConcretizationError",
        "item: expected a Tensor with a number, got one under vmap, which stands for many "
        "values; use lucid.where or lucid.cond, or compute it outside",
    ),
    (
        "pickle.dumps(Tensor(1.0, requires_grad=True) * 2)",
        "NotDifferentiableError",
        "pickle: expected a Tensor without history, got Tensor(2., grad=None); use .detach()",
    ),
    (
        "leaked(grad) + 1",
        "LeakedTensorError",
        "add: expected tensors of transformations that still run, got a tensor that leaked "
        "out of grad, which has ended; return it from the transformed function instead of "
        "storing it",
    ),
    (
        "leaked(vmap) * 2",
        "LeakedTensorError",
        "multiply: expected tensors of transformations that still run, got a tensor that "
        "leaked out of vmap, which has ended; return it from the transformed function "
        "instead of storing it",
    ),
    # the ambient tape
    (
        "Tensor(1.0).backward()",
        "NotDifferentiableError",
        "backward: expected a recorded Tensor, got one without history; create an input with "
        "requires_grad=True, and leave lucid.no_grad()",
    ),
    (
        "Tensor(X, requires_grad=True).backward()",
        "ShapeError",
        "backward: expected a scalar, got shape (3,); reduce it with .sum() or .mean(), or "
        "pass gradient=",
    ),
    (
        "Tensor(X, requires_grad=True).backward(1.0)",
        "ShapeError",
        "backward: expected a gradient of shape (3,), got shape ()",
    ),
    (
        "Tensor(X, requires_grad=True).backward(1j * X)",
        "DTypeError",
        "backward: expected a real gradient for float64, got complex128",
    ),
    (
        'setattr(Tensor(1.0), "grad", None)',
        "ImmutableTensorError",
        "grad: expected a leaf Tensor, got a computed one; create it with requires_grad=True",
    ),
    (
        'setattr(Tensor(1.0, requires_grad=True), "grad", 1.0)',
        "OperandError",
        "grad: expected None or a Tensor of shape (), got float",
    ),
    (
        'setattr(Tensor(1.0, requires_grad=True), "grad", Tensor(X))',
        "ShapeError",
        "grad: expected None or a Tensor of shape (), got shape (3,)",
    ),
    (
        "grad(lambda x: (P * x).backward())(1.0)",
        "NotDifferentiableError",
        "backward: expected a Tensor of this body's tape, got one that grad watches too; use "
        "lucid.grad for both derivatives, or read the leaf inside the function",
    ),
    (
        "grad(lambda x: (P * Tensor(2.0, requires_grad=True) * x).backward())(1.0)",
        "NotDifferentiableError",
        "backward: expected a Tensor computed from leaves of this body, got one that, under "
        "grad, also comes from a leaf made outside; use lucid.grad for both derivatives, or "
        ".detach() the outer Tensor",
    ),
    (
        "leaked_leaf() * 2",
        "LeakedTensorError",
        "multiply: expected tensors of transformations that still run, got a tensor that "
        "leaked out of the ambient tape inside grad, which has ended; return it from the "
        "transformed function instead of storing it",
    ),
    # operands
    (
        'lucid.add(Tensor(X), "text")',
        "OperandError",
        "add: expected Tensors, NumPy arrays or numbers, got str; convert it with lucid.asarray",
    ),
    (
        'lucid.add(Tensor(X), np.array(["text"]))',
        "DTypeError",
        "add: expected a boolean, integer, floating or complex array, got <U4",
    ),
    (
        "Tensor(X) + np.ones(2)",
        "ShapeError",
        "add: expected shapes that broadcast together, got float64 of shape (3,) and float64 "
        "of shape (2,); align them with reshape, or insert axes of length 1",
    ),
    (
        "Tensor(np.ones(1, np.uint8)) + 300",
        "OverflowedError",
        "add: expected numbers that fit the dtype, got uint8 of shape (1,) and 300; Python "
        "integer 300 out of bounds for uint8",
    ),
    (
        "lucid.bitwise_and(X, X)",
        "DTypeError",
        "bitwise_and: expected dtypes it is defined for, got float64 of shape (3,) and "
        "float64 of shape (3,); ufunc 'bitwise_and' not supported for the input types, and "
        "the inputs could not be safely coerced to any supported types according to the "
        "casting rule ''safe''",
    ),
    (
        "Tensor(X)[5]",
        "IndexOutOfBoundsError",
        "getitem: expected indices and axes inside the array, got float64 of shape (3,); "
        "index 5 is out of bounds for axis 0 with size 3",
    ),
    (
        "grad(lambda x: lucid.nextafter(x, 2.0))(1.0)",
        "NotDifferentiableError",
        "nextafter: expected an operation with a derivative rule, got none; wrap its "
        "argument in lucid.stop_gradient if no derivative is wanted",
    ),
    (
        "jvp(lambda x: lucid.nextafter(x, 2.0), (1.0,), (1.0,))",
        "NotDifferentiableError",
        "nextafter: expected an operation with a derivative rule, got none; wrap its "
        "argument in lucid.stop_gradient if no derivative is wanted",
    ),
    (
        "vmap(UNBATCHED)(X)",
        "UnsupportedError",
        "unbatched: expected a batching rule under vmap, got none; give it one, or use "
        'vmap(..., fallback="loop")',
    ),
    # grad
    (
        "grad(3.0)",
        "OperandError",
        "grad: expected a function, got float",
    ),
    (
        "grad(lambda x: x)(X)",
        "ShapeError",
        "grad: expected a function with a scalar output, got shape (3,); reduce it with "
        ".sum() or .mean(), or use lucid.vjp or lucid.jacobian",
    ),
    (
        "grad(lambda x: x * 1j)(1.0)",
        "DTypeError",
        "grad: expected a real floating output, got complex128; take .real or abs() of a "
        "complex result; use lucid.vjp for a complex cotangent",
    ),
    (
        "grad(lambda x: x)(3)",
        "DTypeError",
        "grad: expected a floating or complex argument, got int64 in argument 0; convert it "
        "to floating point, or leave it out of argnums",
    ),
    (
        'grad(lambda a, b: a, argnums=1)(1.0, {"n": 3, "x": 1.0})',
        "DTypeError",
        "grad: expected a floating or complex argument, got int64 in argument 1 at ['n']; "
        "convert it to floating point, or leave it out of argnums",
    ),
    (
        'grad(lambda d, e: d[0], argnums=(0, 1))([1.0, 2.0], "relu")',
        "OperandError",
        "grad: expected arrays or numbers to differentiate, got str in argument 1; leave it "
        "out of argnums, or close over it",
    ),
    (
        'grad(lambda x: "text")(1.0)',
        "OperandError",
        "grad: expected Tensors, arrays or numbers as output, got a str; pass has_aux=True "
        "and return (value, aux) for anything else",
    ),
    (
        'grad(lambda x: x, argnums="x")(1.0)',
        "OperandError",
        "grad: expected argnums an integer or a tuple of them, got argnums='x'",
    ),
    (
        "grad(lambda x: x, argnums=1)(1.0)",
        "OperandError",
        "grad: expected argnums of positional arguments, got argnums=1 for 1 positional "
        "arguments; pass the argument by position",
    ),
    (
        "grad(lambda x: x, argnums=(0, 0))(1.0)",
        "OperandError",
        "grad: expected distinct argnums, got argnums=(0, 0)",
    ),
    (
        "grad(lambda x: x, has_aux=True)(1.0)",
        "OperandError",
        "grad: expected a pair (value, aux) with has_aux, got Tensor",
    ),
    # vjp, jvp, linearize
    (
        "vjp(lambda x: x, X)[1](1.0)",
        "ShapeError",
        "vjp: expected a cotangent of shape (3,), got ()",
    ),
    (
        "vjp(lambda x: (x, x), 1.0)[1](1.0)",
        "OperandError",
        "vjp: expected a cotangent of the structure PyTreeSpec((*, *)), got PyTreeSpec(*)",
    ),
    (
        "vjp(lambda x: x, 1.0)[1](1j)",
        "DTypeError",
        "vjp: expected a real cotangent for float64, got complex128",
    ),
    (
        "vjp(lambda x: x, 3)",
        "DTypeError",
        "vjp: expected a floating or complex argument, got int64 in argument 0; convert it "
        "to floating point, or close over it",
    ),
    (
        "jvp(lambda x: x, X, X)",
        "OperandError",
        "jvp: expected primals as a tuple or list, got ndarray",
    ),
    (
        "jvp(lambda x: x, (1.0,), 1.0)",
        "OperandError",
        "jvp: expected tangents as a tuple or list, got float",
    ),
    (
        "jvp(lambda x: x, (1.0,), (X,))",
        "ShapeError",
        "jvp: expected a tangent of shape (), got (3,)",
    ),
    (
        "jvp(lambda x: x, (1,), (1.0,))",
        "DTypeError",
        "jvp: expected a floating or complex argument, got int64 in primals[0]; convert it "
        "to floating point, or close over it",
    ),
    (
        'jvp(lambda x: "text", (1.0,), (1.0,))',
        "OperandError",
        "jvp: expected Tensors, arrays or numbers as output, got a str; pass has_aux=True "
        "and return (value, aux) for anything else",
    ),
    (
        "linearize(lambda x: x, 1.0)[1](X)",
        "ShapeError",
        "linearize: expected a tangent of shape (), got (3,)",
    ),
    # derived
    (
        "jacrev(lambda x: x > 0)(1.0)",
        "DTypeError",
        "jacrev: expected a floating or complex output, got bool",
    ),
    (
        "jacrev(lambda z: lucid.real(z))(1j)",
        "DTypeError",
        "jacrev: expected a holomorphic function of its complex argument, got a real output; "
        "use lucid.grad or lucid.vjp, or differentiate by real and imaginary part",
    ),
    (
        "jacfwd(lambda z: lucid.real(z))(1j)",
        "DTypeError",
        "jacfwd: expected a holomorphic function of its complex argument, got a real output; "
        "use lucid.grad or lucid.vjp, or differentiate by real and imaginary part",
    ),
    (
        "jacfwd(lambda x: 1.0)([])",
        "OperandError",
        "jacfwd: expected an argument with arrays, got none",
    ),
    (
        "hessian(lambda z: lucid.real(z * z))(1j)",
        "DTypeError",
        "hessian: expected a real argument, got a complex one; differentiate by real and "
        "imaginary part, or use lucid.hvp",
    ),
    (
        "hvp(lambda x: x * x, 1.0, (1.0,))",
        "OperandError",
        "hvp: expected primals as a tuple or list, got float",
    ),
    (
        "gauss_newton_product(lambda x: x, lambda y: y, (1.0,), 1.0)",
        "OperandError",
        "gauss_newton_product: expected tangents as a tuple or list, got float",
    ),
    # vmap
    (
        'vmap(lambda x: x, fallback="slow")',
        "OperandError",
        "vmap: expected fallback None or \"loop\", got 'slow'",
    ),
    (
        "vmap(3.0)",
        "OperandError",
        "vmap: expected a function, got float",
    ),
    (
        "vmap(lambda x: x)(1.0)",
        "ShapeError",
        "vmap: expected an array with axis 0, got shape () at argument [0]; set in_axes to "
        "None for an argument that is not mapped",
    ),
    (
        "vmap(lambda x: x, in_axes=None)(X)",
        "OperandError",
        "vmap: expected an argument to map over, got none; map at least one argument, or "
        "pass axis_size",
    ),
    (
        "vmap(lambda x, y: x)(X, np.ones(2))",
        "ShapeError",
        "vmap: expected mapped axes of one length, got 3 at argument [0], 2 at argument [1]",
    ),
    (
        "vmap(lambda x: x, in_axes=(0, 0))(X)",
        "OperandError",
        "vmap: expected in_axes of length 1, got (0, 0)",
    ),
    (
        'vmap(lambda x: x, in_axes="0")(X)',
        "OperandError",
        "vmap: expected in_axes a prefix of the arguments, got '0'",
    ),
    (
        "vmap(lambda x: x, out_axes=(0, 0))(X)",
        "OperandError",
        "vmap: expected out_axes a prefix of the output, got (0, 0)",
    ),
    (
        "vmap(lambda x: x, out_axes=None)(X)",
        "ShapeError",
        "vmap: expected an output without the mapped axis where out_axes is None, got "
        "Tensor(float64[], under vmap); reduce over the mapped axis outside, or give "
        "out_axes an integer",
    ),
    (
        "vmap(lambda x: x, out_axes=1)(X)",
        "ShapeError",
        "vmap: expected an output with axis 1, got shape (3,)",
    ),
    (
        'vmap(lambda x: "text")(X)',
        "OperandError",
        "vmap: expected Tensors, arrays or numbers as output, got a str",
    ),
    # custom rules
    (
        "grad(custom_vjp(f))(1.0)",
        "NotDifferentiableError",
        "f: expected a custom_vjp with a rule, got none; set its rule with .defvjp(forward, "
        "backward)",
    ),
    (
        "grad(custom_jvp(f))(1.0)",
        "NotDifferentiableError",
        "f: expected a derivative rule, got a custom_jvp without; set its rule with .defjvp(rule)",
    ),
    (
        "with_vjp(f, lambda x: x, None)(1.0)",
        "OperandError",
        "f: expected forward to return (output, residuals), got a Tensor",
    ),
    (
        "with_vjp(f, lambda x: (x, None), lambda _, ct: ct)(1.0)",
        "OperandError",
        "f: expected the rule to return a tuple with one entry for each of 1 arguments, got "
        "Tensor(1.)",
    ),
    (
        "with_vjp(f, lambda x: (x, None), lambda _, ct: (ct, ct))(1.0)",
        "OperandError",
        "f: expected the rule to return a tuple with one entry for each of 1 arguments, got "
        "2 of them",
    ),
    (
        "with_vjp(f, lambda x: (x, None), lambda _, ct: ([ct, ct],))(1.0)",
        "OperandError",
        "f: expected cotangents like the arguments, got 2 leaves for an argument with 1",
    ),
    (
        "with_vjp(f, lambda x: (x, None), lambda _, ct: (X,))(1.0)",
        "ShapeError",
        "f: expected a cotangent of shape (), got shape (3,)",
    ),
    (
        "with_jvp(f, lambda p, t: t[0])(1.0)",
        "OperandError",
        "f: expected the rule to return (output, tangent), got a Tensor",
    ),
    (
        "jvp(custom_vjp(f), (1.0,), (1.0,))",
        "NotDifferentiableError",
        "f: expected reverse mode, the one a custom_vjp has a rule for, got forward mode; "
        "state a custom_jvp instead, which serves both modes",
    ),
    (
        "grad(lambda w: closing(w)(w))(1.0)",
        "NotDifferentiableError",
        "g: expected a function of its arguments alone, got one that closes over a Tensor "
        "watched by grad; pass that Tensor as an argument",
    ),
    (
        "custom_vjp(f)(x=1.0)",
        "OperandError",
        "f: expected positional arguments, got ['x']; pass every argument by position",
    ),
    # checks and trees
    (
        "check_grads(f, X)",
        "OperandError",
        "check_grads: expected args as a tuple or list, got ndarray",
    ),
    (
        'check_grads(f, (1.0,), modes=("up",))',
        "OperandError",
        'check_grads: expected modes of "fwd" and "rev", got (\'up\',)',
    ),
    (
        "tree.map(max, [1], [1, 2])",
        "OperandError",
        "tree.map: expected the structure PyTreeSpec([*]), got PyTreeSpec([*, *])",
    ),
]


def namespace() -> dict[str, Any]:
    """What the calls of the table refer to."""
    found = {k: getattr(lucid, k) for k in lucid.__all__ if k not in ("bool", "min", "max")}
    found.update(globals())
    found.update(Parameter=Parameter, set_default_dtype=set_default_dtype, tree=tree, np=np)
    found.update(setitem=operator.setitem, delitem=operator.delitem, iadd=operator.iadd)
    found.update(operator=operator, pickle=pickle)
    return found


@pytest.mark.parametrize(("call", "kind", "text"), MESSAGES, ids=[row[0] for row in MESSAGES])
def test_message(call: str, kind: str, text: str) -> None:
    with pytest.raises(getattr(errors, kind, None) or getattr(lucid, kind)) as info:
        eval(call, namespace())
    assert str(info.value) == text
    assert isinstance(info.value, errors.LucidError)


ROOT = Path(lucid.__file__).parent
COVERED = [
    *sorted((ROOT / "core").glob("*.py")),
    *sorted((ROOT / "transforms").glob("*.py")),
    *(ROOT / "tree.py", ROOT / "config.py"),
]
# Messages that no call can be relied upon to bring about.
UNREACHED = {
    "a matrix it is defined for",  # tests/test_linalg.py
    "f'a difference of {worst",  # its numbers: tests/test_transforms.py
    "to compute",  # an exception that NumPy does not raise
    "operands whose shapes fit",  # the operations check before NumPy does
}


def raising_lines() -> dict[tuple[str, int], str]:
    """Where `message(...)` is called, and the call."""
    found: dict[tuple[str, int], str] = {}
    for path in COVERED:
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "message":
                found[str(path), node.lineno] = ast.unparse(node)
    return found


def test_every_message_has_a_row() -> None:
    wanted = raising_lines()
    seen: set[tuple[str, int]] = set()
    original = errors.message.__code__

    def watch(frame: Any, event: str, arg: Any) -> None:
        if event == "call" and frame.f_code is original:
            caller = frame.f_back
            seen.add((caller.f_code.co_filename, caller.f_lineno))

    names = namespace()
    before = sys.getprofile()
    for call, _, _ in MESSAGES:
        sys.setprofile(watch)
        try:
            eval(call, names)
        except errors.LucidError:
            pass
        finally:
            sys.setprofile(before)
    lines = {(file, line) for file, line in seen}
    missing = [
        f"{Path(file).relative_to(ROOT.parent)}:{line}: {text}"
        for (file, line), text in wanted.items()
        if not any((file, k) in lines for k in range(line, line + 6))
        and not any(reason in text for reason in UNREACHED)
    ]
    assert not missing, "no row for " + "\n".join(missing)
