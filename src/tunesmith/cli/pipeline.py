"""What ``tunesmith generate`` does: requests from flags, music from requests, files from music."""

from __future__ import annotations

import secrets
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio import Audio
from tunesmith.audio.writer import check_writable, write_audio, write_stream
from tunesmith.cli.console import print_warning
from tunesmith.cli.outputs import (
    STANDARD_OUTPUT,
    GeneratedFile,
    check_folder_of,
    make_folder,
    reserve_path,
    with_suffix_word,
)
from tunesmith.config import Settings, load_settings
from tunesmith.errors import InvalidRequest
from tunesmith.generator import Generator, ProgressCallback, never_cancelled
from tunesmith.models.registry import Registry
from tunesmith.request import DRAWN_SEEDS, GenerationRequest, Hit
from tunesmith.slug import slug

if TYPE_CHECKING:
    from tunesmith.composer.composition import Composition

Music = tuple[Audio, "Composition | None"]

LISTS = ("instruments", "without")


@dataclass(frozen=True, slots=True)
class OutputFiles:
    """The files to write: ``output`` (None: named after prompt and seed, with ``suffix``) and those besides it."""

    output: Path | None
    to_standard_output: bool
    suffix: str
    stems: Path | None
    midi: Path | None
    score: Path | None
    layers: tuple[float, ...]

    @classmethod
    def checked(
        cls, output: str | None, suffix: str, stems: Path | None, midi: Path | None, score: Path | None,
        layers: str | None,
    ) -> OutputFiles:  # fmt: skip
        """Check every path before any work is done."""
        to_standard_output = output == STANDARD_OUTPUT
        path = Path(output) if output and not to_standard_output else None
        if path is not None:
            check_writable(path)
        for name, extra in (("midi", midi), ("score", score)):
            if extra is not None:
                check_folder_of(name, extra)
        given = [file.resolve() for file in (path, midi, score) if file is not None]
        if len(set(given)) < len(given):
            raise InvalidRequest("output", "the sound, --midi and --score need files of their own")
        if stems is not None:
            make_folder("stems", stems)
        levels = _intensities(layers)
        if to_standard_output and levels:
            raise InvalidRequest("layers", "are several files and cannot go to standard output")
        return cls(path, to_standard_output, suffix, stems, midi, score, levels)

    @property
    def needs_composition(self) -> bool:
        """Whether something is asked for that only the composer has."""
        return bool(self.stems or self.midi or self.score or self.layers)


def build_requests(wishes: Mapping[str, Any], variations: int) -> tuple[list[GenerationRequest], str]:
    """Return one checked request a variation, with seeds that follow each other, and the suffix of unnamed files."""
    settings = load_settings()
    fields = {name: value for name, value in wishes.items() if value is not None}
    for name in LISTS:
        fields[name] = tuple(item.strip() for item in fields.get(name, "").split(",") if item.strip())
    fields["hits"] = tuple(Hit.parse(text) for text in fields.get("hits") or ())
    defaults = settings_defaults(settings, fields)
    fields = {**{name: value for name, value in defaults.items() if value is not None}, **fields}
    first = GenerationRequest.checked(**fields)
    first = first.with_seed(secrets.randbelow(DRAWN_SEEDS))
    seed = first.seed or 0
    rest = [GenerationRequest.checked(**{**fields, "seed": seed + number}) for number in range(1, variations)]
    return [first, *rest], settings.suffix


