"""Hooks: functions that a module calls before and after its forward, and when gradients pass it."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any, NamedTuple

from lucid import tree
from lucid.core.tensor import Tensor
from lucid.errors import OperandError, message
from lucid.transforms.custom import custom_vjp

__all__ = ["Hooks", "RemovableHandle", "call_hooked"]

_next_id = itertools.count().__next__


class _Hook(NamedTuple):
    kind: str  # "forward_pre", "forward", "full_backward_pre" or "full_backward"
    function: Callable[..., Any]
    with_kwargs: bool


class RemovableHandle:
    """What takes a hook away again: by `remove`, or at the end of a ``with`` block."""

    def __init__(self, module: Any, number: int) -> None:
        self.module, self.id = module, number

    def remove(self) -> None:
        """Take the hook away."""
        kept = {k: h for k, h in self.module._hooks.items() if k != self.id}
        self.module._hooks = kept

    def __enter__(self) -> RemovableHandle:
        return self

    def __exit__(self, *exception: object) -> None:
        self.remove()


class Hooks:
    """The part of `Module` that registers hooks. Those of one kind are called in their order."""

    _hooks: dict[int, _Hook] = {}  # noqa: RUF012 - never changed, but replaced by an own one

    def _register(self, hook: _Hook, prepend: bool) -> RemovableHandle:
        if not callable(hook.function):
            name = f"{type(self).__name__}.register_{hook.kind}_hook"
            raise OperandError(message(name, "a function", repr(hook.function)))
        number = _next_id()
        own = {number: hook}
        self._hooks = {**own, **self._hooks} if prepend else {**self._hooks, **own}
        return RemovableHandle(self, number)

    def register_forward_pre_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args)`` before `forward`.

        Args:
            hook: may return other positional arguments: a tuple, or the only one; with keyword
                arguments, it is called with ``(module, args, kwargs)`` and may return both.
            prepend: whether it comes before those that are registered already.
            with_kwargs: whether it takes keyword arguments too.

        Returns:
            A handle to remove it.
        """
        return self._register(_Hook("forward_pre", hook, with_kwargs), prepend)

    def register_forward_hook(
        self, hook: Callable[..., Any], *, prepend: bool = False, with_kwargs: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, args, output)`` after `forward`.

        Args:
            hook: may return another output; with keyword arguments, it is called with
                ``(module, args, kwargs, output)``.
            prepend: whether it comes before those that are registered already.
            with_kwargs: whether it takes keyword arguments too.

        Returns:
            A handle to remove it.
        """
        return self._register(_Hook("forward", hook, with_kwargs), prepend)

    def register_full_backward_pre_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_output)`` when the gradients of the outputs are known.

        Args:
            hook: may return other gradients, a tuple with one per output.
            prepend: whether it comes before those that are registered already.

        Returns:
            A handle to remove it.
        """
        return self._register(_Hook("full_backward_pre", hook, False), prepend)

    def register_full_backward_hook(
        self, hook: Callable[..., Any], prepend: bool = False
    ) -> RemovableHandle:
        """Call ``hook(module, grad_input, grad_output)`` when gradients have passed the module.

        Gradients are tuples, with one for each floating Tensor among the positional arguments and
        the outputs. They exist in reverse mode alone.

        Args:
            hook: may return other gradients of the inputs.
            prepend: whether it comes before those that are registered already.

        Returns:
            A handle to remove it.
        """
        return self._register(_Hook("full_backward", hook, False), prepend)


def call_hooked(module: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    """Call a module's forward with its hooks around it."""
    hooks = {kind: [h for h in module._hooks.values() if h.kind == kind] for kind in _KINDS}
    for hook in hooks["forward_pre"]:
        args, kwargs = _before(hook, module, args, kwargs)
    passed = None
    if hooks["full_backward"] or hooks["full_backward_pre"]:
        passed = _Passage(module, hooks)
        args = passed.enter(args)
    output = module.forward(*args, **kwargs)
    for hook in hooks["forward"]:
        given = (module, args, kwargs, output) if hook.with_kwargs else (module, args, output)
        changed = hook.function(*given)
        output = output if changed is None else changed
    return output if passed is None else passed.leave(output)


_KINDS = ("forward_pre", "forward", "full_backward_pre", "full_backward")


def _before(hook: _Hook, module: Any, args: Any, kwargs: Any) -> tuple[Any, Any]:
    if hook.with_kwargs:
        changed = hook.function(module, args, kwargs)
        if changed is not None and (not isinstance(changed, tuple) or len(changed) != 2):
            name = f"{type(module).__name__}.register_forward_pre_hook"
            raise OperandError(message(name, "a hook that returns (args, kwargs)", repr(changed)))
        return (args, kwargs) if changed is None else changed
    changed = hook.function(module, args)
    if changed is None:
        return args, kwargs
    return (changed if isinstance(changed, tuple) else (changed,)), kwargs


class _Passage:
    """One call of a module, as the gradients see it that pass it on their way back."""

    def __init__(self, module: Any, hooks: dict[str, list[_Hook]]) -> None:
        self.module, self.hooks = module, hooks
        self.outputs: tuple[Any, ...] = ()
        self.inputs = 0  # how many of them there are

    def enter(self, args: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return the arguments, through which gradients call the hooks."""
        watched, self.inputs = _through(args, self._finish)
        return watched

    def leave(self, output: Any) -> Any:
        """Return the output, through which gradients call the first hooks."""
        return _through(output, self._begin)[0]

    def _begin(self, cts: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks["full_backward_pre"]:
            changed = hook.function(self.module, cts)
            cts = cts if changed is None else _tuple(changed)
        self.outputs = cts
        if not self.inputs:
            self._finish(())
        return cts

    def _finish(self, cts: tuple[Any, ...]) -> tuple[Any, ...]:
        for hook in self.hooks["full_backward"]:
            changed = hook.function(self.module, cts, self.outputs)
            cts = cts if changed is None else _tuple(changed)
        return cts


def _tuple(value: Any) -> tuple[Any, ...]:
    return tuple(value) if isinstance(value, tuple | list) else (value,)


def _through(value: Any, back: Callable[..., Any]) -> tuple[Any, int]:
    """Return a value whose watched Tensors have cotangents that pass a function; their number."""
    leaves, structure = tree.flatten(value)
    chosen = [k for k, x in enumerate(leaves) if isinstance(x, Tensor) and x._note is not None]
    if not chosen:
        return value, 0
    same = custom_vjp(lambda *x: x)
    same.defvjp(lambda *x: (x, None), lambda _, cts: back(tuple(cts)))
    for k, x in zip(chosen, same(*(leaves[k] for k in chosen)), strict=True):
        leaves[k] = x
    return tree.unflatten(structure, leaves), len(chosen)
