"""A composition: the score of a piece, and what can be rendered from it: the mix, the stems, other intensities."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio import Audio
from tunesmith.audio.buffer import Samples, Spool
from tunesmith.audio.markers import whole_loop, with_markers
from tunesmith.audio.timeline import TIMELINE, Stage, Tempo, Timeline
from tunesmith.composer.brief import Brief
from tunesmith.composer.check_request import check_request, reject_neural_fields
from tunesmith.composer.edited_score import write_request
from tunesmith.composer.instruments import instrument
from tunesmith.composer.intensity_layers import LAYER_RANGE_LU, IntensityLayer, layers_of
from tunesmith.composer.mix import MixOptions, Session, master, mix_score, stem_shares, stem_spools
from tunesmith.composer.mix.automix import automixed
from tunesmith.composer.score import Score
from tunesmith.composer.sound.ambience import ambience_texture
from tunesmith.composer.sound.soundfont.soundfont import SoundFont, open_bank
from tunesmith.composer.sound.voice import SAMPLE_RATE, Voice
from tunesmith.composer.sound.voices import voice_for
from tunesmith.composer.writing.balance import gain_of, levels_of
from tunesmith.composer.writing.score_writer import Writing
from tunesmith.composer.writing.written_score import WrittenScore
from tunesmith.errors import InvalidRequest
from tunesmith.generator import CancelCheck, Progress, ProgressCallback, never_cancelled, no_progress
from tunesmith.layer_intensities import USUAL_INTENSITIES
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.composer.midi_in.song import Song

MODEL = "composer"
LICENCE = "Free to use, also commercially, without attribution (made by Tunesmith's composer)"


@dataclass(frozen=True, slots=True)
class RenderOptions:
    """How to render a score: output ``sample_rate`` in Hz, ``mono``, the user's ``soundfont`` and ``intensity`` 0–1.

    ``quieter_lu`` is how far below the score's loudness the master lies, so that layers keep their distance.
    """

    sample_rate: int = SAMPLE_RATE
    mono: bool = False
    soundfont: Path | None = None
    intensity: float | None = None
    quieter_lu: float = 0.0

    @classmethod
    def of(cls, request: GenerationRequest) -> RenderOptions:
        """Return the render options of a request."""
        return cls(request.sample_rate, request.mono, request.soundfont, request.intensity)


@dataclass(frozen=True, slots=True)
class Composition:
    """A written piece, ready to render.

    ``brief`` and ``request`` are None where the score was loaded from a document, ``written`` where a person wrote it
    out.
    """

    score: Score
    playing: RenderOptions
    brief: Brief | None = None
    warnings: tuple[str, ...] = ()
    request: GenerationRequest | None = None
    written: WrittenScore | None = None
    _voices: dict[str, Voice] = field(default_factory=dict, repr=False, compare=False)

    def mix(self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled) -> Audio:
        """Return the mastered mix, exactly as long as the score says.

        Raises GenerationCancelled once ``cancelled()`` is true.
        """
        spool = mix_score(self._mastered_score(), self.session(progress, cancelled))
        progress(Progress("done", 1.0))
        return self._audio(spool)

    def stream(
        self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled
    ) -> CompositionStream:
        """Return the mastered mix as a stream, which begins to sound while the rest is rendered; close it after use."""
        return CompositionStream(self, progress, cancelled)

    def mastered(
        self, premaster: Spool, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled
    ) -> Audio:
        """Return another pre-master of this piece, (2, samples) at 44.1 kHz, mastered as ``mix`` masters its own.

        It is as long as the piece. Raises GenerationCancelled.
        """
        spool = master(self._mastered_score(), premaster, self.session(progress, cancelled), done=0.0)
        progress(Progress("done", 1.0))
        return self._audio(spool)

    def _audio(self, spool: Spool) -> Audio:
        rate, metadata = self.playing.sample_rate, self.metadata
        # Samplers and game engines find the loop points in the file itself.
        if self.score.loop:
            metadata = with_markers(metadata, whole_loop(len(spool), rate))
        return Audio(spool, rate, metadata)

    def stems(
        self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled
    ) -> Iterator[tuple[str, Audio]]:
        """Yield the name and the audio of each part and ambience, (2, samples) at 44.1 kHz.

        The stems sum to the mix before mastering. Only one stem is rendered at a time.
        """
        for name, spool in stem_spools(self.score, self.session(progress, cancelled)):
            yield name, Audio(spool, SAMPLE_RATE, {**self.metadata, "stem": name})

    def mastered_stems(
        self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled
    ) -> Iterator[tuple[str, Audio]]:
        """Yield the name and the audio of each part's and ambience's share of the mix, at its rate and channels.

        They sum to ``mix``, sample by sample. Only one is rendered at a time.
        """
        for name, spool in stem_shares(self._mastered_score(), self.session(progress, cancelled)):
            yield name, Audio(spool, self.playing.sample_rate, {**self.metadata, "stem": name})

    def at_intensity(self, intensity: float) -> Composition:
        """Return the same piece at another intensity, 0–1: in sync with this one, and quieter the calmer it is."""
        if not 0 <= intensity <= 1:
            raise InvalidRequest("intensity", f"must be 0 to 1, got {intensity!r}")
        # Calmer layers are also quieter: mastered to one loudness, they would all sound equally strong.
        quieter = LAYER_RANGE_LU * (1 - intensity)
        return replace(self, playing=replace(self.playing, intensity=intensity, quieter_lu=quieter))

    def layers(self, intensities: Sequence[float] = USUAL_INTENSITIES) -> tuple[IntensityLayer, ...]:
        """Return intensity layers of the piece, the calmest first: in sync, each with more parts and louder.

        There are fewer than ``intensities`` where the band is too small. Raises InvalidRequest for those out of range.
        """
        return layers_of(self, intensities)

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata to write into a file of this piece, as plain JSON values."""
        score = self.score
        settings = {
            "genre": score.genre,
            "key": str(score.key),
            "meter": str(score.meter),
            "tempo_bpm": round(score.tempo_bpm, 4),
            "bars": score.bars,
            "duration": score.duration,
            "form": score.form,
            "loop": score.loop,
            "intensity": self.playing.intensity,
            "loudness_lufs": self._loudness_lufs,
            "instruments": sorted({part.instrument for part in score.parts}),
        }
        return {
            "title": score.title,
            "prompt": score.prompt,
            "seed": score.seed,
            "model": MODEL,
            "licence": LICENCE,
            "settings": settings,
            **self._timeline(),
            "request": self.request.model_dump(mode="json", exclude_defaults=True) if self.request else None,
            "warnings": list(self.warnings),
        }

    @property
    def _loudness_lufs(self) -> float:
        return self.score.mix.loudness_lufs - self.playing.quieter_lu

    def _mastered_score(self) -> Score:
        """Return the score with the loudness to master to."""
        return replace(self.score, mix=replace(self.score.mix, loudness_lufs=self._loudness_lufs))

    def _timeline(self) -> dict[str, Any]:
        """Return beats and sections in seconds, or nothing for a meter whose bar is no whole number of felt beats."""
        score, beat = self.score, self.score.meter.felt_beat
        beats_a_bar = score.meter.beats_per_bar / beat
        # The timeline counts whole beats per bar; a bar of 7/8 has three and a half.
        if not beats_a_bar.is_integer():
            return {}
        seconds_at, bar = score.tempo_map.seconds_at, score.meter.beats_per_bar
        tempos = tuple(Tempo(seconds_at(at), at / beat, bpm / beat) for at, bpm in score.tempo_map.changes)
        sections = tuple(
            Stage(one.name, seconds_at(one.bar * bar), seconds_at((one.bar + one.bars) * bar)) for one in score.sections
        )
        whole = Timeline(
            # Beyond the last tempo change, so that the duration lies within the timeline.
            seconds_at(max(at for at, _ in score.tempo_map.changes)) + score.duration,
            int(beats_a_bar),
            tempos,
            sections,
        )
        return {TIMELINE: whole.of_stretches([(0.0, score.duration)]).as_json()}

    def session(self, progress: ProgressCallback = no_progress, cancelled: CancelCheck = never_cancelled) -> Session:
        """Return everything that rendering this piece needs."""
        options = MixOptions(
            sample_rate=self.playing.sample_rate,
            channels=1 if self.playing.mono else 2,
            intensity=self.playing.intensity,
        )
        return Session(self._voice, ambience_texture, options, progress, cancelled)

    def _voice(self, name: str) -> Voice:
        # Voices are kept, because the mix and each stem ask for them again.
        if name not in self._voices:
            self._voices[name] = voice_for(instrument(name), bank(self.playing.soundfont))
        return self._voices[name]


