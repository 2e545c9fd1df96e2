"""Commercial safety (``--commercial-safe``): refuse what its licence does not allow to be used commercially."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tunesmith.audio.credits import credits_of
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.licences import CommercialUse, LicenceTerms, terms_of


@dataclass(frozen=True, slots=True)
class CommercialPolicy:
    """What a user accepts: only what may be used commercially, and whether their revenue is below the limits.

    ``revenue_below_limit`` matters only with ``commercial_safe``: licences that are free below a revenue limit then
    count as safe.
    """

    commercial_safe: bool = False
    revenue_below_limit: bool = False

    @classmethod
    def of(cls, settings: Settings, commercial_safe: bool | None, revenue_below_limit: bool | None) -> CommercialPolicy:
        """Return the policy of a request; None uses the settings."""
        return cls(
            settings.commercial_safe if commercial_safe is None else commercial_safe,
            settings.revenue_below_limit if revenue_below_limit is None else revenue_below_limit,
        )

    def accepts(self, terms: LicenceTerms) -> bool:
        """Return whether the policy accepts a licence with these terms."""
        return not self.commercial_safe or terms.accepted(revenue_below_limit=self.revenue_below_limit)

    def check(self, terms: LicenceTerms, name: str, stated: str) -> None:
        """Raise InvalidRequest unless the policy accepts what ``name`` is under; ``stated`` is its licence as text."""
        if self.accepts(terms):
            return
        problem = {
            CommercialUse.UNKNOWN: f"whether {name} may be used commercially is not known: {stated}",
            CommercialUse.FORBIDDEN: f"{name} may not be used commercially: {stated}",
            CommercialUse.BELOW_REVENUE_LIMIT: (
                f"{name} may be used commercially only {terms.in_words}: {stated}; if yours is below, set "
                "revenue_below_limit (--revenue-below-limit)"
            ),
        }[terms.commercial_use]
        raise InvalidRequest("commercial_safe", problem)

    def check_parts(self, metadata: Mapping[str, Any], name: str) -> None:
        """Raise InvalidRequest unless the policy accepts every part of the recording ``name``.

        ``metadata`` is that of the recording, with the credits of its parts.
        """
        for part in credits_of({"title": name, **metadata}):
            self.check(terms_of(part.licence), name, str(part))
