"""DiffusionEngine: the samples of a request, block by block, from the networks of one model."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import partial

import numpy as np

from tunesmith.audio import Audio
from tunesmith.audio.buffer import BLOCK
from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled
from tunesmith.generator import CancelCheck
from tunesmith.stable_audio.inpainting import SampleRegion, kept_mask, paste_source, repainted_spans
from tunesmith.stable_audio.latent_writer import (
    LOOP_RUNS,
    EncodedPrompts,
    EncodeLength,
    KeepLength,
    KeptLatents,
    LatentWriter,
)
from tunesmith.stable_audio.lengths import latent_lengths
from tunesmith.stable_audio.long_form import KEPT_SECONDS, RUN_SECONDS, plan_runs
from tunesmith.stable_audio.loops import make_seamless, samples_of_blocks
from tunesmith.stable_audio.network_protocol import DiffusionNetworks
from tunesmith.stable_audio.noise import Latents
from tunesmith.stable_audio.prompt_tokens import open_tokenizer
from tunesmith.stable_audio.request_mapping import DiffusionRequest
from tunesmith.stable_audio.turns import Turns
from tunesmith.stable_audio.windows import SampleReader, WindowRules, decode_windows, encode_windows


@dataclass(frozen=True, slots=True)
class EngineCalls:
    """The functions that the engine calls: ``after_step`` after each step, ``cancelled`` between steps and windows."""

    after_step: Callable[[], None]
    cancelled: CancelCheck


class DiffusionEngine:
    """An engine over the networks of a model.

    Safe to use from several threads, which take turns run by run; runs of equal length that wait go together.
    """

    def __init__(self, networks: DiffusionNetworks) -> None:
        self.networks = networks
        self.architecture = architecture = networks.architecture
        self.tokenizer = open_tokenizer(networks.tokenizer, architecture)
        self._rules = WindowRules.of(architecture)
        self._turns = Turns(networks)

    def num_steps(self, request: DiffusionRequest) -> int:
        """Return the steps of a request; a loop whose seam is heard takes more."""
        if request.task == "loop":
            # The piece, and its joint once; another try of the joint is not planned for.
            runs = 2
        elif request.task == "repaint":
            runs = len(self._groups(request))
        else:
            seconds = self._new_seconds(request)
            runs = len(plan_runs(self.architecture, latent_lengths(self.architecture, seconds, 0).held))
        return runs * (len(request.walk.levels(self.architecture)) - 1)

    def generate(self, request: DiffusionRequest, calls: EngineCalls) -> Iterator[Samples]:
        """Yield the samples (channels, n) of a request, ``request.num_samples`` in all.

        Raises GenerationCancelled once ``calls.cancelled()`` is true. A loop adds its seam to the request's settings
        and warnings.
        """

        def after_step() -> None:
            calls.after_step()
            self._check(calls)

        def check() -> None:
            self._check(calls)

        self._check(calls)
        with self._turns.preparing() as preparation:
            # A recording takes long to encode, so the runs of others do not wait for it.
            if request.source is not None:
                preparation.end()
            text = self._encoded(request, calls)
            turn = partial(self._turns.together, check=check, preparation=preparation)
            writer = LatentWriter(self.networks, text, request.walk, after_step, turn)
            yield from _cut(self._blocks(request, writer, calls), request.num_samples)

    def _encoded(self, request: DiffusionRequest, calls: EngineCalls) -> EncodedPrompts:
        with self._alone(calls):
            return EncodedPrompts(
                self.networks.encode_text(request.prompt_ids),
                None if request.negative_ids is None else self.networks.encode_text(request.negative_ids),
            )

    def _blocks(self, request: DiffusionRequest, writer: LatentWriter, calls: EngineCalls) -> Iterator[Samples]:
        if request.task == "loop":
            return self._loop(request, writer, calls)
        if request.task == "continuation":
            return self._continuation(request, writer, calls)
        if request.task == "repaint":
            return self._repaint(request, writer, calls)
        seconds = request.num_samples / self.architecture.sample_rate
        start = None if request.source is None else self._encoder(request.source.read, calls)
        return self._decoded(writer.write_parts(seconds, request.headroom, start=start), request.num_samples, calls)

    def _continuation(self, request: DiffusionRequest, writer: LatentWriter, calls: EngineCalls) -> Iterator[Samples]:
        assert request.source is not None
        source, offset = request.source, self._offset(request)
        yield from _read_blocks(source.read, 0, offset)
        region = request.regions[0]
        moved = SampleRegion(region.first - offset, region.last - offset)
        read, mirrored = _from(source.read, offset), _from(source.read_mirrored, offset)
        length = request.num_samples - offset
        yield from self._inpainted(writer, read, mirrored, [moved], length, request.headroom, calls)

    def _repaint(self, request: DiffusionRequest, writer: LatentWriter, calls: EngineCalls) -> Iterator[Samples]:
        assert request.source is not None
        source, position = request.source, 0
        for span, regions in self._groups(request):
            yield from _read_blocks(source.read, position, span.first)
            moved = [SampleRegion(one.first - span.first, one.last - span.first) for one in regions]
            reader = _from(source.read, span.first)
            yield from self._inpainted(writer, reader, reader, moved, span.last - span.first, request.headroom, calls)
            position = span.last
        yield from _read_blocks(source.read, position, request.num_samples)

    def _loop(self, request: DiffusionRequest, writer: LatentWriter, calls: EngineCalls) -> Iterator[Samples]:
        rate = self.architecture.sample_rate
        seconds, num_samples = request.num_samples / rate, request.num_samples
        parts = writer.write_parts(seconds, request.headroom)
        generated = samples_of_blocks(self._decoded(parts, num_samples, calls), num_samples)

        def repaint(rolled: Samples, region: SampleRegion, number: int) -> Samples:
            length = latent_lengths(self.architecture, seconds, request.headroom)
            reader = _array_reader(rolled)
            kept = self._keeper(self._encoder(reader, calls), [region], num_samples)(length)
            latents = writer.write(length, seconds, LOOP_RUNS + number, kept)
            blocks = self._decoded([latents], num_samples, calls)
            return samples_of_blocks(paste_source(blocks, reader, [region], num_samples, rate), num_samples)

        loop = make_seamless(generated, rate, repaint)
        request.settings["loop_seam"] = {"score": round(loop.seam.score, 3), "tries": loop.tries}
        if loop.seam.is_audible:
            request.warnings.append(f"loop: its seam may be heard; it is the best of {loop.tries} tries")
        yield loop.samples

    def _inpainted(
        self, writer: LatentWriter, source: SampleReader, pasted: SampleReader, regions: Sequence[SampleRegion],
        num_samples: int, headroom: float, calls: EngineCalls,
    ) -> Iterator[Samples]:  # fmt: skip
        """Yield audio of ``num_samples`` with the regions made anew; ``pasted`` is what stands outside them."""
        rate = self.architecture.sample_rate
        keep = self._keeper(self._encoder(source, calls), regions, num_samples)
        parts = writer.write_parts(num_samples / rate, headroom, keep)
        blocks = _cut(self._decoded(parts, num_samples, calls), num_samples)
        return paste_source(blocks, pasted, regions, num_samples, rate)

    def _decoded(self, parts: Iterable[Latents], num_samples: int, calls: EngineCalls) -> Iterator[Samples]:
        """Decode latents window by window; samples are within ±1."""

        def decode(latents: Latents) -> Samples:
            self._check(calls)
            with self._alone(calls):
                # The reference clamps here too: neither decoder has a tanh at its end.
                return np.clip(self.networks.decode(latents), -1, 1)

        held = -(-num_samples // self.architecture.hop_size)
        return decode_windows(decode, parts, held, self._rules)

    def _encoder(self, read: SampleReader, calls: EngineCalls) -> EncodeLength:
        """Return the function that encodes a sound for a run."""

        def encode(samples: Samples) -> Latents:
            self._check(calls)
            with self._alone(calls):
                return self.networks.encode(samples)

        return lambda length: encode_windows(encode, read, length.total, self._rules)[: length.written]

    def _keeper(self, encode: EncodeLength, regions: Sequence[SampleRegion], num_samples: int) -> KeepLength:
        """Return the function that gives what a run keeps of a sound."""
        hop = self.architecture.hop_size
        return lambda length: KeptLatents.of(kept_mask(regions, num_samples, length.written, hop), encode(length))

    def _groups(self, request: DiffusionRequest) -> list[tuple[SampleRegion, tuple[SampleRegion, ...]]]:
        """Return the stretches of the source that runs cover, with their regions."""
        rate, longest = self.architecture.sample_rate, self.architecture.max_latents * self.architecture.hop_size
        if request.num_samples <= longest:
            return [(SampleRegion(0, request.num_samples), request.regions)]
        return repainted_spans(request.regions, request.num_samples, min(longest, round(RUN_SECONDS * rate)), rate)

    def _offset(self, request: DiffusionRequest) -> int:
        """Return the sample from which on the recording of a continuation is read by the first run."""
        if request.source is None or request.num_samples <= self.architecture.max_latents * self.architecture.hop_size:
            return 0
        # Only the end of a long recording fits into the first run with what follows it.
        return max(0, request.source.num_samples - round(KEPT_SECONDS * self.architecture.sample_rate))

    def _new_seconds(self, request: DiffusionRequest) -> float:
        offset = self._offset(request) if request.task == "continuation" else 0
        return (request.num_samples - offset) / self.architecture.sample_rate

    def _alone(self, calls: EngineCalls) -> AbstractContextManager[None]:
        """Wait for the networks; other requests may have them. Raises GenerationCancelled."""
        return self._turns.alone(lambda: self._check(calls))

    @staticmethod
    def _check(calls: EngineCalls) -> None:
        if calls.cancelled():
            raise GenerationCancelled


def _from(read: SampleReader, offset: int) -> SampleReader:
    return lambda first, last: read(offset + first, offset + last)


def _array_reader(samples: Samples) -> SampleReader:
    return Audio(samples, 1).between


def _read_blocks(read: SampleReader, first: int, last: int) -> Iterator[Samples]:
    for start in range(first, last, BLOCK):
        yield read(start, min(start + BLOCK, last))


def _cut(blocks: Iterator[Samples], num_samples: int) -> Iterator[Samples]:
    """Yield the first ``num_samples`` samples of the blocks."""
    left = num_samples
    for block in blocks:
        if left > 0:
            yield block[:, :left]
        left -= block.shape[1]
