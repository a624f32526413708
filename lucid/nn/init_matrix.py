"""Fill parameters with matrices that have a structure: orthogonal, the identity, sparse."""

from __future__ import annotations

from lucid.core.parameter import Parameter
from lucid.functional import init
from lucid.nn.fill import draw, fill
from lucid.ops.random.generator import Generator

__all__ = ["dirac_", "eye_", "orthogonal_", "sparse_"]


def eye_(tensor: Parameter) -> Parameter:
    """Fill a parameter with the identity matrix.

    Args:
        tensor: the parameter, a matrix.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it is no matrix.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.init.eye_(nn.Parameter(lucid.zeros((2, 2)))).data
        Tensor([[1., 0.],
                [0., 1.]])
    """
    return fill("eye_", tensor, init.eye, getattr(tensor, "shape", ()))


def dirac_(tensor: Parameter, groups: int = 1) -> Parameter:
    """Fill the kernel of a convolution so that it gives its input back.

    Args:
        tensor: the parameter, of shape (out, in / groups, ...) with one to three axes of a kernel.
        groups: of the convolution.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it does not have three to five axes.
        OptionError: if `groups` does not divide the outputs.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> nn.init.dirac_(nn.Parameter(lucid.zeros((1, 1, 3)))).data
        Tensor([[[0., 1., 0.]]])
    """
    return fill("dirac_", tensor, init.dirac, getattr(tensor, "shape", ()), groups)


def orthogonal_(
    tensor: Parameter, gain: float = 1.0, generator: Generator | None = None
) -> Parameter:
    """Fill a parameter with a matrix of orthonormal rows, or columns if there are more rows.

    Args:
        tensor: the parameter, of shape (out, in, ...); the axes after the first count as one.
        gain: a factor.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it has fewer than two axes.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.orthogonal_(nn.Parameter(lucid.zeros((2, 3))))
        >>> bool(abs(w.data @ w.data.mT - lucid.eye(2)).max() < 1e-12)
        True

    Source: Saxe, McClelland and Ganguli, "Exact solutions to the nonlinear dynamics of learning in
    deep linear neural networks", ICLR 2014.
    """
    return draw("orthogonal_", tensor, init.orthogonal, generator, gain)


def sparse_(
    tensor: Parameter, sparsity: float, std: float = 0.01, generator: Generator | None = None
) -> Parameter:
    """Fill a matrix with normally distributed numbers, and a share of each column with zeros.

    Args:
        tensor: the parameter, a matrix.
        sparsity: the share of zeros, between 0 and 1.
        std: the standard deviation of the rest.
        generator: what draws; by default the default generator.

    Returns:
        The parameter.

    Raises:
        OperandError: if it is no Parameter.
        ShapeError: if it is no matrix.

    Example:
        >>> import lucid
        >>> from lucid import nn
        >>> w = nn.init.sparse_(nn.Parameter(lucid.zeros((10, 3))), 0.3)
        >>> (w.data == 0).sum(0)
        Tensor([3, 3, 3])

    Source: Martens, "Deep learning via Hessian-free optimization", ICML 2010.
    """
    return draw("sparse_", tensor, init.sparse, generator, sparsity, std)
