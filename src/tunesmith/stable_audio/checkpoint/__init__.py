"""Stable Audio's published files: configurations, weights and tokenizers in every layout, under one set of names."""
