from __future__ import annotations

import io
import wave
from pathlib import Path

import numpy as np
import pytest
import soundfile

from tunesmith.audio.pcm_g711 import raw_chunks, to_alaw, to_ulaw

EVERY_SAMPLE = np.arange(-32768, 32768, dtype=np.int32)


def _decoded(codes: bytes, subtype: str) -> np.ndarray[tuple[int, ...], np.dtype[np.int32]]:
    sound, _ = soundfile.read(
        io.BytesIO(codes), format="RAW", subtype=subtype, channels=1, samplerate=8000, dtype="int16"
    )
    return np.asarray(sound, dtype=np.int32)


@pytest.mark.parametrize(("encode", "subtype"), [(to_ulaw, "ULAW"), (to_alaw, "ALAW")])
def test_every_sample_decodes_to_within_a_step_of_its_segment(encode: object, subtype: str) -> None:
    decoded = _decoded(encode(EVERY_SAMPLE), subtype)  # type: ignore[operator]
    assert (np.abs(decoded - EVERY_SAMPLE) <= np.abs(EVERY_SAMPLE) / 32 + 16).all()
    assert (np.diff(decoded) >= 0).all()


def test_pcm_pieces_are_the_samples_of_the_file(tmp_path: Path) -> None:
    samples = np.arange(50_000, dtype="<i2")
    with wave.open(str(tmp_path / "a.wav"), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(8000)
        file.writeframes(samples.tobytes())
    assert b"".join(raw_chunks(tmp_path / "a.wav")) == samples.tobytes()
