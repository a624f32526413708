"""The house plan of DESIGN §5: floors, file lengths, no imports inside functions."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2] / "lucid"
FILES = sorted(ROOT.rglob("*.py"))
NAMES = [str(f.relative_to(ROOT.parent)) for f in FILES]

# Lowest first; a module belongs to the longest prefix that fits.
FLOORS: dict[str, int] = {
    **dict.fromkeys(("lucid.errors", "lucid.dtypes", "lucid.config", "lucid.tree"), 0),
    **dict.fromkeys(("lucid._lazy", "lucid._version"), 0),
    "lucid.core": 1,
    "lucid.ops": 2,
    **dict.fromkeys(("lucid.transforms", "lucid.graph"), 3),
    **dict.fromkeys(("lucid.functional", "lucid.optim"), 4),
    **dict.fromkeys(("lucid.nn", "lucid.data", "lucid.io", "lucid.interop", "lucid.debug"), 5),
    # public namespaces: explicit re-exports of what lies in ops and transforms
    **dict.fromkeys(("lucid.linalg", "lucid.fft", "lucid.special", "lucid.random"), 3),
    "lucid.extend": 3,
    "lucid.training": 6,
    "lucid.estimators": 6,
    "lucid": 7,
}


def module_name(path: Path) -> str:
    parts = path.relative_to(ROOT.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def floor(module: str) -> int:
    parts = module.split(".")
    for k in range(len(parts), 0, -1):
        if (found := FLOORS.get(".".join(parts[:k]))) is not None and (k > 1 or len(parts) == 1):
            return found
    raise AssertionError(f"{module} is on no floor: add it to the house plan and to FLOORS")


MODULES = {module_name(f) for f in FILES}


def imports(path: Path) -> Iterator[tuple[str, int]]:
    """The lucid modules that a file imports at run time, with line numbers."""
    source = ast.parse(path.read_text(encoding="utf-8"))
    typing_only = {
        id(inner)
        for node in ast.walk(source)
        if isinstance(node, ast.If) and "TYPE_CHECKING" in ast.unparse(node.test)
        for inner in ast.walk(node)
    }
    for node in ast.walk(source):
        if id(node) in typing_only:
            continue
        if isinstance(node, ast.Import):
            for alias in node.names:
                if alias.name.split(".")[0] == "lucid":
                    yield alias.name, node.lineno
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno}: a relative import"
            if node.module and node.module.split(".")[0] == "lucid":
                for alias in node.names:  # `from lucid import tree` imports lucid.tree
                    whole = f"{node.module}.{alias.name}"
                    yield (whole if whole in MODULES else node.module), node.lineno


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_a_floor_imports_only_lower_floors(path: Path) -> None:
    own = module_name(path)
    level = floor(own)
    for target, line in imports(path):
        assert target != "lucid" or own == "lucid", f"{path}:{line}: imports the whole package"
        if level == 0:
            assert floor(target) == 0, f"{path}:{line}: the ground imports {target}"
        else:
            assert floor(target) <= level, f"{path}:{line}: floor {level} imports {target}"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_imports_inside_functions(path: Path) -> None:
    """Lazy imports go through one module, `lucid/_lazy.py`."""
    if path.name == "_lazy.py":
        return
    source = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(source):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            for inner in ast.walk(node):
                assert not isinstance(inner, ast.Import | ast.ImportFrom), f"{path}:{node.lineno}"
                assert not _calls(inner, "__import__"), f"{path}:{node.lineno}"


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_names_out_of_thin_air(path: Path) -> None:
    source = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(source):
        for name in ("exec", "eval"):
            writers = (
                "graph/numpy_executor.py",
                "graph/native/assemble.py",
                "graph/quick_trees.py",
            )
            if path.as_posix().endswith(writers):
                continue  # they generate Python, out of a graph or a cache's key alone
            assert not _calls(node, name), f"{path}: calls {name}()"
        if isinstance(node, ast.Subscript | ast.Attribute):  # reading it, for `__dir__`, is fine
            assert not _calls(node.value, "globals"), f"{path}: writes to globals()"
    text = path.read_text(encoding="utf-8")
    for setting in ("os.environ", "getenv"):
        assert setting not in text, f"{path}: behaviour depends on the environment"


def _calls(node: ast.AST, name: str) -> bool:
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == name


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_files_are_short(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    lines = len(text.splitlines())
    if not _is_namespace(ast.parse(text)):
        assert lines < 450, f"{path} has {lines} lines: split it by story"


def _is_namespace(source: ast.Module) -> bool:
    """Whether a file consists of re-exports alone: a list of names, as long as it must be."""
    allowed = ast.Import | ast.ImportFrom | ast.Assign | ast.Expr | ast.If
    lazy = ("__getattr__", "__dir__")
    return all(isinstance(n, allowed) or getattr(n, "name", "") in lazy for n in source.body)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_public_names_are_listed_and_exist(path: Path) -> None:
    """`__all__` lists names that the file defines, once each."""
    source = ast.parse(path.read_text(encoding="utf-8"))
    for node in source.body:
        if not isinstance(node, ast.Assign) or ast.unparse(node.targets[0]) != "__all__":
            continue
        strings = [n.value for n in ast.walk(node.value) if isinstance(n, ast.Constant)]
        assert len(set(strings)) == len(strings), f"{path}: __all__ repeats a name"
