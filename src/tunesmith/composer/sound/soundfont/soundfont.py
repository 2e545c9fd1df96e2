"""A sound bank (SF2 or SF3): the regions of each program, and the samples, decoded when first needed."""

from __future__ import annotations

import functools
import io
from collections.abc import Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

import numpy as np
import soundfile

from tunesmith.composer.sound.lru_cache import ByteCache, Floats
from tunesmith.composer.sound.soundfont.sf2_tables import COMPRESSED, read_hydra
from tunesmith.composer.sound.soundfont.zones import Region, preset_regions
from tunesmith.errors import SoundFontError

KIT_BANK = 128
"""The bank number of drum kits."""

DECODED_BYTES = 48 * 2**20
PITCHED_BYTES = 160 * 2**20
_SHORTEST_DECODED = 32_768
# Longer decodes that are looked for: up to 16 times as long.
_LONGER = 5


@dataclass(frozen=True, slots=True)
class Sample:
    """The header of a recording.

    ``rate`` is in Hz; the recording sounds MIDI ``key`` minus ``correction`` cents; it may loop from ``loop_start`` to
    ``loop_end`` (exclusive), in samples.
    """

    rate: int
    key: int
    correction: int
    loop_start: int
    loop_end: int


class SoundFont:
    """An open bank.

    Decoded samples take at most DECODED_BYTES, and ``pitched`` (samples resampled to a key, filled by the sampler) at
    most PITCHED_BYTES, however many instruments play.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        # The tables are small and read at once; samples stay in the file until they are needed.
        self._hydra = read_hydra(path)
        self._decoded = ByteCache(DECODED_BYTES)
        self.pitched = ByteCache(PITCHED_BYTES)
        header = self._hydra.phdr[:-1]
        places = zip(header["bank"].tolist(), header["program"].tolist(), strict=True)
        self._presets = {place: index for index, place in enumerate(places)}
        self._regions: dict[int, tuple[Region, ...]] = {}
        self._samples: dict[int, Sample] = {}

    @property
    def presets(self) -> Sequence[tuple[int, int]]:
        """Every (bank, program), sorted."""
        return sorted(self._presets)

    def has(self, bank: int, program: int) -> bool:
        """Return whether the bank has the program."""
        return (bank, program) in self._presets

    def regions(self, bank: int, program: int) -> tuple[Region, ...]:
        """Return the regions of a program; raise SoundFontError if the bank lacks it."""
        if (bank, program) not in self._presets:
            raise SoundFontError(f"{self.path}: has no program {program} in bank {bank}")
        preset = self._presets[bank, program]
        if preset not in self._regions:
            self._regions[preset] = preset_regions(self._hydra, preset)
        return self._regions[preset]

    def sample(self, index: int) -> Sample:
        """Return the header of one sample without decoding it."""
        if index not in self._samples:
            self._samples[index] = self._read_sample(index)
        return self._samples[index]

    def _read_sample(self, index: int) -> Sample:
        row = self._hydra.shdr[index]
        # SF3 counts loops from the sample's own start, SF2 from the start of all samples.
        origin = 0 if row["kind"] & COMPRESSED else int(row["start"])
        # A broken header must not break the bank, so impossible values are replaced.
        return Sample(
            rate=max(400, int(row["rate"])),
            key=int(row["key"]) if row["key"] <= 127 else 60,
            correction=int(row["correction"]),
            loop_start=max(0, int(row["loop_start"]) - origin),
            loop_end=max(0, int(row["loop_end"]) - origin),
        )

    def waveform(self, index: int, length: int = -1) -> Floats:
        """Return the first ``length`` samples or somewhat more, mono float32; all where ``length`` is −1 or too large.

        Decoding only the beginning keeps short notes of long recordings fast. Raises SoundFontError for broken bytes.
        """
        # Powers of two, so that notes of similar length share a cached decode.
        frames = -1 if length < 0 else max(_SHORTEST_DECODED, 1 << (length - 1).bit_length())
        # A longer decode begins with the same samples; it may have more than were requested, as may any.
        longer = (-1, *(frames << doubling for doubling in range(_LONGER))) if frames > 0 else (-1,)
        found = next((size for size in longer if (index, size) in self._decoded), frames)
        return self._decoded.get((index, found), lambda: self._decode(index, found))

    def encoded(self, index: int) -> bytes:
        """Return the bytes of a sample as the bank stores them."""
        row = self._hydra.shdr[index]
        # SF3 counts bytes of the compressed stream, SF2 16-bit samples.
        width = 1 if row["kind"] & COMPRESSED else 2
        start, end = width * int(row["start"]), width * int(row["end"])
        if not 0 <= start < end <= self._hydra.samples_size:
            raise SoundFontError(f"{self.path}: {self._named(index)} is empty or lies outside the bank's samples")
        with self.path.open("rb") as file:
            file.seek(self._hydra.samples_offset + start)
            return file.read(end - start)

    def _decode(self, index: int, frames: int) -> Floats:
        content = self.encoded(index)
        if not self._hydra.shdr[index]["kind"] & COMPRESSED:
            return np.frombuffer(content, "<i2")[: None if frames < 0 else frames].astype(np.float32) / np.float32(
                32_768
            )
        try:
            waveform, _ = soundfile.read(io.BytesIO(content), frames, dtype="float32", always_2d=True)
        except soundfile.LibsndfileError as error:
            raise SoundFontError(f"{self.path}: {self._named(index)} cannot be decoded: {error}") from error
        if not len(waveform):
            raise SoundFontError(f"{self.path}: {self._named(index)} holds no sound")
        return np.ascontiguousarray(waveform[:, 0])

    def _named(self, index: int) -> str:
        name = self._hydra.shdr["name"][index].split(b"\0")[0].decode("latin-1")
        return f"sample {index} ({name})"


@functools.cache
def built_in_bank() -> SoundFont:
    """Return the bank that comes with Tunesmith, opened once per process, so that its caches are shared."""
    return SoundFont(Path(str(resources.files("tunesmith.composer") / "sounds" / "bank.sf3")))


def open_bank(path: Path | None = None) -> SoundFont:
    """Return a user's bank, or the built-in one; raise SoundFontError if it is broken or no sound bank."""
    return built_in_bank() if path is None else SoundFont(path)
