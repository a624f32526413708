"""Files: pytrees in the safetensors and npz formats. `lucid.save` and `lucid.load` are these."""

from __future__ import annotations

from lucid.io.files import load, save

__all__ = ["load", "save"]
