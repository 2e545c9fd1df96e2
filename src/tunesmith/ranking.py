"""Ranking: the measurable targets of a request, and which of several sounds meets them best."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio import Audio
from tunesmith.audio.analysis.musical_quality import MusicalTargets, measure_music
from tunesmith.audio.analysis.quality import Quality, QualityTargets, TargetKey
from tunesmith.composer.genre import load_genre
from tunesmith.composer.prompt.parsed_prompt import ParsedPrompt, understand
from tunesmith.composer.theory import Key
from tunesmith.request import GenerationRequest


@dataclass(frozen=True, slots=True)
class Ranking:
    """The qualities of several sounds, in their order, and their ranks from 1 for the best; ties keep the order."""

    qualities: tuple[Quality, ...]

    @property
    def ranks(self) -> tuple[int, ...]:
        """The rank of each sound."""
        order = sorted(range(len(self.qualities)), key=lambda index: -self.qualities[index].score)
        return tuple(order.index(index) + 1 for index in range(len(order)))

    @property
    def best(self) -> int:
        """The index of the best sound."""
        return self.ranks.index(1)


def targets_of(request: GenerationRequest) -> QualityTargets:
    """Return the measurable targets of a request, from its fields or else from its prompt."""
    parsed = understand(request.prompt)
    loop = request.loop or request.form == "loop"
    return QualityTargets(_tempo(request, parsed), _key(request, parsed), request.loudness_lufs, loop)


def rank(audio: Audio, request: GenerationRequest) -> Quality:
    """Measure a sound against its request; a sound whose metadata marks it as a loop is measured as one."""
    wanted, parsed = targets_of(request), understand(request.prompt)
    settings = audio.metadata.get("settings")
    is_loop = isinstance(settings, dict) and bool(settings.get("loop"))
    targets = QualityTargets(wanted.tempo_bpm, wanted.key, wanted.loudness_lufs, wanted.loop or is_loop)
    return measure_music(audio, targets, _words_of(request, parsed))


def _words_of(request: GenerationRequest, parsed: ParsedPrompt) -> MusicalTargets:
    """Return the mood of the words, or else of the genre that they name, and that genre's tempo."""
    named = next(iter(dict.fromkeys(parsed.names("genre"))), None)
    genre = load_genre(named.removeprefix("genre/")) if named else None
    said = parsed.mood or genre
    felt = None if said is None else (said.valence, said.arousal)
    if genre is None or request.tempo_bpm is not None:
        return MusicalTargets(felt)
    return MusicalTargets(felt, genre.title, (genre.tempo.low, genre.tempo.high))


def _tempo(request: GenerationRequest, parsed: ParsedPrompt) -> tuple[float, float] | None:
    if request.tempo_bpm is not None:
        return request.tempo_bpm, request.tempo_bpm
    if not parsed.tempos:
        return None
    tempo = parsed.tempos[-1]
    # A prompt may count the tempo in another note value than quarters.
    quarters = 1.0 if tempo.beat is None else tempo.beat
    return tempo.low * quarters, tempo.high * quarters


def _key(request: GenerationRequest, parsed: ParsedPrompt) -> TargetKey | None:
    key_request = parsed.key
    if request.key is not None:
        try:
            key = Key.parse(request.key)
            return TargetKey(str(key), key.pitch_classes)
        except ValueError:
            # Not in standard form, so read it as the prompt parser does.
            key_request = understand(request.key).key
    if key_request is None or key_request.tonic is None:
        return None
    key = Key(key_request.tonic, key_request.mode or "major")
    return TargetKey(str(key), key.pitch_classes)
