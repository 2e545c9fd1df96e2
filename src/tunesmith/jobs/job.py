"""Job: one request on its way from the queue to a file, and the options that travel with it.

::

    queued ─► loading ─► running ─► succeeded
      │ ▲        │          │  └──► failed
      │ └────────┴──────────┘ when its process died or shut down
      └──────────┴──────────┴─────► canceled
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field, fields
from enum import StrEnum
from typing import Any

from pydantic import TypeAdapter

from tunesmith.audio.formats import FORMATS
from tunesmith.errors import InvalidRequest
from tunesmith.fields import MAX_CHARACTERS, shown
from tunesmith.generator import EXPORTS
from tunesmith.models.commercial_safety import OPEN_POLICY, CommercialPolicy
from tunesmith.models.factories import COMPOSER
from tunesmith.request import GenerationRequest

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

    layers: tuple[float, ...] = ()
    """The intensities of the layers that the format ``layers`` has, 0–1; none are the usual ones."""

    stream: bool = False
    """Whether the sound can be heard while it is made, if the model can do that."""

    def __post_init__(self) -> None:
        value = self.keep_alive
        if value is None:
            return
        is_number = isinstance(value, int | float) and not isinstance(value, bool)
        if not is_number or not (value == FOREVER or 0 <= value <= MAX_SECONDS):
            problem = f"must be 0 to {MAX_SECONDS} seconds, or {FOREVER} for no limit, got {shown(value)}"
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
        if self.stream:
            row["stream"] = True
        if self.dropped:
            row["dropped"] = list(self.dropped)
        if self.layers:
            row["layers"] = list(self.layers)
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


USUAL_AUDIO_SECONDS = 30.0
"""The duration in seconds that estimates assume if the request leaves it open."""

MAX_NAME = MAX_CHARACTERS["idempotency_key"]
# Crockford's base 32: its order is that of the characters, so ids sort by time.
_ALPHABET = "0123456789abcdefghjkmnpqrstvwxyz"
# Ten letters of 5 bits hold milliseconds until the year 37,000.
_TIME_LETTERS, _RANDOM_BYTES = 10, 20


class JobState(StrEnum):
    """The state of a job; the diagram above shows the transitions."""

    QUEUED = "queued"
    LOADING = "loading"
    RUNNING = "running"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    CANCELED = "canceled"

    @property
    def is_final(self) -> bool:
        """Whether the state is terminal."""
        return self in (JobState.SUCCEEDED, JobState.FAILED, JobState.CANCELED)


@dataclass(frozen=True, slots=True)
class JobResult:
    """The output file of a job: SHA-256 ``digest``, ``bytes``, ``duration`` in seconds, ``sample_rate`` in Hz."""

    digest: str
    format: str
    bytes: int
    duration: float
    sample_rate: int
    channels: int

    @property
    def is_sound(self) -> bool:
        """Whether the file is audio, rather than an export such as MIDI."""
        return self.format not in EXPORTS

    @property
    def media_type(self) -> str:
        """The media type (MIME) of the file."""
        return media_type_of_format(self.format)


def media_type_of_format(name: str) -> str:
    """Return the media type (MIME) of a format of files, ``name`` being its suffix without the dot."""
    return EXPORTS[name] if name in EXPORTS else FORMATS[f".{name}"].media_type


@dataclass(frozen=True, slots=True)
class Failure:
    """Why a job failed: ``kind`` is the error's ``code``, for programs; ``message`` is for people."""

    kind: str
    message: str


