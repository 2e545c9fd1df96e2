"""Generation of a batch: descriptions, prompts and melodies to sequences that share the engine's steps, to codes."""

from __future__ import annotations

import warnings
from collections import deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from tunesmith.audiocraft.errors import ArgumentError
from tunesmith.errors import QueueFull
from tunesmith.musicgen.architecture import Architecture
from tunesmith.musicgen.audio_prompts import chroma_of_windows
from tunesmith.musicgen.engine import Engine
from tunesmith.musicgen.runner import Codes
from tunesmith.musicgen.sampling import SamplerSettings
from tunesmith.musicgen.sequence import Sequence as EngineSequence
from tunesmith.musicgen.sequence import SequenceRequest
from tunesmith.request import MAX_DURATION_SECONDS

if TYPE_CHECKING:
    from tunesmith.audiocraft.models.genmodel import ConditionedItem

StepCallback = Callable[[int, int], None]
"""A callback with the steps done and the steps in all."""


@dataclass(frozen=True, slots=True)
class GenerationParams:
    """The parameters of a batch in the engine's terms; lengths in frames.

    ``uses_text`` is False for a ``cfg_coef`` of 0, which leaves the unconditional logits.
    """

    frames: int
    stride_frames: int
    sampler: SamplerSettings
    uses_text: bool

    @classmethod
    def checked(
        cls, params: Mapping[str, Any], duration: float, extend_stride: float, architecture: Architecture
    ) -> GenerationParams:
        """Check AudioCraft's parameters; seconds are rounded down to frames. Raises ArgumentError."""
        rate, window = architecture.frame_rate, architecture.window_seconds
        stride = _number("extend_stride", extend_stride, 1 / rate, window - 1 / rate)
        scale = _number("cfg_coef", params["cfg_coef"], 0, 1000)
        if 0 < scale < 1:
            raise ArgumentError("cfg_coef", f"must be 0 or at least 1, got {scale:g}")
        temperature = _number("temperature", params["temp"], -1000, 1000) if params["use_sampling"] else 0
        sampler = SamplerSettings(
            # AudioCraft takes the most likely code at a temperature below 0 too.
            max(0.0, temperature), int(_number("top_k", params["top_k"], 0, 10**9)),
            _number("top_p", params["top_p"], 0, 1), max(1.0, scale),
        )  # fmt: skip
        frames = int(_number("duration", duration, 1 / rate, MAX_DURATION_SECONDS) * rate)
        return cls(frames, int(stride * rate), sampler, scale > 0)


def _number(field: str, value: object, least: float, most: float) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float | np.number) or not least <= value <= most:
        raise ArgumentError(field, f"must be {least:g} to {most:g}, got {value!r}")
    return float(value)


def make_requests(
    engine: Engine, items: Sequence[ConditionedItem], seeds: Iterable[int], params: GenerationParams
) -> list[SequenceRequest]:
    """Return one request per item. Raises ArgumentError for a prompt that is as long as the result."""
    return [_request(engine, item, seed, params) for item, seed in zip(items, seeds, strict=True)]


def _request(engine: Engine, item: ConditionedItem, seed: int, params: GenerationParams) -> SequenceRequest:
    architecture = engine.architecture
    if item.given is not None and item.given.shape[1] >= params.frames:
        have, wanted = (count / architecture.frame_rate for count in (item.given.shape[1], params.frames))
        raise ArgumentError("prompt", f"must be shorter than the {wanted:g} s to generate, got {have:g} s")
    melody = None
    if item.melody is not None and params.uses_text:
        one_window = params.frames <= architecture.window_frames
        melody = chroma_of_windows(item.melody, architecture, one_window)
    ids = _token_ids(engine, item.description) if item.description and params.uses_text else ()
    return SequenceRequest(
        ids, params.frames, seed, params.sampler, given=item.given, melody=melody, stride_frames=params.stride_frames
    )


def _token_ids(engine: Engine, description: str) -> tuple[int, ...]:
    tokens = engine.tokenizer.encode(description)
    if tokens.num_cut:
        read = len(tokens.ids) + tokens.num_cut
        problem = f"the last {tokens.num_cut} of {read} tokens of a description were cut; the model reads no more"
        warnings.warn(problem, UserWarning, stacklevel=6)
    return tokens.ids


def run_batch(engine: Engine, requests: Sequence[SequenceRequest], on_step: StepCallback) -> list[Codes]:
    """Generate all requests as one batch of the engine; return the codes (codebooks, frames) of each.

    ``on_step`` gets the steps done, from 1 on without gaps, and the steps in all: the mean of the items, because those
    that find no free rows begin after others have ended. An error, also one of the callback, ends every item.
    """
    waiting, sequences = deque(requests), list[EngineSequence]()
    reported = 0
    try:
        while not all(sequence.ended for sequence in sequences) or waiting:
            _submit(engine, waiting, sequences)
            # Another thread may have ended the last one meanwhile.
            running = next((sequence for sequence in sequences if not sequence.ended), None)
            if running:
                engine.advance(running)
            for sequence in sequences:
                if sequence.error:
                    raise sequence.error
            done = sum(sequence.steps_done for sequence in sequences) // len(requests)
            for step in range(reported + 1, done + 1):
                on_step(step, sequences[0].steps_total)
            reported = max(reported, done)
        return [sequence.result() for sequence in sequences]
    finally:
        _release(engine, sequences)


def _submit(engine: Engine, waiting: deque[SequenceRequest], sequences: list[EngineSequence]) -> None:
    """Submit requests until the engine's queue is full."""
    while waiting:
        try:
            sequences.append(engine.submit(waiting[0]))
        except QueueFull:
            return
        waiting.popleft()


def _release(engine: Engine, sequences: Iterable[EngineSequence]) -> None:
    left = [sequence for sequence in sequences if not sequence.ended]
    for sequence in left:
        sequence.cancel()
    # The rows of cancelled sequences are free after one step.
    if left:
        engine.step()


class ProgressSteps:
    """Steps as AudioCraft reports them to a callback: (codes so far, steps of the current window).

    The first number goes on from the start of the window, the second is that of the window alone. With no callback of
    the caller's, both are printed over the last line.
    """

    def __init__(self, request: SequenceRequest, architecture: Architecture, callback: StepCallback | None) -> None:
        windows = EngineSequence(request, architecture).windows
        longest_delay = max(architecture.delays)
        self._windows = [(window.start, window.length - window.known + longest_delay) for window in windows]
        self._callback = callback or _print_steps

    def __call__(self, done: int, _total: int) -> None:
        """Report a step, counted over all windows."""
        for start, steps in self._windows:
            if done <= steps:
                self._callback(done + start, steps)
                return
            done -= steps


def _print_steps(generated: int, to_generate: int) -> None:
    print(f"{generated: 6d} / {to_generate: 6d}", end="\r")  # noqa: T201  what AudioCraft prints
