"""Licences: what their text says of the commercial use of a model's output or of a recording. Facts, not advice."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache
from types import MappingProxyType
from typing import Any

UNKNOWN_LICENCE = "unknown"
UNNAMED = "other"
"""The hub's identifier of a licence that is not in its list; the card may name it elsewhere."""
COMPOSED = "free to use, also commercially"
"""The first words of the licence of composed music."""


class CommercialUse(StrEnum):
    """What a licence says of commercial use, from the freest to the strictest."""

    ALLOWED = "allowed"
    BELOW_REVENUE_LIMIT = "below-revenue-limit"
    UNKNOWN = "unknown"
    FORBIDDEN = "forbidden"

    @property
    def strictness(self) -> int:
        """The rank of the state; that of a mixture is the highest of its parts."""
        return list(CommercialUse).index(self)


@dataclass(frozen=True, slots=True)
class Licence:
    """A licence by its ``identifier``; unknown fields are None or empty.

    ``revenue_limit_usd`` is the yearly revenue in US dollars below which commercial use is free. ``attribution`` is a
    line that must be shown to users. ``conditions`` is one sentence on what else limits the use.
    """

    identifier: str
    commercial_use: CommercialUse
    name: str = ""
    url: str = ""
    revenue_limit_usd: int | None = None
    attribution: str = ""
    conditions: str = ""

    @property
    def terms(self) -> LicenceTerms:
        """The terms of this licence alone."""
        lines = (self.attribution,) if self.attribution else ()
        return LicenceTerms(self.commercial_use, self.revenue_limit_usd, lines)

    def __str__(self) -> str:
        return ", ".join(filter(None, (self.name or self.identifier, self.url)))


@dataclass(frozen=True, slots=True)
class LicenceTerms:
    """The terms of one licence, or of several that hold together.

    ``revenue_limit_usd`` is set only for use below a revenue limit; ``attributions`` are all lines that must be shown
    to users.
    """

    commercial_use: CommercialUse
    revenue_limit_usd: int | None = None
    attributions: tuple[str, ...] = ()

    @property
    def is_free(self) -> bool | None:
        """Whether commercial use is allowed whatever the revenue; None if unknown."""
        unknown = self.commercial_use is CommercialUse.UNKNOWN
        return None if unknown else self.commercial_use is CommercialUse.ALLOWED

    @property
    def in_words(self) -> str:
        """The commercial use for people: yes, no, unknown, or the limit."""
        if self.commercial_use is CommercialUse.BELOW_REVENUE_LIMIT:
            return f"below {self.revenue_limit_usd:,} US dollars of yearly revenue"
        return _WORDS[self.commercial_use]

    def accepted(self, *, revenue_below_limit: bool) -> bool:
        """Return whether commercial use is certainly allowed to a user whose revenue is below the limit or not."""
        limited = self.commercial_use is CommercialUse.BELOW_REVENUE_LIMIT
        return self.commercial_use is CommercialUse.ALLOWED or (limited and revenue_below_limit)

    def to_json(self) -> dict[str, Any]:
        """Return the terms as JSON values; ``commercial_use`` is true only if it is allowed whatever the revenue."""
        return {
            "commercial_use": self.is_free, "licence_terms": str(self.commercial_use),
            "revenue_limit_usd": self.revenue_limit_usd, "attribution": "; ".join(self.attributions) or None,
        }  # fmt: skip


UNKNOWN_TERMS = LicenceTerms(CommercialUse.UNKNOWN)
FREE_TERMS = LicenceTerms(CommercialUse.ALLOWED)
_WORDS = {CommercialUse.ALLOWED: "yes", CommercialUse.FORBIDDEN: "no", CommercialUse.UNKNOWN: "unknown"}

STABILITY_COMMUNITY = Licence(
    "stability-ai-community", CommercialUse.BELOW_REVENUE_LIMIT, "Stability AI Community License",
    "https://stability.ai/license", revenue_limit_usd=1_000_000, attribution="Powered by Stability AI",
    conditions="its acceptable use policy holds",
)  # fmt: skip
GEMMA = Licence(
    "gemma",
    CommercialUse.ALLOWED,
    "Gemma Terms of Use",
    "https://ai.google.dev/gemma/terms",
    conditions="its prohibited use policy holds",
)

_FREE = ("afl-3.0", "apache-2.0", "bsd-2-clause", "bsd-3-clause", "isc", "mit", "unlicense", "wtfpl", "zlib")
_CREATIVE_COMMONS_BY_USE: Mapping[CommercialUse, tuple[str, ...]] = {
    CommercialUse.ALLOWED: ("by-2.0", "by-3.0", "by-4.0", "by-sa-3.0", "by-sa-4.0"),
    CommercialUse.FORBIDDEN: (
        "by-nc-2.0", "by-nc-3.0", "by-nc-4.0", "by-nc-nd-3.0", "by-nc-nd-4.0", "by-nc-sa-3.0", "by-nc-sa-4.0",
    ),
}  # fmt: skip


