"""Fourier transforms: the array API's extension, NumPy's two-dimensional forms, SciPy's dct, dst.

All of them are linear; their derivatives are the transforms themselves and their adjoints.
"""

from lucid.ops.fft.complex_ import fft, fft2, fftn, ifft, ifft2, ifftn
from lucid.ops.fft.cosine import dct, dst, idct, idst
from lucid.ops.fft.frequencies import fftfreq, fftshift, ifftshift, rfftfreq
from lucid.ops.fft.real import hfft, ihfft, irfft, irfft2, irfftn, rfft, rfft2, rfftn

__all__ = [
    "dct",
    "dst",
    "fft",
    "fft2",
    "fftfreq",
    "fftn",
    "fftshift",
    "hfft",
    "idct",
    "idst",
    "ifft",
    "ifft2",
    "ifftn",
    "ifftshift",
    "ihfft",
    "irfft",
    "irfft2",
    "irfftn",
    "rfft",
    "rfft2",
    "rfftfreq",
    "rfftn",
]
