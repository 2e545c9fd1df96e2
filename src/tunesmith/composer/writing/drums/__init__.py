"""Drums and percussion: grooves, variation and fills."""
