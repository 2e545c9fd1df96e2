"""``--pick``: variations are measured and ranked, the best one is marked, and the reasons are shown."""

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
"""The tag of the best one of several variations."""
KEEPS = ("all", "best")
COLUMNS = ("rank", "score", "seed", "file", "why")


def check_picking(pick: bool, keep: str, variations: int, files: OutputFiles) -> None:
    """Raise InvalidRequest, before anything is made, where there would be nothing to pick or to keep."""
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
    """Rank the variations, write them into the prompt log with the best one marked, and return them.

    They vary ``parent``, or else the best one of them. With ``keep`` best, the files of the others go, and the best one
    has the name that was asked for.
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
    told = _marked(settings, told, best, parent)
    if keep == "best":
        for index, one in enumerate(told):
            if index != best:
                Path(one.files[0]).unlink()
                told[index] = replace(one, files=())
    return told


def show_ranking(made: Sequence[GeneratedFile]) -> None:
    """Print the variations, the best one first, each with its score and the reasons."""
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
    """Let two pieces swap the names of their files."""
    one, other = Path(made[first].files[0]), Path(made[second].files[0])
    between = one.with_name(f".{secrets.token_hex(4)}{one.suffix}")
    one.replace(between)
    other.replace(one)
    between.replace(other)
    made[first], made[second] = (
        replace(made[first], files=made[second].files),
        replace(made[second], files=made[first].files),
    )


def _marked(settings: Settings, made: list[GeneratedFile], best: int, parent: str | None) -> list[GeneratedFile]:
    """Write them into the prompt log: first the best one, which the others vary where they have no other parent."""
    from tunesmith.cli.console import print_warning
    from tunesmith.library.track import Marks

    first = log_tracks(settings, [made[best]], parent)[0]
    others = log_tracks(settings, [one for index, one in enumerate(made) if index != best], parent or first.track)
    if first.track is not None:
        try:
            with prompt_log(settings) as log:
                log.mark(first.track, Marks(tags=(PICKED,)))
        except DatabaseError as error:
            print_warning(f"the best one is not marked: {error}")
    return [*others[:best], first, *others[best:]]
