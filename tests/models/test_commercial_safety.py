"""Commercial safety: nothing forbidden or unknown passes, and a revenue limit only for who is below it."""

from __future__ import annotations

from pathlib import Path

import pytest
from foreign_files import write_tone
from stand_ins import install

from tunesmith.config import Settings
from tunesmith.errors import InvalidRequest
from tunesmith.models.commercial_safety import CommercialPolicy, check_licence
from tunesmith.models.store import Store

LIMITED = "stability-ai-community; gemma"


@pytest.fixture
def store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Store:
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path))
    return Store.default()


@pytest.mark.usefixtures("store")
@pytest.mark.parametrize(("name", "words"), [
    ("musicgen-small", "musicgen-small may not be used commercially: cc-by-nc-4.0"),
    ("hf:facebook/musicgen-small", "may not be used commercially: cc-by-nc-4.0"),
    ("hf:stabilityai/stable-audio-open-1.0", "only below 1,000,000 US dollars of yearly revenue: stability-ai-comm"),
    ("replicate:stability-ai/stable-audio-2.5", "is not known: unknown"),
    ("hf:someone/something", "is not known: unknown"), ("nonsuch", "is not known: unknown"),
])  # fmt: skip
def test_only_what_is_known_to_be_allowed_is_safe_for_commercial_use(name: str, words: str) -> None:
    policy = CommercialPolicy(commercial_safe=True)
    check_licence(policy, "composer")
    check_licence(CommercialPolicy(), name)
    with pytest.raises(InvalidRequest, match=words):
        check_licence(policy, name)


@pytest.mark.usefixtures("store")
def test_what_is_free_below_a_revenue_limit_is_safe_only_for_who_is_below_it() -> None:
    below = CommercialPolicy(commercial_safe=True, revenue_below_limit=True)
    check_licence(below, "hf:stabilityai/stable-audio-open-1.0")
    for name in ("musicgen-small", "hf:someone/something"):
        with pytest.raises(InvalidRequest, match="commercial_safe: "):
            check_licence(below, name)


@pytest.mark.parametrize(("licence", "safe", "safe_below"), [
    ("mit", True, True), (LIMITED, False, True), ("cc-by-nc-4.0", False, False), ("unknown", False, False),
    (f"{LIMITED}; cc-by-nc-4.0", False, False),
])  # fmt: skip
def test_a_model_and_a_recording_of_one_licence_meet_the_same_answer(
    store: Store, tmp_path: Path, licence: str, safe: bool, safe_below: bool
) -> None:
    install(store, "mine", licence=licence)
    recording = tmp_path / "mine.flac"
    write_tone(recording, {"license": licence} if licence != "unknown" else {})
    for below, accepted in ((False, safe), (True, safe_below)):
        policy = CommercialPolicy(commercial_safe=True, revenue_below_limit=below)
        for asked in (("mine",), ("composer", None, recording)):
            if accepted:
                check_licence(policy, *asked)
                continue
            with pytest.raises(InvalidRequest, match="mine") as refused:
                check_licence(policy, *asked)
            assert ("--revenue-below-limit" in str(refused.value)) == (licence == LIMITED)
    check_licence(CommercialPolicy(revenue_below_limit=True), "mine", recording)


def test_a_request_overrides_the_settings() -> None:
    settings = Settings(commercial_safe=True, revenue_below_limit=True)
    assert CommercialPolicy.of(settings) == CommercialPolicy(commercial_safe=True, revenue_below_limit=True)
    assert CommercialPolicy.of(settings, False, False) == CommercialPolicy()
    assert CommercialPolicy.of(Settings(), True, None) == CommercialPolicy(commercial_safe=True)
