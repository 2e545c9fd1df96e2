"""LatentWriter: the latents of one request, run by run, with its text, guidance and noise."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass

import numpy as np

from tunesmith.request import NoiseSchedule
from tunesmith.stable_audio.architecture import StableAudioArchitecture
from tunesmith.stable_audio.audio_to_audio import noise_levels
from tunesmith.stable_audio.guidance import plain_guidance, projected_guidance
from tunesmith.stable_audio.lengths import HEADROOM_SECONDS, LatentLengths, latent_lengths
from tunesmith.stable_audio.long_form import plan_runs
from tunesmith.stable_audio.network_protocol import DiffusionNetworks
from tunesmith.stable_audio.noise import Latents, noise_source
from tunesmith.stable_audio.samplers import VelocityFunction, sample
from tunesmith.stable_audio.schedules import NoiseLevels
from tunesmith.stable_audio.velocity_batch import VelocityBatch

LOOP_RUNS = 1_000
"""The first run number of the joints of loops, beyond those of long pieces."""


@dataclass(frozen=True, slots=True)
class WalkSettings:
    """The walk from noise: ``strength`` is None unless it starts from audio, ``steps`` are those without."""

    seed: int
    steps: int
    guidance_scale: float
    strength: float | None = None
    schedule: NoiseSchedule = "monotonic"

    def levels(self, architecture: StableAudioArchitecture) -> NoiseLevels:
        """Return the noise levels of a run."""
        return noise_levels(architecture, self.steps, self.strength, self.schedule)


@dataclass(frozen=True, slots=True)
class EncodedPrompts:
    """The encoded prompt (tokens, width), and the negative prompt, None without one."""

    prompt: Latents
    negative: Latents | None = None


@dataclass(frozen=True, slots=True)
class KeptLatents:
    """What inpainting keeps: the mask (latents,) is 1 where latents (latents, channels) are kept, which are else 0."""

    mask: Latents
    latents: Latents

    @classmethod
    def of(cls, mask: Latents, latents: Latents) -> KeptLatents:
        """Return the kept ones of all latents."""
        return cls(mask, latents * mask[:, None])


EncodeLength = Callable[[LatentLengths], Latents]
KeepLength = Callable[[LatentLengths], KeptLatents]
"""Functions from the lengths of a run to latents to start from, or to keep."""
TakeTurn = Callable[[Hashable, int], AbstractContextManager[VelocityBatch]]
"""Takes the networks for a run of a length class, with up to so many runs of that class in all."""


class LatentWriter:
    """A writer of the latents of one request.

    ``after_step`` is called after each step; it may raise, which ends the run. ``turn`` is taken for each run.
    """

    def __init__(
        self, networks: DiffusionNetworks, text: EncodedPrompts, walk: WalkSettings, after_step: Callable[[], None],
        turn: TakeTurn,
    ) -> None:  # fmt: skip
        self._networks = networks
        self._text = text
        self._walk = walk
        self._after_step = after_step
        self._turn = turn

    def write(
        self, length: LatentLengths, seconds: float, run: int, kept: KeptLatents | None = None,
        initial: Latents | None = None,
    ) -> Latents:  # fmt: skip
        """Write the latents (length.written, channels) of a run; ``run`` is its number, which keys its noise."""
        architecture = self._networks.architecture
        noise = noise_source(self._walk.seed, length.written, architecture.diffusion.latent_channels, run)
        levels = self._walk.levels(architecture)
        latents = initial
        # Runs of one class ask for velocities of as many latents at the same noise levels, with the same numbers.
        length_class = seconds, length.written, levels.tobytes(), self._walk.guidance_scale == 1
        with self._turn(length_class, self._networks.most_rows(length.written)) as batch:
            velocity = self._velocity(batch, seconds, kept)
            as_diffusers = self._walk.schedule == "diffusers"
            for denoised in sample(architecture.objective, velocity, levels, noise, initial, as_diffusers=as_diffusers):
                latents = denoised
                self._after_step()
        assert latents is not None
        return latents

    def write_parts(
        self, seconds: float, headroom: float, keep: KeepLength | None = None, start: EncodeLength | None = None
    ) -> Iterator[Latents]:
        """Yield the latents of ``seconds`` of audio in parts, with those of the headroom at the end.

        Audio too long for one run takes several. ``keep`` and ``start`` are for the first.
        """
        architecture = self._networks.architecture
        latent_seconds = architecture.hop_size / architecture.sample_rate
        runs = plan_runs(architecture, latent_lengths(architecture, seconds, 0).held)
        tail: Latents | None = None
        for number, span in enumerate(runs):
            is_last = number == len(runs) - 1
            run_seconds = (seconds if is_last else span.last * latent_seconds) - span.first * latent_seconds
            # A run that another continues must not come to an end.
            length = latent_lengths(architecture, run_seconds, headroom if is_last else HEADROOM_SECONDS)
            kept = _continued(tail, length) if tail is not None else keep(length) if keep else None
            latents = self.write(length, run_seconds, number, kept, start(length) if start and tail is None else None)
            written = latents if is_last else latents[: span.last - span.first]
            # The latents before that are those of the run before, which this one got to continue.
            yield written[span.start - span.first :]
            tail = None if is_last else written[runs[number + 1].first - span.first :]

    def _velocity(self, batch: VelocityBatch, seconds: float, kept: KeptLatents | None) -> VelocityFunction:
        """Return the velocity of the network, guided where the request is."""

        def branch(conditioning: object) -> VelocityFunction:
            return lambda latents, time: batch.velocity(latents, time, conditioning, local)

        numbers = self._networks.architecture.numbers_for(seconds)
        local = self._networks.local_condition(kept.mask, kept.latents) if kept else None
        conditional = branch(self._networks.condition(self._text.prompt, numbers))
        scale, negative = self._walk.guidance_scale, self._text.negative
        # At scale 1 the second branch cancels out, so the network need not run it.
        if scale == 1:
            return conditional
        if negative is None:
            # As in the reference: a context of zeros, not the encoding of an empty prompt.
            away = self._networks.condition(self._text.prompt, numbers, empty=True)
        else:
            # The reference masks the padding of a negative prompt to zeros; a prompt keeps the learned vector.
            away = self._networks.condition(negative, numbers, zero_padding=True)
        # Stable Audio 3 is guided by APG (Sadat and others, 2024), Stable Audio Open by plain guidance.
        guide = projected_guidance if self._networks.architecture.is_stable_audio_3 else plain_guidance
        return guide(conditional, branch(away), scale)


def _continued(tail: Latents, length: LatentLengths) -> KeptLatents:
    """Return the end of the run before as the kept start of a run."""
    mask = np.zeros(length.written, np.float32)
    mask[: len(tail)] = 1
    latents = np.zeros((length.written, tail.shape[1]), np.float32)
    latents[: len(tail)] = tail
    return KeptLatents(mask, latents)
