"""Files: round trips, other writers and readers, what is broken on purpose, and being killed."""

from __future__ import annotations

import collections
import dataclasses
import fcntl
import io
import itertools
import json
import os
import random
import signal
import stat
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
import safetensors
import safetensors.numpy
import safetensors.torch
import torch

import lucid
from lucid import errors, nn, optim
from lucid.data import DataLoader
from lucid.io import files

ROOT = Path(__file__).parents[1]
SUFFIXES = (".safetensors", ".npz")
DTYPES = ["?", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8", "c8", "c16"]


class Point(NamedTuple):
    x: Any
    y: Any


@dataclasses.dataclass
class Config:
    width: int
    weights: Any


def forest() -> Any:
    """A pytree with everything that can be saved."""
    rng = np.random.default_rng(0)
    arrays = {d: (rng.normal(size=(3, 4)) * 9).astype(d) for d in DTYPES}
    return {
        "arrays": arrays,
        "tensors": [lucid.asarray(a) for a in arrays.values()],
        "scalars": (1, -(2**70), 1.5, -0.0, 1e-320, 2 + 3j, True, None, "tëxt\ud800\0", b"\0\xff"),
        "strange": [float("nan"), float("inf"), -float("inf"), complex("nan-infj")],
        "numpy": [np.float32(1.5), np.int8(-3), np.complex64(1j), np.bool_(True)],
        "shapes": [np.zeros((0, 3)), np.array(5), np.arange(6.0).reshape(2, 3).T, np.ones(3)[::-1]],
        "big-endian": np.arange(3, dtype=">i4"),
        "point": Point(np.ones(2), [Point(1, 2)]),
        "empty": [{}, [], ()],
        3: "integer key",
        (1, "a", None): "tuple key",
        None: 0,
        True: 0,
        2.5: 0,
        "a.b": np.ones(1),
        "a": {"b": np.zeros(1)},
        "__metadata__": np.ones(2),
    }


def same(a: Any, b: Any) -> bool:
    """Whether two pytrees have equal containers, types and bits."""
    if isinstance(a, tuple) and hasattr(a, "_fields"):
        return type(a).__name__ == type(b).__name__ and same(a._asdict(), b._asdict())
    if type(a) is not type(b):
        return False
    if isinstance(a, dict):
        return list(a) == list(b) and all(same(v, b[k]) for k, v in a.items())
    if isinstance(a, list | tuple):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, lucid.Tensor):
        return same(a.numpy(), b.numpy())
    if isinstance(a, np.ndarray | np.generic):
        little = a.dtype.newbyteorder("=")
        return (
            little == b.dtype and a.shape == b.shape and a.astype(little).tobytes() == b.tobytes()
        )
    return repr(a) == repr(b)


# -- round trips -----------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("mapped", [None, False])
def test_round_trip(tmp_path: Path, suffix: str, mapped: bool | None) -> None:
    path = tmp_path / f"x{suffix}"
    want = forest()
    lucid.save(path, want)
    got = lucid.load(path, mmap=mapped)
    assert same(want, got)
    array = got["arrays"]["f8"]
    assert array.flags.writeable == (mapped is False or suffix == ".npz")
    assert type(got["point"]) is type(got["point"].y[0])
    assert type(lucid.load(path, types=[Point])["point"]) is Point
    first = path.read_bytes()
    lucid.save(path, got)
    assert path.read_bytes() == first  # equal contents are equal files
    assert [p.name for p in tmp_path.iterdir()] == [path.name]


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.parametrize("value", [None, 3, "x", np.ones(2), [], {}])
def test_roots_of_any_kind(tmp_path: Path, suffix: str, value: Any) -> None:
    lucid.save(tmp_path / f"x{suffix}", value)
    assert same(value, lucid.load(tmp_path / f"x{suffix}"))


