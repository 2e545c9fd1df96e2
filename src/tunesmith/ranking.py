"""Ranking: the measurable targets of a request, and which of several sounds meets them best."""

from __future__ import annotations

from dataclasses import dataclass

from tunesmith.audio import Audio
from tunesmith.audio.analysis.quality import Quality, QualityTargets, WantedKey, measure_quality
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
    said = understand(request.prompt)
    loop = request.loop or request.form == "loop"
    return QualityTargets(_tempo(request, said), _key(request, said), request.loudness_lufs, loop)


def rank(audio: Audio, request: GenerationRequest) -> Quality:
    """Measure a sound against its request; a sound whose metadata marks it as a loop is measured as one."""
    wanted = targets_of(request)
    settings = audio.metadata.get("settings")
    is_loop = isinstance(settings, dict) and bool(settings.get("loop"))
    return measure_quality(
        audio, QualityTargets(wanted.tempo_bpm, wanted.key, wanted.loudness_lufs, wanted.loop or is_loop)
    )


def _tempo(request: GenerationRequest, said: ParsedPrompt) -> tuple[float, float] | None:
    if request.tempo_bpm is not None:
        return request.tempo_bpm, request.tempo_bpm
    if not said.tempos:
        return None
    tempo = said.tempos[-1]
    # A prompt may count the tempo in another note value than quarters.
    quarters = 1.0 if tempo.beat is None else tempo.beat
    return tempo.low * quarters, tempo.high * quarters


def _key(request: GenerationRequest, said: ParsedPrompt) -> WantedKey | None:
    wish = said.key
    if request.key is not None:
        try:
            key = Key.parse(request.key)
            return WantedKey(str(key), key.pitch_classes)
        except ValueError:
            # Not in standard form, so read it as the prompt parser does.
            wish = understand(request.key).key
    if wish is None or wish.tonic is None:
        return None
    key = Key(wish.tonic, wish.mode or "major")
    return WantedKey(str(key), key.pitch_classes)
