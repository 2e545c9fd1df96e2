"""GraphChain: a network in several graphs, opened, run and closed in turn, so that only one takes memory at a time.

An open graph holds its weights in packed form all the time; a network that runs once a prompt needs them only then.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from tunesmith.neural.sessions import SessionOptions, open_session


def part_path(folder: Path, network: str, number: int) -> Path:
    """Return the file of the part of this number, from 0 on."""
    return folder / f"{network}_{number}.onnx"


class GraphChain:
    """The parts of the network of this name in a folder; the last one has the output ``result``.

    A part reads inputs of the network and outputs of parts before it, by their names.
    """

    def __init__(self, folder: Path, network: str, result: str, options: SessionOptions) -> None:
        self._folder = folder
        self._network = network
        self._result = result
        # Optimization takes longer than it saves in one run, and would widen weights of 16 bits.
        self._options = replace(options, optimize=False)

    def run(self, inputs: Mapping[str, NDArray[Any]]) -> NDArray[np.float32]:
        """Run all parts and return the result. Raises ModelFileError if a part is missing or broken."""
        values, number = dict(inputs), 0
        while self._result not in values:
            values |= self._run_part(number, values)
            number += 1
        return np.asarray(values[self._result], np.float32)

    def _run_part(self, number: int, values: Mapping[str, NDArray[Any]]) -> dict[str, NDArray[Any]]:
        # Opened in the caller's thread: the C library would keep what another one allocates.
        part = open_session(part_path(self._folder, self._network, number), self._options)
        names = [output.name for output in part.get_outputs()]
        return dict(zip(names, part.run(names, {one.name: values[one.name] for one in part.get_inputs()}), strict=True))
