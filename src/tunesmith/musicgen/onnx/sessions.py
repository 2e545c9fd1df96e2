"""ONNX Runtime sessions: how graphs are opened, and how many threads they may use."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import psutil
from numpy.typing import NDArray

from tunesmith.errors import ModelFileError

if TYPE_CHECKING:
    import onnxruntime


@dataclass(frozen=True, slots=True)
class SessionOptions:
    """``num_threads`` 0 means every core; ``spinning`` threads answer faster and burn a core while they wait."""

    num_threads: int = 0
    spinning: bool = True


ALL_CORES = SessionOptions()


def usable_cores() -> int:
    """Return how many cores this process may use; two threads of one core share what limits us, its memory path."""
    allowed = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    return min(allowed, psutil.cpu_count(logical=False) or allowed)


def open_session(path: Path, options: SessionOptions) -> onnxruntime.InferenceSession:
    """Open a graph; raises ModelFileError where it is missing or broken.

    The memory arena is off: it never gives memory back, and three graphs of one model would each keep their peak.
    """
    import onnxruntime

    settings = onnxruntime.SessionOptions()
    settings.intra_op_num_threads = options.num_threads or usable_cores()
    settings.enable_cpu_mem_arena = False
    settings.log_severity_level = 3
    settings.add_session_config_entry("session.intra_op.allow_spinning", "1" if options.spinning else "0")
    if not path.exists():
        raise ModelFileError(str(path), "is missing; pull the model again")
    try:
        return onnxruntime.InferenceSession(path, settings, providers=["CPUExecutionProvider"])
    except _broken() as error:
        raise ModelFileError(str(path), f"cannot be opened: {_first_line(error)}; pull the model again") from None


class LazySession:
    """A graph with one output that is opened when it is run, and closed again unless it is to be kept."""

    def __init__(self, path: Path, options: SessionOptions, *, keep: bool) -> None:
        self._path = path
        self._options = options
        self._keep = keep
        self._session: onnxruntime.InferenceSession | None = None

    def run(self, inputs: dict[str, NDArray[Any]]) -> NDArray[Any]:
        """Run the graph and return its output."""
        session = self._session or open_session(self._path, self._options)
        self._session = session if self._keep else None
        output: NDArray[Any] = session.run(None, inputs)[0]
        return output


def as_value(array: NDArray[Any]) -> onnxruntime.OrtValue:
    """Wrap an array without copying it, so that what is written to it later is what the graph reads."""
    import onnxruntime

    return onnxruntime.OrtValue.ortvalue_from_numpy(array)


def _broken() -> tuple[type[Exception], ...]:
    """Return what ONNX Runtime raises for a graph it cannot open; its errors share no base class."""
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
