"""Graphs and their capture on PyTorch, for GPUs; only this package imports it."""
