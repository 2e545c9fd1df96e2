"""Metadata of what a model made, with its sources: the recordings it is based on, their authors and licences."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from tunesmith.audio.credits import SOURCES, licence_of, source_credit, terms_of_sound
from tunesmith.audio.reader import read_metadata
from tunesmith.files import file_sha256, is_sha256
from tunesmith.plain_text import path_text
from tunesmith.request import GenerationRequest

TITLE_CHARACTERS = 80


def model_metadata(
    request: GenerationRequest,
    about: Mapping[str, Any],
    *,
    seed: int | None,
    settings: Mapping[str, Any],
    warnings: Iterable[str],
) -> dict[str, Any]:
    """Return the metadata of what a model made for a request, with its recordings and the licence of the whole.

    ``about`` describes the model and has its ``licence``; ``settings`` are those it used. Raises AudioFileError for a
    recording that cannot be read.
    """
    told = {
        "title": request.prompt[:TITLE_CHARACTERS],
        "prompt": request.prompt,
        "seed": seed,
        **about,
        "settings": settings,
        "request": request.model_dump(mode="json", exclude_unset=True),
        "warnings": list(warnings),
    }
    return _with_sources(told, request)


def _with_sources(about: Mapping[str, Any], request: GenerationRequest) -> dict[str, Any]:
    """Return the metadata of a model's output with the recordings of the request and the licence of the whole.

    ``about`` has the model's licence as ``licence``; with recordings, it becomes ``model_licence``. The terms of the
    whole are added. Raises AudioFileError for a recording that cannot be read.
    """
    used = {"audio": request.audio, "melody": request.melody}
    sources = [{"used_as": role, **source_of(path)} for role, path in used.items() if path is not None]
    if not sources:
        return {**about, **terms_of_sound(about).to_json()}
    whole = {**about, "model_licence": about.get("licence"), SOURCES: sources}
    return {**whole, "licence": licence_of(whole), **terms_of_sound(whole).to_json()}


def source_of(path: Path) -> dict[str, Any]:
    """Return the name, digest, authors and licence of a recording; raise AudioFileError if it cannot be read."""
    # The server names uploads by their digest, which is no title.
    name = "" if is_sha256(path.stem) else path_text(path.name)
    digest = file_sha256(path)
    return {"name": name or "an uploaded recording", "sha256": digest, **source_credit(read_metadata(path), name)}
