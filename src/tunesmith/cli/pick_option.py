"""``--pick``: measure and rank variations, tag the best one, and show the reasons."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.track_log import log_tracks, prompt_log
from tunesmith.errors import DatabaseError, InvalidRequest
from tunesmith.pipeline import GeneratedFile

if TYPE_CHECKING:
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles

PICKED = "picked"
"""The tag of the best of several variations."""

KEEPS = ("all", "best")
COLUMNS = ("rank", "score", "seed", "file", "why")


def check_picking(pick: bool, keep: str, variations: int, files: OutputFiles) -> None:
    """Check the options before anything is generated; raises InvalidRequest if there is nothing to pick or keep."""
    if keep not in KEEPS:
        raise InvalidRequest("keep", f"must be {' or '.join(KEEPS)}, got {keep[:40]!r}")
    if keep != "all" and not pick:
        raise InvalidRequest("keep", "needs --pick, which finds the best one")
    if pick and variations < 2:
        raise InvalidRequest("pick", "needs several variations, such as -n 5")
    if keep != "all" and files.needs_composition:
        raise InvalidRequest("keep", "stems, MIDI, score and layers are kept of all or of none; leave one of them out")


def keep_best(
    settings: Settings, made: Sequence[GeneratedFile], files: OutputFiles, keep: str, parent: str | None = None
) -> list[GeneratedFile]:
    """Rank the variations, log them with the best one tagged, and return them in their order.

    Their parent is ``parent``, or else the best variation. With ``keep`` best, the other files are deleted, and the
    best one takes the requested name.
    """
    from tunesmith.audio.reader import read_audio
    from tunesmith.ranking import Ranking, rank

    ranking = Ranking(tuple(rank(read_audio(one.files[0]), one.request) for one in made))
    ranks = ranking.ranks
    told = [_with_ranking(one, rank, quality.score, quality.reasons, len(made))
            for one, rank, quality in zip(made, ranks, ranking.qualities, strict=True)]  # fmt: skip
    best = ranking.best
    if keep == "best" and files.output and best:
        _swap_files(told, 0, best)
    # Before files are deleted: the log records their digests.
    told = _marked(settings, told, best, parent)
    if keep == "best":
        for index, one in enumerate(told):
            if index != best:
                Path(one.files[0]).unlink()
                # The report must not name a deleted file.
                told[index] = replace(one, files=())
    return told


def show_ranking(made: Sequence[GeneratedFile]) -> None:
    """Print the ranked variations, the best first, with scores and reasons."""
    from tunesmith.cli.tables import print_table

    rows = [
        (str(said["rank"]), f"{said['score']:.1f}", str(one.request.seed), one.files[0] if one.files else "not kept",
         ", ".join(said["reasons"]))
        for one in made
        for said in [one.metadata["picking"]]
    ]  # fmt: skip
    print_table(COLUMNS, sorted(rows, key=lambda row: int(row[0])))


def _with_ranking(made: GeneratedFile, rank: int, score: float, reasons: Sequence[str], of: int) -> GeneratedFile:
    said = {"rank": rank, "of": of, "score": score, "reasons": list(reasons)}
    return replace(made, metadata={**made.metadata, "picking": said})


def _swap_files(made: list[GeneratedFile], first: int, second: int) -> None:
    """Swap the file names of two variations."""
    one, other = Path(made[first].files[0]), Path(made[second].files[0])
    # In the same folder, because a rename does not cross file systems.
    between = one.with_name(f".{secrets.token_hex(4)}{one.suffix}")
    one.replace(between)
    other.replace(one)
    between.replace(other)
    made[first], made[second] = (
        replace(made[first], files=made[second].files),
        replace(made[second], files=made[first].files),
    )


def _marked(settings: Settings, made: list[GeneratedFile], best: int, parent: str | None) -> list[GeneratedFile]:
    """Log the variations: the best one first, since it is the parent of the others if they have no other."""
    from tunesmith.cli.console import print_warning
    from tunesmith.library.tracks import Marks

    first = log_tracks(settings, [made[best]], parent)[0]
    others = log_tracks(settings, [one for index, one in enumerate(made) if index != best], parent or first.track)
    if first.track is not None:
        try:
            with prompt_log(settings) as log:
                log.mark(first.track, Marks(tags=(PICKED,)))
        # The tracks are logged and their files exist, so a missing tag is only worth a warning.
        except DatabaseError as error:
            print_warning(f"the best one is not marked: {error}")
    return [*others[:best], first, *others[best:]]
