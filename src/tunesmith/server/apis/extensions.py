"""Extensions: fields of our requests that the bodies of other services may have beside those of their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict

from tunesmith.field_errors import GivenFields, checked
from tunesmith.request import PATHS, GenerationRequest
from tunesmith.server.apis.request_body import documented
from tunesmith.server.apis.schemas import music_fields
from tunesmith.suggestions import FIELD_ALIASES, field_for

SAID_BY_THEIR_FIELDS = ("prompt", "model", "sample_rate", "mono")
"""What their own fields and formats decide."""
EXTENSIONS = tuple(name for name in GenerationRequest.model_fields if name not in (*PATHS, *SAID_BY_THEIR_FIELDS))


class ForeignBody(GivenFields):
    """A body of another service: their fields, ours (``EXTENSIONS``), and others, which are passed over.

    ``THEIR_NAMES`` are our fields by the names of theirs that say them.
    """

    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    THEIR_NAMES: ClassVar[Mapping[str, str]] = {}

    def music(self, said: Mapping[str, Any], **decided: Any) -> GenerationRequest:
        """Return the request for music: what their fields have ``said``, what is ``decided`` by the dialect, and ours.

        Raises InvalidRequest that names a wrong field as the body does.
        """
        ours = {name: value for name, value in (self.model_extra or {}).items() if field_for(name, EXTENSIONS)}
        aliases = {**FIELD_ALIASES, **self.THEIR_NAMES}
        return checked(GenerationRequest, {**decided, **said, **ours}, aliases=aliases)


def documented_with_extensions(kind: type[ForeignBody]) -> dict[str, Any]:
    """Return the part of an OpenAPI operation that describes a body with its extensions."""
    said = {FIELD_ALIASES.get(name, name) for name in (*kind.model_fields, *kind.THEIR_NAMES.values())}
    return documented(kind, **music_fields([name for name in EXTENSIONS if name not in said]))
