"""Ears that nobody here trained: a sound tagger, a tempo tracker, a key detector and spectrum measures."""
