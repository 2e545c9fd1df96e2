"""The HTTP server: one service, spoken to in several dialects."""
