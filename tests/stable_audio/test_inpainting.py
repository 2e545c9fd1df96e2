"""Masks over latents, and the source pasted back outside the regions."""

from __future__ import annotations

import numpy as np
import pytest
from reference_vectors import Array

from tunesmith.errors import InvalidRequest
from tunesmith.stable_audio.inpainting import FADE_SECONDS, SampleRegion, kept_mask, paste_source, repainted_spans
from tunesmith.stable_audio.noise import standard_normals

RATE, LENGTH = 1_000, 20_000
FADE = round(FADE_SECONDS * RATE)
MADE, SOURCE = (np.asarray(standard_normals(seed, 0, (2, LENGTH)) / 8, np.float32) for seed in (1, 2))


def pasted(*regions: SampleRegion, size: int = 777) -> Array:
    blocks = [MADE[:, at : at + size] for at in range(0, LENGTH, size)]
    found = paste_source(blocks, lambda first, last: SOURCE[:, first:last], regions, LENGTH, RATE)
    return np.concatenate(list(found), axis=1)


def test_a_latent_is_kept_if_its_first_sample_is() -> None:
    mask = kept_mask([SampleRegion(33, 96), SampleRegion(150, 160)], num_samples=200, num_latents=8, hop_size=32)
    assert mask.tolist() == [1, 1, 0, 1, 1, 1, 1, 0]


def test_blocks_of_any_size_give_the_same_samples() -> None:
    regions = [SampleRegion(0, 500), SampleRegion(3_000, 3_010), SampleRegion(9_000, LENGTH)]
    np.testing.assert_array_equal(pasted(*regions, size=1), pasted(*regions, size=LENGTH))


def test_the_source_stands_outside_and_new_audio_inside_a_region() -> None:
    found = pasted(SampleRegion(4_000, 8_000))
    assert found[:, :4_000].tobytes() == SOURCE[:, :4_000].tobytes()
    assert found[:, 8_000:].tobytes() == SOURCE[:, 8_000:].tobytes()
    inner = slice(4_000 + FADE, 8_000 - FADE)
    assert found[:, inner].tobytes() == MADE[:, inner].tobytes()


def test_the_fades_have_equal_power_and_lie_inside_the_region() -> None:
    found = pasted(SampleRegion(4_000, 8_000)).astype(np.float64)
    for edge in (slice(4_000, 4_000 + FADE), slice(8_000 - FADE, 8_000)):
        # Both gains of each sample, from two channels.
        gains = np.stack([
            np.linalg.solve(np.stack([MADE[:, at], SOURCE[:, at]], axis=1).astype(np.float64), found[:, at])
            for at in range(edge.start, edge.stop)
        ])  # fmt: skip
        np.testing.assert_allclose((gains**2).sum(axis=1), 1, atol=1e-3)
        assert (gains > 0).all()


def test_two_loud_sounds_stay_within_full_scale_where_they_meet() -> None:
    loud = np.ones((2, LENGTH), np.float32)
    found = paste_source([loud], lambda first, last: loud[:, first:last], [SampleRegion(4_000, 8_000)], LENGTH, RATE)
    assert max(np.abs(block).max() for block in found) == 1


def test_a_region_at_an_end_of_the_audio_has_no_fade_there() -> None:
    found = pasted(SampleRegion(0, 5_000), SampleRegion(9_000, LENGTH))
    assert found[:, : 5_000 - FADE].tobytes() == MADE[:, : 5_000 - FADE].tobytes()
    assert found[:, 9_000 + FADE :].tobytes() == MADE[:, 9_000 + FADE :].tobytes()


def test_the_whole_may_be_made_anew() -> None:
    np.testing.assert_array_equal(pasted(SampleRegion(0, LENGTH)), MADE)


def test_a_short_region_has_shorter_fades() -> None:
    found = pasted(SampleRegion(5_000, 5_020))
    assert np.array_equal(found[:, 5_005:5_015], MADE[:, 5_005:5_015])


def test_spans_hold_their_regions_with_context_and_do_not_overlap() -> None:
    regions = [SampleRegion(start * RATE, end * RATE) for start, end in ((5, 9), (50, 60), (105, 140), (142, 230))]
    spans = repainted_spans(regions, 300 * RATE, 110 * RATE, RATE)
    assert [(span.first // RATE, span.last // RATE) for span, _ in spans] == [(0, 70), (95, 141), (141, 240)]
    assert [region for _, inside in spans for region in inside] == regions


def test_a_region_without_room_for_its_surroundings_is_refused() -> None:
    with pytest.raises(InvalidRequest, match=r"^repaint: in so long a recording, regions are at most 90 s, got 91 s"):
        repainted_spans([SampleRegion(0, 91 * RATE)], 300 * RATE, 110 * RATE, RATE)
