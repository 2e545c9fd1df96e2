"""Performed by a model: the composer writes the piece, a neural model plays its notes, and the drums stay its own.

Form, length and grid are the composition's. How well a model plays the notes is measured, not promised.
"""
