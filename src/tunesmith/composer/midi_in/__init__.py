"""Standard MIDI Files as input.

bytes ─ parser.py ─► chunks and events ─ song.py ─► voices with notes ─ score.py ─► Score, played as it is
                                                          └─ key.py, harmony.py ─ arrange.py ─► a piece around it
"""

from tunesmith.composer.midi_in.score import midi_score as midi_score
from tunesmith.composer.midi_in.song import Song as Song
from tunesmith.composer.midi_in.song import read_song as read_song
