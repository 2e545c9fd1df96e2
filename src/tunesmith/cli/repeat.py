"""``tunesmith again`` and ``tunesmith vary``: a track again, changed or in variations, from the log or a file."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options
from tunesmith.cli.generate import ReportOptions, generate_and_report

if TYPE_CHECKING:
    from tunesmith.composer.changes import EditedRequest
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.pipeline import GeneratedFile
    from tunesmith.request import GenerationRequest
    from tunesmith.source_tracks import SourceTrack

WORDS_HELP = 'What to change, in your own words: "happier, without drums". All else stays.'
WordsArgument = Annotated[str, typer.Argument(metavar="[WORDS]", help=WORDS_HELP)]
COUNT_HELP = "Number of variations. Default: 5; with WORDS or options 1, of the same seed."
Count = Annotated[int | None, typer.Option("-n", "--variations", metavar="N", min=1, max=100, help=COUNT_HELP)]
DRY_HELP = "Only show what would be understood."
DryRun = Annotated[bool, typer.Option("--explain", help=DRY_HELP)]
VARIATIONS = 5


def again(
    source: options.Source, words: WordsArgument = "", output: options.Output = None,
    duration: options.Duration = None, bars: options.Bars = None, bpm: options.Bpm = None,
    key: options.KeyName = None, meter: options.MeterName = None, genre: options.GenreName = None,
    mood: options.MoodName = None, instruments: options.Instruments = None, without: options.Without = None,
    form: options.FormName = None, loop: options.Loop = False, intensity: options.Intensity = None,
    production: options.Production = None, ambience: options.Ambience = None, balance: options.Balance = None,
    intro: options.IntroName = None, ending: options.EndingName = None, hit: options.Hits = None,
    score_edits: options.ScoreEdits = None, seed: options.Seed = None, loudness: options.Loudness = None,
    sample_rate: options.SampleRateHz = None, mono: options.Mono = False, stems: options.Stems = None,
    midi: options.Midi = None, score: options.ScoreFile = None, plot: options.Plot = None,
    play: options.Play = False, dry_run: DryRun = False,
    as_json: options.Json = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Generate a piece again, with its edits: byte for byte, or changed by words and options.

    tunesmith again 7k3m9q2xw4 "happier, without drums" -o happy.wav
    """
    from tunesmith.cli.change_report import show_result
    from tunesmith.config import load_settings
    from tunesmith.output_files import OutputFiles

    fields = _given(
        duration=duration, bars=bars, tempo_bpm=bpm, key=key, meter=meter, genre=genre, mood=mood,
        instruments=instruments, without=without, form=form, loop=loop, intensity=intensity, production=production,
        ambience=ambience, balance=balance, intro=intro, ending=ending, hits=hit, score_edits=score_edits,
        seed=seed, loudness_lufs=loudness, sample_rate=sample_rate, mono=mono,
    )  # fmt: skip
    settings, shown = load_settings(), ReportOptions(as_json, quiet)
    found = _source_to_repeat(source, output, settings)
    if not words and not fields:
        files = OutputFiles.checked(output, found.suffix, stems, midi, score, None, plot)
        _again_as_it_was(found, output, files, settings, shown, play=play)
        return
    change = _understood(found, words, fields, is_silent=shown.is_silent or dry_run)
    if dry_run:
        _show_understood(change, as_json)
        return
    files = OutputFiles.checked(output, found.suffix, stems, midi, score, None, plot)
    changed = replace(found, request=change.request)
    done = _generate_again(changed, output, files, settings, shown, parent=found.track, play=play)
    show_result(done, change, shown.is_silent)


