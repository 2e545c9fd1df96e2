"""Explain: from a request to an answer for every musical question, final as the composer will use it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, replace

from tunesmith.composer.brief import Brief, Reason
from tunesmith.composer.check_request import check_request
from tunesmith.composer.explanation.alternatives import AlternativeFinder
from tunesmith.composer.explanation.answers import Answer, AnswerSource, Explanation, Value
from tunesmith.composer.explanation.labels import bars_label, label_of, named, signed_label, tempo_label, time_label
from tunesmith.composer.explanation.spans import SpanFinder
from tunesmith.composer.genre import Genre
from tunesmith.composer.means import genre_of
from tunesmith.composer.prompt.parsed_prompt import understand
from tunesmith.composer.writing.band.choose_band import choose_band
from tunesmith.composer.writing.form.climax import usual_loudness
from tunesmith.composer.writing.form.tempo import FormTimeline, solve_timeline
from tunesmith.composer.writing.plan import Player
from tunesmith.request import GenerationRequest

SETS: Mapping[str, str] = {
    "genre": "genre", "tempo": "tempo_bpm", "key": "key", "meter": "meter", "form": "form", "loop": "loop",
    "duration": "duration", "bars": "bars", "instruments": "instruments", "without": "without",
    "intensity": "intensity", "loudness": "loudness_lufs", "hits": "hits", "seed": "seed",
}  # fmt: skip
"""The request's field that decides each answer; an ambience or a production is only in the words.

