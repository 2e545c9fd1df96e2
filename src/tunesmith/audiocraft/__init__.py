"""AudioCraft's Python API: MusicGen and AudioGen on a plain processor, for scripts and notebooks written for it.

``__version__`` is the version of AudioCraft whose interface this is.
"""

from tunesmith.audiocraft import data as data
from tunesmith.audiocraft import models as models
from tunesmith.audiocraft.import_hook import load_ipython_extension as load_ipython_extension
from tunesmith.audiocraft.import_hook import unload_ipython_extension as unload_ipython_extension
from tunesmith.audiocraft.unsupported_names import attribute_finder

__version__ = "1.3.0"
__getattr__ = attribute_finder(__name__)
