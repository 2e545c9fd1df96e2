"""``--pick``: measure and rank variations, tag the best one, and show the reasons."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.cli.options import KEPT_FILES
from tunesmith.cli.track_log import log_tracks
from tunesmith.errors import DatabaseError, InvalidRequest
from tunesmith.library.prompt_log import prompt_log
from tunesmith.output_files import check_plot
from tunesmith.pipeline import GeneratedFile

if TYPE_CHECKING:
    from tunesmith.cli.generate import ReportOptions
    from tunesmith.composer.score import Score
    from tunesmith.config import Settings
    from tunesmith.output_files import OutputFiles
    from tunesmith.ranking import Ranking

PICKED = "picked"
"""The tag of the best of several variations."""

COLUMNS = ("rank", "score", "seed", "file", "why")


def check_picking(shown: ReportOptions, variations: int, files: OutputFiles) -> None:
    """Check the options before anything is generated; raises InvalidRequest if there is nothing to pick or keep."""
    pick, keep = shown.pick, shown.keep
    if keep not in KEPT_FILES:
        raise InvalidRequest("keep", f"must be {' or '.join(KEPT_FILES)}, got {keep[:40]!r}")
    if keep != "all" and not pick:
        raise InvalidRequest("keep", "needs --pick, which finds the best one")
    if pick and variations < 2:
        raise InvalidRequest("pick", "needs at least two variations, such as -n 5")
    if shown.sheet is not None:
        if not pick:
            raise InvalidRequest("sheet", "needs --pick, whose measures it shows")
        check_plot(shown.sheet, "sheet")
    if keep != "all" and files.needs_composition:
        raise InvalidRequest("keep", "must be all with stems, MIDI, score or layers, got best")


def keep_best(
    settings: Settings,
    generated: Sequence[GeneratedFile],
    files: OutputFiles,
    shown: ReportOptions,
    parent: str | None = None,
) -> list[GeneratedFile]:
    """Rank the variations, log them with the best one tagged, and return them in their order.

    Their parent is ``parent``, or else the best variation. With ``shown.keep`` best, the other files are deleted, and
    the best one takes the requested name.
    """
    from tunesmith.audio.reader import read_audio
    from tunesmith.ranking import Ranking, rank

    ranking = Ranking(tuple(rank(read_audio(one.files[0]), one.request) for one in generated))
    ranks = ranking.ranks
    ranked = [_with_ranking(one, rank, quality.score, quality.reasons, len(generated))
            for one, rank, quality in zip(generated, ranks, ranking.qualities, strict=True)]  # fmt: skip
    best, keep = ranking.best, shown.keep
    if shown.sheet is not None:
        _draw(generated, ranking, shown.sheet)
    if keep == "best" and files.output and best:
        _swap_files(ranked, 0, best)
    # Before files are deleted: the log records their digests.
    ranked = _marked(settings, ranked, best, parent)
    if keep == "best":
        for index, one in enumerate(ranked):
            if index != best:
                Path(one.files[0]).unlink()
                # The report must not name a deleted file.
                ranked[index] = replace(one, files=())
    return ranked


def _draw(generated: Sequence[GeneratedFile], ranking: Ranking, path: Path) -> None:
    from tunesmith.audio.reader import read_audio
    from tunesmith.contact_sheet import Candidate, draw_sheet

    candidates = [
        Candidate(Path(one.files[0]).name, one.request.seed, read_audio(one.files[0]), quality, rank, _score_of(one))
        for one, quality, rank in zip(generated, ranking.qualities, ranking.ranks, strict=True)
    ]
    draw_sheet(candidates, path, generated[0].request.prompt)


def _score_of(generated: GeneratedFile) -> Score | None:
    """Return the score of a piece by the composer, written once more; None for another model's."""
    from tunesmith.composer.score_of_request import score_of
    from tunesmith.models.factories import COMPOSER

    request = generated.request
    return score_of(request) if request.model == COMPOSER else None


def show_ranking(generated: Sequence[GeneratedFile]) -> None:
    """Print the ranked variations, the best first, with scores and reasons."""
    from tunesmith.cli.tables import print_table

    rows = [
        (str(rank["rank"]), f"{rank['score']:.1f}", str(one.request.seed), one.files[0] if one.files else "not kept",
         ", ".join(rank["reasons"]))
        for one in generated
        for rank in [one.metadata["picking"]]
    ]  # fmt: skip
    print_table(COLUMNS, sorted(rows, key=lambda row: int(row[0])))


def _with_ranking(generated: GeneratedFile, rank: int, score: float, reasons: Sequence[str], of: int) -> GeneratedFile:
    ranking = {"rank": rank, "of": of, "score": score, "reasons": list(reasons)}
    return replace(generated, metadata={**generated.metadata, "picking": ranking})


def _swap_files(generated: list[GeneratedFile], first: int, second: int) -> None:
    """Swap the file names of two variations."""
    one, other = Path(generated[first].files[0]), Path(generated[second].files[0])
    # In the same folder, because a rename does not cross file systems.
    between = one.with_name(f".{secrets.token_hex(4)}{one.suffix}")
    one.replace(between)
    other.replace(one)
    between.replace(other)
    generated[first], generated[second] = (
        replace(generated[first], files=generated[second].files),
        replace(generated[second], files=generated[first].files),
    )


def _marked(settings: Settings, generated: list[GeneratedFile], best: int, parent: str | None) -> list[GeneratedFile]:
    """Log the variations: the best one first, since it is the parent of the others if they have no other."""
    from tunesmith.cli.console import print_warning
    from tunesmith.library.tracks import Marks

    first = log_tracks(settings, [generated[best]], parent)[0]
    others = log_tracks(settings, [one for index, one in enumerate(generated) if index != best], parent or first.track)
    if first.track is not None:
        try:
            with prompt_log(settings) as log:
                log.mark(first.track, Marks(tags=(PICKED,)))
        # The tracks are logged and their files exist, so a missing tag is only worth a warning.
        except DatabaseError as error:
            print_warning(f"cannot mark the best variation: {error}")
    return [*others[:best], first, *others[best:]]
