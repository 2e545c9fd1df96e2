"""MagentaLiveStream: an endless stream whose prompts, notes and drums change while it plays."""

from __future__ import annotations

from collections import deque
from dataclasses import replace

import numpy as np

from tunesmith.audio.spool import Samples
from tunesmith.errors import GenerationCancelled
from tunesmith.live_stream import LiveSettings
from tunesmith.magenta_rt.conditioning import NUM_PITCHES, UNSAID, FrameControls, NoteState
from tunesmith.magenta_rt.frame_sources import Numbers
from tunesmith.magenta_rt.open_model import MagentaModel
from tunesmith.magenta_rt.pianoroll import Roll, check_polyphony, with_unsaid_pitches
from tunesmith.magenta_rt.request_mapping import DRAWS
from tunesmith.magenta_rt.sequence import FrameRequest
from tunesmith.magenta_rt.sound_stream import LIVE_CHUNKS
from tunesmith.magenta_rt.style.encoder import StyleEncoder
from tunesmith.neural.sampling import DrawSettings


class MagentaLiveStream:
    """See LiveStream. A block is made by the settings of the moment when the block before it is asked for."""

    def __init__(self, model: MagentaModel, settings: LiveSettings, seed: int) -> None:
        self.sample_rate = model.architecture.codec.sample_rate
        self.channels = model.architecture.codec.audio_channels
        self._style = model.style
        self._seed = seed
        self._now = _Playing(self._style, settings, seed)
        # What is played from which frame on. Frames that may be written already keep what they began with, so that the
        # same changes at the same blocks give the same music, however fast the threads are.
        self._plan = deque([(0, self._now)])
        # Pitches that sounded in the last frame: a new one begins with an onset.
        self._sounding: frozenset[int] = frozenset()
        request = FrameRequest(model.sources(self._numbers), seed, None, self._now.draws)
        self._stream = model.engine.open(request, LIVE_CHUNKS)

    def change(self, settings: LiveSettings) -> None:
        """Play by other settings from the block after the next on."""
        self._now = _Playing(self._style, settings, self._seed)

    def next_block(self) -> Samples:
        """Return the next samples (channels, n): 80 ms, clipped at full scale."""
        if self._now is not self._plan[-1][1]:
            self._plan.append((self._stream.sequence.allowed, self._now))
        block = self._stream.read()
        # A stream without an end ends only by being closed.
        if block is None:
            raise GenerationCancelled
        return np.clip(block, -1, 1)

    def close(self) -> None:
        """End the stream."""
        self._stream.close()

    def _numbers(self, frame: int) -> Numbers:
        """Return the numbers of the next frame; the engine asks once for each frame, in order."""
        while len(self._plan) > 1 and self._plan[1][0] <= frame:
            self._plan.popleft()
            self._stream.sequence.settings = self._plan[0][1].draws
        now = self._plan[0][1]
        numbers = now.numbers(now.notes - self._sounding)
        self._sounding = now.notes
        return numbers


class _Playing:
    """What the stream plays at present: the settings in the model's terms."""

    def __init__(self, style: StyleEncoder, settings: LiveSettings, seed: int) -> None:
        check_polyphony(len(settings.notes))
        prompts = [(settings.prompt, 1.0)]
        if settings.second_prompt is not None:
            prompts = [(settings.prompt, 1.0 - settings.blend), (settings.second_prompt, settings.blend)]
        self.notes = frozenset(settings.notes)
        self.draws: DrawSettings = DRAWS
        if settings.temperature is not None:
            self.draws = replace(DRAWS, temperature=settings.temperature)
        drums = UNSAID if settings.drums is None else int(settings.drums)
        self._controls = FrameControls(style=style.encode(prompts, seed), drums=drums)

    def numbers(self, onsets: frozenset[int]) -> Numbers:
        """Return the numbers of a frame in which some of the held notes begin.

        Pitches near a held one are off, or they would blur it; the model may play all others.
        """
        roll: Roll = np.zeros((1, NUM_PITCHES), np.int8)
        roll[0, list(self.notes)] = NoteState.HELD
        roll[0, list(onsets)] = NoteState.ONSET
        numbers: Numbers = self._controls.frames(with_unsaid_pitches(roll))[0]
        return numbers
