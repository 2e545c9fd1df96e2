"""Pulling, with the real huggingface_hub, from a hub on loopback."""

from __future__ import annotations

import errno
import json
import os
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime
from pathlib import Path

import gated_entry
import pytest
from forked_python import run_python
from hub_server import HubServer, hub_server
from stand_ins import BROKEN, CopyingConverter, write_stand_in

from tunesmith.errors import DownloadError, InvalidRequest, ModelFileError, OutOfResources, UnknownName
from tunesmith.generator import Progress
from tunesmith.licences import GEMMA, STABILITY_COMMUNITY, Licence
from tunesmith.models.hub import INCOMPLETE, Hub
from tunesmith.models.integrity import verify
from tunesmith.models.licence_acceptance import AcceptedLicences
from tunesmith.models.pull import PullPlan, PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import InstalledModel, Store

ID = "org/tune-net"


@dataclass
class Bench:
    """A hub, a store, and what a pull reported."""

    hub: HubServer
    folder: Path
    tools: PullTools
    offers: list[PullPlan] = field(default_factory=list)
    steps: list[Progress] = field(default_factory=list)

    def share(self, hub_id: str = ID, **options: str) -> Path:
        return self.hub.share(hub_id, write_stand_in(self.folder / hub_id), licence="mit", **options).folder

    def pull(self, source: str = ID, **wishes: object) -> InstalledModel:
        request = PullRequest(source, **wishes)  # type: ignore[arg-type]  # as the test spells them
        return pull(request, self.tools, self.offers.append, self.steps.append)

    def left(self) -> set[str]:
        """Return every file below the store but the locks."""
        paths = self.tools.store.folder.rglob("*")
        found = {path.relative_to(self.tools.store.folder).as_posix() for path in paths if path.is_file()}
        return {name for name in found if not name.endswith(".lock")}


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    with hub_server() as hub:
        tools = PullTools(
            Store(tmp_path / "data"),
            Hub(hub.url, tmp_path / "cache"),
            **CopyingConverter().tools(),
            now=lambda: datetime(2030, 1, 2, 3, 4, 5, tzinfo=UTC),
        )
        yield Bench(hub, tmp_path / "hub", tools)


