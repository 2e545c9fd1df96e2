"""``tunesmith render``: render an edited score to sound."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from tunesmith.composer.score_file import LoadedScore
    from tunesmith.config import Settings
    from tunesmith.request import GenerationRequest

ScoreArgument = Annotated[
    Path, typer.Argument(metavar="SCORE", help="A score file, as written by --score, or a MIDI file.")
]
OutputFile = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="Output file; the suffix sets the format.")
]
ScoreOut = Annotated[
    Path | None,
    typer.Option("--score", metavar="FILE", help="Also write the score as it was played: with parts written anew."),
]
MIDI_SUFFIXES = (".mid", ".midi")
# Half an hour of a full band takes 2 MB.
MAX_SCORE_BYTES = 20_000_000


def render(
    score: ScoreArgument,
    output: OutputFile,
    loudness: options.Loudness = None,
    sample_rate: options.SampleRateHz = None,
    mono: options.Mono = False,
    soundfont: options.SoundFontFile = None,
    stems: options.Stems = None,
    midi: options.Midi = None,
    score_file: ScoreOut = None,
    layers: options.Layers = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Render a score file or a MIDI file to audio; errors in a score are shown with line, part and beat.

    Parts that follow chords, melody or form are written anew where you changed what they follow.
    """
    from tunesmith.audio.edits import Edit, edited, file_source
    from tunesmith.cli.console import print_warning, progress_bar, report
    from tunesmith.cli.track_log import log_render
    from tunesmith.composer.composition import perform
    from tunesmith.config import load_settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import GeneratedMusic, write_music

    started = time.monotonic()
    files = OutputFiles.checked(str(output), output.suffix, stems, midi, score_file, layers, plot)
    settings = load_settings()
    sound_request = _request(settings, loudness, sample_rate, mono, soundfont)
    loaded = loaded_score(score)
    composition = perform(loaded.score, sound_request, loaded.written, loaded.warnings)
    with progress_bar(quiet or as_json) as progress:
        audio = composition.mix(progress)
    for warning in composition.warnings:
        print_warning(warning)
    # The score replaces the placeholder prompt, and its seed is the one the music was written with.
    request = sound_request.model_copy(update={"prompt": composition.score.prompt, "seed": composition.score.seed})
    audio = edited(audio, Edit("render", {}), file_source(score))
    done = write_music(GeneratedMusic(request, audio, composition), files, "", started, print_warning)
    report([log_render(settings, done)], as_json, quiet, to_stderr=False)


def _request(
    settings: Settings, loudness: str | None, sample_rate: str | None, mono: bool, soundfont: str | None
) -> GenerationRequest:
    from tunesmith.request import GenerationRequest

    return GenerationRequest.checked(
        prompt="a score",
        loudness_lufs=loudness,
        sample_rate=settings.sample_rate if sample_rate is None else sample_rate,
        mono=mono,
        soundfont=soundfont or settings.soundfont,
    )


def text_of_score(path: Path) -> str:
    """Return the text of a score file; raise InvalidRequest where it cannot be read, is too long or is MIDI."""
    from tunesmith.errors import InvalidRequest
    from tunesmith.text_files import decoded

    content = bytes_of_score(path)
    if is_midi(content):
        raise InvalidRequest(
            "score", f"{path} is MIDI; tunesmith render {path} --score FILE.yaml -o FILE.wav converts it"
        )
    return decoded(content, str(path), "score")


def bytes_of_score(path: Path) -> bytes:
    """Return the bytes of a score or MIDI file; raise InvalidRequest where it cannot be read or is too long."""
    from tunesmith.errors import InvalidRequest

    try:
        with path.open("rb") as file:
            # One byte beyond the limit shows that a file is too long without reading all of it.
            content = file.read(MAX_SCORE_BYTES + 1)
    except OSError as error:
        raise InvalidRequest("score", f"cannot read {path}: {error.strerror}") from None
    if len(content) > MAX_SCORE_BYTES:
        raise InvalidRequest("score", f"{path} must be at most {MAX_SCORE_BYTES} bytes")
    return content


def is_midi(content: bytes) -> bool:
    """Return whether a file is a Standard MIDI File, by its first bytes."""
    return content.startswith(b"MThd")


def loaded_score(path: Path) -> LoadedScore:
    """Return the score of a score file or a MIDI file; raise InvalidRequest or InvalidScore."""
    from tunesmith.composer.midi_in import midi_score, read_song
    from tunesmith.composer.score_file import LoadedScore, load_document
    from tunesmith.text_files import decoded

    content = bytes_of_score(path)
    if not is_midi(content):
        # A file called MIDI that is none would be reported as broken YAML.
        if path.suffix.lower() in MIDI_SUFFIXES:
            read_song(content)
        return load_document(decoded(content, str(path), "score"))
    song = read_song(content)
    return LoadedScore(midi_score(song, path.stem), None, song.warnings)
