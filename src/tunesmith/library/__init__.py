"""Persistent state: the database, its tables and migrations, the prompt log, and the API tokens."""
