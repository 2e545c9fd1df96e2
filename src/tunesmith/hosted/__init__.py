"""Hosted models, at Hugging Face and Replicate, as generators like any other."""
