"""Windowed decoding and encoding equal one pass over the whole."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from stable_audio_open_models import OPEN_SMALL
from tiny_stable_audio import THIRD, Array, PairedAutoencoder

from tunesmith.stable_audio.noise import standard_normals
from tunesmith.stable_audio.windows import WINDOW, WindowRules, decode_windows, encode_windows

RULES = WindowRules.of(THIRD)
HOP = THIRD.hop_size


def decoded(latents: Array, held: int, parts: int = 1) -> list[Array]:
    pieces = np.array_split(latents, parts)
    return list(decode_windows(PairedAutoencoder().decode, pieces, held, RULES))


@pytest.mark.parametrize("parts", [1, 3, 40])
@pytest.mark.parametrize(
    ("held", "written"), [(300, 364), (131, 131), (299, 363), (64, 66), (63, 65), (1, 2), (65, 130)]
)
def test_windows_decode_what_one_pass_decodes(held: int, written: int, parts: int) -> None:
    latents = standard_normals(1, 0, (written, 8))
    whole = PairedAutoencoder().decode(latents)[:, : held * HOP]
    np.testing.assert_array_equal(np.concatenate(decoded(latents, held, parts), axis=1), whole)


def test_the_first_window_comes_before_the_later_latents_do() -> None:
    taken: list[int] = []

    def parts() -> Iterator[Array]:
        for number in range(4):
            taken.append(number)
            yield standard_normals(1, number, (100, 8))

    stream = decode_windows(PairedAutoencoder().decode, parts(), 400, RULES)
    assert next(stream).shape == (2, WINDOW * HOP)
    assert taken == [0]


def test_no_window_is_long() -> None:
    autoencoder = PairedAutoencoder()
    list(decode_windows(autoencoder.decode, [standard_normals(1, 0, (1000, 8))], 1000, RULES))
    assert max(autoencoder.windows) == WINDOW + 2 * RULES.decoder_context


@pytest.mark.parametrize("num_latents", [2, 64, 66, 200])
def test_windows_encode_what_one_pass_encodes(num_latents: int) -> None:
    wave = standard_normals(2, 0, (2, num_latents * HOP - 5))

    def read(first: int, last: int) -> Array:
        return np.pad(wave, ((0, 0), (0, 5)))[:, first:last]

    whole = PairedAutoencoder().encode(read(0, num_latents * HOP))
    autoencoder = PairedAutoencoder()
    np.testing.assert_array_equal(encode_windows(autoencoder.encode, read, num_latents, RULES), whole)
    assert max(autoencoder.windows) <= WINDOW + 2 * RULES.encoder_context


def test_stable_audio_open_decodes_an_eleven_second_piece_in_two_windows() -> None:
    rules = replace(WindowRules.of(OPEN_SMALL), decoder_context=10)
    lengths: list[int] = []

    def decode(latents: Array) -> Array:
        lengths.append(len(latents))
        return np.repeat(latents[:, :2], rules.hop_size, axis=0).T

    latents = standard_normals(1, 0, (256, 4))
    whole = np.repeat(latents[:237, :2], rules.hop_size, axis=0).T
    np.testing.assert_array_equal(np.concatenate(list(decode_windows(decode, [latents], 237, rules)), axis=1), whole)
    assert lengths == [128 + 10, 10 + 109 + 10]
