from __future__ import annotations

import json

from tunesmith.magenta_rt.architecture import MAGENTA_RT_2_SMALL, MagentaArchitecture


def test_a_frame_is_40_ms_of_48_khz_in_4_spectra() -> None:
    codec = MAGENTA_RT_2_SMALL.codec
    assert (MAGENTA_RT_2_SMALL.frame_rate, codec.frame_size) == (25.0, 1920)
    assert (codec.spectra_per_frame, codec.hop_size) == (4, 480)


def test_the_vocabulary_is_that_of_the_published_embeddings() -> None:
    assert MAGENTA_RT_2_SMALL.vocabulary_size == 12_294


def test_json_and_back_is_the_same_architecture() -> None:
    assert MagentaArchitecture.from_json(json.loads(json.dumps(MAGENTA_RT_2_SMALL.to_json()))) == MAGENTA_RT_2_SMALL
