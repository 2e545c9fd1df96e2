"""A guided run: composition -> its mix or lead -> the model -> tempo and key checked -> stems laid back -> loudness."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tunesmith.audio import Audio
from tunesmith.audio.analysis.analyse import Analysis, analyse
from tunesmith.audio.analysis.grid_check import GridCheck, check_grid
from tunesmith.audio.analysis.loop_seam import Seam, seam_of
from tunesmith.audio.markers import whole_loop, with_markers
from tunesmith.audio.writer import write_audio
from tunesmith.composed.composition_request import composition_request
from tunesmith.composed.description import description, part_of_progress
from tunesmith.composed.loop_wrap import with_wrap, without_wrap, wrap_seconds
from tunesmith.composed.stems import check_roles
from tunesmith.composer.composition import Composition, compose
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck, Generator, GuidableGenerator, Progress, ProgressCallback
from tunesmith.guided.kept_stems import with_stems
from tunesmith.postprocess import postprocess
from tunesmith.request import COMPOSED_ENDINGS, NEURAL_FIELDS, STRENGTHS, GenerationRequest

COMPOSER_SHARE = 0.15
"""The share of the composer's work in the progress of the whole."""
ATTEMPTS, WEAKER = 3, 0.75
"""At most so many attempts, each with this share of the strength of the one before."""
DEFAULT_STRENGTH = STRENGTHS["redress"]
OF_THE_FILE = frozenset({"sample_rate", "mono", "loudness_lufs"})
OF_THE_MODEL = frozenset({"prompt", "seed", "genre", "instruments", "meter", *NEURAL_FIELDS}) - {"guide", "keep_stems"}
"""Fields that the model gets too."""


@dataclass(frozen=True, slots=True)
class _Attempt:
    """The sound of one attempt, at the model's rate, and what was measured of it."""

    audio: Audio
    strength: float | None
    check: GridCheck
    seam: Seam | None

    @property
    def faults(self) -> tuple[str, ...]:
        """What differs from the composition, in words."""
        heard = self.seam is not None and self.seam.is_audible
        return (*self.check.deviations, *(("loop: the seam can be heard",) if heard else ()))


