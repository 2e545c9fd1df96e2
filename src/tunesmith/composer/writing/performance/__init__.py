"""The performance: swing, timing and dynamics."""
