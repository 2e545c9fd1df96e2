"""Licences: three states and unknown, mixtures as strict as their strictest part, and a catalog that knows more."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tunesmith.licences import (
    GEMMA,
    LICENCES,
    STABILITY_COMMUNITY,
    UNKNOWN_TERMS,
    CommercialUse,
    LicenceTerms,
    licences_in,
    stated_licence,
    strictest,
    terms_of,
)

TERMS = st.sampled_from([terms_of(text) for text in ("mit", "stability-ai-community", "other", "cc-by-nc-4.0")])
FAMILY = "stability-ai-community; gemma"


@pytest.mark.parametrize(("text", "use", "words"), [
    ("MIT", CommercialUse.ALLOWED, "yes"), ("gemma", CommercialUse.ALLOWED, "yes"),
    ("Free to use, also commercially, without attribution", CommercialUse.ALLOWED, "yes"),
    (FAMILY, CommercialUse.BELOW_REVENUE_LIMIT, "below 1,000,000 US dollars of yearly revenue"),
    ("cc-by-nc-4.0", CommercialUse.FORBIDDEN, "no"), ("All rights reserved.", CommercialUse.FORBIDDEN, "no"),
    ("mit; cc-by-nc-4.0", CommercialUse.FORBIDDEN, "no"), ("CC BY 4.0; (c) 2001 Ann", CommercialUse.ALLOWED, "yes"),
    ("other", CommercialUse.UNKNOWN, "unknown"), ("", CommercialUse.UNKNOWN, "unknown"),
    ("stable-cascade-nc-community", CommercialUse.UNKNOWN, "unknown"),
])  # fmt: skip
def test_a_licence_has_one_of_three_states_or_is_unknown(text: str, use: CommercialUse, words: str) -> None:
    assert (terms_of(text).commercial_use, terms_of(text).in_words) == (use, words)


@pytest.mark.parametrize("name", [
    "stability-ai-community", "stabilityai-ai-community", "stable-audio-community", "Stability AI Community License",
    "stability-ai-community-license-agreement", "https://stability.ai/license",
])  # fmt: skip
def test_the_community_licence_is_known_by_the_names_that_cards_give_it(name: str) -> None:
    assert licences_in(name) == (STABILITY_COMMUNITY,)
    assert terms_of(name).attributions == ("Powered by Stability AI",)


def test_several_licences_are_each_named_once_and_every_known_one_is_found_by_itself() -> None:
    assert licences_in("gemma; stability-ai-community;;GEMMA") == (GEMMA, STABILITY_COMMUNITY)
    for identifier, licence in LICENCES.items():
        assert licences_in(identifier) == licences_in(licence.url or identifier) == (licence,)
        assert (licence.revenue_limit_usd is None) == (licence.commercial_use is not CommercialUse.BELOW_REVENUE_LIMIT)


@given(st.lists(TERMS, min_size=1), TERMS)
def test_a_mixture_is_as_strict_as_its_strictest_part_in_any_order(
    parts: list[LicenceTerms], more: LicenceTerms
) -> None:
    whole = strictest(parts)
    assert whole.commercial_use.strictness == max(part.commercial_use.strictness for part in parts)
    assert whole.commercial_use == strictest(reversed(parts)).commercial_use
    assert strictest([whole, more]) == strictest([*parts, more])
    assert strictest([*parts, more]).commercial_use.strictness >= whole.commercial_use.strictness
    assert set(whole.attributions) == {line for part in parts for line in part.attributions}
    for below in (False, True):
        assert whole.accepted(revenue_below_limit=below) == all(
            one.accepted(revenue_below_limit=below) for one in parts
        )


def test_the_lowest_limit_of_a_mixture_holds_and_nothing_has_unknown_terms() -> None:
    limits = [LicenceTerms(CommercialUse.BELOW_REVENUE_LIMIT, limit) for limit in (5_000, 3_000)]
    assert strictest(limits).revenue_limit_usd == 3_000
    assert strictest([*limits, terms_of("cc-by-nc-4.0")]).revenue_limit_usd is None
    assert strictest([]) == UNKNOWN_TERMS


def test_the_old_field_is_true_only_where_no_revenue_is_too_high() -> None:
    texts = ("mit", FAMILY, "cc-by-nc-4.0", "other")
    assert [terms_of(text).to_json()["commercial_use"] for text in texts] == [True, False, False, None]
    assert terms_of(FAMILY).to_json() == {
        "commercial_use": False, "licence_terms": "below-revenue-limit", "revenue_limit_usd": 1_000_000,
        "attribution": "Powered by Stability AI",
    }  # fmt: skip


@pytest.mark.parametrize(("repository", "entry", "stated"), [
    (None, None, "unknown"), (None, FAMILY, FAMILY), ("other", FAMILY, FAMILY), ("Other", None, "Other"),
    ("stable-audio-community", FAMILY, FAMILY), ("mit", FAMILY, "mit"), ("cc-by-nc-4.0", FAMILY, "cc-by-nc-4.0"),
    ("their-own-terms", FAMILY, "their-own-terms"), ("stability-ai-community; cc-by-nc-4.0", FAMILY,
     "stability-ai-community; cc-by-nc-4.0"),
])  # fmt: skip
def test_the_catalog_adds_to_what_a_repository_states_and_contradicts_nothing(
    repository: str | None, entry: str | None, stated: str
) -> None:
    assert stated_licence(repository, entry) == stated
