"""ONNX Runtime sessions: how graphs are opened, and how many threads they use."""

from __future__ import annotations

import os
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError
from tunesmith.neural.processor import multiplies_bytes_exactly

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """Options of a session: 0 ``num_threads`` means every core; ``spinning`` is faster but keeps cores busy.

    ``arena`` allocates the values of a run in one place, which takes less time and memory where they are large; a
    LazySession gives the place back after each run. ``memory_pattern`` plans the place of all values of a run ahead,
    which takes more memory where a session runs many times with large values. Without ``optimize``, the nodes run as
    they are in the file.
    """

    num_threads: int = 0
    spinning: bool = True
    arena: bool = False
    optimize: bool = True
    memory_pattern: bool = True


ALL_CORES = SessionOptions()


def usable_cores() -> int:
    """Return the number of physical cores this process may use.

    Hyperthreads are not counted: two threads of a core share its memory path, which is the bottleneck.
    """
    # A container or taskset may allow fewer cores than the machine has; not every system can tell.
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def open_session(path: Path, options: SessionOptions) -> onnxruntime.InferenceSession:
    """Open a graph. Raises ModelFileError if the file is missing or broken."""
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.num_threads or usable_cores()
    # The memory arena never gives memory back, and each graph of a model would keep its peak.
    settings.enable_cpu_mem_arena = options.arena
    settings.enable_mem_pattern = options.memory_pattern
    if not options.optimize:
        settings.graph_optimization_level = onnxruntime.GraphOptimizationLevel.ORT_DISABLE_ALL
    # Errors only: ONNX Runtime writes its warnings straight to stderr.
    settings.log_severity_level = 3
    if not multiplies_bytes_exactly():
        # Other x86 processors add products of bytes in 16 bits, which saturate; this makes both factors unsigned.
        settings.add_session_config_entry("session.x64quantprecision", "1")
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if options.spinning else "0")
    if not path.exists():
        raise ModelFileError(str(path), "is missing; pull the model again")
    try:
        return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    except _broken() as error:
        raise ModelFileError(str(path), f"cannot be opened: {_first_line(error)}; pull the model again") from None


class LazySession:
    """A graph that is opened when it runs, and closed afterwards unless ``keep`` is set."""

    def __init__(self, path: Path, options: SessionOptions, *, keep: bool) -> None:
        self._path = path
        self._options = options
        self._keep = keep
        self._session: onnxruntime.InferenceSession | None = None
        self._opening = threading.Lock()

    def run(self, inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the graph and return its first output."""
        return next(iter(self.run_all(inputs).values()))

    def run_all(self, inputs: dict[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        """Run the graph and return its outputs by name."""
        session = self._opened()
        names = [output.name for output in session.get_outputs()]
        return dict(zip(names, session.run(names, inputs, self._run_options()), strict=True))

    def metadata(self) -> dict[str, str]:
        """Return what the graph says of itself; see graph_metadata."""
        return dict(self._opened().get_modelmeta().custom_metadata_map)

    def _opened(self) -> onnxruntime.InferenceSession:
        # Rows of a batch run from threads of their own, and must not open a graph twice.
        with self._opening:
            session = self._session or open_session(self._path, self._options)
            self._session = session if self._keep else None
            return session

    def _run_options(self) -> onnxruntime.RunOptions | None:
        return shrinking() if self._options.arena else None


def shrinking() -> onnxruntime.RunOptions:
    """Return the options of a run that gives the arena's memory back at its end."""
    import onnxruntime

    options = onnxruntime.RunOptions()
    options.add_run_config_entry("memory.enable_memory_arena_shrinkage", "cpu:0")
    return options


def as_value(array: NDArray[Any]) -> onnxruntime.OrtValue:
    """Wrap an array without a copy, so that the graph reads what is written to it later."""
    import onnxruntime

    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def _broken() -> tuple[type[Exception], ...]:
    """Return the exceptions of ONNX Runtime for a graph it cannot open; they share no base class."""
    from onnxruntime.capi import onnxruntime_pybind11_state as state

    names = (
        "Fail",
        "InvalidArgument",
        "InvalidGraph",
        "InvalidProtobuf",
        "NoSuchFile",
        "NotImplemented",
        "RuntimeException",
    )
    return tuple(getattr(state, name) for name in names)


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0][:300]
