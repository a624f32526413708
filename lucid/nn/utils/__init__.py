"""What works on parameters and on what goes into layers."""

from lucid.nn.utils import rnn

__all__ = ["rnn"]
