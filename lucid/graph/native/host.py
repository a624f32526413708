"""The processor that code is compiled for."""

from __future__ import annotations

import functools
from typing import Any

import llvmlite.binding as llvm

__all__ = ["Host", "host"]


class Host:
    """The processor that code is compiled for.

    Attributes:
        width: bytes in the widest vector register.
        registers: how many vector registers there are.
        fma: whether it multiplies and adds in one instruction.
    """

    def __init__(self) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        self.triple = llvm.get_process_triple()
        self.cpu = llvm.get_host_cpu_name()
        features = llvm.get_host_cpu_features()
        self.features = features.flatten()
        self.width = 64 if features.get("avx512f") else 32 if features.get("avx2") else 16
        self.registers = 32 if self.width == 64 else 16
        self.fma = bool(features.get("fma") or features.get("neon"))
        self.target = llvm.Target.from_triple(self.triple)

    def machine(self, level: int = 2) -> Any:
        """Return a code generator."""
        return self.target.create_target_machine(
            cpu=self.cpu, features=self.features, opt=level, reloc="static", codemodel="jitdefault"
        )


@functools.cache
def host() -> Host:
    """Return the host, found out once."""
    return Host()
