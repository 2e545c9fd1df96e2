from __future__ import annotations

import json

import pytest
from shapes import TINY, TINY_MELODY

from tunesmith.musicgen.architecture import Architecture


@pytest.mark.parametrize("architecture", [TINY, TINY_MELODY])
def test_an_architecture_survives_json(architecture: Architecture) -> None:
    assert Architecture.from_json(json.loads(json.dumps(architecture.to_json()))) == architecture


def test_frames_and_hop_follow_from_the_ratios() -> None:
    assert TINY.codec.hop == 640
    assert TINY.frame_rate == 50
    assert TINY.window_frames == 1500
    assert TINY.decoder.head_size == 64
