"""The scores of the genres for a prompt that names none: hints, means, mood, tempo and nearest meaning."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from tunesmith.composer.brief import Mood
from tunesmith.composer.genre import genre_names
from tunesmith.composer.prompt.embedding import Meaning, is_in_script_of_tables, lowest_similarity, meaning_of
from tunesmith.composer.prompt.genre_words import leanings, refused_genres
from tunesmith.composer.prompt.lexicon import value
from tunesmith.composer.prompt.means_words import inside, means_of_lone_player, named_means
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt
from tunesmith.composer.rng import rng_for

FEW_WORDS_BESIDE_A_GENRE = 2
"""Words left over that are not worth loading the encoder for where a genre or a mood is known."""
_FEW_WORDS = 1
# The mood decides where no word hints at a genre.
_MOOD_WEIGHT, _MOOD_WEIGHT_ALONE = 0.45, 0.5
_UNUSUAL, _USUAL_BESIDE_HINTS = -0.12, 0.4
_ENOUGH_EVIDENCE, _MOST_EVIDENCE = 0.7, 2.5
_WITHOUT_EVIDENCE = {"pop": 0.1, "cinematic": 0.08, "corporate": 0.05}
# What may be meant where a prompt says nothing about a genre or a mood: nobody expects gamelan for "drums, 120 bpm".
_GENERAL = frozenset({"ambient", "cinematic", "corporate", "folk", "funk", "house", "lofi", "pop", "rock", "synthwave"})
# Below any score that evidence can reach.
_OUTSIDE, _REFUSED = -4.0, -10.0
_BESIDE_LONE_PLAYER = -1.5
# The more the words say, the less the nearest meaning, which differs between languages.
_LESS_MEANING = 0.5
# Beside named means, a player says less about the genre: the brass of an orchestra.
_PLAYERS_BESIDE_MEANS = 0.4
# The encoder, too, takes means for a genre.
_MEANING_BESIDE_MEANS = 0.6
_MOST_TEMPO_COST = 0.5
_TEMPO_OF_PLACE = {"very_slow": 60.0, "slow": 72.0, "medium": 100.0, "fast": 140.0, "very_fast": 165.0}
# A share of a prompt's words that are in the tables.
HARDLY_KNOWN = 0.15
_DRUMS = frozenset({"drums", "beat"})
_WITHOUT_A_BEAT = frozenset({"ambient", "classical", "piano"})
_OF_THE_BEAT = frozenset({"dance", "electronic", "hip_hop", "reggae"})
"""Families of genres that have no drums, and those that are not themselves without them."""
_AGAINST_THE_BEAT = 0.5
_SHORT_FORMS = frozenset({"form/sting", "form/bumper", "form/bed"})
# Scores so near to the best may win; the second is for prompts read by meaning.
_NEAR, _NEAR_IN_MEANING = 0.3, 0.04
_SPREAD = 0.13


def ranked_genres(parsed: ParsedPrompt) -> tuple[str, ...]:
    """Return all genres, the most fitting first, by word evidence, mood and meaning alone."""
    scores, _ = scores_of(parsed)
    return tuple(sorted(sorted(scores), key=lambda genre: -scores[genre]))


def best_genre(scores: Mapping[str, float]) -> str:
    """Return the genre with the highest score, the first by name of several."""
    return max(sorted(scores), key=lambda genre: scores[genre])


def has_evidence(parsed: ParsedPrompt) -> bool:
    """Return whether any word of a prompt says something about its genre."""
    return parsed.mood is not None or bool(
        named_means(parsed) or means_of_lone_player(parsed) or parsed.tempos or parsed.names("tempo") or _hints(parsed)
    )


def drawn_genre(scores: Mapping[str, float], meaning: Meaning | None, seed: int) -> str:
    """Return the best genre, or by seed one whose score is near to the best.

    Each genre has a draw of its own, so that a small change of the scores rarely changes the outcome.
    """
    near = max(scores.values()) - (_NEAR if meaning is None else _NEAR_IN_MEANING)
    return max(
        (name for name in sorted(scores) if scores[name] >= near),
        key=lambda name: scores[name] + _SPREAD * float(rng_for(seed, "brief", "genre", name).gumbel()),
    )


def scores_of(parsed: ParsedPrompt) -> tuple[dict[str, float], Meaning | None]:
    """Sum the evidence for each genre; the embedding is used only where words are left over."""
    hints, is_bound = _hints(parsed), bool(named_means(parsed) or means_of_lone_player(parsed))
    strongest = max(hints.values(), default=0.0)
    is_hinted = strongest >= _ENOUGH_EVIDENCE
    few_words = _FEW_WORDS if is_bound or is_hinted else 0
    meaning = understood_meaning(parsed) if len(parsed.left_over) > few_words else None
    mood = _mood(parsed, meaning)
    scores = _starting_scores(parsed, is_open=not hints and mood is None and meaning is None)
    if "corporate" in scores and _SHORT_FORMS & set(parsed.names("form")):
        scores["corporate"] += 0.3
    for genre, weight in hints.items():
        # Capped, or many hints at one genre would outweigh everything else that the prompt says.
        scores[genre] += min(weight, _MOST_EVIDENCE)
    if meaning is not None:
        share = _MEANING_BESIDE_MEANS if is_bound else 1 - _LESS_MEANING * min(1.0, strongest)
        for genre, nearness in meaning.genres.items():
            scores[genre] += nearness * share
    # What a mood is usually played as decides where nothing else does.
    has_other = meaning is not None or is_hinted
    weight, share = (_MOOD_WEIGHT, _USUAL_BESIDE_HINTS) if has_other else (_MOOD_WEIGHT_ALONE, 1.0)
    for genre in scores:
        scores[genre] += share * _usual(parsed, genre) - _tempo_cost(parsed, genre)
        scores[genre] -= weight * _distance(mood, genre) if mood else 0.0
    for genre in _against_the_beat(parsed, scores):
        scores[genre] -= _AGAINST_THE_BEAT
    for genre in refused_genres(parsed.matches, parsed.refused) & scores.keys():
        scores[genre] += _REFUSED
    return scores, meaning


def _starting_scores(parsed: ParsedPrompt, is_open: bool) -> dict[str, float]:
    """Return the scores with which the genres begin: those outside the named means cannot win.

    Without means, nor can the special ones where ``is_open``: the prompt says nothing about a genre or a mood.
    """
    if named := named_means(parsed):
        weights = inside(named)
        return {name: weights.get(name, _OUTSIDE) for name in genre_names()}
    if lone := means_of_lone_player(parsed):
        weights = inside(lone)
        return {name: weights.get(name, _BESIDE_LONE_PLAYER) for name in genre_names()}
    special = _OUTSIDE if is_open else 0.0
    return {name: _WITHOUT_EVIDENCE.get(name, 0.0 if name in _GENERAL else special) for name in genre_names()}


def _hints(parsed: ParsedPrompt) -> Mapping[str, float]:
    share = _PLAYERS_BESIDE_MEANS if named_means(parsed) else 0.0 if means_of_lone_player(parsed) else 1.0
    hints = dict(leanings(parsed.matches, parsed.refused, share))
    for genre, weight in parsed.unsupported.genre_weights:
        hints[genre] = hints.get(genre, 0.0) + weight
    return {genre: weight for genre, weight in hints.items() if genre in genre_names()}


def _against_the_beat(parsed: ParsedPrompt, genres: Iterable[str]) -> list[str]:
    """Return the genres that have drums where a prompt wants none, or none where it wants some."""
    if any(_DRUMS & set(parsed.matches[i].names("family")) for i in parsed.refused):
        families = _OF_THE_BEAT
    elif _DRUMS & set(parsed.names("family")):
        families = _WITHOUT_A_BEAT
    else:
        return []
    return [genre for genre in genres if value("genre", genre)["family"] in families]


def _mood(parsed: ParsedPrompt, meaning: Meaning | None) -> Mood | None:
    # In an unknown language the embedding's mood is more reliable than its genre.
    return meaning.mood if meaning and _is_another_language(parsed) else parsed.mood


def _usual(parsed: ParsedPrompt, genre: str) -> float:
    """Return how much more usual than others a genre is for the mood words of a prompt."""
    moods = parsed.names("mood")
    rows = [float(value("mood", mood).get("genres", {}).get(genre, _UNUSUAL)) for mood in moods]
    return sum(rows) / max(1, len(rows))


def _tempo_cost(parsed: ParsedPrompt, genre: str) -> float:
    """Return what it costs that a requested tempo lies outside a genre's range, 0 to 0.5, by octaves."""
    low, typical, high = value("genre", genre)["tempo"]
    if parsed.tempos:
        bpm = max(1.0, parsed.tempos[-1].low)
        return min(_MOST_TEMPO_COST, max(0.0, math.log2(low / bpm), math.log2(bpm / high)))
    placed = next((_TEMPO_OF_PLACE[name] for name in parsed.names("tempo") if name in _TEMPO_OF_PLACE), None)
    return 0.0 if placed is None else min(_MOST_TEMPO_COST, abs(math.log2(typical / placed)) / 2)


def _distance(mood: Mood, genre: str) -> float:
    valence, arousal = value("genre", genre)["at"]
    # Arousal weighs more: a genre at the wrong energy fits worse than one of the wrong brightness.
    return abs(mood.valence - float(valence)) + 1.2 * abs(mood.arousal - float(arousal))


def _is_another_language(parsed: ParsedPrompt) -> bool:
    """Return whether the text is in a language, or in a script, of which hardly a word is known."""
    is_sentence = len(parsed.left_over) > FEW_WORDS_BESIDE_A_GENRE or not is_in_script_of_tables(parsed.prompt.text)
    return is_sentence and not parsed.names_music and parsed.known_share < HARDLY_KNOWN


def understood_meaning(parsed: ParsedPrompt) -> Meaning | None:
    """Return the meaning of a prompt, or None where it is near to nothing: its nearest genre is chance then."""
    meaning = meaning_of(parsed.prompt.text)
    return None if meaning.similarity < lowest_similarity(parsed.prompt.text) else meaning