@dataclass(frozen=True, slots=True)
class GuidedRun:
    """One guided generation."""

    generator: Generator
    request: GenerationRequest
    progress: ProgressCallback
    cancelled: CancelCheck

    def run(self) -> Audio:
        """Compose, generate until the composition is kept, and finish the best attempt."""
        field = self._input_field()
        composition = compose(composition_request(self.request))
        check_roles(composition, self.request.keep_stems)
        self._check_length(composition, field)
        guide = composition.mix(self._part(0.0, COMPOSER_SHARE), self.cancelled)
        # The guide is analysed once, and every attempt is compared with it.
        expected, attempts = analyse(guide), []
        with _written(composition, guide, field, loop=composition.score.loop) as path:
            for number in range(ATTEMPTS):
                attempts.append(self._attempt(composition, expected, field, path, number))
                # A melody has no strength to lower: another attempt would only draw again.
                if not attempts[-1].faults or field == "melody":
                    break
        best = min(attempts, key=lambda attempt: len(attempt.faults))
        return self._finished(composition, guide, best, len(attempts))

    def _input_field(self) -> str:
        """Return the field of the model that takes the guide: ``audio`` or ``melody``."""
        field = self.generator.guide_field if isinstance(self.generator, GuidableGenerator) else None
        if field is None:
            problem = f"{self.request.model} takes no audio to be guided by; Stable Audio and MusicGen melody models do"
            raise InvalidRequest("guide", problem)
        if getattr(self.request, field) is not None:
            raise InvalidRequest(field, "cannot go with guide: the composition takes its place")
        return field

    def _check_length(self, composition: Composition, field: str) -> None:
        assert isinstance(self.generator, GuidableGenerator)
        seconds, longest = composition.score.duration, self.generator.longest_guide
        if composition.score.loop and field == "audio":
            longest -= 2 * wrap_seconds(seconds)
        if seconds > longest:
            problem = f"{self.request.model} follows a composition of at most {longest:.1f} s, got {seconds:g} s"
            raise InvalidRequest("duration", problem)

    def _attempt(self, composition: Composition, expected: Analysis, field: str, path: Path, number: int) -> _Attempt:
        settings, seconds = composition.metadata["settings"], composition.score.duration
        wrap = wrap_seconds(seconds) if composition.score.loop and field == "audio" else 0.0
        fields: dict[str, Any] = {
            name: getattr(self.request, name) for name in self.request.model_fields_set & OF_THE_MODEL
        }  # fmt: skip
        fields |= {"model": self.request.model, field: path, "duration": seconds + 2 * wrap}
        fields |= {"tempo_bpm": settings["tempo_bpm"], "key": settings["key"]}
        strength = None
        if field == "audio":
            first = DEFAULT_STRENGTH if self.request.strength is None else self.request.strength
            strength = first * WEAKER**number
            fields["strength"] = strength
            # A piece ends where the composition does, and a loop does not end.
            # An ending that the composer writes is in the notes already.
            if fields.get("ending") in COMPOSED_ENDINGS:
                del fields["ending"]
            fields.setdefault("ending", "cut" if composition.score.loop else "natural")
        share = (1 - COMPOSER_SHARE) / ATTEMPTS
        progress = self._part(COMPOSER_SHARE + number * share, COMPOSER_SHARE + (number + 1) * share)
        made = self.generator.generate(GenerationRequest.checked(**fields), progress, self.cancelled)
        audio = without_wrap(made, wrap) if wrap else made
        tempo = settings["tempo_bpm"] if len(composition.score.tempo_map.changes) == 1 else None
        check = check_grid(expected, audio, tempo, settings["key"])
        return _Attempt(audio, strength, check, seam_of(audio) if composition.score.loop else None)

    def _finished(self, composition: Composition, guide: Audio, best: _Attempt, attempts: int) -> Audio:
        """Lay the kept stems back, set the loudness, and describe the result."""
        audio, score = best.audio, composition.score
        if self.request.keep_stems:
            audio = with_stems(audio, guide, composition, self.request.keep_stems, self.cancelled)
        fields = {name: getattr(self.request, name) for name in self.request.model_fields_set & OF_THE_FILE}
        # The result is as loud as the composer's own mix, unless the request says otherwise.
        loudness = {"loudness_lufs": score.mix.loudness_lufs} | fields
        wanted = GenerationRequest.checked(prompt=self.request.prompt, **loudness)
        audio, warnings = postprocess(audio, wanted)
        described = self._metadata(composition, best, attempts, warnings)
        if score.loop:
            described = with_markers(described, whole_loop(audio.num_samples, audio.sample_rate))
        self.progress(Progress("done", 1.0))
        return audio.with_metadata(**described)

    def _metadata(
        self, composition: Composition, best: _Attempt, attempts: int, warnings: tuple[str, ...]
    ) -> dict[str, Any]:
        guided = {
            "guide": self.request.guide, "keep_stems": list(self.request.keep_stems), "attempts": attempts,
            "measured_tempo_bpm": best.check.tempo_bpm, "measured_key": best.check.key, "strength": best.strength,
        }  # fmt: skip
        notices = [*map(_as_warning, best.faults), *warnings]
        return description(best.audio.metadata, composition, self.request, guided, notices)

    def _part(self, start: float, end: float) -> ProgressCallback:
        return part_of_progress(self.progress, start, end)


def _as_warning(fault: str) -> str:
    return f"{fault}; a lower strength keeps more of the composition"


@contextmanager
def _written(composition: Composition, guide: Audio, field: str, *, loop: bool) -> Iterator[Path]:
    """Write what guides the model as a file: the mix, with its wrap-around if it is a loop, or the lead."""
    with tempfile.TemporaryDirectory(prefix="tunesmith-guide-") as folder:
        path = Path(folder) / "composition.wav"
        if field == "melody":
            audio = _lead(composition)
        else:
            audio = with_wrap(guide, wrap_seconds(guide.duration)) if loop else guide
        write_audio(audio, path, bits=32)
        yield path


def _lead(composition: Composition) -> Audio:
    """Return the stem of the melody, or of the first part where a piece has none."""
    parts = composition.score.parts
    lead = next((part.name for part in parts if part.role == "melody"), parts[0].name)
    return next(audio for name, audio in composition.stems() if name == lead)
