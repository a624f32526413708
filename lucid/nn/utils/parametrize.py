"""Parameters that are functions of others: an attribute that is computed when it is read.

Example:
    >>> import lucid
    >>> from lucid import nn
    >>> class Symmetric(nn.Module):
    ...     def forward(self, x):
    ...         return x + x.mT
    >>> layer = nn.Linear(2, 2)
    >>> layer = nn.utils.parametrize.register_parametrization(layer, "weight", Symmetric())
    >>> bool((layer.weight == layer.weight.mT).all())
    True
    >>> sorted(name for name, _ in layer.named_parameters())
    ['bias', 'parametrizations.weight.original']
"""

from __future__ import annotations

import functools
from typing import Any, TypeVar

from lucid.core.parameter import Parameter
from lucid.core.tensor import Tensor
from lucid.errors import MissingAttributeError, ShapeError, message
from lucid.nn.containers import ModuleDict, ModuleList
from lucid.nn.module import Module

__all__ = [
    "ParametrizationList",
    "is_parametrized",
    "register_parametrization",
    "remove_parametrizations",
]

M = TypeVar("M", bound=Module)


class ParametrizationList(ModuleList):
    """The functions that make one attribute, first to last, and the parameters they begin with.

    Args:
        modules: the functions, of which the first decides what to begin with.
        original: the value that there is before.

    Attributes:
        original: the parameter that the first function takes; original0, original1 and so on if
            its `right_inverse` gives several.

    Example:
        >>> from lucid import nn
        >>> parts = nn.utils.parametrize.ParametrizationList([nn.ReLU()], nn.Parameter([-1.0, 2.0]))
        >>> parts().detach()
        Tensor([0., 2.])
    """

    def __init__(self, modules: list[Module], original: Tensor) -> None:
        super().__init__(modules)
        inverse = getattr(modules[0], "right_inverse", lambda value: value)
        start, grad = inverse(original), getattr(original, "requires_grad", True)
        self.count = len(start) if isinstance(start, tuple | list) else 0
        for k, value in enumerate(start if self.count else (start,)):
            kept: Any = original if value is original else Parameter(value, requires_grad=grad)
            self.register_parameter(f"original{k if self.count else ''}", kept)

    def originals(self) -> list[Any]:
        """Return the parameters that the first function takes."""
        return [getattr(self, n) for n in self._parameters]

    def forward(self) -> Tensor:
        """Compute the attribute."""
        first, *rest = self
        value = first(*self.originals())
        for module in rest:
            value = module(value)
        return value


@functools.cache
def _parametrized(kind: type[Module], name: str) -> type[Module]:
    """Return a subclass of a class of modules in which an attribute is computed."""

    def read(self: Any) -> Tensor:
        return self.parametrizations[name]()

    title = kind.__name__ if hasattr(kind, "unparametrized") else f"Parametrized{kind.__name__}"
    return type(title, (kind,), {name: property(read), "unparametrized": kind})


def register_parametrization(module: M, tensor_name: str, parametrization: Module) -> M:
    """Let a parameter of a module be computed by another module.

    Args:
        module: the module.
        tensor_name: the name of the parameter.
        parametrization: called with the parameter. Its method `right_inverse`, if it has one,
            tells what to begin with; if that is several arrays, it is called with all of them.

    Returns:
        The module.

    Raises:
        MissingAttributeError: if there is no such parameter.
        ShapeError: if what is computed has another shape.

    Example:
        >>> from lucid import nn
        >>> layer = nn.Linear(2, 2)
        >>> layer = nn.utils.parametrize.register_parametrization(layer, "bias", nn.Tanh())
        >>> bool(abs(layer.bias).max() < 1)
        True
    """
    kind = type(module).__name__
    if is_parametrized(module, tensor_name):
        parts: Any = module.parametrizations[tensor_name]
        _check(kind, tensor_name, parts(), parametrization(parts()))
        parts.append(parametrization)
        return module
    found = module._parameters.get(tensor_name)
    if found is None:
        want = "the name of a parameter"
        raise MissingAttributeError(message(kind, want, repr(tensor_name)))
    parts = ParametrizationList([parametrization], found)
    _check(kind, tensor_name, found, parts())
    if "parametrizations" not in module._modules:
        module.parametrizations = ModuleDict()
    del module._parameters[tensor_name]
    module.parametrizations[tensor_name] = parts
    module.__class__ = _parametrized(type(module), tensor_name)  # type: ignore[assignment]
    return module


def _check(kind: str, name: str, before: Tensor, after: Tensor) -> None:
    if before.shape != after.shape:
        want = f"a parametrization that keeps shape {before.shape}"
        raise ShapeError(message(f"{kind}.{name}", want, f"shape {after.shape}"))


def is_parametrized(module: Module, tensor_name: str | None = None) -> bool:
    """Return whether an attribute of a module is computed, or any at all.

    Args:
        module: the module.
        tensor_name: the name of the attribute; None for any.

    Returns:
        Whether it is.

    Example:
        >>> from lucid import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> nn.utils.parametrize.is_parametrized(layer, "bias")
        False
    """
    found = module._modules.get("parametrizations")
    return bool(found) and (tensor_name is None or tensor_name in found)  # type: ignore[operator]


def remove_parametrizations(module: M, tensor_name: str, leave_parametrized: bool = True) -> M:
    """Make a computed attribute of a module a parameter again.

    Args:
        module: the module.
        tensor_name: the name of the attribute.
        leave_parametrized: whether it keeps its present value; if not, that which it had begun
            with, where it was one array.

    Returns:
        The module.

    Raises:
        MissingAttributeError: if it is not computed.

    Example:
        >>> from lucid import nn
        >>> layer = nn.utils.parametrizations.weight_norm(nn.Linear(2, 2))
        >>> nn.utils.parametrize.remove_parametrizations(layer, "weight")
        Linear(in_features=2, out_features=2, bias=True)
    """
    if not is_parametrized(module, tensor_name):
        want = "the name of a parametrized attribute"
        raise MissingAttributeError(message(type(module).__name__, want, repr(tensor_name)))
    parts: Any = module.parametrizations[tensor_name]
    original, value = parts.originals()[0], parts().detach()
    keep = not leave_parametrized and not parts.count
    del module.parametrizations[tensor_name]
    names = list(module.parametrizations)
    kind: Any = type(module)
    while hasattr(kind, "unparametrized"):
        kind = kind.unparametrized
    if not names:
        del module.parametrizations
    for name in names:
        kind = _parametrized(kind, name)
    module.__class__ = kind
    grad = original.requires_grad
    module.register_parameter(
        tensor_name, original if keep else Parameter(value, requires_grad=grad)
    )
    return module
