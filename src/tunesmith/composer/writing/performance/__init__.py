"""Notes as played: swing, timing and dynamics."""
