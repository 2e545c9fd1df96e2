"""What every generator of music looks like, and where generators are found by model name."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from importlib.metadata import entry_points
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, cast, runtime_checkable

from tunesmith.errors import UnknownName
from tunesmith.request import GenerationRequest

if TYPE_CHECKING:
    from tunesmith.audio import Audio


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a generation has come: the ``stage`` in words and the ``fraction`` done of the whole, 0 to 1."""

    stage: str
    fraction: float


ProgressCallback = Callable[[Progress], None]
CancelCheck = Callable[[], bool]


class Generator(Protocol):
    """Makes music from a request."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Make the music.

        ``progress`` is called with non-decreasing fractions; ``cancelled`` is asked at least once a second of work.
        Raises GenerationCancelled once ``cancelled()`` is true, and InvalidRequest for what cannot be.
        """
        ...


@runtime_checkable
class BatchingGenerator(Protocol):
    """A generator that makes several requests at once, each asked for from a thread of its own."""

    def load(self, num_rows: int) -> int:
        """Get ready for a batch of at most ``num_rows`` rows; return how many requests may be made at once."""
        ...


EXPORTS: Mapping[str, str] = {"mid": "audio/midi", "zip": "application/zip"}
"""What can be had of a piece besides its sound, with the media type: a MIDI file, and a ZIP of its stems."""


@dataclass(frozen=True, slots=True)
class Exported:
    """What an exported file is of: the piece's ``duration`` in seconds, its sample rate and channels, its metadata."""

    duration: float
    sample_rate: int
    channels: int
    metadata: Mapping[str, Any]


@runtime_checkable
class ExportingGenerator(Protocol):
    """A generator that knows more of a piece than its sound."""

    def export(
        self, request: GenerationRequest, path: Path, progress: ProgressCallback, cancelled: CancelCheck
    ) -> Exported:
        """Write a file whose suffix is one of EXPORTS; else as ``generate``."""
        ...


class ModelResolver(Protocol):
    """Finds generators whose names are known only at run time, such as installed models; a module is one."""

    def generator_for(self, name: str) -> Generator | None:
        """Return the generator of that name, or None where the name is not known."""
        ...

    def known_names(self) -> tuple[str, ...]:
        """Return the names it knows, to suggest the nearest."""
        ...


GeneratorFactory = Callable[[], Generator]

BUILT_IN: Mapping[str, str] = {"composer": "tunesmith.composer.generator:ComposerGenerator"}
RESOLVERS = ("tunesmith.models.hosted_generators", "tunesmith.models.installed_generators")
"""Modules that are asked, in turn, for a name that is in no table."""
ENTRY_POINT_GROUP = "tunesmith.generators"


@dataclass(frozen=True, slots=True)
class Registry:
    """Generators by model name, each loaded only when asked for.

    ``targets`` maps a model name to ``module:factory``. Packages add theirs as entry points of the group
    ``tunesmith.generators``. ``resolvers`` are asked for what is not in there.
    """

    targets: Mapping[str, str] = field(default_factory=lambda: dict(BUILT_IN))
    resolvers: tuple[str, ...] = RESOLVERS

    @classmethod
    def discover(cls) -> Registry:
        """Return the registry of the built-in generators and those of installed packages."""
        return cls({**_installed_targets(tuple(sys.path)), **BUILT_IN})

    def names(self) -> tuple[str, ...]:
        """Return the names of the table, sorted."""
        return tuple(sorted(self.targets))

    def create(self, model: str) -> Generator:
        """Return a new generator for the model; raises UnknownName with the nearest names, or the resolver's errors."""
        target = self.targets.get(model)
        if target is None:
            return self._resolve(model)
        module, _, factory = target.partition(":")
        return cast("GeneratorFactory", getattr(importlib.import_module(module), factory))()

    def _resolve(self, model: str) -> Generator:
        known = list(self.names())
        for module in self.resolvers:
            resolver = cast("ModelResolver", importlib.import_module(module))
            generator = resolver.generator_for(model)
            if generator is not None:
                return generator
            known += resolver.known_names()
        raise UnknownName("model", model, known)


@cache
def _installed_targets(_search_path: tuple[str, ...]) -> Mapping[str, str]:
    """Return the entry points of installed packages, whose metadata takes longer to read than a job to queue."""
    return {point.name: point.value for point in entry_points(group=ENTRY_POINT_GROUP)}


def no_progress(progress: Progress) -> None:
    """Ignore progress."""


def never_cancelled() -> bool:
    """Return False: for callers that never cancel."""
    return False