def test_records(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    lucid.save(path, Config(3, lucid.ones(2)))
    plain = lucid.load(path)
    assert (type(plain).__name__, plain.width, plain.weights.tolist()) == ("Config", 3, [1.0, 1.0])
    assert isinstance(lucid.load(path, types=[Config]), Config)
    other = collections.namedtuple("Config", "width")  # other fields: not this record
    assert not isinstance(lucid.load(path, types=[other]), other)
    with pytest.raises(errors.OperandError, match="types that are named tuples or dataclasses"):
        lucid.load(path, types=[int])


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_training_state(tmp_path: Path, suffix: str) -> None:
    """Model, optimiser and loader resume from one file."""

    def make() -> Any:
        model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3), nn.Linear(3, 1))
        rows = np.random.default_rng(0).normal(size=(16, 3))
        loader = DataLoader(rows, 4, shuffle=True, generator=1)
        return model, optim.Adam(model.parameters(), lr=0.1), loader

    def train(model: Any, optimizer: Any, rows: Any) -> None:
        optimizer.zero_grad()
        loss = ((model(rows[:, :2]) - rows[:, 2:]) ** 2).mean()
        loss.backward()
        optimizer.step()

    lucid.random.seed(0)
    model, optimizer, loader = make()
    iterator = iter(loader)
    train(model, optimizer, next(iterator))
    state = [x.state_dict() for x in (model, optimizer, loader)]
    lucid.save(tmp_path / f"x{suffix}", state)
    for rows in iterator:
        train(model, optimizer, rows)
    other = make()
    for part, saved in zip(other, lucid.load(tmp_path / f"x{suffix}"), strict=True):
        part.load_state_dict(saved)
    for rows in other[2]:
        train(other[0], other[1], rows)
    assert same(model.state_dict(), other[0].state_dict())
    assert same(optimizer.state_dict(), other[1].state_dict())


