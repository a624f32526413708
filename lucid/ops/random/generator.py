"""Generator: a cell that holds a key and draws with parts of it."""

from __future__ import annotations

import threading
from typing import Any

import numpy as np

from lucid.core.cells import Place, capturing, own
from lucid.core.tensor import Tensor, wrap
from lucid.errors import ShapeError, message
from lucid.ops.random import continuous, discrete, gammas
from lucid.ops.random.keys import Key, key, split

__all__ = ["Generator", "default_generator", "seed"]


class Generator:
    """A source of random numbers with a state: a shell over the pure draws of `lucid.random`.

    Every draw splits the generator's key and uses one half. The methods are the functions of
    `lucid.random` without their first argument.

    Args:
        seed: an integer, or None for one from the operating system's entropy.

    Example:
        >>> import lucid
        >>> g = lucid.random.Generator(0)
        >>> g.normal((2,)).shape
        (2,)
    """

    def __init__(self, seed: int | None = None) -> None:
        own(self)
        self._lock = threading.Lock()
        self._key = key(seed)

    def next_key(self) -> Key:
        """Return a key of its own, for the functions of `lucid.random`."""
        watcher = capturing.get()
        if watcher is not None:
            place = self._place()
            kept, given = split(Key(watcher.read(place)))
            watcher.write(place, kept.data)
            return given
        with self._lock:
            self._key, given = split(self._key)
        return given

    def _place(self) -> Place:
        return Place(self, "key", lambda: self._key.data, self._put)

    def _put(self, words: Tensor) -> None:
        with self._lock:
            self._key = Key(words)

    def _set(self, words: Tensor) -> None:
        watcher = capturing.get()
        if watcher is None:
            self._put(words)
        else:
            watcher.write(self._place(), words)

    def seed(self, seed: int | None) -> None:
        """Start again from a seed."""
        self._set(key(seed).data)

    @property
    def state(self) -> Tensor:
        """The state, two 64-bit words, which can be saved and assigned."""
        watcher = capturing.get()
        return self._key.data if watcher is None else watcher.read(self._place())

    @state.setter
    def state(self, value: Any) -> None:
        words = np.array(value.numpy() if isinstance(value, Tensor) else value, np.uint64)
        if words.shape != (2,):
            got = f"shape {words.shape}"
            raise ShapeError(message("Generator.state", "two 64-bit words", got))
        self._set(wrap(words, None))

    def __getstate__(self) -> dict[str, Any]:
        return {"state": self.state}

    def __setstate__(self, saved: dict[str, Any]) -> None:
        self.__init__(0)
        self.state = saved["state"]

    def __getattr__(self, name: str) -> Any:
        function = _DRAWS.get(name)
        if function is None:
            raise AttributeError(f"Generator has no draw named {name!r}")

        def draw(*args: Any, **kwargs: Any) -> Any:
            return function(self.next_key(), *args, **kwargs)

        draw.__name__, draw.__doc__ = name, function.__doc__
        return draw

    def __dir__(self) -> list[str]:
        return [*super().__dir__(), *_DRAWS]


_DRAWS = {
    name: getattr(module, name)
    for module in (continuous, gammas, discrete)
    for name in module.__all__
}
default_generator = Generator()


def seed(seed: int | None) -> None:
    """Start the default generator from a seed.

    Args:
        seed: an integer, or None for one from the operating system's entropy.

    Example:
        >>> import lucid
        >>> lucid.random.seed(0)
    """
    default_generator.seed(seed)
