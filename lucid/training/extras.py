"""Packages that only some callbacks use: each belongs to an extra."""

from __future__ import annotations

import importlib.util

from lucid.errors import MissingExtraError, message

__all__ = ["need"]


def need(name: str, package: str, extra: str) -> None:
    """Raise unless a package is installed."""
    if importlib.util.find_spec(package) is None:
        hint = f'install the extra: pip install "lucid-grad[{extra}]"'
        raise MissingExtraError(message(name, package, "no such package", hint))
