"""Requests for music: a JSON or form body, with recordings, as a job to submit."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from fastapi import Request
from starlette.datastructures import UploadFile

from tunesmith.audio.formats import FORMATS
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.field_names import field_for
from tunesmith.fields import MAX_ITEMS, checked, or_null, shown
from tunesmith.generator import EXPORTS
from tunesmith.jobs.job import DEFAULT_FORMAT, FOREVER, KEEP_ALIVE, MAX_SECONDS, JobOptions, Submission
from tunesmith.jobs.service import MusicService
from tunesmith.jobs.uploads import SCORE
from tunesmith.models.commercial_safety import CommercialPolicy
from tunesmith.request import PATHS, UPLOADED, GenerationRequest, Hit
from tunesmith.server.apis.extensions import IDEMPOTENCY_KEY, music_fields
from tunesmith.server.apis.request_body import MAX_STRING_CHARACTERS, is_form, read_form, read_object
from tunesmith.server.auth import Caller
from tunesmith.server.errors import Forbidden
from tunesmith.server.remote_audio import FetchLimits, RemoteAudioFetcher, decode_base64, encoded_text
from tunesmith.server.upload_limits import Uploads

PRIORITY = "priority"
LOWEST, USUAL, HIGHEST = -10, 0, 10
PRIORITY_SCHEMA = {
    "type": "integer", "minimum": LOWEST, "maximum": HIGHEST, "default": USUAL,
    "description": "Jobs of a higher priority run first; above 0 is for admins.",
}  # fmt: skip

DIALECT = "api"
FORMAT = "format"
FORMAT_NAMES = (*(suffix[1:] for suffix in FORMATS), *EXPORTS)
RECORDINGS = UPLOADED
"""Fields that are files here: recordings, and the score of a composition."""
LISTS = ("instruments", "without", "production", "ambience", "balance", "hits", "lock", "score_edits")
NOT_FOR_CALLERS = ("soundfont",)
"""Paths of this machine, which callers must not choose."""

COMMERCIAL_SAFE, REVENUE_BELOW_LIMIT = "commercial_safe", "revenue_below_limit"
POLICY_SCHEMAS = {
    COMMERCIAL_SAFE: {
        "type": "boolean", "default": False,
        "description": "Refuse a model or a recording whose licence does not allow commercial use.",
    },
    REVENUE_BELOW_LIMIT: {
        "type": "boolean", "default": False,
        "description": "With commercial_safe: allow licences with a revenue limit too; your revenue is below it.",
    },
}  # fmt: skip

BESIDE_MUSIC = (FORMAT, KEEP_ALIVE, PRIORITY, COMMERCIAL_SAFE, REVENUE_BELOW_LIMIT)
"""Fields of a body that are not part of the request for music."""

MULTIPART = "multipart/form-data"
MAX_FORM_FIELDS = 64
MAX_SCHEME_CHARACTERS = 8


class RequestParser:
    """The parser of requests for music; it stores the recordings that come with them."""

    def __init__(
        self, service: MusicService, fetcher: RemoteAudioFetcher, uploads: Uploads, settings: Settings
    ) -> None:
        self._service = service
        self._fetcher = fetcher
        self._uploads = uploads
        self._settings = settings

    async def read(self, request: Request, caller: Caller) -> Submission:
        """Return the job to submit. Raises InvalidRequest, which names the field, Forbidden, and RateLimited."""
        # An empty header is no key, or all such requests would be one.
        key = request.headers.get("idempotency-key") or None
        submission, given = self._checked(await _fields_of(request), caller)
        if not given:
            return replace(submission, idempotency_key=key)
        # Checked before a recording is fetched from a URL.
        await self._uploads.check(caller.owner, key)
        recordings = {name: await self._kept(name, recording, caller) for name, recording in given.items()}
        fields = submission.request.model_dump(exclude_unset=True)
        music = checked(GenerationRequest, {**fields, **recordings})
        return replace(submission, request=music, idempotency_key=key)

    async def read_music(self, request: Request, caller: Caller) -> tuple[GenerationRequest, str]:
        """Return the request for music of a JSON body, without its recordings, and the prompt as it was sent.

        Raises as ``read``.
        """
        fields = await read_object(request, RECORDINGS)
        submission, given = self._checked(fields, caller)
        for field, recording in given.items():
            if not isinstance(recording, str):
                raise InvalidRequest(field, f"must be text, got {shown(recording)}")
        music = submission.request
        return music, str(fields.get("prompt", music.prompt))

    def _checked(self, body: Mapping[str, Any], caller: Caller) -> tuple[Submission, dict[str, Any]]:
        """Return what a body submits, without its recordings, and the recordings that it gives."""
        fields = {name: value for name, value in body.items() if value is not None}
        options = JobOptions(_format_of(fields.pop(FORMAT, None)), _number(fields.pop(KEEP_ALIVE, None)))
        priority = priority_of(fields.pop(PRIORITY, None), caller)
        policy = self._policy(fields.pop(COMMERCIAL_SAFE, None), fields.pop(REVENUE_BELOW_LIMIT, None))
        for name in NOT_FOR_CALLERS:
            if name in fields:
                # A path would let a caller read any file of the server.
                raise InvalidRequest(name, "cannot be chosen over HTTP")
        # Recordings are bytes or text here, but paths in a GenerationRequest.
        given = {name: fields.pop(name) for name in RECORDINGS if name in fields}
        # Validated before any recording is stored: an invalid request must not cost disk space or quota.
        music = checked(GenerationRequest, fields, beside=BESIDE_MUSIC)
        return Submission(music, DIALECT, caller.owner, priority, options=options, policy=policy), given

    def _policy(self, commercial_safe: Any, revenue_below_limit: Any) -> CommercialPolicy:
        safe = _flag(COMMERCIAL_SAFE, commercial_safe)
        below = _flag(REVENUE_BELOW_LIMIT, revenue_below_limit)
        # The server's own policy holds beside it: a caller may be stricter than the settings, never less strict.
        return CommercialPolicy.of(self._settings, bool(safe), below)

    async def _kept(self, field: str, given: Any, caller: Caller) -> str:
        """Store a recording, given as bytes, base64, data URI or URL, and return its path."""
        content = given if isinstance(given, bytes) else await self._content(field, given)
        await self._uploads.count(caller.owner, len(content))
        return str(await self._service.input_file(content, field))

    async def _content(self, field: str, given: Any) -> bytes:
        if not isinstance(given, str):
            raise InvalidRequest(field, f"must be text or a file, got {shown(given)}")
        if field == SCORE:
            return await asyncio.to_thread(_score_content, given)
        if given[:MAX_SCHEME_CHARACTERS].lower().startswith(("data:", "http://", "https://")):
            return await self._fetcher.fetch(given, field)
        return await asyncio.to_thread(decode_base64, given, field, FetchLimits().bytes)


def _score_content(given: str) -> bytes:
    """Return the content of a score that is given as text or in base64. Raises InvalidRequest."""
    # Base64 has no colons, and every score document begins with some.
    if ":" in given:
        return encoded_text(given)
    try:
        return decode_base64(given, SCORE, FetchLimits().bytes)
    except InvalidRequest:
        raise InvalidRequest(SCORE, "must be a score document, or one or a MIDI file in base64") from None


async def _fields_of(request: Request) -> dict[str, Any]:
    if not is_form(request):
        return await read_object(request, RECORDINGS)
    async with read_form(request, max_files=len(RECORDINGS), max_fields=MAX_FORM_FIELDS) as form:
        fields: dict[str, Any] = {}
        for name, value in form.multi_items():
            part = await value.read() if isinstance(value, UploadFile) else value
            # The limit on JSON strings holds for form fields too.
            if name not in RECORDINGS and len(part) > MAX_STRING_CHARACTERS:
                raise InvalidRequest(name[:80], f"must be at most {MAX_STRING_CHARACTERS} characters, got {len(part)}")
            if (field := field_for(name, LISTS)) is not None:
                fields.setdefault(field, []).extend(_listed(field, part))
            else:
                fields[name] = part
    return fields


def _listed(name: str, part: str | bytes) -> list[Any]:
    """Parse a list field of a form, which may be repeated, and hold several values separated by commas."""
    if isinstance(part, bytes):
        raise InvalidRequest(name, "must be text, got a file")
    values = [text.strip() for text in part.split(",") if text.strip()]
    if len(values) > MAX_ITEMS[name]:
        raise InvalidRequest(name, f"must be at most {MAX_ITEMS[name]} items, got {len(values)}")
    return [Hit.parse(text).model_dump() for text in values] if name == "hits" else values


def _number(given: Any) -> Any:
    """Return the number of a text field; anything else unchanged, for the validation to reject."""
    try:
        return float(given) if isinstance(given, str) else given
    except ValueError:
        return given


def _flag(name: str, given: Any) -> bool | None:
    """Return a flag of a JSON body, or of a form, where it is text; None if it is not given."""
    flag = _FLAGS.get(given.strip().lower(), given) if isinstance(given, str) else given
    if flag is not None and not isinstance(flag, bool):
        raise InvalidRequest(name, f"must be true or false, got {shown(given)}")
    return flag


_FLAGS = {"true": True, "false": False}


def _format_of(given: Any) -> str:
    if given is None:
        return DEFAULT_FORMAT
    if given not in FORMAT_NAMES:
        raise InvalidRequest(FORMAT, f"must be one of {', '.join(FORMAT_NAMES)}, got {shown(given)}")
    return str(given)


def documented_request() -> dict[str, Any]:
    """Return the OpenAPI description of the body."""
    content = {
        "application/json": {"schema": {"title": "MusicRequest", **_fields_schema(_IN_JSON)}},
        MULTIPART: {"schema": {"title": "MusicForm", **_fields_schema(_IN_A_FORM)}},
    }
    return {"parameters": [dict(IDEMPOTENCY_KEY)], "requestBody": {"required": True, "content": content}}


def documented_explanation() -> dict[str, Any]:
    """Return the OpenAPI description of the body of an explanation: the request for music, in JSON only."""
    content = {"application/json": {"schema": {"title": "ExplainedRequest", **_fields_schema(_IN_JSON)}}}
    return {"requestBody": {"required": True, "content": content}}


def _fields_schema(recording: Mapping[str, Any]) -> dict[str, Any]:
    """Return the schema of the fields of a request for music, with that of a recording."""
    about = f"Seconds that the model stays loaded; {FOREVER} means forever."
    properties = music_fields([name for name in GenerationRequest.model_fields if name not in PATHS]) | {
        FORMAT: or_null({"type": "string", "enum": list(FORMAT_NAMES), "default": DEFAULT_FORMAT}),
        KEEP_ALIVE: or_null({"type": "number", "minimum": FOREVER, "maximum": MAX_SECONDS, "description": about}),
        PRIORITY: or_null(PRIORITY_SCHEMA),
        **{name: or_null(schema) for name, schema in POLICY_SCHEMAS.items()},
        **{name: dict(recording) for name in RECORDINGS if name != SCORE},
        SCORE: dict(_SCORE_IN_JSON if recording is _IN_JSON else recording),
    }
    return {"type": "object", "required": ["prompt"], "additionalProperties": False, "properties": properties}


_IN_JSON: Mapping[str, Any] = or_null(
    {"type": "string", "description": "Audio in base64, as a data URI, or as an http(s) URL."}
)
_SCORE_IN_JSON: Mapping[str, Any] = or_null(
    {"type": "string", "description": "A score document as text, or one or a MIDI file in base64."}
)
_IN_A_FORM: Mapping[str, str] = {"type": "string", "format": "binary"}


def priority_of(given: Any, caller: Caller) -> int:
    """Return the requested priority, -10 to 10. Raises InvalidRequest, and Forbidden above 0 without scope admin."""
    if given is None:
        return USUAL
    try:
        number = None if isinstance(given, bool | float | bytes) else int(given)
    except (TypeError, ValueError):
        number = None
    if number is None or not LOWEST <= number <= HIGHEST:
        raise InvalidRequest(PRIORITY, f"must be a whole number from {LOWEST} to {HIGHEST}, got {shown(given)}")
    # Otherwise every caller would raise its own priority.
    if number > USUAL and caller.scope != "admin":
        raise Forbidden(f"a priority above {USUAL} needs a token of scope admin")
    return number
