"""A plan with another seed, for tests of writers, which draw from the seed of the plan's brief."""

from __future__ import annotations

from dataclasses import replace

from tunesmith.composer.writing.plan import Plan


def seeded(plan: Plan, seed: int) -> Plan:
    """Return the plan with another seed and nothing else changed."""
    return replace(plan, brief=replace(plan.brief, seed=seed))
