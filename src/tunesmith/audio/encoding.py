"""Encoding: how a sound file stores its samples."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from types import MappingProxyType

DEFAULT_BITS, FLOAT_BITS = 16, 32

SUBTYPES: Mapping[str, tuple[int, bool]] = MappingProxyType({
    "PCM_S8": (8, False), "PCM_U8": (8, False), "PCM_16": (16, False), "PCM_24": (24, False), "PCM_32": (32, False),
    "FLOAT": (32, True), "DOUBLE": (64, True), "ALAC_16": (16, False), "ALAC_20": (20, False), "ALAC_24": (24, False),
    "ALAC_32": (32, False), "DWVW_12": (12, False), "DWVW_16": (16, False), "DWVW_24": (24, False),
    "DPCM_8": (8, False), "DPCM_16": (16, False),
})  # fmt: skip
"""libsndfile's names of encodings that keep a bit depth: the bits, and whether they are floating-point numbers."""


@dataclass(frozen=True, slots=True)
class Encoding:
    """How a file stores its samples.

    ``bits`` is None where it has no depth, as in MP3; ``channel_mask`` has a bit for each speaker, lowest first, as in
    WAVE_FORMAT_EXTENSIBLE, and is None where the file does not say.
    """

    bits: int | None = None
    is_float: bool = False
    channel_mask: int | None = None

    @classmethod
    def of(cls, subtype: str, channel_mask: int | None = None) -> Encoding:
        """Return the encoding that libsndfile calls ``subtype``."""
        bits, is_float = SUBTYPES.get(subtype, (None, False))
        return cls(bits, is_float, channel_mask)

    @classmethod
    def joined(cls, encodings: Iterable[Encoding]) -> Encoding:
        """Return the one for sounds put together: the deepest, with the first one's speakers."""
        found = list(encodings)
        deepest = max(found, key=lambda encoding: encoding.kept_bits)
        return replace(deepest, channel_mask=found[0].channel_mask)

    @property
    def kept_bits(self) -> int:
        """Return the depth, of 16, 24 and 32 (float), that keeps most of the samples."""
        if self.bits is None or self.bits <= DEFAULT_BITS:
            return DEFAULT_BITS
        return 24 if self.bits <= 24 else FLOAT_BITS

    @property
    def name(self) -> str:
        """Return it in words, such as ``32-bit float``."""
        return f"{self.bits}-bit float" if self.is_float else f"{self.bits}-bit"

    def without_speakers(self) -> Encoding:
        """Return it for another number of channels."""
        return replace(self, channel_mask=None)
