"""Tunesmith: a text prompt in, background music out, on your own machine."""
