"""Names of hosted models: what is one, what is written like one and is none, and that they are read back as written."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.hosted.model_names import HostedName, is_hosted, read_name


@pytest.mark.parametrize(("name", "read"), [
    ("hf:facebook/musicgen-small", HostedName("hf", "facebook/musicgen-small")),
    ("HF:gpt2", HostedName("hf", "gpt2")),
    ("hf:https://x.endpoints.huggingface.cloud", HostedName("hf", url="https://x.endpoints.huggingface.cloud")),
    ("replicate:meta/musicgen", HostedName("replicate", "meta/musicgen")),
    ("replicate:meta/musicgen:671ac645", HostedName("replicate", "meta/musicgen", "671ac645")),
])  # fmt: skip
def test_a_name_is_read_and_reads_as_it_was_written(name: str, read: HostedName) -> None:
    assert is_hosted(name)
    assert read_name(name) == read
    assert read_name(str(read)) == read


@pytest.mark.parametrize("name", ["composer", "facebook/musicgen-small", "hfx:a/b", "replicate/meta", "C:/models"])
def test_other_names_are_none(name: str) -> None:
    assert not is_hosted(name)


@pytest.mark.parametrize("name", [
    "hf:", "hf:a/b/c", "hf:../..", "hf:a/..", "hf:a b/c", "hf:a/b?x=1", "hf:http://", "hf:https://user:word@host/x",
    "hf:https://host/x?token=1", "hf:ftp://host/x", "replicate:", "replicate:meta", "replicate:meta/musicgen:latest",
    "replicate:../musicgen", "replicate:https://host/x", "replicate:a/b:c:d", "hf:" + "x" * 500,
])  # fmt: skip
def test_what_cannot_be_one_is_refused_in_a_short_line(name: str) -> None:
    assert is_hosted(name)
    with pytest.raises(InvalidRequest, match=r"^model: ") as refused:
        read_name(name)
    assert len(str(refused.value)) < 300
    assert "word@" not in str(refused.value)
