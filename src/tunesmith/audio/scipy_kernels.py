"""SciPy's compiled kernels, without the packages around them.

``import scipy.signal`` loads SciPy's statistics and rewrites the texts of hundreds of functions: 0.8 s of a processor,
a third of the time from the start of a process to a finished clip. The kernels are compiled modules of their own.
"""

from __future__ import annotations

import importlib
import sys
from importlib.machinery import PathFinder
from importlib.util import module_from_spec
from pathlib import Path
from types import ModuleType

import scipy


def kernel(name: str) -> ModuleType:
    """Return the compiled module ``name``, such as ``scipy.signal._sosfilt``.

    Call it while a module is imported: threads that load the same kernel at the same time may meet it half loaded. If
    it is no file where SciPy's wheels have it, it is imported with its packages, which takes longer.

    Raises:
        ModuleNotFoundError: This version of SciPy has no such module.
    """
    if name in sys.modules:
        return sys.modules[name]
    folder = Path(scipy.__file__).parent.joinpath(*name.split(".")[1:-1])
    spec = PathFinder.find_spec(name, [str(folder)])
    if spec is None or spec.loader is None:
        return importlib.import_module(name)
    module = module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
