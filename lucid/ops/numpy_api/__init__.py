"""NumPy's own functions on Tensors: the protocols, and the table of what each function becomes."""
