"""Imports among our modules have no cycle: every module can be read after those that it uses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from graphlib import CycleError, TopologicalSorter

import grimp


def imports_of_modules() -> dict[str, Collection[str]]:
    """Return which of our modules each one imports, at its top or inside a function; what is for types never runs."""
    graph = grimp.build_graph("tunesmith", exclude_type_checking_imports=True, cache_dir=None)
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def find_cycle(imports: Mapping[str, Collection[str]]) -> list[str]:
    """Return the modules of one cycle, the first one again at the end; none where there is no cycle."""
    try:
        TopologicalSorter(imports).prepare()
    except CycleError as error:
        return list(error.args[1])
    return []


def test_no_module_imports_itself_by_way_of_others() -> None:
    assert find_cycle(imports_of_modules()) == []


def test_a_cycle_is_found_where_an_import_closes_one() -> None:
    imports = imports_of_modules()
    assert "tunesmith.audio.writer" in imports["tunesmith.audio.buffer"]  # inside a function
    imports["tunesmith.audio.tags.model"] = {"tunesmith.audio.buffer"}
    assert {"tunesmith.audio.buffer", "tunesmith.audio.tags.model"} <= set(find_cycle(imports))
