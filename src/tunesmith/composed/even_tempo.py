"""Even tempos: those at which a sixteenth lasts a whole number of a model's frames, 25 a second.

At other tempos the onsets of even sixteenths fall 2, 3 and 3 frames apart, which sounds uneven.
"""

from __future__ import annotations

import math

from tunesmith.composer.score_of_request import score_of
from tunesmith.request import GenerationRequest

EVEN_TEMPOS = (62.5, 75.0, 93.75, 125.0, 187.5)
"""In quarter notes a minute: 375 / n, since 25 frames a second are 375 sixteenths a minute at a frame each."""


def even_tempo(quarter_bpm: float) -> float:
    """Return the tempo of EVEN_TEMPOS that is nearest in proportion: 90 gives 93.75, 120 gives 125."""
    return min(EVEN_TEMPOS, key=lambda tempo: abs(math.log(tempo / quarter_bpm)))


def with_even_tempo(request: GenerationRequest) -> GenerationRequest:
    """Return a composer's request at the even tempo that is nearest to its own. Raises as ``score_of``."""
    score = score_of(request)
    quarter_bpm = score.tempo_map.changes[0][1]
    return request.changed(tempo_bpm=even_tempo(quarter_bpm) / score.meter.felt_beat)
