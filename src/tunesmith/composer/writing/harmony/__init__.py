"""Chords: progressions, their variation, and how they are laid out."""
