"""Commercial safety (``--commercial-safe``): refuse what its licence does not allow to be used commercially."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tunesmith.audio.credits import credits_of
from tunesmith.audio.reader import read_metadata
from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.files import is_sha256
from tunesmith.licences import UNKNOWN_LICENCE, UNKNOWN_TERMS, CommercialUse, LicenceTerms, terms_of
from tunesmith.models.catalog import find_model


@dataclass(frozen=True, slots=True)
class CommercialPolicy:
    """What a user accepts: only what may be used commercially, and whether their revenue is below the limits.

    ``revenue_below_limit`` matters only with ``commercial_safe``: licences that are free below a revenue limit then
    count as safe.
    """

    commercial_safe: bool = False
    revenue_below_limit: bool = False

    @classmethod
    def of(
        cls, settings: Settings, commercial_safe: bool | None = None, revenue_below_limit: bool | None = None
    ) -> CommercialPolicy:
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


OPEN_POLICY = CommercialPolicy()
"""The policy that accepts every licence."""


def check_licence(policy: CommercialPolicy, model: str | None, *recordings: str | Path | None) -> None:
    """Raise InvalidRequest unless the policy accepts the licences of the model and of every part of the recordings.

    ``recordings`` are sound files that go into the result. Raises AudioFileError for one that cannot be read.
    """
    if not policy.commercial_safe:
        return
    if model is not None:
        info = find_model(model)
        policy.check(info.terms if info else UNKNOWN_TERMS, model, (info and info.licence) or UNKNOWN_LICENCE)
    for path in recordings:
        if path is not None:
            # The server names uploads by their digest, which tells nobody anything.
            name = "the uploaded recording" if is_sha256(Path(path).stem) else Path(path).name
            for part in credits_of({"title": name, **read_metadata(path)}):
                policy.check(terms_of(part.licence), name, str(part))
