"""Write `docs/special.md`, the table of derivative rules of `lucid.special`, from the rules.

Run ``python docs/generate_special.py``; a test checks that the file is up to date.
"""

from __future__ import annotations

import ast
import functools
from pathlib import Path
from typing import Any

from lucid.core.define import NEG, SAME, ZERO
from lucid.ops.special_functions import ROWS
from lucid.ops.special_functions.table import DISCRETE, NoRule, Row

HEAD = """# Special functions: the derivative of every argument

`lucid.special` has every ufunc of `scipy.special`, computed by SciPy and differentiable. The table
lists for each argument the rule, as it stands in the source, or the reason why there is none:
asking for that derivative then raises an error that names the function and the argument. `ans` is
the function's value, or the tuple of its values. Names that begin with `_` are helpers in
`lucid/ops/special_functions/`. This page is generated: `python docs/generate_special.py`.

Derivatives are checked against mpmath, boundaries included: their error is at most 1e-10 of the
derivative or of its size nearby, beyond what rounding the arguments does, in the domain that the
last column states. The functions at the end are derivatives that SciPy does not have.
"""


@functools.cache
def lambdas(path: str) -> list[ast.Lambda]:
    """Every lambda expression in a file."""
    tree = ast.parse(Path(path).read_text(encoding="utf-8"))
    return [node for node in ast.walk(tree) if isinstance(node, ast.Lambda)]


class Spell(ast.NodeTransformer):
    """Puts what a factory's variables stand for in their place."""

    def __init__(self, known: dict[str, Any]) -> None:
        self.known = known

    def visit_Name(self, node: ast.Name) -> ast.AST:
        """Return what the name stands for."""
        value = self.known.get(node.id)
        if hasattr(value, "op"):
            return ast.Name(value.op.name.removeprefix("special."))
        if isinstance(value, int | float | complex | str):
            return ast.Constant(value)
        return node


def expression(rule: Any) -> str:
    """The source of a rule: a lambda's body, or the first sentence about a function."""
    code = rule.__code__
    if code.co_name != "<lambda>":
        text = (rule.__doc__ or f"{code.co_name}()").strip().split("\n")[0]
        return text.rstrip(".")
    line, col = max((line, col) for line, _, col, end in code.co_positions() if line and end)
    for node in lambdas(code.co_filename):
        start = (node.body.lineno, node.body.col_offset)
        end = (node.body.end_lineno, node.body.end_col_offset)
        if start <= (line, col) < end and node.lineno == code.co_firstlineno:
            cells = [c.cell_contents for c in rule.__closure__ or ()]
            known = dict(zip(code.co_freevars, cells, strict=True))
            body = ast.parse(ast.unparse(node.body), mode="eval").body
            return f"`{ast.unparse(Spell(known).visit(body))}`"
    raise LookupError(f"no source for a rule in {code.co_filename}:{code.co_firstlineno}")


def rule(row: Row, partial: Any) -> str:
    """What the table says about one argument."""
    if isinstance(partial, NoRule):
        return "discrete" if partial is DISCRETE else f"none: {partial.reason}"
    if isinstance(partial, str):
        return f"`{partial}`"
    if partial is ZERO:
        return "0"
    if partial in (SAME, NEG):
        return "1" if partial is SAME else "-1"
    if isinstance(partial, tuple):
        parts = zip(row.outputs, partial, strict=True)
        return "; ".join(f"{name}: {expression(p)}" for name, p in parts)
    return expression(partial)


def lines(row: Row) -> list[str]:
    """The lines of one function, one per argument."""
    out: list[str] = []
    for i, (argument, partial) in enumerate(row.partials.items()):
        name = f"`{row.name}`" if i == 0 else ""
        domain = row.domain if i == 0 else ""
        text = rule(row, partial).replace("|", "\\|")
        out.append(f"| {name} | `{argument}` | {text} | {domain.replace('|', chr(92) + '|')} |")
    return out


def render() -> str:
    """The whole page."""
    public = sorted((r for r in ROWS.values() if r.public), key=lambda r: r.name)
    public += [ROWS["lambertw"], ROWS["zeta"]]
    public.sort(key=lambda r: r.name)
    own = sorted((r for r in ROWS.values() if r not in public), key=lambda r: r.name)
    partials = [p for r in public for p in r.partials.values()]
    missing = [p for p in partials if isinstance(p, NoRule) and p is not DISCRETE]
    discrete = [p for p in partials if p is DISCRETE]
    ruled = len(partials) - len(missing) - len(discrete)
    count = (
        f"{len(public)} functions, {len(partials)} arguments: {ruled} with a rule, "
        f"{len(discrete)} discrete, {len(missing)} without a rule.\n"
    )
    head = ["| function | argument | derivative | domain |", "|---|---|---|---|"]
    body = [line for r in public for line in lines(r)]
    tail = [line for r in own for line in lines(r)]
    middle = ["", "## Derivatives that SciPy does not have", "", *head]
    return "\n".join([HEAD, count, *head, *body, *middle, *tail]) + "\n"


if __name__ == "__main__":
    Path(__file__).with_name("special.md").write_text(render(), encoding="utf-8")
