# ruff: noqa: ARG002  the interface's arguments
"""Generators that behave in every way a runner must cope with, as an installed package would bring them."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np
from performers import RollPlayer

from tunesmith.audio import Audio
from tunesmith.errors import DiskFull, InvalidRequest, ModelNotInstalled
from tunesmith.generator import CancelCheck, Progress, ProgressCallback
from tunesmith.request import GenerationRequest

NAMES = (
    "Prompt",
    "Patient",
    "Slow",
    "Deaf",
    "Crashing",
    "Poisoned",
    "Raising",
    "Full",
    "Greedy",
    "Mistaken",
    "Unloadable",
    "Talkative",
    "Wordy",
    "Musical",
)
GATE = "STRANGE_GATE"
"""Names the file whose presence lets the slow one be loaded."""


class Prompt:
    """Is done at once, and says in which process."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Make a tenth of a second of silence."""
        progress(Progress("writing", 0.5))
        if cancelled():
            raise InvalidRequest("prompt", "was cancelled before it began")
        samples = np.zeros((1, 800), np.float32)
        return Audio(samples, 8000, {"process": os.getpid(), "prompt": request.prompt})


class Patient(Prompt):
    """Waits until it is cancelled, or until the file that the prompt names is there; makes several at once."""

    def load(self, num_rows: int) -> int:
        """Take a request for every two rows."""
        return num_rows // 2

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Wait, then make silence."""
        while not cancelled() and not Path(request.prompt).exists():
            progress(Progress("waiting", 0.1))
            time.sleep(0.01)
        return super().generate(request, progress, cancelled)


class Slow(Prompt):
    """Is loaded once the file is there that the environment names."""

    def __init__(self) -> None:
        while not Path(os.environ[GATE]).exists():
            time.sleep(0.01)


class Deaf(Prompt):
    """Never hears that it is cancelled."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Sleep for a minute."""
        progress(Progress("deaf", 0.1))
        time.sleep(60)
        return super().generate(request, progress, cancelled)


class Crashing(Prompt):
    """Takes its process down, but for once where the file that the prompt names is there."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Leave."""
        if not Path(request.prompt).exists():
            os._exit(3)
        return super().generate(request, progress, cancelled)


class Poisoned(Patient):
    """Takes its process, and all that is made beside it, down where the prompt is poison."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Leave, or wait."""
        if request.prompt == "poison":
            os._exit(3)
        return super().generate(request, progress, cancelled)


class Raising(Prompt):
    """Has a bug."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Divide by zero."""
        raise ZeroDivisionError("a secret of the program")


class Full(Prompt):
    """Finds no room for its temporary files."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Write what does not fit, with an error that names a place."""
        raise DiskFull("temporary folder: cannot write to /secret: No space left on device")


class Greedy(Prompt):
    """Wants more memory than there is."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Ask for it all."""
        raise MemoryError("Unable to allocate 10. TiB")


class Mistaken(Prompt):
    """Does not like the request."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Blame the caller."""
        raise InvalidRequest("prompt", "must rhyme")


class Unloadable(Prompt):
    """Cannot be loaded."""

    def __init__(self) -> None:
        raise ModelNotInstalled("unloadable is not installed; install it with: tunesmith pull unloadable")


class Talkative(Prompt):
    """Prints on standard output, which libraries do."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Print, then make silence."""
        os.write(1, b'{"made": "nonsense"}\n')
        return super().generate(request, progress, cancelled)


class Unspeakable(InvalidRequest):
    """An error that cannot be shown."""

    def __str__(self) -> str:
        """Fail."""
        raise ZeroDivisionError


class Wordy(Prompt):
    """Says more than fits into a message, or what no message can hold; the prompt chooses which."""

    def generate(self, request: GenerationRequest, progress: ProgressCallback, cancelled: CancelCheck) -> Audio:
        """Do as the prompt says."""
        made = super().generate(request, progress, cancelled)
        much = "x" * 17_000_000
        match request.prompt:
            case "error":
                raise InvalidRequest("genre", f"there is no genre {much}\ud800")
            case "bug":
                raise ZeroDivisionError(much)
            case "exit":
                raise SystemExit(3)
            case "unspeakable":
                raise Unspeakable("prompt", "")
            case "stage":
                progress(Progress(f"\ud800{much}", 1.0))
        metadata: dict[str, object] = {"long": much, "nan": float("nan"), "object": object()}
        return made.with_metadata(said=metadata.get(request.prompt))


class Musical(RollPlayer):
    """Performs notes in pure tones."""


def install(folder: Path) -> str:
    """Write the metadata of a package with these generators; return the PYTHONPATH that makes it installed."""
    metadata = folder / "strange-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: strange\nVersion: 1.0\n")
    points = "".join(f"{name.lower()} = strange_generators:{name}\n" for name in NAMES)
    (metadata / "entry_points.txt").write_text(f"[tunesmith.generators]\n{points}")
    paths = [str(folder), str(Path(__file__).parent), os.environ.get("PYTHONPATH", "")]
    return os.pathsep.join(path for path in paths if path)
