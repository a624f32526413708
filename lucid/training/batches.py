"""Batches: what of them the model is given, and how a loader is read, resumed and counted."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np

from lucid import tree
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, StateDictError, message

__all__ = ["Source", "batch_size", "parts", "predict", "tensors"]


def parts(name: str, batch: Any) -> tuple[Any, Any]:
    """Return the inputs and the target of a batch: the target is its last entry."""
    if not isinstance(batch, tuple | list) or len(batch) < 2:
        got = f"a {type(batch).__name__}"
        if isinstance(batch, tuple | list):
            got += f" of {len(batch)}"
        elif isinstance(batch, Tensor | np.ndarray):
            got = f"an array of shape {batch.shape}"
        hint = "lucid.data.DataLoader(TensorDataset(x, y), batch_size=...) yields such batches"
        raise OperandError(message(name, "batches (inputs, target)", got, hint))
    *inputs, target = batch
    return (inputs[0] if len(inputs) == 1 else tuple(inputs)), target


def predict(model: Any, inputs: Any) -> Any:
    """Call a model: with a tuple as its arguments, with a dict as those by name."""
    if isinstance(inputs, tuple | list):
        return model(*inputs)
    if isinstance(inputs, Mapping):
        return model(**inputs)
    return model(inputs)


def tensors(batch: Any) -> Any:
    """Return a batch with Tensors for its arrays."""
    return tree.map(lambda x: Tensor(x) if isinstance(x, np.ndarray) else x, batch)


def batch_size(name: str, inputs: Any, target: Any) -> int:
    """Return how many samples a batch holds: the length of its first array with an axis."""
    for leaf in tree.leaves((target, inputs)):
        shape = getattr(leaf, "shape", ())
        if shape:
            return int(shape[0])
    hint = "let the loader yield batches, also of one sample"
    raise OperandError(message(name, "a batch of arrays with a first axis", "none", hint))


class Source:
    """A loader, and where it is: one that tells its state, or a sequence, resumes in an epoch."""

    def __init__(self, name: str, loader: Any, what: str) -> None:
        want = f"{what} that can be iterated anew every epoch"
        if not isinstance(loader, Iterable):
            raise OperandError(message(name, want, f"a {type(loader).__name__}"))
        if isinstance(loader, Iterator):
            hint = "pass a lucid.data.DataLoader, or a list of batches"
            got = f"a {type(loader).__name__}, which ends"
            raise OperandError(message(name, want, got, hint))
        self.name, self.what = name, what
        self.loader: Any = loader
        self.stateful = hasattr(loader, "state_dict") and hasattr(loader, "load_state_dict")
        self.resumable = self.stateful or isinstance(loader, Sequence)

    def begin(self, done: int) -> Iterator[Any]:
        """Iterate over what is left of an epoch of which `done` batches have been given."""
        batches = iter(self.loader)
        if done and not self.stateful:
            skipped = sum(1 for _ in islice(batches, done))
            if skipped < done:
                want = f"an epoch of at least {done} batches"
                raise StateDictError(message(self.name, want, f"{skipped} batches"))
        return (parts(self.name, batch) for batch in batches)

    def state_dict(self) -> Any:
        """Return the loader's state, or None if it has none."""
        return self.loader.state_dict() if self.stateful else None

    def load_state_dict(self, state: Any, done: int) -> None:
        """Go where a loader was, `done` batches into an epoch."""
        if self.stateful and state is not None:
            self.loader.load_state_dict(state)
        elif done and (self.stateful or not self.resumable):
            got = f"a {type(self.loader).__name__}"
            want = (
                "a loader with state_dict and load_state_dict, to go on in the middle of an epoch"
            )
            raise StateDictError(message(self.name, want, got, "use lucid.data.DataLoader"))
