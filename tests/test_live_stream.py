"""The settings of live streams: checked as the fields of requests are, and changed a field at a time."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.live_stream import LiveSettings

LOFI = LiveSettings.checked(prompt="lofi", second_prompt="techno", notes=[64, 60], drums=False)


def test_settings_survive_json() -> None:
    assert LiveSettings.model_validate_json(LOFI.model_dump_json()) == LOFI


def test_the_same_notes_are_the_same_text() -> None:
    turned = LOFI.changed({"notes": [60, 64, 60]})
    assert turned == LOFI
    assert turned.model_dump_json() == LOFI.model_dump_json()


def test_a_change_keeps_all_other_fields_and_null_leaves_a_field_to_the_model() -> None:
    changed = LOFI.changed({"blend": 0.3, "drums": None})
    assert (changed.prompt, changed.second_prompt, sorted(changed.notes)) == ("lofi", "techno", [60, 64])
    assert (changed.blend, changed.drums) == (0.3, None)


@pytest.mark.parametrize(
    ("field", "value", "problem"),
    [
        ("notes", [60, 128], "notes.1: must be at most 127, got 128"),
        ("notes", ["loud"], "notes.0: must be a whole number, got 'loud'"),
        ("notes", [True], "notes.0: must be a number, got true"),
        ("notes", 60, "notes: must be an array, got 60"),
        ("blend", "half", "blend: must be a number, got 'half'"),
        ("blend", float("nan"), "blend: must be a finite number, got nan"),
        ("blend", 1.5, "blend: must be at most 1, got 1.5"),
        ("drums", "loud", "drums: must be true or false, got 'loud'"),
        ("prompt", " ", "prompt: must not be empty"),
        ("prompt", None, "prompt: is missing"),
        ("second_prompt", "x" * 2001, "second_prompt: must be at most 2000 characters, got 2001"),
        ("temperature", -1, "temperature: must be at least 0, got -1"),
        ("notez", [60], "notez: is not a field of this request; did you mean notes?"),
    ],
)
def test_a_bad_field_is_named_with_its_limit_and_value(field: str, value: object, problem: str) -> None:
    with pytest.raises(InvalidRequest) as caught:
        LOFI.changed({field: value})
    assert str(caught.value) == problem
