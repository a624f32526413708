"""Containers of modules and parameters."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator, Mapping
from operator import index
from typing import Any

from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor
from lucid.errors import IndexOutOfBoundsError, OperandError, message
from lucid.nn.captured import change
from lucid.nn.module import Module

__all__ = ["ModuleDict", "ModuleList", "ParameterDict", "ParameterList", "Sequential"]


class _Numbered(Module):
    """A list whose items are members named "0", "1", …, in the registry that it names."""

    _registry = "_modules"

    def _fill(self, items: Iterable[Any]) -> None:
        """Replace all items."""
        change(self, "items")
        self._items_of().clear()
        for k, item in enumerate(items):
            setattr(self, str(k), item)

    def _items_of(self) -> dict[str, Any]:
        return getattr(self, self._registry)

    def _name(self, k: Any) -> str:
        names = list(self._items_of())
        try:
            return names[index(k)]
        except IndexError:
            want = f"an index below {len(names)}"
            raise IndexOutOfBoundsError(message(type(self).__name__, want, str(k))) from None

    def __len__(self) -> int:
        return len(self._items_of())

    def __iter__(self) -> Iterator[Any]:
        return iter(self._items_of().values())

    def __contains__(self, item: object) -> bool:
        return any(item is x for x in self)

    def __getitem__(self, k: Any) -> Any:
        if isinstance(k, slice):
            return self._like(list(self)[k])
        return self._items_of()[self._name(k)]

    def __setitem__(self, k: int, item: Any) -> None:
        setattr(self, self._name(k), item)

    def __delitem__(self, k: int | slice) -> None:
        items = list(self)
        del items[k]
        self._fill(items)

    def _like(self, items: Iterable[Any]) -> Any:
        return type(self)(items)  # type: ignore[call-arg]

    def append(self, item: Any) -> Any:
        """Add an item at the end and return this container."""
        setattr(self, str(len(self)), item)
        return self

    def extend(self, items: Iterable[Any]) -> Any:
        """Add items at the end and return this container."""
        for item in items:
            self.append(item)
        return self

    def insert(self, k: int, item: Any) -> Any:
        """Add an item before item `k` and return this container."""
        items = list(self)
        items.insert(k, item)
        self._fill(items)
        return self

    def pop(self, k: int = -1) -> Any:
        """Remove an item and return it."""
        item = self[k]
        del self[k]
        return item


class Sequential(_Numbered):
    """Modules applied one after the other.

    Args:
        args: the modules, or one dict of them with their names.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> model = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 1))
        >>> model(lucid.ones((5, 3))).shape
        (5, 1)
        >>> model[:2]
        Sequential(
          (0): Linear(in_features=3, out_features=4, bias=True)
          (1): ReLU()
        )
    """

    def __init__(self, *args: Any) -> None:
        super().__init__()
        named = args[0] if len(args) == 1 and isinstance(args[0], Mapping) else None
        for name, module in (named or {str(k): m for k, m in enumerate(args)}).items():
            self.register_module(name, module)

    def _like(self, items: Iterable[Any]) -> Any:
        chosen = list(items)
        return type(self)({n: m for n, m in self._modules.items() if any(m is x for x in chosen)})

    def forward(self, input: Any) -> Any:
        """Apply the modules."""
        output = input
        for module in self._modules.values():
            output = module(output)
        return output


class ModuleList(_Numbered):
    """A list of modules, which are registered; it has no forward of its own.

    Args:
        modules: the first items.

    Example:
        >>> from lucid import nn
        >>> nn.ModuleList([nn.ReLU(), nn.Tanh()]).append(nn.Tanh())
        ModuleList(
          (0): ReLU()
          (1-2): 2 x Tanh()
        )
    """

    def __init__(self, modules: Iterable[Module] | None = None) -> None:
        super().__init__()
        self.extend(modules or ())

    def append(self, item: Any) -> Any:
        """Add an item at the end and return this container."""
        self.register_module(str(len(self)), item)
        return self

    def _shown(self) -> list[str]:
        lines = []
        for text, group in itertools.groupby(enumerate(map(repr, self)), lambda pair: pair[1]):
            places = [k for k, _ in group]
            first, last, count = places[0], places[-1], len(places)
            lines.append(
                f"({first}): {text}" if count == 1 else f"({first}-{last}): {count} x {text}"
            )
        return lines


class ModuleDict(Module):
    """A dict of modules, which are registered; it has no forward of its own.

    Args:
        modules: the first items.

    Example:
        >>> from lucid import nn
        >>> nn.ModuleDict({"act": nn.ReLU()})["act"]
        ReLU()
    """

    def __init__(self, modules: Mapping[str, Module] | None = None) -> None:
        super().__init__()
        self.update(modules or {})

    def update(self, modules: Mapping[str, Module]) -> None:
        """Add or replace items."""
        for name, module in modules.items():
            self[name] = module

    def __getitem__(self, name: str) -> Module:
        return self._modules[name]

    def __setitem__(self, name: str, module: Module) -> None:
        self.register_module(name, module)

    def __delitem__(self, name: str) -> None:
        change(self, name)
        del self._modules[name]

    def __len__(self) -> int:
        return len(self._modules)

    def __iter__(self) -> Iterator[str]:
        return iter(self._modules)

    def __contains__(self, name: object) -> bool:
        return name in self._modules

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._modules.keys()

    def values(self) -> Iterable[Module]:
        """Return the modules."""
        return self._modules.values()

    def items(self) -> Iterable[tuple[str, Module]]:
        """Return names and modules."""
        return self._modules.items()

    def pop(self, name: str) -> Module:
        """Remove an item and return it."""
        change(self, name)
        return self._modules.pop(name)

    def clear(self) -> None:
        """Remove all items."""
        change(self, "items")
        self._modules.clear()


class ParameterList(_Numbered):
    """A list of parameters, which are registered.

    Args:
        values: the first items; a Tensor or array among them is made a Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> weights = nn.ParameterList([lucid.ones(2), lucid.zeros(3)])
        >>> [p.shape for p in weights]
        [(2,), (3,)]
    """

    _registry = "_parameters"

    def __init__(self, values: Iterable[Any] | None = None) -> None:
        super().__init__()
        self.extend(values or ())

    def append(self, item: Any) -> Any:
        """Add an item at the end and return this container."""
        self.register_parameter(str(len(self)), _as_parameter("ParameterList", item))
        return self

    def __setitem__(self, k: int, item: Any) -> None:
        setattr(self, self._name(k), _as_parameter("ParameterList", item))

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return _show_parameters(self._parameters)


class ParameterDict(Module):
    """A dict of parameters, which are registered.

    Args:
        parameters: the first items; a Tensor or array among them is made a Parameter.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.ParameterDict({"w": lucid.ones(2)})["w"]
        Parameter([1., 1.], requires_grad=True)
    """

    def __init__(self, parameters: Mapping[str, Any] | None = None) -> None:
        super().__init__()
        self.update(parameters or {})

    def update(self, parameters: Mapping[str, Any]) -> None:
        """Add or replace items."""
        for name, value in parameters.items():
            self[name] = value

    def __getitem__(self, name: str) -> Any:
        return self._parameters[name]

    def __setitem__(self, name: str, value: Any) -> None:
        self.register_parameter(name, _as_parameter("ParameterDict", value))

    def __delitem__(self, name: str) -> None:
        change(self, name)
        del self._parameters[name]

    def __len__(self) -> int:
        return len(self._parameters)

    def __iter__(self) -> Iterator[str]:
        return iter(self._parameters)

    def __contains__(self, name: object) -> bool:
        return name in self._parameters

    def keys(self) -> Iterable[str]:
        """Return the names."""
        return self._parameters.keys()

    def values(self) -> Iterable[Any]:
        """Return the parameters."""
        return self._parameters.values()

    def items(self) -> Iterable[tuple[str, Any]]:
        """Return names and parameters."""
        return self._parameters.items()

    def pop(self, name: str) -> Any:
        """Remove an item and return it."""
        change(self, name)
        return self._parameters.pop(name)

    def clear(self) -> None:
        """Remove all items."""
        change(self, "items")
        self._parameters.clear()

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses."""
        return _show_parameters(self._parameters)


def _as_parameter(name: str, value: Any) -> Parameter:
    if isinstance(value, Module):
        raise OperandError(message(name, "parameters", f"a {type(value).__name__}"))
    return value if isinstance(value, Parameter) else Parameter(value)


def _show_parameters(parameters: Mapping[str, Tensor]) -> str:
    return "\n".join(
        f"({n}): {type(p).__name__} of {p.dtype} and shape {p.shape}" for n, p in parameters.items()
    )
