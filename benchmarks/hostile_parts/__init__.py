"""Parts of the benchmark with hostile callers: one file a kind of attack."""
