"""Pretrained models by the names that AudioCraft's users write: found on this machine, or pulled and opened."""

from __future__ import annotations

import hashlib
import re
import shlex
import sys
import warnings
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from tunesmith.audiocraft.errors import ArgumentError, UnsupportedUse
from tunesmith.audiocraft.unsupported_names import JASCO, MAGNET, STYLE

if TYPE_CHECKING:
    from tunesmith.generator import Progress
    from tunesmith.models.pull import PullPlan
    from tunesmith.models.store import InstalledModel
    from tunesmith.musicgen.engine import Engine

REFUSED = ((re.compile(r"(^|/)(audio-)?magnet-"), MAGNET), (re.compile(r"(^|/)jasco-"), JASCO),
           (re.compile(r"(^|/)musicgen-style$|^style$"), STYLE))  # fmt: skip
DEVICE = re.compile(r"(cpu|mps|cuda(:\d+)?)")
REPORTED_SHARE = 0.1
"""The share of a pull after which its progress is printed again."""


@dataclass(frozen=True, slots=True)
class PretrainedModel:
    """An open model: the ``name`` it was asked for by, and its engine."""

    name: str
    engine: Engine


def open_pretrained(name: str | Path, device: object = None) -> PretrainedModel:
    """Open the model of a published name, a hub id, a checkpoint's folder or an installed model; pull it if missing.

    Before a pull, its size and licence are printed on standard error. With the setting ``no_pull``
    (TUNESMITH_NO_PULL=1), raises ModelNotInstalled instead, with the command. Raises ArgumentError for a wrong name,
    UnsupportedUse for a model of another kind, and the errors of a pull.
    """
    wanted = _checked_name(name)
    model = _installed(wanted)
    _check_kind(wanted, model)
    _warn_of_device(device, model)
    return PretrainedModel(wanted, _opened(model))


def _checked_name(name: object) -> str:
    if not isinstance(name, str | Path) or not str(name).strip():
        raise ArgumentError("name", f"must be a model's name, hub id or folder, got {name!r}")
    text = str(name)
    for pattern, reason in REFUSED:
        if pattern.search(text.lower()):
            raise UnsupportedUse("name", f"{text}: {reason}")
    if text == "debug":
        raise UnsupportedUse("name", "the random model 'debug' is not here: tests can install a tiny checkpoint")
    if "://" in text:
        raise ArgumentError("name", f"must be a model's name, hub id or folder, not a URL, got {text!r}")
    return text


def _installed(name: str) -> InstalledModel:
    from tunesmith.models.catalog import find_installed, find_pullable
    from tunesmith.models.store import Store

    # A name of the catalogue or of an installed model means that model, also beside a folder of the same name.
    is_name = find_pullable(name) is not None or Store.default().find(name) is not None
    if not is_name and Path(name).expanduser().is_dir():
        folder = Path(name).expanduser().resolve()
        return _installed_from(folder) or _pulled(str(folder), _name_of(folder))
    return find_installed(name) or _pulled(name, None)


def _installed_from(folder: Path) -> InstalledModel | None:
    """Return the model that was converted from the files that are in the folder now, or None."""
    from tunesmith.models.store import Store

    files = [path.stat() for path in folder.iterdir()]
    # A file that is copied into the folder may keep the older time of its contents.
    changed = max((max(file.st_mtime, file.st_ctime) for file in files), default=0.0)
    for model in Store.default().models():
        created = datetime.fromisoformat(model.manifest.created).astimezone(UTC).timestamp()
        # The time of creation is in whole seconds.
        if model.manifest.source.location == str(folder) and created + 1 > changed:
            return model
    return None


def _name_of(folder: Path) -> str:
    # The digest keeps folders of the same name apart, and apart from the names of the catalogue.
    stem = re.sub(r"[^a-z0-9._-]+", "-", folder.name.lower()).strip("-._") or "model"
    return f"{stem[:40]}-{hashlib.sha256(str(folder).encode()).hexdigest()[:8]}"


def _pulled(source: str, name: str | None) -> InstalledModel:
    from tunesmith.config import load_settings
    from tunesmith.errors import ModelNotInstalled
    from tunesmith.models.pull import PullTools, pull
    from tunesmith.models.pull_request import PullRequest, locate
    from tunesmith.models.store import Store

    request = PullRequest(source, name)
    # A misspelt name is said before anything else.
    locate(request)
    if load_settings().no_pull:
        command = shlex.join(["tunesmith", "pull", source, *(["--name", name] if name else [])])
        raise ModelNotInstalled(f"{source} is not installed, and TUNESMITH_NO_PULL is set; install it with: {command}")
    return pull(request, PullTools(Store.default()), _announce, PullReport())


def _announce(plan: PullPlan) -> None:
    from tunesmith.models.resource_checks import in_words

    download = f"{in_words(plan.download)} to download, " if plan.download else ""
    size = f"{download}about {in_words(plan.converted)} installed"
    licence = f"licence {plan.licence} (commercial use: {plan.terms.in_words})"
    _say(f"{plan.name} is not installed yet: {size}; {licence}")


class PullReport:
    """A progress callback that prints the stages of a pull on standard error, a line for each tenth of it."""

    def __init__(self) -> None:
        self._printed = -1.0

    def __call__(self, progress: Progress) -> None:
        """Print the progress, unless the last line is recent enough."""
        if progress.fraction >= self._printed + REPORTED_SHARE or progress.fraction == 1 != self._printed:
            self._printed = progress.fraction
            _say(f"  {progress.fraction:4.0%} {progress.stage}")


def _say(line: str) -> None:
    print(line, file=sys.stderr, flush=True)  # noqa: T201  what a pull is about to do must not be missed


def _check_kind(name: str, model: InstalledModel) -> None:
    from tunesmith.models.families.musicgen import MusicGenFamily

    kind = model.manifest.sizes.kind
    if kind != MusicGenFamily.kind:
        raise UnsupportedUse("name", f"{name} is a model of the kind {kind}, and this API runs MusicGen and AudioGen")


def _warn_of_device(device: object, model: InstalledModel) -> None:
    if device is None:
        return
    wanted = str(device)
    if not DEVICE.fullmatch(wanted):
        raise ArgumentError("device", f"must be cpu, cuda, cuda:N or mps, got {wanted!r}")
    if wanted == "cpu" or model.manifest.needs_gpu:
        return
    again = f"tunesmith pull {model.manifest.source.location} --name {model.name} --quantize float16"
    problem = f"{model.name} is installed for the processor and runs there, not on {wanted}; for a GPU: {again}"
    warnings.warn(problem, UserWarning, stacklevel=5)


def _opened(model: InstalledModel) -> Engine:
    from tunesmith.config import load_settings
    from tunesmith.models.families.musicgen import open_within_memory
    from tunesmith.models.installed_generators import check_runnable
    from tunesmith.models.resource_checks import available_memory

    check_runnable(model)
    # Rows take memory only while they are used, so a batch has as many as the server's would.
    return open_within_memory(available_memory, model.folder, load_settings().batch_rows)
