"""What may be named to be pulled: everything else is refused as input, before anything is opened or asked."""

from __future__ import annotations

import pytest

from tunesmith.errors import InvalidRequest
from tunesmith.models.pull_request import PullRequest, is_hub_id, locate

ODD_NAMES = [
    "../x", "./x", "a/..", "../../etc/nobody", "a/../../b", "a/b/c", "/nowhere/at/all", "//x/y",
    "C:\\x", "C:/x", "\\\\host\\share", "~nobody-has-this-name/x", "a\0b", "a\0/b", "\udcff/x", "org/\udcff", "",
    " ", "a" * 5_000, "a/" + "b" * 5_000, "a/" * 3_000, "/" + "a" * 5_000, "org/..name", "org/a--b", "-x/y", "a b/c",
    "org/name?x=1", "org/name#x", "org/näme", "org/name\n",
]  # fmt: skip


@pytest.mark.parametrize("folders", [True, False], ids=["here", "over HTTP"])
@pytest.mark.parametrize("name", ODD_NAMES, ids=lambda name: ascii(name)[:30])
def test_an_odd_name_is_refused_in_one_line(name: str, folders: bool) -> None:
    with pytest.raises(InvalidRequest) as refused:
        locate(PullRequest(name, name="mine", folders=folders))
    assert refused.value.exit_code == 2
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("name", ["/", "..", ".", "/etc"])
def test_nobody_names_a_folder_of_this_machine_over_http(name: str) -> None:
    with pytest.raises(InvalidRequest):
        locate(PullRequest(name, name="mine", folders=False))


@pytest.mark.parametrize("revision", ["", "..", "a/../../b", "/x", "a\0", "\udcff", "r" * 5_000, "a b", "main?x"])
def test_an_odd_revision_is_refused(revision: str) -> None:
    with pytest.raises(InvalidRequest, match=r"^revision: must be a branch, tag or commit") as refused:
        locate(PullRequest("org/name", revision=revision))
    assert len(str(refused.value)) < 400


@pytest.mark.parametrize("revision", ["main", "v1.0", "refs/pr/3", "feature/x-y", "c0ffee" * 6 + "c0ff"])
def test_branches_tags_and_commits_are_taken(revision: str) -> None:
    assert locate(PullRequest("org/name", revision=revision)).hub_id == "org/name"


@pytest.mark.parametrize("name", ["facebook/musicgen-small", "a/b", "Org_1/Name.v2", "0x/_private"])
def test_ids_of_the_hub_are_taken(name: str) -> None:
    assert is_hub_id(name)
