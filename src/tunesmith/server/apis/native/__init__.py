"""Tunesmith's own API under /api."""
