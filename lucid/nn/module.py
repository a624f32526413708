"""Module: a tree of named parameters, buffers and modules, and a function over them.

A Module is a thin stateful shell: its `forward` calls the pure functions of `lucid.functional`.
It is also a pytree (see `lucid.nn.layout`), so that every transformation takes it as an argument.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, TypeVar

import numpy as np

from lucid import tree
from lucid.core.cells import capturing, own
from lucid.core.methods import ArrayLike
from lucid.core.parameter import Parameter, untaped
from lucid.core.tensor import Tensor, wrap
from lucid.errors import (
    DTypeError,
    MissingAttributeError,
    OperandError,
    UnsupportedError,
    message,
)
from lucid.nn.captured import change, keeps, member, write_buffer
from lucid.nn.hooks import Hooks, call_hooked
from lucid.nn.layout import Tree, check_hidden
from lucid.nn.parameter import convert
from lucid.nn.state import LoadResult, load, slots

__all__ = ["Module", "show"]

M = TypeVar("M", bound="Module")


class Module(Hooks, Tree):
    """Base class of layers and models.

    A subclass calls ``super().__init__()``, assigns its parameters and modules as attributes, and
    defines `forward`. Parameters and modules register themselves when assigned; buffers by
    `register_buffer`.

    As a pytree its leaves are its parameters and buffers in registration order (a parameter that
    stands in several places is one leaf); everything else is static. So ``lucid.grad(loss)(model)``
    is a Module of the same structure that holds gradients. Buffers and frozen parameters are
    constants to every derivative: their gradient is zero.

    Attributes:
        training: whether layers that differ between training and evaluation train.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> class Model(nn.Module):
        ...     def __init__(self):
        ...         super().__init__()
        ...         self.linear = nn.Linear(2, 1)
        ...
        ...     def forward(self, x):
        ...         return self.linear(x)
        >>> model = Model()
        >>> model(lucid.asarray([[1.0, 2.0]])).shape
        (1, 1)
        >>> model
        Model(
          (linear): Linear(in_features=2, out_features=1, bias=True)
        )
    """

    training: bool

    def __init__(self) -> None:
        own(self)
        state = self.__dict__
        state["_parameters"] = {}
        state["_buffers"] = {}
        state["_modules"] = {}
        state["_frozen"] = frozenset()
        state["_transient"] = frozenset()
        state["training"] = True

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output; every subclass defines it."""
        name = type(self).__name__
        hint = "define forward(self, ...) in the class"
        raise UnsupportedError(message(name, "a Module with a forward method", "none", hint))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        """Compute the output, with the hooks around it."""
        return call_hooked(self, args, kwargs) if self._hooks else self.forward(*args, **kwargs)

    # -- attributes ------------------------------------------------------------------------------

    def __getattr__(self, name: str) -> Any:
        state = self.__dict__
        for registry in ("_parameters", "_modules", "_buffers"):
            found = state.get(registry)
            if found is not None and name in found:
                watcher = capturing.get()
                return found[name] if watcher is None else member(self, registry, name, watcher)
        kind = type(self).__name__
        if "_modules" not in state and not (name.startswith("__") and name.endswith("__")):
            raise _uninitialised(self, name)
        raise MissingAttributeError(f"{kind!r} object has no attribute {name!r}")

    def __setattr__(self, name: str, value: Any) -> None:
        state = self.__dict__
        if isinstance(value, Parameter):
            self._place("_parameters", name, value)
        elif isinstance(value, Module):
            self._place("_modules", name, value)
        elif name in state.get("_parameters", ()):
            hint = f"write {name}.data = value, or assign an nn.Parameter"
            self._replace("_parameters", name, value, (), "a Parameter or None", hint)
        elif name in state.get("_buffers", ()):
            kept = untaped(value) if isinstance(value, Tensor) else value
            hint = "convert it with lucid.asarray"
            self._replace("_buffers", name, kept, (Tensor,), "a Tensor or None", hint)
        elif name in state.get("_modules", ()):
            self._replace("_modules", name, value, (), "a Module or None", "")
        elif not keeps(self, name, value):
            change(self, name)
            object.__setattr__(self, name, value)

    def __delattr__(self, name: str) -> None:
        change(self, name)
        for registry in ("_parameters", "_buffers", "_modules"):
            if name in self.__dict__.get(registry, ()):
                del self.__dict__[registry][name]
                return
        object.__delattr__(self, name)

    def __dir__(self) -> list[str]:
        return sorted({*super().__dir__(), *self._parameters, *self._buffers, *self._modules})

    def _place(self, registry: str, name: str, value: Any) -> None:
        """Put a value in a registry, taking the name away from whatever had it."""
        state = self.__dict__
        if registry not in state:
            raise _uninitialised(self, name)
        change(self, name)
        for other in ("_parameters", "_buffers", "_modules"):
            if other != registry:
                state[other].pop(name, None)
        state.pop(name, None)
        state[registry][name] = value

    def _replace(
        self, registry: str, name: str, value: Any, kinds: Any, expected: str, hint: str
    ) -> None:
        if value is not None and not isinstance(value, kinds):
            got = f"a {type(value).__name__}"
            raise OperandError(message(f"{type(self).__name__}.{name}", expected, got, hint))
        if registry == "_buffers":
            write_buffer(self, name, value)
        else:
            change(self, name)
            self.__dict__[registry][name] = value

    def register_parameter(self, name: str, param: Parameter | None) -> None:
        """Add a parameter under a name; None keeps the place without a parameter."""
        self._check_new("register_parameter", name, param, Parameter)
        self._place("_parameters", name, param)

    def register_buffer(self, name: str, tensor: ArrayLike | None, persistent: bool = True) -> None:
        """Add a Tensor that is part of the state but not trained.

        Args:
            name: the attribute under which it is found, and replaced by assignment.
            tensor: its first value, or None.
            persistent: whether `state_dict` contains it.
        """
        value = None if tensor is None else untaped(Tensor(tensor))
        self._check_new("register_buffer", name, value, Tensor)
        self._place("_buffers", name, value)
        transient = self._transient - {name}
        self.__dict__["_transient"] = transient if persistent else transient | {name}

    def register_module(self, name: str, module: Module | None) -> None:
        """Add a module under a name; None keeps the place."""
        self._check_new("register_module", name, module, Module)
        self._place("_modules", name, module)

    add_module = register_module

    def _check_new(self, method: str, name: str, value: Any, kind: type) -> None:
        what = f"{type(self).__name__}.{method}"
        if "_modules" not in self.__dict__:
            raise _uninitialised(self, method)
        if not isinstance(name, str) or not name or "." in name:
            raise OperandError(message(what, "a name without dots", repr(name)))
        registries = (self._parameters, self._buffers, self._modules)
        if hasattr(self, name) and not any(name in r for r in registries):
            raise OperandError(message(what, "a new name", f"the existing attribute {name!r}"))
        if value is not None and not isinstance(value, kind):
            got = f"a {type(value).__name__}"
            raise OperandError(message(what, f"a {kind.__name__} or None", got))

    # -- what it contains ------------------------------------------------------------------------

    def named_modules(
        self, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Module]]:
        """Yield this module and all below it, with their paths."""
        seen: set[int] = set()

        def walk(module: Module, path: str) -> Iterator[tuple[str, Module]]:
            if remove_duplicate and id(module) in seen:
                return
            seen.add(id(module))
            yield path, module
            for name, child in module._modules.items():
                if child is not None:
                    yield from walk(child, f"{path}.{name}" if path else name)

        return walk(self, prefix)

    def modules(self) -> Iterator[Module]:
        """Yield this module and all below it."""
        return (module for _, module in self.named_modules())

    def named_children(self) -> Iterator[tuple[str, Module]]:
        """Yield the modules directly below this one, with their names."""
        return ((n, m) for n, m in self._modules.items() if m is not None)

    def children(self) -> Iterator[Module]:
        """Yield the modules directly below this one."""
        return (module for _, module in self.named_children())

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Parameter]]:
        """Yield the parameters with their paths, each once.

        Raises:
            OperandError: if a list, tuple or dict among the attributes holds modules or parameters
                that are not registered, and would be left out.
        """
        return self._members("_parameters", prefix, recurse, remove_duplicate)

    def parameters(self, recurse: bool = True) -> Iterator[Parameter]:
        """Yield the parameters, each once."""
        return (p for _, p in self.named_parameters(recurse=recurse))

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """Yield the buffers with their paths."""
        return self._members("_buffers", prefix, recurse, remove_duplicate)

    def buffers(self, recurse: bool = True) -> Iterator[Tensor]:
        """Yield the buffers."""
        return (b for _, b in self.named_buffers(recurse=recurse))

    def _members(
        self, registry: str, prefix: str, recurse: bool, once: bool
    ) -> Iterator[tuple[str, Any]]:
        owners = list(self.named_modules(prefix, once)) if recurse else [(prefix, self)]
        if recurse:
            known = {id(m) for _, m in owners}
            known.update(id(p) for _, m in owners for p in m._parameters.values())
            for _, module in owners:
                check_hidden(module, known)
        seen: set[int] = set()
        for path, module in owners:
            for name, value in getattr(module, registry).items():
                if value is None or (once and id(value) in seen):
                    continue
                seen.add(id(value))
                yield (f"{path}.{name}" if path else name), value

    def get_submodule(self, target: str) -> Module:
        """Return the module at a path such as ``"encoder.layers.0"``."""
        found: Any = self
        for name in target.split(".") if target else ():
            found = found._modules.get(name)
            if found is None:
                kind = type(self).__name__
                got = f"{name!r} in {target!r}"
                raise MissingAttributeError(message(kind, "the path of a submodule", got))
        return found

    def get_parameter(self, target: str) -> Parameter:
        """Return the parameter at a path."""
        return self._get("_parameters", target)

    def get_buffer(self, target: str) -> Tensor:
        """Return the buffer at a path."""
        return self._get("_buffers", target)

    def _get(self, registry: str, target: str) -> Any:
        path, _, name = target.rpartition(".")
        found = getattr(self.get_submodule(path), registry).get(name)
        if found is None:
            what = registry.strip("_")[:-1]
            kind = type(self).__name__
            raise MissingAttributeError(message(kind, f"the path of a {what}", repr(target)))
        return found

    def count_parameters(self, trainable_only: bool = False) -> int:
        """Return how many numbers the parameters hold, those in several places counted once."""
        chosen = [p for p in self.parameters() if p.requires_grad or not trainable_only]
        return sum(p.size for p in chosen)

    # -- modes and conversions -------------------------------------------------------------------

    def apply(self: M, fn: Callable[[Module], Any]) -> M:
        """Call a function on every module below, then on this one, and return this one."""
        for child in self.children():
            child.apply(fn)
        fn(self)
        return self

    def train(self: M, mode: bool = True) -> M:
        """Set `training` here and in every module below, and return this module."""
        if not isinstance(mode, bool):
            raise OperandError(message("train", "mode True or False", repr(mode)))
        for module in self.modules():
            module.training = mode
        return self

    def eval(self: M) -> M:
        """Leave training mode: ``train(False)``."""
        return self.train(False)

    def requires_grad_(self: M, requires_grad: bool = True) -> M:
        """Freeze all parameters, or release them, and return this module."""
        for p in self.parameters():
            if isinstance(p, Parameter):
                p.requires_grad = requires_grad
        return self

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Forget the gradients of all parameters, or set them to zero."""
        for p in self.parameters():
            if isinstance(p, Parameter):
                if set_to_none:
                    p.grad = None
                elif p.grad is not None:
                    p.grad = wrap(np.zeros(p.shape, p.dtype), None)

    def to(self: M, dtype: Any = None, *, device: str | None = None) -> M:
        """Convert the floating and complex parameters, gradients and buffers, in place.

        Args:
            dtype: a floating dtype, to which complex numbers follow with their precision; or a
                complex one. Also a Tensor, for its dtype, or the device.
            device: only "cpu" exists.

        Returns:
            This module.
        """
        if isinstance(dtype, str) and dtype.split(":")[0] in ("cpu", "cuda", "mps", "meta"):
            dtype, device = None, dtype
        if device not in (None, "cpu"):
            raise OperandError(message("Module.to", 'device "cpu"', repr(device)))
        if dtype is None:
            return self
        change(self, "dtype")
        want = dtype.dtype if isinstance(dtype, Tensor) else np.dtype(dtype)
        if want.kind not in "fc":
            raise DTypeError(message("Module.to", "a floating or complex dtype", str(want)))
        converted: dict[int, Any] = {}
        for module in self.modules():
            for registry in (module._parameters, module._buffers):
                for name, value in registry.items():
                    if id(value) not in converted:
                        converted[id(value)] = convert(value, want)
                    registry[name] = converted[id(value)]
        return self

    def detach(self: M) -> M:
        """Return a copy that holds plain Tensors: what the pure functions of `lucid.optim` take.

        The ambient tape does not watch it, so that a loop of `lucid.grad` and `apply_updates` over
        it costs no more than over a dict of arrays.
        """
        return tree.map(lambda leaf: leaf.detach(), self)

    def float(self: M) -> M:
        """Convert to float32."""
        return self.to(np.float32)

    def double(self: M) -> M:
        """Convert to float64."""
        return self.to(np.float64)

    # -- state -----------------------------------------------------------------------------------

    def state_dict(self, prefix: str = "") -> dict[str, Tensor]:
        """Return the values of parameters and persistent buffers by path."""
        return {f"{prefix}{name}": value.detach() for name, (_, _, value) in slots(self).items()}

    def load_state_dict(
        self, state_dict: Mapping[str, ArrayLike], strict: bool = True
    ) -> LoadResult:
        """Take over values by path; nothing is changed if one of them does not fit.

        Args:
            state_dict: what `state_dict` returned, or arrays under such names. They are converted
                to the dtypes in place.
            strict: whether missing and unexpected names are errors.

        Returns:
            The missing and the unexpected names.

        Raises:
            StateDictError: if names (when strict) or shapes differ; it lists all of them.
        """
        return load(self, state_dict, strict)

    # -- showing ---------------------------------------------------------------------------------

    def extra_repr(self) -> str:
        """Return what `repr` shows between the parentheses; subclasses override it."""
        return ""

    def __repr__(self) -> str:
        if "_modules" not in self.__dict__:
            return f"<{type(self).__name__} without super().__init__()>"
        lines = [line.replace("\n", "\n  ") for line in self._shown()]
        return show(type(self).__name__, self.extra_repr(), lines)

    def _shown(self) -> list[str]:
        """Return how `repr` shows the modules below."""
        return [f"({name}): {module!r}" for name, module in self._modules.items()]


def show(name: str, extra: str, children: list[str]) -> str:
    """Return the repr of a module: on one line where it has no children."""
    if not children and "\n" not in extra:
        return f"{name}({extra})"
    lines = [*(extra.split("\n") if extra else ()), *children]
    return f"{name}(\n  " + "\n  ".join(lines) + "\n)"


def _uninitialised(module: Module, name: str) -> MissingAttributeError:
    kind = type(module).__name__
    hint = f"call super().__init__() first in {kind}.__init__"
    return MissingAttributeError(message(f"{kind}.{name}", "an initialised Module", "none", hint))
