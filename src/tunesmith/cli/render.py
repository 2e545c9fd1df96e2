"""``tunesmith render``: render an edited score to sound."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.request import GenerationRequest

ScoreArgument = Annotated[Path, typer.Argument(metavar="SCORE.yaml", help="A score file, as written by --score.")]
OutputFile = Annotated[
    Path, typer.Option("-o", "--output", metavar="FILE", help="Output file; the suffix sets the format.")
]
# Half an hour of a full band takes 2 MB.
MAX_SCORE_BYTES = 20_000_000


def render(
    score: ScoreArgument,
    output: OutputFile,
    loudness: options.Loudness = None,
    sample_rate: options.SampleRateHz = None,
    mono: options.Mono = False,
    soundfont: options.SoundFontFile = None,
    plot: options.Plot = None,
    as_json: options.Json = False,
    quiet: options.Quiet = False,
) -> None:
    """Render a score file to audio; errors in it are shown with line, part and beat."""
    from tunesmith.audio.edits import Edit, edited, file_source
    from tunesmith.audio.writer import check_writable
    from tunesmith.cli.console import print_warning, progress_bar, report
    from tunesmith.cli.track_log import log_render
    from tunesmith.composer.composition import perform
    from tunesmith.composer.score_file import load_score
    from tunesmith.config import load_settings
    from tunesmith.output_files import OutputFiles, check_plot
    from tunesmith.pipeline import GeneratedMusic, write_music

    started = time.monotonic()
    check_writable(output)
    if plot is not None:
        check_plot(plot)
    settings = load_settings()
    sound_request = _request(settings, loudness, sample_rate, mono, soundfont)
    composition = perform(load_score(text_of_score(score)), sound_request)
    with progress_bar(quiet or as_json) as progress:
        audio = composition.mix(progress)
    for warning in composition.warnings:
        print_warning(warning)
    # The score replaces the placeholder prompt, and its seed is the one the music was written with.
    request = sound_request.model_copy(update={"prompt": composition.score.prompt, "seed": composition.score.seed})
    audio = edited(audio, Edit("render", {}), file_source(score))
    done = write_music(GeneratedMusic(request, audio, composition), OutputFiles(output, plot=plot), "", started)
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
    """Return the text of a score file; raises InvalidRequest if it cannot be read or is too large."""
    from tunesmith.errors import InvalidRequest
    from tunesmith.text_files import decoded

    try:
        with path.open("rb") as file:
            # One byte beyond the limit shows that a file is too long without reading all of it.
            content = file.read(MAX_SCORE_BYTES + 1)
        if len(content) > MAX_SCORE_BYTES:
            raise InvalidRequest("score", f"{path} must be at most {MAX_SCORE_BYTES} bytes")
        return decoded(content, str(path), "score")
    except OSError as error:
        raise InvalidRequest("score", f"cannot read {path}: {error.strerror}") from None
