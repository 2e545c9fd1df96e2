"""``tunesmith info``, ``convert``, ``trim``, ``fade``, ``normalize``: measure a sound file, or edit it simply."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli.console import as_json_text

if TYPE_CHECKING:
    from tunesmith.audio import Audio

FILE_HELP = "An audio file: WAV, FLAC, MP3, Ogg, Opus, AIFF …"
# Typer does not check whether the file is readable, because the reader's error gives the reason.
FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help=FILE_HELP, readable=False)]
OUTPUT_HELP = "Output file; the suffix sets the format."
Output = Annotated[Path, typer.Option("-o", "--output", metavar="FILE", help=OUTPUT_HELP)]
AsJson = Annotated[bool, typer.Option("--json", help="Print as JSON.")]
Plot = Annotated[
    Path | None, typer.Option("--plot", metavar="PNG", help="Also write a picture: waveform and spectrogram.")
]
Start = Annotated[str, typer.Option("--start", metavar="TIME", help="Start of the part: 12, 0:12.5.")]
End = Annotated[
    str | None, typer.Option("--end", metavar="TIME", help="End of the part. Default: the end of the file.")
]
FadeIn = Annotated[str, typer.Option("--in", metavar="TIME", help="Length of the fade-in.")]
FadeOut = Annotated[str, typer.Option("--out", metavar="TIME", help="Length of the fade-out.")]
Loudness = Annotated[float, typer.Option("--loudness", metavar="LUFS", min=-40, max=-5, help="Integrated loudness.")]
RateOption = Annotated[
    int | None, typer.Option("--sample-rate", metavar="HZ", min=8_000, max=192_000, help="Sample rate in Hz.")
]
Mono = Annotated[bool, typer.Option("--mono", help="Mix down to one channel.")]
BITS_HELP = "Bits per sample, if the format has a choice. Default: as in the source."
Bits = Annotated[int | None, typer.Option("--bits", metavar="16|24|32", help=BITS_HELP)]
STREAMING_LUFS = -14.0
"""The loudness to which streaming services normalize."""
FOR_PROGRAMS = frozenset({"licence_terms", "revenue_limit_usd", "metadata"})
"""What only the JSON has; ``commercial_use`` says the first two in words."""


def info(file: FileArgument, as_json: AsJson = False, plot: Plot = None) -> None:
    """Show an audio file's length, tempo, key, loudness, peaks and metadata.

    tunesmith info song.mp3 --plot song.png
    """
    from tunesmith.audio.credits import terms_of_sound
    from tunesmith.cli.input_files import read_sound
    from tunesmith.output_files import check_plot

    if plot is not None:
        # Fail before the sound is measured, which takes longer.
        check_plot(plot)
    audio = read_sound(file)
    values = about(audio, file)
    if plot is not None:
        from tunesmith.audio.spectrogram_plot import draw

        draw(audio, plot, title=file.name)
    if as_json:
        typer.echo(as_json_text(values))
        return
    for name, value in {**values, "commercial_use": terms_of_sound(audio.metadata).in_words}.items():
        if value is not None and name not in FOR_PROGRAMS:
            typer.echo(f"{name:16}{_loops_in_words(value) if name == 'loop_points' else value}")


def convert(
    file: FileArgument, output: Output, sample_rate: RateOption = None, mono: Mono = False, bits: Bits = None
) -> None:
    """Convert to another format, sample rate or number of channels; metadata is kept."""
    _edit(file, output, "convert", sample_rate=sample_rate, mono=mono or None, bits=bits)


def trim(file: FileArgument, output: Output, start: Start = "0", end: End = None, bits: Bits = None) -> None:
    """Keep a part of an audio file, cut to the exact sample."""
    last = None if end is None else seconds_of("end", end)
    _edit(file, output, "trim", start=seconds_of("start", start), end=last, bits=bits)


def fade(file: FileArgument, output: Output, rise: FadeIn = "0", fall: FadeOut = "0", bits: Bits = None) -> None:
    """Fade audio in and out."""
    from tunesmith.errors import InvalidRequest

    lengths = {"in": seconds_of("in", rise), "out": seconds_of("out", fall)}
    if not any(lengths.values()):
        raise InvalidRequest("fade", "needs --in TIME, --out TIME or both")
    _edit(file, output, "fade", **lengths, bits=bits)


def normalize(file: FileArgument, output: Output, loudness: Loudness = STREAMING_LUFS, bits: Bits = None) -> None:
    """Set the loudness by gain alone, as far as the peaks allow; no limiter distorts it."""
    _edit(file, output, "normalize", loudness=loudness, bits=bits)


def about(audio: Audio, file: Path) -> dict[str, Any]:
    """Return the measurements of a sound and the metadata of its file.

    A value is None if there is nothing to measure, such as the tempo of a sound without a beat.
    """
    import math

    from tunesmith.audio.analysis.analyse import analyse_with_metadata
    from tunesmith.audio.credits import authors_of, credits_of, licence_of, terms_of_sound
    from tunesmith.audio.loudness import loudness_of
    from tunesmith.audio.markers import loop_points_json
    from tunesmith.audio.true_peak import true_peak_of

    # The loudness and the peak of silence are minus infinity, which JSON cannot hold.
    analysis, loudness, peak = analyse_with_metadata(audio), loudness_of(audio), true_peak_of(audio)
    rhythm, metadata = analysis.rhythm, audio.metadata
    credit = credits_of(metadata)
    return {
        "file": str(file), "format": file.suffix[1:].lower(), "bytes": file.stat().st_size,
        "duration": round(audio.duration, 4), "sample_rate": audio.sample_rate, "channels": audio.channels,
        "tempo_bpm": rhythm.tempo_bpm if rhythm else None,
        "beats_a_bar": rhythm.beats_a_bar if rhythm else None,
        "key": analysis.key.name if analysis.key else None,
        "loudness_lufs": round(loudness, 2) if math.isfinite(loudness) else None,
        "true_peak_dbtp": round(peak, 2) if math.isfinite(peak) else None,
        "prompt": metadata.get("prompt"), "seed": metadata.get("seed"), "model": metadata.get("model"),
        "title": credit[0].title or None if len(credit) == 1 else metadata.get("title"),
        "artist": ", ".join(authors_of(metadata)) or None, "licence": licence_of(metadata),
        **terms_of_sound(metadata).to_json(),
        "loop_points": loop_points_json(metadata, audio.sample_rate), "metadata": dict(metadata),
    }  # fmt: skip


def _loops_in_words(loops: list[dict[str, Any]]) -> str:
    return "; ".join(
        f"samples {one['start']} to {one['end']}, {one['start_seconds']:.3f} to {one['end_seconds']:.3f} s"
        for one in loops
    )


def _edit(file: Path, output: Path, name: str, **settings: Any) -> None:
    from tunesmith.audio.edits import Edit
    from tunesmith.cli.edit_functions import change_of, writer_options
    from tunesmith.cli.editing import edit_file

    # The metadata of the file records only the settings that the caller chose.
    edit = Edit(name, {key: value for key, value in settings.items() if value is not None})
    done = edit_file(file, output, edit, change_of(edit), **writer_options(edit))
    typer.echo(f"{done.path}: {done.audio.duration:.2f} s")


def seconds_of(field: str, text: str) -> float:
    """Parse a time such as ``12.5`` or ``1:02`` and return seconds, 0 or more; raises InvalidRequest for ``field``."""
    from tunesmith.errors import InvalidRequest
    from tunesmith.request import seconds

    try:
        value = float(seconds(text))
    except ValueError:
        raise InvalidRequest(field, f"must be a time like 12.5 or 1:02, got {text[:40]!r}") from None
    if not 0 <= value < float("inf"):
        raise InvalidRequest(field, f"must be 0 s or more, got {text[:40]!r}")
    return value
