"""The pipeline from options to files: validates requests, generates the music and writes it. Prints nothing.

options -> build_requests -> generate_music -> write_music
                             \\______ generate_files _____/
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio import Audio
from tunesmith.audio.writer import write_audio, write_stream
from tunesmith.composed.composition_request import composition_request
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.files import atomic_output
from tunesmith.generated_stream import GeneratedStream, open_stream
from tunesmith.generator import CancelCheck, Generator, ProgressCallback, never_cancelled, no_progress
from tunesmith.models.registry import Registry
from tunesmith.output_files import OutputFiles, reserve_path, slug, with_suffix_word
from tunesmith.plain_text import comma_separated
from tunesmith.request import TEXT_LISTS, GenerationRequest, Hit
from tunesmith.run_generator import run_generator

if TYPE_CHECKING:
    from tunesmith.composer.composition import Composition

GeneratorSource = Callable[[str], Generator]
"""Opens the generator of a model by name, such as Registry.create."""
Listener = Callable[[GeneratedStream], None]
"""Hears a piece while it is made."""
WarningCallback = Callable[[str], None]
"""Receives each warning as soon as it is known."""


@dataclass(frozen=True, slots=True)
class GenerationOptions:
    """Options of a generation, as text that a user types; None leaves the choice to the settings or the generator.

    All but ``variations`` are fields of GenerationRequest, which documents their units and ranges. ``instruments`` and
    ``without`` are comma-separated names, ``hits`` are ``TIME`` or ``TIME=climax``. ``variations`` N gives N requests
    with consecutive seeds.
    """

    prompt: str
    model: str = "composer"
    seed: str | None = None
    duration: str | None = None
    bars: str | None = None
    tempo_bpm: str | None = None
    key: str | None = None
    meter: str | None = None
    genre: str | None = None
    instruments: str | None = None
    without: str | None = None
    mood: str | None = None
    form: str | None = None
    loop: bool = False
    production: str | None = None
    ambience: str | None = None
    balance: str | None = None
    intro: str | None = None
    intensity: str | None = None
    hits: Sequence[str] | None = None
    lock: str | None = None
    score_edits: str | None = None
    loudness_lufs: str | None = None
    sample_rate: str | None = None
    mono: bool = False
    soundfont: str | None = None
    negative_prompt: str | None = None
    guidance_scale: str | None = None
    temperature: str | None = None
    top_k: str | None = None
    top_p: str | None = None
    audio: str | None = None
    melody: str | None = None
    steps: str | None = None
    ending: str | None = None
    strength: str | None = None
    schedule: str | None = None
    repaint: str | None = None
    guide: str | None = None
    keep_stems: str | None = None
    perform: bool = False
    performances: str | None = None
    accompany: bool = False
    snap_tempo: bool = False
    lead_frames: str | None = None
    score: str | None = None
    variations: int = 1

    def request_fields(self) -> dict[str, Any]:
        """Return the options that are set, as fields of a request."""
        given = {name: getattr(self, name) for name in GenerationRequest.model_fields}
        fields = {name: value for name, value in given.items() if value is not None}
        for name in TEXT_LISTS:
            fields[name] = comma_separated(fields.get(name, ""))
        fields["hits"] = tuple(Hit.parse(text) for text in self.hits or ())
        return fields


@dataclass(frozen=True, slots=True)
class GeneratedMusic:
    """A request and its audio; with ``composition`` if files need it."""

    request: GenerationRequest
    audio: Audio
    composition: Composition | None = None

    @property
    def warnings(self) -> tuple[str, ...]:
        """The parts of the request that the generator could not fulfil."""
        return tuple(self.audio.metadata.get("warnings", ()))


@dataclass(frozen=True, slots=True)
class GeneratedFile:
    """A finished piece: its request, duration, seconds of work, files, and id in the prompt log."""

    request: GenerationRequest
    duration: float
    took: float
    files: tuple[str, ...]
    warnings: tuple[str, ...] = ()
    metadata: Mapping[str, Any] = field(default_factory=dict)
    track: str | None = None

    def as_json(self) -> dict[str, Any]:
        """Return the file as plain JSON values."""
        from tunesmith.audio.markers import stored_loop_points_json

        return {
            "id": self.track,
            "prompt": self.request.prompt,
            "seed": self.request.seed,
            "duration": self.duration,
            "took": self.took,
            "files": list(self.files),
            "warnings": list(self.warnings),
            "loop_points": stored_loop_points_json(self.metadata),
            "metadata": dict(self.metadata),
        }


def generate(prompt: str, *, model: str = "composer", seed: int | None = None, **fields: Any) -> Audio:
    """Generate music from a prompt.

    ``fields`` are other fields of GenerationRequest, such as ``duration=30``. Without a seed, one is drawn; the
    metadata has it. Raises InvalidRequest for an invalid field, UnknownName for an unknown model.
    """
    request = GenerationRequest.checked(prompt=prompt, model=model, seed=seed, **fields).with_drawn_seed()
    return generate_music(request, Registry.discover().create).audio


def stream(prompt: str, *, model: str = "composer", seed: int | None = None, **fields: Any) -> GeneratedStream:
    """Generate music that can be heard while it is made; ``fields`` are as in :func:`generate`.

    Models that cannot stream give their first block once the whole is there. Use the stream in a ``with`` block.
    Raises InvalidRequest for an invalid field, UnknownName for an unknown model.
    """
    request = GenerationRequest.checked(prompt=prompt, model=model, seed=seed, **fields).with_drawn_seed()
    return open_stream(request, Registry.discover().create)


def compose(prompt: str, *, seed: int | None = None, **fields: Any) -> Composition:
    """Compose a piece for a prompt with the built-in composer: its score, stems and mix.

    ``fields`` are as in :func:`generate`. Raises InvalidRequest for an invalid field.
    """
    from tunesmith.composer.composition import compose as write

    return write(GenerationRequest.checked(prompt=prompt, seed=seed, **fields).with_drawn_seed())


def build_requests(options: GenerationOptions, settings: Settings) -> list[GenerationRequest]:
    """Return one validated request per variation; raise InvalidRequest that names the field."""
    fields = options.request_fields()
    defaults = settings_defaults(settings, fields)
    fields = {**{name: value for name, value in defaults.items() if value is not None}, **fields}
    first = GenerationRequest.checked(**fields).with_drawn_seed()
    seed = first.seed or 0
    rest = [GenerationRequest.checked(**{**fields, "seed": seed + number}) for number in range(1, options.variations)]
    return [first, *rest]


def settings_defaults(settings: Settings, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return the defaults from the settings. A neural model has its own sample rate, and no SoundFont."""
    defaults: dict[str, Any] = {"loudness_lufs": settings.loudness_lufs}
    composed = fields["model"] == "composer"
    if composed:
        defaults["soundfont"] = settings.soundfont
    # Apply only what the user has set: otherwise the generator chooses.
    if "sample_rate" in settings.model_fields_set:
        defaults["sample_rate"] = settings.sample_rate
    # Bars, a score, and a recording that is changed have a length of their own.
    has_length = any(fields.get(name) is not None for name in ("bars", "strength", "repaint", "score"))
    if "duration" in settings.model_fields_set and not (has_length or (composed and _prompt_has_duration(fields))):
        defaults["duration"] = settings.duration
    return defaults


