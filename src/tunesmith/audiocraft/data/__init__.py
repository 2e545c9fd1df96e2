"""Sound files: the part of ``audiocraft.data`` that reads, converts and writes them."""

from tunesmith.audiocraft.data import audio as audio
from tunesmith.audiocraft.data import audio_utils as audio_utils
from tunesmith.audiocraft.unsupported_names import attribute_finder

__getattr__ = attribute_finder(__name__)
