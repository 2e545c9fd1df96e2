"""Write tracks into the prompt log; a log that cannot be written is a warning and never loses a file."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.cli.console import print_warning
from tunesmith.config import Settings
from tunesmith.errors import DatabaseError
from tunesmith.files import file_sha256
from tunesmith.library.prompt_log import prompt_log
from tunesmith.pipeline import GeneratedFile
from tunesmith.source_tracks import RENDERED

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.library.tracks import NewTrack, TrackFile, Tracks
    from tunesmith.request import GenerationRequest

SOURCE = "cli"
"""The source of tracks from the command line."""

LONGEST_NAME = 256
"""The longest name of a model in the log, in characters."""


def log_tracks(
    settings: Settings, generated: Sequence[GeneratedFile], parent: str | None = None, generated_by: str | None = None
) -> list[GeneratedFile]:
    """Log files as tracks, unless the settings disable the log, and return them with their track ids.

    ``generated_by`` names what generated them where that is not the model of their requests.
    """
    if not settings.prompt_log:
        return list(generated)
    with _warn_log_failed(), prompt_log(settings) as log:
        new = [_track(one, parent) for one in generated]
        tracks = log.add(*(replace(one, generated_by=generated_by or one.generated_by) for one in new))
        return [replace(one, track=track.id) for one, track in zip(generated, tracks, strict=True)]
    # Reached after a warning: _warn_log_failed swallows the error.
    return list(generated)


def log_edit(
    settings: Settings, audio: Audio, path: Path, edit: str, source_digest: str, took: float,
    parent: str | None = None,
) -> str | None:  # fmt: skip
    """Log an edited file, unless the settings disable the log, and return its track id.

    Its parent is ``parent``, or the newest track whose file has the SHA-256 ``source_digest``; ``took`` is in seconds.
    """
    if not settings.prompt_log:
        return None
    from tunesmith.library.tracks import NewTrack

    tags = audio.metadata
    # A source from elsewhere has no request; its track then cannot be repeated.
    fields = tags.get("request")
    request = {"model": tags.get("model"), "seed": tags.get("seed"), **fields} if isinstance(fields, Mapping) else {}
    with _warn_log_failed(), prompt_log(settings) as log:
        found = None if parent else log.of_digest(source_digest)
        # The metadata of a foreign file may hold any text as its model.
        entry = NewTrack(
            request=request, model=str(tags.get("model") or "none")[:LONGEST_NAME], generated_by=edit, source=SOURCE,
            duration=audio.duration, file=_file(path), metadata=dict(tags), timings={"total": round(took, 3)},
            parent=parent or (found.id if found else None),
        )  # fmt: skip
        return log.add(entry)[0].id
    return None


def log_render(settings: Settings, generated: GeneratedFile) -> GeneratedFile:
    """Log a rendered score; its parent is the newest track of the same prompt and seed that is no rendered score."""
    from tunesmith.library.tracks import TrackFilter

    if not settings.prompt_log:
        return generated
    with _warn_log_failed(), prompt_log(settings) as log:
        # A score file holds no track id; its prompt and seed lead to the track that it was written for.
        found = log.every(TrackFilter(search=generated.request.prompt, model=generated.request.model))
        composed = (track for track in found if track.generation.generated_by != RENDERED)
        parent = next((track for track in composed if track.seed == generated.request.seed), None)
        track = replace(_track(generated, parent.id if parent else None), generated_by=RENDERED)
        return replace(generated, track=log.add(track)[0].id)
    return generated


@contextmanager
def open_track_logger(settings: Settings) -> Iterator[Callable[[GeneratedFile], GeneratedFile]]:
    """Yield a function that logs files one by one, as ``log_tracks`` does, but warns only once."""
    if not settings.prompt_log:
        yield lambda generated: generated
        return
    with ExitStack() as opened:
        # Empty once the log has failed, so that the warning comes only once.
        log: list[Tracks] = []
        with _warn_log_failed():
            log.append(opened.enter_context(prompt_log(settings)))

        def log_one(generated: GeneratedFile) -> GeneratedFile:
            with _warn_log_failed():
                return replace(generated, track=log[0].add(_track(generated, None))[0].id) if log else generated
            log.clear()
            return generated

        yield log_one


@contextmanager
def _warn_log_failed() -> Iterator[None]:
    try:
        yield
    except DatabaseError as error:
        print_warning(f"not added to the prompt log: {error}")


def logged(request: GenerationRequest) -> dict[str, Any]:
    """Return a request as the log stores it."""
    return {**request.model_dump(mode="json", exclude_unset=True), "model": request.model}


def _track(generated: GeneratedFile, parent: str | None) -> NewTrack:
    from tunesmith.library.tracks import NewTrack

    request = generated.request
    return NewTrack(
        request=logged(request),
        model=request.model,
        generated_by=request.model,
        source=SOURCE,
        duration=generated.duration,
        file=_file(Path(generated.files[0])) if generated.files else None,
        metadata=generated.metadata,
        timings={"total": generated.took},
        parent=parent,
    )


def _file(path: Path) -> TrackFile:
    from tunesmith.library.tracks import TrackFile

    # Absolute, because later commands run in other folders.
    whole = path.resolve()
    return TrackFile(str(whole), file_sha256(whole), whole.suffix[1:], whole.stat().st_size)
