"""Fourier transforms, one story per file; `lucid.fft` is the public namespace."""
