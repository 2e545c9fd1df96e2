"""Stable Audio: prompt -> text states -> latents -> samples, on ONNX Runtime.

Stable Audio 3 small (music and sound effects), Stable Audio Open Small and Stable Audio Open 1.0.
"""