def _known() -> Iterator[Licence]:
    yield from (STABILITY_COMMUNITY, GEMMA)
    yield from (Licence(one, CommercialUse.ALLOWED) for one in _FREE)
    for use, kinds in _CREATIVE_COMMONS_BY_USE.items():
        for kind in kinds:
            name, _, version = kind.rpartition("-")
            yield Licence(f"cc-{kind}", use, url=f"https://creativecommons.org/licenses/{name}/{version}/")
    yield Licence("cc0-1.0", CommercialUse.ALLOWED, url="https://creativecommons.org/publicdomain/zero/1.0/")


LICENCES: Mapping[str, Licence] = MappingProxyType({one.identifier: one for one in _known()})
"""The known licences by the hub's identifier. Any other licence is unknown, and does not count as safe."""


@lru_cache(maxsize=256)
def licences_in(text: str) -> tuple[Licence, ...]:
    """Return the licences that a text names, each once; those that are not known have no terms.

    The text has identifiers of the hub, URLs or names of licences, or the composer's words, separated by ``;``.
    """
    parts = [part.strip() for part in text.split(";")]
    return tuple(dict.fromkeys(_licence(part) for part in parts if part))


@lru_cache(maxsize=256)
def terms_of(text: str | None) -> LicenceTerms:
    """Return the terms of all licences in a text together; unknown ones count only where no other is known."""
    said = [one.terms for one in licences_in(text or "") if one.commercial_use is not CommercialUse.UNKNOWN]
    # A notice beside a licence, such as "(c) 2001 Ann", says nothing of the use.
    return strictest(said)


def strictest(terms: Iterable[LicenceTerms]) -> LicenceTerms:
    """Return the terms of a mixture: the strictest use, the lowest limit and every attribution; unknown without any."""
    every = tuple(terms)
    if not every:
        return UNKNOWN_TERMS
    use = max((one.commercial_use for one in every), key=lambda one: one.strictness)
    limits = [one.revenue_limit_usd for one in every if one.revenue_limit_usd is not None]
    limit = min(limits) if use is CommercialUse.BELOW_REVENUE_LIMIT else None
    return LicenceTerms(use, limit, tuple(dict.fromkeys(line for one in every for line in one.attributions)))


def stated_licence(repository: str | None, entry: str | None) -> str:
    """Return the licence of a model from what its repository and its entry in the catalog say.

    The repository's holds, unless it names none, or only licences that the entry names too, perhaps beside others.
    """
    if not repository or repository.strip().lower() == UNNAMED:
        return entry or repository or UNKNOWN_LICENCE
    named = set(licences_in(repository))
    return entry if entry and named <= set(licences_in(entry)) else repository


def _licence(text: str) -> Licence:
    plain = text.lower()
    if plain.startswith(COMPOSED):
        return Licence(text, CommercialUse.ALLOWED)
    if plain.startswith("all rights reserved"):
        return Licence(text, CommercialUse.FORBIDDEN)
    if _STABILITY.fullmatch(re.sub(r"[ _]+", "-", plain)) or plain == STABILITY_COMMUNITY.url:
        return STABILITY_COMMUNITY
    if plain in (GEMMA.name.lower(), GEMMA.url):
        return GEMMA
    named = _CREATIVE_COMMONS.search(plain)
    if named:
        # Credits of recordings give URLs or names instead of identifiers.
        plain = f"cc-{named['kind'].replace(' ', '-')}-{named['version']}"
    known = LICENCES.get("cc0-1.0" if _ZERO.search(plain) else plain)
    return known or Licence(text, CommercialUse.UNKNOWN)


# The cards on the hub spell the name in several ways. A card with "nc" in the name means another licence.
_STABILITY = re.compile(
    r"(?:stability|stabilityai|stability-ai|stabilityai-ai|stable-audio)-community(?:-licen[cs]e(?:-agreement)?)?"
)
_CREATIVE_COMMONS = re.compile(
    r"(?:creativecommons\.org/licenses/|\bcc[ -])(?P<kind>by(?:[ -](?:nc|sa|nd))*)[ /-](?P<version>\d\.\d)"
)
# CC0 is no "by" licence, so the pattern above does not match it.
_ZERO = re.compile(r"creativecommons\.org/publicdomain/zero/1\.0|^cc0(?: 1\.0)?$")