def _prompt_has_duration(fields: Mapping[str, Any]) -> bool:
    """Tell whether form, bars or prompt set the duration, which the settings then must not override."""
    from tunesmith.composer.prompt.parsed_prompt import understand

    if fields.get("form") not in (None, "track") or fields.get("loop") or fields.get("bars"):
        return True
    parsed = understand(fields["prompt"])
    forms = {name for name in parsed.names("form") if name.startswith("form/")} - {"form/track"}
    return bool(parsed.durations or parsed.bars or forms)


def generate_files(
    requests: Sequence[GenerationRequest],
    files: OutputFiles,
    *,
    progress: ProgressCallback = no_progress,
    warn: WarningCallback = lambda _: None,
    started: float | None = None,
    listen: Listener | None = None,
) -> list[GeneratedFile]:
    """Generate the music of every request and write its files.

    ``listen`` hears each piece while it is made; ``started`` is the time.monotonic() from which the ``took`` of the
    first one counts. Raises InvalidRequest for an invalid request, AudioFileError for a file that cannot be written.
    """
    for request in requests:
        if files.layers and request.intensity is not None:
            raise InvalidRequest("layers", f"have intensities of their own, got intensity {request.intensity:g} too")
    if len(requests) > 1 and files.to_standard_output:
        raise InvalidRequest("variations", f"standard output takes one piece, got {len(requests)}")
    # Cached, so that a model is loaded once for all requests.
    create, written = cache(Registry.discover().create), []
    for number, request in enumerate(requests, start=1):
        since = time.monotonic() if started is None or number > 1 else started
        music = generate_music(request, create, progress, composition=files.needs_composition, listen=listen)
        for warning in music.warnings:
            warn(warning)
        written.append(write_music(music, files, str(number) if number > 1 else "", since, warn))
    return written


