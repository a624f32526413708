"""Layers that show their options."""

from __future__ import annotations

from typing import ClassVar

from lucid.nn.module import Module

__all__ = ["Layer"]


class Layer(Module):
    """Base class of layers whose `repr` shows attributes by name: those in `_options`."""

    _options: ClassVar[tuple[str, ...]] = ()

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return ", ".join(f"{name}={getattr(self, name)!r}" for name in self._options)
