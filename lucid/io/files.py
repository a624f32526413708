"""save and load: pytrees in files, replaced as a whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
import time
from collections.abc import Generator, Iterable
from typing import Any, BinaryIO

from lucid.errors import OptionError, message
from lucid.io import npz, safetensors
from lucid.io.structure import corrupt, encode, records

try:
    import fcntl
except ImportError:  # on Windows
    fcntl = None

__all__ = ["load", "replacing", "save"]

_FRESH = 60.0  # seconds in which a new file need not be locked yet


def save(path: str | os.PathLike[str], tree: Any, *, checksum: bool = True) -> None:
    """Save a pytree in a file: the old file or the whole new one is there, whatever happens.

    The data are written to a file ``.<name>.<random>.tmp`` in the same folder, flushed to the disk,
    and that file then takes the name. A process that is killed can leave such a file behind, which
    a later save to the same path removes. Nothing is pickled.

    Args:
        path: where to; it ends in ``.safetensors``, which any reader of that format reads, or in
            ``.npz``, which `numpy.load` reads. A link is followed.
        tree: nested dicts, lists, tuples, named tuples and dataclasses of Tensors, arrays, numbers,
            strings, bytes and None, such as the state_dict of a Module or an optimiser. An array's
            name in the file is its path, joined by dots.
        checksum: whether a safetensors file gets a checksum. An npz file always has its own.

    Raises:
        OptionError: if `path` ends in anything else.
        OperandError: if `tree` holds anything else; for a Module, save its ``state_dict()``.
        DTypeError: if an array is not of numbers of at most 64 bits.
        OSError: if the file cannot be written.

    Example:
        >>> import pathlib, tempfile
        >>> import lucid
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "state.safetensors")
        ...     lucid.save(path, {"weight": lucid.asarray([1.0, 2.0]), "step": 3})
        ...     lucid.load(path)
        {'weight': Tensor([1., 2.]), 'step': 3}

    References:
        https://github.com/huggingface/safetensors; numpy.lib.format.
    """
    kind = _suffix("save", path)
    if kind == "npz" and not checksum:
        hint = "an npz file always has its checksums"
        raise OptionError(message("save", "checksum=True for .npz", "False", hint))
    document = encode(tree)
    with replacing(path) as file:
        if kind == "npz":
            npz.write(file, document)
        else:
            safetensors.write(file, document, checksum)


def load(
    path: str | os.PathLike[str],
    *,
    mmap: bool | None = None,
    verify: bool = True,
    types: Iterable[type] = (),
    limit: int | None = None,
) -> Any:
    """Load a pytree that `save` has written, or the tensors of any safetensors or npz file.

    Files are taken for untrusted: nothing in them is executed, and what does not fit together
    raises. bfloat16, which NumPy does not have, becomes float32 without loss; float16 stays.

    Args:
        path: the file; it ends in ``.safetensors`` or ``.npz``.
        mmap: map a safetensors file into memory, so that arrays are read-only and are read from
            the disk when they are looked at; None means True for safetensors. With False, arrays
            are writable and in memory. A mapped file must not be changed in place; `save` replaces
            it, which is safe.
        verify: whether the checksum of a safetensors file is compared, if it has one, which reads
            the whole file.
        types: named tuples and dataclasses, of which records of these names and fields are made;
            other records become named tuples of a class of their own.
        limit: bytes that the arrays of a compressed npz file may take; None means 1 GiB, or 100
            times the size of the file if that is more.

    Returns:
        The pytree: Tensors where Tensors were saved, arrays where arrays were. Files of other
        writers give a dict of Tensors.

    Raises:
        FileFormatError: if the file is truncated, corrupt, malicious or not of its format.
        OptionError: if an argument does not apply to this kind of file.
        OSError: if the file cannot be read.

    Example:
        >>> import pathlib, tempfile
        >>> import numpy as np
        >>> import lucid
        >>> with tempfile.TemporaryDirectory() as folder:
        ...     path = pathlib.Path(folder, "arrays.npz")
        ...     np.savez(path, x=np.arange(3))
        ...     lucid.load(path)
        {'x': Tensor([0, 1, 2])}

    References:
        https://github.com/huggingface/safetensors; numpy.lib.format.
    """
    kind, known = _suffix("load", path), records(types)
    name = os.fspath(path)
    given = (("mmap=True", mmap is True), ("verify=False", not verify))
    wrong = [what for what, x in given if x] if kind == "npz" else []
    wrong += ["limit"] if kind == "safetensors" and limit is not None else []
    if wrong:
        raise OptionError(message("load", f"options of a .{kind} file", ", ".join(wrong)))
    with open(name, "rb", opener=_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise corrupt(name, "it is no regular file")
        if kind == "npz":
            return npz.read(file, name, limit, known)
        return safetensors.read(file, name, mmap is not False, verify, known)


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; a pipe is not waited for."""
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _suffix(name: str, path: str | os.PathLike[str]) -> str:
    ending = os.path.splitext(os.fsdecode(path))[1].lower()
    if ending not in (".safetensors", ".npz"):
        want = "a path that ends in .safetensors or .npz"
        raise OptionError(message(name, want, repr(os.fsdecode(path))))
    return ending[1:]


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str]) -> Generator[BinaryIO]:
    """Open a new file that takes the place of `path` at the end of the block, if all went well."""
    target = os.path.realpath(os.fsdecode(path))
    folder, base = os.path.split(target)
    with contextlib.suppress(OSError):
        if not stat.S_ISREG(os.stat(target).st_mode):
            raise OptionError(message("save", "the path of a file", repr(os.fsdecode(path))))
    stem = f".{base[:100]}."
    _sweep(folder, stem)
    temporary = os.path.join(folder, f"{stem}{secrets.token_hex(8)}.tmp")
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
    handle = os.open(temporary, flags, 0o666)  # a new file has the permissions that others get
    try:
        with os.fdopen(handle, "wb") as file:
            _lock(handle)
            with contextlib.suppress(OSError):
                os.chmod(temporary, stat.S_IMODE(os.stat(target).st_mode))
            yield file
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    _sync_folder(folder)


def _lock(handle: int) -> bool:
    """Mark a file as being written, for as long as it is open; False if it is so already."""
    if fcntl is None:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        return False
    return True


def _sweep(folder: str, stem: str) -> None:
    """Remove what processes that were killed have left: files that nobody is writing any more."""
    with contextlib.suppress(OSError), os.scandir(folder or ".") as entries:
        for entry in entries:
            name = entry.name
            if not (name.startswith(stem) and name.endswith(".tmp")):
                continue
            if len(name) != len(stem) + 20 or time.time() - entry.stat().st_mtime < _FRESH:
                continue
            handle = os.open(entry.path, os.O_RDONLY)
            try:
                if _lock(handle):
                    os.unlink(entry.path)
            finally:
                os.close(handle)


def _sync_folder(folder: str) -> None:
    """Have the new name on the disk, where the system lets folders be flushed."""
    if not hasattr(os, "O_DIRECTORY"):
        return
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
