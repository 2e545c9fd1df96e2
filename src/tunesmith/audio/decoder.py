"""Decoder: the samples of a sound file, block by block to its true end, within limits and in bounded memory."""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from types import TracebackType
from typing import BinaryIO, Self

import numpy as np
import soundfile

from tunesmith.audio.concatenated_file import ConcatenatedFile
from tunesmith.audio.header_correction import Corrected, corrected
from tunesmith.audio.media import MediaError, MediaSound, NoProgram, NoSound, media_kind
from tunesmith.audio.resample import resample_blocks
from tunesmith.audio.sample_format import SampleFormat
from tunesmith.audio.speaker_layout import USUAL_MASKS, from_vorbis
from tunesmith.audio.spool import Samples

# Over all channels.
BLOCK_SAMPLES = 131_072
LOWEST_RATE, HIGHEST_RATE = 1_000, 192_000
# Both formats order channels as Vorbis does: left, centre, right, and so on.
VORBIS_ORDERED = ("VORBIS", "OPUS")
PACKED = ("FLAC", "OGG", "MP3")
# As many bytes as ``media_kind`` looks at.
LONGEST_START = 16
# Each part is opened once to read its channels, which takes time for a file of tiny parts.
MOST_PARTS = 1_000


class LimitExceeded(Exception):
    """A sound exceeds a limit; the message begins with "must"."""


class DecodeError(Exception):
    """A sound cannot be decoded; the message is the decoder's."""


class NotASound(DecodeError):
    """A file decodes, but not to usable audio; the message says why."""


@dataclass(frozen=True, slots=True)
class SoundLimits:
    """The limits for a sound: channels, seconds, and samples over all channels."""

    channels: int = 64
    seconds: float = 24 * 3600.0
    samples: float = math.inf

    def check(self, sample_rate: int, channels: int) -> None:
        """Raise LimitExceeded for an unsupported sample rate in Hz or number of channels."""
        if not LOWEST_RATE <= sample_rate <= HIGHEST_RATE:
            raise LimitExceeded(f"must have a sample rate of {LOWEST_RATE} to {HIGHEST_RATE} Hz, got {sample_rate}")
        if channels > self.channels:
            raise LimitExceeded(f"must have at most {self.channels} channels, got {channels}")

    def check_length(self, num_samples: int, sample_rate: int, channels: int) -> None:
        """Raise LimitExceeded if ``num_samples`` per channel are more than the limits allow."""
        if num_samples > self.seconds * sample_rate or num_samples * channels > self.samples:
            size = "" if math.isinf(self.samples) else ", in stereo at 48 kHz"
            raise LimitExceeded(f"must be at most {self.seconds:g} s long{size}")


LOCAL_LIMITS = SoundLimits()


