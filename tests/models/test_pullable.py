"""The catalogue: what can be pulled by name."""

from __future__ import annotations

import re

from tunesmith.models.licences import allows_commercial_use, describe_commercial_use
from tunesmith.models.pullable import catalogue, find_entry
from tunesmith.models.store import is_model_name


def test_the_whole_family_is_there() -> None:
    sizes = ("small", "medium", "large", "melody", "melody-large")
    family = {f"musicgen-{channels}{size}" for channels in ("", "stereo-") for size in sizes}
    assert set(catalogue()) == family | {"audiogen-medium"}


def test_every_entry_is_whole() -> None:
    for name, entry in catalogue().items():
        assert is_model_name(name)
        assert entry.hub_id == f"facebook/{name}"
        assert 10**8 < entry.parameters < 10**10
        assert 1 < entry.download_gb < 20
        assert allows_commercial_use(entry.licence) is False
        assert entry.about
        assert not re.search(r"[A-Z]", entry.name)


def test_no_name_leads_to_two_models() -> None:
    names = [name for entry in catalogue().values() for name in entry.names]
    assert len(set(names)) == len(names)
    for name in names:
        assert find_entry(name.upper()) is not None
    assert find_entry("meta/musicgen") == catalogue()["musicgen-small"]
    assert find_entry("musicgen") is None


def test_an_unknown_licence_is_not_taken_for_a_free_one() -> None:
    assert [allows_commercial_use(name) for name in ("MIT", "cc-by-nc-4.0", "other", "")] == [True, False, None, None]
    assert [describe_commercial_use(allowed) for allowed in (True, False, None)] == ["yes", "no", "unknown"]