def test_mapped_arrays_share_the_file(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    lucid.save(path, {"x": np.arange(1000.0), "y": np.ones(3, np.int8)})
    got = lucid.load(path)["x"]
    assert not got.flags.owndata
    assert got.ctypes.data % 64 == 0
    with pytest.raises(ValueError, match="read-only"):
        got[0] = 1
    lucid.save(path, {"x": np.zeros(1)})  # the old file lives as long as it is mapped
    assert got[999] == 999
    assert float(lucid.asarray(got).sum()) == 499500


# -- other writers and readers ---------------------------------------------------------------------


def test_safetensors_reads_ours(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    arrays = {d: forest()["arrays"][d] for d in DTYPES if d[0] != "c"}
    lucid.save(
        path, {"": np.ones(1), **arrays, "nested": {"a": [lucid.ones(2)]}, "e": np.ones((0, 2))}
    )
    got = safetensors.numpy.load_file(path)
    assert sorted(got) == sorted([*arrays, "value", "nested.a.0", "e"])
    assert all(same(arrays[d], got[d]) for d in arrays)
    assert got["e"].shape == (0, 2)
    lucid.save(path, forest())
    safetensors.numpy.load_file(path)


@pytest.mark.parametrize("mapped", [None, False])
def test_we_read_safetensors(tmp_path: Path, mapped: bool | None) -> None:
    path = tmp_path / "x.safetensors"
    arrays = {d: forest()["arrays"][d] for d in DTYPES if d[0] != "c"}
    safetensors.numpy.save_file(
        {**arrays, "e": np.ones((0, 2)), "s": np.array(2.0)}, path, {"a": "b"}
    )
    got = lucid.load(path, mmap=mapped)
    assert all(isinstance(x, lucid.Tensor) for x in got.values())
    assert all(same(arrays[d], got[d].numpy()) for d in arrays)
    x = torch.randn(3, 5)
    tensors = {"b": x.bfloat16(), "c": torch.randn(2, dtype=torch.complex64), "h": x.half()}
    safetensors.torch.save_file(tensors, path)
    got = lucid.load(path, mmap=mapped)
    assert [got[n].dtype.name for n in "bch"] == ["float32", "complex64", "float16"]
    assert np.array_equal(got["b"].numpy(), x.bfloat16().float().numpy())
    assert np.array_equal(got["c"].numpy(), tensors["c"].numpy())
    safetensors.torch.save_file({"x": x.to(torch.float8_e4m3fn)}, path)
    with pytest.raises(errors.FileFormatError, match="dtype 'F8_E4M3', which is none of BOOL, U8"):
        lucid.load(path)


def test_misaligned_tensors(tmp_path: Path) -> None:
    header = {
        "a": {"dtype": "U8", "shape": [1], "data_offsets": [0, 1]},
        "b": {"dtype": "F64", "shape": [2], "data_offsets": [1, 17]},
    }
    path = tmp_path / "x.safetensors"
    path.write_bytes(pack(header, b"\7" + np.array([1.5, 2.5]).tobytes()))
    got = lucid.load(path)["b"].numpy()
    assert got.flags.aligned
    assert got.tolist() == [1.5, 2.5]


def models() -> tuple[Any, Any]:
    """Equally built models of lucid and PyTorch."""

    def make(lib: Any) -> Any:
        return lib.Sequential(
            lib.Conv2d(2, 4, 3), lib.BatchNorm2d(4), lib.Flatten(), lib.Linear(64, 3)
        )

    return make(nn), make(torch.nn)


def test_state_dicts_of_pytorch(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    with lucid.set_default_dtype(lucid.float32):
        ours, theirs = models()
    x = torch.randn(5, 2, 6, 6)
    theirs(x)  # moves the running statistics
    theirs.eval()
    ours.eval()
    safetensors.torch.save_file(theirs.state_dict(), path)
    ours.load_state_dict(lucid.load(path))
    want = theirs(x).detach().numpy()
    np.testing.assert_allclose(ours(lucid.asarray(x.numpy())).detach().numpy(), want, atol=1e-5)
    lucid.save(path, ours.state_dict())
    _, fresh = models()
    fresh.eval()
    fresh.load_state_dict(safetensors.torch.load_file(path))
    np.testing.assert_array_equal(fresh(x).detach().numpy(), want)


def test_npz_both_ways(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    lucid.save(path, {"a": np.arange(3), "b": {"c": lucid.ones((2, 2))}})
    with np.load(path, allow_pickle=False) as got:
        assert got["a"].tolist() == [0, 1, 2]
        assert got["b.c"].shape == (2, 2)
    fortran = np.asfortranarray(np.arange(6.0).reshape(2, 3))
    for writer in (np.savez, np.savez_compressed):
        writer(path, x=fortran, y=np.arange(3, dtype=">i2"), z=np.zeros((0, 2)), b=np.array(True))
        found = lucid.load(path)
        assert found["x"].tolist() == fortran.tolist()
        assert found["y"].dtype == np.dtype("=i2")
        assert found["y"].tolist() == [0, 1, 2]
        assert found["z"].shape == (0, 2)
        assert found["b"].item() is True


# -- what cannot be saved, and options -------------------------------------------------------------


@pytest.mark.parametrize(
    ("value", "error", "text"),
    [
        ({"a": [object()]}, errors.OperandError, "strings and None, got object at a.0"),
        (
            nn.Linear(1, 1),
            errors.OperandError,
            r"Linear at the value itself; save its state_dict\(\)",
        ),
        ({1j: 0}, errors.OperandError, "tuples of them, got complex"),
        ({"a": np.array(["x"])}, errors.DTypeError, "at most 64 bits each, got <U1 at a"),
        (np.array([None]), errors.DTypeError, "got object at"),
        (np.longdouble(1), errors.DTypeError, "got float128"),
        (np.ma.masked_array([1.0], [True]), errors.DTypeError, "a masked array"),
        (10**5000, errors.OperandError, "numbers that JSON can hold"),
    ],
    ids=itertools.count(),
)
def test_what_cannot_be_saved(tmp_path: Path, value: Any, error: Any, text: str) -> None:
    for suffix in SUFFIXES:
        with pytest.raises(error, match=text):
            lucid.save(tmp_path / f"x{suffix}", value)
    assert not list(tmp_path.iterdir())


def test_containers_of_themselves(tmp_path: Path) -> None:
    loop: list[Any] = []
    loop.append(loop)
    with pytest.raises(errors.OperandError, match="at most 100 nested containers"):
        lucid.save(tmp_path / "x.npz", loop)
    with pytest.raises(errors.LucidError, match="stop_gradient"):
        lucid.grad(lambda x: (lucid.save(tmp_path / "x.npz", x), x)[1])(1.0)


def test_options(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    lucid.save(path, 1)
    for options in ({"mmap": True}, {"verify": False}):
        with pytest.raises(errors.OptionError, match=r"options of a .npz file"):
            lucid.load(path, **options)
    with pytest.raises(errors.OptionError, match=r"checksum=True for .npz"):
        lucid.save(path, 1, checksum=False)
    with pytest.raises(errors.OptionError, match=r"ends in .safetensors or .npz, got 'x.pkl'"):
        lucid.save("x.pkl", 1)
    with pytest.raises(errors.OptionError, match=r"ends in .safetensors or .npz"):
        lucid.load("x")
    with pytest.raises(FileNotFoundError):
        lucid.load(tmp_path / "none.npz")
    with pytest.raises(FileNotFoundError):
        lucid.save(tmp_path / "none" / "x.npz", 1)
    (tmp_path / "d.npz").mkdir()
    with pytest.raises(OSError, match=r"d.npz"):
        lucid.load(tmp_path / "d.npz")
    with pytest.raises(errors.OptionError, match="the path of a file"):
        lucid.save(tmp_path / "d.npz", 1)
    os.mkfifo(tmp_path / "pipe.npz")
    with pytest.raises(errors.FileFormatError, match="it is no regular file"):
        lucid.load(tmp_path / "pipe.npz")


def test_checksums(tmp_path: Path) -> None:
    path = tmp_path / "x.safetensors"
    lucid.save(path, np.zeros(100))
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    with pytest.raises(errors.FileFormatError, match=r"its checksum is .* instead of '"):
        lucid.load(path)
    assert lucid.load(path, verify=False).shape == (100,)
    lucid.save(path, np.zeros(100), checksum=False)
    raw = bytearray(path.read_bytes())
    raw[-1] ^= 1
    path.write_bytes(raw)
    assert lucid.load(path)[-1] != 0


# -- being replaced --------------------------------------------------------------------------------


def test_a_failure_leaves_the_old_file(tmp_path: Path, monkeypatch: Any) -> None:
    path = tmp_path / "x.npz"
    lucid.save(path, 1)
    os.chmod(path, 0o640)
    link = tmp_path / "link.npz"
    link.symlink_to(path)
    lucid.save(link, 2)
    assert link.is_symlink()
    assert lucid.load(path) == 2
    assert stat.S_IMODE(path.stat().st_mode) == 0o640

    def fail(*_: Any) -> None:
        raise OSError("no space left")

    for name in ("fsync", "replace"):
        with monkeypatch.context() as patch:
            patch.setattr(files.os, name, fail)
            with pytest.raises(OSError, match="no space left"):
                lucid.save(path, 3)
        assert lucid.load(path) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == ["link.npz", "x.npz"]


def test_what_the_killed_have_left_is_removed(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    names = [f".x.npz.{k:016x}.tmp" for k in range(3)] + [".y.npz.0000000000000000.tmp", ".x.tmp"]
    for name in names:
        (tmp_path / name).touch()
    old = time.time() - 3600
    for name in names[1:]:
        os.utime(tmp_path / name, (old, old))
    with open(tmp_path / names[2], "rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)  # somebody is writing it
        lucid.save(path, 1)
    left = {p.name for p in tmp_path.iterdir()}
    assert left == {"x.npz", *names} - {names[1]}


SAVER = """
import sys
import numpy as np
import lucid

for k in range(10**6):
    lucid.save(sys.argv[1], {"k": k, "x": np.full(200_000, k, np.int64)})
    if k == 0:
        print("ready", flush=True)
"""


@pytest.mark.parametrize("suffix", SUFFIXES)
def test_killed_while_saving(tmp_path: Path, suffix: str) -> None:
    """The file is whole after every kill, and one of the last that were saved."""
    path = tmp_path / f"x{suffix}"
    rng = random.Random(0)
    for _ in range(3):
        with subprocess.Popen(
            [sys.executable, "-c", SAVER, str(path)], stdout=subprocess.PIPE, cwd=ROOT
        ) as saver:
            assert saver.stdout is not None
            saver.stdout.readline()
            time.sleep(rng.uniform(0.0, 0.15))
            saver.send_signal(signal.SIGKILL)
        got = lucid.load(path)
        assert np.all(got["x"] == got["k"])


# -- broken on purpose -----------------------------------------------------------------------------


def pack(header: Any, data: bytes = b"", length: int | None = None) -> bytes:
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return (len(text) if length is None else length).to_bytes(8, "little") + text + data


def one(dtype: Any = "F32", shape: Any = (1,), offsets: Any = (0, 4), **more: Any) -> Any:
    return {"x": {"dtype": dtype, "shape": shape, "data_offsets": offsets, **more}}


def made(tree: Any, **changes: Any) -> bytes:
    """A file of lucid with this structure."""
    content = {"version": 1, "complex": [], "tree": tree, **changes}
    metadata = {"lucid.tree": json.dumps(content), "lucid.crc32": ""}
    return pack({"__metadata__": metadata, **one()}, b"1234")


BROKEN: list[tuple[str, bytes, str]] = [
    ("empty", b"", "0 bytes, too few"),
    ("short", b"\0" * 9, "9 bytes, too few"),
    ("huge header", pack(b"{}", length=2**63), "said to have 9223372036854775808 bytes"),
    ("long header", pack(b"{}", length=3), "said to have 3 bytes, of 10"),
    ("no object", pack([]), "no JSON object"),
    ("no JSON", pack(b"{x"), "cannot be read"),
    ("no text", pack(b'{"\xff": 1}'), "cannot be read"),
    ("not a number", pack(b'{"x": NaN}'), "NaN is no JSON"),
    ("deep", pack(b'{"x":' + b"[" * 200_000 + b"]" * 200_000 + b"}"), "nested too deeply"),
    ("long integer", pack(b'{"x": ' + b"1" * 5000 + b"}"), "cannot be read"),
    ("twice", pack(b'{"x": {}, "x": {}}'), "the key 'x' stands in it twice"),
    ("no entry", pack({"x": 1}), "no dtype, shape"),
    ("more", pack(one(more=1), b"1234"), "or more than these"),
    ("dtype", pack(one("F33"), b"1234"), "dtype 'F33', which is none of"),
    ("dtype object", pack(one(["F32"]), b"1234"), "which is none of"),
    ("negative", pack(one(shape=[-1]), b"1234"), r"has shape \[-1\]"),
    ("boolean", pack(one(shape=[True]), b"1234"), "has shape"),
    ("fraction", pack(one(shape=[1.0]), b"1234"), "has shape"),
    ("65 axes", pack(one(shape=[1] * 65), b"1234"), "has shape"),
    ("too small", pack(one(shape=[2]), b"1234"), r"shape \(2,\) and dtype F32 has 4 bytes"),
    ("overflow", pack(one(shape=[2**62, 4]), b"1234"), "has 4 bytes"),
    ("zero times", pack(one(shape=[0, 2**62, 2**62], offsets=[0, 0])), "has shape"),
    ("backwards", pack(one(offsets=[4, 0]), b"1234"), "data_offsets"),
    ("three", pack(one(offsets=[0, 4, 4]), b"1234"), "data_offsets"),
    ("negative offset", pack(one(offsets=[-4, 0]), b"1234"), "data_offsets"),
    ("out of range", pack(one(offsets=[4, 8]), b"1234"), "leaves a gap"),
    ("beyond", pack(one(), b"123"), "3 bytes of data instead of 4"),
    ("more data", pack(one(), b"12345"), "5 bytes of data instead of 4"),
    ("overlap", pack({**one(), "y": one()["x"]}, b"1234"), "overlaps"),
    ("bool", pack(one("BOOL", [1], [0, 1]), b"\2"), "neither 0 nor 1"),
    ("metadata", pack({"__metadata__": {"a": 1}}), "metadata are no texts"),
    ("half", pack({"__metadata__": {"lucid.tree": "{}"}}), "one is missing"),
    ("tree", pack({"__metadata__": {"lucid.tree": "{", "lucid.crc32": ""}}), "Expecting property"),
    ("list", pack({"__metadata__": {"lucid.tree": "[]", "lucid.crc32": ""}}), "what is complex"),
    ("version", made(1, version=2), "version 2 of its structure is unknown"),
    ("no array", made({"tensor": "y"}), "no array 'y'"),
    ("no name", made({"tensor": 3}), "instead of a string"),
    ("unknown", made({"pickle": "x"}), "its structure holds 'pickle'"),
    ("two", made({"tensor": "x", "array": "x"}), "its structure holds"),
    ("void", made({}), "its structure holds {}"),
    ("no scalar", made({"scalar": "x"}), "'x' is no scalar"),
    ("no bytes", made({"bytes": "x"}), "'x' are no bytes"),
    ("no pair", made({"dict": [[1]]}), "a dict without keys and values"),
    ("key twice", made({"dict": [[1, 1], [1, 2]]}), "the key 1 stands in it twice"),
    ("bad key", made({"dict": [[[], 1]]}), "the key"),
    ("bad float", made({"float": "__import__('os')"}), "its structure holds 'float'"),
    ("bad complex", made({"complex": ["1", "x"]}), "could not convert"),
    ("bad record", made({"record": "a;b", "fields": []}), "no name of a record"),
    ("bad field", made({"record": "a", "fields": [["__class__", 1]]}), "begins with an underscore"),
    ("keyword", made({"record": "a", "fields": [["def", 1]]}), "no name of a record"),
    ("field twice", made({"record": "a", "fields": [["b", 1], ["b", 1]]}), "twice"),
    ("complex", made({"array": "x"}, complex=["x"]), "no pairs"),
    ("complex names", made({"array": "x"}, complex=[1]), "what is complex"),
]


@pytest.mark.parametrize(("content", "text"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_broken_safetensors(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "x.safetensors"
    path.write_bytes(content)
    for mapped in (True, False):
        with pytest.raises(errors.FileFormatError, match=text) as info:
            lucid.load(path, mmap=mapped)
        assert str(info.value).startswith("load: expected a whole and well-formed file, got '")
        assert isinstance(info.value, ValueError)


def test_deep_structure(tmp_path: Path) -> None:
    node: Any = 1
    for _ in range(150):
        node = {"tuple": [node]}
    (tmp_path / "x.safetensors").write_bytes(made(node))
    with pytest.raises(errors.FileFormatError, match="nested too deeply"):
        lucid.load(tmp_path / "x.safetensors")


def npy(text: str, data: bytes = b"", magic: bytes = b"\x93NUMPY\1\0") -> bytes:
    return magic + len(text).to_bytes(2, "little") + text.encode() + data


def shown(descr: Any = "<f4", order: Any = False, shape: Any = (1,)) -> str:
    return repr({"descr": descr, "fortran_order": order, "shape": shape})


def archive(**members: bytes) -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as z:
        for name, content in members.items():
            z.writestr(f"{name}.npy", content)
    return out.getvalue()


class Loud:
    """Would show that it was unpickled."""

    def __reduce__(self) -> Any:
        return (os.mkdir, ("/tmp/should-never-exist",))


def pickled() -> bytes:
    out = io.BytesIO()
    np.savez(out, x=np.array([Loud()], dtype=object))
    return out.getvalue()


NPZ: list[tuple[str, bytes, str]] = [
    ("empty", b"", "not a zip file"),
    ("no zip", b"PK\3\4" + b"\0" * 100, "not a zip file"),
    ("nothing", archive(), "it holds nothing"),
    ("cut", archive(x=npy(shown(), b"1234"))[:-30], "not a zip file"),
    ("pickle", pickled(), "holds '|O' instead of numbers"),
    ("structured", archive(x=npy(shown([("a", "<f4")]), b"1234")), "instead of numbers"),
    ("subarray", archive(x=npy(shown("(9999999,)f8"))), "instead of numbers"),
    ("magic", archive(x=npy(shown(), b"1234", b"\x93NUMPX\1\0")), "does not begin as"),
    ("code", archive(x=npy("__import__('os').abort()")), "malformed node"),
    ("deep", archive(x=npy("(" * 9000 + ")" * 9000)), "x.npz"),
    ("huge shape", archive(x=npy(shown(shape=(2**50,)), b"1234")), "has 4 bytes"),
    ("negative", archive(x=npy(shown(shape=(-1,)), b"1234")), "has shape"),
    ("zero times", archive(x=npy(shown(shape=(0, 2**62, 2**62)))), "has shape"),
    ("overlong", archive(x=npy(shown(), b"12345")), "has 5 bytes"),
    ("header", archive(x=npy("{}" + " " * 20_000)), "a header of 20002 bytes"),
    ("fields", archive(x=npy("{'descr': '<f4'}")), "has no dtype, order and shape"),
]


@pytest.mark.parametrize(("content", "text"), [b[1:] for b in NPZ], ids=[b[0] for b in NPZ])
@pytest.mark.filterwarnings("ignore:invalid escape")
def test_broken_npz(tmp_path: Path, content: bytes, text: str) -> None:
    path = tmp_path / "x.npz"
    path.write_bytes(content)
    with pytest.raises(errors.FileFormatError, match=text):
        lucid.load(path)
    assert not os.path.exists("/tmp/should-never-exist")


def test_bombs_and_tricks(tmp_path: Path) -> None:
    path = tmp_path / "x.npz"
    np.savez_compressed(path, x=np.zeros(10**6))
    assert path.stat().st_size < 10_000
    with pytest.raises(errors.FileFormatError, match="expand to 8000128 bytes, more than 1000000"):
        lucid.load(path, limit=10**6)
    assert lucid.load(path)["x"].shape == (10**6,)
    # entries that are said to be huge, or to share their bytes
    raw = path.read_bytes()
    place = raw.rindex(b"PK\1\2")
    for offset, text in ((24, "expand to|zip64|x.npz"), (20, "have .* bytes, of|x.npz")):
        changed = bytearray(raw)
        changed[place + offset : place + offset + 4] = (2**32 - 2).to_bytes(4, "little")
        path.write_bytes(changed)
        with pytest.raises(errors.FileFormatError, match=text):
            lucid.load(path)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("../../evil.npy", npy(shown(), b"1234"))
        z.writestr("/tmp/evil.npy", npy(shown(), b"1234"))
    assert sorted(lucid.load(path)) == ["../../evil", "/tmp/evil"]  # names, and nothing more
    assert [p.name for p in tmp_path.iterdir()] == ["x.npz"]
    with zipfile.ZipFile(path, "w", zipfile.ZIP_LZMA) as z:
        z.writestr("x.npy", npy(shown(), b"1234"))
    with pytest.raises(errors.FileFormatError, match="compressed by method 14"):
        lucid.load(path)
    with zipfile.ZipFile(path, "w") as z:
        z.writestr("readme.txt", "hello")
    with pytest.raises(errors.FileFormatError, match=r"'readme.txt', which is no .npy file"):
        lucid.load(path)


def mutations(content: bytes, seed: int) -> Any:
    """Yield damaged copies without end."""
    rng = random.Random(seed)
    tokens = [b"\0", b"\xff" * 8, b"{", b"}", b'"', b"[", b"-1", b"1e9", b"PK\1\2", b"0" * 400]
    for _ in itertools.count():
        raw = bytearray(content)
        for _ in range(rng.choice((1, 1, 1, 2, 5))):
            at = rng.randrange(len(raw))
            if rng.random() < 0.5:  # the interesting parts: heads and tails
                at = rng.choice((at % 600, -1 - at % min(400, len(raw)))) % len(raw)
            kind = rng.randrange(7)
            if kind == 0:
                raw[at] ^= 1 << rng.randrange(8)
            elif kind == 1:
                raw[at] = rng.randrange(256)
            elif kind == 2:
                del raw[at : at + rng.choice((1, 1, 8, 1000))]
            elif kind == 3:
                raw[at:at] = rng.choice(tokens)
            elif kind == 4:
                raw[at : at + 1] = b"%d" % rng.randrange(10)
            elif kind == 5:
                size = rng.choice((1, 4, 8))
                raw[at : at + size] = rng.getrandbits(8 * size).to_bytes(size, "little")
            else:
                other = rng.randrange(len(raw))
                raw[at : at + 8], raw[other : other + 8] = raw[other : other + 8], raw[at : at + 8]
            if not raw:
                raw = bytearray(b"\0")
        yield bytes(raw)


def small() -> Any:
    return {
        "w": lucid.asarray(np.arange(6, dtype=np.float32).reshape(2, 3)),
        "v": np.arange(4),
        "step": 3,
        "rest": [1.5, "text", (None, True), Point(1, np.int8(2)), 1j, np.array([1j])],
    }


@pytest.mark.parametrize("suffix", SUFFIXES)
@pytest.mark.filterwarnings("ignore:invalid escape", "ignore:Duplicate name")
def test_fuzz(tmp_path: Path, suffix: str) -> None:
    fuzz(tmp_path / f"x{suffix}", 300, 0)


def fuzz(path: Path, count: int, seed: int) -> None:
    """A damaged file gives a clear error, or what was saved."""
    suffix = path.suffix
    want = small()
    lucid.save(path, want)
    refused = 0
    for raw in itertools.islice(mutations(path.read_bytes(), seed), count):
        path.write_bytes(raw)
        try:
            got = lucid.load(path, mmap=False if suffix == ".npz" else None)
        except errors.FileFormatError:
            refused += 1
        else:
            assert same(want, got), raw
    assert refused > count / 2


def test_io_is_imported_when_used() -> None:
    code = "import lucid, sys; assert 'lucid.io' not in sys.modules; lucid.save; lucid.load"
    subprocess.run([sys.executable, "-c", code], check=True, cwd=ROOT)