def generate_music(
    request: GenerationRequest,
    create: GeneratorSource,
    progress: ProgressCallback = no_progress,
    cancelled: CancelCheck = never_cancelled,
    *,
    composition: bool = False,
    listen: Listener | None = None,
) -> GeneratedMusic:
    """Generate the music of a request that has a seed; ``listen`` hears it while it is made.

    With ``composition``, the result includes it; raises InvalidRequest for any model but the composer. Raises
    GenerationCancelled once ``cancelled()`` is true.
    """
    if not composition:
        return GeneratedMusic(request, _sound(request, create, progress, cancelled, listen))
    if request.model != "composer" and not request.follows_composer:
        raise InvalidRequest("model", f"only composer has stems, MIDI, score, plot and layers, got {request.model!r}")
    from tunesmith.composer.composition import compose

    if request.follows_composer:
        audio = _sound(request, create, progress, cancelled, listen)
        return GeneratedMusic(request, audio, compose(composition_request(request)))
    composed = compose(request)
    return GeneratedMusic(request, mix_of(composed, progress, cancelled, listen=listen), composed)


def mix_of(
    composition: Composition,
    progress: ProgressCallback = no_progress,
    cancelled: CancelCheck = never_cancelled,
    *,
    listen: Listener | None = None,
) -> Audio:
    """Return the mix of a composition; ``listen`` hears it while it is made. Raises GenerationCancelled."""
    if listen is None:
        return composition.mix(progress, cancelled)
    return _heard(GeneratedStream(composition.stream(progress, cancelled)), listen)


def _sound(
    request: GenerationRequest,
    create: GeneratorSource,
    progress: ProgressCallback,
    cancelled: CancelCheck,
    listen: Listener | None,
) -> Audio:
    if listen is None:
        return run_generator(create(request.model), request, progress, cancelled)
    return _heard(open_stream(request, create, progress, cancelled), listen)


def _heard(stream: GeneratedStream, listen: Listener) -> Audio:
    """Let ``listen`` hear the stream; return the exact piece."""
    with stream:
        listen(stream)
        return stream.audio


def write_music(
    music: GeneratedMusic, files: OutputFiles, word: str, started: float, warn: WarningCallback
) -> GeneratedFile:
    """Write the files of one piece, with ``word`` added to their names; ``started`` is a time.monotonic().

    ``warn`` hears of layers that the band is too small for.
    """
    request, audio = music.request, music.audio
    written: list[Path] = []
    warnings: tuple[str, ...] = music.warnings
    if files.to_standard_output:
        write_stream(audio, sys.stdout.buffer)
    elif files.output:
        written.append(write_audio(audio, with_suffix_word(files.output, word)))
    else:
        # Reserve the name while encoding, or a parallel run with the same prompt could take it.
        with reserve_path(Path(f"{slug(request.prompt)}-{request.seed}{files.suffix}")) as path:
            written.append(write_audio(audio, path))
    if music.composition and files.layers:
        layers, missing = _write_layers(music, files, written[0])
        written, warnings = [*written, *layers], (*warnings, *missing)
        for warning in missing:
            warn(warning)
    if music.composition:
        written += _write_extras(music.composition, files, word)
    took = round(time.monotonic() - started, 3)
    return GeneratedFile(request, audio.duration, took, tuple(map(str, written)), warnings, audio.metadata)


def _write_layers(music: GeneratedMusic, files: OutputFiles, path: Path) -> tuple[list[Path], tuple[str, ...]]:
    """Write the layers and their manifest beside ``path``; return the paths that are new, and a warning of fewer."""
    from tunesmith.composer.intensity_layers import FULL, left_out, write_layers

    assert music.composition
    # The piece itself is its fullest layer, unless a model has made its sound anew.
    own = [path] if not music.request.follows_composer else []
    wanted = files.layers if FULL in files.layers or not own else (*files.layers, FULL)
    layers = music.composition.layers(wanted)
    paths = write_layers(
        layers,
        lambda layer: path if own and layer.intensity == FULL else with_suffix_word(path, layer.word),
        path.with_name(f"{path.stem}-layers.json"),
        written=own,
    )
    return [written for written in paths if written != path], left_out(layers, wanted)


def _write_extras(composition: Composition, files: OutputFiles, word: str) -> list[Path]:
    """Write score, MIDI, plot and stems; return their paths in this order."""
    written = []
    if files.score:
        from tunesmith.composer.score_file import dump_score

        with atomic_output(with_suffix_word(files.score, word)) as temporary:
            temporary.write_text(dump_score(composition.score, composition.written), encoding="utf-8")
        written.append(with_suffix_word(files.score, word))
    if files.midi:
        from tunesmith.composer.midi_file import write_midi

        with atomic_output(with_suffix_word(files.midi, word)) as temporary:
            write_midi(composition.score, temporary)
        written.append(with_suffix_word(files.midi, word))
    if files.plot:
        from tunesmith.composer.score_plot import draw_score

        written.append(draw_score(composition.score, with_suffix_word(files.plot, word)))
    if files.stems:
        # Float samples, so that a stem above full scale is not clipped.
        written += [write_audio(stem, files.stems / f"{slug(name)}{f'-{word}' if word else ''}.wav", bits=32)
                    for name, stem in composition.stems()]  # fmt: skip
    return written
