"""Harmony: progressions, their reharmonization, and chord voicings."""
