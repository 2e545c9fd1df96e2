"""``tunesmith stitch``, ``loop`` and ``fit``: join sounds, loop one, or fit one to a length."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from tunesmith.cli.audio import AsJson, Bits, FileArgument, Output
from tunesmith.cli.console import as_json_text
from tunesmith.cli.options import REVENUE_FLAGS, REVENUE_HELP

if TYPE_CHECKING:
    from tunesmith.audio import Audio

FILES_HELP = "Two or more audio files, in order."
FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE…", help=FILES_HELP, readable=False)]
CROSSFADE_HELP = "Seconds of overlap between neighbours. Default: one bar."
Crossfade = Annotated[float | None, typer.Option("--crossfade", metavar="SECONDS", help=CROSSFADE_HELP)]
Bars = Annotated[int | None, typer.Option("--bars", metavar="N", help="Length in bars. Default: the best of 1 to 32.")]
Duration = Annotated[str, typer.Option("--duration", metavar="TIME", help="Length: 60, 1:30.")]

SAFE_HELP = "Refuse audio whose licence forbids commercial use or is unknown."
Safe = Annotated[bool | None, typer.Option("--commercial-safe/--no-commercial-safe", help=SAFE_HELP)]
RevenueBelowLimit = Annotated[bool | None, typer.Option(REVENUE_FLAGS, help=REVENUE_HELP)]


def stitch(
    files: FilesArgument, output: Output, crossfade: Crossfade = None, commercial_safe: Safe = None,
    revenue_below_limit: RevenueBelowLimit = None, bits: Bits = None, as_json: AsJson = False,
) -> None:  # fmt: skip
    """Join audio files on the beat, at equal loudness, with crossfades of one bar.

    tunesmith stitch intro.wav main.wav outro.wav -o long.wav
    """
    import time

    from tunesmith.audio.edits import Edit, file_source
    from tunesmith.audio.stitch import stitch as stitch_audio
    from tunesmith.cli.editing import Written, write_edited
    from tunesmith.cli.input_files import check_output, read_sound
    from tunesmith.config import load_settings
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence

    started = time.monotonic()
    # An output that cannot be written fails before the inputs are decoded and analysed.
    check_output(output, *files)
    sounds = [read_sound(file).with_metadata(source=file_source(file)) for file in files]
    settings = load_settings()
    check_licence(CommercialPolicy.of(settings, commercial_safe, revenue_below_limit), None, *files)
    audio, transitions = stitch_audio(sounds, crossfade)
    how = Written(Edit("stitch", {"crossfade": crossfade, "bits": bits}), started, {"bits": bits}, settings)
    done = write_edited(files, sounds, audio, output, how)
    if as_json:
        typer.echo(as_json_text({**done.as_json(), "transitions": [asdict(one) for one in transitions]}))
        return
    typer.echo(f"{output}: {audio.duration:.2f} s")
    for one in transitions:
        tempos = " → ".join("no beat" if tempo is None else f"{tempo:g} bpm" for tempo in one.tempo_bpm)
        keys = " → ".join(key or "no key" for key in one.key)
        where = "on the beat" if one.on_the_beat else "crossfaded"
        typer.echo(f"  at {one.at:.2f} s, {one.seconds:.2f} s {where}: {tempos}, {keys}")


def loop(file: FileArgument, output: Output, bars: Bars = None, bits: Bits = None, as_json: AsJson = False) -> None:
    """Find the section that repeats best and make it a seamless loop.

    tunesmith loop song.mp3 -o loop.wav
    """
    from tunesmith.audio.edits import Edit
    from tunesmith.audio.find_loop import LoopPoints, seamless
    from tunesmith.cli.editing import edit_file

    # edit_file takes a function from audio to audio; the loop points leave it through this list.
    found: list[LoopPoints] = []

    def looped(audio: Audio) -> Audio:
        audio, points = seamless(audio, bars)
        found.append(points)
        return audio

    done = edit_file(file, output, Edit("loop", {"bars": bars, "bits": bits}), looped, bits=bits)
    audio, points = done.audio, found[0]
    if as_json:
        typer.echo(as_json_text({**done.as_json(), **asdict(points)}))
        return
    found_bars = f"{points.bars} bars" if points.bars else "no beat found, whole file"
    what = "the loop points of the file" if points.is_stated else found_bars
    typer.echo(f"{output}: {audio.duration:.2f} s, {what}, from {points.start:.2f} to {points.end:.2f} s")


def fit(file: FileArgument, output: Output, duration: Duration, bits: Bits = None, as_json: AsJson = False) -> None:
    """Give audio an exact length: bars are removed or repeated where it is least noticeable.

    tunesmith fit song.mp3 --duration 60 -o song-60s.mp3
    """
    from tunesmith.audio.edits import Edit
    from tunesmith.audio.fit_length import fit as fit_audio
    from tunesmith.cli.audio import seconds_of
    from tunesmith.cli.editing import edit_file

    seconds = seconds_of("duration", duration)
    # The description of the edit leaves ``fitted`` through this list, as the loop points do in ``loop``.
    what: list[str] = []

    def fitted(audio: Audio) -> Audio:
        found = fit_audio(audio, seconds)
        what.append(found.done)
        return found.audio

    done = edit_file(file, output, Edit("fit", {"duration": seconds, "bits": bits}), fitted, bits=bits)
    if as_json:
        typer.echo(as_json_text({**done.as_json(), "done": what[0]}))
    else:
        typer.echo(f"{output}: {done.audio.duration:.2f} s, {what[0]}")
