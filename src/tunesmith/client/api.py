"""Api: what can be asked of a server, in which order, and what is made of the answers; once for both clients."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterable, Mapping
from typing import Any

from tunesmith.client.calls import call, flow
from tunesmith.client.exchange import Flow, Give, Pause, ReadBytes, ReadLine, Send, Steps, asked, error_of
from tunesmith.client.fields import request_fields
from tunesmith.client.retries import Deadline, Reply
from tunesmith.client.values import Clip, ProgressListener, RemoteJob
from tunesmith.errors import DeadlineExceeded, GenerationFailed, ServerUnreachable

Document = dict[str, Any]
WAIT_SECONDS, LOOK_SECONDS = 20.0, 0.5
"""How long the server is asked to wait for a job's end, and how long where somebody watches its progress."""

AGAIN_SECONDS = 0.1
UNDO_SECONDS = 5.0
SILENCE_SECONDS = 60.0
"""A stream of events on which nothing comes for so long, not even a sign of life, is opened again."""


class Api:
    """The calls of both clients. ``wishes`` are fields of a request for music, such as model, duration and format.

    A melody or audio to go on from is given as bytes or as a Path. Every call raises ApiError (TokenRefused, NotFound,
    ServerBusy), ServerUnreachable and DeadlineExceeded.
    """

    _deadline_seconds: float

    @call
    def generate(
        self, /, prompt: str, *, progress: ProgressListener | None = None, deadline: float | None = None, **wishes: Any
    ) -> Steps[Clip]:
        """Make music and return it.

        It is one job however often a request is repeated; it is cancelled where the deadline (seconds) passes or the
        caller goes. ``progress`` is called with the RemoteJob as it goes on. Raises GenerationFailed where it could
        not be made.
        """
        until = self._until(deadline)
        job = yield from _submitted(prompt, wishes, until)
        try:
            job = yield from _finished(job.id, until, progress)
        except GeneratorExit:
            raise  # nothing can be asked any more
        except BaseException:
            yield Send("DELETE", f"/api/jobs/{job.id}", seconds=UNDO_SECONDS)
            raise
        content = yield from _audio_of(_succeeded(job), until)
        return Clip(content, job)

    @flow
    def stream(self, /, prompt: str, *, deadline: float | None = None, **wishes: Any) -> Flow[bytes]:
        """Make music and yield its file piece by piece as it comes; who stops reading before its end cancels it."""
        until = self._until(deadline)
        body = request_fields(prompt, wishes)
        yield from asked(_post("/api/generate", body, query={"stream": "true"}, opens=True), until)
        while True:
            piece: bytes | None = yield ReadBytes()
            if piece is None:
                return
            if not until.left:
                raise DeadlineExceeded(f"the music did not come within {until.seconds:g} s")
            yield Give(piece)

    @call
    def submit(self, /, prompt: str, **wishes: Any) -> Steps[RemoteJob]:
        """Hand a job in without waiting for it."""
        return (yield from _submitted(prompt, wishes, self._until()))

    @call
    def job(self, job_id: str) -> Steps[RemoteJob]:
        """Return a job as it is now."""
        return RemoteJob.of((yield from self._asked("GET", f"/api/jobs/{job_id}")))

    @call
    def jobs(self, *, states: Iterable[str] = (), limit: int | None = None) -> Steps[list[RemoteJob]]:
        """Return the newest jobs, of all ``states`` or of those given."""
        query = {"state": list(states), "limit": limit}
        found = yield from self._asked("GET", "/api/jobs", query=query)
        return [RemoteJob.of(job) for job in found["jobs"]]

    @call
    def wait(
        self, job_id: str, *, progress: ProgressListener | None = None, deadline: float | None = None
    ) -> Steps[RemoteJob]:
        """Return a job at its end."""
        return (yield from _finished(job_id, self._until(deadline), progress))

    @flow
    def follow(self, job_id: str) -> Flow[RemoteJob]:
        """Yield a job as it is and at every change until its end; a connection that breaks is made again."""
        while True:
            opening = Send("GET", f"/api/jobs/{job_id}/events", opens=True)
            yield from asked(opening, Deadline.after(max(SILENCE_SECONDS, self._deadline_seconds)))
            try:
                while True:
                    line: str | None = yield ReadLine()
                    if line is None:
                        break
                    if line.startswith("data:"):
                        job = RemoteJob.of(json.loads(line[5:]))
                        yield Give(job)
                        if job.is_final:
                            return
            except ServerUnreachable:
                yield Pause(AGAIN_SECONDS)

    @call
    def audio(self, job_id: str) -> Steps[bytes]:
        """Return the file of a job that has succeeded; raises GenerationFailed for one that has not."""
        until = self._until()
        reply = yield from asked(Send("GET", f"/api/jobs/{job_id}"), until)
        return (yield from _audio_of(_succeeded(RemoteJob.of(reply.document())), until))

    @call
    def cancel(self, job_id: str) -> Steps[RemoteJob]:
        """Cancel a job unless it is finished, and return it as it then is."""
        return RemoteJob.of((yield from self._asked("DELETE", f"/api/jobs/{job_id}")))

    @call
    def tracks(
        self, search: str | None = None, *, model: str | None = None, starred: bool | None = None,
        tag: str | None = None, limit: int | None = None,
    ) -> Steps[list[Document]]:  # fmt: skip
        """Return the newest tracks of the server's prompt log that fit."""
        query = {"search": search, "model": model, "starred": starred, "tag": tag, "limit": limit}
        found = yield from self._asked("GET", "/api/tracks", query=query)
        return list(found["tracks"])

    @call
    def track(self, track_id: str) -> Steps[Document]:
        """Return a track."""
        return dict((yield from self._asked("GET", f"/api/tracks/{track_id}")))

    @call
    def track_audio(self, track_id: str) -> Steps[bytes]:
        """Return a track's file."""
        return (yield from self._file(f"/api/tracks/{track_id}/audio"))

    @call
    def track_midi(self, track_id: str) -> Steps[bytes]:
        """Return the notes of a track that the composer made, as a MIDI file."""
        return (yield from self._file(f"/api/tracks/{track_id}/midi"))

    @call
    def track_stems(self, track_id: str) -> Steps[bytes]:
        """Return the parts of a track that the composer made, as WAV files in a ZIP."""
        return (yield from self._file(f"/api/tracks/{track_id}/stems"))

    @call
    def mark(
        self, track_id: str, *, starred: bool | None = None, rating: int | None = None, tags: list[str] | None = None
    ) -> Steps[Document]:
        """Star, rate (0 to 5) or tag a track and return it."""
        marks = _given({"starred": starred, "rating": rating, "tags": tags})
        return dict((yield from self._asked("PATCH", f"/api/tracks/{track_id}", marks)))

    @call
    def vary(self, track_id: str, n: int = 5) -> Steps[list[RemoteJob]]:
        """Hand in variations of a track, with seeds that follow its own."""
        until = self._until()
        reply = yield from asked(_post(f"/api/tracks/{track_id}/variations", {"n": n}), until)
        jobs = []
        for one in reply.document()["jobs"]:
            told = yield from asked(Send("GET", one["url"]), until)
            jobs.append(RemoteJob.of(told.document()))
        return jobs

    @call
    def forget(self, track_id: str) -> Steps[None]:
        """Remove a track from the prompt log."""
        yield from self._asked("DELETE", f"/api/tracks/{track_id}")

    @call
    def models(self) -> Steps[list[Document]]:
        """Return the models that are on the server or can be pulled."""
        found = yield from self._asked("GET", "/api/models")
        return list(found["models"])

    @flow
    def pull(self, /, model: str, **wishes: Any) -> Flow[Document]:
        """Install a model on the server and yield its progress; wants a token of scope admin where there are tokens."""
        opening = _post("/api/models/pull", {"model": model, **wishes}, opens=True)
        yield from asked(opening, Deadline.after(SILENCE_SECONDS))
        while True:
            line: str | None = yield ReadLine()
            if line is None:
                raise ServerUnreachable("the connection ended before the model was installed")
            if line.startswith("data:"):
                told = json.loads(line[5:])
                if "error" in told:
                    raise error_of(Reply(500, content=line[5:].encode()))
                yield Give(told)
                if set(told) == {"name"}:
                    return

    @call
    def explain(self, /, prompt: str) -> Steps[Document]:
        """Return what the composer reads from a prompt, and why."""
        return dict((yield from self._asked("POST", "/api/explain", {"prompt": prompt})))

    @call
    def loaded(self) -> Steps[list[Document]]:
        """Return which models are in the server's memory, and when they leave."""
        found = yield from self._asked("GET", "/api/ps")
        return list(found["models"])

    @call
    def version(self) -> Steps[str]:
        """Return the server's version."""
        found = yield from self._asked("GET", "/api/version")
        return str(found["version"])

    def _until(self, seconds: float | None = None) -> Deadline:
        return Deadline.after(self._deadline_seconds if seconds is None else seconds)

    def _file(self, path: str) -> Steps[bytes]:
        reply: Reply = yield from asked(Send("GET", path), self._until())
        return reply.content

    def _asked(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Steps[Any]:
        send = Send(method, path, body, _given(query or {}))
        reply: Reply = yield from asked(send, self._until())
        return reply.document()


def _submitted(prompt: str, wishes: Mapping[str, Any], until: Deadline) -> Steps[RemoteJob]:
    reply: Reply = yield from asked(_post("/api/jobs", request_fields(prompt, wishes)), until)
    return RemoteJob.of(reply.document())


def _finished(job_id: str, until: Deadline, listener: ProgressListener | None) -> Steps[RemoteJob]:
    longest = LOOK_SECONDS if listener is not None else WAIT_SECONDS
    while True:
        wait = {"wait": f"{min(longest, until.left / 2):.3f}"}  # the answer must be here before the deadline
        reply: Reply = yield from asked(Send("GET", f"/api/jobs/{job_id}", query=wait), until)
        job = RemoteJob.of(reply.document())
        if listener is not None:
            listener(job)
        if job.is_final:
            return job
        if until.left <= AGAIN_SECONDS:
            raise DeadlineExceeded(f"after {until.seconds:g} s job {job_id} is {job.state} at {job.progress:.0%}")


def _succeeded(job: RemoteJob) -> RemoteJob:
    if job.state != "succeeded":
        error = job.document.get("error") or {}
        ended = "it was cancelled" if job.state == "canceled" else f"it is {job.state}"
        raise GenerationFailed(str(error.get("type") or job.state), f"job {job.id}: {error.get('message') or ended}")
    return job


def _audio_of(job: RemoteJob, until: Deadline) -> Steps[bytes]:
    reply: Reply = yield from asked(Send("GET", f"/api/jobs/{job.id}/audio"), until)
    return reply.content


def _post(path: str, body: Mapping[str, Any], *, query: Mapping[str, Any] | None = None, opens: bool = False) -> Send:
    """Return a request that may be repeated and still has its effect once."""
    return Send("POST", path, body, query or {}, {"Idempotency-Key": uuid.uuid4().hex}, opens=opens)


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
