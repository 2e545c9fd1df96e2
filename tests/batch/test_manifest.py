"""The manifest: it survives what may happen to a process and to a disk, and one process has it at a time."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from tunesmith.batch.manifest import LOCK, NAME, BatchManifest, Entry, manifest_of
from tunesmith.errors import AudioFileError, InvalidRequest

FIRST = Entry("a", 1, 2, {"prompt": "calm", "seed": 3}, "001-calm.wav")
SECOND = Entry("b", 2, 3, {"prompt": "静かな", "seed": 4}, "002.wav")


def made(entry: Entry) -> Entry:
    return replace(entry, state="made", digest="0" * 64, seconds=1.5, duration=30.0, tries=1, track="x1")


def test_what_is_noted_is_there_for_the_next_process_at_once(tmp_path: Path) -> None:
    manifest = BatchManifest(tmp_path)
    manifest.begin([FIRST, SECOND])
    manifest.put(made(FIRST))
    again = BatchManifest(tmp_path)
    assert (again.find("a"), again.find("b"), again.find("c")) == (made(FIRST), SECOND, None)


def test_one_line_a_row_is_left_at_the_end(tmp_path: Path) -> None:
    manifest = BatchManifest(tmp_path)
    manifest.begin([FIRST, SECOND])
    manifest.put(made(SECOND))
    assert len((tmp_path / NAME).read_text(encoding="utf-8").splitlines()) == 3
    manifest.save()
    lines = [json.loads(line) for line in (tmp_path / NAME).read_text(encoding="utf-8").splitlines()]
    assert [(line["id"], line["state"]) for line in lines] == [("a", "waiting"), ("b", "made")]
    assert lines[1]["request"]["prompt"] == "静かな"


@pytest.mark.parametrize("cut", range(1, 40, 7))
def test_a_line_that_was_cut_off_is_passed_over(tmp_path: Path, cut: int) -> None:
    manifest = BatchManifest(tmp_path)
    manifest.begin([FIRST, SECOND])
    manifest.put(made(FIRST))
    path = tmp_path / NAME
    path.write_bytes(path.read_bytes()[: -cut - 1])
    assert BatchManifest(tmp_path).find("a") == FIRST


def test_a_file_that_is_no_manifest_is_refused_and_left(tmp_path: Path) -> None:
    (tmp_path / NAME).write_text("my own\nnotes\n")
    with pytest.raises(InvalidRequest, match="not a Tunesmith manifest: line 1"):
        BatchManifest(tmp_path)
    assert (tmp_path / NAME).read_text() == "my own\nnotes\n"


def test_a_row_is_made_only_while_its_file_is_there(tmp_path: Path) -> None:
    manifest = BatchManifest(tmp_path)
    assert not manifest.is_done(made(FIRST))
    (tmp_path / FIRST.file).touch()
    assert manifest.is_done(made(FIRST))
    assert not manifest.is_done(FIRST)


def test_rows_of_an_earlier_sheet_stay_but_for_those_whose_file_is_taken(tmp_path: Path) -> None:
    BatchManifest(tmp_path).begin([FIRST, SECOND])
    manifest = BatchManifest(tmp_path)
    manifest.begin([replace(FIRST, id="c")])
    assert (manifest.find("a"), manifest.find("b")) == (None, SECOND)


def test_a_folder_is_one_process_s_at_a_time(tmp_path: Path) -> None:
    refused = pytest.raises(InvalidRequest, match="another batch is running in")
    with manifest_of(tmp_path / "out"), refused, manifest_of(tmp_path / "out"):
        pass
    with manifest_of(tmp_path / "out"):
        pass


def test_a_new_folder_in_which_nothing_was_put_goes_again(tmp_path: Path) -> None:
    with manifest_of(tmp_path / "a" / "new"):
        assert (tmp_path / "a" / "new").is_dir()
    assert not (tmp_path / "a" / "new").exists()
    (tmp_path / "old").mkdir()
    with manifest_of(tmp_path / "old"):
        pass
    assert (tmp_path / "old").is_dir()


def test_a_folder_with_music_in_it_stays(tmp_path: Path) -> None:
    with manifest_of(tmp_path / "new") as manifest:
        manifest.begin([FIRST])
    assert {file.name for file in (tmp_path / "new").iterdir()} - {LOCK} == {NAME}


def test_a_folder_that_cannot_be_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(InvalidRequest, match="out: cannot write in the folder"), manifest_of(tmp_path / "file"):
        pass


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_is_one_clear_line(tmp_path: Path) -> None:
    manifest = BatchManifest(tmp_path)
    (tmp_path / NAME).symlink_to("/dev/full")
    with pytest.raises(AudioFileError, match=r"output: cannot write .*: No space left on device"):
        manifest.put(FIRST)
