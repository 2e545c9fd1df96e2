"""Webhooks: delivery with retries, and the outbox of those that are still to be delivered."""
