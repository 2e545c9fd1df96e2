"""``tunesmith score edit`` changes a score file, every other line kept as it is; ``score schema`` prints its schema."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from tunesmith.composer.score_file import PartChange

Text = str | None
Many = list[str] | None


def _option(help_text: str, metavar: str, *names: str) -> Any:
    return typer.Option(*names, metavar=metavar, help=help_text)


FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="A score file, as written by --score.")]
Output = Annotated[Path, _option("The changed score file; may be FILE itself.", "FILE", "-o", "--output")]
Transpose = Annotated[Text, _option("Move the whole piece, in semitones: 2, -3.", "N")]
KeyName = Annotated[Text, _option("Another key, such as 'C minor'.", "KEY")]
Bpm = Annotated[Text, _option("Another tempo.", "BPM")]
MeterName = Annotated[Text, _option("Another meter, such as 3/4.", "METER")]
Seed = Annotated[Text, _option("Write the parts that follow with another seed.", "N")]
Sections = Annotated[Text, _option("The sections in the order in which they sound: intro,A,A,B,outro.", "A,B")]
Chords = Annotated[
    Many, _option("A chord for a bar; may be repeated: 5=Ebmaj7, '5=1 Am 2, 3 F 2'.", "BAR=CHORD", "--chord")
]
Mute = Annotated[Text, _option("Parts to silence, by name, role or instrument.", "A,B")]
Unmute = Annotated[Text, _option("Parts to hear again.", "A,B")]
Solo = Annotated[Text, _option("The only parts to hear.", "A,B")]
Fix = Annotated[Text, _option("Parts whose notes stay whatever changes.", "A,B")]
Gain = Annotated[Many, _option("Level of a part in dB; may be repeated: drums=-3.", "PART=DB")]
Octave = Annotated[Many, _option("Octaves by which to move a part; may be repeated: melody=-1.", "PART=N")]
Rename = Annotated[Many, _option("A name of your own for a part; may be repeated.", "PART=NAME")]
Groove = Annotated[Text, _option("How much of the genre's groove: 0 straight, 1 as usual, 2 the most.", "0..2")]
Humanize = Annotated[Text, _option("How much chance in time and loudness: 0 none, 1 as usual.", "0..2")]
SchemaOutput = Annotated[Path | None, _option("Write it to a file instead.", "FILE", "-o", "--output")]

app = typer.Typer(help="Change a score file, or print the schema of score files.", no_args_is_help=True)


@app.callback()
def score() -> None:
    """Change a score file, or print the schema of score files."""


@app.command()
def edit(
    file: FileArgument, output: Output, transpose: Transpose = None, key: KeyName = None, bpm: Bpm = None,
    meter: MeterName = None, seed: Seed = None, sections: Sections = None, chord: Chords = None, mute: Mute = None,
    unmute: Unmute = None, solo: Solo = None, fix: Fix = None, gain: Gain = None, octave: Octave = None,
    rename: Rename = None, groove: Groove = None, humanize: Humanize = None,
) -> None:  # fmt: skip
    """Change a score file; parts that follow what changed are written anew when it is rendered.

    tunesmith score edit song.yaml --chord 5=Ebmaj7 --mute drums -o changed.yaml
    """
    from tunesmith.cli.console import print_warning
    from tunesmith.composer.score_file import ScoreChanges, edited_document, load_document
    from tunesmith.composer.score_input import text_of_score
    from tunesmith.errors import InvalidRequest
    from tunesmith.files import atomic_output
    from tunesmith.output_files import check_folder_of
    from tunesmith.plain_text import comma_separated

    check_folder_of("output", output)
    text = text_of_score(file)
    own = {
        "transpose": transpose, "key": key, "meter": meter, "seed": seed, "groove": groove, "humanize": humanize,
        "tempo": None if bpm is None else _tempo(text, bpm, meter),
        "sections": None if sections is None else f"[{', '.join(map(_quoted, comma_separated(sections)))}]",
    }  # fmt: skip
    changes = ScoreChanges(
        {name: value for name, value in own.items() if value is not None},
        [
            *_flags("mute", mute, "mute", "true"), *_flags("unmute", unmute, "mute", "false"),
            *_flags("solo", solo, "solo", "true"), *_flags("fix", fix, "follow", "fixed"),
            *_values("gain", gain, "gain_db"), *_values("octave", octave, "octave"),
            *_values("rename", rename, "name"),
        ],
        dict(_chord(given) for given in chord or ()),
    )  # fmt: skip
    if changes == ScoreChanges(parts=[]):
        raise InvalidRequest("score", "needs at least one change, such as --transpose 2")
    edited = edited_document(text, changes)
    loaded = load_document(edited)
    for warning in loaded.warnings:
        print_warning(warning)
    with atomic_output(output) as temporary:
        temporary.write_text(edited, encoding="utf-8")
    typer.echo(f"{output}: {loaded.score.bars} bars, {loaded.score.duration:.1f} s, {len(loaded.score.parts)} parts")


def _tempo(text: str, bpm: str, meter: str | None) -> str:
    """Return a tempo in felt beats as the document counts it, in quarter notes."""
    from tunesmith.composer.score_file import load_score
    from tunesmith.composer.theory import Meter
    from tunesmith.errors import InvalidRequest

    try:
        felt = (load_score(text).meter if meter is None else Meter.parse(meter)).felt_beat
        return f"{float(bpm) * felt:g}"
    except ValueError as error:
        raise InvalidRequest("bpm", f"must be a number, got {bpm[:40]!r}") from error


def _quoted(name: str) -> str:
    from tunesmith.composer.score_file import quoted

    return quoted(name)


def _flags(option: str, given: str | None, field: str, value: str) -> Iterator[PartChange]:
    from tunesmith.composer.score_file import PartChange
    from tunesmith.plain_text import comma_separated

    for which in comma_separated(given or ""):
        yield PartChange(option, which, field, value)


def _values(option: str, given: list[str] | None, field: str) -> Iterator[PartChange]:
    from tunesmith.composer.score_file import PartChange

    for text in given or ():
        which, value = _pair(option, text, "PART=VALUE")
        yield PartChange(option, which, field, _quoted(value) if field == "name" else value)


def _chord(text: str) -> tuple[int, str]:
    from tunesmith.errors import InvalidRequest

    bar, chord = _pair("chord", text, "BAR=CHORD")
    if not bar.isdecimal() or len(bar) > 6:
        raise InvalidRequest("chord", f"must be BAR=CHORD such as 5=Ebmaj7, got {text[:40]!r}")
    return int(bar), chord


def _pair(option: str, text: str, shape: str) -> tuple[str, str]:
    from tunesmith.errors import InvalidRequest

    name, equals, value = text.partition("=")
    if not equals or not name.strip() or not value.strip():
        raise InvalidRequest(option, f"must be {shape}, got {text[:40]!r}")
    return name.strip(), value.strip()


@app.command()
def schema(output: SchemaOutput = None) -> None:
    """Print the JSON Schema of score files, with which editors check and complete them."""
    import json

    from tunesmith.composer.score_file.schema import score_schema
    from tunesmith.files import atomic_output
    from tunesmith.output_files import check_folder_of

    text = json.dumps(score_schema(), indent=1, ensure_ascii=False)
    if output is None:
        typer.echo(text)
        return
    check_folder_of("output", output)
    with atomic_output(output) as temporary:
        temporary.write_text(f"{text}\n", encoding="utf-8")
