"""The models of AudioCraft that run here: MusicGen and AudioGen, each with its codec."""

from tunesmith.audiocraft.models.audiogen import AudioGen as AudioGen
from tunesmith.audiocraft.models.encodec import CompressionModel as CompressionModel
from tunesmith.audiocraft.models.genmodel import BaseGenModel as BaseGenModel
from tunesmith.audiocraft.models.musicgen import MusicGen as MusicGen
from tunesmith.audiocraft.unsupported_names import attribute_finder

__getattr__ = attribute_finder(__name__)