def settings_defaults(settings: Settings, fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return what the settings say where no flag does. A MusicGen model has its own rate, and no sound bank."""
    defaults: dict[str, Any] = {"loudness_lufs": settings.loudness_lufs}
    composed = fields["model"] == "composer"
    if composed:
        defaults["soundfont"] = settings.soundfont
    if "sample_rate" in settings.model_fields_set:
        defaults["sample_rate"] = settings.sample_rate
    if "duration" in settings.model_fields_set and not (composed and _prompt_has_duration(fields)):
        defaults["duration"] = settings.duration
    return defaults


def check_continued(audio: str | None, continued: bool) -> None:
    """Raise InvalidRequest unless --audio and --continue come together."""
    if audio is not None and not continued:
        raise InvalidRequest("audio", f"say --continue to go on from it, got --audio {audio} alone")
    if continued and audio is None:
        raise InvalidRequest("continue", "needs the recording to go on from: --audio FILE")


def check_licence(model: str | None, commercial_safe: bool | None, *recordings: str | Path | None) -> None:
    """Raise InvalidRequest where only what may be used commercially is wanted, by flag or setting, and this is not.

    ``recordings`` are sound files that go into the result; raises AudioFileError for one that cannot be read.
    """
    if not (load_settings().commercial_safe if commercial_safe is None else commercial_safe):
        return
    from tunesmith.audio.reader import read_metadata
    from tunesmith.models.catalog import check_commercial_use
    from tunesmith.models.licences import check_parts

    if model is not None:
        check_commercial_use(model)
    for path in recordings:
        if path is not None:
            check_parts(read_metadata(path), Path(path).name)


def generate_all(
    requests: Sequence[GenerationRequest], extras: OutputFiles, progress: ProgressCallback, started: float
) -> list[GeneratedFile]:
    """Make and write every piece."""
    if len(requests) > 1 and extras.to_standard_output:
        raise InvalidRequest("variations", f"standard output takes one piece, got {len(requests)}")
    made = []
    create = cache(Registry.discover().create)  # a model is opened once for all variations
    for number, request in enumerate(requests, start=1):
        word = str(number) if number > 1 else ""
        made.append(_write(request, _generate(request, extras, progress, create), extras, word, started))
        started = time.monotonic()
    return made


def _write(request: GenerationRequest, music: Music, extras: OutputFiles, word: str, started: float) -> GeneratedFile:
    audio, composition = music
    warnings = composition.warnings if composition else tuple(audio.metadata.get("warnings", ()))
    for warning in warnings:
        print_warning(warning)
    files: list[Path] = []
    if extras.to_standard_output:
        write_stream(audio, sys.stdout.buffer)
    elif extras.output:
        files.append(write_audio(audio, with_suffix_word(extras.output, word)))
    else:
        with reserve_path(_named(request, extras.suffix)) as path:
            files.append(write_audio(audio, path))
    if composition:
        files += _write_extras(composition, extras, files[0] if files else Path(STANDARD_OUTPUT), word)
    took = round(time.monotonic() - started, 3)
    names = tuple(str(file) for file in files)
    return GeneratedFile(request, audio.duration, took, names, warnings, audio.metadata)


def _generate(
    request: GenerationRequest, extras: OutputFiles, progress: ProgressCallback, create: Callable[[str], Generator]
) -> Music:
    if not extras.needs_composition:
        return create(request.model).generate(request, progress, never_cancelled), None
    if request.model != "composer":
        raise InvalidRequest("model", f"only composer has stems, MIDI, score and layers, got {request.model!r}")
    from tunesmith.composer.composition import compose

    composition = compose(request)
    return composition.mix(progress, never_cancelled), composition


def _write_extras(composition: Composition, extras: OutputFiles, path: Path, word: str) -> list[Path]:
    files = []
    for intensity in extras.layers:
        layer = composition.at_intensity(intensity).mix()
        files.append(write_audio(layer, with_suffix_word(path, f"intensity-{round(intensity * 100)}")))
    if extras.score:
        from tunesmith.atomic_file import atomic_output
        from tunesmith.composer.score_file import dump_score

        with atomic_output(with_suffix_word(extras.score, word)) as temporary:
            temporary.write_text(dump_score(composition.score), encoding="utf-8")
        files.append(with_suffix_word(extras.score, word))
    if extras.midi:
        from tunesmith.atomic_file import atomic_output
        from tunesmith.composer.midi_file import write_midi

        with atomic_output(with_suffix_word(extras.midi, word)) as temporary:
            write_midi(composition.score, temporary)
        files.append(with_suffix_word(extras.midi, word))
    if extras.stems:
        files += [write_audio(stem, extras.stems / f"{slug(name)}{f'-{word}' if word else ''}.wav", bits=32)
                  for name, stem in composition.stems()]  # fmt: skip
    return files


def _named(request: GenerationRequest, suffix: str) -> Path:
    return Path(f"{slug(request.prompt)}-{request.seed}{suffix}")


def _prompt_has_duration(fields: Mapping[str, Any]) -> bool:
    """Whether the form, the bars or the prompt set the length, so that the default of the settings must not."""
    from tunesmith.composer.prompt.parsed_prompt import understand

    if fields.get("form") not in (None, "track") or fields.get("loop") or fields.get("bars"):
        return True
    said = understand(fields["prompt"])
    forms = {name for name in said.names("form") if name.startswith("form/")} - {"form/track"}
    return bool(said.durations or said.bars or forms)


def _intensities(text: str | None) -> tuple[float, ...]:
    try:
        levels = tuple(float(item) for item in (text or "").split(",") if item.strip())
    except ValueError:
        levels = (-1.0,)
    if not all(0 <= level <= 1 for level in levels):
        raise InvalidRequest("layers", f"must be intensities from 0 to 1 with commas between, got {text!r}")
    return levels
