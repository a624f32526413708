"""Captured graphs and their executors. Private."""
