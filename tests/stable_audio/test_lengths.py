"""Lengths of pieces: the numbers of the specification, and of the recorded runs."""

from __future__ import annotations

import pytest
from reference_vectors import facts, vectors
from tiny_stable_audio import OPEN_SMALL, REAL_THIRD, THIRD

from tunesmith.stable_audio.lengths import HEADROOM_SECONDS, latent_lengths, most_positions, samples_of


@pytest.mark.parametrize(("seconds", "held", "written", "total"), [
    (10, 108, 172, 174), (30, 323, 387, 388), (120, 1292, 1292, 1292), (114, 1228, 1292, 1292),
])  # fmt: skip
def test_the_lengths_are_those_of_the_specification(seconds: float, held: int, written: int, total: int) -> None:
    length = latent_lengths(REAL_THIRD, seconds, HEADROOM_SECONDS)
    assert (length.held, length.written, length.total) == (held, written, total)
    assert length.num_samples == seconds * 44_100


@pytest.mark.parametrize("name", ["generate_exact", "generate_odd", "generate_ends", "audio_to_audio", "continuation"])
def test_the_lengths_are_those_of_recorded_runs(name: str) -> None:
    file, settings = vectors(f"sa3_small/{name}"), facts(f"sa3_small/{name}")
    length = latent_lengths(THIRD, settings["duration"], settings.get("duration_padding_sec", HEADROOM_SECONDS))
    assert length.num_samples == file["audio"].shape[-1]
    assert length.total == file["denoised"].shape[-1]
    # The odd run has a latent of padding, which the reference writes too.
    assert length.written == length.total - (name == "generate_odd")


def test_without_headroom_only_what_holds_the_piece_is_written() -> None:
    length = latent_lengths(REAL_THIRD, 30, 0)
    assert (length.held, length.written, length.total) == (323, 323, 324)


def test_stable_audio_open_always_writes_all_its_latents() -> None:
    length = latent_lengths(OPEN_SMALL, 0.5, 0)
    assert (length.num_samples, length.held, length.written, length.total) == (320, 10, 24, 24)


@pytest.mark.parametrize(("seconds", "samples"), [(4.35, 191_835), (2.0, 88_200), (2.00001, 88_200), (0.07, 3_087)])
def test_float_error_loses_no_sample(seconds: float, samples: int) -> None:
    assert samples_of(seconds, 44_100) == samples


def test_a_batch_grows_with_the_cores_up_to_the_longest_piece() -> None:
    assert [most_positions(REAL_THIRD, cores) for cores in (1, 2, 3, 16)] == [512, 1024, 1356, 1356]
