"""JobOptions: what travels with a job beside its request. The database keeps it as JSON in the column ``extra``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from typing import Any

from pydantic import TypeAdapter

from tunesmith.errors import InvalidRequest
from tunesmith.fields import shown

KEEP_ALIVE = "keep_alive"
FOREVER = -1
MAX_SECONDS = 30 * 86_400
DEFAULT_FORMAT = "wav"


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where the server sends a job's events, and which kinds of them."""

    url: str
    """An http or https address."""

    events: tuple[str, ...]
    """Kinds of events, such as ``completed``."""


@dataclass(frozen=True, slots=True)
class PredictionOptions:
    """What the Replicate API shows of a prediction beside its job, and where it sends the prediction's events."""

    input: Mapping[str, Any] = field(default_factory=dict)
    """The input as the caller sent it, with long values cut short."""

    model: str = ""
    """The model's name as ``owner/name``."""

    version: str = ""
    """The id of the model's version: 64 hexadecimal digits."""

    origin: str = ""
    """Scheme, host and port at which the caller reaches this server."""

    webhook: WebhookTarget | None = None
    """Where to send events; None sends none."""


@dataclass(frozen=True, slots=True)
class JobOptions:
    """Everything about a job that is neither its request nor its place in the queue.

    Raises:
        InvalidRequest: ``keep_alive`` is out of range.
    """

    format: str = DEFAULT_FORMAT
    """The suffix of the file to write, without its dot."""

    keep_alive: float | None = None
    """Seconds that the model stays loaded after the job: 0 unloads it at once, FOREVER never.

    None leaves it to the server's settings. The number is kept as given, because 30 and 30.0 differ in a fingerprint.
    """

    for_track: str | None = None
    """The id of the track that this job exports something of; such a job makes no track of its own."""

    parent: str | None = None
    """The id of the track that this job makes a variation of."""

    prediction: PredictionOptions | None = None
    """What only the Replicate API needs; None for jobs of the others."""

    notes: tuple[str, ...] = ()
    """Remarks for the caller, such as which fields were ignored."""

    dropped: tuple[str, ...] = ()
    """Fields of the request that were left out because the composer does not read them."""

    def __post_init__(self) -> None:
        value = self.keep_alive
        if value is None:
            return
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not (value == FOREVER or 0 <= value <= MAX_SECONDS):
            problem = f"must be 0 to {MAX_SECONDS} seconds, or {FOREVER} for good, got {shown(value)}"
            raise InvalidRequest(KEEP_ALIVE, problem)

    def to_row(self) -> dict[str, Any]:
        """Return the JSON of the column ``extra``.

        Fingerprints of submissions are computed from it, so a value that is not given has no key.
        """
        row: dict[str, Any] = {
            "format": self.format, "keep_alive": self.keep_alive, "for_track": self.for_track, "parent": self.parent,
        }  # fmt: skip
        row = {name: value for name, value in row.items() if value is not None}
        if self.prediction is not None:
            row |= asdict(self.prediction)
        # Rows of predictions have always had the key, even without notes.
        if self.notes or self.prediction is not None:
            row["notes"] = list(self.notes)
        if self.dropped:
            row["dropped"] = list(self.dropped)
        return row

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> JobOptions:
        """Read the JSON of the column ``extra``; keys that this version does not know are ignored.

        Raises:
            ValueError: A value has another type.
            InvalidRequest: ``keep_alive`` is out of range.
        """
        prediction = None if _PREDICTION_KEYS.isdisjoint(row) else row
        return _READER.validate_python({**row, "prediction": prediction})


_READER = TypeAdapter(JobOptions)
_PREDICTION_KEYS = frozenset(one.name for one in fields(PredictionOptions))
