"""Sample format: the bit depth of a sound file, and the speakers that its channels stand for."""

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
"""libsndfile's subtypes that have a bit depth: the bits, and whether they are floating point."""


@dataclass(frozen=True, slots=True)
class SampleFormat:
    """The sample format of a file.

    ``bits`` is None without a bit depth, as in MP3. ``channel_mask`` has one bit per speaker, lowest first, as in
    WAVE_FORMAT_EXTENSIBLE; it is None if the file does not state it.
    """

    bits: int | None = None
    is_float: bool = False
    channel_mask: int | None = None

    @classmethod
    def of(cls, subtype: str, channel_mask: int | None = None) -> SampleFormat:
        """Return the sample format of libsndfile's ``subtype``."""
        bits, is_float = SUBTYPES.get(subtype, (None, False))
        return cls(bits, is_float, channel_mask)

    @classmethod
    def joined(cls, formats: Iterable[SampleFormat]) -> SampleFormat:
        """Return the sample format of joined sounds: the largest bit depth, with the speakers of the first."""
        found = list(formats)
        deepest = max(found, key=lambda one: one.kept_bits)
        return replace(deepest, channel_mask=found[0].channel_mask)

    @property
    def kept_bits(self) -> int:
        """The smallest of 16, 24 and 32 (float) bits that loses no precision, as far as there is one."""
        if self.bits is None or self.bits <= DEFAULT_BITS:
            return DEFAULT_BITS
        # No integer format above 24 bits is written, so deeper samples become float.
        return 24 if self.bits <= 24 else FLOAT_BITS

    @property
    def name(self) -> str:
        """The sample format in words, such as ``32-bit float``."""
        return f"{self.bits}-bit float" if self.is_float else f"{self.bits}-bit"

    def without_speakers(self) -> SampleFormat:
        """Return the sample format without its channel mask, for another number of channels."""
        return replace(self, channel_mask=None)
