"""Acceptance of licences: which ones the user of this machine has accepted, and when, in a file of the data folder.

::

    accepted-licences.json    {"stability-ai-community": "2030-01-02", "gemma": "2030-01-02"}
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from tunesmith.errors import InvalidRequest, ModelFileError
from tunesmith.files import atomic_write
from tunesmith.licences import Licence, licences_in

FILE = "accepted-licences.json"
FIELD = "accept_licence"


@dataclass(frozen=True, slots=True)
class AcceptedLicences:
    """The licences accepted on this machine, by identifier; ``folder`` is the data folder."""

    folder: Path

    def missing(self, licence: str) -> tuple[Licence, ...]:
        """Return the licences in a text that are not accepted yet. Raises ModelFileError if the file is broken."""
        accepted = self.dates()
        return tuple(one for one in licences_in(licence) if one.identifier not in accepted)

    def accept(self, licences: Iterable[Licence], day: date) -> None:
        """Remember that these licences are accepted since a day; those accepted earlier keep their date."""
        # The right side wins, so an earlier date stays.
        dates = {one.identifier: day.isoformat() for one in licences} | self.dates()
        self.folder.mkdir(parents=True, exist_ok=True)
        with atomic_write(self.folder / FILE) as file:
            file.write(json.dumps(dates, indent=1).encode() + b"\n")

    def dates(self) -> dict[str, str]:
        """Return the day of each acceptance in ISO 8601, by the licence's identifier."""
        path = self.folder / FILE
        try:
            values = json.loads(path.read_bytes())
        except FileNotFoundError:
            return {}
        except OSError as error:
            raise ModelFileError(str(path), f"cannot be read: {error.strerror}") from None
        except (ValueError, RecursionError):
            values = None
        if not isinstance(values, dict) or not all(isinstance(day, str) for day in values.values()):
            raise ModelFileError(str(path), "is damaged; remove it, and the licences will be asked for again")
        return values


def not_accepted(name: str, licences: Iterable[Licence]) -> InvalidRequest:
    """Return the error for a pull of the model ``name`` whose licences are not accepted."""
    text = "; ".join(map(str, licences))
    problem = f"{name} is under terms that must be accepted before the download: {text}; read and accept them"
    return InvalidRequest(FIELD, f"{problem} with {FIELD}, or tunesmith pull --accept-licence")


def check_accepted(folder: Path, name: str, licence: str, *, accepted_now: bool) -> None:
    """Raise InvalidRequest unless the licence of the model ``name`` was accepted in this data folder, or is now."""
    missing = () if accepted_now else AcceptedLicences(folder).missing(licence)
    if missing:
        raise not_accepted(name, missing)
