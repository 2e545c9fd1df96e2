"""Edits: the history of changes in a file's metadata, each with its settings and its source files."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tunesmith.audio.tags.model import LOUDNESS
from tunesmith.audio.tags.own import TAGS, foreign_tags
from tunesmith.files import file_sha256
from tunesmith.plain_text import path_text

if TYPE_CHECKING:
    from tunesmith.audio.buffer import Audio

EDITS, EDIT, SOURCE = "edits", "edit", "source"
KEEPS_LEVEL = frozenset({"convert", "trim"})


@dataclass(frozen=True, slots=True)
class Edit:
    """One change: its ``name``, which is that of the command, and its exact ``settings``."""

    name: str
    settings: Mapping[str, Any] = field(default_factory=dict)


def file_source(path: Path) -> dict[str, str]:
    """Return the name and SHA-256 of a file, as the history of another file cites it; raise OSError."""
    return {"name": path_text(path.name), "sha256": file_sha256(path)}


def edited(audio: Audio, edit: Edit, *sources: Mapping[str, str]) -> Audio:
    """Return the sound with the edit appended to the history in its metadata."""
    settings = {name: value for name, value in edit.settings.items() if value is not None}
    source: Mapping[str, Any] = (
        {SOURCE: dict(sources[0])} if len(sources) == 1 else {"sources": list(map(dict, sources))}
    )
    chain = [*edits_of(audio.metadata), {EDIT: edit.name, **settings, **source}]
    audio = _without_old_loudness(audio, edit).with_metadata(**{EDITS: chain})
    tags = dict(foreign_tags(audio.metadata))
    # ReplayGain and R128 tags are wrong as soon as the level changes.
    kept = {name: values for name, values in tags.items() if edit.name in KEEPS_LEVEL or not name.startswith(LOUDNESS)}
    return audio if kept == tags else audio.with_metadata(**{TAGS: kept})


def _without_old_loudness(audio: Audio, edit: Edit) -> Audio:
    """Drop the loudness in the settings if the edit may have changed it."""
    stated = audio.metadata.get("settings")
    if edit.name in ("convert", "render") or not isinstance(stated, Mapping) or "loudness_lufs" not in stated:
        return audio
    return audio.with_metadata(settings={name: value for name, value in stated.items() if name != "loudness_lufs"})


def edits_of(metadata: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
    """Return the history of changes, oldest first."""
    chain = metadata.get(EDITS)
    return [step for step in chain if isinstance(step, Mapping)] if isinstance(chain, list) else []


def edit_in_words(step: Mapping[str, Any]) -> str:
    """Return one change in words, such as ``trim of song.flac, start 2, end 5.5``."""
    several = step.get("sources")
    sources = [step.get(SOURCE), *(several if isinstance(several, list) else ())]
    names = [str(source.get("name")) for source in sources if isinstance(source, Mapping)] or ["something"]
    settings = [f"{name} {value}" for name, value in step.items() if name not in ("edit", SOURCE, "sources")]
    return ", ".join([f"{step.get('edit')} of {', '.join(names)}", *settings])
