"""Genre and mood: by flag, by name, by what leans to them, and by meaning where words are left over."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.composer.brief import Mood, Reason
from tunesmith.composer.genre import Genre, genre_names
from tunesmith.composer.reading.genres import leanings, refused_genres
from tunesmith.composer.reading.lexicon import lookup, value
from tunesmith.composer.reading.meaning import Meaning, meaning_of
from tunesmith.composer.reading.sources import index
from tunesmith.composer.reading.text import phrase_key
from tunesmith.composer.reading.understood import Understood
from tunesmith.errors import UnknownName

_MOOD_WEIGHT = 0.45
_ENOUGH_EVIDENCE = 0.7
_FEW_WORDS = 1


@dataclass(frozen=True, slots=True)
class Chosen:
    """The genre, why, the genres that colour it, and the prompt's meaning where it was needed."""

    name: str
    reason: Reason
    others: tuple[str, ...] = ()
    meaning: Meaning | None = None

    def lent(self, what: str) -> tuple[str, ...]:
        """Return the instruments or production that the other genres lend."""
        rows = [index()["lends"].get(other, {}).get(what, ()) for other in self.others]
        return tuple(dict.fromkeys(name for row in rows for name in row))

    def lender_of(self, instrument: str) -> str:
        """Return the genre that lends an instrument."""
        lends = index()["lends"]
        return next((o for o in self.others if instrument in lends.get(o, {}).get("instruments", ())), "another genre")


def choose_genre(request: object, said: Understood) -> Chosen:
    """Choose the genre; raises UnknownName for a flag that names none."""
    flag = getattr(request, "genre", None)
    others = _colouring(said)
    if flag is not None:
        name = _flag_genre(str(flag))
        return Chosen(name, Reason("genre", name, "flag", "asked for"), tuple(o for o in others if o != name))
    if said.genre is not None:
        name = said.genre.name
        others = tuple(o for o in dict.fromkeys((*said.genre.others, *others)) if o != name)
        because = f"the prompt says {said.genre.words!r}" + (f"; {', '.join(others)} colours it" if others else "")
        return Chosen(name, Reason("genre", name, "prompt", because), others)
    return _by_evidence(said)


def _colouring(said: Understood) -> tuple[str, ...]:
    """Return the genres that adjectives such as ``jazzy`` bring in."""
    return tuple(name for name in said.names("style") if name in genre_names())


def _flag_genre(flag: str) -> str:
    name = phrase_key(flag).replace(" ", "_")
    if name in genre_names():
        return name
    named = [meant for kind, meant in lookup(phrase_key(flag)) if kind == "genre"]
    if not named:
        raise UnknownName("genre", flag, genre_names())
    return named[0]


def _by_evidence(said: Understood) -> Chosen:
    scores = dict.fromkeys(genre_names(), 0.0)
    words = leanings(said.matches, said.refused)
    for genre, weight in (*words.items(), *said.unserved.genre_weights):
        if genre in scores:
            scores[genre] += min(weight, 2.0)
    sure = max(scores.values(), default=0.0) >= _ENOUGH_EVIDENCE
    meaning = None
    if said.left_over and not (sure and len(said.left_over) <= _FEW_WORDS):
        meaning = meaning_of(said.prompt.text)
        for genre, nearness in meaning.genres.items():
            scores[genre] += nearness
    mood = said.mood
    for genre in scores:
        scores[genre] -= _MOOD_WEIGHT * _distance(mood, genre) if mood else 0.0
    for genre in refused_genres(said.matches, said.refused) & scores.keys():
        scores[genre] -= 10.0
    best = max(sorted(scores), key=lambda genre: scores[genre])
    return Chosen(best, _evidence_reason(best, words, meaning, mood), _colouring_but(said, best), meaning)


def _colouring_but(said: Understood, best: str) -> tuple[str, ...]:
    return tuple(name for name in _colouring(said) if name != best)


def _distance(mood: Mood, genre: str) -> float:
    valence, arousal = value("genre", genre)["at"]
    return abs(mood.valence - float(valence)) + 1.2 * abs(mood.arousal - float(arousal))


def _evidence_reason(best: str, words: object, meaning: Meaning | None, mood: Mood | None) -> Reason:
    title = value("genre", best)["title"]
    if isinstance(words, dict) and words.get(best):
        source, because = "prompt", f"the instruments and uses named suit {title}"
    elif meaning is not None:
        source, because = "meaning", f"what the prompt describes is nearest to {title}"
    else:
        source, because = "genre", f"{title} suits the mood" if mood else f"nothing speaks for another than {title}"
    return Reason("genre", best, source, because)


def choose_mood(said: Understood, genre: Genre, chosen: Chosen) -> tuple[Mood, Reason]:
    """Choose the mood: the prompt's words, else its uses and meaning blended with the genre's own."""
    if said.mood is not None:
        words = [said.words_for("mood", name) for name in said.names("mood")]
        because = f"the prompt says {', '.join(map(repr, words))}" if words else "the prompt says what it must not be"
        return said.mood, Reason("mood", _described(said.mood), "prompt", because)
    uses = [value("use", name)["at"] for name in said.names("use") if "at" in value("use", name)]
    if uses:
        mood = _between(Mood(*map(float, uses[-1])), genre)
        return mood, Reason("mood", _described(mood), "prompt", f"it suits {said.words_for('use', said.names('use')[-1])!r}")
    meaning = chosen.meaning
    if meaning is None and len(said.left_over) > _FEW_WORDS:
        meaning = meaning_of(said.prompt.text)
    if meaning is not None:
        mood = _between(meaning.mood, genre)
        return mood, Reason("mood", _described(mood), "meaning", "the feeling of the whole prompt")
    mood = Mood(genre.valence, genre.arousal)
    return mood, Reason("mood", _described(mood), "genre", f"usual for {genre.title}")


def _between(mood: Mood, genre: Genre) -> Mood:
    return Mood(round((mood.valence + genre.valence) / 2, 3), round((mood.arousal + genre.arousal) / 2, 3))


def _described(mood: Mood) -> str:
    bright = "bright" if mood.valence > 0.25 else "dark" if mood.valence < -0.25 else "balanced"
    lively = "lively" if mood.arousal > 0.25 else "calm" if mood.arousal < -0.25 else "moderate"
    return f"{bright}, {lively} (valence {mood.valence:+.2f}, arousal {mood.arousal:+.2f})"
