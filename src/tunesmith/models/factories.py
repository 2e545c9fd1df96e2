"""Factories: generators without model files, by model name: the composer and those of plugins."""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping
from functools import cache, partial
from importlib.metadata import EntryPoint, entry_points

from tunesmith.generator import Generator

COMPOSER = "composer"
ENTRY_POINT_GROUP = "tunesmith.generators"
LIVE_GROUP = "tunesmith.live_generators"
"""The group of the plugins that play live streams too, so that nobody need import one to know."""

GeneratorFactory = Callable[[], Generator]


def find_factories() -> Mapping[str, GeneratorFactory]:
    """Return the factories of the composer and of plugins, by model name.

    A package adds a generator as an entry point of the group ``tunesmith.generators``; its module is imported when the
    factory is called.
    """
    # The composer comes last: no plugin can replace it.
    return {**_plugin_factories(tuple(sys.path)), COMPOSER: _create_composer}


def plays_live(name: str) -> bool:
    """Return whether the plugin with this name plays live streams."""
    return name in _live_plugins(tuple(sys.path))


@cache
def _live_plugins(_search_path: tuple[str, ...]) -> frozenset[str]:
    return frozenset(point.name for point in entry_points(group=LIVE_GROUP))


def _create_composer() -> Generator:
    # The composer imports NumPy and its tables, which other models do without.
    from tunesmith.composer.generator import ComposerGenerator

    return ComposerGenerator()


@cache
def _plugin_factories(_search_path: tuple[str, ...]) -> Mapping[str, GeneratorFactory]:
    """Return the factories of plugins; cached, because reading package metadata takes longer than queueing a job.

    The search path is the key of the cache, so that a changed ``sys.path`` is read again.
    """
    return {point.name: partial(_create_plugin, point) for point in entry_points(group=ENTRY_POINT_GROUP)}


def _create_plugin(point: EntryPoint) -> Generator:
    factory: GeneratorFactory = point.load()
    return factory()
