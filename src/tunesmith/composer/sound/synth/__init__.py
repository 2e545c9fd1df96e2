"""Synthesised sound: patches and drum kits as tables, and the engines that play them."""

from tunesmith.composer.sound.lru_cache import SoundCache
from tunesmith.composer.sound.synth.voices import patch_names, synth_voice

__all__ = ["SoundCache", "patch_names", "synth_voice"]
