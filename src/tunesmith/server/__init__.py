"""The HTTP server: the APIs of existing clients, over one job queue."""
