"""examples/layers.js in a browser's own Web Audio: the layers start together, and loop without losing a sample."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from doc_pages import ROOT
from playwright.sync_api import Browser, Page, Route
from studio_page import new_window

from tunesmith.cli import run

HOST = "http://layers.test"
PLAYED = """async ([host, intensity]) => {
  const { LayeredMusic } = await import(`${host}/layers.js`);
  const manifest = await (await fetch(`${host}/level-layers.json`)).json();
  const context = new OfflineAudioContext(2, 4410 + 2.5 * manifest.samples, manifest.sample_rate);
  const music = await LayeredMusic.load(context, `${host}/level-layers.json`);
  music.start(intensity);
  const heard = (await context.startRendering()).getChannelData(0);
  const errors = music.buffers.map((buffer) => {
    const samples = buffer.getChannelData(0);
    const off = (_, i) => Math.abs(heard[4410 + i] - samples[i % samples.length]);
    return Array.from({ length: heard.length - 4410 }, off).reduce((a, b) => Math.max(a, b));
  });
  return { lengths: music.buffers.map((buffer) => buffer.length), errors, before: heard.slice(0, 4409).some(Boolean) };
}"""


@pytest.fixture(scope="module")
def level(browser: Browser, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Page, dict[str, Any]]]:
    folder = tmp_path_factory.mktemp("level")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TUNESMITH_DATA_DIR", str(folder / "data"))
        wanted = ["--loop", "--bars", "1", "--seed", "11", "--layers", "0.3,1", "-o", str(folder / "level.wav"), "-q"]
        assert run(["chiptune forest level", *wanted]) == 0
    (folder / "layers.js").write_bytes((ROOT / "examples" / "layers.js").read_bytes())

    def answer(route: Route) -> None:
        path = folder / Path(re.sub(r".*/", "", route.request.url)).name
        route.fulfill(path=path) if path.is_file() else route.fulfill(content_type="text/html", body="<p>a game")

    with new_window(browser) as page:
        page.route(f"{HOST}/**", answer)
        page.goto(f"{HOST}/")
        yield page, json.loads((folder / "level-layers.json").read_text(encoding="utf-8"))


@pytest.mark.parametrize(("intensity", "heard"), [(0, 0), (1, -1)])
def test_a_layer_sounds_as_in_its_file_round_and_round(
    level: tuple[Page, dict[str, Any]], intensity: float, heard: int
) -> None:
    page, manifest = level
    played = page.evaluate(PLAYED, [HOST, intensity])
    assert played["lengths"] == [manifest["samples"]] * len(manifest["layers"])
    assert not played["before"]
    errors = list(played["errors"])
    assert errors.pop(heard) < 1e-6
    assert min(errors) > 0.01
