"""The parts of benchmarks/edits.py: each module measures one kind of edit with ``measure()``."""
