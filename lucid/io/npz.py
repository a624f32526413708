"""The npz format: a zip archive of ``.npy`` files, which NumPy reads, and one file of structure.

Sizes are checked against each other before memory is taken: what an array says of itself, what
the archive says of the array, and what is in the file.
"""

from __future__ import annotations

import ast
import math
import os
import re
import struct
import zipfile
import zlib
from typing import IO, Any, BinaryIO

import numpy as np

from lucid.io.structure import Document, corrupt, decode, parse

__all__ = ["read", "write"]

_STRUCTURE = "lucid.json"
_LONGEST = 10_000  # bytes of the header of an array, as in NumPy
_SINCE = (1980, 1, 1, 0, 0, 0)  # equal contents give equal files
_FAILURES = (
    zipfile.BadZipFile,
    zlib.error,
    struct.error,
    ValueError,
    TypeError,
    SyntaxError,
    LookupError,
    EOFError,
    OSError,
    RuntimeError,
    OverflowError,
    MemoryError,
    RecursionError,
)


def write(file: BinaryIO, document: Document) -> None:
    """Write a document; the archive holds a checksum of each of its files."""
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.writestr(zipfile.ZipInfo(_STRUCTURE, _SINCE), document.dumps())
        for name, x in document.arrays.items():
            info = zipfile.ZipInfo(f"{name}.npy", _SINCE)
            with archive.open(info, "w", force_zip64=True) as out:
                np.lib.format.write_array(out, x, allow_pickle=False)


def read(file: BinaryIO, path: str, limit: int | None, types: Any) -> Any:
    """Return the pytree in a file; that of another writer is a dict of Tensors.

    Args:
        file: open for reading.
        path: its name, for messages.
        limit: bytes that compressed arrays may take.
        types: see `lucid.load`.
    """
    try:
        with zipfile.ZipFile(file) as archive:
            infos = _contents(archive, os.fstat(file.fileno()).st_size, limit)
            members = {n[:-4]: i for n, i in infos.items() if n != _STRUCTURE}
            if _STRUCTURE in infos:
                if infos[_STRUCTURE].file_size > 100_000_000:
                    raise ValueError("its structure takes more than 100 MB")
                content = parse(archive.read(infos[_STRUCTURE]))
            else:
                tree = {"dict": [[n, {"tensor": n}] for n in members]}
                content = {"version": 1, "tree": tree}

            def array(name: str) -> np.ndarray[Any, Any]:
                if name not in members:
                    raise ValueError(f"it has no array {name!r:.60}")
                return _array(archive, members[name])

            return decode(content, array, types)
    except _FAILURES as error:
        raise corrupt(path, str(error)[:300] or type(error).__name__) from None


def _contents(archive: zipfile.ZipFile, size: int, limit: int | None) -> dict[str, zipfile.ZipInfo]:
    """Return the files in an archive by name, or raise if their sizes cannot be right."""
    found: dict[str, zipfile.ZipInfo] = {}
    stored = expanded = 0
    for info in archive.infolist():
        name = info.filename
        if name in found:
            raise ValueError(f"the name {name!r:.60} stands in it twice")
        if name != _STRUCTURE and not name.endswith(".npy"):
            raise ValueError(f"it holds {name!r:.60}, which is no .npy file")
        if info.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise ValueError(f"{name!r:.60} is compressed by method {info.compress_type}")
        if info.compress_type == zipfile.ZIP_STORED and info.compress_size != info.file_size:
            raise ValueError(f"{name!r:.60} has two different sizes")
        stored += info.compress_size
        expanded += info.file_size if info.compress_type == zipfile.ZIP_DEFLATED else 0
        found[name] = info
    if not found:
        raise ValueError("it holds nothing")
    if stored > size:
        raise ValueError(f"its parts have {stored} bytes, of {size} in the file")
    most = max(2**30, 100 * size) if limit is None else limit
    if expanded > most:
        hint = "pass a higher limit to load it"
        raise ValueError(f"its arrays expand to {expanded} bytes, more than {most}; {hint}")
    return found


def _header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Return shape, order and dtype from the beginning of a ``.npy`` file."""
    head = file.read(8)
    if len(head) < 8 or head[:6] != b"\x93NUMPY" or head[6:] not in (b"\1\0", b"\2\0", b"\3\0"):
        raise ValueError(f"{where} does not begin as a .npy file")
    length = int.from_bytes(file.read(2 if head[6] == 1 else 4), "little")
    if length > _LONGEST:
        raise ValueError(f"{where} has a header of {length} bytes")
    text = file.read(length)
    fields = ast.literal_eval(text.decode("utf-8" if head[6] == 3 else "latin1").strip())
    if not isinstance(fields, dict) or set(fields) != {"descr", "fortran_order", "shape"}:
        raise ValueError(f"{where} has no dtype, order and shape, or more than these")
    shape, fortran, code = fields["shape"], fields["fortran_order"], fields["descr"]
    if not isinstance(code, str) or not re.fullmatch(r"[<>|=]?[biufc][0-9]{1,2}", code):
        raise ValueError(f"{where} holds {code!r:.60} instead of numbers")
    naturals = isinstance(shape, tuple) and all(type(n) is int and 0 <= n < 2**63 for n in shape)
    if not naturals or len(shape) > 64 or not isinstance(fortran, bool):
        raise ValueError(f"{where} has shape {shape!r:.60} and order {fortran!r:.10}")
    return shape, fortran, np.dtype(code)


def _array(archive: zipfile.ZipFile, info: zipfile.ZipInfo) -> np.ndarray[Any, Any]:
    """Return an array, after comparing what its header says with the size of its file."""
    where = f"{info.filename!r:.60}"
    with archive.open(info) as file:
        shape, fortran, dtype = _header(file, where)
        count = math.prod(shape)
        if count * dtype.itemsize != info.file_size - file.tell():
            got = f"{info.file_size - file.tell()} bytes"
            raise ValueError(f"{where} of shape {shape} and dtype {dtype} has {got}")
        if math.prod(n for n in shape if n) * dtype.itemsize >= 2**63:
            raise ValueError(f"{where} has shape {shape!r:.60}")
        flat = np.empty(count, dtype)
        data = file.read()  # to the end, where the checksum is compared
    flat.view(np.uint8)[:] = np.frombuffer(data, np.uint8)
    if dtype.kind == "b" and data and flat.view(np.uint8).max() > 1:
        raise ValueError(f"{where} holds booleans that are neither 0 nor 1")
    native = flat.astype(dtype.newbyteorder("="), copy=False)
    return native.reshape(shape[::-1]).T if fortran else native.reshape(shape)
