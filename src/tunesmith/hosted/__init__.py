"""Generators for models hosted by Hugging Face and Replicate."""
