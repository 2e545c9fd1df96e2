"""Pull: install a published checkpoint as a model, completely or not at all.

Locate -> announce -> check the disk -> download -> convert -> digest -> try out -> manifest -> move into place.
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
from tunesmith.licences import Licence, LicenceTerms, stated_licence, terms_of
from tunesmith.models.download import ChooseFiles, Download, plan_download, read_small_text
from tunesmith.models.families.family import ModelFamily, ModelSummary
from tunesmith.models.families.table import family_holding
from tunesmith.models.hub import Hub
from tunesmith.models.integrity import digest_folder, mark_verified, verify
from tunesmith.models.licence_acceptance import AcceptedLicences, not_accepted
from tunesmith.models.manifest import FileDigest, Manifest, Source, write_manifest
from tunesmith.models.pull_request import PullRequest, ResolvedSource, check_form, locate
from tunesmith.models.repository_files import CONFIG, ReadText, RemoteFile, Repository, companion_files
from tunesmith.models.resource_checks import FreeBytes, check_disk, free_disk, in_words, translate_disk_full
from tunesmith.models.store import InstalledModel, Store
from tunesmith.models.trial import try_out

DOWNLOAD_SHARE = 0.7
"""The share of the download in the progress bar."""


@dataclass(frozen=True, slots=True)
class PullPlan:
    """The model that a pull is about to install, announced before the download; sizes in bytes, ``notice`` as in
    ModelInfo.
    """

    name: str
    source: Source
    licence: str
    quantization: str
    download: int
    converted: int
    notice: str = ""

    @property
    def terms(self) -> LicenceTerms:
        """The terms of the licence."""
        return terms_of(self.licence)


Convert = Callable[[Path, Mapping[str, Path], Path, str, Callable[[float], None]], ModelSummary]
"""A converter of a checkpoint folder and its companions into a target folder; see ModelFamily."""


def _find_companions(folder: Path) -> Sequence[str]:
    return _family_in(folder).needed_companions(folder)


def _convert(
    folder: Path, companions: Mapping[str, Path], target: Path, quantization: str, progress: Callable[[float], None]
) -> ModelSummary:
    return _family_in(folder).convert(folder, companions, target, quantization, progress)


def _family_in(folder: Path) -> ModelFamily:
    return family_holding(Repository.of_folder(str(folder), folder))


@dataclass(frozen=True, slots=True)
class PullTools:
    """The dependencies of a pull: store, hub, converter, trial, disk, clock, and who accepts licences.

    ``ask_acceptance`` asks the user to accept the licences of a model, by its name; without a user it accepts none.
    """

    store: Store
    hub: Hub = field(default_factory=Hub)
    find_companions: Callable[[Path], Sequence[str]] = _find_companions
    convert: Convert = _convert
    try_out: Callable[[Path, Manifest], None] = try_out
    free_bytes: FreeBytes = free_disk
    now: Callable[[], datetime] = lambda: datetime.now(UTC)
    ask_acceptance: Callable[[str, Sequence[Licence]], bool] = lambda _name, _licences: False


def pull(
    request: PullRequest, tools: PullTools, announce: Callable[[PullPlan], None], progress: ProgressCallback
) -> InstalledModel:
    """Install a model and return it; ``announce`` gets the plan before the download starts.

    A model that is installed from the same commit, and intact, is returned unchanged. A licence that must be accepted
    is accepted by the request, by an earlier pull, or by ``tools.ask_acceptance``. Pulling again resumes an
    interrupted download and restarts an interrupted conversion. Raises InvalidRequest, DownloadError, ModelFileError
    and OutOfResources; the installed models are then unchanged.
    """
    located = locate(request)
    with tools.store.pulling(), translate_disk_full(located.name, tools.store.folder):
        return _Pull(request, located, tools, announce, progress).run()


@dataclass(frozen=True, slots=True)
class _Pull:
    """One pull in progress."""

    request: PullRequest
    located: ResolvedSource
    tools: PullTools
    announce: Callable[[PullPlan], None]
    progress: ProgressCallback

    def run(self) -> InstalledModel:
        """Run all stages and return the installed model."""
        downloads = self._plan()
        source = self._source(downloads)
        present = self._present(source)
        if present:
            return present
        repository = downloads[0].repository if downloads else self._local()
        offer = self._offer(source, repository, downloads)
        # Before anything large is downloaded, so that the user can stop.
        self.announce(offer)
        self._accept(offer)
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
        """Plan the downloads of the model and of its known companions; none for a folder."""
        if self.located.hub_id is None:
            return []
        main = self._plan_one(self.located.hub_id, self.request.revision, self._choose)
        entry = self.located.entry
        # A checkpoint in Hugging Face's layout contains every part.
        companions = entry.companions if entry and not main.repository.file(CONFIG) else ()
        return [main, *(self._plan_one(hub_id, None, companion_files) for hub_id in companions)]

    def _plan_one(self, hub_id: str, revision: str | None, choose: ChooseFiles) -> Download:
        return plan_download(hub_id, revision, self.tools.hub, self.tools.store, choose)

    def _choose(self, repository: Repository, read_text: ReadText) -> tuple[RemoteFile, ...]:
        family = family_holding(repository)
        check_form(self.request, family)
        return family.choose_files(repository, read_text, self.located.files)

    def _local(self) -> Repository:
        """Return the files of a checkpoint folder. Raises ModelFileError if it holds none."""
        repository = Repository.of_folder(str(self._folder), self._folder)
        files = self._choose(repository, lambda file: read_small_text(self._folder / file.name))
        return replace(repository, files=files)

    def _source(self, downloads: Sequence[Download]) -> Source:
        return Source(self.located.location, downloads[0].repository.commit if downloads else None)

    def _present(self, source: Source) -> InstalledModel | None:
        """Return the model if it is installed from the same commit, in the same format, and intact."""
        # A folder has no commit, so its content may have changed.
        if source.revision is None:
            return None
        try:
            model = self.tools.store.find(self.located.name)
            if model is None or _form(model.manifest) != (source, self.request.quantization, tunesmith.__version__):
                return None
            # Pulling again is how a user repairs a model, so nothing is trusted.
            verify(model.folder, model.manifest, thoroughly=True)
        except ModelFileError:
            return None
        return model

    def _offer(self, source: Source, repository: Repository, downloads: Sequence[Download]) -> PullPlan:
        entry = self.located.entry
        repositories = [repository, *(one.repository for one in downloads[1:])]
        return PullPlan(
            name=self.located.name,
            source=source,
            licence=stated_licence(repository.licence, entry.licence if entry else None),
            quantization=self.request.quantization,
            download=sum(download.bytes for download in downloads),
            converted=family_holding(repository).converted_bytes(repositories, self.request.quantization),
            notice=entry.notice if entry else "",
        )

    def _accept(self, offer: PullPlan) -> None:
        """Have the licence accepted if the catalog requires it. Raises InvalidRequest if it is not accepted."""
        if not (self.located.entry and self.located.entry.accept_licence):
            return
        accepted = AcceptedLicences(self.tools.store.folder)
        missing = accepted.missing(offer.licence)
        if not missing:
            return
        if not (self.request.accept_licence or self.tools.ask_acceptance(offer.name, missing)):
            raise not_accepted(offer.name, missing)
        accepted.accept(missing, self.tools.now().date())

    def _check_disk(self, downloads: Sequence[Download], converted: int) -> None:
        missing = sum(download.missing_bytes for download in downloads)
        check_disk(self.located.location, self.tools.store.folder, missing, converted, self.tools.free_bytes)

    def _companions(self, folder: Path, downloads: list[Download], converted: int) -> dict[str, Path]:
        """Fetch the companions that the checkpoint requires, append them to the downloads, and return their folders."""
        needed = self.tools.find_companions(folder)
        planned = {download.repository.hub_id for download in downloads}
        more = [self._plan_one(hub_id, None, companion_files) for hub_id in needed if hub_id not in planned]
        downloads += more
        # The companions were not known when the disk was first checked.
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
            # The last hundredths are left to the check and the trial.
            self.progress(Progress("converting", start + (0.98 - start) * fraction))

        with tools.store.building(offer.name) as target:
            summary = tools.convert(folder, companions, target, offer.quantization, converted)
            self.progress(Progress("checking", 0.98))
            manifest = _manifest(offer, summary, digest_folder(target), tools.now())
            # Before the manifest: a model that cannot generate is never installed.
            tools.try_out(target, manifest)
            # The digests are fresh, so the first request need not hash the files again.
            mark_verified(target, manifest)
            write_manifest(manifest, target)
        self.progress(Progress("installed", 1.0))
        return tools.store.get(offer.name)

    @contextmanager
    def _discarding(self, downloads: Sequence[Download]) -> Iterator[None]:
        """Remove the downloads once they are converted or proven useless; keep them after an interruption."""
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


def _form(manifest: Manifest) -> tuple[Source, str, str]:
    return manifest.source, manifest.quantization, manifest.tunesmith


def _manifest(offer: PullPlan, summary: ModelSummary, files: tuple[FileDigest, ...], now: datetime) -> Manifest:
    return Manifest(
        name=offer.name,
        source=offer.source,
        licence=offer.licence,
        quantization=offer.quantization,
        parameters=summary.parameters,
        sizes=summary.sizes,
        files=files,
        tunesmith=tunesmith.__version__,
        created=now.isoformat(timespec="seconds"),
        self_check=summary.self_check,
        notice=summary.notice,
        remark=summary.remark,
    )
