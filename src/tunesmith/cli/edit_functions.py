"""The functions behind the edits, by the names and settings that files and the prompt log record."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from tunesmith.errors import InvalidRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio
    from tunesmith.audio.edits import Edit

Change = Callable[["Audio"], "Audio"]
CEILING_DBTP = -1.0
"""The highest true peak that ``normalize`` allows."""

WRITER_SETTINGS = ("bits", "sample_rate")
"""Settings of an edit that are options of the file writer."""


def change_of(edit: Edit) -> Change:
    """Return the function that applies an edit to a sound; raises InvalidRequest for an unknown edit."""
    found = _EDITS.get(edit.name)
    if found is None:
        raise InvalidRequest("edit", f"{edit.name[:40]!r} cannot be repeated from the file's metadata")
    return partial(found, settings=edit.settings)


def writer_options(edit: Edit) -> dict[str, Any]:
    """Return the settings of an edit that are options of the file writer."""
    return {name: edit.settings[name] for name in WRITER_SETTINGS if edit.settings.get(name) is not None}


def _convert(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.edit import to_mono

    return to_mono(audio) if settings.get("mono") else audio


def _trim(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.edit import trim

    return trim(audio, settings["start"], settings.get("end"))


def _fade(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.edit import fade

    # The length of the sound, which limits both, is known only here.
    for name in ("in", "out"):
        if settings[name] > audio.duration:
            problem = f"must be at most the sound's {audio.duration:g} s, got {settings[name]:g} s"
            raise InvalidRequest(name, problem)
    return fade(audio, settings["in"], settings["out"])


def _normalize(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.edit import gain
    from tunesmith.audio.loudness import loudness_of
    from tunesmith.audio.true_peak import true_peak_of
    from tunesmith.cli.console import print_warning

    loudness, measured = settings["loudness"], loudness_of(audio)
    # No gain makes silence louder.
    if measured == float("-inf"):
        print_warning("the audio is silent and stays unchanged")
        return audio
    # Too loud a target is missed rather than limited, because a limiter distorts.
    needed, room = loudness - measured, CEILING_DBTP - true_peak_of(audio)
    if needed > room:
        reached = f"set to {measured + room:.1f} LUFS, peaks at {CEILING_DBTP:g} dBTP"
        print_warning(f"{loudness:g} LUFS would clip; {reached}")
    return gain(audio, min(needed, room))


def _loop(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.find_loop import seamless

    return seamless(audio, settings.get("bars"))[0]


def _fit(audio: Audio, settings: Mapping[str, Any]) -> Audio:
    from tunesmith.audio.fit_length import fit

    return fit(audio, settings["duration"]).audio


# Without stitch and render, which are no functions of one sound.
_EDITS: Mapping[str, Callable[..., Audio]] = {
    "convert": _convert, "trim": _trim, "fade": _fade, "normalize": _normalize, "loop": _loop, "fit": _fit,
}  # fmt: skip
