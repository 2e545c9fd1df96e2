"""Sections and time: what plays when, and exactly how long."""
