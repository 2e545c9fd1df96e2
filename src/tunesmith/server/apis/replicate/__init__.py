"""Replicate's API, under ``/v1``."""