A mood's value is no text, as its field is, so nothing here sets it.
"""

ORDER = (
    "genre", "mood", "tempo", "key", "meter", "instruments", "without", "ambience", "production", "form", "loop",
    "duration", "bars", "ending", "hits", "intensity", "loudness", "seed",
)  # fmt: skip

_SOURCES: Mapping[str, AnswerSource] = {
    "flag": "setting", "prompt": "words", "meaning": "words", "genre": "genre", "chance": "chance",
}  # fmt: skip
_FROM_READER = frozenset({
    "genre", "mood", "key", "meter", "instruments", "without", "ambience", "production", "ending",
})  # fmt: skip
_SAME_TEMPO_BPM = 0.005
_USUAL = "the default"


def explain(request: GenerationRequest, sent: str | None = None, seed: int = 0) -> Explanation:
    """Return the answers for a request; ``sent`` is the prompt as the caller typed it, to which spans refer.

    A request without a seed is read with ``seed``. Raises what check_request raises, and InvalidRequest for a form that
    cannot be met.
    """
    return _Explainer.of(request, request.prompt if sent is None else sent, seed).explanation()


@dataclass(frozen=True, slots=True)
class _Explainer:
    request: GenerationRequest
    brief: Brief
    genre: Genre
    timeline: FormTimeline
    spans: SpanFinder
    alternatives: AlternativeFinder

    @classmethod
    def of(cls, request: GenerationRequest, sent: str, seed: int) -> _Explainer:
        brief = check_request(request.with_seed(seed))
        genre, parsed = genre_of(brief), understand(request.prompt)
        spans = SpanFinder(parsed, genre, brief.seed, sent)
        return cls(request, brief, genre, solve_timeline(brief), spans, AlternativeFinder(brief, parsed, genre))

    def explanation(self) -> Explanation:
        rows = sorted(self._answers(), key=lambda one: ORDER.index(one.field))
        answers = tuple(self._with_alternatives(one) for one in rows)
        warnings = dict.fromkeys((*self.brief.warnings, *self.timeline.warnings))
        return Explanation(self.brief.title, self.brief.seed, answers, tuple(warnings))

    def _with_alternatives(self, answer: Answer) -> Answer:
        sets, alternatives = SETS.get(answer.field), self.alternatives.of(answer.field, answer.value)
        # Bars and duration together settle the tempo, which nobody has set then.
        is_locked = answer.source == "setting" and sets is not None and getattr(self.request, sets) is not None
        return replace(answer, sets=sets, is_locked=is_locked, alternatives=alternatives)

    def _answers(self) -> Iterator[Answer]:
        for reason in self.brief.reasons:
            if reason.field in _FROM_READER:
                value: Value = asdict(self.brief.mood) if reason.field == "mood" else reason.value
                yield self._answer(reason, value, label_of(reason.field, reason.value))
        yield self._tempo()
        yield from self._form()
        yield from self._length()
        yield from self._band()
        yield from self._sound()
        yield from self._settings()

    def _answer(self, reason: Reason, value: Value, label: str, because: str | None = None) -> Answer:
        return Answer(
            reason.field, value, label, because or reason.because, self._source(reason), self.spans.of(reason)
        )

    def _source(self, reason: Reason) -> AnswerSource:
        if reason.source == "genre" and reason.because.endswith(_USUAL):
            return "default"
        # A genre that suits the mood, and a key that does, follow from it.
        if reason.field == "genre" and reason.source == "genre":
            return "mood" if "mood" in reason.because else "default"
        return _SOURCES[reason.source]

    def _reason(self, field: str) -> Reason | None:
        return next((one for one in self.brief.reasons if one.field == field), None)

    def _tempo(self) -> Answer:
        reason = self._reason("tempo")
        assert reason
        bpm = self.timeline.tempo_map.changes[0][1] / self.brief.meter.felt_beat
        because = reason.because
        if abs(bpm - self.brief.tempo_bpm) > _SAME_TEMPO_BPM:
            goal = "the hit points" if self.brief.hits else "the length"
            because = f"{because}; moved from {tempo_label(self.brief.tempo_bpm)} to meet {goal}"
        return self._answer(reason, round(bpm, 4), tempo_label(bpm), because)

    def _form(self) -> Iterator[Answer]:
        reason = self._reason("form")
        assert reason
        form = self._answer(reason, self.brief.form, label_of("form", self.brief.form))
        yield form
        label = "Loops without a seam" if self.brief.loop else "Has an end"
        yield replace(form, field="loop", value=self.brief.loop, label=label)

    def _length(self) -> Iterator[Answer]:
        """Yield duration and bars as they will be; the one that nobody asked for follows from the other."""
        duration, bars = self._reason("duration"), self._reason("bars")
        seconds, number = self.timeline.duration, self.timeline.bars
        follows = f"{bars_label(number)} of {self.brief.meter} last {time_label(seconds)}"
        asked = duration or bars
        source: AnswerSource = self._source(asked) if asked else "default"
        derived: AnswerSource = source if source == "genre" else "default"
        rows: tuple[tuple[str, Reason | None, Value, str], ...] = (
            ("duration", duration, round(seconds, 3), time_label(seconds)), ("bars", bars, number, bars_label(number)),
        )  # fmt: skip
        for field, reason, value, label in rows:
            if reason is not None:
                yield self._answer(reason, value, label)
            else:
                yield Answer(field, value, label, follows, derived)

    def _band(self) -> Iterator[Answer]:
        """Yield the players that nobody asked for, once for each instrument."""
        known = set(self.brief.instruments)
        for player in choose_band(self.brief, self.genre):
            if player.instrument not in known:
                known.add(player.instrument)
                label = label_of("instruments", player.instrument)
                because = f"plays the {named(player.role).lower()}, usual for {self.genre.title}"
                yield Answer("instruments", player.instrument, label, because, self._drawn(player))

    def _drawn(self, player: Player) -> AnswerSource:
        parts = [part for part in self.genre.parts if player.instrument in part.instruments]
        is_certain = any(len(part.instruments) == 1 and part.chance == 1 for part in parts)
        return "genre" if is_certain or not parts else "chance"

    def _sound(self) -> Iterator[Answer]:
        because = f"usual for {self.genre.title}"
        for name in self.genre.mix.ambience:
            if name not in self.brief.ambience and name not in self.brief.without:
                yield Answer("ambience", name, label_of("ambience", name), because, "genre")
        if self.brief.loudness_lufs is None:
            usual = usual_loudness(self.brief, self.genre)
            yield Answer("loudness", usual, signed_label(usual, "LUFS"), because, "genre")

    def _settings(self) -> Iterator[Answer]:
        asked = "asked for"
        reason, level = self._reason("loudness"), self.brief.loudness_lufs
        if reason is not None and level is not None:
            because = asked if reason.source == "flag" else reason.because
            yield self._answer(reason, level, signed_label(level, "LUFS"), because)
        if self.brief.intensity is not None:
            share = f"{round(self.brief.intensity * 100)} % intensity"
            yield Answer("intensity", self.brief.intensity, share, asked, "setting")
        source: AnswerSource = "setting" if self.request.hits else "words"
        for hit in self.brief.hits:
            kind = "Climax" if hit.climax else "Hit"
            value = {"time": hit.time, "climax": hit.climax}
            because = asked if self.request.hits else "the prompt says when"
            yield Answer("hits", value, f"{kind} at {time_label(hit.time)}", because, source)
        is_given = self.request.seed is not None
        why = asked if is_given else "another seed gives another piece"
        yield Answer("seed", self.brief.seed, f"Seed {self.brief.seed}", why, "setting" if is_given else "chance")
