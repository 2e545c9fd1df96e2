"""Api: what can be asked of a server, in which order, and what is made of the answers; once for both clients."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import quote

from tunesmith.atomic_file import atomic_write
from tunesmith.client.http import Flow, Pause, ReadLine, Send, Steps, Yield, error_from_reply, request_with_retries
from tunesmith.client.job_flow import ResultDownload, audio_of, finished, post, run_job, submit
from tunesmith.client.remote_job import Clip, ProgressListener, RemoteJob
from tunesmith.client.retries import Deadline, Reply, pause_after
from tunesmith.client.sync_async import endpoint, stream_endpoint
from tunesmith.errors import ServerUnreachable

Document = dict[str, Any]
SILENCE_SECONDS = 60.0
"""A stream of events on which nothing comes for so long, not even a sign of life, is opened again."""


class Api:
    """The calls of both clients. ``wishes`` are fields of a request for music, such as model, duration and format.

    A melody or audio to go on from is given as bytes or as a Path. Every call raises ApiError (TokenRefused, NotFound,
    ServerBusy), ServerUnreachable and DeadlineExceeded.
    """

    _deadline_seconds: float

    @endpoint
    def generate(
        self, /, prompt: str, *, progress: ProgressListener | None = None, deadline: float | None = None, **wishes: Any
    ) -> Steps[Clip]:
        """Make music and return it.

        It is one job however often a request is repeated; it is cancelled where the deadline (seconds) passes or the
        caller goes. ``progress`` is called with the RemoteJob as it goes on. Raises GenerationFailed where it could
        not be made.
        """
        until = self._until(deadline)
        job = yield from run_job(prompt, wishes, until, progress)
        return Clip((yield from audio_of(job, until).whole()), job)

    @stream_endpoint
    def stream(
        self, /, prompt: str, *, progress: ProgressListener | None = None, deadline: float | None = None, **wishes: Any
    ) -> Flow[bytes]:
        """Make music and yield its file piece by piece; otherwise like generate."""
        until = self._until(deadline)
        job = yield from run_job(prompt, wishes, until, progress)
        yield from _yield_audio(audio_of(job, until))

    @endpoint
    def submit(self, /, prompt: str, **wishes: Any) -> Steps[RemoteJob]:
        """Hand a job in without waiting for it."""
        reply: Reply = yield from request_with_retries(submit(prompt, wishes), self._until())
        return RemoteJob.of(reply.document())

    @endpoint
    def job(self, job_id: str) -> Steps[RemoteJob]:
        """Return a job as it is now."""
        return RemoteJob.of((yield from self._request("GET", _path("jobs", job_id))).document())

    @endpoint
    def jobs(self, *, states: Iterable[str] = (), limit: int | None = None) -> Steps[list[RemoteJob]]:
        """Return the newest jobs, of all ``states`` or of those given."""
        query = {"state": list(states), "limit": limit}
        found = yield from self._request("GET", "/api/jobs", query=query)
        return [RemoteJob.of(job) for job in found.part("jobs")]

    @endpoint
    def wait(
        self, job_id: str, *, progress: ProgressListener | None = None, deadline: float | None = None
    ) -> Steps[RemoteJob]:
        """Return a job at its end."""
        return (yield from finished(quote(job_id, safe=""), self._until(deadline), progress))

    @stream_endpoint
    def follow(self, job_id: str) -> Flow[RemoteJob]:
        """Yield a job as it is and at every change until its end; a connection that breaks is made again."""
        breaks = 0
        while True:
            opening = Send("GET", _path("jobs", job_id, "events"), opens=True)
            yield from request_with_retries(opening, Deadline.after(max(SILENCE_SECONDS, self._deadline_seconds)))
            try:
                while (line := (yield ReadLine())) is not None:
                    if (told := _event(line)) is not None:
                        job, breaks = RemoteJob.of(told), 0
                        yield Yield(job)
                        if job.is_final:
                            return
            except ServerUnreachable:
                pass  # as where it ends too soon
            breaks += 1
            yield Pause(pause_after(breaks, Reply(0)))

    @endpoint
    def audio(self, job_id: str, *, deadline: float | None = None) -> Steps[bytes]:
        """Return the file of a job that has succeeded; raises GenerationFailed for one that has not."""
        until = self._until(deadline)
        return (yield from (yield from _audio(job_id, until)).whole())

    @endpoint
    def download(self, job_id: str, path: str | Path, *, deadline: float | None = None) -> Steps[Path]:
        """Write the file of a job that has succeeded as it comes, and return its path.

        It takes its name once all of it is there; raises GenerationFailed for a job that has not succeeded.
        """
        file = yield from _audio(job_id, self._until(deadline))
        target = Path(path)
        with atomic_write(target) as written:
            while (piece := (yield from file.next())) is not None:
                written.write(piece)
        return target

    @endpoint
    def cancel(self, job_id: str) -> Steps[RemoteJob]:
        """Cancel a job unless it is finished, and return it as it then is."""
        return RemoteJob.of((yield from self._request("DELETE", _path("jobs", job_id))).document())

    @endpoint
    def tracks(
        self, search: str | None = None, *, model: str | None = None, starred: bool | None = None,
        tag: str | None = None, limit: int | None = None,
    ) -> Steps[list[Document]]:  # fmt: skip
        """Return the newest tracks of the server's prompt log that fit."""
        query = {"search": search, "model": model, "starred": starred, "tag": tag, "limit": limit}
        found = yield from self._request("GET", "/api/tracks", query=query)
        return list(found.part("tracks"))

    @stream_endpoint
    def each_track(
        self, search: str | None = None, *, model: str | None = None, starred: bool | None = None,
        tag: str | None = None, page_size: int | None = None,
    ) -> Flow[Document]:  # fmt: skip
        """Yield every track that fits, the newest first, asking for more as they are taken."""
        query = {"search": search, "model": model, "starred": starred, "tag": tag, "limit": page_size}
        before: int | None = None
        while True:
            found = yield from self._request("GET", "/api/tracks", query={**query, "before": before})
            for track in found.part("tracks"):
                yield Yield(track)
            before = found.part("next_before")
            if before is None:
                return

    @endpoint
    def track(self, track_id: str) -> Steps[Document]:
        """Return a track."""
        return (yield from self._request("GET", _path("tracks", track_id))).document()

    @endpoint
    def track_audio(self, track_id: str) -> Steps[bytes]:
        """Return a track's file."""
        return (yield from self._file(_path("tracks", track_id, "audio")))

    @endpoint
    def track_midi(self, track_id: str) -> Steps[bytes]:
        """Return the notes of a track that the composer made, as a MIDI file."""
        return (yield from self._file(_path("tracks", track_id, "midi")))

    @endpoint
    def track_stems(self, track_id: str) -> Steps[bytes]:
        """Return the parts of a track that the composer made, as WAV files in a ZIP."""
        return (yield from self._file(_path("tracks", track_id, "stems")))

    @endpoint
    def mark(
        self, track_id: str, *, starred: bool | None = None, rating: int | None = None, tags: list[str] | None = None
    ) -> Steps[Document]:
        """Star, rate (0 to 5) or tag a track and return it."""
        marks = _given({"starred": starred, "rating": rating, "tags": tags})
        return (yield from self._request("PATCH", _path("tracks", track_id), marks)).document()

    @endpoint
    def vary(self, track_id: str, n: int = 5) -> Steps[list[RemoteJob]]:
        """Hand in variations of a track, with seeds that follow its own."""
        until = self._until()
        reply = yield from request_with_retries(post(_path("tracks", track_id, "variations"), {"n": n}), until)
        jobs = []
        for one in reply.part("jobs"):
            told = yield from request_with_retries(Send("GET", _path("jobs", one["id"])), until)
            jobs.append(RemoteJob.of(told.document()))
        return jobs

    @endpoint
    def forget(self, track_id: str) -> Steps[None]:
        """Remove a track from the prompt log."""
        yield from self._request("DELETE", _path("tracks", track_id))

    @endpoint
    def models(self) -> Steps[list[Document]]:
        """Return the models that are on the server or can be pulled."""
        found = yield from self._request("GET", "/api/models")
        return list(found.part("models"))

    @stream_endpoint
    def pull(self, /, model: str, **wishes: Any) -> Flow[Document]:
        """Install a model on the server and yield its progress; wants a token of scope admin where there are tokens."""
        opening = post("/api/models/pull", {"model": model, **wishes}, opens=True)
        yield from request_with_retries(opening, Deadline.after(SILENCE_SECONDS))
        while True:
            line: str | None = yield ReadLine()
            if line is None:
                raise ServerUnreachable("the connection ended before the model was installed")
            if (told := _event(line)) is not None:
                if "error" in told:
                    raise error_from_reply(Reply(500, content=line[5:].encode()))
                yield Yield(told)
                if set(told) == {"name"}:
                    return

    @endpoint
    def explain(self, /, prompt: str) -> Steps[Document]:
        """Return what the composer reads from a prompt, and why."""
        return (yield from self._request("POST", "/api/explain", {"prompt": prompt})).document()

    @endpoint
    def loaded(self) -> Steps[list[Document]]:
        """Return which models are in the server's memory, and when they leave."""
        found = yield from self._request("GET", "/api/ps")
        return list(found.part("models"))

    @endpoint
    def version(self) -> Steps[str]:
        """Return the server's version."""
        found = yield from self._request("GET", "/api/version")
        return str(found.part("version"))

    def _until(self, seconds: float | None = None) -> Deadline:
        return Deadline.after(self._deadline_seconds if seconds is None else seconds)

    def _file(self, path: str) -> Steps[bytes]:
        return (yield from ResultDownload(path, self._until()).whole())

    def _request(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, query: Mapping[str, Any] | None = None
    ) -> Steps[Reply]:
        return (yield from request_with_retries(Send(method, path, body, _given(query or {})), self._until()))


def _audio(job_id: str, until: Deadline) -> Steps[ResultDownload]:
    reply: Reply = yield from request_with_retries(Send("GET", _path("jobs", job_id)), until)
    return audio_of(RemoteJob.of(reply.document()), until)


def _yield_audio(file: ResultDownload) -> Flow[bytes]:
    while (piece := (yield from file.next())) is not None:
        yield Yield(piece)


def _event(line: str) -> Document | None:
    """Return what a line of a stream of events tells, None where it tells nothing."""
    if not line.startswith("data:"):
        return None
    return Reply(200, content=line[5:].encode()).document()


def _path(*parts: str) -> str:
    return "/api/" + "/".join(quote(part, safe="") for part in parts)


def _given(values: Mapping[str, Any]) -> Document:
    return {name: value for name, value in values.items() if value is not None}
