"""The choice of genre and mood: by flag, by name, by words that hint at them, and by meaning for unknown words."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.composer.brief import Mood, Reason
from tunesmith.composer.genre import Genre, genre_names
from tunesmith.composer.prompt.embedding import Meaning, is_in_script_of_tables, lowest_similarity, meaning_of
from tunesmith.composer.prompt.genre_words import leanings, refused_genres
from tunesmith.composer.prompt.lexicon import lookup, value
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.prompt.text import phrase_key
from tunesmith.errors import UnknownName
from tunesmith.request import GenerationRequest

_MOOD_WEIGHT = 0.45
_ENOUGH_EVIDENCE, _MOST_EVIDENCE = 0.7, 2.5
_FEW_WORDS = 1
# Not worth loading the encoder for the mood alone.
_FEW_WORDS_BESIDE_A_GENRE = 2
_LENDING_STYLES = frozenset(
    {"jazz", "blues", "funk", "rock", "epic_orchestral", "folk", "chiptune", "metal", "lofi", "soul"}
)
_WITHOUT_EVIDENCE = {"pop": 0.1, "cinematic": 0.08, "corporate": 0.05}
# A similarity.
_UNSURE = 0.5
# Shares of a prompt's words that are in the tables.
_FEW_KNOWN, _HARDLY_KNOWN = 0.34, 0.15
_SHORT_FORMS = frozenset({"form/sting", "form/bumper", "form/bed"})


@dataclass(frozen=True, slots=True)
class GenreChoice:
    """The chosen genre, the reason, the genres that colour it, and the prompt's meaning where it was needed."""

    name: str
    reason: Reason
    others: tuple[str, ...] = ()
    meaning: Meaning | None = None
    warnings: tuple[str, ...] = ()

    def lent(self, what: str) -> tuple[str, ...]:
        """Return the instruments or production effects that the other genres lend."""
        rows = [index()["lends"].get(other, {}).get(what, ()) for other in self.others]
        return tuple(dict.fromkeys(name for row in rows for name in row))

    def lender_of(self, instrument: str) -> str:
        """Return the genre that lends an instrument."""
        lends = index()["lends"]
        return next((o for o in self.others if instrument in lends.get(o, {}).get("instruments", ())), "another genre")


def choose_genre(request: GenerationRequest, parsed: ParsedPrompt) -> GenreChoice:
    """Choose the genre; raise UnknownName for a flag that names none."""
    others = _colouring(parsed)
    if request.genre is not None:
        name = _flag_genre(request.genre)
        reason, others = Reason("genre", name, "flag", "asked for"), tuple(o for o in others if o != name)
        return GenreChoice(name, reason, others, warnings=_unused_prompt_warnings(parsed))
    if parsed.genre is not None:
        name = parsed.genre.name
        others = tuple(o for o in dict.fromkeys((*parsed.genre.others, *others)) if o != name)
        because = f"the prompt says {parsed.genre.words!r}" + (f", coloured by {', '.join(others)}" if others else "")
        return GenreChoice(name, Reason("genre", name, "prompt", because), others)
    return _by_evidence(parsed)


