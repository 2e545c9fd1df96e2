"""What outlives a process: the database, its tables and migrations, and the API tokens."""
