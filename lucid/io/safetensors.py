"""The safetensors format: a length, a JSON header, and the bytes of all tensors without gaps.

    8 bytes     length of the header, little-endian
    header      {"__metadata__": {name: text}, name: {"dtype", "shape", "data_offsets"}, …}
    the rest    little-endian, row-major; offsets count from the end of the header

Every number in a header is checked before it is used: offsets tile the data exactly, and shapes
have the size that offsets say. What lucid writes has two entries of metadata: the structure of the
pytree, and a checksum of header and data.

References:
    https://github.com/huggingface/safetensors, README.md, "Format".
"""

from __future__ import annotations

import json
import math
import mmap
import os
import sys
import zlib
from typing import Any, BinaryIO

import numpy as np

from lucid.errors import UnsupportedError, message
from lucid.io.structure import Document, corrupt, decode, parse

__all__ = ["read", "write"]

_CODES = {
    "BOOL": "?",
    "U8": "u1",
    "U16": "<u2",
    "U32": "<u4",
    "U64": "<u8",
    "I8": "i1",
    "I16": "<i2",
    "I32": "<i4",
    "I64": "<i8",
    "F16": "<f2",
    "F32": "<f4",
    "F64": "<f8",
    "C64": "<c8",
    "BF16": "<u2",
}
_DTYPES = {code: np.dtype(text) for code, text in _CODES.items()}
_NAMES = {dtype: code for code, dtype in _DTYPES.items() if code not in ("BF16", "C64")}
_LONGEST = 100_000_000  # bytes of a header, as in the reference implementation
_ALIGN = 64
_TREE, _SUM = "lucid.tree", "lucid.crc32"
_REAL = {np.dtype("<c8"): np.dtype("<f4"), np.dtype("<c16"): np.dtype("<f8")}


def write(file: BinaryIO, document: Document, checksum: bool) -> None:
    """Write a document. Complex arrays become real ones, with a last axis for the two parts."""
    if sys.byteorder != "little":
        raise UnsupportedError(message("save", "a little-endian machine", sys.byteorder))
    arrays: dict[str, np.ndarray[Any, Any]] = {}
    for name, x in document.arrays.items():
        arrays[name] = x if x.dtype.kind != "c" else x[..., None].view(_REAL[x.dtype])
    metadata = {_TREE: document.dumps(complex=_complex_names(document)), _SUM: ""}
    header: dict[str, Any] = {"__metadata__": metadata}
    # the widest first: then each array begins at a multiple of its itemsize
    order = sorted(arrays, key=lambda n: (-arrays[n].dtype.itemsize, n))
    end = 0
    for name in order:
        x = arrays[name]
        start, end = end, end + x.nbytes
        code = _NAMES[x.dtype]
        header[name] = {"dtype": code, "shape": list(x.shape), "data_offsets": [start, end]}
    if checksum:
        total = zlib.crc32(_dumps(header))
        for name in order:
            total = zlib.crc32(_memory(arrays[name]), total)
        metadata[_SUM] = f"{total:08x}"
    text = _dumps(header)
    text += b" " * (-(8 + len(text)) % _ALIGN)
    if len(text) > _LONGEST:
        want = f"names and structure of at most {_LONGEST} bytes"
        raise UnsupportedError(message("save", want, f"{len(text)}"))
    file.write(len(text).to_bytes(8, "little"))
    file.write(text)
    for name in order:
        file.write(_memory(arrays[name]))


def _complex_names(document: Document) -> list[str]:
    return [name for name, x in document.arrays.items() if x.dtype.kind == "c"]


def _dumps(header: dict[str, Any]) -> bytes:
    return json.dumps(header, separators=(",", ":")).encode()


def _memory(x: np.ndarray[Any, Any]) -> memoryview:
    flat: Any = np.ascontiguousarray(x).reshape(-1).view(np.uint8)
    return memoryview(flat)


# -- reading ---------------------------------------------------------------------------------------


def read(file: BinaryIO, path: str, mapped: bool, verify: bool, types: Any) -> Any:
    """Return the pytree in a file; that of another writer is a dict of Tensors.

    Args:
        file: open at its beginning.
        path: its name, for messages.
        mapped: map it into memory, so that arrays are read when they are looked at.
        verify: compare the checksum, if there is one.
        types: see `lucid.load`.
    """
    size = os.fstat(file.fileno()).st_size
    try:
        header, begin = _header(file, size)
        metadata = _metadata(header)
        entries = {n: _Entry(n, e) for n, e in header.items() if n != "__metadata__"}
        _check_tiling(entries, size - begin)
        data = _data(file, begin, size, mapped)
        if {n for n in metadata if n.startswith("lucid")} not in (set(), {_TREE, _SUM}):
            raise ValueError("of its structure and its checksum one is missing")
        if verify and metadata.get(_SUM):
            _check_sum(header, metadata[_SUM], data)
        if _TREE not in metadata:
            tree: dict[str, Any] = {"dict": [[n, {"tensor": n}] for n in entries]}
            content: dict[str, Any] = {"version": 1, "complex": [], "tree": tree}
        else:
            content = parse(metadata[_TREE])
        return _build(content, entries, data, types)
    except (ValueError, MemoryError, OverflowError) as error:
        raise corrupt(path, str(error) or "it does not fit into memory") from None


