"""The choice of genre and mood: by flag, by name, by words that hint at them, and by meaning for unknown words."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from tunesmith.composer.brief import Mood, Reason
from tunesmith.composer.genre import Genre, genre_names
from tunesmith.composer.prompt.embedding import Meaning
from tunesmith.composer.prompt.genre_scores import (
    FEW_WORDS_BESIDE_A_GENRE,
    HARDLY_KNOWN,
    best_genre,
    drawn_genre,
    has_evidence,
    scores_of,
    understood_meaning,
)
from tunesmith.composer.prompt.genre_words import leanings
from tunesmith.composer.prompt.lexicon import lookup, value
from tunesmith.composer.prompt.lexicon_index import index
from tunesmith.composer.prompt.means_words import because_of, inside, means_of_lone_player, named_means
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.prompt.text import phrase_key
from tunesmith.errors import UnknownName
from tunesmith.request import GenerationRequest

_LENDING_STYLES = frozenset(
    {"jazz", "blues", "funk", "rock", "epic_orchestral", "folk", "chiptune", "metal", "lofi", "soul"}
)
# Any genre can be played without electronics.
_UNPLUGGED = "acoustic"
# A similarity.
_UNSURE = 0.5


@dataclass(frozen=True, slots=True)
class GenreChoice:
    """The chosen genre and the reason.

    ``others`` are the genres and means that colour it, ``means`` those that limit its players; ``meaning`` is the
    prompt's, where it was needed.
    """

    name: str
    reason: Reason
    others: tuple[str, ...] = ()
    meaning: Meaning | None = None
    warnings: tuple[str, ...] = ()
    means: tuple[str, ...] = ()

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
        reason, limits = Reason("genre", name, "flag", "asked for"), _limits(parsed, name)
        others = _without((*others, *_lending_means(parsed, limits)), name)
        return GenreChoice(name, reason, others, warnings=_unused_prompt_warnings(parsed), means=limits)
    if parsed.genre is not None:
        name, limits = parsed.genre.name, _limits(parsed, parsed.genre.name)
        others = _without((*parsed.genre.others, *others, *_lending_means(parsed, limits)), name)
        because = f"the prompt says {parsed.genre.words!r}" + (f", coloured by {', '.join(others)}" if others else "")
        return GenreChoice(name, Reason("genre", name, "prompt", because), others, means=limits)
    return _by_evidence(parsed, request.seed_of("genre"))


def _limits(parsed: ParsedPrompt, genre: str) -> tuple[str, ...]:
    """Return the named means that limit a genre which the user chose: those that it can be made with."""
    return tuple(name for name in named_means(parsed) if name == _UNPLUGGED or genre in inside((name,)))


def _lending_means(parsed: ParsedPrompt, limits: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(name for name in named_means(parsed) if name not in limits)


def _without(names: tuple[str, ...], own: str) -> tuple[str, ...]:
    return tuple(name for name in dict.fromkeys(names) if name != own)


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


def _by_evidence(parsed: ParsedPrompt, seed: int) -> GenreChoice:
    scores, meaning = scores_of(parsed)
    # Without any evidence, the default must not depend on chance.
    is_open = has_evidence(parsed) or meaning is not None
    best = drawn_genre(scores, meaning, seed) if is_open else best_genre(scores)
    return GenreChoice(
        best,
        _evidence_reason(best, parsed, meaning),
        _without(_colouring(parsed), best),
        meaning,
        _meaning_warnings(best, parsed, meaning),
        named_means(parsed),
    )


def _unused_prompt_warnings(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return a warning where a prompt beside an explicit genre is not understood at all."""
    is_unused = not parsed.names_music and len(parsed.left_over) > FEW_WORDS_BESIDE_A_GENRE
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
    if parsed.known_share >= HARDLY_KNOWN and similarity >= _UNSURE:
        return ()
    sure = "not sure what this means" if similarity < _UNSURE else "few of its words are known"
    return (f"prompt: {sure}; matched by meaning to {title} (similarity {similarity:.2f} of 1)",)


def _evidence_reason(best: str, parsed: ParsedPrompt, meaning: Meaning | None) -> Reason:
    title, mood = value("genre", best)["title"], parsed.mood
    if leanings(parsed.matches, parsed.refused).get(best):
        source, because = "prompt", f"{title} suits what the prompt names"
    elif best in dict(parsed.unsupported.genre_weights):
        source, because = "prompt", f"{title} is the style of the artist named"
    elif means_of_lone_player(parsed):
        source, because = "prompt", f"{title} suits the instrument" + (" and the mood" if mood else "")
    elif meaning is not None:
        source, because = "meaning", f"{title} is nearest to what the prompt describes"
    else:
        source, because = "genre", f"{title} suits the mood" if mood else f"no evidence for a genre other than {title}"
    return Reason("genre", best, source, because)


def means_reasons(parsed: ParsedPrompt, chosen: GenreChoice) -> tuple[Reason, ...]:
    """Return why each of the means limits genre and band."""
    return tuple(Reason("means", name, "prompt", because_of(parsed, name)) for name in chosen.means)


def choose_mood(parsed: ParsedPrompt, genre: Genre, chosen: GenreChoice) -> tuple[Mood, Reason]:
    """Choose the mood: from the prompt's mood words, else from its uses or its meaning blended with the genre's own."""
    if parsed.mood is not None:
        words = [parsed.words_for("mood", name) for name in parsed.names("mood")]
        because = f"the prompt says {', '.join(map(repr, words))}" if words else "the prompt says what it must not be"
        return parsed.mood, Reason("mood", described_mood(parsed.mood), "prompt", because)
    uses = [name for name in parsed.names("use") if "at" in value("use", name)]
    if uses:
        mood = _between(_mean_of([value("use", name)["at"] for name in uses]), genre)
        scene = ", ".join(repr(parsed.words_for("use", name)) for name in uses)
        return mood, Reason("mood", described_mood(mood), "prompt", f"it suits {scene}")
    meaning = chosen.meaning
    if meaning is None and len(parsed.left_over) > FEW_WORDS_BESIDE_A_GENRE:
        meaning = understood_meaning(parsed)
    if meaning is not None:
        mood = _between(meaning.mood, genre)
        return mood, Reason("mood", described_mood(mood), "meaning", "the feeling of the whole prompt")
    mood = Mood(genre.valence, genre.arousal)
    return mood, Reason("mood", described_mood(mood), "genre", f"usual for {genre.title}")


def _mean_of(rows: Sequence[Sequence[float]]) -> Mood:
    return Mood(sum(float(row[0]) for row in rows) / len(rows), sum(float(row[1]) for row in rows) / len(rows))


def _between(mood: Mood, genre: Genre) -> Mood:
    return Mood(round((mood.valence + genre.valence) / 2, 3), round((mood.arousal + genre.arousal) / 2, 3))


def described_mood(mood: Mood) -> str:
    """Return a mood in words and numbers."""
    return f"{mood.in_words} (valence {mood.valence:+.2f}, arousal {mood.arousal:+.2f})"
