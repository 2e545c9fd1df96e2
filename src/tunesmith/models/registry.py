"""Registry: generators by model name, each imported only when a request needs it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from tunesmith.errors import UnknownName
from tunesmith.generator import Generator
from tunesmith.models.factories import GeneratorFactory, find_factories


@dataclass(frozen=True, slots=True)
class ModelResolver:
    """A resolver of model names that are known only at run time.

    ``generator_for`` returns None for a name that it does not resolve; ``known_names`` returns names to suggest.
    """

    generator_for: Callable[[str], Generator | None]
    known_names: Callable[[], Iterable[str]]


# The imports below wait for the first call: a request for the composer needs neither HTTP nor the model store.


def _hosted_generator(name: str) -> Generator | None:
    from tunesmith.models.hosted_generators import generator_for

    return generator_for(name)


def _installed_generator(name: str) -> Generator | None:
    from tunesmith.models.installed_generators import generator_for

    return generator_for(name)


def _catalog_names() -> Iterable[str]:
    from tunesmith.models.catalog import list_models

    return [model.name for model in list_models()]


RESOLVERS = (ModelResolver(_hosted_generator, tuple), ModelResolver(_installed_generator, _catalog_names))
"""The resolvers, tried in this order for a name without a factory."""


@dataclass(frozen=True, slots=True)
class Registry:
    """The registry of generators: first the ``factories``, then the ``resolvers`` in order."""

    factories: Mapping[str, GeneratorFactory]
    resolvers: tuple[ModelResolver, ...] = RESOLVERS

    @classmethod
    def discover(cls) -> Registry:
        """Return the registry of the composer, all plugins and every other model."""
        return cls(find_factories())

    def names(self) -> tuple[str, ...]:
        """Return the names of the factories, sorted."""
        return tuple(sorted(self.factories))

    def create(self, model: str) -> Generator:
        """Return a new generator for the model. Raises UnknownName with the nearest names, or a resolver's error."""
        factory = self.factories.get(model)
        return factory() if factory else self._resolve(model)

    def _resolve(self, model: str) -> Generator:
        for resolver in self.resolvers:
            generator = resolver.generator_for(model)
            if generator is not None:
                return generator
        # Only for an error, because it reads every manifest.
        suggestions = {name for resolver in self.resolvers for name in resolver.known_names()}
        raise UnknownName("model", model, sorted({*self.factories, *suggestions}))
