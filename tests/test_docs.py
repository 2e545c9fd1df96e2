"""What the documentation shows is true."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import numpy as np
import pytest

from tunesmith.cli.entry_point import insert_default_command, run
from tunesmith.composer.composition import perform
from tunesmith.composer.score_file import dump_score, load_score
from tunesmith.errors import InvalidScore
from tunesmith.request import GenerationRequest

ROOT = Path(__file__).parent.parent
SCORE_PAGE = (ROOT / "docs" / "score-file.md").read_text(encoding="utf-8")
DOCUMENT, TO_BE_WRITTEN = re.findall(r"<!-- tested -->\n```yaml\n(.*?)```", SCORE_PAGE, flags=re.DOTALL)
COMMANDS, SCHEMA_COMMAND, MIDI_COMMANDS = re.findall(r"<!-- tested -->\n```sh\n(.*?)```", SCORE_PAGE, flags=re.DOTALL)


def test_the_documented_score_plays() -> None:
    audio = perform(load_score(DOCUMENT), GenerationRequest.checked(prompt="a score")).mix()
    assert audio.duration == pytest.approx(3 * 4 * 60 / 84 + 2, abs=1e-4)
    assert np.abs(audio.samples).max() > 0.1


def test_a_part_that_was_not_touched_sounds_the_same_to_the_byte() -> None:
    wishes = GenerationRequest.checked(prompt="a score")
    before = dict(perform(load_score(DOCUMENT), wishes).stems())
    after = dict(perform(load_score(DOCUMENT.replace("2.5 C5 0.5 80", "2.5 D5 0.5 80")), wishes).stems())
    changed = {name for name in before if before[name].samples.tobytes() != after[name].samples.tobytes()}
    assert "lead" in changed
    assert not changed & {"keys", "beat"}


def test_the_documented_mistake_is_answered_as_shown() -> None:
    shown = re.search(r"error: (score: line \d+, .*)", SCORE_PAGE)
    assert shown is not None
    with pytest.raises(InvalidScore) as caught:
        load_score(DOCUMENT.replace("2.5 C5 0.5 80", "2.5 H5 0.5 80"))
    assert str(caught.value) == shown[1]


def test_the_documented_score_without_notes_is_written_by_the_composer() -> None:
    score = load_score(TO_BE_WRITTEN)
    assert [one.name for one in score.sections] == ["A", "B", "A"]
    assert [part.name for part in score.parts] == ["Left and right hand", "Bass", "Kit"]


def test_the_documented_commands_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TUNESMITH_DATA_DIR", str(tmp_path / "data"))
    for line in (COMMANDS + SCHEMA_COMMAND + MIDI_COMMANDS).splitlines():
        assert run(insert_default_command(shlex.split(line)[1:])) == 0, line
    song, changed = (load_score((tmp_path / name).read_text("utf-8")) for name in ("song.yaml", "changed.yaml"))
    assert (tmp_path / "score.schema.json").is_file()
    assert changed.key.tonic == (song.key.tonic + 2) % 12
    assert load_score((tmp_path / "as-played.yaml").read_text("utf-8")) == changed


def test_a_score_survives_being_written_out() -> None:
    assert load_score(dump_score(load_score(DOCUMENT))) == load_score(DOCUMENT)


@pytest.mark.parametrize("page", sorted(ROOT.glob("*.md")) + sorted((ROOT / "docs").glob("*.md")), ids=lambda p: p.name)
def test_every_link_to_a_file_leads_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)#:]+)\)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target
