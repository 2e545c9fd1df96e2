"""DiffusionNetworks: the protocol of the networks of a model, as functions of arrays."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

from tunesmith.audio.spool import Samples
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.noise import Latents


class DiffusionNetworks(Protocol):
    """The networks of a model; ``tokenizer`` is its file. A conditioning is whatever ``condition`` returns."""

    architecture: StableAudioArchitecture
    tokenizer: Path

    def encode_text(self, token_ids: Sequence[int]) -> Latents:
        """Encode the tokens of a prompt: (tokens, width)."""
        ...

    def condition(
        self, states: Latents, numbers: float | Mapping[str, float], *, empty: bool = False, zero_padding: bool = False
    ) -> Any:
        """Condition on text states and numbers; ``empty`` is the unconditional branch of guidance.

        ``zero_padding`` pads with zeros, as a negative prompt is.
        """
        ...

    def local_condition(self, mask: Latents, masked_latents: Latents) -> Any:
        """Condition on kept latents: the mask (latents,) is 1 where the masked latents (latents, channels) are kept."""
        ...

    def velocities(
        self, latents: Latents, sigma: float, conditionings: Sequence[Any], locals_: Sequence[Any]
    ) -> Latents:  # fmt: skip
        """Return the velocities of latents (rows, latents, channels) at the time ``sigma`` of a step, 0 to 1.

        Each row has a conditioning, all of the same numbers, and a local condition or None. On a CPU, a row's velocity
        has the same bits whatever the other rows are.
        """
        ...

    def most_rows(self, num_latents: int) -> int:
        """Return how many rows of so many latents may go together: as many as take less time than one by one."""
        ...

    def decode(self, latents: Latents) -> Samples:
        """Decode latents (n, channels) to samples (2, n * hop size)."""
        ...

    def encode(self, samples: Samples) -> Latents:
        """Encode samples (2, n * hop size) to latents (n, channels)."""
        ...
