"""The HTTP server: the APIs that existing clients speak, over one queue of jobs."""
