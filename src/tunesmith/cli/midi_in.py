"""``tunesmith PROMPT --midi-in FILE``: arrange the melody or the chords of a MIDI file."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tunesmith.cli.generate import ReportOptions
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import Listener
    from tunesmith.request import GenerationRequest


def arrange_and_report(
    midi: Path,
    requests: Sequence[GenerationRequest],
    files: OutputFiles,
    settings: Settings,
    shown: ReportOptions,
    listen: Listener | None = None,
) -> None:
    """Arrange a MIDI file once for each request, write and log the files, and report them.

    ``listen`` hears each piece while it is made.

    Raises InvalidRequest for a broken MIDI file and for options that do not go with one.
    """
    from tunesmith.audio.edits import Edit, edited, file_source
    from tunesmith.cli.console import print_warning, progress_bar, report
    from tunesmith.cli.track_log import log_tracks
    from tunesmith.composer.composition import arrange
    from tunesmith.composer.midi_in import read_song
    from tunesmith.composer.score_input import bytes_of_score
    from tunesmith.pipeline import GeneratedMusic, mix_of, write_music
    from tunesmith.source_tracks import ARRANGED

    _check(requests, files, shown)
    song, done = read_song(bytes_of_score(midi)), []
    for number, request in enumerate(requests, start=1):
        started = time.monotonic()
        composition = arrange(song, request)
        for warning in composition.warnings:
            print_warning(warning)
        with progress_bar(shown.is_silent) as progress:
            audio = edited(mix_of(composition, progress, listen=listen), Edit(ARRANGED, {}), file_source(midi))
        music = GeneratedMusic(request, audio, composition)
        done.append(write_music(music, files, str(number) if number > 1 else "", started, print_warning))
    # The request alone would not make the piece again, so the log names the edit.
    report(
        log_tracks(settings, done, generated_by=ARRANGED),
        shown.as_json,
        shown.quiet,
        to_stderr=files.to_standard_output,
    )


def _check(requests: Sequence[GenerationRequest], files: OutputFiles, shown: ReportOptions) -> None:
    from tunesmith.errors import InvalidRequest

    if requests[0].model != "composer" or requests[0].follows_composer:
        raise InvalidRequest("midi_in", f"only the composer arranges MIDI, got model {requests[0].model!r}")
    if requests[0].score is not None:
        raise InvalidRequest("score", "cannot go with --midi-in: a score is played as it is")
    if shown.pick or shown.keep != "all":
        raise InvalidRequest("pick", "does not go with --midi-in")
    if shown.sheet is not None:
        raise InvalidRequest("sheet", "does not go with --midi-in")
    if files.to_standard_output and len(requests) > 1:
        raise InvalidRequest("variations", f"standard output takes one piece, got {len(requests)}")
