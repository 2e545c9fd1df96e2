"""Pull: a published checkpoint becomes an installed model, or nothing is left of it.

Find it -> say what it is -> see that the disk has room -> download -> convert -> digest -> manifest -> put in place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

import tunesmith
from tunesmith.errors import ModelFileError
from tunesmith.generator import Progress, ProgressCallback
from tunesmith.models.download import Download, check_model_type, plan_download, read_small_text
from tunesmith.models.hub import Hub
from tunesmith.models.integrity import digest_folder, mark_verified, verify
from tunesmith.models.licences import UNKNOWN, allows_commercial_use
from tunesmith.models.manifest import FileDigest, Manifest, Sizes, Source, write_manifest
from tunesmith.models.pull_request import PullRequest, ResolvedSource, locate
from tunesmith.models.repository_files import CONFIG, Repository, needed_files
from tunesmith.models.resource_checks import (
    CONVERTED_SHARE,
    FreeBytes,
    check_disk,
    decoder_parameters,
    free_disk,
    in_words,
    translate_disk_full,
)
from tunesmith.models.store import InstalledModel, Store
from tunesmith.models.trial import try_out
from tunesmith.musicgen.architecture import Architecture

DOWNLOAD_SHARE = 0.7
"""How much of the progress bar is the download, where there is one."""


@dataclass(frozen=True, slots=True)
class PullPlan:
    """What is about to be installed, said before anything large is downloaded; sizes in bytes."""

    name: str
    source: Source
    licence: str
    commercial_use: bool | None
    quantization: str
    download: int
    converted: int


Convert = Callable[[Path, Mapping[str, Path], Path, str, Callable[[float], None]], Architecture]
"""Converts the checkpoint of a folder, with its companions, into a target folder; see ``convert_folder``."""


# Reading checkpoints and building graphs take long to import, so that waits until the files are here.


def _find_companions(folder: Path) -> Sequence[str]:
    from tunesmith.musicgen.checkpoint import needed_companions

    return needed_companions(folder)


def _convert(
    folder: Path, companions: Mapping[str, Path], target: Path, quantization: str, progress: Callable[[float], None]
) -> Architecture:
    from tunesmith.musicgen.conversion import convert_folder

    return convert_folder(folder, companions, target, quantization, progress)


@dataclass(frozen=True, slots=True)
class PullTools:
    """What pulling works with: where models are kept and found, and how a family's checkpoints become models."""

    store: Store
    hub: Hub = field(default_factory=Hub)
    find_companions: Callable[[Path], Sequence[str]] = _find_companions
    convert: Convert = _convert
    try_out: Callable[[Path, Manifest], None] = try_out
    free_bytes: FreeBytes = free_disk
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


def pull(
    request: PullRequest, tools: PullTools, announce: Callable[[PullPlan], None], progress: ProgressCallback
) -> InstalledModel:
    """Install a model; ``announce`` is called with what it is before the download.

    What is installed already, whole and from the same commit, is returned as it is. An interrupted download goes on
    where it stopped when the same is pulled again; an interrupted conversion starts again. Raises InvalidRequest,
    DownloadError, ModelFileError and OutOfResources; the installed models are then as before.
    """
    located = locate(request)
    with tools.store.pulling(), translate_disk_full(located.name, tools.store.folder):
        return _Pull(request, located, tools, announce, progress).run()