class CompositionStream:
    """The stream of a composition; see MusicStream. Loops and short pieces come when they are finished."""

    def __init__(self, composition: Composition, progress: ProgressCallback, cancelled: CancelCheck) -> None:
        from tunesmith.composer.mix.streaming import MixStream

        self._composition = composition
        self._mix = MixStream(composition._mastered_score(), composition.session(progress, cancelled))
        self.sample_rate = composition.playing.sample_rate
        self.channels = 1 if composition.playing.mono else 2
        self.num_samples = self._mix.num_samples
        self.is_early = self._mix.is_early
        self.metadata: Mapping[str, Any] = composition.metadata

    def blocks(self) -> Iterator[Samples]:
        """Yield the rest of the sound in blocks, (channels, samples)."""
        return self._mix.blocks()

    def audio(self) -> Audio:
        """Return the exact piece, once it is made: the same as ``Composition.mix``."""
        return self._composition._audio(self._mix.result())

    def close(self) -> None:
        """End the work unless it is done; an audio that was returned stays."""
        self._mix.close()


# A bank holds up to 200 MB of decoded samples, so only the built-in one and one of the user's stay open.
@lru_cache(maxsize=2)
def bank(soundfont: Path | None) -> SoundFont:
    """Return the sound bank, the user's or the built-in one, opened once per process."""
    return open_bank(soundfont)


