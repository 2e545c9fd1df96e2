"""Harmony: progressions, their reharmonisation, and chord voicings."""
