"""The public interface of the real AudioCraft, read from its source: parsed, never imported and never run.

``make`` puts the source archive into the virtual environment; a test in another one fetches it there, through pip.
"""

from __future__ import annotations

import ast
import subprocess
import sys
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath
from typing import Any

import yaml
from filelock import FileLock

VERSION = "1.3.0"
FOLDER = Path(sys.prefix) / "sources"
ARCHIVE = FOLDER / f"audiocraft-{VERSION}.tar.gz"
FETCH = ("-m", "pip", "download", "--quiet", "--no-deps", "--no-binary", "audiocraft", "--dest", str(FOLDER))
SECONDS = 300
Function = ast.FunctionDef | ast.AsyncFunctionDef


def source_archive() -> Path:
    """Return the path of the archive; fetch it first if it is not there. Raises RuntimeError, which says why."""
    FOLDER.mkdir(exist_ok=True)
    with FileLock(FOLDER / ".lock", timeout=SECONDS):
        if not ARCHIVE.exists():
            command = [sys.executable, *FETCH, f"audiocraft=={VERSION}"]
            done = subprocess.run(command, capture_output=True, text=True, timeout=SECONDS, check=False)
            if not ARCHIVE.exists():
                raise RuntimeError(f"{' '.join(command[1:])} left no {ARCHIVE}; is there a network? {done.stderr}")
    return ARCHIVE


@cache
def modules() -> Mapping[str, ast.Module]:
    """Return every module below ``audiocraft`` by its dotted name; the package itself is ``""``."""
    found = {}
    with tarfile.open(source_archive()) as archive:
        for member in archive:
            path = PurePosixPath(member.name)
            if path.suffix != ".py" or path.parts[1:2] != ("audiocraft",):
                continue
            file = archive.extractfile(member)
            assert file is not None
            parts = path.with_suffix("").parts[2:]
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            found[name] = ast.parse(file.read())
    return found


def settings(*names: str) -> dict[str, Any]:
    """Return training settings, the files below ``config`` merged in this order; those of a later one win."""
    merged: dict[str, Any] = {}
    with tarfile.open(source_archive()) as archive:
        for name in names:
            file = archive.extractfile(f"audiocraft-{VERSION}/config/{name}.yaml")
            assert file is not None
            _merge(merged, yaml.safe_load(file.read()))
    return merged


def as_text(values: dict[str, Any]) -> str:
    """Return settings as YAML, the way a checkpoint keeps them."""
    return yaml.safe_dump(values)


def _merge(into: dict[str, Any], values: dict[str, Any]) -> None:
    for name, value in values.items():
        if isinstance(value, dict) and isinstance(into.get(name), dict):
            _merge(into[name], value)
        # The names of other files that Hydra would merge.
        elif name != "defaults":
            into[name] = value


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter: its name, and its default as source text, or None without one."""

    name: str
    default: str | None


def public_functions(module: str) -> dict[str, Function]:
    """Return the functions of a module, and the methods of its classes as ``Class.method``, by public name."""
    found: dict[str, Function] = {}
    for node in modules()[module].body:
        if isinstance(node, ast.ClassDef):
            found |= {f"{node.name}.{one.name}": one for one in node.body if isinstance(one, Function)}
        elif isinstance(node, Function):
            found[node.name] = node
    return {name: node for name, node in found.items() if not any(part.startswith("_") for part in name.split("."))}


def parameters(function: Function) -> list[Parameter]:
    """Return the parameters of a function in order, without ``self``."""
    args = function.args
    defaults = [None] * (len(args.args) - len(args.defaults)) + [ast.unparse(one) for one in args.defaults]
    pairs = [Parameter(one.arg, default) for one, default in zip(args.args, defaults, strict=True)]
    return [one for one in pairs if one.name != "self"]


def is_property(function: Function) -> bool:
    """Return whether a method is a property."""
    return any(isinstance(one, ast.Name) and one.id == "property" for one in function.decorator_list)


def public_attributes(module: str, class_name: str) -> set[str]:
    """Return what the constructor of a class puts on the instance under a public name."""
    (chosen,) = (one for one in modules()[module].body if isinstance(one, ast.ClassDef) and one.name == class_name)
    stored = (
        node.attr for node in ast.walk(chosen)
        if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store)
        and isinstance(node.value, ast.Name) and node.value.id == "self"
    )  # fmt: skip
    return {name for name in stored if not name.startswith("_")}


def exported_names(module: str) -> Iterator[str]:
    """Yield the public names that a package's ``__init__`` imports."""
    for node in modules()[module].body:
        if isinstance(node, ast.ImportFrom):
            yield from (one.asname or one.name for one in node.names)