def test_a_repository_becomes_a_model_and_its_originals_go(bench: Bench) -> None:
    folder = bench.share()
    model = bench.pull()
    manifest = model.manifest
    assert (manifest.name, str(manifest.source)) == ("tune-net", f"{ID} at c0ffeec0ffee")
    assert (manifest.licence, manifest.terms.is_free, manifest.quantization) == ("mit", True, "int8")
    assert manifest.created == "2030-01-02T03:04:05+00:00"
    assert {file.name for file in manifest.files} == {"0-model.safetensors", "architecture.json", "quantization"}
    assert (model.folder / "0-model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()
    assert all(name.startswith("models/tune-net/") for name in bench.left())


def test_what_was_just_installed_is_not_read_again_to_be_verified(bench: Bench) -> None:
    bench.share()
    model = bench.pull()
    wrong = replace(model.manifest, files=tuple(replace(file, sha256="0") for file in model.manifest.files))
    verify(model.folder, wrong)
    with pytest.raises(ModelFileError, match="SHA-256 differs"):
        verify(model.folder, wrong, thoroughly=True)


def test_what_it_is_is_said_before_the_download(bench: Bench) -> None:
    folder = bench.share()
    bench.tools = replace(bench.tools, free_bytes=lambda _: 0)
    with pytest.raises(OutOfResources):
        bench.pull()
    (offer,) = bench.offers
    assert offer.download == sum(path.stat().st_size for path in folder.iterdir())
    assert (offer.name, offer.licence, offer.terms.is_free) == ("tune-net", "mit", True)
    assert bench.hub.downloads("model.safetensors") == []


def test_progress_counts_bytes_and_never_goes_back(bench: Bench) -> None:
    bench.share()
    bench.pull()
    fractions = [step.fraction for step in bench.steps]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert any(step.stage == "downloading, 65.6 kB of 65.6 kB" for step in bench.steps)
    assert {"converting", "checking", "installed"} <= {step.stage for step in bench.steps}


def test_a_pull_that_was_cut_goes_on_where_it_stopped(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = bench.share()
    monkeypatch.setattr("huggingface_hub.constants.DOWNLOAD_CHUNK_SIZE", 1000)
    monkeypatch.setattr("time.sleep", lambda _: None)  # what huggingface_hub does between its own attempts
    bench.hub.cut_after = 10_000
    with pytest.raises(DownloadError, match=r"org/tune-net, file model\.safetensors: the hub answered 503"):
        bench.pull()
    (partial,) = [name for name in bench.left() if name.endswith(INCOMPLETE)]
    there = (bench.tools.store.folder / partial).stat().st_size
    assert there == 10_000
    assert bench.tools.store.models() == ()
    bench.hub.down = ()
    bench.hub.requests.clear()
    model = bench.pull()
    assert bench.hub.downloads("cdn/org/tune-net/model.safetensors") == [f"bytes={there}-"]
    assert (model.folder / "0-model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_what_came_in_damaged_is_not_kept(bench: Bench) -> None:
    folder = bench.share()
    commit = bench.hub.repositories[ID].commit
    incomplete = bench.tools.store.download_folder(ID) / commit / f"model.safetensors{INCOMPLETE}"
    incomplete.parent.mkdir(parents=True)
    incomplete.write_bytes(b"foreign" * 10)
    with pytest.raises(
        DownloadError, match=r"model\.safetensors was damaged in download: its SHA-256 differs; pull again"
    ):
        bench.pull()
    assert not incomplete.exists()
    assert (bench.pull().folder / "0-model.safetensors").stat().st_size == (folder / "model.safetensors").stat().st_size


def test_a_second_pull_does_nothing_and_a_damaged_model_is_repaired(bench: Bench) -> None:
    bench.share()
    first = bench.pull()
    bench.hub.requests.clear()
    assert bench.pull() == first
    assert len(bench.offers) == 1
    assert bench.hub.downloads("model.safetensors") == []
    (first.folder / "0-model.safetensors").write_bytes(b"x")
    assert bench.pull() == first
    assert len(bench.offers) == 2
    assert bench.pull(quantization="none").manifest.quantization == "none"


def test_kept_originals_are_not_fetched_again(bench: Bench) -> None:
    bench.share()
    bench.pull(keep_download=True)
    bench.hub.requests.clear()
    bench.pull(quantization="int4", name="other")
    assert bench.hub.downloads("model.safetensors") == []
    assert not (bench.tools.store.folder / "downloads").exists()


def test_files_in_the_user_s_cache_are_used_and_stay(bench: Bench) -> None:
    folder = bench.share()
    commit = bench.hub.repositories[ID].commit
    snapshot = bench.folder.parent / "cache" / "models--org--tune-net" / "snapshots" / commit
    write_stand_in(snapshot)
    bench.pull()
    assert [path for method, path, _ in bench.hub.requests if "resolve" in path or "cdn" in path] == []
    assert (snapshot / "model.safetensors").read_bytes() == (folder / "model.safetensors").read_bytes()


def test_a_folder_becomes_a_model_and_stays_as_it_was(bench: Bench, tmp_path: Path) -> None:
    folder = write_stand_in(tmp_path / "Mine")
    (folder / "README.md").write_text("---\nlicense: cc-by-nc-4.0\n---\n", encoding="utf-8")
    before = sorted(folder.iterdir())
    manifest = bench.pull(str(folder)).manifest
    assert (manifest.name, manifest.source.location, manifest.source.revision) == ("mine", str(folder), None)
    assert (manifest.licence, manifest.terms.is_free) == ("cc-by-nc-4.0", False)
    assert bench.offers[0].download == 0
    assert bench.pull(str(folder), name="again").manifest.name == "again"
    assert sorted(folder.iterdir()) == before
    (folder / "README.md").unlink()
    assert bench.pull(str(folder)).manifest.licence == "unknown"


def test_companions_are_brought_along_and_go_with_the_rest(bench: Bench) -> None:
    bench.share()
    bench.share("t5-base")
    bench.tools = replace(bench.tools, **CopyingConverter(lacks=("t5-base",)).tools())
    model = bench.pull()
    assert (model.folder / "1-model.safetensors").exists()
    assert all(name.startswith("models/tune-net/") for name in bench.left())


def test_two_pulls_do_not_write_over_each_other(bench: Bench) -> None:
    bench.share()
    with bench.tools.store.pulling(), pytest.raises(InvalidRequest, match="another model is being pulled"):
        bench.pull()
    assert bench.pull().name == "tune-net"


@pytest.mark.parametrize(("access", "words"), [("private", "or private"), ("gated", "it is gated: accept")])
def test_a_closed_repository_opens_with_a_token(
    bench: Bench, monkeypatch: pytest.MonkeyPatch, access: str, words: str
) -> None:
    bench.share(access=access)
    monkeypatch.delenv("HF_TOKEN", raising=False)
    with pytest.raises(DownloadError, match=words):
        bench.pull()
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    assert bench.pull().name == "tune-net"


def test_what_the_hub_does_not_have_is_said(bench: Bench) -> None:
    with pytest.raises(DownloadError, match="cannot download org/nothing: repository not found"):
        bench.pull("org/nothing")
    bench.share()
    with pytest.raises(DownloadError, match="revision not found"):
        bench.pull(revision="v9")
    assert bench.pull(revision="main").name == "tune-net"


def test_a_hub_that_is_down_is_said(bench: Bench) -> None:
    bench.share()
    bench.hub.down = ("model.safetensors",)
    with pytest.raises(DownloadError, match=r"file model\.safetensors: the hub answered 503; try again later"):
        bench.pull()
    bench.tools = replace(bench.tools, hub=Hub("http://127.0.0.1:9"))
    with pytest.raises(DownloadError, match="the connection failed: "):
        bench.pull()


@pytest.mark.parametrize(("source", "words"), [
    ("musicgen-smal", "did you mean musicgen-small"), ("nothing", "there is no model called 'nothing'"),
])  # fmt: skip
def test_an_unknown_name_is_said_with_the_nearest(bench: Bench, source: str, words: str) -> None:
    with pytest.raises(UnknownName, match=words):
        bench.pull(source)


FORMS = "int8, int8-rows, int8-mixed, int8-32, none, float16, int4"


@pytest.mark.parametrize(("source", "wishes", "words"), [
    ("./nothing", {}, "source: ./nothing is not a folder"),
    (ID, {"quantization": "int3"}, f"quantize: must be one of {FORMS}, got 'int"),
    (ID, {"name": "Mine!"}, "name: must be at most 64 .* got 'Mine!'"),
    (ID, {"name": "composer"}, "name: 'composer' is taken"),
    (".", {"revision": "main", "name": "x"}, "revision: applies to a hub repository"),
])  # fmt: skip
def test_a_wrong_wish_is_said_before_any_work(bench: Bench, source: str, wishes: dict[str, str], words: str) -> None:
    with pytest.raises(InvalidRequest, match=words):
        bench.pull(source, **wishes)
    assert bench.hub.requests == []


def test_another_kind_of_model_is_refused_before_its_weights_are_fetched(bench: Bench, tmp_path: Path) -> None:
    bench.hub.share(ID, write_stand_in(tmp_path / "llama", model_type="llama"))
    with pytest.raises(
        ModelFileError, match=r"config\.json: model_type: must be musicgen or musicgen_melody, got 'llama'"
    ):
        bench.pull()
    assert bench.hub.downloads("model.safetensors") == []
    with pytest.raises(ModelFileError, match="model_type"):
        bench.pull(str(tmp_path / "llama"))
    assert bench.left() == set()


@pytest.mark.parametrize("text", ["", "[]", "{}", "\ufffd" * 10, "[" * 100_000])
def test_a_damaged_config_is_refused(bench: Bench, text: str) -> None:
    (bench.share() / "config.json").write_text(text, encoding="utf-8")
    with pytest.raises(ModelFileError, match=r"config\.json: model_type: is missing"):
        bench.pull()
    assert bench.left() == set()


def test_a_checkpoint_that_cannot_be_converted_leaves_nothing(bench: Bench) -> None:
    bench.share()
    bench.tools = replace(bench.tools, **CopyingConverter(fails=BROKEN).tools())
    with pytest.raises(ModelFileError, match="is broken"):
        bench.pull()
    assert bench.left() == set()


def test_a_model_that_cannot_make_music_is_not_installed(bench: Bench) -> None:
    bench.share()
    bench.tools = replace(bench.tools, **CopyingConverter(unusable=BROKEN).tools())
    with pytest.raises(ModelFileError, match="is broken"):
        bench.pull()
    assert bench.tools.store.models() == ()


def test_a_stopped_conversion_leaves_no_model_and_the_download(bench: Bench) -> None:
    bench.share()
    bench.tools = replace(bench.tools, **CopyingConverter(fails=KeyboardInterrupt()).tools())
    with pytest.raises(KeyboardInterrupt):
        bench.pull()
    assert all(name.startswith("downloads/") for name in bench.left())
    bench.hub.requests.clear()
    bench.tools = replace(bench.tools, **CopyingConverter().tools())
    bench.pull()
    assert bench.hub.downloads("model.safetensors") == []


def test_a_disk_that_is_too_small_is_said_with_the_numbers(bench: Bench) -> None:
    bench.share()
    bench.tools = replace(bench.tools, free_bytes=lambda _: 70_000)
    words = (
        r"not enough disk for org/tune-net: it needs 95 kB \(65\.5 kB to download and 29\.5 kB converted\), and 70 kB"
    )
    with pytest.raises(OutOfResources, match=words):
        bench.pull()
    bench.tools = replace(bench.tools, free_bytes=lambda _: 95_100)
    bench.pull()


def test_a_disk_that_becomes_full_is_said_and_nothing_half_written_stays(bench: Bench) -> None:
    bench.share()
    full = OSError(errno.ENOSPC, "No space left on device")
    bench.tools = replace(bench.tools, **CopyingConverter(fails=full).tools())
    with pytest.raises(OutOfResources, match="the disk became full while installing tune-net"):
        bench.pull()
    assert bench.tools.store.models() == ()
    assert not any("partial" in name for name in bench.left())


PROCESS = """
import json, os, signal, sys
from pathlib import Path
from stand_ins import CopyingConverter
from tunesmith.errors import TunesmithError
from tunesmith.models.pull import PullTools, pull
from tunesmith.models.pull_request import PullRequest
from tunesmith.models.store import Store
class Dying(CopyingConverter):
    def convert(self, folder, companions, target, quantization, progress):
        (target / "decoder").write_bytes(b"half")
        os.kill(os.getpid(), signal.SIGKILL)
converter = Dying() if sys.argv[3:] else CopyingConverter()
try:
    tools = PullTools(Store(Path(sys.argv[1])), **converter.tools())
    model = pull(PullRequest(sys.argv[2]), tools, lambda _: None, lambda _: None)
    print(json.dumps([model.name, str(model.manifest.source)]))
except TunesmithError as error:
    print(json.dumps(str(error)))
"""


def in_process(bench: Bench, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Pull in a process of its own: huggingface_hub reads its settings when it is imported."""
    root = Path(__file__).parents[2]
    paths = os.pathsep.join([str(root / "src"), str(root / "tests" / "support")])
    cache = str(bench.folder.parent / "cache")
    environment = {"PYTHONPATH": paths, "HF_ENDPOINT": bench.hub.url, "HF_HUB_CACHE": cache, **settings}
    command: list[str | Path] = ["-c", PROCESS, bench.tools.store.folder, *arguments]
    return run_python(command, Path(), environment, text=True)


@pytest.mark.skipif(os.name == "nt", reason="there is no SIGKILL")
def test_a_killed_pull_is_never_taken_for_a_model_and_the_next_one_replaces_it(bench: Bench) -> None:
    bench.share()
    killed = in_process(bench, ID, "die")
    assert killed.returncode < 0
    assert "models/tune-net.partial/decoder" in bench.left()
    assert bench.tools.store.models() == ()
    bench.hub.requests.clear()
    bench.pull()
    assert bench.hub.downloads("model.safetensors") == []
    assert [model.name for model in bench.tools.store.models()] == ["tune-net"]
    assert all(name.startswith("models/tune-net/") for name in bench.left())


def offline(bench: Bench, hub_id: str) -> object:
    return json.loads(in_process(bench, hub_id, HF_HUB_OFFLINE="1").stdout)


def test_offline_only_the_cache_is_used(bench: Bench) -> None:
    bench.share()
    place = bench.folder.parent / "cache" / "models--org--tune-net"
    write_stand_in(place / "snapshots" / ("5eed" * 10))
    (place / "refs").mkdir()
    (place / "refs" / "main").write_text("5eed" * 10, encoding="utf-8")
    assert offline(bench, ID) == ["tune-net", f"{ID} at 5eed5eed5eed"]
    assert "org/other: it is not in the cache of huggingface_hub, and HF_HUB_OFFLINE is set" in str(
        offline(bench, "org/other")
    )
    assert bench.hub.requests == []


@pytest.fixture
def gated(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> Bench:
    """Give a bench whose catalog has one model, with a licence that must be accepted."""
    monkeypatch.setattr(gated_entry.TARGET, lambda: gated_entry.TABLE)
    bench.hub.share(
        "org/gated", write_stand_in(bench.folder / "gated"), licence="other", licence_name="stable-audio-community"
    )
    return bench


def test_a_licence_is_accepted_before_the_download_and_only_once(gated: Bench) -> None:
    with pytest.raises(InvalidRequest, match=r"accept_licence: gated is under terms .*Stability AI Community License"):
        gated.pull("gated")
    assert [offer.licence for offer in gated.offers] == [gated_entry.LICENCE]
    assert gated.hub.downloads("model.safetensors") == []
    assert gated.tools.store.models() == ()
    manifest = gated.pull("gated", accept_licence=True).manifest
    assert (manifest.licence, manifest.terms.revenue_limit_usd) == (gated_entry.LICENCE, 1_000_000)
    accepted = json.loads((gated.tools.store.folder / "accepted-licences.json").read_text(encoding="utf-8"))
    assert accepted == {"stability-ai-community": "2030-01-02", "gemma": "2030-01-02"}
    assert gated.pull("gated", name="again").name == "again"


def test_whoever_is_at_the_terminal_is_asked_once_by_the_names_of_the_licences(gated: Bench) -> None:
    questions: list[tuple[str, list[str]]] = []
    answers = [False, True]

    def ask(name: str, licences: Sequence[Licence]) -> bool:
        questions.append((name, [one.identifier for one in licences]))
        return answers.pop(0)

    gated.tools = replace(gated.tools, ask_acceptance=ask)
    with pytest.raises(InvalidRequest, match="accept_licence: "):
        gated.pull("gated")
    gated.pull("gated")
    gated.pull("gated", name="again")
    assert questions == [("gated", ["stability-ai-community", "gemma"])] * 2


def test_a_repository_with_other_terms_than_the_catalog_s_has_those_accepted(gated: Bench) -> None:
    AcceptedLicences(gated.tools.store.folder).accept([STABILITY_COMMUNITY, GEMMA], date(2030, 1, 1))
    gated.hub.repositories["org/gated"].licence = "cc-by-nc-4.0"
    with pytest.raises(InvalidRequest, match=r"accept_licence: .*cc-by-nc-4\.0"):
        gated.pull("gated")


@pytest.mark.parametrize("quiet", [False, True])
def test_no_model_of_the_hub_or_of_a_folder_has_to_be_accepted(bench: Bench, quiet: bool) -> None:
    bench.share()
    assert bench.pull(accept_licence=quiet).name == "tune-net"
    assert not (bench.tools.store.folder / "accepted-licences.json").exists()
