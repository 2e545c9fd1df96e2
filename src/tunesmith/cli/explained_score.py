"""What ``explain`` shows: the piece of a prompt, a track, a sound file, a score file or a MIDI file, and why."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio.edits import edit_in_words, edits_of
from tunesmith.audio.formats import FORMATS
from tunesmith.composer.brief import Reason
from tunesmith.composer.edited_score import write_request
from tunesmith.composer.explanation.labels import key_label, signed_label, tempo_label, time_label
from tunesmith.composer.prompt import read_brief
from tunesmith.composer.score import Score
from tunesmith.composer.score_input import MIDI_SUFFIXES, SCORE_SUFFIXES, loaded_score
from tunesmith.errors import InvalidRequest, TrackNotFound
from tunesmith.performed.recall_text import recall_in_words

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.request import GenerationRequest

USUAL_SEED = 0
# Ten letters of the alphabet of ids; one without a digit is a word.
TRACK_ID = re.compile(r"(?=[a-z]*[0-9])[0-9a-z]{10}")


@dataclass(frozen=True, slots=True)
class ExplainedScore:
    """A written piece, the ``reasons`` in the order in which they are shown, and the warnings of its prompt."""

    score: Score
    reasons: tuple[Reason, ...]
    warnings: tuple[str, ...] = ()

    def final(self, reason: Reason) -> Reason:
        """Return a reason with what the piece has in the end: a length or hits may have moved the tempo."""
        played = tempo_label(self.score.tempo_bpm)
        if reason.field != "tempo" or reason.value == played:
            return reason
        return replace(reason, value=played, because=f"{reason.because}; moved from {reason.value} to fit the length")

    def as_json(self) -> dict[str, Any]:
        """Return plain JSON values."""
        return {
            "prompt": self.score.prompt,
            "seed": self.score.seed,
            "tempo_bpm": round(self.score.tempo_bpm, 4),
            "reasons": [asdict(reason) for reason in self.reasons],
            "warnings": list(self.warnings),
        }


def explain_source(source: str, seed: int | None, duration: str | None, settings: Settings) -> ExplainedScore:
    """Return the piece that ``source`` is, or is a prompt for.

    Raises InvalidRequest, also for a piece that the composer has not written, AudioFileError and InvalidScore.
    """
    path = Path(source)
    suffix = path.suffix.lower()
    is_score, is_sound = suffix in SCORE_SUFFIXES or suffix in MIDI_SUFFIXES, suffix in FORMATS
    # A prompt has no such suffix; a name that has one is a file even if it is misspelt.
    if not (is_score or is_sound or TRACK_ID.fullmatch(source)):
        return _of_prompt(source, seed, duration, settings)
    if seed is not None or duration is not None:
        field = "seed" if seed is not None else "duration"
        raise InvalidRequest(field, f"is that of {source[:60]}; explain its prompt to choose another")
    if is_score:
        return _of_score(path)
    try:
        return _of_track(source, settings)
    except TrackNotFound:
        if is_sound:
            raise
        found = _of_prompt(source, seed, duration, settings)
        warning = f"prompt: there is no track {source}, so it is read as a prompt"
        return ExplainedScore(found.score, found.reasons, (warning, *found.warnings))


def _of_prompt(prompt: str, seed: int | None, duration: str | None, settings: Settings) -> ExplainedScore:
    """Return the piece that ``generate`` makes of a prompt with the same seed and settings."""
    from tunesmith.pipeline import GenerationOptions, build_requests

    chosen = str(USUAL_SEED if seed is None else seed)
    [request] = build_requests(GenerationOptions(prompt=prompt, seed=chosen, duration=duration), settings)
    if seed is None:
        because = f"generate draws one unless you give --seed {chosen}"
    else:
        because = "drawn, as --seed -1 asks" if seed < 0 else "asked for"
    return _written(
        request, Reason("seed", str(request.seed), "chance" if seed is None or seed < 0 else "flag", because)
    )


def _of_track(source: str, settings: Settings) -> ExplainedScore:
    from tunesmith.composed.composition_request import composition_request
    from tunesmith.models.factories import COMPOSER
    from tunesmith.source_tracks import find_source_track

    found = find_source_track(source, settings)
    request = found.request
    if request.follows_composer:
        request = composition_request(request)
    if request.model != COMPOSER:
        problem = f"only the composer writes a score, {source[:60]} is by {request.model}; see: tunesmith show"
        raise InvalidRequest("explain", problem)
    seed = Reason("seed", str(request.seed), "track", "the one that it was made with")
    origin = tuple(_origin(request.prompt, found.metadata))
    if request.score is None:
        return _written(request, seed, origin)
    explained = _of_score(request.score)
    return ExplainedScore(explained.score, (*origin, *explained.reasons), explained.warnings)


def _origin(prompt: str, metadata: Mapping[str, Any]) -> Iterable[Reason]:
    yield Reason("prompt", prompt, "track", "what was asked for")
    if recall := recall_in_words(metadata):
        yield Reason("performance", recall, "track", "measured in the sound, before the drums were laid over it")
    for step in edits_of(metadata):
        yield Reason("edit", edit_in_words(step), "track", "made of the finished piece; not in the arrangement")


def _written(request: GenerationRequest, seed: Reason, before: Iterable[Reason] = ()) -> ExplainedScore:
    # Not compose(): what renders sound takes longer to load than the score to write.
    request = request.with_drawn_seed()
    brief = read_brief(request)
    written = write_request(request, brief)
    return ExplainedScore(written.score, (*before, *brief.reasons, seed), (*brief.warnings, *written.warnings))


def _of_score(path: Path) -> ExplainedScore:
    loaded = loaded_score(path)
    score = loaded.score
    facts = {
        "title": score.title,
        "prompt": "" if path.suffix.lower() in MIDI_SUFFIXES else score.prompt,
        "genre": score.genre,
        "tempo": tempo_label(score.tempo_bpm),
        "key": key_label(str(score.key)),
        "meter": str(score.meter),
        "form": score.form,
        "duration": time_label(score.duration),
        "loudness": signed_label(score.mix.loudness_lufs, "LUFS"),
        "seed": str(score.seed),
    }
    because = {"prompt": "what was asked for", "seed": "decides the chance of the performance's sound"}
    # A MIDI file has no genre and no prompt.
    said = {name: value for name, value in facts.items() if value}
    reasons = [Reason(name, value, "score", because.get(name, "the score says so")) for name, value in said.items()]
    return ExplainedScore(score, tuple(reasons), loaded.warnings)
