"""Writes tiny sound banks for the tests with struct alone, independently of the code under test."""

from __future__ import annotations

import io
import struct
from pathlib import Path

import numpy as np
import numpy.typing as npt
import soundfile

SINE_HZ, RATE, PERIODS = 441.0, 44_100, 200
LOOP = (10_000, 20_000)
Generators = list[tuple[int, int]]


def chunk(name: bytes, content: bytes, *, pad: bool = True) -> bytes:
    return name + struct.pack("<I", len(content)) + content + (b"\0" if len(content) % 2 and pad else b"")


def sine() -> npt.NDArray[np.float32]:
    return (0.5 * np.sin(2 * np.pi * SINE_HZ * np.arange(PERIODS * 100) / RATE)).astype(np.float32)


def vorbis(waveform: npt.NDArray[np.float32]) -> bytes:
    stream = io.BytesIO()
    soundfile.write(stream, waveform, RATE, format="OGG", subtype="VORBIS")
    return stream.getvalue()


def write_bank(
    path: Path, zone: Generators, *, compressed: bool = False, global_zone: Generators | None = None, pad: bool = True
) -> Path:
    """One preset (bank 0, program 5) of one sine sounding A4 plus 4 cents, with these instrument generators."""
    waveform = sine()
    pcm = vorbis(waveform) if compressed else (waveform * 32_767).astype("<i2").tobytes()
    end = len(pcm) if compressed else len(waveform)
    zones = ([global_zone] if global_zone is not None else []) + [[*zone, (53, 0)]]
    rows = [pair for generators in zones for pair in generators]
    starts = np.cumsum([0, *(len(generators) for generators in zones)]).tolist()
    correction = round(1200 * np.log2(440 / SINE_HZ))
    tables = [
        (
            b"phdr",
            struct.pack("<20sHHHIII", b"Sine", 5, 0, 0, 0, 0, 0) + struct.pack("<20sHHHIII", b"EOP", 0, 0, 1, 0, 0, 0),
        ),
        (b"pbag", struct.pack("<4H", 0, 0, 1, 0)),
        (b"pmod", bytes(10)),
        (b"pgen", struct.pack("<4H", 41, 0, 0, 0)),
        (b"inst", struct.pack("<20sH", b"Sine", 0) + struct.pack("<20sH", b"EOI", len(zones))),
        (b"ibag", b"".join(struct.pack("<HH", start, 0) for start in starts)),
        (b"imod", bytes(10)),
        (b"igen", b"".join(struct.pack("<Hh", *row) for row in rows) + bytes(4)),
        (
            b"shdr",
            struct.pack("<20s5IBbHH", b"Sine", 0, end, *LOOP, RATE, 69, correction, 0, 17 if compressed else 1)
            + bytes(46),
        ),
    ]
    body = (
        chunk(b"LIST", b"INFO" + chunk(b"ifil", struct.pack("<HH", 3 if compressed else 2, 1)))
        + chunk(b"LIST", b"sdta" + chunk(b"smpl", pcm, pad=pad), pad=pad)
        + chunk(b"LIST", b"pdta" + b"".join(chunk(name, content) for name, content in tables))
    )
    path.write_bytes(chunk(b"RIFF", b"sfbk" + body))
    return path


def frequency(sound: npt.NDArray[np.float32], near_hz: float) -> float:
    """The partial near a frequency, to a fraction of a cent, from the phase of a complex demodulation."""
    moments = np.arange(len(sound)) / RATE
    shifted = sound * np.exp(-2j * np.pi * near_hz * moments)
    size = len(sound) // 2
    window = np.hanning(size)
    first, second = (shifted[start : start + size] @ window for start in (0, len(sound) - size))
    step = (len(sound) - size) / RATE
    return float(near_hz + np.angle(second / first) / (2 * np.pi * step))
