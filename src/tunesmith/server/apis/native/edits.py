"""``/api/edits``: fit, loop, normalize, trim or convert a sound, or stitch several, and get the file at once."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import FileResponse
from pydantic import BeforeValidator, ConfigDict, Field
from starlette.datastructures import UploadFile

from tunesmith.audio.decode_check import check_sound
from tunesmith.audio.formats import FORMATS
from tunesmith.clock_time import seconds
from tunesmith.errors import InvalidRequest
from tunesmith.fields import GivenFields, checked, shown
from tunesmith.files import disk_full_as_error
from tunesmith.jobs.uploads import MAX_AUDIO_SECONDS
from tunesmith.request import IS_NUMBER
from tunesmith.server.apis.native.track_files import check_format, path_of_file
from tunesmith.server.apis.request_body import read_form
from tunesmith.server.auth import Caller
from tunesmith.server.context import ApiContext
from tunesmith.server.sound_edits import edit_folder, sent_once

SOURCE = "source"
MAX_SOURCES = 16
MAX_PARTS = 32
Seconds = Annotated[float, Field(ge=0, le=MAX_AUDIO_SECONDS), BeforeValidator(seconds)]
SETTINGS: Mapping[str, Mapping[str, str]] = {
    "convert": {},
    "fit": {"duration": "--duration"},
    "loop": {"bars": "--bars"},
    "normalize": {"loudness_lufs": "--loudness"},
    "trim": {"start": "--start", "end": "--end"},
    "stitch": {"crossfade": "--crossfade"},
}
"""The edits, and which fields they read, with the CLI's names for them."""


class EditBody(GivenFields):
    """The fields of an edit, beside its sources; each edit reads some of them."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    edit: str = Field(json_schema_extra={"enum": list(SETTINGS)})
    format: str = Field(default="wav", json_schema_extra={"enum": [suffix[1:] for suffix in FORMATS]})
    duration: Seconds | None = None
    bars: Annotated[int, Field(ge=1, le=256), IS_NUMBER] | None = None
    loudness_lufs: Annotated[float, Field(ge=-40, le=-5), IS_NUMBER] | None = None
    start: Seconds | None = None
    end: Seconds | None = None
    crossfade: Seconds | None = None

    def options(self) -> list[str]:
        """Return the CLI's options. Raises InvalidRequest for an unknown edit or format, or an unread field."""
        if self.edit not in SETTINGS:
            raise InvalidRequest("edit", f"must be one of {', '.join(SETTINGS)}, got {shown(self.edit)}")
        check_format(self.format)
        given = self.model_dump(exclude={"edit", "format"}, exclude_none=True)
        names = SETTINGS[self.edit]
        unread = next((name for name in given if name not in names), None)
        if unread is not None:
            raise InvalidRequest(unread, f"is not for {self.edit}")
        if self.edit == "fit" and self.duration is None:
            raise InvalidRequest("duration", "is needed for fit")
        return [text for name, value in given.items() for text in (names[name], str(value))]


def add_edits(routes: APIRouter, context: ApiContext) -> None:
    """Add the route of the edits."""
    caller_of = Depends(context.authenticate)

    @routes.post("/api/edits", summary="Edit a sound, or join several", openapi_extra=_documented())
    async def edit(request: Request, caller: Caller = caller_of) -> FileResponse:
        async with edit_folder() as folder:
            body, sources = await _read(request, context, caller, folder)
            if (len(sources) > 1) != (body.edit == "stitch"):
                number = "two or more" if body.edit == "stitch" else "one"
                raise InvalidRequest(SOURCE, f"must be {number} for {body.edit}, got {len(sources)}")
            options = body.options()
            output = folder / f"{body.edit}.{body.format}"
            await context.edits.run(body.edit, sources, output, *options)
        return sent_once(output)


async def _read(request: Request, context: ApiContext, caller: Caller, folder: Path) -> tuple[EditBody, Sequence[Path]]:
    """Return the fields of the form, and its sources in order: tracks by their ids, and files."""
    await context.uploads.check(caller.owner)
    fields: dict[str, Any] = {}
    sources: list[Path] = []
    length = 0.0
    async with read_form(request, max_files=MAX_SOURCES, max_fields=MAX_PARTS) as form:
        for name, value in form.multi_items():
            if name != SOURCE and isinstance(value, str):
                fields[name] = value
            elif name != SOURCE:
                raise InvalidRequest(name[:80], "must be text, got a file")
            elif isinstance(value, UploadFile):
                content = await value.read()
                await context.uploads.count(caller.owner, len(content))
                path = folder / f"source-{len(sources)}{_suffix(value.filename)}"
                length += await asyncio.to_thread(_keep, content, path)
                sources.append(path)
            else:
                track = await asyncio.to_thread(context.tracks.get, str(value), caller.owner)
                length += track.generation.duration
                sources.append(path_of_file(track, context.results))
            # Before the next one is decoded.
            if length > MAX_AUDIO_SECONDS:
                raise InvalidRequest(SOURCE, f"must be at most {MAX_AUDIO_SECONDS:g} s in all, got {length:.0f} s")
    if not 1 <= len(sources) <= MAX_SOURCES:
        raise InvalidRequest(SOURCE, f"must be 1 to {MAX_SOURCES} tracks or files, got {len(sources)}")
    return checked(EditBody, fields), sources


def _keep(content: bytes, path: Path) -> float:
    """Write an uploaded sound within the limits; return its seconds. Raises InvalidRequest and DiskFull."""
    length = check_sound(content, SOURCE, MAX_AUDIO_SECONDS)
    with disk_full_as_error("the sound"):
        path.write_bytes(content)
    return length


def _suffix(name: str | None) -> str:
    # The content decides how a file is read; a strange name must not become part of a path.
    suffix = Path(name or "").suffix.lower()
    return suffix if suffix in FORMATS else ".wav"


def _documented() -> dict[str, Any]:
    schema = EditBody.model_json_schema()
    schema.pop("description", None)
    source = {"type": "array", "items": {"type": "string", "maxLength": 64}, "minItems": 1, "maxItems": MAX_SOURCES}
    schema["properties"][SOURCE] = {**source, "description": "Ids of tracks, or files, in order."}
    return {"requestBody": {"required": True, "content": {"multipart/form-data": {"schema": schema}}}}
