"""How many examples the tests that search by chance try, in one place: fewer where an example costs more.

``FUZZ_EXAMPLES`` in the environment takes the place of every number, for a longer search.
"""

from __future__ import annotations

import os

from hypothesis import HealthCheck, settings


def _count(usual: int) -> int:
    return int(os.environ.get("FUZZ_EXAMPLES", usual))


def _budget(usual: int) -> settings:
    return settings(max_examples=_count(usual), deadline=None, suppress_health_check=[HealthCheck.too_slow])


VALUES = _budget(100)
"""For texts, numbers and small objects: less than a millisecond each."""

PROMPTS = _budget(150)
"""For prompts that are understood and documents that are read: 2 ms each."""

SCORES = _budget(60)
"""For whole scores, and sounds that are no music: 10 ms each."""

PIECES = _budget(100)
"""For two seconds of music: 50 ms each."""

REQUESTS = _count(5)
"""For the requests of each kind that an operation of the server gets: 20 ms each."""
