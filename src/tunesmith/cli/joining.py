"""``tunesmith stitch``, ``loop`` and ``fit``: sounds one after another, round and round, or as long as needed."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.outputs import as_json_text
from tunesmith.cli.sound import AsJson, Bits, FileArgument, Output

FILES_HELP = "Two sound files or more, in order."
FilesArgument = Annotated[list[Path], typer.Argument(metavar="FILE…", help=FILES_HELP, readable=False)]
CROSSFADE_HELP = "Seconds that neighbours overlap; a bar where left out."
Crossfade = Annotated[float | None, typer.Option("--crossfade", metavar="SECONDS", help=CROSSFADE_HELP)]
Bars = Annotated[int | None, typer.Option("--bars", metavar="N", help="So many bars; the best of 1 to 32 if left out.")]
Duration = Annotated[str, typer.Option("--duration", metavar="TIME", help="How long: 60, 1:30.")]


def stitch(
    files: FilesArgument, output: Output, crossfade: Crossfade = None, bits: Bits = None, as_json: AsJson = False
) -> None:
    """Join sounds on the beat, equally loud, with crossfades of a bar.

    tunesmith stitch intro.wav main.wav outro.wav -o long.wav
    """
    from tunesmith.audio import stitching
    from tunesmith.audio.writer import write_audio
    from tunesmith.cli.reading import check_output, read_sound

    check_output(output, *files)
    audio, transitions = stitching.stitch([read_sound(file) for file in files], crossfade)
    write_audio(audio, output, bits=bits)
    if as_json:
        typer.echo(as_json_text({"file": str(output), "duration": audio.duration,
                                 "transitions": [asdict(one) for one in transitions]}))  # fmt: skip
        return
    typer.echo(f"{output}: {audio.duration:.2f} s")
    for one in transitions:
        tempos = " → ".join("no beat" if tempo is None else f"{tempo:g} bpm" for tempo in one.tempo_bpm)
        keys = " → ".join(key or "no key" for key in one.key)
        where = "on the beat" if one.on_the_beat else "crossfaded"
        typer.echo(f"  at {one.at:.2f} s, {one.seconds:.2f} s {where}: {tempos}, {keys}")


def loop(file: FileArgument, output: Output, bars: Bars = None, bits: Bits = None, as_json: AsJson = False) -> None:
    """Find the stretch of any sound that repeats best and make it a seamless loop.

    tunesmith loop song.mp3 -o loop.wav
    """
    from tunesmith.audio.looping import seamless
    from tunesmith.audio.writer import write_audio
    from tunesmith.cli.reading import check_output, read_sound

    check_output(output, file)
    audio, points = seamless(read_sound(file), bars)
    write_audio(audio, output, bits=bits)
    if as_json:
        typer.echo(as_json_text({"file": str(output), "duration": audio.duration, **asdict(points)}))
        return
    what = f"{points.bars} bars" if points.bars else "no beat found, all of it"
    typer.echo(f"{output}: {audio.duration:.2f} s, {what}, from {points.start:.2f} to {points.end:.2f} s")


def fit(file: FileArgument, output: Output, duration: Duration, bits: Bits = None, as_json: AsJson = False) -> None:
    """Make a sound exactly as long as needed: bars are taken out or repeated where it is least noticed.

    tunesmith fit song.mp3 --duration 60 -o song-60s.mp3
    """
    from tunesmith.audio import fitting
    from tunesmith.audio.writer import write_audio
    from tunesmith.cli.reading import check_output, read_sound
    from tunesmith.cli.sound import seconds_of

    check_output(output, file)
    fitted = fitting.fit(read_sound(file), seconds_of("duration", duration))
    write_audio(fitted.audio, output, bits=bits)
    if as_json:
        typer.echo(as_json_text({"file": str(output), "duration": fitted.audio.duration, "done": fitted.done}))
    else:
        typer.echo(f"{output}: {fitted.audio.duration:.2f} s, {fitted.done}")
