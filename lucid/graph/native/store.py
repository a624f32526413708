"""Compiled code on disk, so that another process need not compile it again; off by default.

A file holds the machine code of one module. Its name is the digest of the module's text, the
processor, and LLVM's version, so that no other code can be taken for it; its first bytes are the
digest of what follows, so that a damaged file is compiled anew instead of run. Files are machine
code: keep the directory where only those can write whom you would let run code.
"""

from __future__ import annotations

import hashlib
import os
import tempfile
from pathlib import Path
from typing import Any

import llvmlite.binding as llvm

from lucid.config import get_compilation_cache

__all__ = ["Stored", "digest"]

_DIGEST = 32  # bytes of a SHA-256


def digest(text: str, host: Any, level: int) -> str:
    """Return the name of the code of a module."""
    parts = (text, host.triple, host.cpu, host.features, str(level), str(llvm.llvm_version_info))
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()


class Stored:
    """The code of one module in the directory, if there is one.

    Attributes:
        code: what was found, or None.
    """

    def __init__(self, text: str, host: Any, level: int) -> None:
        directory = get_compilation_cache()
        name = f"{digest(text, host, level)}.lucid"
        self._path = None if directory is None else Path(directory) / name
        self.code = self._read() if self._path else None

    def _read(self) -> bytes | None:
        assert self._path is not None
        try:
            whole = self._path.read_bytes()
        except OSError:
            return None
        code = whole[_DIGEST:]
        return code if hashlib.sha256(code).digest() == whole[:_DIGEST] else None

    def attach(self, engine: Any) -> None:
        """Let an engine take the code, or leave here what it compiles."""
        if self._path:
            engine.set_object_cache(self._write, lambda module: self.code)

    def _write(self, module: Any, code: bytes) -> None:
        """Replace the file at once; a directory that cannot be written to is no error."""
        assert self._path is not None
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            with tempfile.NamedTemporaryFile(dir=self._path.parent, delete=False) as file:
                file.write(hashlib.sha256(code).digest() + code)
            os.replace(file.name, self._path)
        except OSError:
            return
