"""A performed run: composition -> notes -> n performances -> the best by recall -> the composer's stems over it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tunesmith.audio import Audio
from tunesmith.audio.markers import whole_loop, with_markers
from tunesmith.composed.composition_request import composition_request
from tunesmith.composed.description import description, part_of_progress
from tunesmith.composed.stems import check_roles, summed_stems
from tunesmith.composer.composition import Composition, RenderOptions, compose
from tunesmith.composer.render import length_in_samples
from tunesmith.composer.rng import rng_for
from tunesmith.errors import GenerationCancelled, InvalidRequest
from tunesmith.files import file_sha256
from tunesmith.generator import CancelCheck, Generator, PerformingGenerator, Progress, ProgressCallback
from tunesmith.performed.note_sheet import PerformancePlan, plan_performance
from tunesmith.performed.premaster import at_composers_rate, gain_to_match, laid_over
from tunesmith.performed.recall import Recall, recall_of
from tunesmith.request import COMPOSED_ENDINGS, DRAWN_SEEDS, NEURAL_FIELDS, OF_PERFORMANCES, GenerationRequest

USUAL_PERFORMANCES = 3
STEMS_END, PERFORMING_ENDS, LISTENING_ENDS = 0.1, 0.85, 0.9
"""The fractions of the whole at which the stages of the work end."""
LEAST_NOTES, LEAST_ONSETS = 0.6, 0.25
"""Below this share of the notes, or of the onsets beyond chance, the result says so: another piece has less."""
# About a frame of 40 ms, the smallest step of lead_frames.
LEAST_LAG = 0.03
OF_THE_MODEL = frozenset({"prompt", "genre", "mood", "instruments", *NEURAL_FIELDS}) - {
    "guide", "keep_stems", "perform", *OF_PERFORMANCES,
}  # fmt: skip
"""Fields that the model gets too: tempo and key are in the notes."""
RECORDINGS = ("audio", "melody", "strength", "repaint")


@dataclass(frozen=True, slots=True)
class Performance:
    """One performance at the composer's rate, the seed that it was drawn from, and how much of the notes is heard."""

    audio: Audio
    seed: int
    recall: Recall

    def as_json(self) -> dict[str, Any]:
        """Return seed, recalls and lag as plain JSON values."""
        recall = self.recall
        return {
            "seed": self.seed,
            "pitch_class_recall": round(recall.pitch_classes, 3),
            "onset_recall": round(recall.onsets, 3),
            "onset_chance": round(recall.onset_chance, 3),
            "lag_ms": round(1000 * recall.lag_seconds),
        }


