"""Webhooks: delivery with retries, and the outbox of undelivered ones."""
