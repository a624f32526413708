"""Linear algebra, one story per file; `lucid.linalg` is the public namespace."""
