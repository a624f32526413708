"""Transformations of functions: interpreters over operations, and what is derived from them."""
