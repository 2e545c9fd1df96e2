"""The bench of pulls, for every test here."""

from stable_audio_pulls import bench

__all__ = ["bench"]
