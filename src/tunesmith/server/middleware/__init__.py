"""ASGI middleware: runs before the route of every request and after its response."""
