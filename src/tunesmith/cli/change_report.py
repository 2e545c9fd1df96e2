"""What a change is understood as, shown before the music is generated and after."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from tunesmith.cli.console import print_warning

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tunesmith.composer.changes import EditedRequest
    from tunesmith.pipeline import GeneratedFile

_SETTINGS = ("genre", "tempo_bpm", "key", "meter", "duration")


def show_change(change: EditedRequest, silent: bool) -> None:
    """Print what a change moves, a line each, on standard error; then warn of words that are not understood."""
    if not silent:
        width = max((len(one.field) for one in change.changes), default=0)
        for one in change.changes:
            line = f"{one.field:{width}}  {one.before} -> {one.after}  ({one.because})"
            # Standard output may carry the sound, or JSON.
            print(line, file=sys.stderr)  # noqa: T201
    for word in change.not_understood:
        print_warning(f"not understood: {word!r}")
    for note in change.notes:
        print_warning(note)


def show_result(done: GeneratedFile, change: EditedRequest, silent: bool) -> None:
    """Print the changed values as the finished music has them, on standard error; nothing where nothing changed."""
    if silent or not change.changes:
        return
    settings: Mapping[str, Any] = done.metadata.get("settings") or {}
    shown = [f"{_plain(settings[name])}{_UNITS.get(name, '')}" for name in _SETTINGS if settings.get(name) is not None]
    others = [f"{one.field} {one.after}" for one in change.changes if one.field not in _IN_SETTINGS]
    print("now: " + ", ".join([*shown, *others]), file=sys.stderr)  # noqa: T201


_UNITS = {"tempo_bpm": " bpm", "duration": " s"}
_IN_SETTINGS = ("genre", "tempo", "key", "meter", "length")


def _plain(value: Any) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value).replace("_", " ")
