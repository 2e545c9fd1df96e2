"""Guided generation: the composer writes and renders the piece, and a neural model makes its sound anew.

The composition fixes tempo, key, length, form and hits; the model brings timbre and texture.
"""
