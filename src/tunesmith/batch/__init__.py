"""Batch: a sheet of requests in, a folder of music out, with a manifest that says what is done."""
