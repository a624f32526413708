"""Tensors, operations and dispatch: what every other floor stands on. Private."""
