"""Laws of the echo: in time with the music, softer and darker from repeat to repeat, there in mono, over in time."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from bandstand import full_band

from tunesmith.composer.mix.channel_strips import channel_of
from tunesmith.composer.mix.echo import FEEDBACK, LONGEST_DELAY, echo_delay, echo_response
from tunesmith.composer.mix.mixer import OVERLAP
from tunesmith.composer.score import Part, TempoMap
from tunesmith.composer.sound.voice import SAMPLE_RATE

SIZE = 1 << 17


@pytest.mark.parametrize("bpm", [40.0, 64.0, 120.0, 174.0, 220.0])
def test_the_delay_is_a_share_of_a_beat_and_not_too_long(bpm: float) -> None:
    score = replace(full_band(2), tempo_map=TempoMap(((0.0, bpm),)))
    seconds = echo_delay(score) / SAMPLE_RATE
    assert seconds <= LONGEST_DELAY
    shares = seconds * bpm / 60 / score.meter.felt_beat
    assert min(abs(shares - share) for share in (0.75, 0.5, 0.375, 0.25)) < 1e-3


def test_repeats_alternate_become_softer_and_end_within_the_overlap() -> None:
    delay = 12_000
    taps = np.fft.irfft(echo_response(delay, SIZE))
    assert np.abs(taps[:, : delay - 100]).max() < 1e-6
    assert np.abs(taps[:, OVERLAP:]).max() < 1e-6
    energy = [np.sum(taps[:, number * delay - 100 : number * delay + 100] ** 2, axis=1) for number in (1, 2, 3)]
    assert energy[0][0] > 2 * energy[0][1]
    assert energy[1][1] > 2 * energy[1][0]
    assert energy[2].sum() < energy[1].sum() < FEEDBACK**2 * energy[0].sum()
    assert np.sum(taps.sum(axis=0) ** 2) > 0.9 * np.sum(taps**2)


def test_only_synthesised_leads_and_arpeggios_have_it() -> None:
    def echoed(role: str, name: str) -> bool:
        return channel_of(Part(name, role, name, ())).echoed

    assert echoed("melody", "saw_lead")
    assert echoed("arpeggio", "fm_bell")
    assert not echoed("melody", "violin")
    assert not echoed("melody", "chip_pulse")
    assert not echoed("chords", "supersaw")