def _colouring(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return the genres that adjectives such as ``jazzy`` bring in."""
    return tuple(name for name in parsed.names("style") if name in genre_names() and name in _LENDING_STYLES)


def _flag_genre(flag: str) -> str:
    name = phrase_key(flag).replace(" ", "_")
    if name in genre_names():
        return name
    named = [meant for kind, meant in lookup(phrase_key(flag)) if kind == "genre"]
    if not named:
        raise UnknownName("genre", flag, genre_names())
    return named[0]


def ranked_genres(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return all genres, the most fitting first, by word evidence, mood and meaning alone."""
    scores, _ = _scores(parsed)
    return tuple(sorted(sorted(scores), key=lambda genre: -scores[genre]))


def _by_evidence(parsed: ParsedPrompt) -> GenreChoice:
    scores, meaning = _scores(parsed)
    best = max(sorted(scores), key=lambda genre: scores[genre])
    reason = _evidence_reason(best, parsed, meaning)
    return GenreChoice(best, reason, _colouring_but(parsed, best), meaning, _meaning_warnings(best, parsed, meaning))


def _unused_prompt_warnings(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return a warning where a prompt beside an explicit genre is not understood at all."""
    is_unused = not parsed.names_music and len(parsed.left_over) > _FEW_WORDS_BESIDE_A_GENRE
    return (
        ("prompt: not understood; only the other fields are used",)
        if is_unused and not understood_meaning(parsed)
        else ()
    )


def _meaning_warnings(best: str, parsed: ParsedPrompt, meaning: Meaning | None) -> tuple[str, ...]:
    """Return a warning about how certain the meaning is, where no known word says what the music is."""
    title = value("genre", best)["title"]
    if parsed.names_music or not (parsed.left_over or parsed.is_unknown):
        return ()
    if meaning is None:
        return (f"prompt: not understood; {title} is used, the default",)
    similarity = round(meaning.similarity, 2)
    if parsed.known_share >= _HARDLY_KNOWN and similarity >= _UNSURE:
        return ()
    sure = "not sure what this means" if similarity < _UNSURE else "few of its words are known"
    return (f"prompt: {sure}; matched by meaning to {title} (similarity {similarity:.2f} of 1)",)


def _scores(parsed: ParsedPrompt) -> tuple[dict[str, float], Meaning | None]:
    """Sum the evidence for each genre; the embedding is used only where words are left over."""
    scores = {name: _WITHOUT_EVIDENCE.get(name, 0.0) for name in genre_names()}
    if "corporate" in scores and _SHORT_FORMS & set(parsed.names("form")):
        scores["corporate"] += 0.3
    for genre, weight in (*leanings(parsed.matches, parsed.refused).items(), *parsed.unsupported.genre_weights):
        if genre in scores:
            # Capped, or many hints at one genre would outweigh everything else that the prompt says.
            scores[genre] += min(weight, _MOST_EVIDENCE)
    sure = max(scores.values(), default=0.0) >= _ENOUGH_EVIDENCE
    meaning = None
    if parsed.left_over and not (sure and len(parsed.left_over) <= _FEW_WORDS):
        meaning = understood_meaning(parsed)
        for genre, nearness in meaning.genres.items() if meaning else ():
            scores[genre] += nearness
    mood = parsed.mood
    if meaning and _is_another_language(parsed):
        # In an unknown language the embedding's mood is more reliable than its genre.
        mood = meaning.mood
    for genre in scores:
        scores[genre] -= _MOOD_WEIGHT * _distance(mood, genre) if mood else 0.0
    for genre in refused_genres(parsed.matches, parsed.refused) & scores.keys():
        # Far below any score that evidence can reach.
        scores[genre] -= 10.0
    return scores, meaning


def _is_another_language(parsed: ParsedPrompt) -> bool:
    """Return whether the text is in a language, or in a script, of which hardly a word is known."""
    is_sentence = len(parsed.left_over) > _FEW_WORDS_BESIDE_A_GENRE or not is_in_script_of_tables(parsed.prompt.text)
    return is_sentence and not parsed.names_music and parsed.known_share < _HARDLY_KNOWN


def understood_meaning(parsed: ParsedPrompt) -> Meaning | None:
    """Return the meaning of a prompt, or None where few words are known and it is near to nothing."""
    meaning = meaning_of(parsed.prompt.text)
    is_far = meaning.similarity < lowest_similarity(parsed.prompt.text)
    return None if is_far and parsed.known_share < _FEW_KNOWN and not parsed.names_music else meaning


def _colouring_but(parsed: ParsedPrompt, best: str) -> tuple[str, ...]:
    return tuple(name for name in _colouring(parsed) if name != best)


def _distance(mood: Mood, genre: str) -> float:
    valence, arousal = value("genre", genre)["at"]
    # Arousal weighs more: a genre at the wrong energy fits worse than one of the wrong brightness.
    return abs(mood.valence - float(valence)) + 1.2 * abs(mood.arousal - float(arousal))


def _evidence_reason(best: str, parsed: ParsedPrompt, meaning: Meaning | None) -> Reason:
    title, mood = value("genre", best)["title"], parsed.mood
    if leanings(parsed.matches, parsed.refused).get(best):
        source, because = "prompt", f"{title} suits what the prompt names"
    elif best in dict(parsed.unsupported.genre_weights):
        source, because = "prompt", f"{title} is the style of the artist named"
    elif meaning is not None:
        source, because = "meaning", f"{title} is nearest to what the prompt describes"
    else:
        source, because = "genre", f"{title} suits the mood" if mood else f"no evidence for a genre other than {title}"
    return Reason("genre", best, source, because)


def choose_mood(parsed: ParsedPrompt, genre: Genre, chosen: GenreChoice) -> tuple[Mood, Reason]:
    """Choose the mood: from the prompt's mood words, else from its uses or its meaning blended with the genre's own."""
    if parsed.mood is not None:
        words = [parsed.words_for("mood", name) for name in parsed.names("mood")]
        because = f"the prompt says {', '.join(map(repr, words))}" if words else "the prompt says what it must not be"
        return parsed.mood, Reason("mood", _described(parsed.mood), "prompt", because)
    uses = [value("use", name)["at"] for name in parsed.names("use") if "at" in value("use", name)]
    if uses:
        mood = _between(Mood(*map(float, uses[-1])), genre)
        return mood, Reason(
            "mood", _described(mood), "prompt", f"it suits {parsed.words_for('use', parsed.names('use')[-1])!r}"
        )
    meaning = chosen.meaning
    if meaning is None and len(parsed.left_over) > _FEW_WORDS_BESIDE_A_GENRE:
        meaning = understood_meaning(parsed)
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
