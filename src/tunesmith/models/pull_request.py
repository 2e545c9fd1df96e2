"""The source of a pull: a model of the catalog, a repository of the hub, or a folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from tunesmith.errors import InvalidRequest, UnknownName
from tunesmith.models.catalog import ModelInfo, find_pullable, pullable_models
from tunesmith.models.families.family import ModelFamily
from tunesmith.models.families.table import FAMILIES, refusal
from tunesmith.models.store import check_model_name
from tunesmith.plain_text import path_text

# The hub's own limit for owner/name.
MAX_HUB_ID = 96
MAX_REVISION = 200
_HUB_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*/[A-Za-z0-9_][A-Za-z0-9._-]*")
_REVISION = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._/+-]*")
_SHOWN = 80


@dataclass(frozen=True, slots=True)
class PullRequest:
    """A request to install a model: ``source`` is a catalog name, a hub id or a folder; ``name`` is the local name.

    ``keep_download`` keeps the downloaded files, so that another quantization need not fetch them again. ``folders``
    allows the source to be a folder of this machine, which only its own users may name. ``accept_licence`` accepts the
    licence where the catalog requires that.
    """

    source: str
    name: str | None = None
    quantization: str = "int8"
    revision: str | None = None
    keep_download: bool = False
    folders: bool = True
    accept_licence: bool = False


@dataclass(frozen=True, slots=True)
class ResolvedSource:
    """The resolved source of a pull: ``hub_id`` or ``folder``, and the local name of the model.

    ``files`` are those of the model in a repository that holds several.
    """

    name: str
    hub_id: str | None = None
    folder: Path | None = None
    entry: ModelInfo | None = None
    files: tuple[str, ...] = ()

    @property
    def location(self) -> str:
        """The hub id, or the absolute path of the folder."""
        return self.hub_id or path_text(self.folder or Path())


def locate(request: PullRequest) -> ResolvedSource:
    """Validate a pull request and resolve its source. Raises InvalidRequest, and UnknownName with the nearest names."""
    # Which family's forms count is known only from the files.
    if not any(request.quantization in family.quantizations for family in FAMILIES):
        every = dict.fromkeys(form for family in FAMILIES for form in family.quantizations)
        raise _wrong_form(request.quantization, every)
    if request.revision is not None:
        _check_revision(request.revision)
    located = _locate(request)
    check_model_name(located.name)
    if located.folder and request.revision:
        raise InvalidRequest("revision", f"applies to a hub repository, and {request.source} is a folder")
    return located


def check_form(request: PullRequest, family: ModelFamily) -> None:
    """Raise InvalidRequest unless the family has the quantization of the request."""
    if request.quantization not in family.quantizations:
        raise _wrong_form(request.quantization, family.quantizations)


def _wrong_form(got: str, allowed: Iterable[str]) -> InvalidRequest:
    return InvalidRequest("quantize", f"must be one of {', '.join(allowed)}, got {got[:_SHOWN]!r}")


def _locate(request: PullRequest) -> ResolvedSource:
    text = request.source
    # The catalog comes first: a folder of the same name must not shadow a model.
    entry = find_pullable(text) or _entry_of_copy(request)
    if entry:
        return _locate_entry(request, entry)
    if request.folders and (folder := _folder(text)):
        return ResolvedSource(request.name or folder.name.lower(), folder=folder)
    reason = refusal(text[:_SHOWN])
    if reason:
        raise InvalidRequest("source", reason)
    if is_hub_id(text):
        return ResolvedSource(request.name or text.partition("/")[2].lower(), hub_id=text)
    raise UnknownName("model", text, pullable_models())


def _locate_entry(request: PullRequest, entry: ModelInfo) -> ResolvedSource:
    name, copy = request.name or entry.name, entry.open_copy
    # Naming the model's own repository asks for that one.
    if copy is None or request.source.lower() == entry.hub_id:
        return ResolvedSource(name, hub_id=entry.hub_id, entry=entry)
    return ResolvedSource(name, hub_id=copy.hub_id, entry=entry, files=copy.files)


def _entry_of_copy(request: PullRequest) -> ModelInfo | None:
    """Return the entry whose copy the source is; of several, the one that the request names. Raises InvalidRequest."""
    source = request.source.lower()
    entries = [one for one in pullable_models().values() if one.open_copy and one.open_copy.hub_id.lower() == source]
    if not entries:
        return None
    found = next((one for one in entries if one.name == request.name), entries[0] if len(entries) == 1 else None)
    if found is None:
        names = " or ".join(one.name for one in entries)
        raise InvalidRequest("source", f"{request.source} holds several models: name {names}")
    return found


def is_hub_id(text: str) -> bool:
    """Return whether the text is a valid hub id: ``owner/name`` without any path traversal."""
    # The hub itself refuses these, and the store maps "/" to "--".
    return len(text) <= MAX_HUB_ID and _HUB_ID.fullmatch(text) is not None and ".." not in text and "--" not in text


def _check_revision(revision: str) -> None:
    if len(revision) > MAX_REVISION or not _REVISION.fullmatch(revision) or ".." in revision:
        allowed = f"must be a branch, tag or commit of at most {MAX_REVISION} characters"
        raise InvalidRequest("revision", f"{allowed}, got {revision[:_SHOWN]!r}")


def _folder(text: str) -> Path | None:
    """Return the folder that a text names, or None if it may name a repository."""
    try:
        folder = Path(text).expanduser()
        is_folder = folder.is_dir()
        is_file = not is_folder and folder.exists()
    except (OSError, ValueError, RuntimeError):
        # The text is too long, contains a NUL byte, or names the home of an unknown user.
        is_folder, is_file = False, False
    if is_folder and text:
        return folder.resolve()
    # The text is clearly a path, so a search on the hub would only confuse.
    if is_file or text.startswith((".", "~", "/", os.sep)):
        raise InvalidRequest("source", f"{text[:_SHOWN]} is not a folder")
    return None
