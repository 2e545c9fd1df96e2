"""docs/http-api.md: its examples run against a really started server, and print what the page shows."""

from __future__ import annotations

import functools
import re
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import mido
import pytest
from checkpoints import copy_musicgen
from doc_pages import USUAL_ADDRESS, Block, agrees, blocks_of, read_page, run_shell
from hub_server import hub_server
from listening_to import heard
from started_server import started

from tunesmith.config import Settings
from tunesmith.errors import error_codes, error_with_code
from tunesmith.fields import MAX_CHARACTERS, MAX_ITEMS, MAX_NUMBER_CHARACTERS
from tunesmith.jobs.job import JobState
from tunesmith.server.apis.native.request import documented_request
from tunesmith.server.apis.request_body import MAX_NAME_CHARACTERS, MAX_STRING_CHARACTERS
from tunesmith.server.app import create_app
from tunesmith.server.middleware.request_limits import MAX_PATH_CHARACTERS, MAX_QUERY_CHARACTERS

PAGE = read_page("docs/http-api.md")
EXAMPLES = blocks_of(PAGE, "sh")
SECONDS = {
    "calm.mp3": 5, "promo.wav": 8, "jazz.wav": 8, "live.wav": 20, "again.wav": 8, "lofi.flac": 6, "rain.mp3": 4,
    "speech.wav": 4,
}  # fmt: skip
SOUNDS = [*SECONDS, "loop.ogg"]


def printed_by(examples: list[Block], folder: Path) -> list[str]:
    """Run the examples against a server whose hub has a tiny MusicGen."""
    copy_musicgen(folder / "checkpoint")
    with hub_server() as hub, pytest.MonkeyPatch.context() as patch:
        hub.share("facebook/musicgen-small", folder / "checkpoint", licence="cc-by-nc-4.0")
        for name, value in {"HF_ENDPOINT": hub.url, "HF_HOME": str(folder / "cache")}.items():
            patch.setenv(name, value)
        with started(folder / "data", composer_processes="1") as server:
            moved = [
                Block(one.marker, one.language, one.code.replace(USUAL_ADDRESS, server.url), one.shown)
                for one in examples
            ]
            (folder / "work").mkdir()
            return run_shell(moved, folder / "work", TUNESMITH_DATA_DIR=str(folder / "data"))


def test_every_example_runs_and_prints_what_the_page_shows(tmp_path: Path) -> None:
    printed = printed_by(EXAMPLES, tmp_path)
    wrong = [
        (example.code, text)
        for example, text in zip(EXAMPLES, printed, strict=True)
        if example.shown is not None and not agrees(example.shown, text)
    ]
    assert wrong == []
    sounds = {name: heard((tmp_path / "work" / name).read_bytes()) for name in SOUNDS}
    assert {name: round(sound.seconds) for name, sound in sounds.items() if name in SECONDS} == SECONDS
    assert not any(sound.is_silent for sound in sounds.values())
    assert mido.MidiFile(tmp_path / "work" / "jazz.mid").tracks
    assert len(zipfile.ZipFile(tmp_path / "work" / "jazz.zip").namelist()) > 1


def test_every_curl_call_of_the_page_is_run() -> None:
    assert PAGE.count("curl -sS") == sum(block.code.count("curl -sS") for block in EXAMPLES)


