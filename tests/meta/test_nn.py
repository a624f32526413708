"""`lucid.nn` holds no mathematics: it keeps state, and calls `lucid.functional`.

The rules, read off the syntax trees of all of `lucid/nn`:

* A `forward` has at most five lines and five statements behind its docstring, and no operator
  that computes, of whatever kind.
* Elsewhere operators put strings, lists, tuples and sets together, and join constants. What else
  they do is arithmetic of lengths in constructors, and stands in `LENGTHS`, expression by
  expression.
* Nothing is called by name that computes either: of NumPy only what makes and names arrays and
  types; from `lucid.ops` and `lucid.transforms` only generators of random numbers and what steers
  derivatives; and no method of Tensors apart from `detach` and `astype`.

`summary.py` and `summary_table.py` write a report of numbers that stand outside all models.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import lucid

ROOT = Path(__file__).parents[2] / "lucid" / "nn"
REPORTS = {"summary.py", "summary_table.py"}
FILES = {
    str(f.relative_to(ROOT)): f.read_text(encoding="utf-8")
    for f in sorted(ROOT.rglob("*.py"))
    if f.name not in REPORTS
}

# Integers, all of them: lengths of axes, and their numbers.
LENGTHS: dict[str, set[str]] = {
    "adaptive_softmax.py": {"cutoffs[0] + len(sizes)"},
    "attention.py": {"embed_dim % num_heads", "3 * embed_dim"},
    "conv.py": {"in_channels % groups", "out_channels % groups", "second // self.groups"},
    "embedding.py": {"padding % rows", "rows - 1", "-rows"},
    "lazy.py": {"axis + 1", "-axis"},
    "normalization.py": {"num_channels % num_groups"},
    "padding.py": {"2 * self._rank"},
    "recurrent.py": {"self._gates * self.hidden_size", "own * (2 if bidirectional else 1)"},
    "transformer.py": {"len(self._attentions) + 2"},
    "utils/parametrizations.py": {"dim % weight.ndim", "weight.size // rows"},
}

NUMPY = {
    *("arange", "array_equal", "complex64", "dtype", "float32", "float64", "full", "generic"),
    *("int64", "integer", "ndarray", "ones", "result_type", "shape", "zeros"),
}
FLOORS = ("lucid.ops", "lucid.transforms", "scipy", "math", "cmath", "operator")
BORROWED = {"Generator", "custom_vjp", "default_generator", "index", "stop_gradient"}
METHODS = {
    name
    for name in dir(lucid.Tensor)
    if not name.startswith("_") and callable(getattr(lucid.Tensor, name))
} - {"astype", "detach"}
OWNERS = {"functional", "pure", "maps", "tree", "np", "self", "super()"}  # of functions so named
ARITHMETIC = (
    *(ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult),
    *(ast.USub, ast.Invert),
)
LITERALS = (ast.JoinedStr, ast.List, ast.Tuple, ast.Set, ast.Dict, ast.ListComp, ast.SetComp)


def violations(source: str, allowed: set[str] | None = None) -> Iterator[str]:
    """What a file of `lucid.nn` does that it must not."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == "forward":
            yield from _in_forward(node)
        if _computes(node) and ast.unparse(node) not in (allowed or ()):
            yield f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Attribute):
            owner = ast.unparse(node.value)
            method = node.attr in METHODS and owner not in OWNERS
            if method or (owner == "np" and node.attr not in NUMPY):
                yield f"line {node.lineno}: {ast.unparse(node)}"
        if isinstance(node, ast.Import | ast.ImportFrom):
            yield from _borrowed(node)


def _borrowed(node: ast.Import | ast.ImportFrom) -> Iterator[str]:
    origin = getattr(node, "module", None)
    for alias in node.names:
        whole = f"{origin}.{alias.name}" if origin else alias.name
        floor = whole.startswith(FLOORS) and alias.name not in BORROWED
        if floor or (origin == "numpy") or (whole == "numpy" and alias.asname != "np"):
            yield f"line {node.lineno}: imports {whole}"


def _computes(node: ast.AST) -> bool:
    """Whether an operator is arithmetic, and not between constants, or between containers."""
    if not isinstance(getattr(node, "op", None), ARITHMETIC):
        return False
    if isinstance(node, ast.AugAssign):
        return not _literal(node.value)
    constant = not any(isinstance(n, ast.Name | ast.Attribute | ast.Call) for n in ast.walk(node))
    return isinstance(node, ast.BinOp | ast.UnaryOp) and not (constant or _literal(node))


