"""Admission to the band: whether an instrument that neither the genre nor the user names may play."""

from __future__ import annotations

from tunesmith.composer.brief import Brief
from tunesmith.composer.instruments import instrument
from tunesmith.composer.means import all_means


def is_unwanted(brief: Brief, name: str, role: str) -> bool:
    """Return whether the brief excludes the instrument, its family or its role."""
    return _covers(brief.without, name, role)


def is_refused(brief: Brief, name: str, role: str) -> bool:
    """Return whether the prompt's words exclude it, so that the band is chosen without it.

    What only the request excludes is chosen, written and taken out, so that the others stay as they are.
    """
    return _covers(brief.without - brief.removed, name, role)


def _covers(without: frozenset[str], name: str, role: str) -> bool:
    if role == "percussion" and "drums" in without:
        return True
    # "No violin", "no melody" and "no strings" all exclude a violin that leads.
    return bool({name, role, instrument(name).family} & without)


def may_join(brief: Brief, name: str, role: str) -> bool:
    """Return whether an instrument of our own choice may play the role: not excluded, and within the means."""
    within = all(all_means()[means].admits(name, role) for means in brief.means)
    return within and not is_refused(brief, name, role)
