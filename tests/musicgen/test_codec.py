from __future__ import annotations

from dataclasses import replace

import pytest
from shapes import TINY

from tunesmith.musicgen.graph.codec import context_frames


def test_the_published_codec_sees_a_tenth_of_a_second_ahead() -> None:
    frames, samples = context_frames(TINY.codec)
    assert 0 < (frames + samples) / TINY.frame_rate <= 0.12


@pytest.mark.parametrize("growth", [2, 3])
def test_deeper_residuals_see_further(growth: int) -> None:
    deeper = replace(TINY.codec, num_residual_layers=3, dilation_growth=growth)
    assert context_frames(deeper)[1] >= context_frames(TINY.codec)[1]