def _literal(node: ast.AST) -> bool:
    """Whether an expression is evidently a string, list, tuple, set or dict."""
    if isinstance(node, ast.BinOp):
        return _literal(node.left) or _literal(node.right)
    if isinstance(node, ast.IfExp):
        return _literal(node.body) or _literal(node.orelse)
    constant = isinstance(node, ast.Constant) and isinstance(node.value, str)
    return constant or isinstance(node, LITERALS)


def _number(node: ast.AST) -> bool:
    """Whether this is a negative number."""
    return isinstance(node, ast.UnaryOp) and isinstance(node.operand, ast.Constant)


def _in_forward(function: ast.FunctionDef) -> Iterator[str]:
    body = function.body[1:] if ast.get_docstring(function) else function.body
    statements = [n for s in body for n in ast.walk(s) if isinstance(n, ast.stmt)]
    lines = sum((s.end_lineno or s.lineno) - s.lineno + 1 for s in body)
    if max(len(statements), lines) > 5:
        yield f"line {function.lineno}: a forward of {len(statements)} statements, {lines} lines"
    for node in (n for s in body for n in ast.walk(s)):
        operator = isinstance(node, ast.BinOp | ast.AugAssign | ast.UnaryOp)
        if operator and not isinstance(node.op, ast.Not) and not _number(node):
            yield f"line {node.lineno}: an operator in forward: {ast.unparse(node)}"


@pytest.mark.parametrize("name", FILES)
def test_no_mathematics(name: str) -> None:
    found = list(violations(FILES[name], LENGTHS.get(name)))
    assert not found, f"lucid/nn/{name}: move it to lucid/functional: " + "; ".join(found)


@pytest.mark.parametrize("name", LENGTHS)
def test_no_stale_exceptions(name: str) -> None:
    found = {ast.unparse(n) for n in ast.walk(ast.parse(FILES[name])) if _computes(n)}
    assert found == LENGTHS[name]


# -- the checker itself ----------------------------------------------------------------------------

LAYER = """
class Layer(Module):
    def forward(self, x):
        '''Apply the layer.'''
        {}
"""
SIX = "\n        ".join(f"x = f{k}(x)" for k in range(6))


@pytest.mark.parametrize(
    "body",
    [
        "return x * 2",
        "return x @ self.weight",
        "x += 1",
        "return -x",
        "return mask & x",
        "return (lambda y: y / 2)(x)",
        "return x.sum()",
        "return functional.relu(x).mean(0)",
        "return np.exp(x)",
        SIX,
        "return functional.linear(\n\n\n\n            x,\n            self.weight\n        )",
        "for f in self:\n            if f:\n                for g in f:\n"
        "                    x = g(x)\n                return x\n        return x",
    ],
)
def test_the_checker_finds_mathematics_in_forward(body: str) -> None:
    assert list(violations(LAYER.format(body)))


@pytest.mark.parametrize(
    "source",
    [
        "def helper(x):\n    return x + 1",
        "def helper(n):\n    return n % 2",
        "class Layer(Module):\n    def __init__(self, n):\n        self.n = n * 2",
        "from lucid.ops.exponential import exp",
        "from lucid.transforms.api import grad",
        "import math",
        "import numpy",
        "from numpy import exp",
        "total = np.sum(x)",
        "scale = -x",
        "total = x.sum()",
        "[x ** 2 for x in y]",
    ],
)
def test_the_checker_finds_mathematics_elsewhere(source: str) -> None:
    assert list(violations(source))


@pytest.mark.parametrize(
    "source",
    [
        LAYER.format("return functional.linear(x, self.weight)"),
        LAYER.format("return self.norm(x)[-1]"),
        LAYER.format("return x if not self.training else functional.dropout(x, self.p)"),
        LAYER.format("\n        ".join(SIX.split("\n        ")[:5])),
        "shown = f'{x}' + ', '.join(y)\nshown += [1] if x else []\nslope = 1.0 / 8",
        "zeros = (0,) * rank\nleft = names - {name}",
        "x: Tensor | None = None",
        "from lucid.ops.random.generator import default_generator",
    ],
)
def test_the_checker_lets_shells_pass(source: str) -> None:
    assert not list(violations(source))


def test_exceptions_are_of_one_expression() -> None:
    source = "def f(n):\n    return n % 2, n % 3"
    assert list(violations(source, {"n % 2"})) == ["line 2: n % 3"]