def _build(content: Any, entries: dict[str, _Entry], data: Any, types: Any) -> Any:
    names = content.get("complex") if isinstance(content, dict) else None
    if not isinstance(names, list) or not all(isinstance(n, str) for n in names):
        raise ValueError("its structure does not tell what is complex")
    pairs = set(names)

    def array(name: str) -> np.ndarray[Any, Any]:
        if name not in entries:
            raise ValueError(f"it has no array {name!r:.60}")
        return entries[name].array(data, name in pairs)

    return decode(content, array, types)


def _header(file: BinaryIO, size: int) -> tuple[dict[str, Any], int]:
    """Return the parsed header, and where the data begin."""
    if size < 10:
        raise ValueError(f"it has {size} bytes, too few for a header")
    length = int.from_bytes(file.read(8), "little")
    if length > min(_LONGEST, size - 8):
        raise ValueError(f"its header is said to have {length} bytes, of {size} in the file")
    text = file.read(length)
    if len(text) != length or not text.startswith(b"{"):
        raise ValueError("its header is no JSON object")
    try:
        header = parse(text)
    except ValueError as error:
        raise ValueError(f"its header cannot be read: {str(error)[:200]}") from None
    return header, 8 + length


def _metadata(header: dict[str, Any]) -> dict[str, str]:
    found = header.get("__metadata__", {})
    if not isinstance(found, dict) or not all(isinstance(v, str) for v in found.values()):
        raise ValueError("its metadata are no texts by name")
    return found


class _Entry:
    """What the header says about one tensor, checked."""

    __slots__ = ("code", "end", "shape", "start")

    def __init__(self, name: str, entry: Any) -> None:
        where = f"its tensor {name!r:.60}"
        if not isinstance(entry, dict) or set(entry) != {"dtype", "shape", "data_offsets"}:
            raise ValueError(f"{where} has no dtype, shape and data_offsets, or more than these")
        code, shape, offsets = entry["dtype"], entry["shape"], entry["data_offsets"]
        if not isinstance(code, str) or code not in _DTYPES:
            known = ", ".join(_DTYPES)
            raise ValueError(f"{where} has dtype {code!r:.40}, which is none of {known}")
        if not _naturals(shape) or len(shape) > 64:
            raise ValueError(f"{where} has shape {shape!r:.60}")
        if not _naturals(offsets) or len(offsets) != 2 or offsets[0] > offsets[1]:
            raise ValueError(f"{where} has data_offsets {offsets!r:.60}")
        itemsize = _DTYPES[code].itemsize
        if math.prod(shape) * itemsize != offsets[1] - offsets[0]:
            got = f"{offsets[1] - offsets[0]} bytes"
            raise ValueError(f"{where} of shape {tuple(shape)} and dtype {code} has {got}")
        if math.prod(n for n in shape if n) * itemsize >= 2**63:
            raise ValueError(f"{where} has shape {shape!r:.60}")
        self.code: str = code
        self.shape: tuple[int, ...] = tuple(shape)
        self.start, self.end = offsets

    def array(self, data: Any, paired: bool) -> np.ndarray[Any, Any]:
        """Return the tensor; `paired` puts the two parts of complex numbers together."""
        dtype = _DTYPES[self.code]
        flat = np.asarray(data[self.start : self.end])
        if flat.ctypes.data % dtype.alignment:
            flat = _locked(flat.copy(), flat)
        x = flat.view(dtype).reshape(self.shape)
        if self.code == "BF16":  # the upper half of a float32
            x = _locked((x.astype("<u4") << 16).view("<f4"), flat)
        elif self.code == "BOOL" and flat.size and flat.max() > 1:
            raise ValueError("its booleans are neither 0 nor 1")
        if not paired:
            return x
        if self.code not in ("F32", "F64") or self.shape[-1:] != (2,):
            raise ValueError("its complex numbers are no pairs")
        return x.view(np.result_type(x.dtype, np.complex64))[..., 0]


def _locked(x: np.ndarray[Any, Any], like: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    x.flags.writeable = like.flags.writeable
    return x


def _naturals(x: Any) -> bool:
    return isinstance(x, list) and all(type(n) is int and 0 <= n < 2**63 for n in x)


def _check_tiling(entries: dict[str, _Entry], length: int) -> None:
    """Raise unless the tensors fill the data one after the other, without gaps or overlaps."""
    end = 0
    for name, entry in sorted(entries.items(), key=lambda x: (x[1].start, x[1].end)):
        if entry.start != end:
            what = "overlaps the one before it" if entry.start < end else "leaves a gap before it"
            raise ValueError(f"its tensor {name!r:.60} {what}")
        end = entry.end
    if end != length:
        raise ValueError(f"it has {length} bytes of data instead of {end}")


def _data(file: BinaryIO, begin: int, size: int, mapped: bool) -> np.ndarray[Any, Any]:
    """Return all bytes after the header: mapped and read-only, or in memory of their own."""
    if size == begin:
        return np.empty(0, np.uint8)
    if mapped:
        return np.frombuffer(mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ), np.uint8)[begin:]
    data = np.empty(size - begin, np.uint8)
    if file.readinto(memoryview(data)) != size - begin:  # type: ignore[attr-defined]
        raise ValueError("it ends too early")
    return data


def _check_sum(header: dict[str, Any], want: str, data: Any) -> None:
    metadata = {**header["__metadata__"], _SUM: ""}
    blank = {n: metadata if n == "__metadata__" else e for n, e in header.items()}
    total = zlib.crc32(memoryview(data), zlib.crc32(_dumps(blank)))
    if f"{total:08x}" != want:
        raise ValueError(f"its checksum is {total:08x} instead of {want!r:.20}")
