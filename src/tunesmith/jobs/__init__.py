"""The life of a job: queued, claimed, run and stored, also across crashes of its processes."""
