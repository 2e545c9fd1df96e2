"""Playing sound on this machine: through a program that is there, or the package sounddevice."""

from tunesmith.playback.player import SoundPlayer as SoundPlayer
from tunesmith.playback.player import find_player as find_player
from tunesmith.playback.player import play_blocks as play_blocks
