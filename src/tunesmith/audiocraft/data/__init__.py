"""Sound files: the part of ``audiocraft.data`` that reads, converts and writes them."""

from tunesmith.audiocraft.absent import attribute_finder
from tunesmith.audiocraft.data import audio as audio
from tunesmith.audiocraft.data import audio_utils as audio_utils

__getattr__ = attribute_finder(__name__)
