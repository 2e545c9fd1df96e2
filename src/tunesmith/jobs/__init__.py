"""A request's life: queued, claimed, made, kept; and what happens when a process dies on the way."""
