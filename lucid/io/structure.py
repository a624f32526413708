"""Structure: pytrees as JSON, with their arrays apart, and back. Nothing in it is ever executed."""

from __future__ import annotations

import collections
import dataclasses
import json
import keyword
import math
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np

from lucid.core.tensor import Tensor, concrete, wrap
from lucid.errors import DTypeError, FileFormatError, OperandError, message

__all__ = ["Document", "corrupt", "decode", "encode", "parse", "records"]

VERSION = 1
_DEPTH = 100  # of containers in containers
_MARKS = ("tensor", "array", "scalar", "bytes")


class Document:
    """A pytree taken apart: JSON for its containers, and its arrays by name."""

    def __init__(self) -> None:
        self.arrays: dict[str, np.ndarray[Any, Any]] = {}
        self.tree: Any = None

    def dumps(self, **more: Any) -> str:
        """Return the JSON text of everything but the arrays."""
        content = {"version": VERSION, **more, "tree": self.tree}
        return json.dumps(content, separators=(",", ":"), allow_nan=False)


def encode(tree: Any) -> Document:
    """Take a pytree apart.

    Raises:
        OperandError: if it holds anything else than what `lucid.save` lists.
        DTypeError: if an array holds no numbers.
    """
    document = Document()
    try:
        document.tree = _node(document, tree, (), 0)
        document.dumps()
    except ValueError as error:  # an integer of thousands of digits
        raise OperandError(message("save", "numbers that JSON can hold", str(error))) from None
    return document


def _node(document: Document, x: Any, path: tuple[Any, ...], depth: int) -> Any:
    if x is None or type(x) in (bool, int, str):
        return x
    if type(x) is float:
        return x if math.isfinite(x) else {"float": repr(x)}
    if type(x) is complex:
        return {"complex": [repr(x.real), repr(x.imag)]}
    if depth > _DEPTH:
        got = "deeper ones; does a container contain itself?"
        raise OperandError(message("save", f"at most {_DEPTH} nested containers", got))

    def inner(value: Any, key: Any) -> Any:
        return _node(document, value, (*path, key), depth + 1)

    if isinstance(x, Tensor):
        return {"tensor": _store(document, path, concrete(x, "save", strict=True))}
    if isinstance(x, np.ndarray | np.generic):
        kind = "array" if isinstance(x, np.ndarray) else "scalar"
        return {kind: _store(document, path, x)}
    if type(x) in (bytes, bytearray):
        return {"bytes": _store(document, path, np.frombuffer(x, np.uint8))}
    if isinstance(x, dict):
        return {"dict": [[_key(k), inner(v, k)] for k, v in x.items()]}
    if isinstance(x, tuple) and hasattr(x, "_fields"):
        names: Any = getattr(x, "_fields")  # noqa: B009 - of a named tuple
        fields = [[n, inner(v, n)] for n, v in zip(names, x, strict=True)]
        return {"record": type(x).__name__, "fields": fields}
    if type(x) is list:
        return [inner(v, k) for k, v in enumerate(x)]
    if type(x) is tuple:
        return {"tuple": [inner(v, k) for k, v in enumerate(x)]}
    if dataclasses.is_dataclass(x) and not isinstance(x, type):
        names = [f.name for f in dataclasses.fields(x)]
        fields = [[n, inner(getattr(x, n), n)] for n in names]
        return {"record": type(x).__name__, "fields": fields}
    place = ".".join(map(str, path)) or "the value itself"
    hint = "save its state_dict()" if hasattr(x, "state_dict") else ""
    want = "containers of arrays, numbers, strings and None"
    raise OperandError(message("save", want, f"{type(x).__name__} at {place}", hint))


def _key(key: Any) -> Any:
    """Return the key of a dict as JSON."""
    if key is None or type(key) in (bool, int, str) or (type(key) is float and math.isfinite(key)):
        return key
    if type(key) is tuple:
        return {"tuple": [_key(k) for k in key]}
    if isinstance(key, np.integer):
        return int(key)
    want = "keys that are strings, numbers, None or tuples of them"
    raise OperandError(message("save", want, type(key).__name__))


def _store(document: Document, path: tuple[Any, ...], x: Any) -> str:
    """Keep an array under the name that its place gives; return the name."""
    array = np.asarray(x)
    known = array.dtype.kind in "biufc" and array.dtype.itemsize <= (
        16 if array.dtype.kind == "c" else 8
    )
    if not known or isinstance(x, np.ma.MaskedArray):
        got = "a masked array" if isinstance(x, np.ma.MaskedArray) else str(array.dtype)
        want = "booleans, integers, or floating or complex numbers of at most 64 bits each"
        raise DTypeError(message("save", want, f"{got} at {'.'.join(map(str, path))}"))
    name = ".".join(map(str, path)).encode("utf-8", "replace").decode().replace("\0", "?")
    name = name or "value"
    while name in document.arrays or name in ("__metadata__", "lucid.json"):
        name += "_"
    little = array.dtype.newbyteorder("<")
    document.arrays[name] = np.asarray(array, little, order="C")
    return name


# -- and back --------------------------------------------------------------------------------------


def corrupt(path: str, what: str) -> FileFormatError:
    """Return the error for a file that is not what it should be."""
    return FileFormatError(message("load", "a whole and well-formed file", f"{path!r}: {what}"))


