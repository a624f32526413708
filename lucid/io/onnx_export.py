"""export_onnx: a captured graph as an ONNX model."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np

from lucid import tree
from lucid._lazy import onnx
from lucid.core.tensor import Tensor, concrete
from lucid.errors import MissingExtraError, OperandError, OptionError, UnsupportedError, message
from lucid.graph.ir import Graph
from lucid.graph.jit import Jitted
from lucid.io import onnx_arrays, onnx_elementwise, onnx_layers  # noqa: F401 - their rules
from lucid.io.files import replacing
from lucid.io.onnx_writer import RULES, Writer
from lucid.transforms.stop import no_grad

__all__ = ["export_onnx"]

_OPSET, _IR = 18, 9  # of 2022 and 2023: every runtime in use reads them


def export_onnx(
    model: Callable[..., Any],
    args: Any,
    path: str | os.PathLike[str],
    *,
    input_names: Sequence[str] | None = None,
    output_names: Sequence[str] | None = None,
) -> None:
    """Write a model as an ONNX file, which other runtimes execute.

    The model is captured once, as by `lucid.jit`, with arguments like the given ones: shapes and
    dtypes are part of the file, and so are the present values of parameters and buffers, under
    their names in the ``state_dict``. Many runtimes implement float32 alone. The file appears
    whole or not at all, as with `lucid.save`.

    Args:
        model: a Module, in evaluation mode, or another function of arrays.
        args: the positional arguments, as a tuple, or the only one: arrays or pytrees of them.
        path: where to.
        input_names: of the arrays in `args`, in order; by default "input0", "input1", …
        output_names: of the arrays that the model returns; by default "output0", …

    Raises:
        MissingExtraError: without the extra ``lucid-grad[onnx]``.
        UnsupportedError: if the model does something that the export has no rule for, draws random
            numbers, or changes its state; the message names it.
        OptionError: if there are more or fewer names than arrays, or one is used twice.
        OSError: if the file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> import lucid
        >>> model = lucid.nn.Sequential(lucid.nn.Linear(3, 4), lucid.nn.ReLU()).eval()
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "model.onnx")
        ...     lucid.io.export_onnx(model, lucid.ones((1, 3)), path)
        ...     path.stat().st_size > 0
        True

    References:
        https://onnx.ai/onnx/operators, opset 18.
    """
    if importlib.util.find_spec("onnx") is None:
        hint = 'install the extra: pip install "lucid-grad[onnx]"'
        raise MissingExtraError(message("export_onnx", "onnx", "no such package", hint))
    if not callable(model):
        want = "a Module or another function"
        raise OperandError(message("export_onnx", want, type(model).__name__))
    given = args if isinstance(args, tuple) else (args,)
    with no_grad():
        graph, held = _captured(model, given)
    content = _model(graph, held, input_names, output_names).SerializeToString()
    with replacing(path) as file:
        file.write(content)


def _captured(model: Any, args: tuple[Any, ...]) -> tuple[Graph, list[tuple[str, Any]]]:
    """Return what the model does, and the names and arrays of its last inputs: those it holds."""
    entry = Jitted(model, (), (), "numpy")._capture(args, {})
    if entry.trace.written:
        want = "a model that changes nothing"
        names = sorted({str(entry.trace.cells[k].place.name) for k, *_ in entry.trace.written})
        hint = "call model.eval() first"
        got = f"one that sets {', '.join(names)}"
        raise UnsupportedError(message("export_onnx", want, got, hint))
    known = _state_names(model)
    held = [(f"outside{k}", concrete(t, "export_onnx")) for k, t in enumerate(entry.trace.outside)]
    for cell in entry.trace.cells:
        if cell.structure is None:
            continue
        leaves = tree.leaves(cell.place.get())
        name = known.get(cell.place.key) or known.get((id(cell.place.owner), None))
        for k, (leaf, value) in enumerate(zip(leaves, cell.leaves, strict=True)):
            if value is not None:
                array = concrete(leaf, "export_onnx") if isinstance(leaf, Tensor) else leaf
                held.append((name or f"{cell.place.name}{k}", np.asarray(array, value.aval.dtype)))
    return entry.trace.graph, held


def _state_names(model: Any) -> dict[Any, str]:
    """Return the names of parameters and buffers, by what their places are known as."""
    found: dict[Any, str] = {}
    if hasattr(model, "named_modules"):
        for path, module in model.named_modules():
            prefix = f"{path}." if path else ""
            for name, parameter in module._parameters.items():
                found.setdefault((id(parameter), None), prefix + name)
            for name in module._buffers:
                found[id(module), ("buffer", name)] = prefix + name
    return found


def _model(graph: Graph, held: list[tuple[str, Any]], inputs: Any, outputs: Any) -> Any:
    """Return a graph as an ONNX model."""
    w = Writer()
    count = len(graph.inputs) - len(held)
    inputs = _checked("input_names", inputs, "input", count)
    outputs = _checked("output_names", outputs, "output", len(graph.outputs))
    taken = {*inputs, *outputs}
    if len(taken) < len(inputs) + len(outputs):
        got = f"{list(inputs)} and {list(outputs)}"
        raise OptionError(message("export_onnx", "different names", got))
    w.names.update(zip(graph.inputs, inputs, strict=False))
    for value, (name, array) in zip(graph.inputs[count:], held, strict=True):
        while name in taken:
            name += "_"
        taken.add(name)
        w.names[value] = name
        w.initializer(name, array)
    for value, array in graph.constants.items():
        w.names[value] = w.constant(array)
    for node in graph.nodes:
        if node.op.name not in RULES:
            raise _unsupported(node.op.name)
        if any(v.aval.dtype.kind == "c" for v in (*node.outputs, *node.values())):
            raise UnsupportedError(
                message("export_onnx", "real numbers", f"complex ones in {node.op.name!r}")
            )
        found = RULES[node.op.name](w, node)
        names = [found] if isinstance(found, str) else found
        w.names.update(zip(node.outputs, names, strict=True))
    for name, y in zip(outputs, graph.outputs, strict=True):
        w.nodes.append(onnx.helper.make_node("Identity", [w.operand(y)], [name]))
    h = onnx.helper
    made = h.make_graph(
        w.nodes,
        "lucid",
        [_info(n, v.aval) for n, v in zip(inputs, graph.inputs, strict=False)],
        [_info(n, a) for n, a in zip(outputs, graph.avals(), strict=True)],
        w.initializers,
    )
    model = h.make_model(
        made, opset_imports=[h.make_opsetid("", _OPSET)], ir_version=_IR, producer_name="lucid"
    )
    onnx.checker.check_model(model)
    return model


def _info(name: str, aval: Any) -> Any:
    code = onnx.helper.np_dtype_to_tensor_dtype(aval.dtype)
    return onnx.helper.make_tensor_value_info(name, code, aval.shape)


def _unsupported(name: str) -> UnsupportedError:
    hint = "call model.eval() first" if name.startswith("random") else ""
    want = "operations that the export has a rule for"
    return UnsupportedError(message("export_onnx", want, repr(name), hint))


def _checked(what: str, names: Any, default: str, count: int) -> list[str]:
    """Return names for all inputs or outputs."""
    if names is None:
        return [f"{default}{k}" for k in range(count)]
    names = list(names)
    if len(names) != count or not all(isinstance(n, str) and n for n in names):
        raise OptionError(message("export_onnx", f"{count} {what}", repr(names)))
    return names
