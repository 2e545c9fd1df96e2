"""``tunesmith generate``: a prompt becomes files."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Annotated

import typer

from tunesmith.cli.console import progress_bar
from tunesmith.cli.outputs import report

MUSIC, SOUND, FILES = "The music", "The sound", "Files"
Text = str | None


def generate(
    prompt: Annotated[str, typer.Argument(help="What the music should be, in your own words.")],
    output: Annotated[
        Text,
        typer.Option(
            "-o",
            "--output",
            metavar="FILE",
            rich_help_panel=FILES,
            help="Where to: .wav .flac .mp3 .ogg .opus; - is standard output. Default: after prompt and seed.",
        ),
    ] = None,
    duration: Annotated[
        Text,
        typer.Option(
            metavar="TIME", rich_help_panel=MUSIC, help="Exact length: 45, 1:30; 1 s to 30 min. [default: 30]"
        ),
    ] = None,
    bars: Annotated[Text, typer.Option(metavar="N", rich_help_panel=MUSIC, help="Length in bars instead.")] = None,
    bpm: Annotated[Text, typer.Option(metavar="BPM", rich_help_panel=MUSIC, help="Tempo, 20 to 300.")] = None,
    key: Annotated[
        Text, typer.Option(metavar="KEY", rich_help_panel=MUSIC, help="Such as 'D minor', 'F# dorian', Bb.")
    ] = None,
    meter: Annotated[Text, typer.Option(metavar="METER", rich_help_panel=MUSIC, help="Such as 4/4, 3/4, 6/8.")] = None,
    genre: Annotated[Text, typer.Option(metavar="NAME", rich_help_panel=MUSIC, help="See: tunesmith genres.")] = None,
    instruments: Annotated[
        Text,
        typer.Option(
            metavar="A,B", rich_help_panel=MUSIC, help="Instruments that must play; see: tunesmith instruments."
        ),
    ] = None,
    without: Annotated[
        Text, typer.Option(metavar="A,B", rich_help_panel=MUSIC, help="Instruments, families or roles to leave out.")
    ] = None,
    form: Annotated[
        Text, typer.Option(metavar="FORM", rich_help_panel=MUSIC, help="track, loop, sting, bumper or bed.")
    ] = None,
    loop: Annotated[
        bool, typer.Option("--loop", rich_help_panel=MUSIC, help="A seamless loop; same as --form loop.")
    ] = False,
    intensity: Annotated[
        Text, typer.Option(metavar="0..1", rich_help_panel=MUSIC, help="How full it plays throughout.")
    ] = None,
    layers: Annotated[
        Text,
        typer.Option(
            metavar="A,B", rich_help_panel=MUSIC, help="Also the same piece, in sync, at these intensities: 0.2,0.6,1."
        ),
    ] = None,
    hit: Annotated[
        list[str] | None,
        typer.Option(
            metavar="TIME[=climax]", rich_help_panel=MUSIC, help="A first beat falls exactly here; may be repeated."
        ),
    ] = None,
    seed: Annotated[
        Text, typer.Option(metavar="N", rich_help_panel=MUSIC, help="Same seed, same music. [default: random]")
    ] = None,
    variations: Annotated[
        int,
        typer.Option(
            "-n",
            "--variations",
            min=1,
            max=100,
            metavar="N",
            rich_help_panel=MUSIC,
            help="So many pieces, with seeds that follow each other.",
        ),
    ] = 1,
    model: Annotated[
        str, typer.Option(metavar="NAME", rich_help_panel=MUSIC, help="What makes the music.")
    ] = "composer",
    loudness: Annotated[
        Text,
        typer.Option(
            metavar="LUFS", rich_help_panel=SOUND, help="Integrated loudness, -40 to -8. [default: the genre's]"
        ),
    ] = None,
    sample_rate: Annotated[
        Text, typer.Option(metavar="HZ", rich_help_panel=SOUND, help="8000 to 96000. [default: 44100]")
    ] = None,
    mono: Annotated[bool, typer.Option("--mono", rich_help_panel=SOUND, help="One channel.")] = False,
    soundfont: Annotated[
        Text, typer.Option(metavar="FILE", rich_help_panel=SOUND, help="An SF2 or SF3 bank to play from.")
    ] = None,
    stems: Annotated[
        Path | None,
        typer.Option(metavar="DIR", rich_help_panel=FILES, help="Also one file a part, before mastering."),
    ] = None,
    midi: Annotated[
        Path | None, typer.Option(metavar="FILE", rich_help_panel=FILES, help="Also the notes as MIDI.")
    ] = None,
    score: Annotated[
        Path | None,
        typer.Option(metavar="FILE", rich_help_panel=FILES, help="Also the score as YAML, to edit and render."),
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", rich_help_panel=FILES, help="Report as JSON.")] = False,
    quiet: Annotated[
        bool, typer.Option("--quiet", "-q", rich_help_panel=FILES, help="No progress, no report.")
    ] = False,
) -> None:
    """Make music from a prompt and write it to a file.

    tunesmith "calm piano, 70 bpm" --duration 1:30 -o calm.mp3
    """
    from tunesmith.cli.making import Extras, make_all, requests_for

    wishes = {
        "prompt": prompt, "model": model, "seed": seed, "duration": duration, "bars": bars, "tempo_bpm": bpm,
        "key": key, "meter": meter, "genre": genre, "instruments": instruments, "without": without, "form": form,
        "loop": loop, "intensity": intensity, "hits": hit, "loudness_lufs": loudness, "sample_rate": sample_rate,
        "mono": mono, "soundfont": soundfont,
    }  # fmt: skip
    started = time.monotonic()
    requests, suffix = requests_for(wishes, variations)
    extras = Extras.checked(output, suffix, stems, midi, score, layers)
    with progress_bar(quiet or as_json) as progress:
        made = make_all(requests, extras, progress, started)
    report(made, as_json, quiet, to_stderr=extras.to_standard_output)
