"""Sections and time: what is played when, and exactly how long."""
