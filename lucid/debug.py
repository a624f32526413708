"""Looking at what lucid does."""

from __future__ import annotations

from typing import Any

from lucid.errors import OperandError, message
from lucid.graph.jit import Jitted

__all__ = ["explain_retrace"]


def explain_retrace(fun: Any) -> str:
    """Return why the last capture of a jitted function was made, in one sentence.

    Args:
        fun: what `lucid.jit` returned.

    Returns:
        In what the call differed from the nearest of those before: an argument's shape, dtype or
        structure, a static argument, an attribute of a module, a parameter's state, the default
        dtype.

    Raises:
        OperandError: if it is no jitted function.

    Example:
        >>> import lucid
        >>> f = lucid.jit(lambda x: x * 2, executor="numpy")
        >>> _ = f(lucid.ones(3)), f(lucid.ones(4))
        >>> lucid.debug.explain_retrace(f)
        'argument 0 was float64[3], and is float64[4] now'
    """
    jitted = getattr(fun, "func", fun)  # a bound method is a partial
    if not isinstance(jitted, Jitted):
        got = f"a {type(fun).__name__}"
        raise OperandError(message("explain_retrace", "a jitted function", got))
    return jitted.reason
