"""The one door to modules that are imported when they are first used, so that lucid starts fast."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__all__ = [
    "native",
    "numpy_adapters",
    "onnx",
    "optree",
    "pyplot",
    "scipy_fft",
    "scipy_linalg",
    "scipy_sparse",
    "scipy_special",
    "special_functions",
    "submodule",
    "tensorboardx",
    "tqdm",
]


class LazyModule:
    """Stands for a module and imports it at the first look inside."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, attribute: str) -> Any:
        value = getattr(importlib.import_module(self._name), attribute)
        setattr(self, attribute, value)
        return value

    def __repr__(self) -> str:
        return f"<lazily imported module {self._name!r}>"


def submodule(name: str) -> Any:
    """Import a public namespace of lucid."""
    return importlib.import_module(f"lucid.{name}")


if TYPE_CHECKING:
    import onnx
    import optree
    import scipy.fft as scipy_fft
    import scipy.linalg as scipy_linalg
    import scipy.sparse as scipy_sparse
    import scipy.special as scipy_special

    import lucid.graph.native.assemble as native
    import lucid.ops.numpy_api.adapters as numpy_adapters
    import lucid.ops.special_functions as special_functions
else:
    onnx = LazyModule("onnx")
    optree = LazyModule("optree")
    scipy_fft = LazyModule("scipy.fft")
    scipy_linalg = LazyModule("scipy.linalg")
    scipy_sparse = LazyModule("scipy.sparse")
    native = LazyModule("lucid.graph.native.assemble")
    numpy_adapters = LazyModule("lucid.ops.numpy_api.adapters")
    special_functions = LazyModule("lucid.ops.special_functions")
    scipy_special = LazyModule("scipy.special")
pyplot: Any = LazyModule("matplotlib.pyplot")
tensorboardx: Any = LazyModule("tensorboardX")
tqdm: Any = LazyModule("tqdm")
