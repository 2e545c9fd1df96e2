"""Writable sound file formats, as a table: a new format takes one row."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

from tunesmith.errors import InvalidRequest

# The codecs support no other rates, so sounds at other rates are resampled.
OPUS_RATES = (8000, 12000, 16000, 24000, 48000)
# The rates of MPEG 1, 2 and 2.5.
MP3_RATES = (8000, 11025, 12000, 16000, 22050, 24000, 32000, 44100, 48000)


@dataclass(frozen=True, slots=True)
class Format:
    """One format: libsndfile's ``container`` and its ``subtypes`` by bit depth (0 without one).

    ``sample_rates`` lists the supported rates in Hz, empty for any; ``channels`` is the maximum.
    """

    container: str
    subtypes: Mapping[int, str]
    media_type: str
    sample_rates: tuple[int, ...] = ()
    channels: int = 64

    def subtype(self, bits: int) -> str:
        """Return libsndfile's subtype; raise InvalidRequest for an unsupported bit depth."""
        if 0 in self.subtypes:
            return self.subtypes[0]
        if bits not in self.subtypes:
            raise InvalidRequest(
                "bits", f"must be {', '.join(map(str, self.subtypes))} for {self.container}, got {bits}"
            )
        return self.subtypes[bits]

    def check_channels(self, channels: int) -> None:
        """Raise InvalidRequest for more channels than the format supports."""
        if channels > self.channels:
            raise InvalidRequest("output", f"{self.container} has at most {self.channels} channels, got {channels}")

    def nearest_bits(self, wanted: int) -> int:
        """Return the smallest bit depth that is at least ``wanted``, else the largest; 0 for a format without one."""
        return min((bits for bits in self.subtypes if bits >= wanted), default=max(self.subtypes))

    def sample_rate(self, wanted: int) -> int:
        """Return the wanted rate in Hz, or the next higher supported one, else the highest."""
        if not self.sample_rates or wanted in self.sample_rates:
            return wanted
        return min((rate for rate in self.sample_rates if rate >= wanted), default=self.sample_rates[-1])


FORMATS: Mapping[str, Format] = MappingProxyType(
    {
        ".wav": Format("WAV", {16: "PCM_16", 24: "PCM_24", 32: "FLOAT"}, "audio/wav"),
        ".flac": Format("FLAC", {16: "PCM_16", 24: "PCM_24"}, "audio/flac", channels=8),
        ".mp3": Format("MP3", {0: "MPEG_LAYER_III"}, "audio/mpeg", MP3_RATES, channels=2),
        ".ogg": Format("OGG", {0: "VORBIS"}, "audio/ogg"),
        ".opus": Format("OGG", {0: "OPUS"}, "audio/ogg", OPUS_RATES),
    }
)


def format_of(path: Path, field: str = "output") -> Format:
    """Return the format of the path's suffix; raise InvalidRequest that lists the formats if there is none."""
    found = FORMATS.get(path.suffix.lower())
    if found is None:
        got = repr(path.suffix) if path.suffix else f"{path.name!r} without a suffix"
        raise InvalidRequest(field, f"the suffix must be one of {', '.join(FORMATS)}, got {got}")
    return found
