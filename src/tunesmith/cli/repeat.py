"""``tunesmith again`` and ``tunesmith vary``: generate a track again, or variations of it, from the log or a file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from tunesmith.cli import options

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.cli.replay import ReplayStep
    from tunesmith.config import Settings
    from tunesmith.pipeline import GeneratedFile
    from tunesmith.request import GenerationRequest

SOURCE_HELP = "A track's id (see: tunesmith log), or an audio file written by Tunesmith."
SourceArgument = Annotated[str, typer.Argument(metavar="ID|FILE", help=SOURCE_HELP)]
Count = Annotated[int, typer.Option("-n", "--variations", metavar="N", min=1, max=100, help="Number of variations.")]


@dataclass(frozen=True, slots=True)
class SourceTrack:
    """The track to repeat: its request, the format, digest and metadata of its file, and its id in the log."""

    request: GenerationRequest
    suffix: str
    digest: str | None
    metadata: Mapping[str, Any]
    version: str | None = None
    track: str | None = None

    @property
    def steps(self) -> tuple[ReplayStep, ...]:
        """The edits of the track; raises InvalidRequest if one cannot be repeated."""
        from tunesmith.cli.replay import steps_of

        return steps_of(self.metadata)


def again(
    source: SourceArgument, output: options.Output = None, as_json: options.Json = False, quiet: options.Quiet = False
) -> None:
    """Generate a piece again, with its edits: byte for byte, or report what has changed since.

    tunesmith again 7k3m9q2xw4 -o calm.wav
    """
    from tunesmith.cli.console import print_warning, report
    from tunesmith.cli.generate import ReportOptions, generate_and_report
    from tunesmith.config import load_settings
    from tunesmith.files import file_sha256
    from tunesmith.output_files import OutputFiles

    settings = load_settings()
    found = _source_to_repeat(source, output, settings)
    if found.steps:
        from tunesmith.cli.replay import generate_and_edit

        done = generate_and_edit(found, output, settings, quiet or as_json)
        report([done], as_json, quiet, to_stderr=False)
    else:
        files, shown = OutputFiles.checked(output, found.suffix), ReportOptions(as_json, quiet)
        done = generate_and_report([found.request], files, settings, shown, parent=found.track)[0]
    # Only a file of the same format can have the same bytes.
    written = [Path(file) for file in done.files if Path(file).suffix.lower() == found.suffix]
    if written and found.digest and file_sha256(written[0]) != found.digest:
        print_warning(f"not the same bytes as the original: {_describe_difference(found, done)}")


def vary(
    source: SourceArgument, variations: Count = 5, pick: options.Pick = False, keep: options.Keep = "all",
    lock: options.Keeping = None,
    output: options.Output = None, as_json: options.Json = False, quiet: options.Quiet = False,
) -> None:  # fmt: skip
    """Generate variations of a piece: the same request with new seeds, which keep what --lock names.

    tunesmith vary 7k3m9q2xw4 -n 5 --lock melody,chords
    """
    from tunesmith.audio.edits import edits_of
    from tunesmith.cli.console import print_warning
    from tunesmith.cli.generate import ReportOptions, generate_and_report
    from tunesmith.config import load_settings
    from tunesmith.output_files import OutputFiles

    settings = load_settings()
    found = _source_to_repeat(source, output, settings)
    if edits_of(found.metadata):
        print_warning("these are variations of the unedited piece")
    kept = found.request.keeping(name for name in (lock or "").split(",") if name.strip())
    seeds = _other_seeds(kept, variations, settings)
    requests = [kept.model_copy(update={"seed": seed}) for seed in seeds]
    files, shown = OutputFiles.checked(output, found.suffix), ReportOptions(as_json, quiet, pick, keep)
    generate_and_report(requests, files, settings, shown, parent=found.track)


def find_source_track(name: str, settings: Settings) -> SourceTrack:
    """Find a track by its id or by a sound file; raises TrackNotFound, AudioFileError and InvalidRequest."""
    path = Path(name)
    # A track's id has no suffix; a name with one is a file even if it is misspelt.
    return _of_file(path) if path.suffix or path.exists() else _of_track(name, settings)


def _source_to_repeat(source: str, output: str | None, settings: Settings) -> SourceTrack:
    """Find the track to repeat; raise InvalidRequest if the settings refuse its licence, or if it is the output."""
    from tunesmith.models.commercial_safety import CommercialPolicy, check_licence

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


def _of_file(path: Path) -> SourceTrack:
    from tunesmith.audio.formats import FORMATS
    from tunesmith.cli.file_metadata import origin_of
    from tunesmith.files import file_sha256
    from tunesmith.request import GenerationRequest

    metadata = origin_of(path)
    fields = {"model": metadata.get("model", "composer"), "seed": metadata.get("seed"), **metadata["request"]}
    suffix = path.suffix.lower() if path.suffix.lower() in FORMATS else ".wav"
    return SourceTrack(GenerationRequest.checked(**fields), suffix, file_sha256(path), metadata)


def _of_track(track_id: str, settings: Settings) -> SourceTrack:
    from tunesmith.cli.track_log import prompt_log
    from tunesmith.errors import InvalidRequest
    from tunesmith.request import GenerationRequest

    with prompt_log(settings) as log:
        track = log.get(track_id)
    file = track.generation.file
    suffix = f".{file.format}" if file else ".wav"
    # Edits of files from elsewhere are logged without a request.
    if not track.generation.request:
        raise InvalidRequest(
            "id", f"{track.id} cannot be generated again: it is an edit of a file that is not from Tunesmith"
        )
    request = GenerationRequest.checked(**track.generation.request)
    return SourceTrack(
        request, suffix, file.digest if file else None, track.generation.metadata, track.version, track.id
    )


def _other_seeds(request: GenerationRequest, number: int, settings: Settings) -> list[int]:
    from contextlib import suppress

    from tunesmith.cli.track_log import logged, prompt_log
    from tunesmith.errors import DatabaseError
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