def compose(request: GenerationRequest) -> Composition:
    """Read the prompt of a request that carries a seed, and write the score; nothing is rendered yet.

    A request with a score is for that score, as it is. Raises InvalidRequest for impossible or contradictory fields,
    InvalidScore for a broken score, SoundFontError for a broken sound bank.
    """
    if request.score is not None:
        return _of_score_file(request, request.score)
    brief = check_request(request)
    writing = write_request(request, brief)
    return _mixed(writing, request, brief, request)


def _of_score_file(request: GenerationRequest, path: Path) -> Composition:
    # Most requests have no score, and its reading takes long to import.
    from tunesmith.composer.score_input import loaded_score

    reject_neural_fields(request)
    loaded = loaded_score(path)
    return replace(perform(loaded.score, request, loaded.written, loaded.warnings), request=request)


def arrange(song: Song, request: GenerationRequest) -> Composition:
    """Write a piece for a request that carries a seed around the melody or the chords of a MIDI file.

    Raises InvalidRequest as compose does, and for fields that the notes decide: duration, bars, meter, loop and hits.
    """
    # Most pieces need no MIDI file, and their first clip does not wait for its reading.
    from tunesmith.composer.midi_in.arrange import arrange_song

    brief, writing = arrange_song(song, request)
    # Without the request: it alone would make another piece.
    return _mixed(writing, request, brief, None)


def _mixed(
    writing: Writing, request: GenerationRequest, brief: Brief, made_from: GenerationRequest | None
) -> Composition:
    """Return the composition of a new piece: mixed, and with the gains of parts and sections in the record as well."""
    asked = [gain_of(levels_of(brief, part.role, part.instrument)) for part in writing.score.parts]
    score = automixed(writing.score, asked, writing.guests)
    mixed = {part.name: part.gain_db for part in score.parts}
    parts = tuple(
        replace(part, player=replace(part.player, gain_db=mixed.get(part.title, part.player.gain_db)))
        for part in writing.written.parts
    )
    written = replace(writing.written, plan=replace(writing.written.plan, sections=score.sections), parts=parts)
    warnings = (*brief.warnings, *writing.warnings)
    return _played(Composition(score, RenderOptions.of(request), brief, warnings, made_from, written))


def perform(
    score: Score, request: GenerationRequest, written: WrittenScore | None = None, warnings: tuple[str, ...] = ()
) -> Composition:
    """Return a composition of a score that was loaded from a document, with its written score and warnings.

    Only the fields of ``request`` about the sound count: sample rate, channels, sound bank, intensity and loudness.
    """
    if request.loudness_lufs is not None:
        score = replace(score, mix=replace(score.mix, loudness_lufs=request.loudness_lufs))
    return _played(Composition(score, RenderOptions.of(request), warnings=warnings, written=written))


def _played(composition: Composition) -> Composition:
    """Return the composition with its voices looked up, so that a bad sound bank is reported before rendering."""
    # The built-in bank is known to be complete, and looking voices up would open it for nothing.
    if composition.playing.soundfont is None:
        return composition
    missing: list[str] = []
    opened = bank(composition.playing.soundfont)
    voices = {
        part.instrument: voice_for(instrument(part.instrument), opened, missing) for part in composition.score.parts
    }
    return replace(composition, warnings=(*composition.warnings, *missing), _voices=voices)
