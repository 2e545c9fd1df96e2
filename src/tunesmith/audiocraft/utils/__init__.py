"""Tools of AudioCraft that are here: players in a notebook."""

from tunesmith.audiocraft.unsupported_names import attribute_finder

__getattr__ = attribute_finder(__name__)
