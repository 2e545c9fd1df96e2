"""Audio: one value, in memory or on disk."""

from __future__ import annotations

import numpy as np
import pytest

from tunesmith.audio import Audio, Spool


def test_a_spooled_audio_equals_one_in_memory() -> None:
    sound = np.random.default_rng(0).normal(0, 0.1, (2, 5000)).astype(np.float32)
    spool = Spool(2, memory_bytes=100)
    spool.append(sound)
    for audio in (Audio(sound, 1000, {"seed": 1}), Audio(spool, 1000, {"seed": 1})):
        assert (audio.duration, audio.channels, audio.num_samples, audio.metadata["seed"]) == (5.0, 2, 5000, 1)
        assert np.array_equal(audio.samples, sound)
        assert np.array_equal(np.concatenate(list(audio.blocks(777)), axis=1), sound)
        assert audio.with_metadata(title="x").metadata == {"seed": 1, "title": "x"}


def test_samples_of_the_wrong_shape_are_refused() -> None:
    with pytest.raises(ValueError, match="channels, samples"):
        Audio(np.zeros(100, np.float32), 44100)
    with pytest.raises(ValueError, match="above 0"):
        Audio(np.zeros((1, 100), np.float32), 0)


@pytest.mark.parametrize(("seconds", "media_type"), [(1, "audio/wav"), (20, "audio/mpeg")])
def test_a_notebook_gets_a_player_with_the_sound_inside(seconds: int, media_type: str) -> None:
    audio = Audio(np.zeros((2, 8000 * seconds), np.float32), 8000, {"title": "<b>"})
    html = audio._repr_html_()
    assert f'<audio controls src="data:{media_type};base64,' in html
    assert "&lt;b&gt;" in html


def test_a_very_long_sound_is_not_put_into_a_notebook() -> None:
    assert "<audio" not in Audio(np.zeros((1, 700_000), np.float32), 1000)._repr_html_()
