"""Names of files from prompts."""

from __future__ import annotations

import pytest

from tunesmith.output_files import MAX_SLUG, slug


@pytest.mark.parametrize(("prompt", "name"), [
    ("Lofi hip hop, 90 BPM!", "lofi-hip-hop-90-bpm"), ("静かなピアノ", "静かなピアノ"),
    ("../../etc/passwd", "etc-passwd"),
    ("???", "music"),
])  # fmt: skip
def test_a_slug_holds_the_words(prompt: str, name: str) -> None:
    assert slug(prompt) == name


def test_a_slug_is_short() -> None:
    assert len(slug("word " * 100)) <= MAX_SLUG
    assert len(slug("x" * 500)) == MAX_SLUG