def vary(
    source: options.Source, words: WordsArgument = "", variations: Count = None, pick: options.Pick = False,
    keep: options.Keep = "all", sheet: options.Sheet = None, lock: options.Keeping = None,
    output: options.Output = None, duration: options.Duration = None, bars: options.Bars = None,
    bpm: options.Bpm = None, key: options.KeyName = None, meter: options.MeterName = None,
    genre: options.GenreName = None, mood: options.MoodName = None,
    instruments: options.Instruments = None, without: options.Without = None, form: options.FormName = None,
    loop: options.Loop = False, intensity: options.Intensity = None, production: options.Production = None,
    ambience: options.Ambience = None, balance: options.Balance = None, intro: options.IntroName = None,
    ending: options.EndingName = None, hit: options.Hits = None, score_edits: options.ScoreEdits = None,
    loudness: options.Loudness = None, sample_rate: options.SampleRateHz = None, mono: options.Mono = False,
    play: options.Play = False, dry_run: DryRun = False, as_json: options.Json = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Generate variations of a piece: with new seeds, which keep what --lock names, or changed by words and options.

    tunesmith vary 7k3m9q2xw4 "calmer, as a waltz" -n 3 --lock melody,chords --pick
    """
    from tunesmith.audio.edits import edits_of
    from tunesmith.cli.change_report import show_result
    from tunesmith.cli.console import print_warning
    from tunesmith.cli.play import playing
    from tunesmith.config import load_settings
    from tunesmith.output_files import OutputFiles

    fields = _given(
        duration=duration, bars=bars, tempo_bpm=bpm, key=key, meter=meter, genre=genre, mood=mood,
        instruments=instruments, without=without, form=form, loop=loop, intensity=intensity, production=production,
        ambience=ambience, balance=balance, intro=intro, ending=ending, hits=hit, score_edits=score_edits,
        loudness_lufs=loudness, sample_rate=sample_rate, mono=mono,
    )  # fmt: skip
    settings, shown = load_settings(), ReportOptions(as_json, quiet, pick, keep, sheet)
    found = _source_to_repeat(source, output, settings)
    names = [name for name in (lock or "").split(",") if name.strip()]
    kept = {"lock": list(found.request.keeping(names).lock)} if names else {}
    change = _understood(found, words, {**fields, **kept}, is_silent=shown.is_silent or dry_run)
    if dry_run:
        _show_understood(change, as_json)
        return
    if edits_of(found.metadata):
        print_warning("these are variations of the unedited piece")
    requests = _variations(change.request, variations, bool(words or fields), settings)
    files = OutputFiles.checked(output, found.suffix)
    with playing(play, len(requests)) as listen:
        done = generate_and_report(requests, files, settings, shown, parent=found.track, listen=listen)
    show_result(done[0], change, shown.is_silent)


def _given(**given: Any) -> dict[str, Any]:
    """Return the options that are given, as fields of a request; raises InvalidRequest for an invalid one."""
    from tunesmith.pipeline import GenerationOptions

    set_ = {name: value for name, value in given.items() if value not in (None, False, [])}
    fields = GenerationOptions("again", **set_).request_fields()
    return {name: fields[name] for name in set_}


def _understood(found: SourceTrack, words: str, fields: dict[str, Any], *, is_silent: bool) -> EditedRequest:
    """Return what words and options change, and show it; raises InvalidRequest for words that change nothing."""
    from tunesmith.cli.change_report import show_change
    from tunesmith.composer.changes import edit_request

    change = edit_request(found.request, words, fields).check_anything(words)
    show_change(change, is_silent)
    return change


def _show_understood(change: EditedRequest, as_json: bool) -> None:
    from tunesmith.cli.console import as_json_text
    from tunesmith.cli.tables import print_table

    if as_json:
        request = change.request.model_dump(mode="json", exclude_unset=True)
        typer.echo(as_json_text({**change.as_json(), "request": request}))
    else:
        rows = [(one.field, one.before, one.after, one.because) for one in change.changes]
        print_table(("what", "before", "after", "because"), rows)


def _variations(
    request: GenerationRequest, number: int | None, is_changed: bool, settings: Settings
) -> list[GenerationRequest]:
    """Return the requests of variations: with new seeds, or one changed request with its own seed."""
    if number is None and is_changed:
        return [request]
    from tunesmith.cli.console import print_warning
    from tunesmith.request import EDITS_LEFT_OUT

    seeds = _other_seeds(request, number or VARIATIONS, settings)
    variations = [request.of_seed(seed) for seed in seeds]
    if request.score_edits and not variations[0].score_edits:
        print_warning(EDITS_LEFT_OUT)
    return variations


def _again_as_it_was(
    found: SourceTrack, output: str | None, files: OutputFiles, settings: Settings, shown: ReportOptions, *, play: bool
) -> None:
    from tunesmith.cli.console import print_warning
    from tunesmith.files import file_sha256

    done = _generate_again(found, output, files, settings, shown, play=play)
    # Only a file of the same format can have the same bytes.
    written = [Path(file) for file in done.files if Path(file).suffix.lower() == found.suffix]
    if written and found.digest and file_sha256(written[0]) != found.digest:
        print_warning(f"not the same bytes as the original: {_describe_difference(found, done)}")


def _generate_again(
    track: SourceTrack, output: str | None, files: OutputFiles, settings: Settings, shown: ReportOptions,
    parent: str | None = None, *, play: bool,
) -> GeneratedFile:  # fmt: skip
    """Generate a track, repeat its edits and report the file; ``parent`` is as in generate_and_edit.

    Raises InvalidRequest for edits with ``play``: they need the whole piece.
    """
    from tunesmith.cli.console import report
    from tunesmith.cli.play import playing
    from tunesmith.cli.replay import generate_and_edit
    from tunesmith.errors import InvalidRequest

    if not steps_of_track(track):
        with playing(play, 1) as listen:
            [done] = generate_and_report(
                [track.request], files, settings, shown, parent=parent or track.track, listen=listen
            )
        return done
    if play:
        raise InvalidRequest("play", "does not go with a track that was edited; play the file when it is written")
    done = generate_and_edit(track, output, settings, shown.is_silent, parent)
    report([done], shown.as_json, shown.quiet, to_stderr=False)
    return done


def steps_of_track(found: SourceTrack) -> bool:
    """Return whether a track has edits to repeat; raises InvalidRequest if one cannot be repeated."""
    from tunesmith.cli.replay import steps_of

    return bool(steps_of(found.metadata))


def _source_to_repeat(source: str, output: str | None, settings: Settings) -> SourceTrack:
    """Find the track to repeat; raise InvalidRequest if the settings refuse its licence, or if it is the output."""
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
    from tunesmith.source_tracks import find_source_track

    found = find_source_track(source, settings)
    request = found.request
    check_licence(CommercialPolicy.of(settings), request.model, request.audio, request.melody)
    _keep_source(source, output)
    return found


def _keep_source(source: str, output: str | None) -> None:
    """Raise InvalidRequest if the output would overwrite the source file."""
    from tunesmith.cli.input_files import check_output

    if output not in (None, "-"):
        check_output(Path(str(output)), Path(source))


def _other_seeds(request: GenerationRequest, number: int, settings: Settings) -> list[int]:
    from contextlib import suppress

    from tunesmith.cli.track_log import logged
    from tunesmith.errors import DatabaseError
    from tunesmith.library.prompt_log import prompt_log
    from tunesmith.library.variation_seeds import other_seeds, used_seeds

    used: set[int] = set()
    # Without a log no seed counts as used; writing to the log later gives the warning.
    with suppress(DatabaseError), prompt_log(settings) as log:
        used = used_seeds(log, logged(request))
    return other_seeds(request.seed or 0, number, used)


def _describe_difference(before: SourceTrack, now: GeneratedFile) -> str:
    import tunesmith

    if before.version is not None and before.version != tunesmith.__version__:
        return f"it was generated by Tunesmith {before.version}, this is {tunesmith.__version__}"
    was, is_now = before.metadata.get("model_digest"), now.metadata.get("model_digest")
    if was != is_now:
        return f"the model has changed: its digest was {was}, now it is {is_now}"
    return "the machine or its libraries round differently, or the file was changed"
