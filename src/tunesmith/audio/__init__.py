"""The sound itself: buffer, files, resampling, loudness, editing."""

from tunesmith.audio.buffer import Audio as Audio
from tunesmith.audio.spool import Spool as Spool
