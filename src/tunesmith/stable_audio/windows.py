"""Windows: the autoencoder in stretches with context on both sides, which gives the same samples as one pass.

SAME-S works on pairs of latents: its windows start at even latents and hold an even number of them, and two latents of
context on each side make the rest exact.

    latents      … 62 63 │ 64 65 … 126 127 │ 128 129 …
    window        62 63    64 65 … 126 127   128 129        the context is decoded and cut off again
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

import numpy as np

from tunesmith.audio.spool import Samples
from tunesmith.stable_audio.architecture import OobleckShape, StableAudioArchitecture
from tunesmith.stable_audio.noise import Latents
from tunesmith.stable_audio.oobleck_stages import decoder_context, encoder_context

WINDOW = 64
OPEN_DECODER_WINDOW = 128
"""Oobleck decodes 20 latents of context with each window: longer windows do less work twice, shorter ones sound sooner.
"""
# With two latents on each side, the reference's own windows have an error of exactly 0.
SAME_CONTEXT = 2

SampleReader = Callable[[int, int], Samples]
"""Returns the samples from the first up to the last given position, (channels, n), silence outside the sound."""


@dataclass(frozen=True, slots=True)
class WindowRules:
    """How an autoencoder may be run in windows: latents of context on each side, and whether they come in pairs.

    ``decoder_window`` is the most latents of a decoded window, without its context.
    """

    decoder_context: int
    encoder_context: int
    paired: bool
    hop_size: int
    decoder_window: int = WINDOW

    @classmethod
    def of(cls, architecture: StableAudioArchitecture) -> WindowRules:
        """Return the rules of a model's autoencoder."""
        shape = architecture.autoencoder
        if isinstance(shape, OobleckShape):
            return cls(
                decoder_context(shape), encoder_context(shape), paired=False, hop_size=shape.hop_size,
                decoder_window=OPEN_DECODER_WINDOW,
            )  # fmt: skip
        return cls(SAME_CONTEXT, SAME_CONTEXT, paired=True, hop_size=shape.hop_size)


def decode_windows(
    decode: Callable[[Latents], Samples], parts: Iterable[Latents], num_latents: int, rules: WindowRules
) -> Iterator[Samples]:
    """Yield the samples (channels, n) of the first ``num_latents`` latents, in windows, each as soon as possible.

    The latents arrive in parts (latents, channels); those past ``num_latents`` serve as context. ``decode`` takes
    latents (n, channels); an odd number of them only at the very end.
    """
    # Latents from ``base`` on; earlier ones are no longer needed.
    held, base, start, window = None, 0, 0, rules.decoder_window
    for part in parts:
        held = part if held is None else np.concatenate([held, part])
        # One more than the context, because a window that ends at an odd latent needs the other one of the pair.
        while start < num_latents and min(start + window, num_latents) + rules.decoder_context < base + len(held):
            yield _decoded(decode, held, base, (start, min(start + window, num_latents)), rules)
            start += window
            drop = max(0, start - rules.decoder_context - base)
            held, base = held[drop:], base + drop
    assert held is not None
    # No more latents come: what is left has less context after it, as at the end of one pass.
    for at in range(start, min(base + len(held), num_latents), window):
        yield _decoded(decode, held, base, (at, min(at + window, base + len(held), num_latents)), rules)


def encode_windows(
    encode: Callable[[Samples], Latents], read: SampleReader, num_latents: int, rules: WindowRules
) -> Latents:
    """Return the latents (num_latents, channels) of a sound; silence follows where it is shorter.

    ``encode`` takes samples (channels, n * hop size) and returns (n, channels). ``num_latents`` is even where pairs
    are needed.
    """
    context, hop = rules.encoder_context, rules.hop_size
    parts = []
    for start in range(0, num_latents, WINDOW):
        stop = min(start + WINDOW, num_latents)
        first, last = max(0, start - context), min(num_latents, stop + context)
        parts.append(encode(read(first * hop, last * hop))[start - first : stop - first])
    return np.concatenate(parts)


def _decoded(
    decode: Callable[[Latents], Samples], latents: Latents, base: int, span: tuple[int, int], rules: WindowRules
) -> Samples:
    start, stop = span
    odd = stop % 2 if rules.paired else 0
    first, last = max(0, start - rules.decoder_context), min(base + len(latents), stop + odd + rules.decoder_context)
    samples = decode(np.ascontiguousarray(latents[first - base : last - base]))
    return samples[:, (start - first) * rules.hop_size : (stop - first) * rules.hop_size]
