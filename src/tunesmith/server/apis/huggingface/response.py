"""Content negotiation: the audio format of a response, as bytes or, for clients that accept only JSON, in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from tunesmith.errors import InvalidRequest
from tunesmith.field_errors import shown

CONTENT_TYPES = {"wav": "audio/wav", "flac": "audio/flac", "mp3": "audio/mpeg", "ogg": "audio/ogg", "opus": "audio/ogg"}
MEDIA_TYPES: Mapping[str, str] = {
    "audio/wav": "wav", "audio/x-wav": "wav", "audio/wave": "wav", "audio/flac": "flac", "audio/x-flac": "flac",
    "audio/mpeg": "mp3", "audio/mp3": "mp3", "audio/ogg": "ogg", "audio/opus": "opus",
    "audio/ogg;codecs=opus": "opus",
}  # fmt: skip
"""The audio format of each media type in an Accept header."""
ANY_SOUND = ("*/*", "audio/*")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """The format of a response, and whether the audio is wrapped in JSON."""

    format: str
    in_json: bool

    @classmethod
    def from_accept_header(cls, named: object, accept: str) -> ResponseFormat:
        """Return the format named in the body, else the first that the Accept header names, else WAV.

        JSON is only for clients that accept JSON and no audio, because some libraries add ``application/json`` to every
        request. Raises InvalidRequest for an unknown name.
        """
        kinds = list(_accepted(accept))
        sounds = [MEDIA_TYPES[kind] for kind in kinds if kind in MEDIA_TYPES]
        if named is not None and named not in tuple(CONTENT_TYPES):
            raise InvalidRequest("format", f"must be one of {', '.join(CONTENT_TYPES)}, got {shown(named)}")
        in_json = JSON in kinds and not sounds and not set(ANY_SOUND) & set(kinds)
        return cls(str(named or next(iter(sounds), "wav")), in_json)

    @property
    def media_type(self) -> str:
        """The Content-Type of the audio."""
        return CONTENT_TYPES[self.format]


def _accepted(accept: str) -> Iterator[str]:
    """Yield the media types of an Accept header in order, without those that it excludes with ``q=0``."""
    for part in accept.lower().split(","):
        kind, *options = (token.replace(" ", "").replace('"', "") for token in part.split(";"))
        if not any(option in ("q=0", "q=0.0", "q=0.00", "q=0.000") for option in options):
            yield f"{kind};codecs=opus" if kind == "audio/ogg" and "codecs=opus" in options else kind