@dataclass(frozen=True, slots=True)
class Submission:
    """A request on its way into the queue. Raises InvalidRequest for text that is too long or not printable.

    ``generated_by`` is the model that will make it where that is not the one asked for (a stand-in), ``owner``
    an API token's id, an address or None. The first of equal ``priority`` is the oldest; higher goes first. ``policy``
    says which licences the caller accepts, beside the server's own policy.
    """

    request: GenerationRequest
    dialect: str
    owner: str | None = None
    priority: int = 0
    idempotency_key: str | None = None
    model: str | None = None
    generated_by: str | None = None
    options: JobOptions = field(default_factory=JobOptions)
    policy: CommercialPolicy = OPEN_POLICY

    def __post_init__(self) -> None:
        # Most of these values appear in log lines or HTTP headers, where a line break could forge others.
        for name in ("idempotency_key", "owner", "model", "generated_by", "dialect"):
            value = getattr(self, name)
            if value is not None and not 0 < len(value) <= MAX_NAME:
                raise InvalidRequest(name, f"must be 1 to {MAX_NAME} characters, got {len(value)}")
            if value is not None and not value.isprintable():
                raise InvalidRequest(name, "must not contain control characters")

    @property
    def audio_seconds(self) -> float:
        """The duration of the requested music in seconds, or the usual one if left open."""
        return audio_seconds_of(self.request)


@dataclass(frozen=True, slots=True)
class Claim:
    """The right to run a job. ``number`` distinguishes it from all other claims on the job (a fencing token).

    ``is_last`` states that no other job was waiting when this one was claimed.
    """

    job: Job
    worker: str
    number: int
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Job:
    """A job. Times ``…_at`` are Unix timestamps in seconds, UTC; ``progress`` is a fraction, 0 to 1.

    ``model`` is the requested model, ``generated_by`` the one that runs. ``data_removed`` states that the file of a
    succeeded job was removed by retention.
    """

    id: str
    state: JobState
    request: GenerationRequest
    options: JobOptions
    model: str
    generated_by: str
    dialect: str
    priority: int
    owner: str | None
    idempotency_key: str | None
    progress: float
    stage: str
    eta_seconds: float | None
    created_at: float
    started_at: float | None
    running_at: float | None
    finished_at: float | None
    attempts: int
    worker: str | None
    result: JobResult | None
    failure: Failure | None
    metadata: Mapping[str, Any]
    data_removed: bool

    @property
    def audio_seconds(self) -> float:
        """The duration of the requested music in seconds, or the usual one if left open."""
        return audio_seconds_of(self.request)

    @property
    def fallback_for(self) -> str | None:
        """The requested model if the composer generates the music instead, or None.

        A model's hub id and its local name differ too, but that is no fallback.
        """
        return self.model if self.generated_by == COMPOSER != self.model else None

    @property
    def queued_seconds(self) -> float | None:
        """Seconds from submission to the claim; None while queued."""
        return _between(self.created_at, self.started_at)

    @property
    def load_seconds(self) -> float | None:
        """Seconds from the claim until the model was loaded; None before that."""
        return _between(self.started_at, self.running_at)

    @property
    def generate_seconds(self) -> float | None:
        """Seconds from the loaded model to the end of the job; None before that."""
        return _between(self.running_at, self.finished_at)


def audio_seconds_of(request: GenerationRequest) -> float:
    """Return the requested duration in seconds, or the usual one if the request leaves it open."""
    return request.duration or USUAL_AUDIO_SECONDS


def _between(start: float | None, end: float | None) -> float | None:
    # A clock that was set back must not produce negative durations.
    return None if start is None or end is None else max(0.0, end - start)


def new_job_id(now: float, random_bytes: Callable[[int], bytes] = secrets.token_bytes) -> str:
    """Return an id that sorts by time (milliseconds), is safe in URLs and cannot be guessed (160 random bits)."""
    return _base32(int(now * 1000), _TIME_LETTERS) + _base32(
        int.from_bytes(random_bytes(_RANDOM_BYTES), "big"), _RANDOM_BYTES * 8 // 5
    )


def is_job_id(text: str) -> bool:
    """Return whether a text has the form of a job id.

    Checked before any query: PostgreSQL rejects some text, such as NUL, with an error.
    """
    return len(text) == _TIME_LETTERS + _RANDOM_BYTES * 8 // 5 and set(text) <= set(_ALPHABET)


def _base32(number: int, letters: int) -> str:
    return "".join(_ALPHABET[number >> (5 * place) & 31] for place in reversed(range(letters)))