def unique(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    """Return a JSON object as a dict; a key given twice is an error."""
    found: dict[str, Any] = {}
    for key, value in pairs:
        if key in found:
            raise ValueError(f"the key {key!r:.60} stands in it twice")
        found[key] = value
    return found


def parse(text: str | bytes) -> Any:
    """Return strict JSON; ValueError tells what is wrong with it."""

    def refuse(constant: str) -> Any:
        raise ValueError(f"{constant} is no JSON")

    try:
        content = text.decode("utf-8") if isinstance(text, bytes) else text
        return json.loads(content, object_pairs_hook=unique, parse_constant=refuse)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None
    except MemoryError:
        raise ValueError("it is too large") from None


def decode(
    content: Any, array: Callable[[str], np.ndarray[Any, Any]], types: Mapping[Any, Any]
) -> Any:
    """Return the pytree of a document; ValueError tells what is wrong with it.

    Args:
        content: the parsed JSON of the document.
        array: returns an array by name.
        types: what records are made of, as `records` returns it.
    """
    if not isinstance(content, dict) or content.get("version") != VERSION:
        got = content.get("version") if isinstance(content, dict) else content
        raise ValueError(f"version {got!r:.40} of its structure is unknown; this is {VERSION}")
    if "tree" not in content:
        raise ValueError("its structure has no tree")
    return _Decoder(array, types).value(content["tree"], 0)


class _Decoder:
    """Builds a pytree of JSON; whatever is not expected raises ValueError."""

    def __init__(self, array: Callable[[str], Any], types: Mapping[Any, Any]) -> None:
        self.array = array
        self.types = dict(types)

    def value(self, node: Any, depth: int) -> Any:
        if node is None or isinstance(node, bool | int | float | str):
            return node
        if depth > _DEPTH + 1:
            raise ValueError("its structure is nested too deeply")
        if isinstance(node, list):
            return [self.value(v, depth + 1) for v in node]
        if not isinstance(node, dict) or not node:
            raise ValueError(f"its structure holds {node!r:.40}")
        mark = next(iter(node))
        if set(node) != ({"record", "fields"} if mark == "record" else {mark}):
            raise ValueError(f"its structure holds {list(node)!r:.60}")
        body = node[mark]
        if mark in _MARKS:
            return self.leaf(mark, body)
        if mark == "float" and body in ("nan", "inf", "-inf"):
            return float(body)
        if mark == "complex" and _is_list(body) and len(body) == 2:
            return complex(*(float(_text(part)) for part in body))
        if mark == "tuple" and _is_list(body):
            return tuple([self.value(v, depth + 1) for v in body])
        if mark == "dict":
            pairs = [(_hashable(k, depth), self.value(v, depth + 1)) for k, v in _pairs(body)]
            return unique(pairs)
        if mark == "record":
            pairs = [(_text(k), self.value(v, depth + 1)) for k, v in _pairs(node["fields"])]
            return self.record(_text(body), unique(pairs))
        raise ValueError(f"its structure holds {mark!r:.40}")

    def leaf(self, mark: str, name: Any) -> Any:
        found = self.array(_text(name))
        if mark == "tensor":
            return wrap(found, None)
        if mark == "array":
            return found
        if mark == "bytes":
            if found.dtype != np.uint8 or found.ndim != 1:
                raise ValueError(f"{name!r:.40} are no bytes")
            return found.tobytes()
        if found.ndim:
            raise ValueError(f"{name!r:.40} is no scalar")
        return found[()]

    def record(self, name: str, fields: Mapping[str, Any]) -> Any:
        kind = self.types.get((name, tuple(fields))) or self.new(name, fields)
        try:
            return kind(**fields)
        except (TypeError, ValueError) as error:
            raise ValueError(f"no {name} can be made of its fields: {error}") from None

    def new(self, name: str, fields: Iterable[str]) -> Any:
        """Return a new class of named tuples."""
        for word in (name, *fields):
            if not word.isidentifier() or keyword.iskeyword(word) or len(word) > 200:
                raise ValueError(f"{word!r:.40} is no name of a record or field")
        if any(word.startswith("_") for word in fields):
            raise ValueError("the name of a field begins with an underscore")
        try:
            kind: Any = collections.namedtuple(name, list(fields))  # pyright: ignore[reportUntypedNamedTuple]
        except SyntaxError:  # names that are different letters of one identifier
            raise ValueError(f"{name!r:.40} is no record") from None
        self.types[name, tuple(fields)] = kind  # records alike are of one class
        return kind


def records(types: Iterable[type]) -> dict[Any, Any]:
    """Return named tuples and dataclasses by name and fields."""
    return {(t.__name__, _fields(t)): t for t in types}


def _fields(kind: type) -> tuple[str, ...]:
    names: Any = getattr(kind, "_fields", None)
    if names is None and dataclasses.is_dataclass(kind):
        names = [f.name for f in dataclasses.fields(kind)]
    if names is None:
        want = "types that are named tuples or dataclasses"
        raise OperandError(message("load", want, repr(kind)))
    return tuple(names)


def _is_list(x: Any) -> bool:
    return isinstance(x, list)


def _text(x: Any) -> str:
    if not isinstance(x, str):
        raise ValueError(f"its structure holds {x!r:.40} instead of a string")
    return x


def _pairs(x: Any) -> list[Any]:
    if not _is_list(x) or not all(_is_list(p) and len(p) == 2 for p in x):
        raise ValueError("its structure holds a dict without keys and values")
    return x


def _hashable(key: Any, depth: int) -> Any:
    if key is None or isinstance(key, bool | int | float | str):
        return key
    if isinstance(key, dict) and list(key) == ["tuple"] and _is_list(key["tuple"]):
        if depth > _DEPTH:
            raise ValueError("its structure is nested too deeply")
        return tuple([_hashable(k, depth + 1) for k in key["tuple"]])
    raise ValueError(f"its structure holds the key {key!r:.40}")
