"""Extensions: fields of GenerationRequest that bodies of other vendors' APIs may have beside their own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from pydantic import ConfigDict

from tunesmith.fields import FIELD_ALIASES, GivenFields, checked, field_for
from tunesmith.request import PATHS, GenerationRequest
from tunesmith.server.apis.request_body import documented
from tunesmith.server.apis.schemas import music_fields

SAID_BY_THEIR_FIELDS = ("prompt", "model", "sample_rate", "mono")
"""Fields that the vendor's own fields and formats decide."""
EXTENSIONS = tuple(name for name in GenerationRequest.model_fields if name not in (*PATHS, *SAID_BY_THEIR_FIELDS))


class ForeignBody(GivenFields):
    """A request body of a vendor: the vendor's fields, our ``EXTENSIONS``, and unknown fields, which are ignored.

    ``THEIR_NAMES`` maps names of the vendor's fields to ours.
    """

    # Vendors add fields at any time, and their clients must keep working.
    model_config = ConfigDict(frozen=True, extra="allow", allow_inf_nan=False)
    THEIR_NAMES: ClassVar[Mapping[str, str]] = {}

    def music(self, said: Mapping[str, Any], **decided: Any) -> GenerationRequest:
        """Return the request for music from the vendor's fields (``said``), the API's choices (``decided``) and ours.

        Raises InvalidRequest, which names a field as the body does.
        """
        ours = {name: value for name, value in (self.model_extra or {}).items() if field_for(name, EXTENSIONS)}
        aliases = {**FIELD_ALIASES, **self.THEIR_NAMES}
        return checked(GenerationRequest, {**decided, **said, **ours}, aliases=aliases)


def documented_with_extensions(kind: type[ForeignBody]) -> dict[str, Any]:
    """Return the OpenAPI description of a body with its extensions."""
    said = {FIELD_ALIASES.get(name, name) for name in (*kind.model_fields, *kind.THEIR_NAMES.values())}
    return documented(kind, **music_fields([name for name in EXTENSIONS if name not in said]))
