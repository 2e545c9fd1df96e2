"""Logs, health probes and metrics."""
