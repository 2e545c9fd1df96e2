"""Build the recorded drum hits that ship with the package from the sonic-pi-samples package (CC0).

    python tools/build_drum_samples.py /usr/share/sonic-pi/samples

Each hit is trimmed to its sound, faded out, mixed to mono, brought to full scale and written as 16-bit FLAC.
"""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import soundfile

DESTINATION = Path(__file__).parent.parent / "src/tunesmith/composer/sounds/drums"
PICKS = {
    "kick_heavy": ("drum_heavy_kick", 0.3),
    "kick_fat": ("bd_fat", 0.25),
    "kick_acoustic": ("drum_bass_hard", 0.6),
    "kick_club": ("bd_klub", 0.37),
    "snare_acoustic": ("drum_snare_hard", 0.44),
    "snare_dusty": ("sn_dolf", 0.38),
    "snare_tight": ("sn_dub", 0.28),
    "snare_fat": ("sn_generic", 0.5),
    "snap": ("perc_snap", 0.3),
    "hat_closed": ("drum_cymbal_closed", 0.2),
    "hat_pedal": ("drum_cymbal_pedal", 0.25),
    "hat_open": ("drum_cymbal_open", 1.1),
    "crash": ("drum_splash_hard", 2.6),
    "ride": ("drum_cymbal_soft", 0.95),
    "tom_high": ("drum_tom_hi_hard", 0.7),
    "tom_mid": ("drum_tom_mid_hard", 0.7),
    "tom_low": ("drum_tom_lo_hard", 0.9),
    "boom": ("misc_cineboom", 2.4),
}
ONSET_DB, FADE_SECONDS, PEAK = -46.0, 0.03, 0.98


def build(source: Path) -> None:
    DESTINATION.mkdir(parents=True, exist_ok=True)
    for name, (sample, seconds) in PICKS.items():
        frames, rate = soundfile.read(source / f"{sample}.flac", always_2d=True)
        hit = trimmed(frames.mean(axis=1), round(seconds * rate), round(FADE_SECONDS * rate))
        soundfile.write(DESTINATION / f"{name}.flac", hit, rate, subtype="PCM_16")
    total = sum(file.stat().st_size for file in DESTINATION.glob("*.flac"))
    print(f"{len(PICKS)} hits, {total / 1e6:.2f} MB in {DESTINATION}")


def trimmed(mono: np.ndarray, length: int, fade: int) -> np.ndarray:
    onset = int(np.argmax(np.abs(mono) > np.abs(mono).max() * 10 ** (ONSET_DB / 20)))
    hit = mono[onset : onset + length].copy()
    hit[-fade:] *= np.linspace(1, 0, fade) ** 2
    return np.asarray(hit * (PEAK / np.abs(hit).max()))


if __name__ == "__main__":
    build(Path(sys.argv[1]))
