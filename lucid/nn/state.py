"""The state of a Module by name: saving it, loading it, and calling a Module with another one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from lucid.core.parameter import Parameter, untaped
from lucid.core.tensor import Tensor
from lucid.errors import StateDictError, message
from lucid.nn.captured import write_buffer
from lucid.nn.layout import take_apart

__all__ = ["LoadResult", "functional_call", "load", "slots"]


class LoadResult(NamedTuple):
    """What `Module.load_state_dict` found to differ, both empty where `strict`."""

    missing_keys: list[str]
    unexpected_keys: list[str]


def slots(module: Any) -> dict[str, tuple[Any, str, Tensor]]:
    """Return by path where each parameter and persistent buffer stands, and what it is."""
    found: dict[str, tuple[Any, str, Tensor]] = {}
    for path, owner in module.named_modules(remove_duplicate=False):
        kept = {n: b for n, b in owner._buffers.items() if n not in owner._transient}
        for name, value in (*owner._parameters.items(), *kept.items()):
            if value is not None:
                found[f"{path}.{name}" if path else name] = (owner, name, value)
    return found


def load(module: Any, state_dict: Mapping[str, Any], strict: bool) -> LoadResult:
    """Do what `Module.load_state_dict` says."""
    own = slots(module)
    given = {name: Tensor(state_dict[name]) for name in own if name in state_dict}
    result = LoadResult(
        [name for name in own if name not in given],
        [name for name in state_dict if name not in own],
    )
    problems = [
        f"{name} has shape {given[name].shape} instead of {value.shape}"
        for name, (_, _, value) in own.items()
        if name in given and given[name].shape != value.shape
    ]
    if strict:
        problems += [f"{name} is missing" for name in result.missing_keys]
        problems += [f"{name} is unexpected" for name in result.unexpected_keys]
    if problems:
        want = f"the state of this {type(module).__name__}"
        hint = "" if strict else "strict=False skips names, not shapes"
        raise StateDictError(message("load_state_dict", want, ", ".join(problems), hint))
    for name, new in given.items():
        owner, slot, old = own[name]
        new = untaped(new if new.dtype == old.dtype else new.astype(old.dtype))
        if isinstance(old, Parameter):
            old.data = new
        else:
            write_buffer(owner, slot, new)
    return result


def functional_call(
    module: Any,
    parameter_and_buffer_dicts: Mapping[str, Any] | tuple[Mapping[str, Any], ...],
    args: Any = (),
    kwargs: Mapping[str, Any] | None = None,
    *,
    strict: bool = False,
) -> Any:
    """Call a module with other parameters and buffers, leaving its own as they are.

    Args:
        module: the module.
        parameter_and_buffer_dicts: values by path, as in `Module.named_parameters`; or a tuple of
            such dicts. A parameter that stands in several places can be named by any of them.
        args: the positional arguments, or the only one.
        kwargs: the keyword arguments.
        strict: whether every parameter and buffer must be given.

    Returns:
        What the module returns.

    Raises:
        StateDictError: if a name is unknown, given twice, or missing when `strict`.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> layer = nn.Linear(2, 1)
        >>> zero = {"weight": lucid.zeros((1, 2)), "bias": lucid.zeros(1)}
        >>> nn.functional_call(layer, zero, lucid.ones((1, 2)))
        Tensor([[0.]])
    """
    given: dict[str, Any] = {}
    many = parameter_and_buffer_dicts
    for part in many if isinstance(many, tuple) else (many,):
        for name in part:
            if name in given:
                raise StateDictError(message("functional_call", "each name once", repr(name)))
        given.update(part)
    leaves, layout = take_apart(module)
    index = layout.index()
    unknown = [name for name in given if name not in index]
    if unknown:
        want = f"names of this {type(module).__name__}: {', '.join(index)}"
        raise StateDictError(message("functional_call", want, ", ".join(unknown)))
    missing = set(range(len(leaves))) - {index[name] for name in given}
    if strict and missing:
        got = "none for " + ", ".join(layout.names[k] for k in sorted(missing))
        raise StateDictError(message("functional_call", "all parameters and buffers", got))
    for name, value in given.items():
        leaves[index[name]] = value if isinstance(value, Tensor) else Tensor(value)
    bound = layout.build(leaves, constants=False)
    return bound(*(args if isinstance(args, tuple) else (args,)), **(kwargs or {}))
