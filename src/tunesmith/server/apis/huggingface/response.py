"""The form of an answer: which kind of sound file, as bytes or, for those who read nothing else, inside JSON."""

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
"""Formats by what an Accept header may say."""
ANY_SOUND = ("*/*", "audio/*")
JSON = "application/json"


@dataclass(frozen=True, slots=True)
class ResponseFormat:
    """A sound in a ``format``, and whether it is to be wrapped into JSON."""

    format: str
    in_json: bool

    @classmethod
    def from_accept_header(cls, named: object, accept: str) -> ResponseFormat:
        """Return the format asked for by name, or the first that the Accept header names; WAV otherwise.

        JSON is only for those who take JSON and no sound: some libraries add ``application/json`` to every request.
        """
        kinds = list(_accepted(accept))
        sounds = [MEDIA_TYPES[kind] for kind in kinds if kind in MEDIA_TYPES]
        if named is not None and named not in tuple(CONTENT_TYPES):
            raise InvalidRequest("format", f"must be one of {', '.join(CONTENT_TYPES)}, got {shown(named)}")
        in_json = JSON in kinds and not sounds and not set(ANY_SOUND) & set(kinds)
        return cls(str(named or next(iter(sounds), "wav")), in_json)

    @property
    def media_type(self) -> str:
        """The Content-Type of the sound."""
        return CONTENT_TYPES[self.format]


def _accepted(accept: str) -> Iterator[str]:
    """Give the types of an Accept header as they come, but for those that it excludes."""
    for part in accept.lower().split(","):
        kind, *options = (piece.replace(" ", "").replace('"', "") for piece in part.split(";"))
        if not any(option in ("q=0", "q=0.0", "q=0.00", "q=0.000") for option in options):
            yield f"{kind};codecs=opus" if kind == "audio/ogg" and "codecs=opus" in options else kind