@dataclass(frozen=True, slots=True)
class _Pull:
    """One pull under way."""

    request: PullRequest
    located: ResolvedSource
    tools: PullTools
    announce: Callable[[PullPlan], None]
    progress: ProgressCallback

    def run(self) -> InstalledModel:
        """Go through all stages."""
        downloads = self._plan()
        source = self._source(downloads)
        present = self._present(source)
        if present:
            return present
        repository = downloads[0].repository if downloads else self._local()
        offer = self._offer(source, repository, downloads)
        self.announce(offer)
        with self._discarding(downloads):
            self._check_disk(downloads, offer.converted)
            self._fetch(downloads)
            folder = downloads[0].folder if downloads else self._folder
            companions = self._companions(folder, downloads, offer.converted)
            return self._install(offer, folder, companions)

    @property
    def _folder(self) -> Path:
        assert self.located.folder is not None
        return self.located.folder

    def _plan(self) -> list[Download]:
        """Look up the model's repository, and the companions that are known to be needed; none for a folder."""
        if self.located.hub_id is None:
            return []
        main = self._plan_one(self.located.hub_id, self.request.revision, check_model_type)
        entry = self.located.entry
        companions = entry.companions if entry and not main.repository.file(CONFIG) else ()
        return [main, *(self._plan_one(hub_id, None, _any_config) for hub_id in companions)]

    def _plan_one(self, hub_id: str, revision: str | None, check_config: Callable[[str], None]) -> Download:
        return plan_download(hub_id, revision, self.tools.hub, self.tools.store, check_config)

    def _local(self) -> Repository:
        """Describe a checkpoint in a folder; raises ModelFileError where it is none."""
        repository = Repository.of_folder(str(self._folder), self._folder)
        files = needed_files(repository, lambda file: read_small_text(self._folder / file.name))
        if any(file.name == CONFIG for file in files):
            check_model_type(read_small_text(self._folder / CONFIG))
        return replace(repository, files=files)

    def _source(self, downloads: Sequence[Download]) -> Source:
        return Source(self.located.location, downloads[0].repository.commit if downloads else None)

    def _present(self, source: Source) -> InstalledModel | None:
        """Return the model where it is installed already from the same commit, in the same form, and whole."""
        if source.revision is None:
            return None
        try:
            model = self.tools.store.find(self.located.name)
            if model is None or _form(model.manifest) != (source, self.request.quantization, tunesmith.__version__):
                return None
            verify(model.folder, model.manifest, thoroughly=True)
        except ModelFileError:
            return None
        return model

    def _offer(self, source: Source, repository: Repository, downloads: Sequence[Download]) -> PullPlan:
        entry = self.located.entry
        licence = repository.licence or (entry.licence if entry else None) or UNKNOWN
        weights = repository.weights_bytes + sum(one.repository.weights_bytes for one in downloads[1:])
        return PullPlan(
            name=self.located.name,
            source=source,
            licence=licence,
            commercial_use=allows_commercial_use(licence),
            quantization=self.request.quantization,
            download=sum(download.bytes for download in downloads),
            converted=round(weights * CONVERTED_SHARE[self.request.quantization]),
        )

    def _check_disk(self, downloads: Sequence[Download], converted: int) -> None:
        missing = sum(download.missing_bytes for download in downloads)
        check_disk(self.located.location, self.tools.store.folder, missing, converted, self.tools.free_bytes)

    def _companions(self, folder: Path, downloads: list[Download], converted: int) -> dict[str, Path]:
        """Bring the repositories that hold what the checkpoint lacks, and add them to the downloads."""
        needed = self.tools.find_companions(folder)
        planned = {download.repository.hub_id for download in downloads}
        more = [self._plan_one(hub_id, None, _any_config) for hub_id in needed if hub_id not in planned]
        downloads += more
        self._check_disk(more, converted)
        self._fetch(more)
        return {one.repository.hub_id: one.folder for one in downloads if one.repository.hub_id in needed}

    def _fetch(self, downloads: Sequence[Download]) -> None:
        total = sum(download.bytes for download in downloads)
        done = 0

        def received(count: int) -> None:
            nonlocal done
            done += count
            stage = f"downloading, {in_words(done)} of {in_words(total)}"
            self.progress(Progress(stage, DOWNLOAD_SHARE * min(1.0, done / max(1, total))))

        for download in downloads:
            download.run(self.tools.hub, received)

    def _install(self, offer: PullPlan, folder: Path, companions: Mapping[str, Path]) -> InstalledModel:
        tools = self.tools
        start = DOWNLOAD_SHARE if self.located.hub_id else 0.0

        def converted(fraction: float) -> None:
            self.progress(Progress("converting", start + (0.98 - start) * fraction))

        with tools.store.building(offer.name) as target:
            architecture = tools.convert(folder, companions, target, offer.quantization, converted)
            self.progress(Progress("checking", 0.98))
            manifest = _manifest(offer, architecture, digest_folder(target), tools.now())
            tools.try_out(target, manifest)
            mark_verified(target, manifest)
            write_manifest(manifest, target)
        self.progress(Progress("installed", 1.0))
        return tools.store.get(offer.name)

    @contextmanager
    def _discarding(self, downloads: Sequence[Download]) -> Iterator[None]:
        """Remove the originals once they are converted, or found to be of no use; they stay after an interruption."""
        keep = self.request.keep_download
        try:
            yield
        except ModelFileError:
            _discard(() if keep else downloads)
            raise
        _discard(() if keep else downloads)


def _discard(downloads: Iterable[Download]) -> None:
    for download in downloads:
        download.discard()


def _any_config(_: str) -> None:
    """Take a companion's config.json as it is: the converter reads what it needs of it."""


def _form(manifest: Manifest) -> tuple[Source, str, str]:
    return manifest.source, manifest.quantization, manifest.tunesmith


def _manifest(offer: PullPlan, architecture: Architecture, files: tuple[FileDigest, ...], now: datetime) -> Manifest:
    return Manifest(
        name=offer.name,
        source=offer.source,
        licence=offer.licence,
        commercial_use=offer.commercial_use,
        quantization=offer.quantization,
        parameters=decoder_parameters(architecture),
        sizes=Sizes.of(architecture),
        files=files,
        tunesmith=tunesmith.__version__,
        created=now.isoformat(timespec="seconds"),
    )