@pytest.fixture(scope="module")
def document(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    return create_app(Settings(data_dir=tmp_path_factory.mktemp("document"))).openapi()


def test_the_page_lists_the_paths_that_the_server_has(document: dict[str, Any]) -> None:
    documented = {
        path: set(methods.lower().split(", "))
        for path, methods in re.findall(r"^\| `(/\S*)` \| ([A-Z, ]+) \|", PAGE, re.M)
    }
    assert documented == {path: set(operations) for path, operations in document["paths"].items()}


def test_the_page_lists_the_fields_of_a_request() -> None:
    table = PAGE.partition("| field | what it may be |")[2].partition("\n\n")[0]
    documented = {
        name for row in table.splitlines() for name in re.findall(r"`(\w+)`", row.split("|")[1] if "|" in row else "")
    }
    schema = documented_request()["requestBody"]["content"]["application/json"]["schema"]
    assert documented == set(schema["properties"])
    assert {f"`{name}`" for name in schema["properties"]["format"]["anyOf"][0]["enum"]} <= set(
        re.findall(r"`\w+`", table)
    )


def test_the_page_says_how_long_every_field_may_be() -> None:
    table = PAGE.partition("| field | characters | items |")[2].partition("\n\n")[0]
    rows = [[cell.strip() for cell in row.split("|")[1:-1]] for row in table.splitlines() if row.startswith("| `")]
    assert {name.strip("`"): int(most) for name, most, _ in rows if most} == dict(MAX_CHARACTERS)
    assert {name.strip("`"): int(most) for name, _, most in rows if most} == dict(MAX_ITEMS)
    rest = PAGE.partition("Any other text may have ")[2].partition("\n\n")[0].replace(",", "")
    others = (
        MAX_STRING_CHARACTERS,
        MAX_NUMBER_CHARACTERS,
        MAX_NAME_CHARACTERS,
        MAX_PATH_CHARACTERS,
        MAX_QUERY_CHARACTERS,
    )
    assert tuple(map(int, re.findall(r"\d+", rest))) == others


NUMBER_NAMES = {
    "bpm": "tempo_bpm", "cfg_scale": "guidance_scale", "classifier_free_guidance": "guidance_scale", "time": "hits",
}  # fmt: skip
"""Numbers under other names, or in places of their own."""
OF_THEIR_OWN = {
    ("/v1/music", "seed"), ("/v1/music/stream", "seed"), ("/api/edits", "bars"), ("/api/edits", "loudness_lufs"),
    ("/api/edits", "duration"),
}  # fmt: skip


def documented_numbers() -> dict[str, tuple[float, float]]:
    table = PAGE.partition("| field | from | to |")[2].partition("\n\n")[0].replace("−", "-")
    rows = re.findall(r"^\| `(\w+)`.* \| (\S+) \| (\S+) \|$", table, re.M)
    return {name: (float(low), float(high)) for name, low, high in rows}


def test_the_page_says_how_large_every_number_may_be_and_so_does_every_body(document: dict[str, Any]) -> None:
    found = {
        (path, where.rpartition(".")[2], limits)
        for path, operations in document["paths"].items() for operation in operations.values()
        for content in operation.get("requestBody", {}).get("content", {}).values()
        for where, limits in numbers_of(document, content["schema"], path)
    }  # fmt: skip
    assert {where for where in found if None in where[2]} == set()
    documented = documented_numbers()
    own = {NUMBER_NAMES.get(name, name): limits for path, name, limits in found if path == "/api/jobs"}
    assert documented == {name: limits for name, limits in own.items() if name != "sample_rate"}
    differing = {
        (path, name) for path, name, limits in found
        if limits != documented.get(NUMBER_NAMES.get(name, name), limits)
    }  # fmt: skip
    assert differing == OF_THEIR_OWN


def numbers_of(
    document: dict[str, Any], schema: dict[str, Any], where: str
) -> Iterator[tuple[str, tuple[float | None, float | None]]]:
    """Yield each number of a schema with its limits; those of a choice are its least and its greatest."""
    while "$ref" in schema:
        schema = functools.reduce(lambda inside, name: inside[name], schema["$ref"].split("/")[1:], document)
    if schema.get("type") in ("integer", "number"):
        choice = schema.get("enum", ())
        yield where, (min(choice), max(choice)) if choice else (schema.get("minimum"), schema.get("maximum"))
    for one in [*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())]:
        yield from numbers_of(document, one, where)
    if "items" in schema:
        yield from numbers_of(document, schema["items"], where)
    for name, field in schema.get("properties", {}).items():
        yield from numbers_of(document, field, f"{where}.{name}")


def test_every_text_and_list_of_a_body_has_its_limit_in_the_openapi_document(document: dict[str, Any]) -> None:
    bodies = {
        f"{method} {path} {kind}": content["schema"]
        for path, operations in document["paths"].items() for method, operation in operations.items()
        for kind, content in operation.get("requestBody", {}).get("content", {}).items()
    }  # fmt: skip
    assert len(bodies) > 15
    unlimited = {where for body in bodies for where in unlimited_fields(document, bodies[body], body)}
    assert {where.rpartition(".")[2] for where in unlimited} == {
        "audio",
        "melody",
        "score",
        "input_audio",
    }  # as large as the body may be


def unlimited_fields(document: dict[str, Any], schema: dict[str, Any], where: str) -> Iterator[str]:
    """Yield where a schema takes texts and lists of any length."""
    while "$ref" in schema:
        schema = functools.reduce(lambda inside, name: inside[name], schema["$ref"].split("/")[1:], document)
    is_limited = schema.keys() & {"enum", "const", "maxLength", "maxItems"} or schema.get("format") == "binary"
    if schema.get("type") in ("string", "array") and not is_limited:
        yield where
    for choice in [*schema.get("anyOf", ()), *schema.get("allOf", ()), *schema.get("oneOf", ())]:
        yield from unlimited_fields(document, choice, where)
    if "items" in schema:
        yield from unlimited_fields(document, schema["items"], where)
    for name, field in schema.get("properties", {}).items():
        yield from unlimited_fields(document, field, f"{where}.{name}")


def test_the_page_names_every_state_of_a_job_and_every_status_of_an_error() -> None:
    assert {f"`{state.value}`" for state in JobState} <= set(re.findall(r"`\w+`", PAGE))
    table = PAGE.partition("| status | when |")[2].partition("\n\n")[0]
    statuses = {str(error_with_code(code).status) for code in error_codes()}
    assert statuses - {"400"} <= set(re.findall(r"\b\d{3}\b", table))


def test_what_differs_is_noticed() -> None:
    assert agrees('{"a": 1, "b": [{"c": 2}]}', '{"a": 5, "b": [{"c": 6}, {}]}')
    assert not agrees('{"a": 1}', '{"a": 1, "b": 2}')
    assert not agrees('{"b": [{"c": 2}]}', '{"b": [{"d": 2}]}')
    assert agrees("event: done\n…", "event: progress\n\nevent: done\ndata: {}")
    assert not agrees("event: done", "event: error")
    assert not agrees("x-a: 1", "x-b: 1")
