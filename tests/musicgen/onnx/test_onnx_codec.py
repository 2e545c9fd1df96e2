from __future__ import annotations

from dataclasses import replace

import pytest
from shapes import TINY

from tunesmith.musicgen.graph.codec import context_frames
from tunesmith.musicgen.onnx.onnx_codec import encoded_stretches


def test_the_published_codec_sees_a_tenth_of_a_second_ahead() -> None:
    frames, samples = context_frames(TINY.codec)
    assert 0 < (frames + samples) / TINY.frame_rate <= 0.12


@pytest.mark.parametrize("growth", [2, 3])
def test_deeper_residuals_see_further(growth: int) -> None:
    deeper = replace(TINY.codec, num_residual_layers=3, dilation_growth=growth)
    assert context_frames(deeper)[1] >= context_frames(TINY.codec)[1]


@pytest.mark.parametrize("frames", [0, 1, 1_500, 1_501, 2_800, 90_000])
def test_a_recording_is_encoded_in_stretches_that_join_and_have_their_surroundings(frames: int) -> None:
    stretches = encoded_stretches(frames, 1_500, 100)
    assert [at for one in stretches for at in range(one.first, one.last)] == list(range(frames))
    assert len(stretches) == 1 or frames > 1_500
    for one in stretches:
        assert one.stop - one.start <= 1_500
        assert one.start == max(0, one.first - 100)
        assert one.stop == min(frames, one.last + 100)
