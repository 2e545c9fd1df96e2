"""Live streams: endless music that is steered while it plays, and the settings that steer it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Literal, Protocol, Self, runtime_checkable

from pydantic import ConfigDict, Field, PlainSerializer

from tunesmith.fields import CheckedPrompt, GivenFields, checked
from tunesmith.request import IS_NUMBER

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Samples

MAX_BLOCK_SECONDS = 0.1
"""The longest block of a live stream in seconds; short, because a change is heard after what is sent already."""

SoundEncoding = Literal["pcm16", "float32"]
"""How the samples of a live stream are written: 16-bit integers or 32-bit floats, little-endian, channels in turn."""

MidiNote = Annotated[int, Field(ge=0, le=127), IS_NUMBER]


class LiveSettings(GivenFields):
    """What a live stream plays at present; any of it may change while it plays.

    ``blend`` is the share of ``second_prompt``, 0 to 1; it has no effect without one. ``notes`` are the MIDI numbers
    of the held notes, middle C is 60. ``drums`` is True or False, or None for the model's choice, as ``temperature``
    is. Raises InvalidRequest from :meth:`checked`.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)

    prompt: CheckedPrompt
    second_prompt: CheckedPrompt | None = None
    blend: Annotated[float, Field(ge=0, le=1), IS_NUMBER] = 0.5
    # JSON has no sets, and the same notes are the same text.
    notes: Annotated[frozenset[MidiNote], PlainSerializer(sorted, return_type=list[int], when_used="json")] = (
        frozenset()
    )
    drums: bool | None = None
    temperature: Annotated[float, Field(ge=0, le=10), IS_NUMBER] | None = None

    @classmethod
    def checked(cls, **fields: Any) -> Self:
        """Return validated settings; raise InvalidRequest with one line that names field, limit and value."""
        return checked(cls, fields)

    def changed(self, fields: Mapping[str, Any]) -> Self:
        """Return the settings with other values of some fields, validated; None leaves a field to the model.

        Raises InvalidRequest as :meth:`checked` does.
        """
        return self.checked(**{**{name: getattr(self, name) for name in self.model_fields_set}, **fields})


class LiveStream(Protocol):
    """Endless music in blocks, at ``sample_rate`` in Hz.

    The methods may be called from different threads; only one thread at a time asks for blocks.
    """

    sample_rate: int
    channels: int

    def change(self, settings: LiveSettings) -> None:
        """Play by other settings from the next possible sample on.

        Returns at once. Raises InvalidRequest for settings that the model does not take; the former ones then stay.
        """
        ...

    def next_block(self) -> Samples:
        """Return the next samples, (channels, n) float32 with 1 <= n <= MAX_BLOCK_SECONDS * sample_rate.

        Waits until they are made. At most one block is made ahead of the one that is asked for: whoever asks keeps
        the stock, and what lies in it no change reaches. A stream that nobody asks for a block rests. Every sample
        comes once, in order. Raises GenerationCancelled once the stream is closed, also in a call that waits.
        """
        ...

    def close(self) -> None:
        """End the stream and free what it holds, within a frame; closing twice is harmless."""
        ...


@runtime_checkable
class LiveGenerator(Protocol):
    """A generator that plays live streams."""

    def open_live(self, settings: LiveSettings, seed: int) -> LiveStream:
        """Start a live stream; the same settings, seed and changes at the same samples give the same music.

        Raises InvalidRequest for settings that the model does not take.
        """
        ...


def sound_bytes(samples: Samples, encoding: SoundEncoding) -> bytes:
    """Return (channels, n) samples as bytes in an encoding; ``pcm16`` clips at full scale."""
    import numpy as np

    frames = np.ascontiguousarray(samples.T, dtype="<f4")
    if encoding == "float32":
        return frames.tobytes()
    whole: bytes = np.clip(np.rint(frames * 32_768), -32_768, 32_767).astype("<i2").tobytes()
    return whole


def samples_of_bytes(sound: bytes, channels: int, encoding: SoundEncoding) -> Samples:
    """Return the samples (channels, n) that ``sound_bytes`` wrote, in float32."""
    import numpy as np

    is_float = encoding == "float32"
    frames = np.frombuffer(sound, "<f4" if is_float else "<i2").reshape(-1, channels)
    return np.ascontiguousarray(frames.T * np.float32(1 if is_float else 1 / 32_768), np.float32)
