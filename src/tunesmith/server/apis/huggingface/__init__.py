"""The Hugging Face Inference API."""
