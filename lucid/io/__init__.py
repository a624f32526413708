"""Files: pytrees in the safetensors and npz formats, models in ONNX.

`lucid.save` and `lucid.load` are the functions here. ONNX needs the extra ``lucid-grad[onnx]``.
"""

from __future__ import annotations

from lucid.io.files import load, save
from lucid.io.onnx_export import export_onnx

__all__ = ["export_onnx", "load", "save"]
