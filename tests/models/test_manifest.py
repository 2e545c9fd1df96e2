"""The manifest: what a model is, written once and read back."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from stand_ins import TINY

from tunesmith.errors import InvalidRequest, ModelFileError
from tunesmith.magenta_rt.request_mapping import check_fields as check_magenta
from tunesmith.models.families.musicgen import summarize
from tunesmith.models.manifest import MANIFEST, FileDigest, Manifest, Sizes, Source, read_manifest, write_manifest
from tunesmith.musicgen.request_mapping import check_fields as check_musicgen
from tunesmith.request import GenerationRequest
from tunesmith.stable_audio.request_mapping import check_fields as check_stable_audio

MINE = Manifest(
    name="mine",
    source=Source("org/mine", "c0ffee" * 7),
    licence="mit",
    quantization="int8",
    parameters=12,
    sizes=summarize(TINY).sizes,
    files=(FileDigest("a", 3, "aa"), FileDigest("b", 4, "bb")),
    tunesmith="0.1.0",
    created="2030-01-02T03:04:05+00:00",
)


OTHER_SIZES = {
    "magenta-rt": replace(MINE.sizes, kind="magenta-rt"),
    "stable-audio": replace(MINE.sizes, kind="stable-audio", num_codebooks=None, latent_channels=8),
}
VALUES: dict[str, Any] = {
    "guidance_scale": 3, "temperature": 1, "top_k": 5, "top_p": 0.5, "negative_prompt": "x", "steps": 4, "bars": 2,
    "loop": True,
}  # fmt: skip


@pytest.mark.parametrize(("sizes", "check"), [
    (MINE.sizes, check_musicgen), (OTHER_SIZES["magenta-rt"], check_magenta),
    (OTHER_SIZES["stable-audio"], check_stable_audio),
], ids=["musicgen", "magenta-rt", "stable-audio"])  # fmt: skip
def test_the_fields_of_a_model_are_those_that_its_requests_take(
    sizes: Sizes, check: Callable[[GenerationRequest], None]
) -> None:
    def takes(field: str) -> bool:
        try:
            check(GenerationRequest(prompt="x", model="mine", **{field: VALUES[field]}))
        except InvalidRequest as refused:
            return refused.field != field
        return True

    assert {field for field in VALUES if takes(field)} == set(sizes.fields)


def test_what_was_written_is_read_back(tmp_path: Path) -> None:
    write_manifest(MINE, tmp_path)
    assert read_manifest(tmp_path) == MINE
    assert [path.name for path in tmp_path.iterdir()] == [MANIFEST]
    assert MINE.bytes == 7


def test_the_digest_tells_two_models_apart() -> None:
    other = Manifest(**{**{name: getattr(MINE, name) for name in MINE.__slots__}, "files": MINE.files[:1]})
    assert other.digest != MINE.digest
    assert len(MINE.digest) == 64


@pytest.mark.parametrize("change", [
    {"format": 2}, {"files": 3}, {"sizes": {}}, {"colour": 1}, {"source": None},
])  # fmt: skip
def test_anything_else_is_named_and_refused(tmp_path: Path, change: dict[str, object]) -> None:
    (tmp_path / MANIFEST).write_text(json.dumps({**MINE.to_json(), **change}), encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"manifest\.json: is not a manifest of this version"):
        read_manifest(tmp_path)


@pytest.mark.parametrize("text", ["", "{", "[]", "null", "\udcff", "[" * 100_000])
def test_a_damaged_manifest_is_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / MANIFEST).write_bytes(text.encode("utf-8", "surrogateescape"))
    with pytest.raises(ModelFileError, match="is not a manifest"):
        read_manifest(tmp_path)


def test_a_folder_without_one_is_no_model(tmp_path: Path) -> None:
    with pytest.raises(ModelFileError, match="is missing"):
        read_manifest(tmp_path)
