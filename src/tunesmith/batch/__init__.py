"""Batch: generates a folder of audio from a table of requests, with a manifest of the progress."""