@dataclass(frozen=True, slots=True)
class PerformedRun:
    """One generation by a model that performs the composer's notes."""

    generator: Generator
    request: GenerationRequest
    progress: ProgressCallback
    cancelled: CancelCheck

    def run(self) -> Audio:
        """Compose, let the model perform, keep the best performance, and finish it with the composer's own stems."""
        performer = self._performer()
        composition = self._composition()
        plan = plan_performance(composition, self.request)
        if plan.sheet.duration > performer.longest_performance:
            longest = performer.longest_performance - 2 * plan.wrap
            problem = f"{self.request.model} performs at most {longest:g} s, got {composition.score.duration:g} s"
            raise InvalidRequest("duration", problem)
        progress = part_of_progress(self.progress, 0.0, STEMS_END)
        groups = plan.performed, plan.kept
        replaced, kept = summed_stems(composition, *groups, progress=progress, cancelled=self.cancelled)
        performances = self._performances(performer, plan, length_in_samples(composition.score))
        # The first of equals: max keeps it.
        best = max(performances, key=lambda one: one.recall.total)
        length, loop = length_in_samples(composition.score), composition.score.loop
        gain_db = gain_to_match(best.audio, replaced)
        premaster = laid_over(best.audio, kept, length, gain_db, loop=loop)
        audio = composition.mastered(premaster, part_of_progress(self.progress, LISTENING_ENDS, 1.0), self.cancelled)
        described = self._metadata(composition, performances, best)
        if loop:
            described = with_markers(described, whole_loop(audio.num_samples, audio.sample_rate))
        return audio.without_metadata().with_metadata(**described)

    def _performer(self) -> PerformingGenerator:
        if not isinstance(self.generator, PerformingGenerator):
            problem = f"{self.request.model} plays no notes that it is given; magenta-rt2-small does"
            raise InvalidRequest("perform", problem)
        given = next((name for name in RECORDINGS if getattr(self.request, name) is not None), None)
        if given:
            raise InvalidRequest(given, "cannot go with perform: the notes of the composition take its place")
        return self.generator

    def _composition(self) -> Composition:
        composition = compose(composition_request(self.request))
        check_roles(composition, self.request.keep_stems)
        return replace(composition, playing=RenderOptions.of(self.request))

    def _performances(
        self, performer: PerformingGenerator, plan: PerformancePlan, num_samples: int
    ) -> list[Performance]:
        seeds = performance_seeds(self.request.seed or 0, self.request.performances or USUAL_PERFORMANCES)
        progress = part_of_progress(self.progress, STEMS_END, PERFORMING_ENDS)
        played = performer.perform(self._request_of_model(), plan.sheet, seeds, progress, self.cancelled)
        assert len(played) == len(seeds)
        found = []
        for number, (seed, audio) in enumerate(zip(seeds, played, strict=True)):
            if self.cancelled():
                raise GenerationCancelled
            share = number / len(seeds)
            self.progress(Progress("listening", PERFORMING_ENDS + share * (LISTENING_ENDS - PERFORMING_ENDS)))
            sound = at_composers_rate(audio, num_samples, plan.wrap)
            found.append(Performance(sound, seed, recall_of(sound, plan.notes)))
        return found

    def _request_of_model(self) -> GenerationRequest:
        names = self.request.model_fields_set & OF_THE_MODEL
        fields = {name: getattr(self.request, name) for name in names}
        # The endings that the composer writes are in the notes.
        if fields.get("ending") in COMPOSED_ENDINGS:
            del fields["ending"]
        return GenerationRequest.checked(**fields, model=self.request.model, seed=self.request.seed)

    def _metadata(
        self, composition: Composition, performances: Sequence[Performance], best: Performance
    ) -> dict[str, Any]:
        settings = {
            **_source_of(self.request.score), "perform": True, "keep_stems": list(self.request.keep_stems),
            "accompany": self.request.accompany, "lead_frames": self.request.lead_frames or 0,
            **{name: value for name, value in best.as_json().items() if name != "seed"},
            "performed_seed": best.seed, "performances": [one.as_json() for one in performances],
        }  # fmt: skip
        described = description(best.audio.metadata, composition, self.request, settings, _warnings_of(best.recall))
        about = {"title": composition.score.title, "prompt": self.request.prompt, "seed": self.request.seed}
        return {**described, **about}


def _source_of(score: Path | None) -> dict[str, Any]:
    return {} if score is None else {"score": {"name": score.name, "sha256": file_sha256(score)}}


def performance_seeds(seed: int, number: int) -> tuple[int, ...]:
    """Return the seeds of the performances of a piece: its own, and others that no neighbouring seed has."""
    others = (int(rng_for(seed, "performance", index).integers(DRAWN_SEEDS)) for index in range(1, number))
    return (seed, *others)


def _warnings_of(recall: Recall) -> tuple[str, ...]:
    """Return what is to be said of a performance that strays from the notes."""
    warnings = []
    if recall.pitch_classes < LEAST_NOTES or recall.onsets_beyond_chance < LEAST_ONSETS:
        onsets = f"{recall.onsets:.0%} of the onsets ({recall.onset_chance:.0%} by chance)"
        heard = f"{recall.pitch_classes:.0%} of the notes by pitch class and {onsets}"
        warnings.append(f"performances: the best has {heard}; more of them, or another prompt, may do better")
    if abs(recall.lag_seconds) >= LEAST_LAG:
        way = "late" if recall.lag_seconds > 0 else "early"
        warnings.append(
            f"lead_frames: the notes come about {abs(1000 * recall.lag_seconds):.0f} ms {way}, and this moves them"
        )
    return tuple(warnings)
