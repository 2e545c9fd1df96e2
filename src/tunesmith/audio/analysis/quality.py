"""Quality: a score of a sound by measurements against the requested targets, with reasons.

It does not judge taste. It finds defects (silence, clipping, an audible seam) and deviations from the request (tempo,
key, loudness), so that the best of several variations come first.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from tunesmith.audio.analysis.analyse import Analysis
from tunesmith.audio.analysis.key import NAMES
from tunesmith.audio.analysis.level_stats import OCTAVES_HZ, LevelStats
from tunesmith.audio.analysis.loop_seam import Seam, falling_score, seam_of
from tunesmith.audio.buffer import Audio

WEIGHTS: Mapping[str, float] = {
    "loudness": 1, "balance": 2, "tempo": 3, "key": 2, "seam": 3,
    "hook": 2, "tone": 2, "mood": 2, "genre": 1, "ending": 1,
}  # fmt: skip
"""Weights in the mean; silence and clipping instead multiply the score."""
# The score of what cannot be judged: neither a fault nor a merit.
UNKNOWN = 0.5
SCALES: Mapping[str, tuple[int, ...]] = {"major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10)}
SHARED_NOTES: Mapping[int, float] = {7: 0.85, 6: 0.6, 5: 0.35}
USUAL_LUFS = (-24.0, -9.0)
OTHER_LEVELS = (0.5, 2.0, 1 / 3, 3.0, 2 / 3, 1.5)
"""Ratios of tempo: beat tracking may find another metrical level than the requested one."""


@dataclass(frozen=True, slots=True)
class TargetKey:
    """A requested key: its name, and its notes as pitch classes from the tonic up."""

    name: str
    notes: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class QualityTargets:
    """The measurable targets of a request, None if unspecified; ``tempo_bpm`` is a range."""

    tempo_bpm: tuple[float, float] | None = None
    key: TargetKey | None = None
    loudness_lufs: float | None = None
    loop: bool = False


@dataclass(frozen=True, slots=True)
class Finding:
    """The result of one measure: ``score`` from 0 (useless) to 1 (no fault), and the reason."""

    measure: str
    score: float
    reason: str


@dataclass(frozen=True, slots=True)
class Quality:
    """All findings on a sound, and its total score."""

    findings: tuple[Finding, ...]

    @property
    def score(self) -> float:
        """The weighted mean of the findings times the scores of silence and clipping, 0 to 100."""
        found = {finding.measure: finding.score for finding in self.findings}
        counted = {measure: WEIGHTS[measure] for measure in found if measure in WEIGHTS}
        mean = sum(found[measure] * weight for measure, weight in counted.items()) / sum(counted.values())
        return round(100 * mean * found["silence"] * found["clipping"], 1)

    @property
    def reasons(self) -> tuple[str, ...]:
        """The reasons, most severe first."""
        cost = {finding: (1 - finding.score) * WEIGHTS.get(finding.measure, 9) for finding in self.findings}
        return tuple(finding.reason for finding in sorted(self.findings, key=lambda one: -cost[one]))


def fault_findings(audio: Audio, levels: LevelStats, analysis: Analysis, wanted: QualityTargets) -> tuple[Finding, ...]:
    """Return the findings of faults and of deviations from the request."""
    findings = [_silence(levels), _clipping(levels), _loudness(levels, wanted.loudness_lufs), _balance(levels)]
    if wanted.tempo_bpm is not None:
        findings.append(_tempo(analysis, *wanted.tempo_bpm))
    if wanted.key is not None:
        findings.append(_key(analysis, wanted.key))
    if wanted.loop:
        findings.append(_seam(seam_of(audio)))
    return tuple(findings)


def _silence(levels: LevelStats) -> Finding:
    # Many short gaps and one long gap are both faults.
    score = min(falling_score(levels.silent, 0.2, 0.9), max(0.3, falling_score(levels.longest_gap, 2.0, 8.0)))
    if levels.silent >= 0.995:
        return Finding("silence", 0.0, "it is silent")
    if score == 1:
        return Finding("silence", 1.0, "no gaps")
    return Finding("silence", score, f"{levels.silent:.0%} silent, up to {levels.longest_gap:.1f} s")


def _clipping(levels: LevelStats) -> Finding:
    if levels.clipped == 0:
        return Finding("clipping", 1.0, "no clipping")
    # Even a small share of clipped samples is audible, so the scale is logarithmic.
    score = max(0.0, 0.8 - 0.2 * max(0.0, math.log10(levels.clipped * 1e5)))
    return Finding("clipping", score, f"{levels.clipped:.2%} of it is clipped")


def _loudness(levels: LevelStats, wanted: float | None) -> Finding:
    lufs = levels.loudness_lufs
    if not math.isfinite(lufs):
        return Finding("loudness", 0.0, "no loudness")
    if wanted is not None:
        return Finding("loudness", falling_score(abs(lufs - wanted), 1.0, 10.0), f"{lufs:.1f} LUFS (target {wanted:g})")
    quietest, loudest = USUAL_LUFS
    outside = max(quietest - lufs, lufs - loudest, 0.0)
    return Finding("loudness", falling_score(outside, 0.0, 20.0), f"{lufs:.1f} LUFS")


def _balance(levels: LevelStats) -> Finding:
    shares = dict(zip(OCTAVES_HZ, levels.octaves, strict=True))
    if not any(levels.octaves):
        return Finding("balance", 0.0, "no spectrum")
    low, high = shares[63] + shares[125], shares[4000] + shares[8000]
    faults = {
        "boomy": falling_score(low, 0.85, 0.99),
        "shrill": falling_score(high, 0.15, 0.5),
        "dull": falling_score(_decibels(high), -40, -65),
        # These two may be intended, so they cost at most half.
        "thin": max(UNKNOWN, falling_score(_decibels(low), -30, -60)),
        "hardly more than a tone": max(UNKNOWN, falling_score(max(levels.octaves), 0.9, 1.0)),
    }
    worst = min(faults, key=lambda name: faults[name])
    return Finding("balance", faults[worst], worst if faults[worst] < 0.95 else "balanced")


def _tempo(analysis: Analysis, lowest: float, highest: float) -> Finding:
    target = f"{lowest:g}" if lowest == highest else f"{lowest:g} to {highest:g}"
    if analysis.rhythm is None:
        return Finding("tempo", UNKNOWN, f"no clear beat (target {target} bpm)")
    bpm = analysis.rhythm.tempo_bpm
    # A match at another metrical level counts a little less.
    scores = [_near(bpm, lowest, highest), *(0.9 * _near(bpm * level, lowest, highest) for level in OTHER_LEVELS)]
    return Finding("tempo", max(scores), f"{bpm:.1f} bpm (target {target})")


def _near(bpm: float, lowest: float, highest: float) -> float:
    return falling_score(max(lowest / bpm, bpm / highest, 1.0) - 1, 0.01, 0.08)


def _key(analysis: Analysis, wanted: TargetKey) -> Finding:
    if analysis.key is None:
        return Finding("key", UNKNOWN, f"no clear key (target {wanted.name})")
    tonic_name, mode = analysis.key.name.split()
    tonic = NAMES.index(tonic_name)
    notes = {(tonic + step) % 12 for step in SCALES[mode]}
    missing = len(set(wanted.notes) - notes)
    # The third decides between major and minor, since a request may name another mode.
    same = tonic == wanted.notes[0] and ((tonic + 4) % 12 in notes) == ((tonic + 4) % 12 in wanted.notes)
    # A key that shares most of its notes sounds close to the requested one.
    score = 1.0 if same else SHARED_NOTES.get(7 - missing, 0.1)
    return Finding("key", score, f"{analysis.key.name} (target {wanted.name})")


def _seam(seam: Seam) -> Finding:
    return Finding("seam", seam.score, "the seam of the loop is audible" if seam.is_audible else "the loop is seamless")


def _decibels(share: float) -> float:
    return 10 * math.log10(max(share, 1e-12))
