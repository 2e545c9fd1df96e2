"""``tunesmith render``: render an edited score to sound."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from tunesmith.cli.generate import ReportOptions
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import Listener
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

WORDS_HELP = "With --model: the style in words. Default: the prompt of the score."
Words = Annotated[str | None, typer.Option("--prompt", metavar="TEXT", help=WORDS_HELP)]
KEPT_HELP = "With --model: roles of the composer's stems to keep beside the drums."
KeptStems = Annotated[str | None, typer.Option("--keep", metavar="A,B", help=KEPT_HELP)]


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
    play: options.Play = False,
    model: options.Model = "composer",
    prompt: Words = None,
    keep: KeptStems = None,
    performances: options.Performances = None,
    accompany: options.Accompany = False,
    lead_frames: options.LeadFrames = None,
    seed: options.Seed = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Render a score file or a MIDI file to audio; errors in a score are shown with line, part and beat.

    If you changed chords, melody or form, the parts that follow them are written anew. With --model, a model that plays
    notes performs the score.
    """
    from tunesmith.cli.generate import ReportOptions
    from tunesmith.cli.play import playing
    from tunesmith.config import load_settings
    from tunesmith.models.factories import COMPOSER
    from tunesmith.output_files import OutputFiles

    started = time.monotonic()
    files = OutputFiles.checked(str(output), output.suffix, stems, midi, score_file, layers, plot)
    settings, shown = load_settings(), ReportOptions(as_json, quiet)
    performing = _performing(prompt, seed, keep, performances, accompany, lead_frames)
    if model != COMPOSER:
        from tunesmith.cli.perform_score import perform_and_report

        _check_not_played(play)
        sound = {"loudness_lufs": loudness, "sample_rate": sample_rate, "mono": mono, "soundfont": soundfont}
        perform_and_report(score, {"model": model, **performing, **sound}, files, settings, shown)
        return
    _check_composed(performing)
    with playing(play, 1) as listen:
        sound_request = _request(settings, loudness, sample_rate, mono, soundfont)
        _render(score, sound_request, files, settings, shown, started, listen)


def _performing(
    prompt: str | None, seed: str | None, keep: str | None, performances: str | None, accompany: bool,
    lead_frames: str | None,
) -> dict[str, object]:  # fmt: skip
    """Return the fields of a performance by a model, None where the option was not given."""
    from tunesmith.plain_text import comma_separated

    return {
        "prompt": prompt, "seed": seed, "keep_stems": comma_separated(keep or "") or None,
        "performances": performances, "accompany": accompany or None, "lead_frames": lead_frames,
    }  # fmt: skip


def _check_composed(performing: Mapping[str, object]) -> None:
    """Raise InvalidRequest for the first option that only a model takes."""
    from tunesmith.errors import InvalidRequest

    for name, value in performing.items():
        if value is not None:
            raise InvalidRequest(name, f"needs --model with a model that plays notes, got {value!s} without one")


def _check_not_played(play: bool) -> None:
    """Raise InvalidRequest for --play with a model, which performs the whole piece before any of it sounds."""
    from tunesmith.errors import InvalidRequest

    if play:
        raise InvalidRequest("play", "does not go with --model; play the file when it is written")


def _render(
    score: Path, sound_request: GenerationRequest, files: OutputFiles, settings: Settings, shown: ReportOptions,
    started: float, listen: Listener | None,
) -> None:  # fmt: skip
    """Render a score with the composer, write and log the files, and report them; ``listen`` hears it meanwhile."""
    from tunesmith.audio.edits import Edit, edited, file_source
    from tunesmith.cli.console import print_warning, progress_bar, report
    from tunesmith.cli.track_log import log_render
    from tunesmith.composer.composition import perform
    from tunesmith.composer.score_input import loaded_score
    from tunesmith.pipeline import GeneratedMusic, mix_of, write_music
    from tunesmith.source_tracks import RENDERED

    loaded = loaded_score(score)
    composition = perform(loaded.score, sound_request, loaded.written, loaded.warnings)
    with progress_bar(shown.is_silent) as progress:
        audio = mix_of(composition, progress, listen=listen)
    for warning in composition.warnings:
        print_warning(warning)
    # The score replaces the placeholder prompt, and its seed is the one the music was written with.
    request = sound_request.model_copy(update={"prompt": composition.score.prompt, "seed": composition.score.seed})
    audio = edited(audio, Edit(RENDERED, {}), file_source(score))
    done = write_music(GeneratedMusic(request, audio, composition), files, "", started, print_warning)
    report([log_render(settings, done)], shown.as_json, shown.quiet, to_stderr=False)


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
