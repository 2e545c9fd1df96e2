"""Voices and streets: a crowd, a café, a city."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from tunesmith.audio.buffer import Samples
from tunesmith.composer.sound.ambience.loop_noise import (
    Grain,
    Mono,
    band,
    count,
    noise,
    normal,
    place_grains,
    slow,
    to_stereo,
)
from tunesmith.composer.sound.ambience.speech import Speaker, phrase
from tunesmith.composer.sound.synth.waves import oscillate
from tunesmith.composer.sound.voice import SAMPLE_RATE

_PEOPLE, _PHRASES = 10, 2
# The reverberation of a phrase goes on while the next one begins.
_OVERLAP = SAMPLE_RATE // 2


def _talk(samples: int, talkers: int, random: np.random.Generator) -> Iterator[Grain]:
    """Yield the phrases of people who take turns, each with a voice of their own."""
    speakers = [
        Speaker(random.uniform(90, 135), 1.0) if person % 2 else Speaker(random.uniform(165, 235), 1.16)
        for person in range(_PEOPLE)
    ]
    # A few phrases per speaker are rendered and reused, because rendering one is slow.
    phrases = [[phrase(speaker, int(random.integers(5, 13)), random) for _ in range(_PHRASES)] for speaker in speakers]
    for talker in range(talkers):
        gain, pan = float(random.uniform(0.1, 1.0) ** 1.5), float(random.uniform(-0.9, 0.9))
        place = random.uniform(-1.5, 1.5) * SAMPLE_RATE
        while place < samples:
            spoken = phrases[talker % _PEOPLE][int(random.integers(_PHRASES))]
            yield Grain(int(place), spoken, gain * float(random.uniform(0.7, 1.1)), pan)
            place += spoken.size - _OVERLAP + random.exponential(0.5) * SAMPLE_RATE


def _babble(samples: int, talkers: int, random: np.random.Generator) -> Samples:
    """Return many voices at once, RMS 1, (2, samples)."""
    talk = place_grains(samples, _talk(samples, talkers, random))
    return np.asarray(talk / np.sqrt(np.mean(talk**2)), np.float32)


def crowd(samples: int, random: np.random.Generator) -> Samples:
    """Return many people talking in a large room, (2, samples)."""
    hum = normal(band(noise(samples, random), 150, 1_200)) * np.float32(0.06)
    return _babble(samples, 24, random) + to_stereo(hum)


def cafe(samples: int, random: np.random.Generator) -> Samples:
    """Return a café, (2, samples): quiet talk, cups and spoons, the steam of a coffee machine."""
    room = normal(band(noise(samples, random), 80, 900)) * np.float32(0.1)
    steam = normal(band(noise(samples, random), 3_000, 9_000)) * slow(samples, random, 0.12, -0.6, 0.35).clip(0)
    cups = place_grains(samples, _clinks(samples, random)) * np.float32(1.1)
    return _babble(samples, 12, random) + to_stereo(np.asarray(room + steam * 0.5, np.float32)) + cups


def _clinks(samples: int, random: np.random.Generator) -> Iterator[Grain]:
    """Yield cups and spoons: a few inharmonic partials, often two strokes close together."""
    length = round(0.25 * SAMPLE_RATE)
    time = np.arange(length) / SAMPLE_RATE
    for start in random.integers(0, samples, count(samples, 0.9, random)):
        root = random.uniform(2_100, 4_200)
        ring = sum(
            level * np.sin(2 * np.pi * root * ratio * time) * np.exp(-time * fall)
            for ratio, level, fall in ((1, 1, 30), (1.71, 0.6, 38), (2.63, 0.4, 55), (3.9, 0.2, 80))
        )
        sound = np.asarray(ring * np.minimum(1, time * 4_000), np.float32)
        sound[-200:] *= np.linspace(1, 0, 200, dtype=np.float32)
        pan = float(random.uniform(-0.8, 0.8))
        for stroke in range(int(random.integers(1, 4))):
            later = int(stroke * random.uniform(0.06, 0.16) * SAMPLE_RATE)
            yield Grain(int(start) + later, sound, float(random.uniform(0.15, 0.8)), pan)


def city(samples: int, random: np.random.Generator) -> Samples:
    """Return a street, (2, samples): distant traffic, cars that pass, and an occasional horn."""
    far = normal(band(noise(samples, random), 40, 260, order=2)) * slow(samples, random, 0.4, 0.7, 1.1)
    street = to_stereo(far) * np.float32(0.3)
    for _ in range(max(1, round(samples / SAMPLE_RATE / 3))):
        _pass_by(street, int(random.integers(samples)), random)
    horns = [
        Grain(int(start), _horn(random), 0.35, float(random.uniform(-0.8, 0.8)))
        for start in random.integers(0, samples, max(1, round(samples / SAMPLE_RATE / 14)))
    ]
    return street + place_grains(samples, horns)


def _pass_by(street: Samples, start: int, random: np.random.Generator) -> None:
    """Add a car to ``street`` (2, samples), with wrap-around: tyres and engine, from one side to the other."""
    length = round(random.uniform(2.5, 4.5) * SAMPLE_RATE)
    way = np.linspace(-1, 1, length, dtype=np.float32)
    near = 1 / (1 + 30 * way**2) - 1 / 31
    tyres = normal(band(noise(length, random), 300, 1_500, order=2)) * near
    # Doppler.
    pitch = random.uniform(70, 120) * (1.05 - 0.06 * np.tanh(5 * way.astype(np.float64)))
    engine = oscillate("saw", pitch, length) + np.float32(0.6) * oscillate("saw", pitch * 1.5, length)
    car = np.asarray((tyres + band(engine, 60, 600) * near * 0.9) * 2, np.float32)
    side = np.clip(way * 2.2, -1, 1) * (1 if random.uniform() < 0.5 else -1)
    places = (start + np.arange(length)) % street.shape[1]
    # Added with np.add.at, because a car longer than the loop covers some samples twice.
    np.add.at(street[0], places, car * np.sqrt((1 - side) / 2))
    np.add.at(street[1], places, car * np.sqrt((1 + side) / 2))


def _horn(random: np.random.Generator) -> Mono:
    samples = round(random.uniform(0.25, 0.7) * SAMPLE_RATE)
    root = random.uniform(330, 440)
    tone = oscillate("saw", root, samples) + oscillate("saw", root * 1.26, samples)
    edge = np.minimum(1, np.minimum(np.arange(samples), np.arange(samples)[::-1]) / 1_200)
    return np.asarray(band(tone, 300, 1_800) * edge, np.float32)