class Decoder:
    """An open sound file. Raises DecodeError and LimitExceeded, and reads nothing past the limits.

    The links of a chained Ogg file are joined: all at the sample rate of the first, and mono in every channel if other
    links have more.
    """

    def __init__(self, file: BinaryIO, limits: SoundLimits = LOCAL_LIMITS) -> None:
        self._limits = limits
        self._stack = ExitStack()
        try:
            self._open(file)
        except BaseException:
            self._stack.close()
            raise

    @property
    def sample_format(self) -> SampleFormat:
        """The sample format of the file; reliable once all samples are read."""
        return SampleFormat.of(self._first.subtype, self._speakers())

    def blocks(self) -> Iterator[Samples]:
        """Yield all samples in order, in blocks of (channels, n). Call it once.

        Raises NotASound for samples that are NaN or infinite, LimitExceeded once the sound is too long.
        """
        read = 0
        for number, part in enumerate(self._parts.parts):
            for block in self._part_blocks(self._first if number == 0 else self._opened(part)):
                read += block.shape[1]
                self._limits.check_length(read, self.sample_rate, self.channels)
                # A single NaN would spread through every filter and measurement.
                if not np.isfinite(block).all():
                    at = (read - block.shape[1]) / self.sample_rate
                    raise NotASound(f"at {at:.1f} s it has samples that are NaN or infinite")
                yield block

    def tags(self) -> dict[str, str]:
        """Return the tags that the decoder itself reads, by libsndfile's names."""
        return dict(self._first.copy_metadata())

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self._stack.close()

    def _open(self, file: BinaryIO) -> None:
        file.seek(0)
        kind = media_kind(file.read(LONGEST_START))
        self._parts = Corrected((ConcatenatedFile(file, ()),)) if kind else corrected(file)
        with _explained():
            # Decode one second past the limit, so that a longer sound exceeds it instead of being cut.
            first = MediaSound(file, kind, self._limits.seconds + 1) if kind else Sequential(self._parts.parts[0])
            self._first: Sequential | MediaSound = self._stack.enter_context(first)
        self.sample_rate = int(self._first.samplerate)
        self.channels = self._common_channels()
        self._limits.check(self.sample_rate, self.channels)
        self._check_claimed()

    def _opened(self, part: ConcatenatedFile) -> Sequential:
        with _explained():
            sound: Sequential = self._stack.enter_context(Sequential(part))
        return sound

    def _common_channels(self) -> int:
        """Return the largest number of channels; raise NotASound if parts differ other than by being mono."""
        if len(self._parts.parts) > MOST_PARTS:
            raise NotASound(f"it has {len(self._parts.parts)} parts; at most {MOST_PARTS} are read")
        found = {self._first.channels}
        for part in self._parts.parts[1:]:
            with _explained(), Sequential(part) as sound:
                found.add(sound.channels)
            # The part is decoded again, for its samples.
            part.seek(0)
        if len(found - {1}) > 1:
            raise NotASound(f"its parts have {' and '.join(map(str, sorted(found)))} channels")
        return int(max(found))

    def _speakers(self) -> int | None:
        """Return the channel mask that the file states or its format defines; None if there is none."""
        if self._first.format in ("FLAC", "OGG", MediaSound.format):
            return USUAL_MASKS.get(self.channels)
        return self._parts.channel_mask

    def _check_claimed(self) -> None:
        """Reject at once what is too long by its file size; compressed formats may state a wrong length."""
        if self._first.format not in PACKED:
            self._limits.check_length(self._first.frames, self.sample_rate, self.channels)

    def _part_blocks(self, sound: Sequential | MediaSound) -> Iterator[Samples]:
        # libsndfile leaves the channels of Vorbis and Opus in the order of Vorbis.
        order = from_vorbis(sound.channels) if sound.format == "OGG" and sound.subtype in VORBIS_ORDERED else None
        # Fewer frames for more channels bound the size of a block.
        blocks = _frames(sound, max(1_024, BLOCK_SAMPLES // self.channels))
        for block in resample_blocks(blocks, sound.channels, int(sound.samplerate), self.sample_rate):
            if len(block) != self.channels:
                yield np.repeat(block, self.channels, axis=0)
            else:
                yield block if order is None else np.ascontiguousarray(block[list(order)])


class Sequential(soundfile.SoundFile):  # type: ignore[misc]  # which has no types
    """A sound file that is read strictly forward: never at a position computed from a length that may be wrong."""

    def seekable(self) -> bool:
        """Return False."""
        return False


def _frames(sound: Sequential | MediaSound, count: int) -> Iterator[Samples]:
    while True:
        with _explained():
            frames = sound.read(count, dtype="float32", always_2d=True)
        if not len(frames):
            return
        yield np.ascontiguousarray(frames.T)


@contextmanager
def _explained() -> Iterator[None]:
    try:
        yield
    except (NoProgram, NoSound) as error:
        raise NotASound(str(error)) from error
    except MediaError as error:
        raise DecodeError(str(error)) from error
    except (soundfile.SoundFileError, RuntimeError) as error:
        raise DecodeError(str(getattr(error, "error_string", None) or error).rstrip(".")) from error
